/* What a pool of isolates serves, through the public API: a JSON object goes to a handler and comes back.
 *
 *   bench_pool [--isolation thread|process] [--size N] [--seconds S] [--clean none|full|process] [--load F]
 *
 * As many threads as there are processors, but N at most, call a pool of N isolates (default: four for each processor) for
 * S seconds (default 2), for Python and for JavaScript.  --clean is what the pool does after each call: nothing, a full reset
 * (the default), or a new isolate, which with process isolation is a new process.  Closed loop: each thread makes its next
 * call as soon as it has its last, which is the pool's capacity.  With --load calls then arrive by a clock (a Poisson process)
 * at F times that capacity, submitted to as many threads of the pool, and the row `load` shows how long they waited, ran, and
 * took in all, from when they should have arrived. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

const char bench_name[] = "bench_pool";

enum { PAYLOAD = 1024, SAMPLES = 1 << 20 };

typedef struct options {
    aard_isolation isolation;
    size_t size, threads;
    double seconds, load; /* load: 0 = none */
    const char *clean;
} options;

/* Times of one row, in ms; of more calls than there is room for the first. */
typedef struct samples {
    double *queue, *run, *total;
    atomic_size_t count;
} samples;

typedef struct caller {
    pthread_t thread;
    aard_pool *pool;
    const aard_call *call;
    const char *payload;
    samples *samples;
    double end;
    size_t calls;
} caller;

/* ---- options ----------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(void)
{
    fputs(
        "usage: bench_pool [--isolation thread|process] [--size N] [--seconds S] [--clean none|full|process] [--load F]\n",
        stderr);
    exit(AARD_CLASS_USAGE);
}

static double parse_number(const char *text, double most)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number > 0 && number <= most)) usage();
    return number;
}

static options parse(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = processors > 0 ? (size_t)processors : 1;
    options o = {.size = 4 * threads, .seconds = 2, .clean = "full"};
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!value) usage();
        if (!strcmp(name, "--isolation") && (!strcmp(value, "thread") || !strcmp(value, "process")))
            o.isolation = *value == 't' ? AARD_ISOLATION_THREAD : AARD_ISOLATION_PROCESS;
        else if (!strcmp(name, "--size") && bench_parse_count(value, 1, &o.size) && o.size <= 10000)
            continue;
        else if (!strcmp(name, "--seconds"))
            o.seconds = parse_number(value, 86400);
        else if (!strcmp(name, "--clean") &&
                 (!strcmp(value, "none") || !strcmp(value, "full") || !strcmp(value, "process")))
            o.clean = value;
        else if (!strcmp(name, "--load"))
            o.load = parse_number(value, 10);
        else
            usage();
    }
    o.threads = o.size < threads ? o.size : threads;
    return o;
}

/* ---- the pool ---------------------------------------------------------------------------------------------------- */

static aard_pool *new_pool(const options *o, aard_language language, aard_bundle *bundle)
{
    aard_isolate_config *isolate;
    aard_pool_config *config;
    aard_pool *pool;
    bool process = !strcmp(o->clean, "process");
    bench_die(aard_isolate_config_new(&isolate));
    aard_isolate_config_set_language(isolate, language);
    aard_isolate_config_set_isolation(isolate, o->isolation);
    if (!strcmp(o->clean, "full")) aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    bench_die(aard_pool_config_new(&config));
    bench_die(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_bundle(config, bundle);
    aard_pool_config_set_size(config, o->size, 0, o->size);
    aard_pool_config_set_threads(config, o->threads);
    aard_pool_config_set_queue_limit(config, SAMPLES);
    if (process) aard_pool_config_set_max_calls(config, 1);
    bench_die(aard_pool_new(config, &pool));
    aard_pool_config_free(config);
    aard_isolate_config_free(isolate);
    return pool;
}

static void add(samples *s, const aard_outcome *outcome, double total)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    size_t at = atomic_fetch_add(&s->count, 1);
    if (at >= SAMPLES) return;
    s->queue[at] = d->queue_wait_ms;
    s->run[at] = d->wall_ms;
    s->total[at] = total;
}

static samples new_samples(void)
{
    samples s = {.queue = malloc(SAMPLES * sizeof(double)),
                 .run = malloc(SAMPLES * sizeof(double)),
                 .total = malloc(SAMPLES * sizeof(double))};
    if (!s.queue || !s.run || !s.total) bench_fail("out of memory");
    return s;
}

static void free_samples(samples *s)
{
    free(s->queue);
    free(s->run);
    free(s->total);
}

/* ---- closed loop ------------------------------------------------------------------------------------------------- */

static void *call_again_and_again(void *user)
{
    caller *c = user;
    for (double now = bench_now_ms(); now < c->end;) {
        aard_outcome *outcome;
        bench_die(aard_pool_invoke(c->pool, NULL, c->call, &outcome));
        double end = bench_now_ms();
        bench_check_value(outcome, c->payload, PAYLOAD);
        add(c->samples, outcome, end - now);
        aard_outcome_free(outcome);
        c->calls++;
        now = bench_now_ms();
    }
    return NULL;
}

/* Calls a second. */
static double closed_loop(aard_pool *pool, const aard_call *call, const char *payload, size_t threads, double seconds,
                          samples *s)
{
    caller *callers = calloc(threads, sizeof *callers);
    if (!callers) bench_fail("out of memory");
    double start = bench_now_ms();
    for (size_t i = 0; i < threads; i++) {
        callers[i] = (caller){
            .pool = pool, .call = call, .payload = payload, .samples = s, .end = start + seconds * 1000};
        if (pthread_create(&callers[i].thread, NULL, call_again_and_again, &callers[i])) bench_fail("no thread");
    }
    size_t calls = 0;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(callers[i].thread, NULL);
        calls += callers[i].calls;
    }
    double took = bench_now_ms() - start;
    free(callers);
    return (double)calls / took * 1000;
}

/* ---- open loop --------------------------------------------------------------------------------------------------- */

typedef struct arrival {
    double due;
    samples *samples;
    const char *payload;
} arrival;

static void on_completion(const aard_completion *completion)
{
    arrival *a = completion->user;
    double now = bench_now_ms();
    bench_die(completion->error);
    bench_check_value(completion->outcome, a->payload, PAYLOAD);
    add(a->samples, completion->outcome, now - a->due);
    aard_outcome_free(completion->outcome);
    free(a);
}

static void sleep_until(double due)
{
    double left = due - bench_now_ms();
    if (left <= 0) return;
    struct timespec pause = {(time_t)(left / 1000), (long)(fmod(left, 1000) * 1e6)};
    nanosleep(&pause, NULL);
}

static void open_loop(aard_pool *pool, const aard_call *call, const char *payload, double rate, double seconds,
                      samples *s)
{
    unsigned short seed[3] = {1, 2, 3};
    double due = bench_now_ms(), end = due + seconds * 1000;
    while ((due += -log(1 - erand48(seed)) / rate * 1000) < end) {
        arrival *a = malloc(sizeof *a);
        if (!a) bench_fail("out of memory");
        *a = (arrival){due, s, payload};
        sleep_until(due);
        const aard_completion_target target = {.callback = on_completion, .user = a};
        bench_die(aard_pool_submit(pool, NULL, call, &target));
    }
    bench_die(aard_pool_drain(pool, 0));
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

typedef struct result {
    char name[64];
    samples samples;
    double rate;
} result;

static void print_row(result *r, bool machine)
{
    samples *s = &r->samples;
    size_t count = atomic_load(&s->count) < SAMPLES ? atomic_load(&s->count) : SAMPLES;
    if (!count) bench_fail("no call was made; take more seconds");
    double *lists[] = {s->queue, s->run, s->total};
    static const char *const names[] = {"queue", "run", "total"};
    if (machine) printf("row=%s count=%zu calls_per_second=%.1f", r->name, count, r->rate);
    for (int i = 0; i < 3; i++) {
        double p[3];
        bench_sort(lists[i], count);
        for (int k = 0; k < 3; k++) p[k] = bench_percentile(lists[i], count, (size_t[]){50, 95, 99}[k]);
        if (machine)
            printf(" %s_p50_ms=%.6f %s_p95_ms=%.6f %s_p99_ms=%.6f", names[i], p[0], names[i], p[1], names[i], p[2]);
        else
            printf("%-24s %-6s %9zu %11.1f %11.4f %11.4f %11.4f\n", i ? "" : r->name, names[i], count, r->rate, p[0],
                   p[1], p[2]);
    }
    if (machine) puts("");
}

static result new_result(const char *kind, const char *language)
{
    result r = {.samples = new_samples()};
    snprintf(r.name, sizeof r.name, "%s_%s", kind, language);
    return r;
}

/* Gives the number of results: one or two. */
static size_t measure(const options *o, aard_language language, result *out)
{
    char *payload = bench_payload(PAYLOAD);
    const char *name = language == AARD_LANGUAGE_PYTHON ? "python" : "javascript";
    aard_bundle *bundle = bench_echo_bundle(language);
    aard_pool *pool = new_pool(o, language, bundle);
    aard_call *call;
    samples warm_up = new_samples();
    bench_die(aard_call_new(&call));
    aard_call_set_input_json(call, payload, PAYLOAD);
    out[0] = new_result("capacity", name);
    closed_loop(pool, call, payload, o->threads, o->seconds / 10, &warm_up);
    out[0].rate = closed_loop(pool, call, payload, o->threads, o->seconds, &out[0].samples);
    if (o->load > 0) {
        out[1] = new_result("load", name);
        open_loop(pool, call, payload, out[0].rate * o->load, o->seconds, &out[1].samples);
        out[1].rate = (double)atomic_load(&out[1].samples.count) / o->seconds;
    }
    aard_pool_free(pool);
    aard_call_free(call);
    aard_bundle_free(bundle);
    free_samples(&warm_up);
    free(payload);
    return o->load > 0 ? 2 : 1;
}

int main(int argc, char **argv)
{
    const options o = parse(argc, argv);
    result results[4];
    size_t count = measure(&o, AARD_LANGUAGE_PYTHON, results);
    count += measure(&o, AARD_LANGUAGE_JAVASCRIPT, results + count);
    printf("aardvark %s, V8 %s: JSON echo of %d bytes by a pool of %zu isolates (%s), clean: %s; milliseconds\n\n",
           aard_version(), aard_v8_version(), PAYLOAD, o.size, aard_isolation_name(o.isolation), o.clean);
    printf("%-24s %-6s %9s %11s %11s %11s %11s\n", "row", "metric", "count", "calls/s", "p50", "p95", "p99");
    for (size_t i = 0; i < count; i++) print_row(&results[i], false);
    puts("");
    for (size_t i = 0; i < count; i++) print_row(&results[i], true);
    for (size_t i = 0; i < count; i++) free_samples(&results[i].samples);
    return 0;
}
