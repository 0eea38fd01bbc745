/* What a child of a template costs: a process with booted guests that is forked (base/process.h).  Linked with the library's
 * insides, which have no public name.
 *
 *   bench_fork [runs [alive]]      default 200 children one after the other, 200 alive
 *
 * Rows, for Python and JavaScript: fork, until the template has its child; first, a 1 KiB JSON echo as the first call of a child;
 * whole, from before the fork until the child has ended; ready_first, that call in a child that has been through an empty call
 * before; the same with the limits that need a watchdog.  Then with `alive` children that have answered once: what is private of
 * each, and the fall of MemAvailable.  At last with hardened children (process/harden/harden.h): what hardening takes in the template and
 * in a child, and the same call. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "engine/engine.h"
#include "process/harden/harden.h"
#include "support.h"

const char bench_name[] = "bench_fork";

enum { BYTES = 1024 };

typedef struct subject {
    const char *name;
    aard_isolate *isolate;
    aard_handler *handler;
    aard_call *call;
    char *payload;
} subject;

static subject new_subject(const char *name, aard_language language, bool limits)
{
    subject s = {.name = name, .payload = bench_payload(BYTES)};
    aard_isolate_config *config;
    bench_die(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, language);
    bench_die(aard_isolate_new(config, &s.isolate));
    aard_isolate_config_free(config);
    aard_bundle *bundle = bench_echo_bundle(language);
    bench_die(aard_isolate_load_bundle(s.isolate, bundle));
    aard_bundle_free(bundle);
    bench_die(aard_handler_new(s.isolate, "main:echo", &s.handler));
    bench_die(aard_call_new(&s.call));
    aard_call_set_input_json(s.call, s.payload, BYTES);
    if (limits) aard_call_set_wall_limit_ms(s.call, 5000);
    return s;
}

static double echo(const subject *s)
{
    aard_outcome *outcome;
    double start = bench_now_ms();
    bench_die(aard_handler_invoke(s->handler, s->call, &outcome));
    double end = bench_now_ms();
    bench_check_value(outcome, s->payload, BYTES);
    aard_outcome_free(outcome);
    return end - start;
}

static pid_t new_child(void)
{
    pid_t child;
    bench_die(aard__process_fork(&child));
    return child;
}

/* ---- one after the other ------------------------------------------------------------------------------------------ */

static void print_row(const char *row, const subject *s, double *list, size_t count)
{
    bench_sort(list, count);
    printf("row=%s_%s count=%zu min_ms=%.3f p50_ms=%.3f p99_ms=%.3f\n", row, s->name, count, list[0],
           bench_percentile(list, count, 50), bench_percentile(list, count, 99));
    free(list);
}

static double *new_list(size_t count)
{
    double *list = calloc(count, sizeof *list);
    if (!list) bench_fail("out of memory");
    return list;
}

static void work(const subject *s, int out, bool ready)
{
    aard_outcome *outcome;
    if (ready) {
        const char *nothing = s->name[0] == 'p' ? "None" : "null";
        bench_die(aard_isolate_exec(s->isolate, nothing, strlen(nothing), NULL, NULL, &outcome));
        aard_outcome_free(outcome);
    }
    double took = echo(s);
    if (write(out, &took, sizeof took) != sizeof took) _exit(1);
    _exit(0);
}

static void run_children(const subject *s, size_t runs, bool ready)
{
    double *forks = new_list(runs), *firsts = new_list(runs), *wholes = new_list(runs);
    int ends[2], status;
    if (pipe(ends)) bench_fail("no pipe");
    for (size_t i = 0; i < runs; i++) {
        double start = bench_now_ms();
        pid_t child = new_child();
        if (!child) work(s, ends[1], ready);
        forks[i] = bench_now_ms() - start;
        if (waitpid(child, &status, 0) != child || status) bench_fail("a child has failed");
        wholes[i] = bench_now_ms() - start;
        if (read(ends[0], &firsts[i], sizeof *firsts) != sizeof *firsts) bench_fail("a child has not answered");
    }
    close(ends[0]);
    close(ends[1]);
    print_row(ready ? "ready_fork" : "fork", s, forks, runs);
    print_row(ready ? "ready_first" : "first", s, firsts, runs);
    print_row(ready ? "ready_whole" : "whole", s, wholes, runs);
}

/* ---- hardened ------------------------------------------------------------------------------------------------------ */

static void work_hardened(aard__hardening *hardening, const subject *s, int out)
{
    double start = bench_now_ms();
    bench_die(aard__harden_child(hardening, out));
    double took[2] = {bench_now_ms() - start, 0};
    took[1] = echo(s);
    if (write(out, took, sizeof took) != sizeof took) _exit(1);
    _exit(0);
}

static void run_hardened(const subject *s, size_t runs)
{
    aard__hardening *hardening;
    double *hardens = new_list(runs), *firsts = new_list(runs), *wholes = new_list(runs), took[2];
    int ends[2], status;
    double start = bench_now_ms();
    if (pipe(ends)) bench_fail("no pipe");
    bench_die(aard__hardening_take(AARD_HARDEN_ALL, 0, &hardening));
    printf("row=harden_template count=1 ms=%.3f measures=%x\n", bench_now_ms() - start,
           aard__hardening_of(hardening)->measures);
    for (size_t i = 0; i < runs; i++) {
        start = bench_now_ms();
        pid_t child = new_child();
        if (!child) work_hardened(hardening, s, ends[1]);
        if (waitpid(child, &status, 0) != child || status) bench_fail("a child has failed");
        wholes[i] = bench_now_ms() - start;
        if (read(ends[0], took, sizeof took) != sizeof took) bench_fail("a child has not answered");
        hardens[i] = took[0];
        firsts[i] = took[1];
    }
    print_row("harden", s, hardens, runs);
    print_row("hardened_first", s, firsts, runs);
    print_row("hardened_whole", s, wholes, runs);
}

/* ---- many alive --------------------------------------------------------------------------------------------------- */

static void run_alive(const subject *s, size_t alive)
{
    pid_t *children = calloc(alive, sizeof *children);
    double *own = new_list(alive);
    int ends[2];
    if (!children || pipe(ends)) bench_fail("out of memory");
    long before = bench_available_kib();
    for (size_t i = 0; i < alive; i++) {
        if ((children[i] = new_child())) continue;
        echo(s);
        double kib = (double)bench_private_kib();
        if (write(ends[1], &kib, sizeof kib) != sizeof kib) _exit(1);
        for (;;) pause();
    }
    for (size_t i = 0; i < alive; i++)
        if (read(ends[0], &own[i], sizeof *own) != sizeof *own) bench_fail("a child has not answered");
    long fall = before - bench_available_kib();
    for (size_t i = 0; i < alive; i++) kill(children[i], SIGKILL);
    for (size_t i = 0; i < alive; i++) waitpid(children[i], NULL, 0);
    bench_sort(own, alive);
    printf("row=alive_%s count=%zu private_kib=%.0f available_kib=%.0f\n", s->name, alive,
           bench_percentile(own, alive, 50), (double)fall / (double)alive);
    close(ends[0]);
    close(ends[1]);
    free(children);
    free(own);
}

int main(int argc, char **argv)
{
    size_t runs = 200, alive = 200;
    if (argc > 3 || (argc > 1 && !bench_parse_count(argv[1], 1, &runs)) ||
        (argc > 2 && !bench_parse_count(argv[2], 1, &alive)))
        bench_fail("usage: bench_fork [runs [alive]]");
    bench_die(aard__engine_start_template());
    const subject subjects[] = {new_subject("python", AARD_LANGUAGE_PYTHON, false),
                                new_subject("javascript", AARD_LANGUAGE_JAVASCRIPT, false),
                                new_subject("python_limits", AARD_LANGUAGE_PYTHON, true)};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        for (int warm = 0; warm < 20; warm++) echo(&subjects[i]);
        run_children(&subjects[i], runs, false);
        run_children(&subjects[i], runs, true);
        run_alive(&subjects[i], alive);
    }
    run_hardened(&subjects[0], runs);
    return 0;
}
