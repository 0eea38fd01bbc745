/* The guest platform: runs tests/platform/harness.js and then each of the other scripts there in a realm of its own,
 * and makes a cmocka test of each of their tests. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "guest/bridge/host.h"
#include "guest/platform.h"

#define TESTS_DIR "tests/platform"
enum { MOST_SUITES = 64, MOST_TESTS = 2048, TEST_SECONDS = 20 };

/* ---- a guest and what it needs of its host -------------------------------------------------------------- */

typedef struct suite {
    char *name;
    aard__vm *vm;
    aard__realm *realm;
    aard__ref *shared, *run_timers, *clear_timers, *reset_console;
    aard__ref *test_name, *start, *state;
    aard__buf output[2];
    uint64_t origin;
    double install_ms;
} suite;

static double suite_now(const suite *s) { return (double)(aard__clock_monotonic() - s->origin) / 1e6; }

static void host_now(aard__frame *frame, void *user) { aard__frame_return_number(frame, suite_now(user)); }

static void host_write(aard__frame *frame, void *user)
{
    suite *s = user;
    aard__frame_string(frame, 1, &s->output[aard__frame_number(frame, 0) == 2]);
}

static void host_take_output(aard__frame *frame, void *user)
{
    aard__buf *output = &((suite *)user)->output[aard__frame_number(frame, 0) == 2];
    aard__frame_return_utf8(frame, output->data ? output->data : "", output->len);
    aard__buf_clear(output);
}

static const aard__host_entry own_host[] = {{"now", host_now}, {"write", host_write}, {NULL, NULL}};
static const aard__host_entry test_host[] = {{"takeOutput", host_take_output}, {NULL, NULL}};
static const aard__host_entry *const platform_tables[] = {aard__engine_host, aard__host_text, aard__host_url,
                                                          aard__host_crypto, aard__host_zlib, aard__host_cipher,
                                                          aard__host_keys,   own_host,        NULL};
static const aard__host_entry *const test_tables[] = {test_host, NULL};

static void check_result(const char *what, const aard__result *result)
{
    if (result->status == AARD__OK) return;
    fail_msg("%s: %.*s\n%.*s", what, (int)result->thrown_text.len, result->thrown_text.data,
             (int)result->thrown_stack.len, result->thrown_stack.data);
}

static void check_error(const char *what, aard_error *error)
{
    if (error) fail_msg("%s: %s", what, aard_error_message(error));
}

static aard__ref *get(suite *s, aard__ref *object, const char *name)
{
    aard__result result = {0};
    aard__ref_get(s->realm, object, name, &result);
    check_result(name, &result);
    assert_int_equal(result.value.kind, AARD__REF);
    aard__result_free(&result);
    return result.value.ref;
}

static aard__ref *run_file(suite *s, const char *name)
{
    char *path = aard__path_join(TESTS_DIR, name), *text;
    size_t len;
    aard__result result = {0};
    check_error(name, aard__file_read(path, 0, &text, &len));
    aard__source source = {.name = path, .data = text, .len = len};
    aard__realm_run(s->realm, &source, true, &result);
    check_result(path, &result);
    aard__result_free(&result);
    aard__free(text);
    aard__free(path);
    return result.value.kind == AARD__REF ? result.value.ref : NULL;
}

static void suite_boot(suite *s)
{
    aard__vm_options options = {.user = s};
    s->origin = aard__clock_monotonic();
    check_error("vm", aard__vm_new(&options, &s->vm));
    aard__vm_enter(s->vm);
    check_error("realm", aard__realm_new(s->vm, &s->realm));
    aard__realm_allow_codegen(s->realm, false);
    uint64_t began = aard__clock_thread_cpu();
    check_error("platform", aard__platform_install(s->realm, platform_tables, &s->shared));
    s->install_ms = (double)(aard__clock_thread_cpu() - began) / 1e6;
    s->run_timers = get(s, s->shared, "runTimers");
    s->clear_timers = get(s, s->shared, "clearAllTimers");
    s->reset_console = get(s, s->shared, "resetConsole");
    aard__vm_leave(s->vm);
}

static void suite_load(suite *s)
{
    suite_boot(s);
    aard__vm_enter(s->vm);
    aard__ref *harness = run_file(s, "harness.js");
    assert_non_null(harness);
    aard__result result = {0};
    aard__value args[] = {AARD__VALUE_REF(aard__realm_host_object(s->realm, test_tables)), AARD__VALUE_REF(s->shared)};
    aard__ref_call(s->realm, harness, args, 2, true, &result);
    check_result("harness.js", &result);
    aard__ref *control = result.value.ref;
    s->test_name = get(s, control, "name");
    s->start = get(s, control, "start");
    s->state = get(s, control, "state");
    aard__result_free(&result);
    aard__ref_free(control);
    aard__ref_free(run_file(s, s->name));
    aard__vm_leave(s->vm);
}

static void suite_free(suite *s)
{
    aard__vm_free(s->vm);
    aard__buf_free(&s->output[0]);
    aard__buf_free(&s->output[1]);
    aard__free(s->name);
}

/* ---- one test -------------------------------------------------------------------------------------------- */

typedef struct test {
    suite *suite;
    size_t index;
    char *name;
} test;

/* Turns the event loop once; sleeps where nothing is due. */
static void turn(suite *s, aard__result *result)
{
    while (aard__vm_pump(s->vm)) continue;
    aard__value now = AARD__VALUE_NUMBER(suite_now(s));
    aard__ref_call(s->realm, s->run_timers, &now, 1, false, result);
    check_result("runTimers", result);
    double wait = result->value.number;
    while (aard__vm_pump(s->vm)) continue;
    if (wait < 0 || wait > 5) wait = 5;
    struct timespec time = {.tv_nsec = (long)(wait * 1e6)};
    if (wait > 0) nanosleep(&time, NULL);
}

static int enter(void **state)
{
    aard__vm_enter(((test *)*state)->suite->vm);
    return 0;
}

static int leave(void **state) /* after a failure too */
{
    aard__vm_leave(((test *)*state)->suite->vm);
    return 0;
}

static void run_js_test(void **state)
{
    test *t = *state;
    suite *s = t->suite;
    aard__result result = {0};
    aard__value index = AARD__VALUE_NUMBER((double)t->index);
    aard__ref_call(s->realm, s->start, &index, 1, false, &result);
    check_result(t->name, &result);
    uint64_t deadline = aard__clock_monotonic() + TEST_SECONDS * UINT64_C(1000000000);
    do {
        if (aard__clock_monotonic() > deadline) fail_msg("%s: not settled after %d s", t->name, TEST_SECONDS);
        turn(s, &result);
        aard__ref_call(s->realm, s->state, NULL, 0, false, &result);
    } while (result.status == AARD__OK && !result.text.len);
    check_result(t->name, &result);
    if (result.text.len != 6 || memcmp(result.text.data, "passed", 6))
        fail_msg("%s %.*s", t->name, (int)result.text.len, result.text.data);
    if (aard__realm_next_rejection(s->realm, &result)) check_result("a rejection that nothing handles", &result);
    aard__ref_call(s->realm, s->clear_timers, NULL, 0, false, &result);
    aard__ref_call(s->realm, s->reset_console, NULL, 0, false, &result);
    check_result("clean-up", &result);
    aard__result_free(&result);
}

/* ---- tests in C ------------------------------------------------------------------------------------------ */

static void installs_twice_in_one_vm(void **state)
{
    (void)state;
    suite s = {0};
    suite_boot(&s);
    aard__vm_enter(s.vm);
    aard__realm *other;
    aard__ref *shared;
    aard__result result = {0};
    check_error("realm", aard__realm_new(s.vm, &other));
    check_error("platform", aard__platform_install(other, platform_tables, &shared));
    static const char source[] = "new URL('http://a/').href + new TextDecoder().encoding";
    aard__source script = {.name = "test", .data = source, .len = sizeof source - 1};
    aard__realm_run(other, &script, false, &result);
    check_result("script", &result);
    assert_int_equal(result.text.len, strlen("http://a/utf-8"));
    aard__result_free(&result);
    aard__vm_leave(s.vm);
    suite_free(&s);
}

static void says_that_it_was_ended(void **state)
{
    (void)state;
    suite s = {0};
    aard__vm_options options = {.user = &s};
    check_error("vm", aard__vm_new(&options, &s.vm));
    aard__vm_enter(s.vm);
    check_error("realm", aard__realm_new(s.vm, &s.realm));
    aard__vm_terminate(s.vm);
    aard_error *error = aard__platform_install(s.realm, platform_tables, &s.shared);
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), AARD_ERR_GUEST_BOOT);
    assert_null(s.shared);
    aard_error_free(error);
    aard__vm_terminate_cancel(s.vm);
    aard__vm_leave(s.vm);
    suite_free(&s);
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

static suite suites[MOST_SUITES];
static size_t suite_count;
static test tests[MOST_TESTS];
static struct CMUnitTest units[MOST_TESTS + 2] = {
    {"platform: installs twice in one vm", installs_twice_in_one_vm, NULL, NULL, NULL},
    {"platform: says that it was ended", says_that_it_was_ended, NULL, NULL, NULL},
};
static size_t test_count, unit_count = 2;

static void list_tests(suite *s)
{
    suite_load(s);
    aard__vm_enter(s->vm);
    aard__result result = {0};
    for (size_t i = 0;; i++) {
        aard__value index = AARD__VALUE_NUMBER((double)i);
        aard__ref_call(s->realm, s->test_name, &index, 1, false, &result);
        check_result("name", &result);
        if (!result.text.len) break;
        assert_true(test_count < MOST_TESTS);
        aard__buf name = AARD__BUF_INIT;
        aard__buf_printf(&name, "%.*s: %.*s", (int)strcspn(s->name, "."), s->name, (int)result.text.len,
                         result.text.data);
        test *t = &tests[test_count++];
        *t = (test){.suite = s, .index = i, .name = aard__buf_take(&name, NULL)};
        units[unit_count++] = (struct CMUnitTest){t->name, run_js_test, enter, leave, t};
    }
    aard__result_free(&result);
    aard__vm_leave(s->vm);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int is_test_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && !strcmp(dot, ".js") && strcmp(entry->d_name, "harness.js");
}

/* `only` (may be NULL): part of the names of the files to run. */
static void find_tests(const char *only)
{
    struct dirent **entries;
    int count = scandir(TESTS_DIR, &entries, is_test_file, by_name);
    if (count <= 0) {
        fprintf(stderr, "no tests in " TESTS_DIR "; run this from the top of the source tree\n");
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        if (suite_count < MOST_SUITES && (!only || strstr(entries[i]->d_name, only))) {
            suites[suite_count].name = aard__strdup(entries[i]->d_name);
            list_tests(&suites[suite_count++]);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    find_tests(argc > 1 ? argv[1] : NULL);
    double best = suites[0].install_ms;
    for (size_t i = 1; i < suite_count; i++)
        if (suites[i].install_ms < best) best = suites[i].install_ms;
    printf("platform installed in %.2f ms of CPU time at first, %.2f ms at best\n", suites[0].install_ms, best);
    int failed = _cmocka_run_group_tests("platform", units, unit_count, NULL, NULL);
    for (size_t i = 0; i < suite_count; i++) suite_free(&suites[i]);
    for (size_t i = 0; i < test_count; i++) aard__free(tests[i].name);
    return failed;
}
