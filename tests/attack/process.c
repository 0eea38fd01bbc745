/* The process that is attacked. */
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "neighbour.h"
#include "plan.h"

enum { SETTLE_MS = 1000, SLACK_KIB = 256 * 1024, FIRST_GUESTS = 3, FIRST_MS = 2000 };

static shared *all;
static atomic_uint ended; /* guests */

uint64_t attack_now_ms(void) { return (uint64_t)neighbour_clock_ms(); }

long attack_resident_kib(int pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

__attribute__((format(printf, 1, 2))) static _Noreturn void found(const char *format, ...)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&once); /* for good */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(all->message, sizeof all->message, format, arguments);
    va_end(arguments);
    _exit(FOUND);
}

static void at(slot *s, const char *stage)
{
    atomic_store(&s->stage, stage);
    atomic_store(&s->since_ms, attack_now_ms());
}

/* ---- the neighbour ---------------------------------------------------------------------------------------------- */

static void neighbour_does(const char *stage)
{
    if (stage) atomic_store(&all->neighbour_stage, stage);
    atomic_store(&all->neighbour_since_ms, stage ? attack_now_ms() : 0);
}

static atomic_bool neighbour_ready;

static void neighbour_did(double ms)
{
    atomic_store(&all->latency_ms[atomic_fetch_add(&all->neighbour_calls, 1) % LATENCIES], (float)ms);
    atomic_store(&neighbour_ready, true);
}

/* Not before guests have had the first of everything that the engine makes once for the process. */
static bool neighbour_works(void) { return atomic_load(&ended) >= FIRST_GUESTS; }

static _Noreturn void neighbour_is_hurt(const char *text) { found("the neighbour: %s", text); }

static neighbour beside = {
    .doing = neighbour_does, .did = neighbour_did, .works = neighbour_works, .hurt = neighbour_is_hurt};

/* ---- guests ------------------------------------------------------------------------------------------------------ */

static bool worn_out(void)
{
    uint64_t abandoned, unfreeable;
    aard_isolates_abandoned(&abandoned, &unfreeable);
    atomic_store(&all->abandoned, abandoned);
    atomic_store(&all->unfreeable, unfreeable);
    return unfreeable >= 60; /* of 64 */
}

static void note_unfreeable(const plan *p, uint64_t before)
{
    uint64_t abandoned, unfreeable;
    aard_isolates_abandoned(&abandoned, &unfreeable);
    if (unfreeable > before) atomic_fetch_add(&all->unfreeable_kib, plan_kib(p) * (long)(unfreeable - before));
}

static void run_guest(slot *s, aard_isolate *isolate, const plan *p)
{
    char *source = plan_source(p, all->kinds);
    aard_call *call = NULL;
    aard_outcome *outcome = NULL;
    if (aard_call_new(&call)) abort();
    aard_call_set_wall_limit_ms(call, p->wall_ms);
    aard_call_set_cpu_limit_ms(call, p->cpu_ms);
    at(s, "run");
    aard_error *error = aard_isolate_exec(isolate, source, strlen(source), "guest", call, &outcome);
    if (error && !worn_out())
        found("guest %llu was not run: %s", (unsigned long long)p->number, aard_error_message(error));
    if (outcome) atomic_fetch_add(&all->ends[aard_outcome_failure_kind(outcome) % KINDS_OF_END], 1);
    aard_error_free(error);
    at(s, "outcome");
    aard_outcome_free(outcome);
    aard_call_free(call);
    free(source);
}

/* Whatever the guest did, its isolate is as new after a reset. */
static void look_at(slot *s, aard_isolate *isolate, const plan *p)
{
    aard_outcome *outcome = NULL;
    at(s, "reset");
    aard_error *error = aard_isolate_reset(isolate);
    at(s, "call after it");
    if (!error) error = aard_isolate_exec(isolate, "1 + 1", 5, NULL, NULL, &outcome);
    if (error && !worn_out()) found("after guest %llu: %s", (unsigned long long)p->number, aard_error_message(error));
    if (!error && !aard_outcome_is_success(outcome))
        found("after guest %llu: %s", (unsigned long long)p->number, aard_outcome_failure_message(outcome));
    if (!error && strcmp(aard_outcome_value_json(outcome, NULL), "2") != 0)
        found("after guest %llu: 1 + 1 is %.100s", (unsigned long long)p->number,
              aard_outcome_value_json(outcome, NULL));
    aard_error_free(error);
    aard_outcome_free(outcome);
}

static aard_isolate *kept_for(slot *s, const plan *p, aard_isolate *isolate, const plan *was)
{
    if (isolate && !p->fresh && was->language == p->language) return isolate;
    at(s, "free");
    aard_isolate_free(isolate);
    atomic_store(&s->kib, plan_kib(p));
    at(s, "boot");
    isolate = NULL;
    aard_error *error = plan_boot(p, &isolate);
    if (error && !worn_out())
        found("guest %llu: no isolate: %s", (unsigned long long)p->number, aard_error_message(error));
    aard_error_free(error);
    return isolate;
}

static void *attack(void *user)
{
    slot *s = user;
    aard_isolate *isolate = NULL;
    plan limits = {0};   /* of the isolate */
    if (s != all->slots) /* one has the first of everything for itself */
        for (int i = 0; i < FIRST_MS && !atomic_load(&ended) && !atomic_load(&all->stop); i++) usleep(1000);
    while (!atomic_load(&all->stop) && !worn_out()) {
        uint64_t number = atomic_fetch_add(&all->next, 1), abandoned, unfreeable;
        if (number >= atomic_load(&all->last)) break;
        plan p = plan_of(all->run, number, all->kinds);
        atomic_store(&s->guest, number + 1);
        aard_isolate *before = isolate;
        aard_isolates_abandoned(&abandoned, &unfreeable);
        isolate = kept_for(s, &p, isolate, &limits);
        if (!isolate) break;
        if (isolate != before || p.fresh) limits = p;
        run_guest(s, isolate, &p);
        look_at(s, isolate, &p);
        note_unfreeable(&limits, unfreeable);
        if (!p.keeps) {
            at(s, "free");
            aard_isolate_free(isolate);
            isolate = NULL;
        }
        atomic_fetch_add(&ended, 1);
        atomic_store(&s->before, number + 1);
        atomic_store(&s->guest, 0);
    }
    at(s, "free");
    atomic_store(&s->guest, atomic_load(&s->before));
    aard_isolate_free(isolate);
    atomic_store(&s->guest, 0);
    atomic_store(&s->kib, 0);
    return NULL;
}

static void check_memory(void)
{
    long most = atomic_load(&all->idle_kib) + SLACK_KIB + atomic_load(&all->unfreeable_kib), now = 0;
    for (int i = 0; i < 10; i++) { /* what was freed may take a moment to go */
        malloc_trim(0);
        if ((now = attack_resident_kib(getpid())) <= most) return;
        usleep(100000);
    }
    found("%ld MiB are kept after all isolates were freed; %ld MiB before, %llu guests unfreeable", now / 1024,
          atomic_load(&all->idle_kib) / 1024, (unsigned long long)atomic_load(&all->unfreeable));
}

void attack_process(shared *s)
{
    pthread_t threads[MOST_THREADS], other;
    all = s;
    if (pthread_create(&other, NULL, neighbour_live, &beside)) abort();
    while (!atomic_load(&neighbour_ready)) usleep(1000);
    atomic_store(&s->idle_kib, attack_resident_kib(getpid()));
    for (unsigned i = 0; i < s->threads; i++)
        if (pthread_create(&threads[i], NULL, attack, &s->slots[i])) abort();
    for (unsigned i = 0; i < s->threads; i++) pthread_join(threads[i], NULL);
    atomic_store(&ended, FIRST_GUESTS);
    usleep(SETTLE_MS * 1000); /* what was broken shows in the neighbour */
    atomic_store(&beside.over, true);
    pthread_join(other, NULL);
    worn_out();
    check_memory();
    exit(0);
}
