/* A pool of processes at full load, of which guests crash, loop and fill their memory, while templates are killed: every call has
 * one right outcome, and nothing is left behind.  `make soak` does it for minutes, AARD_SOAK=SECONDS for as long.
 * test-timeout: 240 */
#include "pool_support.h"
#include "process_support.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

/* An address sanitizer keeps what was freed for a while. */
#ifdef __SANITIZE_ADDRESS__
enum { SLACK_KIB = 65536 };
#else
enum { SLACK_KIB = 8192 };
#endif

enum { THREADS = 4, SIZE = 4 };

typedef enum what { RIGHT, LOOPS, BOMBS, KINDS } what;

static atomic_bool stopping;
static atomic_size_t kills, template_kills, crashed, calls[KINDS], wrong;

/* A child of a child of ours, any: the one that runs a call, or one that waits. */
static void kill_a_guest(unsigned *seed)
{
    pid_t templates[16], guests[64];
    size_t count = children_of(getpid(), templates, COUNT(templates));
    if (!count) return;
    size_t of_it = children_of(templates[(size_t)rand_r(seed) % count], guests, COUNT(guests));
    if (!of_it) return;
    kills++; /* before: its call may be over at once */
    if (kill(guests[(size_t)rand_r(seed) % of_it], SIGKILL)) kills--;
}

static void kill_a_template(unsigned *seed)
{
    pid_t templates[16];
    size_t count = children_of(getpid(), templates, COUNT(templates));
    if (count && !kill(templates[(size_t)rand_r(seed) % count], SIGKILL)) template_kills++;
}

static size_t all_calls(void) { return calls[RIGHT] + calls[LOOPS] + calls[BOMBS]; }

/* One in a hundred calls is hit. */
static void *kill_some(void *user)
{
    unsigned seed = 1, turns = 0;
    (void)user;
    while (!stopping) {
        usleep(20000);
        if (kills * 100 < all_calls()) kill_a_guest(&seed);
        if (++turns % 50 == 0) kill_a_template(&seed);
    }
    return NULL;
}

static const char *code_of(what kind, int number, bool python, char text[200])
{
    static const char *const endless[] = {"for (;;);", "while True: pass"};
    static const char *const bomb[] = {"const all = []; for (;;) all.push(new Array(100000).fill(1));",
                                       "all = []\nwhile True: all.append('x' * 1000000)"};
    if (kind == LOOPS) return endless[python];
    if (kind == BOMBS) return bomb[python];
    snprintf(text, 200, python ? "n = globals().get('n', %d) + 1\nn" : "globalThis.n = (globalThis.n ?? %d) + 1",
             number);
    return text;
}

/* A crash is right as often as a process was killed: that is looked at in the end. */
static bool is_right(const aard_outcome *outcome, what kind, int number)
{
    char want[16];
    const char *value = aard_outcome_value_json(outcome, NULL);
    aard_failure_kind failure = aard_outcome_failure_kind(outcome);
    snprintf(want, sizeof want, "%d", number + 1);
    if (failure == AARD_FAILURE_ENGINE_CRASHED && strstr(aard_outcome_failure_message(outcome), "process")) {
        crashed++;
        return true;
    }
    if (kind == LOOPS) return failure == AARD_FAILURE_TIMEOUT_EXCEEDED;
    if (kind == BOMBS) return failure == AARD_FAILURE_HEAP_LIMIT_EXCEEDED;
    return failure == AARD_FAILURE_NONE && value && !strcmp(value, want);
}

typedef struct load {
    aard_pool *pool;
    bool python;
    unsigned seed;
    pthread_t thread;
} load;

static void tell(aard_outcome *outcome, const char *code)
{
    char *text;
    if (aard_outcome_json(outcome, &text, NULL)) return;
    print_error("of %s: %.400s\n", code, text);
    aard_string_free(text);
}

static void call_once(load *l)
{
    char text[200];
    int number = rand_r(&l->seed) % 10000, chance = rand_r(&l->seed) % 100;
    what kind = chance == 0 ? LOOPS : chance == 1 ? BOMBS : RIGHT;
    const char *code = code_of(kind, number, l->python, text);
    aard_outcome *outcome = NULL;
    aard_call *limited = limited_to(kind == LOOPS ? 100 : 60000);
    aard_error *error = aard_pool_exec(l->pool, NULL, code, strlen(code), NULL, limited, &outcome);
    aard_call_free(limited);
    calls[kind]++;
    if (error || !is_right(outcome, kind, number)) {
        wrong++;
        if (error)
            print_error("of %s: %s\n", code, aard_error_message(error));
        else
            tell(outcome, code);
    }
    aard_error_free(error);
    aard_outcome_free(outcome);
}

static void *make_calls(void *user)
{
    while (!stopping) call_once(user);
    return NULL;
}

static aard_pool *make_pool(bool python)
{
    aard_pool_config *config;
    aard_isolate_config *isolate = process_config(python ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT,
                                                  AARD_CLEANUP_FULL);
    aard_isolate_config_set_heap_limit(isolate, (uint64_t)(python ? 96 : 64) << 20);
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_size(config, SIZE, 0, SIZE);
    aard_isolate_config_free(isolate);
    return pool_of(config);
}

static void no_zombie_is_left(pid_t parent)
{
    double start = now_ms();
    while (zombies_of(parent)) assert_true(now_ms() - start < 5000 && !usleep(10000));
}

static void run(bool python, double ms)
{
    aard_pool *pool = make_pool(python);
    load loads[THREADS];
    pthread_t killer;
    kills = template_kills = crashed = wrong = 0;
    for (int i = 0; i < KINDS; i++) calls[i] = 0;
    assert_ok(aard_pool_wait_ready(pool, 60000));
    size_t open = descriptors();
    stopping = false;
    assert_int_equal(pthread_create(&killer, NULL, kill_some, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        loads[i] = (load){.pool = pool, .python = python, .seed = i + 1};
        assert_int_equal(pthread_create(&loads[i].thread, NULL, make_calls, &loads[i]), 0);
    }
    double start = now_ms();
    long early = 0;
    while (now_ms() - start < ms) {
        usleep(100000);
        if (!early && now_ms() - start > ms / 4) early = resident_kib();
    }
    long late = resident_kib();
    stopping = true;
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(loads[i].thread, NULL), 0);
    assert_int_equal(pthread_join(killer, NULL), 0);
    print_message(
        "%s, %.0f s: %zu calls (%zu loops, %zu bombs), %zu guests and %zu templates killed, %zu calls crashed, "
        "%zu wrong; resident %ld -> %ld KiB\n",
        python ? "Python" : "JavaScript", ms / 1000, all_calls(), (size_t)calls[LOOPS], (size_t)calls[BOMBS],
        (size_t)kills, (size_t)template_kills, (size_t)crashed, (size_t)wrong, early, late);
    assert_int_equal(wrong, 0);
    assert_true(crashed <= kills);
    assert_true(late < early + early / 4 + SLACK_KIB);
    assert_ok(aard_pool_wait_ready(pool, 60000));
    assert_true(descriptors() <= open + 2 * SIZE); /* each may have another child, forked ahead: a socket and a pidfd */
    aard_pool_free(pool);
    no_zombie_is_left(getpid()); /* a template that nobody needed since it was killed */
    guests_are(NULL, 0);
    pid_t templates[16];
    size_t count = children_of(getpid(), templates, COUNT(templates));
    for (size_t i = 0; i < count; i++) no_zombie_is_left(templates[i]);
}

static void test_javascript_under_attack(void **state)
{
    (void)state;
    run(false, (double)soak_count(4, 300) * 1000);
}

static void test_python_under_attack(void **state)
{
    (void)state;
    run(true, (double)soak_count(6, 300) * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript_under_attack),
        cmocka_unit_test(test_python_under_attack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
