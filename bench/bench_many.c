/* Many guests alive at once, through the public API: whether the next one costs what the first did.
 *
 *   bench_many [--alive N] [--isolates N]      default 1000 of each
 *
 * Rows, for Python and JavaScript.  `children`: N isolates with isolation `process`, each of which has answered once and stays;
 * at 10, 30, 100 … of them, what those since the row before took to start (least and p50) and to answer (p50), what all of them take to answer
 * again (p50), and the fall of MemAvailable for each.  `isolates`: the same with isolates in threads of this process, and at the
 * end, all freed, what is resident then against what was before the first (`freed`).  A row that memory does not suffice for is
 * left out, with a message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

const char bench_name[] = "bench_many";

enum { MOST = 100000, KEEP_FREE_KIB = 2 << 20 };

typedef struct crowd {
    const char *name;
    aard_isolate_config *config;
    aard_isolate **list;
    double *starts, *answers, *again; /* ms, by the isolate */
    size_t count;
    long available; /* KiB, before the first */
} crowd;

/* ---- one of them ------------------------------------------------------------------------------------------------- */

static double ask(aard_isolate *isolate)
{
    aard_outcome *outcome;
    double start = bench_now_ms();
    bench_die(aard_isolate_exec(isolate, "6 * 7", 5, NULL, NULL, &outcome));
    double end = bench_now_ms();
    bench_check_value(outcome, "42", 2);
    aard_outcome_free(outcome);
    return end - start;
}

static void add_one(crowd *c)
{
    double start = bench_now_ms();
    bench_die(aard_isolate_new(c->config, &c->list[c->count]));
    c->starts[c->count] = bench_now_ms() - start;
    c->answers[c->count] = ask(c->list[c->count]);
    c->count++;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* `percent` 0 = the least. */
static double percentile_of(const double *list, size_t from, size_t to, size_t percent)
{
    size_t count = to - from;
    double *copy = malloc(count * sizeof *copy);
    if (!copy) bench_fail("out of memory");
    memcpy(copy, list + from, count * sizeof *copy);
    bench_sort(copy, count);
    double found = percent ? bench_percentile(copy, count, percent) : copy[0];
    free(copy);
    return found;
}

static void print_row(crowd *c, size_t before)
{
    for (size_t i = 0; i < c->count; i++) c->again[i] = ask(c->list[i]);
    printf(
        "row=%s count=%zu start_min_ms=%.3f start_p50_ms=%.3f answer_p50_ms=%.3f again_p50_ms=%.3f memory_kib=%.0f\n",
        c->name, c->count, percentile_of(c->starts, before, c->count, 0),
        percentile_of(c->starts, before, c->count, 50), percentile_of(c->answers, before, c->count, 50),
        percentile_of(c->again, 0, c->count, 50), (double)(c->available - bench_available_kib()) / (double)c->count);
    fflush(stdout);
}

/* 10, 30, 100, 300, … and the most. */
static size_t next_step(size_t step, size_t most)
{
    size_t power = 1;
    while (power * 10 <= step) power *= 10;
    size_t next = !step ? 10 : step == power ? 3 * power : 10 * power;
    return next < most ? next : most;
}

static void grow(crowd *c, size_t most)
{
    for (size_t step = next_step(0, most);; step = next_step(step, most)) {
        size_t before = c->count;
        while (c->count < step && bench_available_kib() > KEEP_FREE_KIB) add_one(c);
        if (c->count < step) fprintf(stderr, "%s: memory suffices for %zu\n", c->name, c->count);
        if (c->count > before) print_row(c, before);
        if (c->count < step || step == most) return;
    }
}

static void free_all(crowd *c)
{
    for (size_t i = 0; i < c->count; i++) aard_isolate_free(c->list[i]);
    aard_isolate_config_free(c->config);
    free(c->list);
    free(c->starts);
    free(c->answers);
    free(c->again);
}

static crowd new_crowd(const char *name, aard_language language, aard_isolation isolation, size_t most)
{
    crowd c = {.name = name};
    bench_die(aard_isolate_config_new(&c.config));
    aard_isolate_config_set_language(c.config, language);
    aard_isolate_config_set_isolation(c.config, isolation);
    aard_isolate_config_set_resets_expected(c.config, false); /* no second child waits beside each */
    c.list = calloc(most, sizeof *c.list);
    c.starts = calloc(most, sizeof *c.starts);
    c.answers = calloc(most, sizeof *c.answers);
    c.again = calloc(most, sizeof *c.again);
    if (!c.list || !c.starts || !c.answers || !c.again) bench_fail("out of memory");
    return c;
}

/* The first isolate is there already: what all share is not of the crowd. */
static void run(const char *name, aard_language language, aard_isolation isolation, size_t most)
{
    aard_isolate *first;
    crowd c = new_crowd(name, language, isolation, most);
    bench_die(aard_isolate_new(c.config, &first));
    ask(first);
    c.available = bench_available_kib();
    long before = bench_rss_kib(), peak;
    grow(&c, most);
    peak = bench_rss_kib();
    free_all(&c);
    if (isolation == AARD_ISOLATION_THREAD)
        printf("row=%s_freed count=%zu before_kib=%ld peak_kib=%ld after_kib=%ld\n", name, c.count, before, peak,
               bench_rss_kib());
    aard_isolate_free(first);
}

int main(int argc, char **argv)
{
    size_t alive = 1000, isolates = 1000;
    for (int i = 1; i < argc; i += 2) {
        size_t *to = !strcmp(argv[i], "--alive") ? &alive : !strcmp(argv[i], "--isolates") ? &isolates : NULL;
        if (!to || !argv[i + 1] || !bench_parse_count(argv[i + 1], 0, to) || *to > MOST) {
            fputs("usage: bench_many [--alive N] [--isolates N]\n", stderr);
            return AARD_CLASS_USAGE;
        }
    }
    if (alive) run("children_python", AARD_LANGUAGE_PYTHON, AARD_ISOLATION_PROCESS, alive);
    if (alive) run("children_javascript", AARD_LANGUAGE_JAVASCRIPT, AARD_ISOLATION_PROCESS, alive);
    if (isolates) run("isolates_javascript", AARD_LANGUAGE_JAVASCRIPT, AARD_ISOLATION_THREAD, isolates);
    if (isolates) run("isolates_python", AARD_LANGUAGE_PYTHON, AARD_ISOLATION_THREAD, isolates);
    return 0;
}
