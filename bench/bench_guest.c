/* One figure of a guest, through the public API, as samples for bench/peers.mjs.
 *
 *   bench_guest FIGURE COUNT [--rounds] [--work FILE] [--pace MS]
 *
 * Prints one line of COUNT samples.  With --rounds it prints "ready" when it has warmed up, and then such a line for each
 * line on stdin, so that two programs can be measured by turns.  --pace waits before each sample, off the clock.  --work is the file with the work of the work-… figures.
 * Samples are milliseconds by the caller's clock, with the freeing of the outcome, or KiB.  `bench_guest --list` names the
 * figures and `bench_guest --version` what is measured. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

const char bench_name[] = "bench_guest";

enum { PAYLOAD_LEN = 1024, LIVE = 10, LANES_MOST = 2, LANES_MS = 150, CALLBACKS = 100 };

typedef struct guest {
    aard_language language;
    aard_isolation isolation;
    aard_isolate *isolate;
    aard_handler *handler;
    aard_bundle *bundle;
    aard_call *call;
    char *payload;
    const char *code, *value; /* inline code, and what it must give */
    char work[64];
} guest;

typedef struct figure {
    const char *name;
    aard_language language;
    void (*prepare)(guest *g);
    double (*sample)(guest *g);
    size_t warm_up; /* samples that are thrown away */
    const char *code, *value;
} figure;

static const char *work_file;

/* ---- parts of samples ------------------------------------------------------------------------------------------- */

static aard_isolate_config *new_config(const guest *g)
{
    aard_isolate_config *config;
    bench_die(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, g->language);
    aard_isolate_config_set_isolation(config, g->isolation);
    return config;
}

static aard_isolate *new_isolate(const guest *g)
{
    aard_isolate_config *config = new_config(g);
    aard_isolate *isolate;
    bench_die(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    return isolate;
}

static void end(guest *g)
{
    aard_handler_free(g->handler);
    aard_isolate_free(g->isolate);
    aard_bundle_free(g->bundle);
    aard_call_free(g->call);
    free(g->payload);
}

static aard_outcome *execute(const guest *g, aard_isolate *isolate)
{
    aard_outcome *outcome;
    bench_die(aard_isolate_exec(isolate, g->code, strlen(g->code), NULL, NULL, &outcome));
    return outcome;
}

/* Checks an outcome, off the clock, and frees it, on the clock: what that took. */
static double finish(aard_outcome *outcome, const char *json)
{
    bench_check_value(outcome, json, strlen(json));
    double start = bench_now_ms();
    aard_outcome_free(outcome);
    return bench_now_ms() - start;
}

/* What a sample measures must have happened: a call finds a reset before it, or none. */
static void check_reset(const aard_outcome *outcome, bool wanted)
{
    if ((aard_outcome_diagnostics(outcome)->reset_mode != AARD_RESET_NONE) != wanted)
        bench_fail(wanted ? "the call was not made on a guest that was reset" : "the guest was reset before the call");
}

static double timed_execute(guest *g, double start, bool clean)
{
    aard_outcome *outcome = execute(g, g->isolate);
    double end = bench_now_ms();
    check_reset(outcome, clean);
    return end - start + finish(outcome, g->value);
}

static double timed_echo(guest *g, double start, bool clean)
{
    aard_outcome *outcome;
    bench_die(aard_handler_invoke(g->handler, g->call, &outcome));
    double end = bench_now_ms();
    check_reset(outcome, clean);
    return end - start + finish(outcome, g->payload);
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static void with_isolate(guest *g)
{
    g->isolate = new_isolate(g);
    aard_outcome_free(execute(g, g->isolate));
}

static void with_callbacks(guest *g)
{
    aard_isolate_config *config = new_config(g);
    bench_add_callbacks(config);
    bench_die(aard_isolate_new(config, &g->isolate));
    aard_isolate_config_free(config);
}

static void with_handler_of(guest *g, aard_bundle *bundle)
{
    g->isolate = new_isolate(g);
    g->bundle = bundle;
    g->payload = bench_payload(PAYLOAD_LEN);
    bench_die(aard_isolate_load_bundle(g->isolate, g->bundle));
    bench_die(aard_handler_new(g->isolate, NULL, &g->handler));
    bench_die(aard_call_new(&g->call));
    aard_call_set_input_json(g->call, g->payload, PAYLOAD_LEN);
}

static void with_handler(guest *g) { with_handler_of(g, bench_echo_bundle(g->language)); }

static void with_large(guest *g) { with_handler_of(g, bench_large_bundle()); }

static void with_nothing(guest *g) { g->bundle = bench_echo_bundle(g->language); }

static void with_work(guest *g)
{
    if (!work_file) bench_fail("work needs --work FILE");
    size_t len;
    char *source = bench_read_file(work_file, &len);
    aard_outcome *outcome;
    g->isolate = new_isolate(g);
    bench_die(aard_isolate_exec(g->isolate, source, len, work_file, NULL, &outcome));
    bench_check_value(outcome, "null", 4);
    aard_outcome_free(outcome);
    free(source);
}

static double sample_execute(guest *g) { return timed_execute(g, bench_now_ms(), false); }

static double sample_exception(guest *g)
{
    double start = bench_now_ms();
    aard_outcome *outcome = execute(g, g->isolate);
    if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_PYTHON_EXCEPTION) bench_fail("the code raised no exception");
    aard_outcome_free(outcome);
    return bench_now_ms() - start;
}

static double sample_echo(guest *g) { return timed_echo(g, bench_now_ms(), false); }

static double sample_clean_execute(guest *g)
{
    double start = bench_now_ms();
    bench_die(aard_isolate_reset(g->isolate));
    return timed_execute(g, start, true);
}

/* What can be done for the reset ahead of time has been done, off the clock. */
static double sample_prepared_execute(guest *g)
{
    bench_die(aard_isolate_prepare_reset(g->isolate));
    return sample_clean_execute(g);
}

static double sample_clean_echo(guest *g)
{
    double start = bench_now_ms();
    bench_die(aard_isolate_reset(g->isolate));
    return timed_echo(g, start, true);
}

static double sample_reset(guest *g)
{
    double start = bench_now_ms();
    bench_die(aard_isolate_reset(g->isolate));
    double took = bench_now_ms() - start;
    timed_echo(g, 0, true); /* for the next one to undo */
    return took;
}

static double sample_prepared_echo(guest *g)
{
    bench_die(aard_isolate_prepare_reset(g->isolate));
    return sample_clean_echo(g);
}

/* The first of a guest that nobody has said would be reset. */
static double sample_first_reset(guest *g)
{
    guest fresh = {.language = g->language, .isolation = g->isolation, .code = g->code, .value = g->value};
    double took;
    if (g->code) {
        with_isolate(&fresh);
    } else {
        with_handler_of(&fresh, aard_bundle_retain(g->bundle));
        timed_echo(&fresh, 0, false);
    }
    double start = bench_now_ms();
    bench_die(aard_isolate_reset(fresh.isolate));
    took = bench_now_ms() - start;
    end(&fresh);
    return took;
}

static double sample_later_reset(guest *g)
{
    double start = bench_now_ms();
    bench_die(aard_isolate_reset(g->isolate));
    double took = bench_now_ms() - start;
    timed_execute(g, 0, true); /* for the next one to undo */
    return took;
}

/* ---- clean calls on threads beside each other */

typedef struct lane {
    guest guest;
    double (*sample)(struct guest *g);
    size_t calls;
    pthread_t thread;
} lane;

static lane lanes[LANES_MOST];
static atomic_bool lanes_stop;

static void *run_lane(void *user)
{
    lane *l = user;
    for (l->calls = 0; !atomic_load(&lanes_stop); l->calls++) l->sample(&l->guest);
    return NULL;
}

static void prepare_lanes(const guest *g, void (*prepare)(guest *g), double (*sample)(guest *g), size_t warm_up)
{
    for (size_t i = 0; i < LANES_MOST; i++) {
        lanes[i].guest = *g;
        lanes[i].sample = sample;
        prepare(&lanes[i].guest);
        for (size_t k = 0; k < warm_up; k++) sample(&lanes[i].guest);
    }
}

static void with_lanes(guest *g) { prepare_lanes(g, with_handler, sample_clean_echo, 300); }

static void with_exec_lanes(guest *g) { prepare_lanes(g, with_isolate, sample_clean_execute, 50); }

/* BENCH_SECONDS, for how long one sample takes. */
static struct timespec lanes_time(void)
{
    const char *text = getenv("BENCH_SECONDS");
    double seconds = text ? strtod(text, NULL) : 0;
    if (!(seconds > 0 && seconds <= 86400)) seconds = LANES_MS / 1e3;
    double whole = floor(seconds);
    return (struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)};
}

/* Milliseconds by the clock for each call of them all. */
static double run_lanes(size_t count)
{
    const struct timespec time = lanes_time();
    size_t calls = 0;
    double start = bench_now_ms();
    atomic_store(&lanes_stop, false);
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i])) bench_fail("can't start a thread");
    nanosleep(&time, NULL);
    atomic_store(&lanes_stop, true);
    for (size_t i = 0; i < count; i++) {
        pthread_join(lanes[i].thread, NULL);
        calls += lanes[i].calls;
    }
    return (bench_now_ms() - start) / (double)calls;
}

static double sample_one_lane(guest *g)
{
    (void)g;
    return run_lanes(1);
}

static double sample_two_lanes(guest *g)
{
    (void)g;
    return run_lanes(2);
}

/* A new isolate to its first result, beside the one there is; its end is not on the clock. */
static double sample_new_isolate(guest *g)
{
    double start = bench_now_ms();
    aard_isolate *isolate = new_isolate(g);
    aard_outcome *outcome = execute(g, isolate);
    double took = bench_now_ms() - start;
    finish(outcome, g->value);
    aard_isolate_free(isolate);
    return took;
}

/* A new guest in a process of its own, from its fork to its first result; the template is there. */
static double sample_new_echo(guest *g)
{
    guest fresh = {.language = g->language, .isolation = g->isolation};
    double start = bench_now_ms();
    with_handler_of(&fresh, aard_bundle_retain(g->bundle));
    timed_echo(&fresh, 0, false);
    end(&fresh);
    return bench_now_ms() - start;
}

/* The growth of private memory by the tenth isolate. */
static double sample_memory(guest *g)
{
    aard_isolate *live[LIVE];
    long before = 0;
    for (size_t i = 0; i < LIVE; i++) {
        before = bench_private_kib();
        live[i] = new_isolate(g);
        finish(execute(g, live[i]), g->value);
    }
    double growth = (double)(bench_private_kib() - before);
    for (size_t i = 0; i < LIVE; i++) aard_isolate_free(live[i]);
    return growth;
}

static double sample_rss(guest *g)
{
    (void)g;
    return (double)bench_rss_kib();
}

/* One round trip of a callback, of CALLBACKS in one call. */
static double sample_callback(guest *g)
{
    double start = bench_now_ms();
    return timed_execute(g, start, false) / CALLBACKS;
}

#define PY AARD_LANGUAGE_PYTHON
#define JS AARD_LANGUAGE_JAVASCRIPT
#define PY_CALLBACKS(name) "for i in range(100): await " name "(x=i)"
#define JS_CALLBACKS(name) "for (let i = 0; i < 100; i++) await " name "({x: i}); null"
#define RECURSION "def f(): f()\n"
#define WORK(name)                                                                                                     \
    {                                                                                                                  \
        "work-" name, PY, with_work, sample_execute, 3, "run('" name "')", "null"                                      \
    }

static const figure figures[] = {
    {"python-exec", PY, with_isolate, sample_execute, 1000, "x=1+1", "null"},
    {"python-echo", PY, with_handler, sample_echo, 2000, NULL, NULL},
    {"python-recursion-caught", PY, with_isolate, sample_execute, 20, RECURSION "try: f()\nexcept RecursionError: pass",
     "null"},
    {"python-recursion-uncaught", PY, with_isolate, sample_exception, 20, RECURSION "f()", NULL},
    {"python-clean-exec", PY, with_isolate, sample_clean_execute, 50, "x=1+1", "null"},
    {"python-clean-echo", PY, with_handler, sample_clean_echo, 200, NULL, NULL},
    {"python-reset", PY, with_handler, sample_reset, 200, NULL, NULL},
    {"python-exec-reset", PY, with_isolate, sample_later_reset, 50, "x=1+1", "null"},
    {"python-first-reset", PY, with_nothing, sample_first_reset, 0, NULL, NULL},
    {"python-exec-first-reset", PY, NULL, sample_first_reset, 0, "x=1+1", "null"},
    {"python-clean-echo-1-thread", PY, with_lanes, sample_one_lane, 0, NULL, NULL},
    {"python-clean-echo-2-threads", PY, with_lanes, sample_two_lanes, 0, NULL, NULL},
    {"python-clean-exec-2-threads", PY, with_exec_lanes, sample_two_lanes, 0, "x=1+1", "null"},
    {"python-process-clean-exec-2-threads", PY, with_exec_lanes, sample_two_lanes, 0, "x=1+1", "null"},
    {"python-second", PY, with_isolate, sample_new_isolate, 0, "1+1", "2"},
    {"python-memory", PY, NULL, sample_memory, 0, "1+1", "2"},
    {"python-rss", PY, with_isolate, sample_rss, 0, "1+1", "2"},
    {"python-process-exec", PY, with_isolate, sample_execute, 200, "x=1+1", "null"},
    {"python-process-echo", PY, with_handler, sample_echo, 200, NULL, NULL},
    {"python-process-ready", PY, with_isolate, sample_prepared_execute, 20, "x=1+1", "null"},
    {"python-process-ready-echo", PY, with_handler, sample_prepared_echo, 20, NULL, NULL},
    {"python-process-new", PY, with_isolate, sample_new_isolate, 5, "x=1+1", "null"},
    {"python-process-new-echo", PY, with_handler, sample_new_echo, 5, NULL, NULL},
    {"javascript-process-ready", JS, with_isolate, sample_prepared_execute, 20, "1+1", "2"},
    {"javascript-process-new", JS, with_isolate, sample_new_isolate, 5, "1+1", "2"},
    {"javascript-exec", JS, with_isolate, sample_execute, 200, "1+1", "2"},
    {"javascript-echo", JS, with_handler, sample_echo, 5000, NULL, NULL},
    {"javascript-clean", JS, with_isolate, sample_clean_execute, 20, "1+1", "2"},
    {"javascript-clean-prepared", JS, with_isolate, sample_prepared_execute, 20, "1+1", "2"},
    {"javascript-large-echo", JS, with_large, sample_echo, 20, NULL, NULL},
    {"javascript-large-clean-echo", JS, with_large, sample_clean_echo, 5, NULL, NULL},
    {"javascript-large-prepared-echo", JS, with_large, sample_prepared_echo, 5, NULL, NULL},
    {"javascript-fresh", JS, with_isolate, sample_new_isolate, 5, "1+1", "2"},
    {"python-callback", PY, with_callbacks, sample_callback, 20, PY_CALLBACKS("now"), "null"},
    {"python-callback-later", PY, with_callbacks, sample_callback, 20, PY_CALLBACKS("later"), "null"},
    {"python-process-callback", PY, with_callbacks, sample_callback, 20, PY_CALLBACKS("now"), "null"},
    {"python-process-callback-later", PY, with_callbacks, sample_callback, 20, PY_CALLBACKS("later"), "null"},
    {"javascript-callback", JS, with_callbacks, sample_callback, 50, JS_CALLBACKS("now"), "null"},
    {"javascript-callback-later", JS, with_callbacks, sample_callback, 50, JS_CALLBACKS("later"), "null"},
    WORK("fib"),
    WORK("nbody"),
    WORK("nested"),
    WORK("json"),
    WORK("sort"),
    WORK("regex"),
};

/* ---- the program ------------------------------------------------------------------------------------------------ */

static size_t pace_ms; /* between two samples; 0 = none */

static void print_round(const figure *f, guest *g, double *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pace_ms) usleep((useconds_t)(pace_ms * 1000));
        samples[i] = f->sample(g);
    }
    for (size_t i = 0; i < count; i++) printf(i ? " %.6f" : "%.6f", samples[i]);
    putchar('\n');
    if (fflush(stdout) != 0) bench_fail("can't write to stdout");
}

/* Figures of guests in processes of their own say so in their name. */
static aard_isolation isolation_of(const figure *f)
{
    return strstr(f->name, "-process-") ? AARD_ISOLATION_PROCESS : AARD_ISOLATION_THREAD;
}

static void measure(const figure *f, size_t count, bool rounds)
{
    guest g = {.language = f->language, .isolation = isolation_of(f), .code = f->code, .value = f->value};
    double *samples = calloc(count, sizeof *samples);
    if (!samples) bench_fail("out of memory");
    if (f->prepare) f->prepare(&g);
    for (size_t i = 0; i < f->warm_up; i++) f->sample(&g);
    if (rounds) {
        puts("ready");
        fflush(stdout);
        for (int c; (c = getchar()) != EOF;)
            if (c == '\n') print_round(f, &g, samples, count);
    } else {
        print_round(f, &g, samples, count);
    }
    for (size_t i = 0; i < LANES_MOST; i++) end(&lanes[i].guest);
    end(&g);
    free(samples);
}

static int usage(const char *wrong)
{
    fprintf(stderr,
            "bench_guest: %s\n"
            "usage: bench_guest FIGURE COUNT [--rounds] [--work FILE] [--pace MS]\n"
            "       bench_guest --list | --version\n",
            wrong);
    return AARD_CLASS_USAGE;
}

int main(int argc, char **argv)
{
    const size_t known = sizeof figures / sizeof figures[0];
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < known; i++) puts(figures[i].name);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("aardvark %s, V8 %s\n", aard_version(), aard_v8_version());
        return 0;
    }
    if (argc < 3) return usage("a figure and a count are needed");
    const figure *f = NULL;
    for (size_t i = 0; i < known; i++)
        if (strcmp(argv[1], figures[i].name) == 0) f = &figures[i];
    if (!f) return usage("there is no such figure; --list names them");
    size_t count;
    if (!bench_parse_count(argv[2], 1, &count)) return usage("the count is not a number of 1 or more");
    bool rounds = false;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = true;
        else if (strcmp(argv[i], "--work") == 0 && i + 1 < argc)
            work_file = argv[++i];
        else if (strcmp(argv[i], "--pace") == 0 && i + 1 < argc && bench_parse_count(argv[i + 1], 1, &pace_ms))
            i++;
        else
            return usage("an option is unknown or lacks its value");
    }
    measure(f, count, rounds);
    return 0;
}
