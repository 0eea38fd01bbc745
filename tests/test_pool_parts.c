/* What pools are made of: the queue's order, and the histogram.  test-quick */
#include "support.h"

#include "pool/histogram.h"
#include "pool/queue.h"

/* ---- the queue --------------------------------------------------------------------------------------------------------- */

typedef struct caller {
    aard__entry entry;
    char name[8];
} caller;

static caller callers[64];
static size_t caller_count;

static caller *add(aard__queue *queue, const char *tenant, int level, bool job, const char *name)
{
    caller *c = &callers[caller_count++];
    *c = (caller){.entry = {.tenant = tenant, .level = level, .job = job}};
    snprintf(c->name, sizeof c->name, "%s", name);
    aard__queue_add(queue, &c->entry);
    return c;
}

static void order_is(aard__queue *queue, bool jobs, const char *want)
{
    char have[256] = "";
    aard__entry *entry;
    while ((entry = aard__queue_pop(queue, jobs))) {
        strcat(have, ((caller *)entry)->name);
        strcat(have, " ");
    }
    assert_string_equal(have, want);
}

static void test_arrival_decides_within_a_tenant(void **state)
{
    (void)state;
    aard__queue queue = {0};
    caller_count = 0;
    add(&queue, "a", 4, false, "1");
    add(&queue, "a", 4, false, "2");
    add(&queue, "a", 4, false, "3");
    order_is(&queue, true, "1 2 3 ");
    assert_true(!queue.oldest && !queue.newest && !queue.count);
}

static void test_tenants_take_turns(void **state)
{
    (void)state;
    aard__queue queue = {0};
    caller_count = 0;
    for (int i = 0; i < 4; i++) add(&queue, "greedy", 4, false, (const char *[]){"g1", "g2", "g3", "g4"}[i]);
    add(&queue, NULL, 4, false, "n1");
    add(&queue, "", 4, false, "e1");
    add(&queue, "modest", 4, false, "m1");
    add(&queue, "modest", 4, false, "m2");
    order_is(&queue, true, "g1 n1 e1 m1 g2 m2 g3 g4 ");
}

static void test_priorities_come_first(void **state)
{
    (void)state;
    aard__queue queue = {0};
    caller_count = 0;
    add(&queue, "a", 0, false, "low");
    add(&queue, "a", 4, false, "mid");
    add(&queue, "b", 7, false, "high");
    add(&queue, "c", 7, false, "high2");
    order_is(&queue, true, "high high2 mid low ");
}

static void test_jobs_wait_for_workers_and_hold_up_nobody(void **state)
{
    (void)state;
    aard__queue queue = {0};
    caller_count = 0;
    add(&queue, "a", 4, true, "ja");
    add(&queue, "a", 4, false, "ta");
    add(&queue, "b", 4, true, "jb");
    add(&queue, "c", 4, false, "tc");
    add(&queue, "d", 1, false, "td");
    assert_int_equal(queue.jobs, 2);
    order_is(&queue, false, "ta tc td ");
    assert_int_equal(queue.count, 2);
    order_is(&queue, true, "ja jb ");
}

static void test_those_who_leave_are_not_missed(void **state)
{
    (void)state;
    aard__queue queue = {0};
    caller_count = 0;
    caller *a1 = add(&queue, "a", 4, false, "a1"), *a2 = add(&queue, "a", 4, false, "a2");
    caller *a3 = add(&queue, "a", 4, false, "a3"), *b1 = add(&queue, "b", 4, false, "b1");
    add(&queue, "a", 4, false, "a4");
    aard__queue_remove(&queue, &a1->entry); /* the first of its tenant */
    aard__queue_remove(&queue, &a3->entry); /* in the middle */
    aard__queue_remove(&queue, &b1->entry); /* the only one */
    add(&queue, "a", 4, false, "a5");
    add(&queue, "b", 4, false, "b2");
    order_is(&queue, true, "a2 b2 a4 a5 ");
    assert_false(a2->entry.next == &a3->entry);
}

static void test_the_queue_against_a_plain_list(void **state)
{
    (void)state;
    static const char *const tenants[] = {"a", "b", "c", NULL};
    aard__queue queue = {0};
    bool in[COUNT(callers)] = {0};
    size_t count = 0;
    unsigned seed = 1;
    for (int step = 0; step < 200000; step++) {
        seed = seed * 1103515245 + 12345;
        size_t at = (seed >> 16) % COUNT(callers);
        if (!in[at]) {
            callers[at].entry = (aard__entry){
                .tenant = tenants[(seed >> 8) % 4], .level = (int)(seed >> 24) % 3, .job = seed & 4};
            aard__queue_add(&queue, &callers[at].entry);
            in[at] = true;
            count++;
        } else if (seed & 2) {
            aard__queue_remove(&queue, &callers[at].entry);
            in[at] = false;
            count--;
        } else {
            aard__entry *popped = aard__queue_pop(&queue, seed & 1);
            if (popped) {
                in[(caller *)popped - callers] = false;
                count--;
                for (size_t i = 0; i < COUNT(callers); i++)
                    assert_false(in[i] && callers[i].entry.level > popped->level &&
                                 (!callers[i].entry.job || (seed & 1)));
            }
        }
        assert_int_equal(queue.count, count);
    }
    while (aard__queue_pop(&queue, true)) count--;
    assert_int_equal(count, 0);
    for (int i = 0; i < AARD__QUEUE_BUCKETS; i++) assert_null(queue.buckets[i]);
}

/* ---- the histogram ------------------------------------------------------------------------------------------------------ */

static void test_percentiles_are_close_and_never_too_small(void **state)
{
    (void)state;
    for (uint64_t scale = 1; scale < UINT64_C(10000000000); scale *= 10) {
        aard__histogram histogram = {0};
        aard_percentiles p;
        for (uint64_t i = 1; i <= 1000; i++) aard__histogram_add(&histogram, i * scale);
        aard__histogram_read(&histogram, &p);
        const double want[] = {500, 950, 990}, have[] = {p.p50_ms, p.p95_ms, p.p99_ms};
        for (int i = 0; i < 3; i++) {
            double exact = want[i] * (double)scale / 1e6;
            assert_true(have[i] >= exact * 0.999999 && have[i] <= exact * 1.0625);
        }
        assert_int_equal(p.count, 1000);
        assert_true(p.max_ms == 1000 * (double)scale / 1e6);
    }
}

static void test_a_histogram_has_room_for_everything(void **state)
{
    (void)state;
    aard__histogram histogram = {0};
    aard_percentiles p;
    aard__histogram_read(&histogram, &p);
    assert_true(!p.count && p.p50_ms == 0 && p.p99_ms == 0 && p.max_ms == 0);
    aard__histogram_add(&histogram, 0);
    aard__histogram_read(&histogram, &p);
    assert_true(p.count == 1 && p.p99_ms == 0);
    for (unsigned bit = 0; bit < 64; bit++) aard__histogram_add(&histogram, UINT64_C(1) << bit);
    aard__histogram_add(&histogram, UINT64_MAX);
    aard__histogram_read(&histogram, &p);
    assert_true(p.count == 66 && p.p99_ms == (double)UINT64_MAX / 1e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrival_decides_within_a_tenant),
        cmocka_unit_test(test_tenants_take_turns),
        cmocka_unit_test(test_priorities_come_first),
        cmocka_unit_test(test_jobs_wait_for_workers_and_hold_up_nobody),
        cmocka_unit_test(test_those_who_leave_are_not_missed),
        cmocka_unit_test(test_the_queue_against_a_plain_list),
        cmocka_unit_test(test_percentiles_are_close_and_never_too_small),
        cmocka_unit_test(test_a_histogram_has_room_for_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
