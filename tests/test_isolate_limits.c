/* Wall limits: whatever a guest does, its call ends in time, and the next call has a new guest.  test-timeout: 300 */
#include "isolate_support.h"

#include <pthread.h>

LEAKS_OF_LEFT_GUESTS

enum { LIMIT_MS = 150 };

/* Ends within the limit, and is told. */
static void timed_out(aard_outcome *outcome, uint64_t limit)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    double prepare = d->prepare_ms, run = d->run_ms;
    char text[64];
    snprintf(text, sizeof text, "limit of %llu ms", (unsigned long long)limit);
    failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, text, NULL);
    if (prepare + run < (double)limit) fail_msg("it ended after %.1f ms already", prepare + run);
    if (run > (double)limit + late_ms()) fail_msg("it took %.1f ms", run);
}

/* A guest that has seen no call, with the bundle and the handlers of the one before. */
static void is_new(aard_outcome *outcome, const char *value)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    assert_int_not_equal(d->reset_mode, AARD_RESET_NONE);
    assert_true(d->reset_ms > 0 && d->prepare_ms >= d->reset_ms);
    value_is(outcome, value);
}

static aard_isolate_config *limited_config(aard_language language, uint64_t ms)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_wall_limit_ms(config, ms);
    return config;
}

/* ---- JavaScript ------------------------------------------------------------------------------------------------ */

static void test_javascript_that_never_ends_is_ended(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "for (;;);",
        "await null; for (;;);",
        "setTimeout(() => { for (;;); }, 1); await new Promise((r) => setTimeout(r, 5));",
        "await new Promise((resolve) => setTimeout(resolve, 60000))",
        "setInterval(() => {}, 1); await new Promise(() => {})",
        "(function again() { Promise.resolve().then(again) })(); 1",
        "(async () => { for (;;) await null })()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "(function f() { try { f() } finally { for (;;); } })()",
        "try { for (;;); } catch { } finally { for (;;); }",
        "[1].sort.call({ get length() { for (;;); } })",
        "({ toJSON() { for (;;); } })",
        "({ get then() { for (;;); } })",
        "new Proxy({}, { ownKeys() { for (;;); } })",
        "throw Object.defineProperty(new Error('m'), 'message', { get() { for (;;); } })",
        "Promise.reject(Object.defineProperty(new Error('m'), 'stack', { get() { for (;;); } })); 1",
        "await Promise.reject({ message: 1, get name() { for (;;); } })",
        "console.log(`${{ toString() { for (;;); } }}`)",
        "let s = 0n; for (;;) s = (s + 1n) ** 3n % (2n ** 4000n)",
        "new Array(1e7).fill(0).map((_, i) => new Array(1e3).fill(i).sort().join()).length",
        "while (true) console.log('x')",
        "while (true) structuredClone([1, 2, 3])",
        "while (true) { try { null.x } catch { } }",
        "setTimeout(() => { for (;;); }, 0); (function again() { Promise.resolve().then(again) })(); await null",
    };
    static const char code[] = "globalThis.mark === undefined ? globalThis.mark = 'new' : 'old'";
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_JAVASCRIPT, 60000), bundle_from("javascript"));
    aard_handler *handler = NULL;
    aard_call *limited = limited_to(LIMIT_MS);
    assert_ok(aard_handler_new(isolate, "main:echo", &handler));
    uint64_t generation = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_with(isolate, rows[i], limited);
        if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_TIMEOUT_EXCEEDED) print_error("%s\n", rows[i]);
        timed_out(outcome, LIMIT_MS);
        outcome = NULL;
        if (i % 2) {
            assert_ok(aard_handler_invoke(handler, NULL, &outcome)); /* a handler of the guest that is gone */
            is_new(check_form(outcome), "null");
        } else {
            is_new(exec(isolate, code), "\"new\"");
        }
        outcome = exec(isolate, "1");
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NONE);
        assert_true(aard_outcome_diagnostics(outcome)->reset_generation > generation);
        generation = aard_outcome_diagnostics(outcome)->reset_generation;
        value_is(outcome, "1");
    }
    aard_call_free(limited);
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

static void test_the_tighter_limit_wins(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_JAVASCRIPT, 2 * LIMIT_MS), NULL);
    aard_call *tighter = limited_to(LIMIT_MS), *wider = limited_to(60000), *none = limited_to(0);
    aard_call *endless = limited_to(UINT64_MAX);
    timed_out(exec_with(isolate, "for (;;);", tighter), LIMIT_MS);
    timed_out(exec_with(isolate, "for (;;);", wider), 2 * LIMIT_MS);
    timed_out(exec_with(isolate, "for (;;);", none), 2 * LIMIT_MS);
    timed_out(exec_with(isolate, "for (;;);", endless), 2 * LIMIT_MS);
    timed_out(exec_with(isolate, "for (;;);", NULL), 2 * LIMIT_MS);
    aard_isolate_free(isolate);
    isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    timed_out(exec_with(isolate, "for (;;);", tighter), LIMIT_MS);
    value_is(exec_with(isolate, "1", endless), "1");
    value_is(exec_with(isolate, "const until = Date.now() + 200; while (Date.now() < until); 2", NULL), "2");
    aard_call_free(tighter);
    aard_call_free(wider);
    aard_call_free(none);
    aard_call_free(endless);
    aard_isolate_free(isolate);
}

static void test_a_limit_covers_the_import_of_the_module(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"slow.js", "for (;;); export const f = () => 1;"},
        {"waits.js", "await new Promise((r) => setTimeout(r, 60000)); export const f = 1;"},
        {"script.js", "for (;;);"},
        {NULL, NULL}};
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_JAVASCRIPT, LIMIT_MS), bundle_of(files));
    for (int again = 0; again < 2; again++) {
        failure_is(call(isolate, "slow:f", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        failure_is(call(isolate, "waits:f", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        failure_is(call(isolate, "script:f", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    }
    aard_isolate_free(isolate);
}

static void test_what_was_written_before_the_end_is_kept(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_JAVASCRIPT, 10 * LIMIT_MS), NULL);
    streams_are(exec(isolate, "console.log('out'); console.error('err'); for (;;);"), "out\n", "err\n");
    aard_isolate_free(isolate);
}

static void test_awaiting_what_can_never_come_ends_at_once(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_JAVASCRIPT, 60000), NULL);
    double began = now_ms();
    failure_is(exec(isolate, "await new Promise(() => {})"), AARD_FAILURE_OTHER, "never be resolved", NULL);
    assert_true(now_ms() - began < 30000);
    is_new(exec(isolate, "1"), "1");
    aard_isolate_free(isolate);
}

/* ---- two threads, one isolate ---------------------------------------------------------------------------------- */

typedef struct meeting {
    aard_isolate *isolate;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool started, over;
} meeting;

/* The guest's first words say that the call has begun; it then waits for the other thread to be done. */
static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    meeting *m = user;
    (void)stream;
    (void)data;
    (void)len;
    pthread_mutex_lock(&m->lock);
    m->started = true;
    pthread_cond_broadcast(&m->changed);
    while (!m->over) pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void *make_call(void *user)
{
    meeting *m = user;
    aard_outcome *outcome = NULL;
    static const char code[] = "console.log('begun'); 'went on'";
    if (aard_isolate_exec(m->isolate, code, sizeof code - 1, NULL, NULL, &outcome)) return NULL;
    return outcome;
}

static void test_a_second_thread_is_told_that_it_is_busy(void **state)
{
    (void)state;
    meeting m = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_stream_callback(config, on_output, &m, NULL);
    m.isolate = boot(config, bundle_from("javascript"));
    aard_handler *handler = NULL, *other = NULL;
    assert_ok(aard_handler_new(m.isolate, "main:echo", &handler));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, make_call, &m), 0);
    pthread_mutex_lock(&m.lock);
    while (!m.started) pthread_cond_wait(&m.changed, &m.lock);
    pthread_mutex_unlock(&m.lock);

    aard_outcome *outcome = NULL;
    aard_bundle *bundle = bundle_from("javascript");
    assert_refused(aard_isolate_exec(m.isolate, "1", 1, NULL, NULL, &outcome), AARD_ERR_BUSY, "isolate", NULL);
    assert_refused(aard_handler_invoke(handler, NULL, &outcome), AARD_ERR_BUSY, "isolate", NULL);
    assert_refused(aard_handler_new(m.isolate, "main:echo", &other), AARD_ERR_BUSY, "isolate", NULL);
    assert_refused(aard_isolate_load_bundle(m.isolate, bundle), AARD_ERR_BUSY, "isolate", NULL);
    assert_null(outcome);
    assert_null(other);

    pthread_mutex_lock(&m.lock);
    m.over = true;
    pthread_cond_broadcast(&m.changed);
    pthread_mutex_unlock(&m.lock);
    void *first = NULL;
    assert_int_equal(pthread_join(thread, &first), 0);
    value_is(check_form(first), "\"went on\"");
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "null");
    aard_handler_free(handler);
    aard_bundle_free(bundle);
    aard_isolate_free(m.isolate);
}

static void *make_calls(void *user)
{
    for (int i = 0; i < 50; i++) {
        aard_outcome *outcome = NULL;
        aard_error *error = aard_isolate_exec(user, "1 + 1", 5, NULL, NULL, &outcome);
        if (error && aard_error_get_code(error) != AARD_ERR_BUSY) return (void *)"an error that is not busy";
        if (!error && strcmp(aard_outcome_value_json(outcome, NULL), "2")) return (void *)"a wrong value";
        aard_error_free(error);
        aard_outcome_free(outcome);
    }
    return NULL;
}

static void test_threads_that_take_turns(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_calls, isolate), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        if (failed) fail_msg("%s", (char *)failed);
    }
    value_is(exec(isolate, "2"), "2");
    aard_isolate_free(isolate);
}

/* ---- Python ---------------------------------------------------------------------------------------------------- */

/* Every one of them costs a boot. */
static void test_python_that_never_ends_is_ended(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import asyncio\nawait asyncio.sleep(60)",
        "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
        "try:\n    while True: pass\nexcept BaseException:\n    while True: pass",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    };
    aard_isolate *isolate = boot(limited_config(AARD_LANGUAGE_PYTHON, 60000), bundle_from("python"));
    aard_handler *handler = NULL;
    aard_call *limited = limited_to(2 * LIMIT_MS);
    assert_ok(aard_handler_new(isolate, "main:echo", &handler));
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_with(isolate, rows[i], limited);
        if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_TIMEOUT_EXCEEDED) print_error("%s\n", rows[i]);
        timed_out(outcome, 2 * LIMIT_MS);
        outcome = NULL;
        assert_ok(aard_handler_invoke(handler, NULL, &outcome));
        is_new(check_form(outcome), "null");
    }
    failure_is(exec(isolate, "import asyncio\nawait asyncio.Event().wait()"), AARD_FAILURE_OTHER, "never be resolved",
               NULL);
    aard_handler_free(handler);
    aard_call_free(limited);
    aard_isolate_free(isolate);
}

/* What a guest has left behind may run when a handler or a bundle goes: not for longer than a call. */
static void test_python_outside_of_calls_is_ended(void **state)
{
    (void)state;
    static const char endless_end[] = "import sys, types\n"
                                      "class Endless:\n"
                                      "    def __call__(self): return 1\n"
                                      "    def __del__(self):\n"
                                      "        while True: pass\n"
                                      "sys.modules['m'] = types.ModuleType('m')\n"
                                      "sys.modules['m'].f = Endless()\n";
    static const char endless_finder[] = "import sys\n"
                                         "class Finder:\n"
                                         "    def find_spec(self, *a): return None\n"
                                         "    def invalidate_caches(self):\n"
                                         "        while True: pass\n"
                                         "sys.meta_path.append(Finder())\n";
    aard_isolate_config *config = thread_config(AARD_LANGUAGE_PYTHON); /* a process keeps its handlers */
    aard_isolate_config_set_wall_limit_ms(config, 15 * LIMIT_MS);
    aard_isolate *isolate = boot(config, bundle_from("python"));
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    value_is(exec(isolate, endless_end), "null");
    assert_ok(aard_handler_new(isolate, "m:f", &handler));
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "1");
    value_is(exec(isolate, "del sys.modules['m']"), "null");
    aard_handler_free(handler);
    is_new(call(isolate, "main:echo", "1"), "1");
    value_is(exec(isolate, endless_finder), "null");
    aard_bundle *bundle = bundle_from("python");
    assert_ok(aard_isolate_load_bundle(isolate, bundle));
    aard_bundle_free(bundle);
    value_is(call(isolate, "main:echo", "1"), "1");
    value_is(exec(isolate, "any(type(f).__name__ == 'Finder' for f in __import__('sys').meta_path)"), "false");
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript_that_never_ends_is_ended),
        cmocka_unit_test(test_the_tighter_limit_wins),
        cmocka_unit_test(test_a_limit_covers_the_import_of_the_module),
        cmocka_unit_test(test_what_was_written_before_the_end_is_kept),
        cmocka_unit_test(test_awaiting_what_can_never_come_ends_at_once),
        cmocka_unit_test(test_a_second_thread_is_told_that_it_is_busy),
        cmocka_unit_test(test_threads_that_take_turns),
        cmocka_unit_test(test_python_that_never_ends_is_ended),
        cmocka_unit_test(test_python_outside_of_calls_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
