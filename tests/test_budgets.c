/* Limits one by one: whose limit holds, what the outcome is, and what a guest may do at it.  test-timeout: 300 */
#include "isolate_support.h"

#include <pthread.h>
#include <time.h>

#include "engine/engine.h"

LEAKS_OF_LEFT_GUESTS

#define MIB ((size_t)1 << 20)

static const aard_language languages[] = {AARD_LANGUAGE_PYTHON, AARD_LANGUAGE_JAVASCRIPT};

static aard_call *new_call(void)
{
    aard_call *call = NULL;
    assert_ok(aard_call_new(&call));
    return call;
}

static void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Choose by language: Python's, JavaScript's. */
#define PICK(language, python, javascript) ((language) == AARD_LANGUAGE_PYTHON ? (python) : (javascript))

#define PYTHON_SPIN "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
#define JAVASCRIPT_SPIN "for (const end = Date.now() + 60000; Date.now() < end;);"

/* ---- CPU --------------------------------------------------------------------------------------------------------- */

static void test_cpu_time_is_limited_and_sleep_is_not_cpu_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_cpu_limit_ms(config, 150);
        aard_isolate *isolate = boot(config, NULL);
        aard_outcome *outcome = exec(isolate, PICK(languages[i], PYTHON_SPIN, JAVASCRIPT_SPIN));
        assert_true(aard_outcome_diagnostics(outcome)->cpu_ms_used >= 150);
        failure_is(outcome, AARD_FAILURE_CPU_LIMIT_EXCEEDED, "limit of 150 ms", NULL);
        outcome = exec(isolate, PICK(languages[i], "import time\ntime.sleep(0.4)\n7",
                                     "await new Promise((r) => setTimeout(r, 400)); 7"));
        assert_true(aard_outcome_diagnostics(outcome)->run_ms >= 399);
        value_is(outcome, "7");
        aard_isolate_free(isolate);
    }
}

static void test_the_tightest_cpu_limit_holds(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"aardvark.manifest.json",
                                            "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:spin\","
                                            " \"runtime\": {\"language\": \"javascript\"},"
                                            " \"resources\": {\"cpu\": {\"defaultLimitMs\": 100}}}"},
                                           {"main.js", "export const spin = () => { for (;;); };"},
                                           {NULL, NULL}};
    static const struct {
        uint64_t host, call;
        const char *holds;
    } rows[] = {{0, 0, "100 ms"}, {60, 0, "60 ms"}, {5000, 0, "100 ms"}, {0, 50, "50 ms"}, {60, 5000, "60 ms"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
        aard_isolate_config_set_cpu_limit_ms(config, rows[i].host);
        aard_isolate *isolate = boot(config, bundle_of(files));
        aard_call *call = new_call();
        aard_call_set_cpu_limit_ms(call, rows[i].call);
        failure_is(call_with(isolate, "main:spin", call), AARD_FAILURE_CPU_LIMIT_EXCEEDED, rows[i].holds, NULL);
        aard_call_free(call);
        aard_isolate_free(isolate);
    }
}

/* ---- the soft stop ----------------------------------------------------------------------------------------------- */

static aard_isolate *graceful(aard_language language, uint64_t grace_ms)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_grace_ms(config, grace_ms);
    return boot(config, NULL);
}

static aard_outcome *exec_100_ms(aard_isolate *isolate, const char *code)
{
    aard_call *limit = limited_to(100);
    aard_outcome *outcome = exec_with(isolate, code, limit);
    aard_call_free(limit);
    return outcome;
}

static void test_python_may_clean_up_in_its_grace_period(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "try:\n    while True: pass\nfinally: print('done')",
        "try:\n    while True: pass\nexcept KeyboardInterrupt: print('done')",
        "import time\ntry: time.sleep(60)\nfinally: print('done')",
        "import asyncio\ntry: await asyncio.sleep(60)\nfinally: print('done')",
        "import re\ntry: sum(i for i in range(10 ** 12))\nfinally: print('done')",
    };
    aard_isolate *isolate = graceful(AARD_LANGUAGE_PYTHON, 20000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_100_ms(isolate, rows[i]);
        double ms = aard_outcome_diagnostics(outcome)->prepare_ms + aard_outcome_diagnostics(outcome)->run_ms;
        if (ms < 99 || ms > 15000) fail_msg("%.1f ms: %s", ms, rows[i]);
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
        if (strcmp(aard_outcome_stdout(outcome, NULL), "done\n") != 0) fail_msg("it was not asked: %s", rows[i]);
        streams_are(outcome, "done\n", "");
        value_is(exec(isolate, "sum(range(10))"), "45"); /* no interrupt is left over */
    }
    aard_isolate_free(isolate);
}

/* A call that ended when it was asked to has torn nothing: the session goes on, and knows where it was. */
static void test_a_graceful_end_keeps_the_session(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "while True: pass",
        "import time\ntime.sleep(100)",
        "import asyncio\nawait asyncio.sleep(100)",
        "def deep():\n    while True: x.append(1) if len(x) < 5 else None\ndeep()",
    };
    aard_isolate *isolate = graceful(AARD_LANGUAGE_PYTHON, 60000);
    value_is(exec(isolate, "x = []\nkept = 'yes'; 1"), "1");
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        aard_outcome *outcome = exec_100_ms(isolate, endless[i]);
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
        const char *traceback = aard_outcome_exception_traceback(outcome, NULL);
        assert_non_null(traceback);
        assert_contains(traceback, "<exec>");
        aard_outcome_free(outcome);
        for (int calls = 0; calls < 3; calls++) { /* nothing of the signal is left */
            outcome = exec(isolate, "n = 0\nfor i in range(20000): n += 1\nkept");
            assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NONE);
            value_is(outcome, "\"yes\"");
        }
    }
    /* One that swallows it has its end, too. */
    failure_is(exec_100_ms(isolate, "try:\n    while True: pass\nexcept KeyboardInterrupt:\n    kept = 'changed'\n7"),
               AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    value_is(exec(isolate, "kept"), "\"changed\"");
    aard_isolate_free(isolate);
}

static void test_a_grace_period_ends(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "try:\n    while True: pass\nfinally:\n    while True: pass",
    };
    aard_isolate *isolate = graceful(AARD_LANGUAGE_PYTHON, 100);
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_100_ms(isolate, rows[i]);
        double ms = aard_outcome_diagnostics(outcome)->prepare_ms + aard_outcome_diagnostics(outcome)->run_ms;
        if (ms < 99 || ms > 200 + late_ms()) fail_msg("%.1f ms: %s", ms, rows[i]);
        failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "100 ms", NULL);
        value_is(exec(isolate, "sum(range(10))"), "45");
    }
    aard_isolate_free(isolate);
    isolate = graceful(AARD_LANGUAGE_JAVASCRIPT, 20000); /* which can't be asked */
    aard_outcome *outcome = exec_100_ms(isolate, "for (;;);");
    assert_true(aard_outcome_diagnostics(outcome)->run_ms < 15000);
    failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    aard_isolate_free(isolate);
}

/* ---- cancellation ------------------------------------------------------------------------------------------------ */

static void *cancel_soon(void *handle)
{
    sleep_ms(100);
    aard_cancel(handle);
    aard_cancel_handle_free(handle); /* its own share */
    return NULL;
}

static void test_a_call_is_cancelled_from_another_thread(void **state)
{
    (void)state;
    static const char *const python[] = {"while True: pass", "import time\ntime.sleep(60)",
                                         "import asyncio\nawait asyncio.sleep(60)"};
    static const char *const javascript[] = {"for (;;);", "await new Promise((r) => setTimeout(r, 60000))",
                                             "/^(a+)+$/.test('a'.repeat(40) + 'b')"};
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate *isolate = boot(config_of(languages[i]), NULL);
        for (size_t k = 0; k < 3; k++) {
            aard_cancel_handle *handle = NULL;
            pthread_t thread;
            assert_ok(aard_cancel_handle_new(&handle));
            aard_call *call = new_call();
            aard_call_set_cancel_handle(call, handle);
            assert_ptr_equal(aard_cancel_handle_retain(handle), handle);
            assert_int_equal(pthread_create(&thread, NULL, cancel_soon, handle), 0);
            aard_outcome *outcome = exec_with(isolate, PICK(languages[i], python, javascript)[k], call);
            assert_true(aard_outcome_diagnostics(outcome)->run_ms < 20000);
            failure_is(outcome, AARD_FAILURE_CANCELLED, "cancelled", NULL);
            assert_int_equal(pthread_join(thread, NULL), 0);
            assert_true(aard_cancel_handle_is_cancelled(handle));
            failure_is(exec_with(isolate, PICK(languages[i], "while True: pass", "for (;;);"), call),
                       AARD_FAILURE_CANCELLED, NULL); /* and so are all to come */
            failure_is(exec_with(isolate, "1", call), AARD_FAILURE_CANCELLED, NULL);
            aard_cancel_handle_free(handle);
            aard_call_free(call); /* had the last share */
            value_is(exec(isolate, "1 + 1"), "2");
        }
        aard_isolate_free(isolate);
    }
}

static void test_a_handle_outlives_its_calls(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_cancel_handle *handle = NULL, *other = NULL;
    assert_ok(aard_cancel_handle_new(&handle));
    assert_ok(aard_cancel_handle_new(&other));
    aard_call *call = new_call();
    aard_call_set_cancel_handle(call, handle);
    value_is(exec_with(isolate, "1", call), "1");
    value_is(exec_with(isolate, "2", call), "2");
    aard_call_set_cancel_handle(call, other);
    aard_cancel(handle);
    value_is(exec_with(isolate, "3", call), "3");
    aard_call_set_cancel_handle(call, NULL);
    value_is(exec_with(isolate, "4", call), "4");
    aard_call_free(call);
    aard_isolate_free(isolate);
    assert_true(aard_cancel_handle_is_cancelled(handle));
    assert_false(aard_cancel_handle_is_cancelled(other));
    aard_cancel(other);
    aard_cancel(other);
    aard_cancel_handle_free(handle);
    aard_cancel_handle_free(other);
    aard_cancel_handle_free(NULL);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_a_full_heap_is_the_guests_own_matter_first(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_heap_limit(config, 40 * MIB);
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "try: x = bytearray(10 ** 8)\nexcept MemoryError: x = 'caught'\nx"), "\"caught\"");
    aard_outcome *outcome = exec(isolate, "print('before')\nx = bytearray(10 ** 8)");
    assert_string_equal(aard_outcome_exception_type(outcome), "MemoryError");
    assert_string_equal(aard_outcome_stdout(outcome, NULL), "before\n");
    failure_is(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "MemoryError", NULL);
    exception_is(exec(isolate, "raise MemoryError('mine')"), "MemoryError", "mine", NULL);
    value_is(exec(isolate, "len(bytearray(10 ** 6))"), "1000000");
    outcome = exec(isolate, "1");
    assert_true(aard_outcome_diagnostics(outcome)->py_heap_kib <= 40 * 1024);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);

    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, 32 * MIB);
    isolate = boot(config, NULL);
    value_is(exec(isolate, "try { new Uint8Array(1e8) } catch (e) { e.name }"), "\"RangeError\"");
    outcome = exec(isolate, "new Uint8Array(1e8)");
    assert_string_equal(aard_outcome_exception_type(outcome), "RangeError");
    failure_is(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED, NULL);
    exception_is(exec(isolate, "throw new RangeError('mine')"), "RangeError", "mine", NULL);
    value_is(exec(isolate, "for (let i = 0; i < 100; i++) new Uint8Array(1e7); 1"), "1"); /* garbage goes first */
    failure_is(exec(isolate, "console.log('before'); const a = []; for (;;) a.push({})"),
               AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "heap was full", NULL);
    outcome = exec(isolate, "typeof a");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NEW_ISOLATE);
    value_is(outcome, "\"undefined\"");
    aard_isolate_free(isolate);

    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_buffer_limit(config, MIB);
    isolate = boot(config, NULL);
    value_is(exec(isolate, "try { new Uint8Array(2 ** 21) } catch (e) { e.name }"), "\"RangeError\"");
    value_is(exec(isolate, "new Array(1e6).fill(1).length"), "1000000");
    aard_isolate_free(isolate);
}

static void test_a_limit_that_nothing_can_start_with_is_refused(void **state)
{
    (void)state;
    aard_isolate *isolate = NULL;
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_heap_limit(config, MIB);
        assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_INVALID_ARGUMENT, "1048576", NULL);
        aard_isolate_config_free(config);
    }
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_engine_heap_limit(config, MIB);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_INVALID_ARGUMENT, "1048576", NULL);
    aard_isolate_config_set_engine_heap_limit(config, 0);
    aard_isolate_config_set_startup_limit_ms(config, 1);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_GUEST_BOOT, "start-up limit", NULL);
    aard_isolate_config_free(config);
    assert_null(isolate);
}

/* Python's own engine has a heap too, which files and proxies are in. */
static void test_the_engine_below_python_has_a_limit(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_engine_heap_limit(config, 48 * MIB);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate *isolate = boot(config, NULL);
    failure_is(exec(isolate, "import js\nx = js.Array.new()\nwhile True: x.push(js.Array.new(1000).fill(0))"),
               AARD_FAILURE_HEAP_LIMIT_EXCEEDED, NULL);
    value_is(exec(isolate, "import js\njs.Array.new(3).length"), "3");
    aard_isolate_free(isolate);
}

/* Whoever limits Python's heap alone. */
static void test_the_engine_below_python_follows_its_heap(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_heap_limit(config, 64 * MIB);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "import js\nlen([js.Uint8Array.new(16 << 20) for _ in range(7)])"), "7");
    long before = resident_kib();
    failure_is(exec(isolate, "import js\nx = js.Array.new()\nwhile True: x.push(js.Array.new(10000).fill(0))"),
               AARD_FAILURE_HEAP_LIMIT_EXCEEDED, NULL);
#ifdef __SANITIZE_ADDRESS__
    (void)before; /* it keeps what was freed for a while */
#else
    assert_true(resident_kib() < before + 300 * 1024);
#endif
    failure_is(exec(isolate, "import js\nx = js.Array.new()\nwhile True: x.push(js.Uint8Array.new(16 << 20))"),
               AARD_FAILURE_PYTHON_EXCEPTION, "RangeError: Array buffer allocation failed", NULL);
    value_is(exec(isolate, "import js\njs.Array.new(3).length"), "3");
    aard_isolate_free(isolate);
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

static void test_results_are_limited_in_size(void **state)
{
    (void)state;
    static const struct {
        const char *python, *javascript;
        bool fits;
    } rows[] = {
        {"'x' * 998", "'x'.repeat(998)", true},
        {"'x' * 999", "'x'.repeat(999)", false},
        {"'x' * 10 ** 7", "'x'.repeat(1e7)", false},
        {"'\\u00e9' * 600", "'\\u00e9'.repeat(600)", false},
        {"[1] * 499", "new Array(499).fill(1)", true},
        {"[1] * 500", "new Array(500).fill(1)", false},
        {"[['x' * 100] * 10] * 10", "new Array(10).fill(new Array(10).fill('x'.repeat(100)))", false},
        {"{'a': 'x' * 2000}", "({ a: 'x'.repeat(2000) })", false},
        {"class A:\n    def __repr__(self): return 'x' * 2000\nA()", "Symbol('x'.repeat(2000))", false},
        {"raise ValueError('x' * 2000)", "throw new Error('x'.repeat(2000))", false},
    };
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_result_limit(config, 1000);
        aard_isolate *isolate = boot(config, NULL);
        for (size_t k = 0; k < COUNT(rows); k++) {
            aard_outcome *outcome = exec(isolate, PICK(languages[i], rows[k].python, rows[k].javascript));
            if (rows[k].fits)
                assert_success(outcome);
            else if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_ADAPTER_ERROR)
                fail_msg("%s: %s", aard_failure_kind_name(aard_outcome_failure_kind(outcome)),
                         PICK(languages[i], rows[k].python, rows[k].javascript));
            else
                assert_contains(aard_outcome_failure_message(outcome), "limit of 1000 bytes");
            aard_outcome_free(outcome);
        }
        aard_call *tighter = new_call();
        aard_call_set_result_limit(tighter, 10);
        failure_is(exec_with(isolate, "'x0123456789'", tighter), AARD_FAILURE_ADAPTER_ERROR, "10 bytes", NULL);
        aard_call_set_result_limit(tighter, 100000);
        failure_is(exec_with(isolate, PICK(languages[i], "'x' * 2000", "'x'.repeat(2000)"), tighter),
                   AARD_FAILURE_ADAPTER_ERROR, "1000 bytes", NULL);
        aard_call_free(tighter);
        aard_isolate_free(isolate);
    }
}

static void test_buffers_count_too(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.py", "def make(n): return bytes(n)\n"},
                                           {"main.js", "export const make = (n) => new Uint8Array(n);"},
                                           {NULL, NULL}};
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_result_limit(config, 10000);
        aard_isolate *isolate = boot(config, bundle_of(files));
        aard_outcome *outcome = call(isolate, "main:make", "9000");
        assert_int_equal(aard_outcome_buffer_count(outcome), 1);
        aard_outcome_free(outcome);
        failure_is(call(isolate, "main:make", "10001"), AARD_FAILURE_ADAPTER_ERROR, "10000 bytes", NULL);
        failure_is(call(isolate, "main:make", "10000000"), AARD_FAILURE_ADAPTER_ERROR, "10000 bytes", NULL);
        aard_isolate_free(isolate);
    }
}

static void test_results_are_limited_in_depth(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_result_depth_limit(config, 3);
        aard_isolate *isolate = boot(config, NULL);
        value_is(exec(isolate, "[[[1], 2], 3]"), "[[[1],2],3]");
        value_is(exec(isolate, "[[[]]]"), "[[[]]]");
        failure_is(exec(isolate, "[[[[]]]]"), AARD_FAILURE_ADAPTER_ERROR, "limit of 3 levels", NULL);
        failure_is(exec(isolate, "[[[[1]]]]"), AARD_FAILURE_ADAPTER_ERROR, "limit of 3 levels", NULL);
        failure_is(exec(isolate, PICK(languages[i], "[{'a': [{}]}]", "[{ a: [{}] }]")), AARD_FAILURE_ADAPTER_ERROR,
                   "limit of 3 levels", NULL);
        aard_isolate_free(isolate);
    }
}

/* ---- start-up ------------------------------------------------------------------------------------------------------ */

static void test_imports_have_the_start_ups_limit(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"slow.py", "import time\ntime.sleep(1.6)\ndef f(): return 1\n"},
        {"slow.js", "await new Promise((r) => setTimeout(r, 1600)); export const f = () => 1;"},
        {"never.py", "while True: pass"},
        {"never.js", "for (;;); export const f = 1;"},
        {NULL, NULL}};
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_wall_limit_ms(config, 1500);
        aard_isolate_config_set_startup_limit_ms(config, 5000);
        aard_isolate *isolate = boot(config, bundle_of(files));
        value_is(call(isolate, "slow:f", NULL), "1");
        failure_is(call(isolate, "never:f", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, "start-up limit of 5000 ms", NULL);
        failure_is(exec(isolate, PICK(languages[i], "while True: pass", "for (;;);")), AARD_FAILURE_TIMEOUT_EXCEEDED,
                   "limit of 1500 ms", NULL);
        value_is(call(isolate, "slow:f", NULL), "1");
        aard_isolate_free(isolate);
    }
}

/* ---- stacks --------------------------------------------------------------------------------------------------------- */

typedef struct place {
    char *low;
    size_t size;
    bool seen, outside;
    aard_isolate *other;
} place;

static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    place *p = user;
    const char *here = __builtin_frame_address(0); /* a local variable may be elsewhere under a sanitizer */
    (void)stream;
    (void)data;
    (void)len;
    p->seen = true;
    p->outside = p->outside || here < p->low || here >= p->low + p->size;
    value_is(exec(p->other, "1 + 1"), "2");
    failure_is(exec(p->other, "'x'.repeat(2 ** 29 - 24).split('')"), AARD_FAILURE_HEAP_LIMIT_EXCEEDED, NULL);
}

/* A host may look at where it is on its stack, and may use other isolates. */
static void test_callbacks_run_on_the_hosts_own_stack(void **state)
{
    (void)state;
    place p = {0};
    pthread_attr_t attributes;
    void *low = NULL;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstack(&attributes, &low, &p.size), 0);
    pthread_attr_destroy(&attributes);
    p.low = low;
    p.other = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate_config *config = config_of(languages[i]);
        aard_isolate_config_set_stream_callback(config, on_output, &p, NULL);
        aard_isolate *isolate = boot(config, NULL);
        p.seen = false;
        value_is(exec(isolate, PICK(languages[i], "print('x')\n1 + 1", "console.log('x'); 1 + 1")), "2");
        assert_true(p.seen && !p.outside);
        aard_isolate_free(isolate);
    }
    aard_isolate_free(p.other);
}

static void *run_small(void *isolate)
{
    value_is(exec(isolate, "(function f(n) { return n && 1 + f(n - 1) })(5000)"), "5000");
    return isolate;
}

static void test_guests_do_not_need_the_threads_stack(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    pthread_attr_t small;
    pthread_t thread;
    void *done = NULL;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    assert_int_equal(pthread_create(&thread, &small, run_small, isolate), 0);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_ptr_equal(done, isolate);
    pthread_attr_destroy(&small);
    aard_isolate_free(isolate);
}

/* Enough for a start on a busy machine. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { START_MS = 22000 };
#else
enum { START_MS = 5000 };
#endif

/* What has to be remembered of a guest is asked of modules that the guest can replace. */
static void test_a_checkpoint_is_made_within_the_limits(void **state)
{
    (void)state;
    static const char code[] = "import sys\nclass M:\n    def seed(self): pass\n    @property\n    def _inst(self):\n"
                               "        while True: pass\nsys.modules['random'] = M()\n1";
    for (int limited = 0; limited < 2; limited++) {
        aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
        aard_isolate_config_set_startup_limit_ms(config, START_MS);
        if (limited) aard_isolate_config_set_wall_limit_ms(config, 300);
        aard_isolate *isolate = boot(config, NULL);
        value_is(exec(isolate, code), "1");
        double began = now_ms();
        aard_outcome *outcome = NULL; /* what was captured does the same, in the guest that is made of it */
        if (expected_isolation() == AARD_ISOLATION_THREAD) {
            assert_ok(aard_isolate_checkpoint(isolate));
            assert_refused(aard_isolate_exec(isolate, "1", 1, NULL, NULL, &outcome), AARD_ERR_GUEST_BOOT, "start",
                           NULL);
        } else { /* which is the next template */
            assert_refused(aard_isolate_checkpoint(isolate), AARD_ERR_GUEST_BOOT, "start", NULL);
        }
        assert_true(now_ms() - began < 60000 + 2 * late_ms());
        aard_isolate_free(isolate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time_is_limited_and_sleep_is_not_cpu_time),
        cmocka_unit_test(test_the_tightest_cpu_limit_holds),
        cmocka_unit_test(test_python_may_clean_up_in_its_grace_period),
        cmocka_unit_test(test_a_graceful_end_keeps_the_session),
        cmocka_unit_test(test_a_grace_period_ends),
        cmocka_unit_test(test_a_call_is_cancelled_from_another_thread),
        cmocka_unit_test(test_a_handle_outlives_its_calls),
        cmocka_unit_test(test_a_full_heap_is_the_guests_own_matter_first),
        cmocka_unit_test(test_a_limit_that_nothing_can_start_with_is_refused),
        cmocka_unit_test(test_the_engine_below_python_has_a_limit),
        cmocka_unit_test(test_the_engine_below_python_follows_its_heap),
        cmocka_unit_test(test_results_are_limited_in_size),
        cmocka_unit_test(test_buffers_count_too),
        cmocka_unit_test(test_results_are_limited_in_depth),
        cmocka_unit_test(test_imports_have_the_start_ups_limit),
        cmocka_unit_test(test_a_checkpoint_is_made_within_the_limits),
        cmocka_unit_test(test_callbacks_run_on_the_hosts_own_stack),
        cmocka_unit_test(test_guests_do_not_need_the_threads_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
