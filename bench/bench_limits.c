/* What limits are worth and what they cost, through the public API.
 *
 *   bench_limits [runs]      default 1000
 *
 * Rows: overshoot, how much later than its wall limit of 100 ms a call comes back to its caller whose guest never ends, and
 * next, the call after it, both for Python and JavaScript, `runs` calls each of many kinds of guests; usual, such a call after
 * one that took as long and ended by itself.  Then the cost: user-mode instructions of an echo without limits, of one with
 * every limit set and a handle to cancel it, and their ratio (where the kernel counts instructions; time elsewhere). */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

const char bench_name[] = "bench_limits";

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { LIMIT_MS = 100, ROUNDS = 40, CALLS = 100 };

/* ---- figures ---------------------------------------------------------------------------------------------------- */

typedef struct series {
    double *values;
    size_t count;
} series;

static series new_series(size_t capacity)
{
    series s = {calloc(capacity, sizeof(double)), 0};
    if (!s.values) bench_fail("out of memory");
    return s;
}

static void print_series(const char *language, const char *name, series *s)
{
    bench_sort(s->values, s->count);
    printf("row=%s_%s count=%zu min_ms=%.4f p50_ms=%.4f p99_ms=%.4f max_ms=%.4f\n", name, language, s->count,
           s->values[0], bench_percentile(s->values, s->count, 50), bench_percentile(s->values, s->count, 99),
           s->values[s->count - 1]);
    free(s->values);
}

/* ---- isolates ---------------------------------------------------------------------------------------------------- */

typedef struct subject {
    aard_isolate *isolate;
    aard_handler *handler;
    aard_call *call;
    aard_cancel_handle *cancel;
} subject;

static subject new_subject(aard_language language, bool wall, bool all)
{
    subject s = {0};
    aard_isolate_config *config;
    aard_bundle *bundle = bench_echo_bundle(language);
    bench_die(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, language);
    if (wall) aard_isolate_config_set_wall_limit_ms(config, LIMIT_MS);
    bench_die(aard_call_new(&s.call));
    if (all) {
        aard_isolate_config_set_wall_limit_ms(config, 10000);
        aard_isolate_config_set_cpu_limit_ms(config, 10000);
        aard_isolate_config_set_grace_ms(config, 10);
        aard_isolate_config_set_startup_limit_ms(config, 60000);
        aard_isolate_config_set_heap_limit(config, (size_t)256 << 20);
        aard_isolate_config_set_engine_heap_limit(config, (size_t)256 << 20);
        aard_isolate_config_set_buffer_limit(config, (size_t)256 << 20);
        aard_isolate_config_set_result_limit(config, (size_t)1 << 20);
        aard_isolate_config_set_result_depth_limit(config, 100);
        bench_die(aard_cancel_handle_new(&s.cancel));
        aard_call_set_cancel_handle(s.call, s.cancel);
    }
    bench_die(aard_isolate_new(config, &s.isolate));
    aard_isolate_config_free(config);
    bench_die(aard_isolate_load_bundle(s.isolate, bundle));
    aard_bundle_free(bundle);
    bench_die(aard_handler_new(s.isolate, NULL, &s.handler));
    return s;
}

static void free_subject(subject *s)
{
    aard_handler_free(s->handler);
    aard_isolate_free(s->isolate);
    aard_call_free(s->call);
    aard_cancel_handle_free(s->cancel);
}

static double echo(subject *s, const char *payload, size_t len)
{
    aard_outcome *outcome;
    aard_call_set_input_json(s->call, payload, len);
    bench_die(aard_handler_invoke(s->handler, s->call, &outcome));
    double ms = aard_outcome_diagnostics(outcome)->run_ms;
    bench_check_value(outcome, payload, len);
    aard_outcome_free(outcome);
    return ms;
}

/* ---- overshoot --------------------------------------------------------------------------------------------------- */

static const char *const python[] = {
    "while True: pass",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
    "9 ** 9 ** 9",
    "sum(range(10 ** 15))",
    "import time\ntime.sleep(60)",
    "import asyncio\nwhile True: await asyncio.sleep(0)",
    "import asyncio\nawait asyncio.sleep(60)",
    "import itertools\nall(itertools.repeat(1))",
    "while True: print('x' * 100)",
    "class A:\n    def __del__(self):\n        while True: pass\nA()",
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
};

static const char *const javascript[] = {
    "for (;;);",
    "while (true) { try { for (;;); } catch { } }",
    "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    "let s = 0n; for (;;) s = (s + 1n) ** 3n % (2n ** 400n)",
    "await new Promise((resolve) => setTimeout(resolve, 60000))",
    "(function again() { Promise.resolve().then(again) })(); 1",
    "(async () => { for (;;) await null })()",
    "setInterval(() => {}, 1); await new Promise(() => {})",
    "({ toJSON() { for (;;); } })",
    "`${{ toString() { for (;;); } }}`",
    "new Map({ [Symbol.iterator]: () => ({ next: () => ({ value: [1, 2] }) }) })",
    "while (true) console.log('x')",
};

static void overshoot(aard_language language, size_t runs)
{
    bool is_python = language == AARD_LANGUAGE_PYTHON;
    const char *const *codes = is_python ? python : javascript;
    size_t count = is_python ? COUNT(python) : COUNT(javascript);
    const char *slow = is_python ? "import time\nend = time.monotonic() + 0.09\nwhile time.monotonic() < end: pass"
                                 : "for (const end = Date.now() + 90; Date.now() < end;);";
    subject s = new_subject(language, true, false);
    series over = new_series(runs), next = new_series(runs), usual = new_series(runs);
    for (int i = 0; i < 5; i++) echo(&s, "1", 1);
    for (size_t i = 0; i < runs; i++) {
        aard_outcome *outcome;
        const char *code = codes[i % count];
        double start = bench_now_ms();
        bench_die(aard_isolate_exec(s.isolate, code, strlen(code), NULL, NULL, &outcome));
        over.values[over.count++] = bench_now_ms() - start - LIMIT_MS;
        if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_TIMEOUT_EXCEEDED) bench_fail(code);
        aard_outcome_free(outcome);
        next.values[next.count++] = echo(&s, "1", 1);
        if (i % 10) continue;
        bench_die(aard_isolate_exec(s.isolate, slow, strlen(slow), NULL, NULL, &outcome));
        aard_outcome_free(outcome);
        bench_die(aard_isolate_reset(s.isolate));
        usual.values[usual.count++] = echo(&s, "1", 1);
    }
    const char *name = is_python ? "python" : "javascript";
    print_series(name, "overshoot", &over);
    print_series(name, "next", &next);
    print_series(name, "usual", &usual);
    free_subject(&s);
}

/* ---- cost -------------------------------------------------------------------------------------------------------- */

static int open_counter(void)
{
    struct perf_event_attr what = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof what,
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);
}

/* Instructions of this thread so far, or nanoseconds where they can't be counted. */
static double read_counter(int fd)
{
    uint64_t count;
    if (fd >= 0 && read(fd, &count, sizeof count) == (ssize_t)sizeof count) return (double)count;
    return bench_now_ms() * 1e6;
}

static double block(subject *s, int fd, const char *payload, size_t len)
{
    double before = read_counter(fd);
    for (int i = 0; i < CALLS; i++) echo(s, payload, len);
    return (read_counter(fd) - before) / CALLS;
}

static void cost(aard_language language)
{
    size_t len = 1024;
    char *payload = bench_payload(len);
    int fd = open_counter();
    subject plain = new_subject(language, false, false), armed = new_subject(language, false, true);
    series without = new_series(ROUNDS), with = new_series(ROUNDS);
    for (int i = 0; i < 10; i++) { /* until the engine has compiled what it will */
        block(&plain, fd, payload, len);
        block(&armed, fd, payload, len);
    }
    for (int i = 0; i < ROUNDS; i++) {
        without.values[without.count++] = block(&plain, fd, payload, len);
        with.values[with.count++] = block(&armed, fd, payload, len);
    }
    bench_sort(without.values, ROUNDS);
    bench_sort(with.values, ROUNDS);
    /* time is disturbed by whatever else runs, instructions are not */
    size_t percent = fd >= 0 ? 50 : 0;
    double a = bench_percentile(without.values, ROUNDS, percent), b = bench_percentile(with.values, ROUNDS, percent);
    printf("row=cost_%s unit=%s without=%.0f with=%.0f ratio=%.4f\n",
           language == AARD_LANGUAGE_PYTHON ? "python" : "javascript", fd >= 0 ? "instructions" : "ns", a, b, b / a);
    free(without.values);
    free(with.values);
    free_subject(&plain);
    free_subject(&armed);
    free(payload);
    if (fd >= 0) close(fd);
}

int main(int argc, char **argv)
{
    size_t runs = 1000;
    if (argc > 2 || (argc == 2 && !bench_parse_count(argv[1], 1, &runs))) {
        fputs("usage: bench_limits [runs]\n", stderr);
        return AARD_CLASS_USAGE;
    }
    cost(AARD_LANGUAGE_PYTHON);
    cost(AARD_LANGUAGE_JAVASCRIPT);
    overshoot(AARD_LANGUAGE_PYTHON, runs);
    overshoot(AARD_LANGUAGE_JAVASCRIPT, runs);
    return 0;
}
