/* Garbage of realms that are gone is collected between calls, where nobody waits, and not within them.  test-quick */
#include "inside.h"
#include "isolate_support.h"

enum { CYCLES = 150, MUCH = 4 << 20 };

typedef struct drops {
    size_t within, between; /* times that much memory came back: in calls, and in what is done between them */
} drops;

static size_t used(const aard_isolate *isolate)
{
    aard__heap heap;
    aard__vm_heap(worker_of(isolate)->guest->vm, &heap);
    return heap.used;
}

static void cycle(aard_isolate *isolate, bool prepares, drops *seen)
{
    size_t before = used(isolate);
    aard_outcome_free(exec(isolate, "globalThis.list = Array.from({length: 100}, (_, i) => [i])"));
    size_t after = used(isolate);
    if (before > after + MUCH) seen->within++;
    assert_ok(aard_isolate_reset(isolate));
    if (prepares) assert_ok(aard_isolate_prepare_reset(isolate));
    if (after > used(isolate) + MUCH) seen->between++;
}

static void collects(bool prepares)
{
    drops seen = {0, 0};
    aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    for (size_t i = 0; i < CYCLES; i++) cycle(isolate, prepares, &seen);
    print_message("%zu within calls, %zu between them\n", seen.within, seen.between);
    assert_true(seen.between >= 3);
    assert_true(seen.within <= seen.between / 2); /* where threads of V8's hardly come to run, that can be */
    aard_isolate_free(isolate);
}

static void test_resets_collect(void **state)
{
    (void)state;
    collects(false);
}

static void test_resets_ahead_of_need_collect(void **state)
{
    (void)state;
    collects(true);
}

/* What lives is no garbage: it is not looked for again and again. */
static void test_a_large_heap_is_left_alone(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_outcome_free(exec(isolate, "globalThis.kept = Array.from({length: 2e6}, (_, i) => ({i})); 1"));
    for (size_t i = 0; i < 20; i++) {
        assert_ok(aard_isolate_prepare_reset(isolate));
        aard_outcome *outcome = exec(isolate, "kept.length");
        assert_string_equal(aard_outcome_value_json(outcome, NULL), "2000000");
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resets_collect),
        cmocka_unit_test(test_resets_ahead_of_need_collect),
        cmocka_unit_test(test_a_large_heap_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
