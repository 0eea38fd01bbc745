/* Waiting: for a time, for a wake, for descriptors.  test-quick */
#include "isolate_support.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/poller.h"

#define LONG_NS UINT64_C(20000000000)

static uint64_t in(uint64_t ns) { return aard__clock_monotonic() + ns; }

static void test_a_wait_ends_with_its_time(void **state)
{
    (void)state;
    aard__poller poller = {0};
    uint64_t start = aard__clock_monotonic();
    assert_false(aard__poller_wait(&poller, NULL, start + 3000000));
    assert_true(aard__clock_monotonic() - start >= 3000000);
    assert_false(aard__poller_wait(&poller, NULL, start)); /* over already */
    aard__poller_rest(&poller);
}

static void *wake_soon(void *user)
{
    usleep(2000);
    aard__poller_wake(user);
    return NULL;
}

static void test_a_wake_ends_the_wait_or_the_next(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        aard__poller poller = {0};
        pthread_t thread;
        uint64_t start = aard__clock_monotonic();
        if (early)
            aard__poller_wake(&poller);
        else
            assert_int_equal(pthread_create(&thread, NULL, wake_soon, &poller), 0);
        assert_true(aard__poller_wait(&poller, NULL, in(LONG_NS)));
        assert_true(aard__clock_monotonic() - start < LONG_NS / 2);
        assert_false(aard__poller_wait(&poller, NULL, in(1000000))); /* it is told once */
        if (!early) pthread_join(thread, NULL);
        aard__poller_rest(&poller);
    }
}

static void test_what_is_written_to_its_descriptor_is_no_wake(void **state)
{
    (void)state;
    aard__poller poller = {0};
    uint64_t start = aard__clock_monotonic();
    assert_int_equal(write(aard__poller_fd(&poller), &(uint64_t){1}, 8), 8);
    assert_false(aard__poller_wait(&poller, NULL, in(LONG_NS)));
    assert_true(aard__clock_monotonic() - start < LONG_NS / 2);
    aard__poller_rest(&poller);
}

typedef struct other {
    int fd, asked;
} other;

static void poll_both(void *user, int fd, int ms)
{
    other *o = user;
    struct pollfd both[] = {{.fd = o->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    o->asked++;
    poll(both, 2, ms);
}

static void test_other_descriptors_end_it_too(void **state)
{
    (void)state;
    int ends[2];
    aard__poller poller = {0};
    assert_int_equal(pipe(ends), 0);
    other o = {.fd = ends[0]};
    const aard__poll_more more = {poll_both, &o};
    uint64_t start = aard__clock_monotonic();
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_false(aard__poller_wait(&poller, &more, in(LONG_NS)));
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    aard__poller_wake(&poller);
    assert_true(aard__poller_wait(&poller, &more, in(LONG_NS)));
    assert_true(aard__clock_monotonic() - start < LONG_NS / 2);
    assert_int_equal(o.asked, 2);
    aard__poller_rest(&poller);
    close(ends[0]);
    close(ends[1]);
}

static void test_without_descriptors_it_still_wakes(void **state)
{
    (void)state;
    struct rlimit before, none;
    aard__poller poller = {0};
    pthread_t thread;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    other o = {.fd = -1};
    const aard__poll_more more = {poll_both, &o};
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, &poller), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int fd = aard__poller_fd(&poller);
    uint64_t start = aard__clock_monotonic();
    bool woken = false;
    while (!woken && aard__clock_monotonic() - start < LONG_NS) woken = aard__poller_wait(&poller, &more, in(LONG_NS));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    pthread_join(thread, NULL);
    assert_int_equal(fd, -1);
    assert_true(woken);
    aard__poller_rest(&poller);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

static void test_a_guest_that_has_slept_holds_no_descriptor(void **state)
{
    (void)state;
    static const char *const code[] = {"import asyncio, time; time.sleep(0.001); await asyncio.sleep(0.001); 1",
                                       "await new Promise((done) => setTimeout(done, 1)); 1"};
    for (int language = 0; language < 2; language++) {
        aard_isolate *isolate = boot(thread_config(language ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON), NULL);
        size_t before = 0;
        for (int i = 0; i < 3; i++) {
            aard_outcome *outcome = exec(isolate, code[language]);
            failure_is(outcome, AARD_FAILURE_NONE, NULL);
            if (i) assert_int_equal(open_descriptors(), before);
            before = open_descriptors();
        }
        aard_isolate_free(isolate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wait_ends_with_its_time),
        cmocka_unit_test(test_a_wake_ends_the_wait_or_the_next),
        cmocka_unit_test(test_what_is_written_to_its_descriptor_is_no_wake),
        cmocka_unit_test(test_other_descriptors_end_it_too),
        cmocka_unit_test(test_without_descriptors_it_still_wakes),
        cmocka_unit_test(test_a_guest_that_has_slept_holds_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
