/* Pools of isolates: calls, sizes, waiting, what becomes of isolates, statistics.  Each option of a pool is tried here, and each
 * test fails without it.  test-quick */
#include "pool_support.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- calls ------------------------------------------------------------------------------------------------------------- */

static void test_calls_find_a_clean_guest(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    for (int i = 0; i < 20; i++) {
        value_is(pool_call(pool, "main:count", NULL), "1");
        value_is(pool_exec(pool, "globalThis.seen = (globalThis.seen ?? 0) + 1"), "1");
        value_is(pool_call(pool, NULL, "[1,2]"), "[1,2]"); /* the first handler */
    }
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.calls == 60 && stats.succeeded == 60 && stats.failed == 0 && stats.leases == 60);
    assert_true(stats.resets == 60 && stats.created == 1 && stats.freed == 0);
    assert_true(stats.run.count == 60 && stats.total.count == 60 && stats.queue_wait.count == 60);
    assert_true(stats.run.p50_ms > 0 && stats.run.p50_ms <= stats.run.p95_ms && stats.run.p95_ms <= stats.run.p99_ms);
    aard_pool_free(pool);
}

static void test_without_cleanup_guests_keep_what_they_have(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_isolate_config_free(isolate);
    aard_pool *pool = pool_of(config);
    value_is(pool_call(pool, "main:count", NULL), "1");
    value_is(pool_call(pool, "main:count", NULL), "2");
    assert_int_equal(stats_of(pool).resets, 0);
    aard_pool_free(pool);
}

static void test_a_python_pool(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json", "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:count\"}"},
        {"main.py", "n = []\ndef count(x):\n    n.append(x)\n    return len(n)\n"},
        {NULL, NULL},
    };
    aard_pool_config *config;
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_PYTHON);
    aard_bundle *bundle = bundle_of(files);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    assert_ok(aard_pool_config_new(&config));
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_pool_config_set_bundle(config, bundle);
    aard_pool_config_set_size(config, 2, 0, 2);
    aard_isolate_config_free(isolate);
    aard_bundle_free(bundle);
    aard_pool *pool = pool_of(config);
    for (int i = 0; i < 10; i++) {
        value_is(pool_call(pool, NULL, "7"), "1");
        value_is(pool_call(pool, "main:count", "7"), "1"); /* the manifest's, by its name */
        exception_is(pool_exec(pool, "seen"), "NameError", NULL, NULL);
        value_is(pool_exec(pool, "seen = 1"), "null");
    }
    assert_int_equal(stats_at_rest(pool).created, 2);
    failure_is(pool_exec(pool, "import os\nos.abort()"), AARD_FAILURE_ENGINE_CRASHED, NULL);
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.quarantined[0] == 1 && stats.created == 3 && stats.idle == 2);
    aard_pool_free(pool);
}

static void test_what_is_asked_wrongly_is_refused(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1)), *none = NULL;
    aard_outcome *outcome = NULL;
    aard_pool_request request = {.struct_size = sizeof request, .entrypoint = "main:nobody"};
    assert_refused(aard_pool_invoke(pool, &request, NULL, &outcome), AARD_ERR_NOT_FOUND, "main:nobody", NULL);
    request.priority = 4;
    assert_refused(aard_pool_invoke(pool, &request, NULL, &outcome), AARD_ERR_INVALID_ARGUMENT, "priority", NULL);
    request.struct_size = 0;
    assert_refused(aard_pool_invoke(pool, &request, NULL, &outcome), AARD_ERR_INVALID_ARGUMENT, "struct_size", NULL);
    assert_null(outcome);
    aard_pool_free(pool);
    aard_pool_config *config = pool_config(1);
    assert_refused(aard_pool_config_add_handler(config, "main:echo"), AARD_ERR_INVALID_ARGUMENT, "main:echo", NULL);
    aard_pool_config_set_size(config, 3, 0, 2);
    assert_refused(aard_pool_new(config, &none), AARD_ERR_INVALID_ARGUMENT, "3", "2", NULL);
    aard_pool_config_set_size(config, 1, 3, 2);
    assert_refused(aard_pool_new(config, &none), AARD_ERR_INVALID_ARGUMENT, "idle", NULL);
    aard_pool_config_set_size(config, 0, 0, 0); /* the default */
    aard_pool_config_set_start(config, (aard_pool_start)7);
    assert_refused(aard_pool_new(config, &none), AARD_ERR_INVALID_ARGUMENT, "start", NULL);
    assert_null(none);
    aard_pool_config_free(config);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------------- */

static void test_starts(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(3);
    aard_pool *pool = pool_of(config);
    assert_true(stats_of(pool).idle == 3 && stats_of(pool).created == 3);
    aard_pool_free(pool);

    config = pool_config(3);
    aard_pool_config_set_start(config, AARD_POOL_START_BACKGROUND);
    pool = pool_of(config);
    assert_int_equal(stats_at_rest(pool).idle, 3);
    aard_pool_free(pool);

    config = pool_config(3);
    aard_pool_config_set_start(config, AARD_POOL_START_LAZY);
    pool = pool_of(config);
    pause_ms(20);
    assert_int_equal(stats_of(pool).created, 0);
    value_is(pool_call(pool, NULL, "1"), "1");
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.created == 1 && stats.idle == 1); /* as many as were wanted */
    aard_lease *leases[3];
    for (int i = 0; i < 3; i++) leases[i] = lease_of(pool);
    assert_int_equal(stats_of(pool).created, 3);
    for (int i = 0; i < 3; i++) aard_lease_release(leases[i]);
    aard_pool_free(pool);
}

static void test_a_pool_grows_to_its_maximum_and_not_beyond(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_size(config, 1, 0, 3);
    aard_pool *pool = pool_of(config);
    aard_lease *leases[3], *none = NULL;
    for (int i = 0; i < 3; i++) leases[i] = lease_of(pool);
    const aard_pool_request request = {.struct_size = sizeof request, .acquire_timeout_ms = 20};
    assert_refused(aard_pool_acquire(pool, &request, &none), AARD_ERR_POOL_TIMEOUT, "3 of at most 3", NULL);
    assert_int_equal(stats_of(pool).created, 3);
    for (int i = 0; i < 3; i++) aard_lease_release(leases[i]);
    aard_pool_free(pool);
}

static void test_idle_isolates_are_made_ahead(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(2);
    aard_pool_config_set_size(config, 2, 2, 5);
    aard_pool *pool = pool_of(config);
    aard_lease *leases[5];
    for (int i = 0; i < 5; i++) {
        leases[i] = lease_of(pool);
        aard_pool_stats stats = stats_at_rest(pool);
        size_t left = 5 - (size_t)i - 1;
        assert_int_equal(stats.idle, left < 2 ? left : 2);
    }
    for (int i = 0; i < 5; i++) aard_lease_release(leases[i]);
    aard_pool_free(pool);
}

static void test_the_desired_size_can_be_set(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_size(config, 1, 0, 4);
    aard_pool *pool = pool_of(config);
    assert_ok(aard_pool_set_desired_size(pool, 4));
    assert_int_equal(stats_at_rest(pool).idle, 4);
    aard_lease *leases[3];
    for (int i = 0; i < 3; i++) leases[i] = lease_of(pool);
    assert_ok(aard_pool_set_desired_size(pool, 1)); /* the idle one goes at once */
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.idle == 0 && stats.leased == 3 && stats.scale_downs == 1 && stats.freed == 1);
    for (int i = 0; i < 3; i++) aard_lease_release(leases[i]);
    stats = stats_at_rest(pool); /* and two when they come back */
    assert_true(stats.idle == 1 && stats.scale_downs == 3 && stats.freed == 3);
    assert_refused(aard_pool_set_desired_size(pool, 5), AARD_ERR_INVALID_ARGUMENT, "5", "4", NULL);
    assert_ok(aard_pool_resize(pool, 5, 1, 6));
    stats = stats_at_rest(pool);
    assert_true(stats.idle == 5 && stats.desired == 5 && stats.minimum_idle == 1 && stats.maximum == 6);
    assert_refused(aard_pool_resize(pool, 5, 7, 6), AARD_ERR_INVALID_ARGUMENT, "7", NULL);
    aard_pool_free(pool);
}

/* What a smaller desired size frees is not made again for the minimum of idle ones. */
static void test_a_smaller_size_keeps_the_minimum_idle(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(4);
    aard_pool_config_set_size(config, 4, 0, 8);
    aard_pool *pool = pool_of(config);
    aard_lease *leases[3];
    for (int i = 0; i < 3; i++) leases[i] = lease_of(pool);
    assert_ok(aard_pool_resize(pool, 1, 2, 8));
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.idle == 2 && stats.leased == 3 && stats.created == 5 && stats.freed == 0);
    for (int i = 0; i < 3; i++) aard_lease_release(leases[i]);
    stats = stats_at_rest(pool);
    assert_true(stats.idle == 2 && stats.created == 5 && stats.freed == 3 && stats.scale_downs == 3);
    aard_pool_free(pool);
}

static void test_idle_isolates_are_freed_down_to_the_minimum(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(4);
    aard_pool_config_set_size(config, 4, 1, 4);
    aard_pool_config_set_idle_timeout_ms(config, 30);
    aard_pool *pool = pool_of(config);
    wait_for_stats(pool, s.scale_downs == 3 && s.freed == 3);
    pause_ms(60);
    assert_true(stats_of(pool).idle == 1 && stats_of(pool).created == 4); /* none is made again unasked */
    aard_lease *leases[3];
    for (int i = 0; i < 3; i++) leases[i] = lease_of(pool);
    assert_true(stats_of(pool).created >= 6);
    for (int i = 0; i < 3; i++) aard_lease_release(leases[i]);
    aard_pool_free(pool);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------------- */

typedef struct caller {
    pthread_t thread;
    aard_pool *pool;
    aard_pool_request request;
    const char *name;
    aard_error *error;
    aard_cancel_handle *cancel;
    aard_outcome *outcome;
} caller;

static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER;
static char order[256];

static void note(const char *name)
{
    pthread_mutex_lock(&order_lock);
    strcat(strcat(order, name), " ");
    pthread_mutex_unlock(&order_lock);
}

static void *hold_and_release(void *user)
{
    caller *c = user;
    aard_lease *lease = NULL;
    c->error = aard_pool_acquire(c->pool, &c->request, &lease);
    if (!c->error) note(c->name);
    aard_lease_release(lease);
    return NULL;
}

static void start(caller *c, aard_pool *pool, const char *name, const char *tenant, int priority)
{
    size_t waiting = stats_of(pool).waiting;
    *c = (caller){.pool = pool, .name = name};
    c->request = (aard_pool_request){.struct_size = sizeof c->request, .tenant = tenant, .priority = priority};
    assert_int_equal(pthread_create(&c->thread, NULL, hold_and_release, c), 0);
    wait_for_stats(pool, s.waiting == waiting + 1);
}

static void test_tenants_take_turns_and_priorities_come_first(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool);
    caller callers[7];
    order[0] = 0;
    start(&callers[0], pool, "g1", "greedy", 0);
    start(&callers[1], pool, "g2", "greedy", 0);
    start(&callers[2], pool, "g3", "greedy", 0);
    start(&callers[3], pool, "m1", "modest", 0);
    start(&callers[4], pool, "m2", "modest", 0);
    start(&callers[5], pool, "low", "other", -1);
    start(&callers[6], pool, "high", "greedy", 3);
    aard_lease_release(lease);
    for (size_t i = 0; i < COUNT(callers); i++) pthread_join(callers[i].thread, NULL);
    assert_string_equal(order, "high g1 m1 g2 m2 g3 low ");
    aard_pool_stats stats = stats_of(pool);
    assert_true(stats.leases == 8 && stats.queue_wait.count == 8 && stats.queue_wait.max_ms > 0);
    aard_pool_free(pool);
}

static void test_the_queue_has_a_bound(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_queue_limit(config, 2);
    aard_pool *pool = pool_of(config);
    aard_lease *lease = lease_of(pool), *none = NULL;
    caller callers[2];
    order[0] = 0;
    start(&callers[0], pool, "1", NULL, 0);
    start(&callers[1], pool, "2", NULL, 0);
    assert_refused(aard_pool_acquire(pool, NULL, &none), AARD_ERR_POOL_FULL, "2 calls wait", NULL);
    assert_int_equal(stats_of(pool).refused, 1);
    aard_lease_release(lease);
    for (int i = 0; i < 2; i++) pthread_join(callers[i].thread, NULL);
    assert_string_equal(order, "1 2 ");
    aard_pool_free(pool);
}

static void test_failing_fast(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_queue_limit(config, AARD_POOL_NO_QUEUE);
    aard_pool_config_set_start(config, AARD_POOL_START_LAZY);
    aard_pool *pool = pool_of(config);
    aard_lease *lease = lease_of(pool), *none = NULL; /* one that is made for the call does not count as waiting */
    aard_outcome *outcome = NULL;
    assert_refused(aard_pool_invoke(pool, NULL, NULL, &outcome), AARD_ERR_POOL_FULL, "limit 0", NULL);
    assert_ok(aard_pool_try_acquire(pool, &none));
    assert_null(none);
    aard_lease_release(lease);
    stats_at_rest(pool);
    assert_ok(aard_pool_try_acquire(pool, &lease));
    assert_non_null(lease);
    aard_lease_release(lease);
    aard_pool_free(pool);

    pool = pool_of(pool_config(1)); /* the same by the call's own wish */
    lease = lease_of(pool);
    const aard_pool_request request = {.struct_size = sizeof request, .no_wait = true};
    assert_refused(aard_pool_acquire(pool, &request, &none), AARD_ERR_POOL_FULL, NULL);
    aard_lease_release(lease);
    stats_at_rest(pool);
    assert_ok(aard_pool_acquire(pool, &request, &lease));
    aard_lease_release(lease);
    aard_pool_free(pool);
}

static void test_a_call_waits_only_so_long(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_acquire_timeout_ms(config, 20);
    aard_pool *pool = pool_of(config);
    aard_lease *lease = lease_of(pool);
    aard_outcome *outcome = NULL;
    double begun = now_ms();
    assert_refused(aard_pool_invoke(pool, NULL, NULL, &outcome), AARD_ERR_POOL_TIMEOUT, "in time", NULL);
    assert_true(now_ms() - begun >= 20);
    caller patient;
    order[0] = 0;
    patient = (caller){.pool = pool, .name = "patient"};
    patient.request = (aard_pool_request){.struct_size = sizeof patient.request,
                                          .acquire_timeout_ms = AARD_POOL_FOREVER};
    assert_int_equal(pthread_create(&patient.thread, NULL, hold_and_release, &patient), 0);
    wait_for_stats(pool, s.waiting == 1);
    pause_ms(60);
    assert_true(stats_of(pool).waiting == 1 && stats_of(pool).timed_out == 1);
    aard_lease_release(lease);
    pthread_join(patient.thread, NULL);
    assert_string_equal(order, "patient ");
    aard_pool_free(pool);
}

static void *call_cancellably(void *user)
{
    caller *c = user;
    aard_call *call = NULL;
    assert_ok(aard_call_new(&call));
    aard_call_set_cancel_handle(call, c->cancel);
    c->error = aard_pool_invoke(c->pool, &c->request, call, &c->outcome);
    aard_call_free(call);
    return NULL;
}

static void test_a_call_that_waits_can_be_cancelled(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool);
    caller c = {.pool = pool, .request = {.struct_size = sizeof c.request}};
    assert_ok(aard_cancel_handle_new(&c.cancel));
    assert_int_equal(pthread_create(&c.thread, NULL, call_cancellably, &c), 0);
    wait_for_stats(pool, s.waiting == 1);
    aard_cancel(c.cancel);
    pthread_join(c.thread, NULL);
    assert_ok(c.error);
    assert_true(aard_outcome_diagnostics(c.outcome)->queue_wait_ms > 0);
    failure_is(check_form(c.outcome), AARD_FAILURE_CANCELLED, "while it waited", NULL);
    aard_lease *none = NULL;
    const aard_pool_request request = {.struct_size = sizeof request, .cancel = c.cancel};
    assert_refused(aard_pool_acquire(pool, &request, &none), AARD_ERR_POOL_CANCELLED, NULL);
    assert_true(stats_of(pool).cancelled == 2 && stats_of(pool).waiting == 0);
    aard_lease_release(lease);
    aard_cancel_handle_free(c.cancel);
    aard_pool_free(pool);
}

/* ---- what becomes of isolates ------------------------------------------------------------------------------------------- */

static void test_recycling(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        aard_recycle cause;
        void (*set)(aard_pool_config *config, size_t limit);
        size_t limit;
    } rows[] = {
        {"heap", AARD_RECYCLE_HEAP, aard_pool_config_set_max_heap, 1024},
        {"rss", AARD_RECYCLE_RSS, aard_pool_config_set_max_rss, 1024},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_pool_config *config = pool_config(1);
        rows[i].set(config, rows[i].limit);
        aard_pool *pool = pool_of(config);
        value_is(pool_call(pool, NULL, "1"), "1");
        value_is(pool_call(pool, NULL, "1"), "1");
        aard_pool_stats stats = stats_at_rest(pool);
        assert_true(stats.recycled[rows[i].cause] == 2 && stats.created == 3 && stats.freed == 2 && stats.idle == 1);
        assert_int_equal(stats.heap_kib, 0); /* what is gone does not count */
        aard_pool_free(pool);
    }
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_max_calls(config, 3);
    aard_pool *pool = pool_of(config);
    for (int i = 0; i < 7; i++) value_is(pool_call(pool, NULL, "1"), "1");
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.recycled[AARD_RECYCLE_CALLS] == 2 && stats.created == 3 && stats.heap_kib > 0);
    aard_pool_free(pool);

    config = pool_config(1);
    aard_pool_config_set_max_age_ms(config, 40);
    pool = pool_of(config);
    wait_for_stats(pool, s.recycled[AARD_RECYCLE_AGE] >= 2 && s.created >= 3); /* idle ones, too */
    aard_pool_free(pool);
}

static void quarantined(aard_pool *pool, unsigned bit, uint64_t count)
{
    aard_pool_stats stats = stats_at_rest(pool);
    for (unsigned i = 0; i < AARD_QUARANTINE_CAUSES; i++) assert_int_equal(stats.quarantined[i], i == bit ? count : 0);
    assert_true(stats.created == 1 + count && stats.freed == count && stats.idle == 1);
}

static void test_quarantine_after_violations(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool *pool = pool_of(config);
    value_is(pool_call(pool, "main:bad", NULL), "\"done\"");
    quarantined(pool, 2, 1);
    value_is(pool_call(pool, NULL, "1"), "1");
    aard_pool_free(pool);
    config = pool_config(1);
    aard_pool_config_set_quarantine(config, 0);
    pool = pool_of(config);
    value_is(pool_call(pool, "main:bad", NULL), "\"done\"");
    quarantined(pool, 2, 0);
    aard_pool_free(pool);
}

static const char fills_the_heap[] = "const a = []; for (;;) a.push({ x: a.length })";

static aard_pool *pool_with_limit(uint64_t wall_ms, unsigned causes)
{
    aard_pool_config *config = pool_config(1);
    aard_isolate_config *isolate = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_wall_limit_ms(isolate, wall_ms);
    aard_isolate_config_set_heap_limit(isolate, (size_t)24 << 20);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    assert_ok(aard_pool_config_set_isolate(config, isolate));
    aard_isolate_config_free(isolate);
    aard_pool_config_set_quarantine(config, causes);
    return pool_of(config);
}

static void test_quarantine_after_limits(void **state)
{
    (void)state;
    aard_pool *pool = pool_with_limit(50, AARD_QUARANTINE_TIMEOUT);
    failure_is(pool_call(pool, "main:spin", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    quarantined(pool, 3, 1);
    aard_pool_free(pool);
    pool = pool_with_limit(60000, AARD_QUARANTINE_HEAP_LIMIT);
    failure_is(pool_exec(pool, fills_the_heap), AARD_FAILURE_HEAP_LIMIT_EXCEEDED, NULL);
    quarantined(pool, 4, 1);
    aard_pool_free(pool);
    pool = pool_with_limit(50, 0); /* else it is reset, and the next call finds it clean */
    failure_is(pool_call(pool, "main:spin", NULL), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    value_is(pool_call(pool, "main:count", NULL), "1");
    quarantined(pool, 3, 0);
    aard_pool_free(pool);
}

/* The engine would have ended the process: the guest is left where it is. */
static void test_quarantine_of_abandoned_guests(void **state)
{
    (void)state;
    aard_pool *pool = pool_with_limit(60000, AARD_QUARANTINE_GUEST_ABANDONED | AARD_QUARANTINE_HEAP_LIMIT);
    aard_outcome *outcome = pool_exec(pool, fills_the_heap);
    assert_true(aard_outcome_diagnostics(outcome)->guest_abandoned);
    aard_outcome_free(outcome);
    quarantined(pool, 1, 1); /* counted once */
    aard_pool_free(pool);
}

static void test_a_lease_can_be_discarded(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool);
    aard_outcome *outcome = NULL;
    assert_ok(aard_lease_invoke(lease, "main:count", NULL, &outcome));
    value_is(outcome, "1");
    assert_ok(aard_lease_exec(lease, "globalThis.x = 1", 16, NULL, NULL, &outcome));
    value_is(outcome, "1");
    assert_ok(
        aard_lease_exec(lease, "x", 1, NULL, NULL, &outcome)); /* the lease's guest is the same until it is over */
    value_is(outcome, "1");
    assert_ok(aard_isolate_exec(aard_lease_isolate(lease), "x + 1", 5, NULL, NULL, &outcome));
    value_is(outcome, "2");
    assert_int_equal(stats_of(pool).calls, 3);
    aard_lease_discard(lease);
    quarantined(pool, 6, 1);
    assert_string_equal(aard_quarantine_name(AARD_QUARANTINE_DISCARDED), "discarded");
    aard_pool_free(pool);
}

/* ---- hooks and failing creations ---------------------------------------------------------------------------------------- */

typedef struct hooks {
    atomic_int seen[6], finalized, refusals; /* refusals: how many creations are to fail */
    atomic_int recycled_by_calls;
} hooks;

static aard_error *on_event(void *user, const aard_pool_event *event)
{
    hooks *h = user;
    atomic_fetch_add(&h->seen[event->kind], 1);
    if (event->kind == AARD_POOL_RECYCLED && !strcmp(event->cause, "calls")) atomic_fetch_add(&h->recycled_by_calls, 1);
    if (event->kind != AARD_POOL_CREATED) return NULL;
    if (atomic_fetch_sub(&h->refusals, 1) > 0) { /* an error that a host may have from anywhere */
        aard_outcome *outcome = NULL;
        return aard_isolate_exec(event->isolate, NULL, 1, NULL, NULL, &outcome);
    }
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_exec(event->isolate, "1", 1, NULL, NULL, &outcome);
    aard_outcome_free(outcome);
    return error;
}

static void on_final(void *user) { atomic_fetch_add(&((hooks *)user)->finalized, 1); }

static void test_hooks(void **state)
{
    (void)state;
    hooks h = {0};
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_max_calls(config, 2);
    assert_ok(aard_pool_config_set_hook(config, on_event, &h, on_final));
    aard_pool *pool = pool_of(config);
    for (int i = 0; i < 4; i++) value_is(pool_call(pool, NULL, "1"), "1");
    value_is(pool_call(pool, "main:bad", NULL), "\"done\"");
    stats_at_rest(pool);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_CREATED]), 4);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_BEFORE_CALL]), 5);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_AFTER_CALL]), 5);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_RECYCLED]), 2);
    assert_int_equal(atomic_load(&h.recycled_by_calls), 2);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_QUARANTINED]), 1);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_FREED]), 3);
    assert_int_equal(atomic_load(&h.finalized), 0);
    aard_pool_free(pool);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_FREED]), 4);
    assert_int_equal(atomic_load(&h.finalized), 1);
    assert_refused(aard_pool_config_set_hook(NULL, on_event, &h, on_final), AARD_ERR_INVALID_ARGUMENT, NULL);
    assert_int_equal(atomic_load(&h.finalized), 2);
}

static aard_error *prepares_the_guest(void *user, const aard_pool_event *event)
{
    if (event->kind != AARD_POOL_CREATED) return NULL;
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_exec(event->isolate, "base = 40", 9, NULL, NULL, &outcome);
    aard_outcome_free(outcome);
    return error || !*(bool *)user ? error : aard_isolate_checkpoint(event->isolate);
}

/* Of what the hook did to a new isolate every call finds the same, the first as all others. */
static void test_a_hook_can_prepare_guests(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bool keeps = i;
        aard_pool_config *config;
        aard_isolate_config *isolate = config_of(AARD_LANGUAGE_PYTHON);
        aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
        assert_ok(aard_pool_config_new(&config));
        assert_ok(aard_pool_config_set_isolate(config, isolate));
        assert_ok(aard_pool_config_set_hook(config, prepares_the_guest, &keeps, NULL));
        aard_isolate_config_free(isolate);
        aard_pool *pool = pool_of(config);
        for (int k = 0; k < 3; k++) {
            aard_outcome *outcome = pool_exec(pool, "base += 2\nbase");
            if (keeps) value_is(outcome, "42");
            if (!keeps) exception_is(outcome, "NameError", NULL, NULL);
        }
        aard_pool_free(pool);
    }
}

static void test_a_failed_creation_leaves_no_pool(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(2);
    aard_pool *pool = NULL;
    assert_ok(aard_pool_config_add_handler(config, "main"));
    assert_refused(aard_pool_new(config, &pool), AARD_ERR_ENTRYPOINT_INVALID, "main", NULL);
    assert_null(pool);
    aard_pool_config_free(config);
}

static void test_who_waits_hears_of_failed_creations(void **state)
{
    (void)state;
    hooks h = {.refusals = 3};
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_start(config, AARD_POOL_START_LAZY);
    assert_ok(aard_pool_config_set_hook(config, on_event, &h, on_final));
    aard_pool *pool = pool_of(config);
    aard_outcome *outcome = NULL;
    assert_refused(aard_pool_invoke(pool, NULL, NULL, &outcome), AARD_ERR_INVALID_ARGUMENT, "no isolate",
                   "NULL has no bytes", NULL);
    int made = atomic_load(&h.seen[AARD_POOL_CREATED]);
    assert_int_equal(made, 1);
    assert_refused(aard_pool_invoke(pool, NULL, NULL, &outcome), AARD_ERR_INVALID_ARGUMENT, NULL); /* backing off */
    assert_int_equal(stats_of(pool).created, 0);
    assert_int_equal(stats_of(pool).creations_failed, (uint64_t)atomic_load(&h.seen[AARD_POOL_CREATED]));
    for (int i = 0; i < 1000; i++) { /* it is tried again, later and later, until it works */
        aard_error *error = aard_pool_invoke(pool, NULL, NULL, &outcome);
        if (!error) break;
        aard_error_free(error);
        pause_ms(2);
    }
    assert_non_null(outcome);
    aard_outcome_free(outcome);
    aard_pool_stats stats = stats_at_rest(pool);
    assert_true(stats.creations_failed == 3 && stats.created == 1);
    aard_pool_free(pool);
}

/* ---- the end ----------------------------------------------------------------------------------------------------------- */

static void *drain(void *user)
{
    caller *c = user;
    c->error = aard_pool_drain(c->pool, 30000);
    return NULL;
}

static void test_a_drain_waits_and_refuses(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool), *none = NULL;
    caller waiting, drainer = {.pool = pool};
    order[0] = 0;
    start(&waiting, pool, "waits", NULL, 0);
    assert_refused(aard_pool_drain(pool, 10), AARD_ERR_POOL_TIMEOUT, "1 isolates are in use", "1 calls wait", NULL);
    assert_int_equal(pthread_create(&drainer.thread, NULL, drain, &drainer), 0);
    assert_refused(aard_pool_acquire(pool, NULL, &none), AARD_ERR_POOL_CLOSED, NULL);
    assert_refused(aard_pool_try_acquire(pool, &none), AARD_ERR_POOL_CLOSED, NULL);
    assert_refused(aard_pool_set_desired_size(pool, 1), AARD_ERR_POOL_CLOSED, NULL);
    assert_refused(aard_pool_wait_ready(pool, 1), AARD_ERR_POOL_CLOSED, NULL);
    aard_lease_release(lease);
    pthread_join(waiting.thread, NULL);
    pthread_join(drainer.thread, NULL);
    assert_ok(drainer.error);
    assert_string_equal(order, "waits "); /* what was there before is served */
    aard_pool_free(pool);
}

static void test_a_lease_outlives_its_pool(void **state)
{
    (void)state;
    hooks h = {0};
    aard_pool_config *config = pool_config(3);
    assert_ok(aard_pool_config_set_hook(config, on_event, &h, on_final));
    aard_pool *pool = pool_of(config);
    aard_lease *leases[2] = {lease_of(pool), lease_of(pool)};
    caller waiting = {0};
    aard_pool_free(pool);
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_FREED]), 1);
    for (int i = 0; i < 2; i++) {
        aard_outcome *outcome = NULL;
        assert_ok(aard_lease_invoke(leases[i], "main:count", NULL, &outcome));
        value_is(outcome, "1");
        aard_lease_release(leases[i]);
    }
    assert_int_equal(atomic_load(&h.seen[AARD_POOL_FREED]), 3);
    assert_int_equal(atomic_load(&h.finalized), 1);
    (void)waiting;
}

static void test_those_who_wait_are_told_that_the_pool_is_freed(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool);
    caller waiting;
    start(&waiting, pool, "waits", NULL, 0);
    aard_pool_free(pool);
    pthread_join(waiting.thread, NULL);
    assert_refused(waiting.error, AARD_ERR_POOL_CLOSED, NULL);
    aard_lease_release(lease);
}

static void *drain_for_ever(void *user)
{
    caller *c = user;
    c->error = aard_pool_drain(c->pool, 0);
    return NULL;
}

static void test_a_drain_ends_with_its_pool(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_lease *lease = lease_of(pool), *none = NULL;
    caller drainer = {.pool = pool};
    assert_int_equal(pthread_create(&drainer.thread, NULL, drain_for_ever, &drainer), 0);
    for (bool closed = false; !closed; pause_ms(1)) {
        aard_error *error = aard_pool_try_acquire(pool, &none);
        closed = aard_error_get_code(error) == AARD_ERR_POOL_CLOSED;
        aard_error_free(error);
    }
    aard_pool_free(pool);
    pthread_join(drainer.thread, NULL);
    assert_refused(drainer.error, AARD_ERR_POOL_CLOSED, NULL);
    aard_lease_release(lease);
}

/* ---- statistics ---------------------------------------------------------------------------------------------------------- */

static void test_statistics_as_text(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(2);
    assert_ok(aard_pool_config_set_name(config, "a \"pool\"\\"));
    aard_pool *pool = pool_of(config);
    value_is(pool_call(pool, NULL, "1"), "1");
    value_is(pool_call(pool, "main:bad", NULL), "\"done\"");
    stats_at_rest(pool);
    char *text = NULL;
    size_t len = 0;
    assert_ok(aard_pool_stats_json(pool, &text, &len));
    assert_int_equal(strlen(text), len);
    assert_ok(aard_json_check(text, len));
    assert_contains(text, "\"name\":\"a \\\"pool\\\"\\\\\"");
    assert_contains(text, "\"calls\":2,");
    assert_contains(text, "\"quarantined\":{\"engine_crashed\":0,\"guest_abandoned\":0,\"violation\":1,");
    assert_contains(text, "\"run\":{\"count\":2,\"p50_ms\":");
    aard_string_free(text);
    aard_pool *const pools[] = {pool, pool};
    assert_ok(aard_pools_prometheus(pools, 2, &text, &len));
    assert_int_equal(strlen(text), len);
    assert_contains(text, "# TYPE aardvark_pool_calls_total counter\n"
                          "aardvark_pool_calls_total{pool=\"a \\\"pool\\\"\\\\\"} 2\n");
    assert_contains(text,
                    "aardvark_pool_quarantined_isolates_total{pool=\"a \\\"pool\\\"\\\\\",cause=\"violation\"} 1\n");
    assert_contains(text, "aardvark_pool_run_seconds_count{pool=\"a \\\"pool\\\"\\\\\"} 2\n");
    assert_contains(text, "quantile=\"0.99\"} 0.");
    assert_true(text[len - 1] == '\n');
    aard_string_free(text);
    assert_ok(aard_pools_prometheus(NULL, 0, &text, &len));
    aard_string_free(text);
    aard_pool_free(pool);
}

static void test_older_callers_get_fewer_statistics(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    struct {
        aard_pool_stats stats;
        uint64_t guard;
    } out = {.guard = 7};
    memset(&out.stats, 0xee, sizeof out.stats);
    out.stats.struct_size = offsetof(aard_pool_stats, idle);
    assert_ok(aard_pool_get_stats(pool, &out.stats));
    assert_int_equal(out.stats.desired, 1);
    assert_true(out.stats.idle > 1000); /* untouched */
    assert_int_equal(out.stats.struct_size, offsetof(aard_pool_stats, idle));
    out.stats.struct_size = 0;
    assert_refused(aard_pool_get_stats(pool, &out.stats), AARD_ERR_INVALID_ARGUMENT, "struct_size", NULL);
    aard_pool_free(pool);
}

LEAKS_OF_LEFT_GUESTS

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_find_a_clean_guest),
        cmocka_unit_test(test_without_cleanup_guests_keep_what_they_have),
        cmocka_unit_test(test_a_python_pool),
        cmocka_unit_test(test_what_is_asked_wrongly_is_refused),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_a_pool_grows_to_its_maximum_and_not_beyond),
        cmocka_unit_test(test_idle_isolates_are_made_ahead),
        cmocka_unit_test(test_the_desired_size_can_be_set),
        cmocka_unit_test(test_a_smaller_size_keeps_the_minimum_idle),
        cmocka_unit_test(test_idle_isolates_are_freed_down_to_the_minimum),
        cmocka_unit_test(test_tenants_take_turns_and_priorities_come_first),
        cmocka_unit_test(test_the_queue_has_a_bound),
        cmocka_unit_test(test_failing_fast),
        cmocka_unit_test(test_a_call_waits_only_so_long),
        cmocka_unit_test(test_a_call_that_waits_can_be_cancelled),
        cmocka_unit_test(test_recycling),
        cmocka_unit_test(test_quarantine_after_violations),
        cmocka_unit_test(test_quarantine_after_limits),
        cmocka_unit_test(test_quarantine_of_abandoned_guests),
        cmocka_unit_test(test_a_lease_can_be_discarded),
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_a_hook_can_prepare_guests),
        cmocka_unit_test(test_a_failed_creation_leaves_no_pool),
        cmocka_unit_test(test_who_waits_hears_of_failed_creations),
        cmocka_unit_test(test_a_drain_waits_and_refuses),
        cmocka_unit_test(test_a_drain_ends_with_its_pool),
        cmocka_unit_test(test_a_lease_outlives_its_pool),
        cmocka_unit_test(test_those_who_wait_are_told_that_the_pool_is_freed),
        cmocka_unit_test(test_statistics_as_text),
        cmocka_unit_test(test_older_callers_get_fewer_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
