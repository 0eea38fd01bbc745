/* Hostile guests in a row in one process (the templates of tests/attack), beside a neighbour with a call each 10 ms: the process
 * lives, each attack returns, the neighbour is right and on time, and memory stays within the limits.  `make soak` has 200 of
 * them.  test-timeout: 300 */
#include "isolate_support.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#include "attack/neighbour.h"
#include "attack/plan.h"

LEAKS_OF_LEFT_GUESTS

enum {
    MOST_CALLS = 1 << 15,
    USUAL_CALLS = 200,
    RUN = 11,
    SLACK_KIB = 256 * 1024,
    STUCK_MS = 20000,
    MOST_ABANDONED = 32
};

static const char *const kinds[] = {"A1", "A2", "A3", "A4", "A5", "A0"};

/* ---- the neighbour ------------------------------------------------------------------------------------------------ */

static double latencies[MOST_CALLS];
static atomic_uint calls;
static atomic_long peak_kib;

static void doing(const char *stage) { (void)stage; }

static void did(double ms)
{
    unsigned n = atomic_load(&calls);
    long now = resident_kib();
    if (now > atomic_load(&peak_kib)) atomic_store(&peak_kib, now);
    if (n == MOST_CALLS) return;
    latencies[n] = ms;
    atomic_store(&calls, n + 1);
}

static bool works(void) { return true; }

/* On a thread where cmocka can't fail. */
static void hurt(const char *text)
{
    print_error("the neighbour: %s\n", text);
    abort();
}

static neighbour beside = {.doing = doing, .did = did, .works = works, .hurt = hurt};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double p99(unsigned first, unsigned last)
{
    assert_true(last > first);
    qsort(latencies + first, last - first, sizeof *latencies, by_value);
    return latencies[first + (last - first - 1) * 99 / 100];
}

/* ---- guests ------------------------------------------------------------------------------------------------------- */

static plan plan_of_attack(size_t i)
{
    plan p = plan_of(RUN, i, kinds[i % COUNT(kinds)]);
    p.language = AARD_LANGUAGE_JAVASCRIPT;
    p.grants_js = p.grants_code = false;
    p.cpu_ms = p.grace_ms = p.buffers = 0;
    p.wall_ms = 100 + p.seed % 201;
    p.heap = (32 + (size_t)(p.seed >> 8) % 33) << 20;
    return p;
}

static aard_failure_kind attack(aard_isolate *isolate, const plan *p, const char *kind)
{
    aard_outcome *outcome = NULL;
    aard_call *limits = limited_to(p->wall_ms);
    char *source = plan_source(p, kind);
    double began = now_ms();
    assert_ok(aard_isolate_exec(isolate, source, strlen(source), "guest", limits, &outcome));
    if (now_ms() - began > STUCK_MS) fail_msg("%s %" PRIu64 " took %.0f ms", kind, p->number, now_ms() - began);
    aard_failure_kind end = aard_outcome_failure_kind(outcome);
    aard_outcome_free(outcome);
    aard_call_free(limits);
    free(source);
    return end;
}

/* The heap and as much of buffers; where no more is promised than in docs/budgets.md, also what ICU and compiling may take. */
static long limits_kib(const plan *p) { return exact_times() ? (long)(2 * p->heap / 1024) : plan_kib(p); }

static void test_attacks_in_a_row_hurt_nobody(void **state)
{
    (void)state;
    size_t count = soak_count(42, 200), ends[16] = {0};
    uint64_t abandoned, unfreeable, abandoned_before, unfreeable_before;
    pthread_t thread;
    aard_isolate *isolate = NULL;
    plan limits = {0};
    long most_after = 0;
    aard_isolates_abandoned(&abandoned_before, &unfreeable_before);
    assert_int_equal(pthread_create(&thread, NULL, neighbour_live, &beside), 0);
    while (atomic_load(&calls) < USUAL_CALLS) usleep(1000);
    unsigned first = atomic_load(&calls);
    long idle = resident_kib();
    double began = now_ms();
    for (size_t i = 0; i < count; i++) {
        plan p = plan_of_attack(i);
        if (!isolate || i % 2 == 0) {
            aard_isolate_free(isolate);
            assert_ok(plan_boot(&p, &isolate));
            limits = p;
        }
        ends[attack(isolate, &p, kinds[i % COUNT(kinds)]) % COUNT(ends)]++;
        assert_ok(aard_isolate_reset(isolate));
        value_is(exec(isolate, "1 + 1"), "2");
        aard_isolates_abandoned(&abandoned, &unfreeable);
        assert_true(unfreeable - unfreeable_before < MOST_ABANDONED);
        long now = resident_kib() - idle;
        long most = SLACK_KIB + limits_kib(&limits) + (long)(unfreeable - unfreeable_before) * plan_kib(&limits);
        if (now > most_after) most_after = now;
        if (now > most) fail_msg("%ld MiB after attack %zu, and %ld would be the most", now / 1024, i, most / 1024);
    }
    double took = now_ms() - began;
    aard_isolate_free(isolate);
    unsigned last = atomic_load(&calls);
    atomic_store(&beside.over, true);
    pthread_join(thread, NULL);

    double usual = p99(0, first), under = p99(first, last), most = exact_times() ? 5 * usual : 20 * usual;
    if (!exact_times() && most < 500) most = 500;
    print_message("%zu attacks in %.1f s:", count, took / 1000);
    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends[i]) print_message(" %s %zu", i ? aard_failure_kind_name((aard_failure_kind)i) : "success", ends[i]);
    print_message("; %" PRIu64 " abandoned, %" PRIu64 " unfreeable\n", abandoned - abandoned_before,
                  unfreeable - unfreeable_before);
    print_message("neighbour: %u calls, p50 %.2f ms, p99 %.2f ms, at most %.1f ms; usual p50 %.2f ms, p99 %.2f ms\n",
                  last - first, latencies[first + (last - first) / 2], under, latencies[last - 1], latencies[first / 2],
                  usual);
    print_message("memory: %ld MiB before, at most %ld MiB more after an attack, peak %ld MiB more\n", idle / 1024,
                  most_after / 1024, (atomic_load(&peak_kib) - idle) / 1024);
    if (under > most) fail_msg("the neighbour's p99 is %.2f ms, and %.2f ms would be the most", under, most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks_in_a_row_hurt_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
