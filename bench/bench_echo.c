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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <aardvark.h>

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

static void die(aard_error *error)
{
    if (!error) return;
    fprintf(stderr, "bench_echo: %s: %s\n", aard_error_code_name(aard_error_get_code(error)),
            aard_error_message(error));
    exit((int)aard_error_get_class(error));
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench_echo: %s\n", what);
    exit(AARD_CLASS_HOST);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static long rss_kib(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%*d %ld", &pages) != 1) fail("can't read /proc/self/statm");
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static row new_row(const char *name, size_t capacity)
{
    row r = {.name = name};
    series *all[] = {&r.prepare, &r.run, &r.total};
    for (size_t i = 0; i < 3; i++)
        if (!(all[i]->ms = calloc(capacity, sizeof(double)))) fail("out of memory");
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

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The smallest value that `percent` of the values do not exceed. */
static double percentile(const series *sorted, size_t percent)
{
    size_t rank = (sorted->count * percent + 99) / 100;
    return sorted->ms[rank ? rank - 1 : 0];
}

static void print_series(const char *row_name, const char *metric, series *s, bool machine)
{
    qsort(s->ms, s->count, sizeof *s->ms, by_value);
    double sum = 0;
    for (size_t i = 0; i < s->count; i++) sum += s->ms[i];
    const char *format =
        machine ? "row=%s metric=%s count=%zu avg_ms=%.6f min_ms=%.6f p50_ms=%.6f p99_ms=%.6f max_ms=%.6f\n"
                : "%-24s %-8s %7zu %11.4f %11.4f %11.4f %11.4f %11.4f\n";
    printf(format, row_name, metric, s->count, sum / (double)s->count, s->ms[0], percentile(s, 50), percentile(s, 99),
           s->ms[s->count - 1]);
}

static void print_row(row *r, bool machine)
{
    print_series(r->name, "prepare", &r->prepare, machine);
    print_series(machine ? r->name : "", "run", &r->run, machine);
    print_series(machine ? r->name : "", "total", &r->total, machine);
}

/* ---- bundle and payload ----------------------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) fail("can't write the handler");
}

static aard_bundle *make_bundle(const char *name, const char *code, const char *manifest)
{
    static const char manifest_name[] = "aardvark.manifest.json";
    const char *tmp = getenv("TMPDIR");
    char dir[4000], zip[4100], path[4100];
    snprintf(dir, sizeof dir, "%s/bench_echo.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) fail("can't make a temporary directory");
    snprintf(zip, sizeof zip, "%s.zip", dir);
    write_file(dir, name, code);
    write_file(dir, manifest_name, manifest);
    aard_error *error = aard_bundle_pack(dir, zip);
    aard_bundle *bundle = NULL;
    if (!error) error = aard_bundle_open(zip, NULL, &bundle);
    unlink(zip);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", dir, manifest_name);
    unlink(path);
    rmdir(dir);
    die(error);
    return bundle;
}

/* {"x":"aaa…"} of `len` bytes in all. */
static char *make_payload(size_t len)
{
    char *text = malloc(len + 1);
    if (!text) fail("out of memory");
    memset(text, 'a', len);
    memcpy(text, "{\"x\":\"", 6);
    memcpy(text + len - 2, "\"}", 3);
    return text;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static aard_isolate *new_isolate(const setup *s, aard_handler **handler)
{
    aard_isolate_config *config;
    aard_isolate *isolate;
    die(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, s->language);
    die(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    die(aard_isolate_load_bundle(isolate, s->bundle));
    die(aard_handler_new(isolate, NULL, handler));
    return isolate;
}

static void check(const setup *s, const aard_outcome *outcome)
{
    size_t len;
    const char *value = aard_outcome_value_json(outcome, &len);
    if (!value) {
        fprintf(stderr, "bench_echo: the call failed: %s\n", aard_outcome_failure_message(outcome));
        exit(1);
    }
    if (len != s->payload_len || memcmp(value, s->payload, len) != 0) fail("the value is not the payload");
}

static void call_once(const setup *s, aard_handler *handler, row *r)
{
    aard_outcome *outcome;
    double start = now_ms();
    die(aard_handler_invoke(handler, s->call, &outcome));
    double invoked = now_ms();
    if (r) check(s, outcome); /* not on the clock */
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    double prepare = d->prepare_ms, run = d->run_ms, checked = now_ms();
    aard_outcome_free(outcome);
    if (r) add(r, prepare, run, now_ms() - checked + invoked - start);
}

static row persistent(const char *name, const setup *s, size_t iterations, long *rss)
{
    row r = new_row(name, iterations);
    aard_handler *handler;
    aard_isolate *isolate = new_isolate(s, &handler);
    call_once(s, handler, NULL);
    if (rss) *rss = rss_kib();
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
        if (ahead) die(aard_isolate_prepare_reset(isolate));
        double start = now_ms();
        die(aard_isolate_reset(isolate));
        double took = now_ms() - start;
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
        double start = now_ms();
        aard_isolate *isolate = new_isolate(s, &handler);
        double prepared = now_ms();
        die(aard_handler_invoke(handler, s->call, &outcome));
        double end = now_ms();
        check(s, outcome);
        add(&r, prepared - start, end - prepared, end - start);
        aard_outcome_free(outcome);
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
    return r;
}

static size_t parse(const char *text, size_t least)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > 1u << 30) {
        fprintf(stderr, "usage: bench_echo [iterations] [payload_len]: '%s' is not a number of %zu or more\n", text,
                least);
        exit(AARD_CLASS_USAGE);
    }
    return (size_t)number;
}

int main(int argc, char **argv)
{
    if (argc > 3) {
        fputs("usage: bench_echo [iterations] [payload_len]\n", stderr);
        return AARD_CLASS_USAGE;
    }
    size_t iterations = argc > 1 ? parse(argv[1], 1) : 1000, len = argc > 2 ? parse(argv[2], 8) : 1024;
    size_t cold_iterations = iterations / 500 < 3 ? 3 : iterations / 500 > 20 ? 20 : iterations / 500;
    char *payload = make_payload(len);
    setup python = {.payload = payload, .payload_len = len, .language = AARD_LANGUAGE_PYTHON}, javascript = python;
    javascript.language = AARD_LANGUAGE_JAVASCRIPT;
    python.bundle = make_bundle("main.py", "def echo(x):\n    return x\n",
                                "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:echo\"}");
    javascript.bundle = make_bundle("main.js", "export function echo(x) {\n    return x;\n}\n",
                                    "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:echo\", "
                                    "\"runtime\": {\"language\": \"javascript\"}}");
    die(aard_call_new(&python.call));
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
