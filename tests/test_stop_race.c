/* Calls that end at about the time of their limit, on several threads: each ends well or by its limit, and no late stop
 * hits a later call.  `make soak` makes 20 000 of them.  test-timeout: 900 */
#include "isolate_support.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, LIMIT_MS = 3 };

static const char *const files[][2] = {
    {"main.js",
     "export const spin = (ms) => { for (const end = performance.now() + ms; performance.now() < end;); return ms };"},
    {"main.py", "import time\ndef spin(ms):\n    end = time.perf_counter() + ms / 1000\n"
                "    while time.perf_counter() < end: pass\n    return ms\n"},
    {NULL, NULL}};

typedef struct racer {
    aard_isolate *isolate;
    aard_handler *handler;
    aard_cancel_handle *cancel;
    unsigned seed, calls, hits, misses;
    double lead; /* ms that a call itself takes, and whatever else keeps it from its limit */
    const char *wrong;
} racer;

static unsigned next_random(racer *r)
{
    r->seed = r->seed * 1103515245 + 12345;
    return r->seed >> 8;
}

/* NULL for an error, which is noted. */
static aard_outcome *spin(racer *r, aard_call *call, const char *ms)
{
    aard_outcome *outcome = NULL;
    aard_call_set_input_json(call, ms, strlen(ms));
    aard_error *error = aard_handler_invoke(r->handler, call, &outcome);
    if (error) r->wrong = "an error";
    aard_error_free(error);
    return outcome;
}

static bool gives(const aard_outcome *outcome, const char *ms)
{
    return aard_outcome_is_success(outcome) && !strcmp(aard_outcome_value_json(outcome, NULL), ms);
}

static void third_way(racer *r, const aard_outcome *outcome)
{
    r->wrong = "a limited call ended in a third way";
    print_error("%s: %s\n", aard_failure_kind_name(aard_outcome_failure_kind(outcome)),
                aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, NULL)
                                                 : aard_outcome_failure_message(outcome));
}

static void race_once(racer *r, aard_call *limited, aard_call *free_call)
{
    char ms[32];
    /* within 0.2 ms of the limit; an odd number, which is written as it is read */
    int us = (int)((LIMIT_MS - r->lead) * 1000) + (int)(next_random(r) % 400) - 200;
    snprintf(ms, sizeof ms, "%.3f", (double)((us > 0 ? us : 0) / 2 * 2 + 1) / 1000);
    aard_outcome *outcome = spin(r, limited, ms);
    if (!outcome) return;
    if (aard_outcome_failure_kind(outcome) == AARD_FAILURE_TIMEOUT_EXCEEDED)
        r->hits++, r->lead += r->lead < LIMIT_MS - 0.5 ? 0.01 : 0;
    else if (gives(outcome, ms))
        r->misses++, r->lead -= 0.01;
    else
        third_way(r, outcome);
    aard_outcome_free(outcome);
    if (!(outcome = spin(r, free_call, "0"))) return;
    if (!gives(outcome, "0")) r->wrong = "a call without a limit was hit";
    aard_outcome_free(outcome);
}

static void *race(void *user)
{
    racer *r = user;
    aard_call *limited, *free_call;
    if (aard_call_new(&limited) || aard_call_new(&free_call)) abort();
    aard_call_set_wall_limit_ms(limited, LIMIT_MS);
    aard_call_set_cancel_handle(limited, r->cancel);
    for (unsigned i = 0; i < r->calls && !r->wrong; i++) race_once(r, limited, free_call);
    aard_call_free(limited);
    aard_call_free(free_call);
    return NULL;
}

static void test_calls_that_end_at_their_limit(void **state)
{
    (void)state;
    racer racers[THREADS] = {0};
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        racer *r = &racers[i];
        aard_isolate_config *config = config_of(i % 2 ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT);
        r->isolate = boot(config, bundle_of(files));
        assert_ok(aard_handler_new(r->isolate, "main:spin", &r->handler));
        assert_ok(aard_cancel_handle_new(&r->cancel));
        r->seed = i + 1;
        r->lead = 0.02;
        r->calls = (unsigned)soak_count(1000, 20000) / THREADS;
        aard_call *warm_up = NULL;
        assert_ok(aard_call_new(&warm_up));
        for (int k = 0; k < 20; k++) aard_outcome_free(spin(r, warm_up, "1"));
        aard_call_free(warm_up);
    }
    for (unsigned i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    unsigned hits = 0, misses = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        racer *r = &racers[i];
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (r->wrong) fail_msg("thread %u: %s", i, r->wrong);
        hits += r->hits;
        misses += r->misses;
        aard_handler_free(r->handler);
        aard_isolate_free(r->isolate);
        aard_cancel_handle_free(r->cancel);
    }
    print_message("%u calls were ended by their limit, %u ended before\n", hits, misses);
    assert_true(hits && misses); /* or it was no race */
}

/* ---- cancelling ------------------------------------------------------------------------------------------------- */

typedef struct canceller {
    _Atomic(aard_cancel_handle *) handle;
    atomic_bool over;
} canceller;

/* Cancels whatever handle there is, at any time. */
static void *cancel_all(void *user)
{
    canceller *c = user;
    while (!atomic_load(&c->over)) {
        aard_cancel_handle *handle = atomic_exchange(&c->handle, NULL);
        if (!handle) continue;
        aard_cancel(handle);
        aard_cancel_handle_free(handle);
    }
    return NULL;
}

static void test_calls_that_are_cancelled_as_they_end(void **state)
{
    (void)state;
    canceller c = {0};
    pthread_t thread;
    racer r = {.seed = 7};
    r.isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    assert_ok(aard_handler_new(r.isolate, "main:spin", &r.handler));
    assert_int_equal(pthread_create(&thread, NULL, cancel_all, &c), 0);
    unsigned times = (unsigned)soak_count(1000, 20000);
    for (unsigned i = 0; i < times || ((!r.hits || !r.misses) && i < 50 * times); i++) {
        aard_cancel_handle *handle = NULL;
        aard_call *call = NULL;
        char ms[32];
        snprintf(ms, sizeof ms, "0.%03u", next_random(&r) % 45 * 2 + 11);
        assert_ok(aard_cancel_handle_new(&handle));
        assert_ok(aard_call_new(&call));
        aard_call_set_cancel_handle(call, handle);
        atomic_store(&c.handle, handle); /* the call has a share of its own */
        aard_outcome *outcome = spin(&r, call, ms);
        assert_null(r.wrong);
        bool cancelled = aard_outcome_failure_kind(outcome) == AARD_FAILURE_CANCELLED;
        if (!cancelled && !gives(outcome, ms)) fail_msg("neither cancelled nor %s", ms);
        *(cancelled ? &r.hits : &r.misses) += 1;
        aard_outcome_free(outcome);
        aard_cancel_handle_free(atomic_exchange(&c.handle, NULL));
        aard_call_free(call);
        assert_ok(aard_call_new(&call));
        outcome = spin(&r, call, "0");
        if (!gives(outcome, "0")) fail_msg("a call that has no handle was hit");
        aard_outcome_free(outcome);
        aard_call_free(call);
    }
    atomic_store(&c.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("%u calls were cancelled, %u ended before\n", r.hits, r.misses);
    assert_true(r.hits && r.misses);
    aard_handler_free(r.handler);
    aard_isolate_free(r.isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_that_end_at_their_limit),
        cmocka_unit_test(test_calls_that_are_cancelled_as_they_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
