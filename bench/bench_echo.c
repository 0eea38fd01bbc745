/* What a call costs, through the public API: a JSON object goes to a handler and comes back.
 *
 *   bench_echo [iterations] [payload_len]      default 1000 and 1024
 *
 * Rows: persistent (one isolate, many calls) for Python and JavaScript; reset (one isolate, a full reset before each
 * call; Python: twice as many as cold); reset_ahead (the same, with aard_isolate_prepare_reset between the calls, off the
 * clock); and cold (a new isolate for each call; one for every 500 iterations, 3 to 20).  Columns: prepare, run and total.
 * Of a persistent call, prepare and run are those of the outcome, and total is the caller's clock around the call and the
 * freeing of its outcome; a reset is added to prepare and to total.  Of a cold one, prepare is everything before the call
 * (isolate, bundle, handler), run is the call, and total is both. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

const char bench_name[] = "bench_echo";

typedef struct series {
    double *ms;
    size_t count;
} series;

typedef struct row {
    const char *name;
    series prepare, run, total;
} row;

typedef struct setup {
    aard_language language;
    aard_bundle *bundle;
    aard_call *call;
    const char *payload;
    size_t payload_len;
} setup;

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static row new_row(const char *name, size_t capacity)
{
    row r = {.name = name};
    series *all[] = {&r.prepare, &r.run, &r.total};
    for (size_t i = 0; i < 3; i++)
        if (!(all[i]->ms = calloc(capacity, sizeof(double)))) bench_fail("out of memory");
    return r;
}

static void free_row(row *r)
{
    free(r->prepare.ms);
    free(r->run.ms);
    free(r->total.ms);
}

static void add(row *r, double prepare, double run, double total)
{
    r->prepare.ms[r->prepare.count++] = prepare;
    r->run.ms[r->run.count++] = run;
    r->total.ms[r->total.count++] = total;
}

static void print_series(const char *row_name, const char *metric, series *s, bool machine)
{
    bench_sort(s->ms, s->count);
    double sum = 0;
    for (size_t i = 0; i < s->count; i++) sum += s->ms[i];
    printf(machine ? "row=%s metric=%s count=%zu avg_ms=%.6f min_ms=%.6f p50_ms=%.6f p99_ms=%.6f max_ms=%.6f\n"
                   : "%-24s %-8s %7zu %11.4f %11.4f %11.4f %11.4f %11.4f\n",
           row_name, metric, s->count, sum / (double)s->count, s->ms[0], bench_percentile(s->ms, s->count, 50),
           bench_percentile(s->ms, s->count, 99), s->ms[s->count - 1]);
}

static void print_row(row *r, bool machine)
{
    print_series(r->name, "prepare", &r->prepare, machine);
    print_series(machine ? r->name : "", "run", &r->run, machine);
    print_series(machine ? r->name : "", "total", &r->total, machine);
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static aard_isolate *new_isolate(const setup *s, aard_handler **handler)
{
    aard_isolate_config *config;
    aard_isolate *isolate;
    bench_die(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, s->language);
    bench_die(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    bench_die(aard_isolate_load_bundle(isolate, s->bundle));
    bench_die(aard_handler_new(isolate, NULL, handler));
    return isolate;
}

static void call_once(const setup *s, aard_handler *handler, row *r)
{
    aard_outcome *outcome;
    double start = bench_now_ms();
    bench_die(aard_handler_invoke(handler, s->call, &outcome));
    double invoked = bench_now_ms();
    if (r) bench_check_value(outcome, s->payload, s->payload_len); /* not on the clock */
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    double prepare = d->prepare_ms, run = d->run_ms, checked = bench_now_ms();
    aard_outcome_free(outcome);
    if (r) add(r, prepare, run, bench_now_ms() - checked + invoked - start);
}

static row persistent(const char *name, const setup *s, size_t iterations, long *rss)
{
    row r = new_row(name, iterations);
    aard_handler *handler;
    aard_isolate *isolate = new_isolate(s, &handler);
    call_once(s, handler, NULL);
    if (rss) *rss = bench_rss_kib();
    for (size_t i = 0; i < iterations / 10; i++) call_once(s, handler, NULL); /* until V8 has compiled what is hot */
    for (size_t i = 0; i < iterations; i++) call_once(s, handler, &r);
    aard_handler_free(handler);
    aard_isolate_free(isolate);
    return r;
}

static row reset(const char *name, const setup *s, size_t iterations, bool ahead)
{
    row r = new_row(name, iterations);
    aard_handler *handler;
    aard_isolate *isolate = new_isolate(s, &handler);
    call_once(s, handler, NULL);
    for (size_t i = 0; i < iterations; i++) {
        if (ahead) bench_die(aard_isolate_prepare_reset(isolate));
        double start = bench_now_ms();
        bench_die(aard_isolate_reset(isolate));
        double took = bench_now_ms() - start;
        call_once(s, handler, &r);
        r.prepare.ms[i] += took;
        r.total.ms[i] += took;
    }
    aard_handler_free(handler);
    aard_isolate_free(isolate);
    return r;
}

static row cold(const char *name, const setup *s, size_t iterations)
{
    row r = new_row(name, iterations);
    for (size_t i = 0; i < iterations; i++) {
        aard_handler *handler;
        aard_outcome *outcome;
        double start = bench_now_ms();
        aard_isolate *isolate = new_isolate(s, &handler);
        double prepared = bench_now_ms();
        bench_die(aard_handler_invoke(handler, s->call, &outcome));
        double end = bench_now_ms();
        bench_check_value(outcome, s->payload, s->payload_len);
        add(&r, prepared - start, end - prepared, end - start);
        aard_outcome_free(outcome);
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
    return r;
}

static size_t parse(const char *text, size_t least)
{
    size_t number;
    if (!bench_parse_count(text, least, &number)) {
        fprintf(stderr, "usage: bench_echo [iterations] [payload_len]: '%s' is not a number of %zu or more\n", text,
                least);
        exit(AARD_CLASS_USAGE);
    }
    return number;
}

int main(int argc, char **argv)
{
    if (argc > 3) {
        fputs("usage: bench_echo [iterations] [payload_len]\n", stderr);
        return AARD_CLASS_USAGE;
    }
    size_t iterations = argc > 1 ? parse(argv[1], 1) : 1000, len = argc > 2 ? parse(argv[2], 8) : 1024;
    size_t cold_iterations = iterations / 500 < 3 ? 3 : iterations / 500 > 20 ? 20 : iterations / 500;
    char *payload = bench_payload(len);
    setup python = {.payload = payload, .payload_len = len, .language = AARD_LANGUAGE_PYTHON}, javascript = python;
    javascript.language = AARD_LANGUAGE_JAVASCRIPT;
    python.bundle = bench_echo_bundle(AARD_LANGUAGE_PYTHON);
    javascript.bundle = bench_echo_bundle(AARD_LANGUAGE_JAVASCRIPT);
    bench_die(aard_call_new(&python.call));
    aard_call_set_input_json(python.call, payload, len);
    javascript.call = python.call;

    long rss;
    row rows[7]; /* Python first, while the process holds nothing else: its memory is told */
    rows[0] = persistent("persistent_python", &python, iterations, &rss);
    rows[1] = persistent("persistent_javascript", &javascript, iterations, NULL);
    rows[2] = reset("reset_python", &python, cold_iterations * 2, false);
    rows[3] = reset("reset_javascript", &javascript, iterations, false);
    rows[4] = reset("reset_ahead_javascript", &javascript, iterations, true);
    rows[5] = cold("cold_python", &python, cold_iterations);
    rows[6] = cold("cold_javascript", &javascript, cold_iterations);
    const size_t row_count = sizeof rows / sizeof rows[0];

    printf("aardvark %s, V8 %s: JSON echo of %zu bytes; milliseconds\n\n", aard_version(), aard_v8_version(), len);
    printf("%-24s %-8s %7s %11s %11s %11s %11s %11s\n", "row", "metric", "count", "avg", "min", "p50", "p99", "max");
    for (size_t i = 0; i < row_count; i++) print_row(&rows[i], false);
    printf("\nmemory after the first Python result: %.1f MiB\n\n", (double)rss / 1024);
    for (size_t i = 0; i < row_count; i++) print_row(&rows[i], true);
    printf("rss_after_first_result_kib=%ld\n", rss);

    for (size_t i = 0; i < row_count; i++) free_row(&rows[i]);
    aard_call_free(python.call);
    aard_bundle_free(python.bundle);
    aard_bundle_free(javascript.bundle);
    free(payload);
    return 0;
}
