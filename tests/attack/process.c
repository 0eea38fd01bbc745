/* The process that is attacked. */
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"
#include "plan.h"
#include "zip_builder.h"

enum { PERIOD_MS = 10, WORK_EVERY = 4, RENEW_EVERY = 150, SETTLE_MS = 1000, SLACK_KIB = 256 * 1024, FIRST_GUESTS = 3, FIRST_MS = 2000 };

static shared *all;
static atomic_uint ended; /* guests */

uint64_t attack_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

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

typedef struct neighbour {
    aard_bundle *bundle;
    aard_isolate *isolate;
    aard_handler *echo, *work;
    aard_call *call;
} neighbour;

static void must(aard_error *error, const char *what)
{
    if (error) found("the neighbour: %s: %s", what, aard_error_message(error));
}

static void doing(const char *stage)
{
    atomic_store(&all->neighbour_stage, stage);
    atomic_store(&all->neighbour_since_ms, attack_now_ms());
}

static aard_bundle *neighbour_bundle(void)
{
    FILE *file = fopen("tests/attack/neighbour.js", "r");
    static char text[1 << 16];
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (!len) found("tests/attack/neighbour.js can't be read");
    fclose(file);
    zb_zip zip = {0};
    zb_text(&zip, "main.js", text);
    zb_bytes bytes = zb_finish(&zip);
    aard_bundle *bundle = NULL;
    must(aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle), "its bundle");
    free(bytes.data);
    return bundle;
}

static void drop_isolate(neighbour *n)
{
    doing("free");
    aard_handler_free(n->echo);
    aard_handler_free(n->work);
    aard_isolate_free(n->isolate);
    n->echo = n->work = NULL;
    n->isolate = NULL;
}

static void renew_isolate(neighbour *n)
{
    drop_isolate(n);
    aard_isolate_config *config = NULL;
    doing("boot");
    must(aard_isolate_config_new(&config), "configuration");
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, (size_t)64 << 20);
    must(aard_isolate_new(config, &n->isolate), "boot");
    aard_isolate_config_free(config);
    must(aard_isolate_load_bundle(n->isolate, n->bundle), "bundle");
    must(aard_handler_new(n->isolate, "main:echo", &n->echo), "handler");
    must(aard_handler_new(n->isolate, "main:work", &n->work), "handler");
}

static void one_call(neighbour *n, uint64_t number)
{
    aard_outcome *outcome = NULL;
    char input[32];
    /* Not before guests have had the first of everything that the engine makes once for the process. */
    bool works = number % WORK_EVERY == 0 && atomic_load(&ended) >= FIRST_GUESTS;
    snprintf(input, sizeof input, "%llu", (unsigned long long)(works ? number / WORK_EVERY : number));
    aard_call_set_input_json(n->call, input, strlen(input));
    doing(works ? "work" : "echo");
    must(aard_handler_invoke(works ? n->work : n->echo, n->call, &outcome), "call");
    const char *want = works ? "true" : input;
    if (!aard_outcome_is_success(outcome))
        found("the neighbour: %s %s: %s", works ? "work" : "echo", input, aard_outcome_failure_message(outcome));
    if (strcmp(aard_outcome_value_json(outcome, NULL), want) != 0)
        found("the neighbour: %s %s gives %.100s", works ? "work" : "echo", input, aard_outcome_value_json(outcome, NULL));
    aard_outcome_free(outcome);
}

static atomic_bool neighbour_over, neighbour_ready;

static void *live_beside(void *user)
{
    neighbour n = {.bundle = neighbour_bundle()};
    (void)user;
    must(aard_call_new(&n.call), "call");
    renew_isolate(&n);
    uint64_t due = attack_now_ms();
    for (uint64_t number = 0; !atomic_load(&neighbour_over); number++) {
        if (number && number % RENEW_EVERY == 0) renew_isolate(&n);
        one_call(&n, number);
        uint64_t now = attack_now_ms();
        atomic_store(&all->neighbour_since_ms, 0);
        atomic_store(&all->latency_ms[atomic_fetch_add(&all->neighbour_calls, 1) % LATENCIES], (float)(now - due));
        atomic_store(&neighbour_ready, true);
        due += PERIOD_MS;
        if (due < now) due = now; /* one that was late does not make those after it late */
        while (attack_now_ms() < due) usleep(500);
    }
    drop_isolate(&n);
    aard_call_free(n.call);
    aard_bundle_free(n.bundle);
    atomic_store(&all->neighbour_since_ms, 0);
    return NULL;
}

/* ---- guests ------------------------------------------------------------------------------------------------------ */

static bool worn_out(void)
{
    uint64_t left, abandoned;
    aard_isolate_losses(&left, &abandoned);
    atomic_store(&all->left, left);
    atomic_store(&all->abandoned, abandoned);
    return abandoned >= 60; /* of 64 */
}

static void note_abandoned(const plan *p, uint64_t before)
{
    uint64_t left, abandoned;
    aard_isolate_losses(&left, &abandoned);
    if (abandoned > before) atomic_fetch_add(&all->abandoned_kib, plan_kib(p) * (long)(abandoned - before));
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
    if (error && !worn_out()) found("guest %llu was not run: %s", (unsigned long long)p->number, aard_error_message(error));
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
    if (error && !worn_out())
        found("after guest %llu: %s", (unsigned long long)p->number, aard_error_message(error));
    if (!error && !aard_outcome_is_success(outcome))
        found("after guest %llu: %s", (unsigned long long)p->number, aard_outcome_failure_message(outcome));
    if (!error && strcmp(aard_outcome_value_json(outcome, NULL), "2") != 0)
        found("after guest %llu: 1 + 1 is %.100s", (unsigned long long)p->number, aard_outcome_value_json(outcome, NULL));
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
    if (error && !worn_out()) found("guest %llu: no isolate: %s", (unsigned long long)p->number, aard_error_message(error));
    aard_error_free(error);
    return isolate;
}

static void *attack(void *user)
{
    slot *s = user;
    aard_isolate *isolate = NULL;
    plan limits = {0}; /* of the isolate */
    if (s != all->slots) /* one has the first of everything for itself */
        for (int i = 0; i < FIRST_MS && !atomic_load(&ended) && !atomic_load(&all->stop); i++) usleep(1000);
    while (!atomic_load(&all->stop) && !worn_out()) {
        uint64_t number = atomic_fetch_add(&all->next, 1), left, abandoned;
        if (number >= atomic_load(&all->last)) break;
        plan p = plan_of(all->run, number, all->kinds);
        atomic_store(&s->guest, number + 1);
        aard_isolate *before = isolate;
        aard_isolate_losses(&left, &abandoned);
        isolate = kept_for(s, &p, isolate, &limits);
        if (!isolate) break;
        if (isolate != before || p.fresh) limits = p;
        run_guest(s, isolate, &p);
        look_at(s, isolate, &p);
        note_abandoned(&limits, abandoned);
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
    long most = atomic_load(&all->idle_kib) + SLACK_KIB + atomic_load(&all->abandoned_kib), now = 0;
    for (int i = 0; i < 10; i++) { /* what was freed may take a moment to go */
        malloc_trim(0);
        if ((now = attack_resident_kib(getpid())) <= most) return;
        usleep(100000);
    }
    found("%ld MiB are kept after all isolates were freed; %ld MiB before, %llu guests abandoned", now / 1024,
          atomic_load(&all->idle_kib) / 1024, (unsigned long long)atomic_load(&all->abandoned));
}

void attack_process(shared *s)
{
    pthread_t threads[MOST_THREADS], beside;
    all = s;
    if (pthread_create(&beside, NULL, live_beside, NULL)) abort();
    while (!atomic_load(&neighbour_ready)) usleep(1000);
    atomic_store(&s->idle_kib, attack_resident_kib(getpid()));
    for (unsigned i = 0; i < s->threads; i++)
        if (pthread_create(&threads[i], NULL, attack, &s->slots[i])) abort();
    for (unsigned i = 0; i < s->threads; i++) pthread_join(threads[i], NULL);
    atomic_store(&ended, FIRST_GUESTS);
    usleep(SETTLE_MS * 1000); /* what was broken shows in the neighbour */
    atomic_store(&neighbour_over, true);
    pthread_join(beside, NULL);
    worn_out();
    check_memory();
    exit(0);
}
