/* Calls that a pool makes on its own threads: completed by callbacks and into queues, cancelled, timed out, ended with the pool; each
 * has exactly one completion.  test-quick */
#include "pool_support.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct result {
    atomic_int count;
    aard_outcome *outcome;
    aard_error *error;
    pthread_t thread;
} result;

static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER;
static result *order[64];
static size_t order_count;

static void on_completion(const aard_completion *completion)
{
    result *r = completion->user;
    r->outcome = completion->outcome;
    r->error = completion->error;
    r->thread = pthread_self();
    pthread_mutex_lock(&order_lock);
    order[order_count++ % COUNT(order)] = r;
    pthread_mutex_unlock(&order_lock);
    atomic_fetch_add(&r->count, 1);
}

static void wait_for(result *r)
{
    double give_up = now_ms() + 30000;
    while (!atomic_load(&r->count)) {
        assert_true(now_ms() < give_up);
        pause_ms(1);
    }
    assert_int_equal(atomic_load(&r->count), 1);
    assert_true(!r->outcome != !r->error);
}

/* Submits a call of `entrypoint`, or inline code. */
static void submit(aard_pool *pool, const char *entrypoint, const char *code, const char *input,
                   aard_cancel_handle *cancel, result *r)
{
    aard_call *call = NULL;
    const aard_pool_request request = {.struct_size = sizeof request, .entrypoint = entrypoint};
    const aard_completion_target target = {.callback = on_completion, .user = r};
    char *gone = input ? strdup(input) : NULL;
    *r = (result){0};
    assert_ok(aard_call_new(&call));
    if (input) aard_call_set_input_json(call, gone, strlen(gone));
    aard_call_set_cancel_handle(call, cancel);
    assert_ok(code ? aard_pool_submit_exec(pool, &request, code, strlen(code), NULL, call, &target)
                   : aard_pool_submit(pool, &request, call, &target));
    aard_call_free(call); /* everything has been copied */
    if (gone) memset(gone, 'x', strlen(gone));
    free(gone);
}

static void test_a_callback_gets_the_outcome(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(2));
    result results[20];
    for (size_t i = 0; i < COUNT(results); i++)
        submit(pool, i % 2 ? "main:echo" : NULL, i % 4 == 3 ? "6 * 7" : NULL, "\"long enough to be copied\"", NULL,
               &results[i]);
    for (size_t i = 0; i < COUNT(results); i++) {
        wait_for(&results[i]);
        assert_ok(results[i].error);
        assert_false(pthread_equal(results[i].thread, pthread_self()));
        value_is(check_form(results[i].outcome), i % 4 == 3 ? "42" : "\"long enough to be copied\"");
    }
    assert_ok(aard_pool_drain(pool, 0));
    aard_pool_stats stats = stats_of(pool);
    assert_true(stats.calls == 20 && stats.total.count == 20);
    aard_pool_free(pool);
}

static void test_a_descriptor_tells_an_event_loop(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(2));
    aard_completion_queue *queue = NULL;
    aard_completion completion;
    assert_ok(aard_completion_queue_new(&queue));
    struct pollfd ready = {.fd = aard_completion_queue_fd(queue), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 0), 0);
    assert_false(aard_completion_queue_next(queue, &completion));
    const aard_completion_target target = {.queue = queue, .user = &ready};
    for (int i = 0; i < 10; i++) assert_ok(aard_pool_submit(pool, NULL, NULL, &target));
    for (int got = 0; got < 10;) {
        assert_int_equal(poll(&ready, 1, 30000), 1);
        while (aard_completion_queue_next(queue, &completion)) {
            assert_true(completion.user == &ready && !completion.error);
            aard_outcome_free(check_form(completion.outcome));
            got++;
        }
    }
    assert_int_equal(poll(&ready, 1, 0), 0);
    assert_ok(aard_pool_submit(pool, NULL, NULL, &target)); /* one that nobody fetches */
    aard_pool_free(pool);
    assert_int_equal(poll(&ready, 1, 0), 1);
    aard_completion_queue_free(queue);
}

static void test_calls_can_be_cancelled(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_cancel_handle *running, *queued;
    result spins, waits, next;
    assert_ok(aard_cancel_handle_new(&running));
    assert_ok(aard_cancel_handle_new(&queued));
    submit(pool, "main:spin", NULL, NULL, running, &spins);
    submit(pool, NULL, NULL, "1", queued, &waits);
    submit(pool, NULL, NULL, "2", NULL, &next);
    wait_for_stats(pool, s.waiting == 2 && s.leased == 1);
    aard_cancel(queued);
    wait_for(&waits);
    failure_is(check_form(waits.outcome), AARD_FAILURE_CANCELLED, "while it waited", NULL);
    assert_int_equal(atomic_load(&spins.count), 0);
    aard_cancel(running);
    wait_for(&spins);
    failure_is(check_form(spins.outcome), AARD_FAILURE_CANCELLED, NULL);
    wait_for(&next);
    assert_true(aard_outcome_diagnostics(next.outcome)->queue_wait_ms > 0);
    value_is(next.outcome, "2");
    submit(pool, NULL, NULL, "3", queued, &waits); /* before it began */
    wait_for(&waits);
    failure_is(waits.outcome, AARD_FAILURE_CANCELLED, NULL);
    aard_cancel_handle_free(running);
    aard_cancel_handle_free(queued);
    aard_pool_free(pool);
}

static void test_a_queued_call_waits_only_so_long(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_acquire_timeout_ms(config, 20);
    aard_pool_config_set_queue_limit(config, 2);
    aard_pool *pool = pool_of(config);
    aard_lease *lease = lease_of(pool);
    const aard_completion_target none = {.callback = on_completion};
    result late, patient = {0}, second = {0};
    const aard_pool_request request = {.struct_size = sizeof request, .acquire_timeout_ms = AARD_POOL_FOREVER};
    const aard_completion_target target = {.callback = on_completion, .user = &patient};
    const aard_completion_target other = {.callback = on_completion, .user = &second};
    assert_ok(aard_pool_submit(pool, &request, NULL, &target));
    submit(pool, NULL, NULL, "1", NULL, &late);
    wait_for(&late);
    assert_refused(late.error, AARD_ERR_POOL_TIMEOUT, "in time", NULL);
    assert_int_equal(atomic_load(&patient.count), 0);
    assert_ok(aard_pool_submit(pool, &request, NULL, &other)); /* in its place */
    assert_refused(aard_pool_submit(pool, NULL, NULL, &none), AARD_ERR_POOL_FULL, NULL);
    const aard_pool_request no_wait = {.struct_size = sizeof no_wait, .no_wait = true};
    assert_refused(aard_pool_submit(pool, &no_wait, NULL, &none), AARD_ERR_POOL_FULL, NULL);
    aard_lease_release(lease);
    wait_for(&patient);
    wait_for(&second);
    aard_outcome_free(patient.outcome);
    aard_outcome_free(second.outcome);
    aard_pool_free(pool);
}

static void test_submitted_calls_take_turns(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(1);
    aard_pool_config_set_threads(config, 1);
    aard_pool *pool = pool_of(config);
    aard_lease *lease = lease_of(pool);
    static const struct {
        const char *tenant;
        int priority;
        size_t place;
    } rows[] = {{"greedy", 0, 1}, {"greedy", 0, 3}, {"greedy", 0, 5},
                {"modest", 0, 2}, {"modest", 0, 4}, {"greedy", 2, 0}};
    result results[COUNT(rows)] = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const aard_pool_request request = {
            .struct_size = sizeof request, .tenant = rows[i].tenant, .priority = rows[i].priority};
        const aard_completion_target target = {.callback = on_completion, .user = &results[i]};
        assert_ok(aard_pool_submit(pool, &request, NULL, &target));
    }
    order_count = 0;
    aard_lease_release(lease);
    for (size_t i = 0; i < COUNT(rows); i++) {
        wait_for(&results[i]);
        aard_outcome_free(results[i].outcome);
    }
    for (size_t i = 0; i < COUNT(rows); i++) assert_ptr_equal(order[rows[i].place], &results[i]);
    aard_pool_free(pool);
}

/* More isolates than threads: a call that has no thread holds up none that has its own. */
static void test_calls_of_threads_overtake_those_without(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(3);
    aard_pool_config_set_threads(config, 1);
    aard_pool *pool = pool_of(config);
    aard_cancel_handle *cancel;
    result spins, waits;
    assert_ok(aard_cancel_handle_new(&cancel));
    submit(pool, "main:spin", NULL, NULL, cancel, &spins);
    submit(pool, NULL, NULL, "1", NULL, &waits);
    wait_for_stats(pool, s.leased == 1 && s.waiting == 1 && s.idle == 2);
    value_is(pool_call(pool, NULL, "2"), "2");
    assert_int_equal(atomic_load(&waits.count), 0);
    aard_cancel(cancel);
    wait_for(&spins);
    wait_for(&waits);
    failure_is(spins.outcome, AARD_FAILURE_CANCELLED, NULL);
    value_is(waits.outcome, "1");
    aard_cancel_handle_free(cancel);
    aard_pool_free(pool);
}

static void test_a_freed_pool_ends_its_calls(void **state)
{
    (void)state;
    aard_pool_config *config = pool_config(2);
    aard_pool_config_set_threads(config, 2);
    aard_pool *pool = pool_of(config);
    result results[10];
    submit(pool, "main:spin", NULL, NULL, NULL, &results[0]);
    for (size_t i = 1; i < COUNT(results); i++) submit(pool, "main:spin", NULL, NULL, NULL, &results[i]);
    wait_for_stats(pool, s.leased == 2 && s.waiting == 8);
    aard_pool_free(pool);
    for (size_t i = 0; i < COUNT(results); i++) {
        assert_int_equal(atomic_load(&results[i].count), 1);
        assert_ok(results[i].error);
        failure_is(check_form(results[i].outcome), AARD_FAILURE_CANCELLED, NULL);
    }
}

static void test_what_is_submitted_wrongly_is_refused(void **state)
{
    (void)state;
    aard_pool *pool = pool_of(pool_config(1));
    aard_completion_queue *queue = NULL;
    assert_ok(aard_completion_queue_new(&queue));
    const aard_completion_target both = {.callback = on_completion, .queue = queue}, neither = {.user = pool};
    assert_refused(aard_pool_submit(pool, NULL, NULL, &both), AARD_ERR_INVALID_ARGUMENT, "one of the two", NULL);
    assert_refused(aard_pool_submit(pool, NULL, NULL, &neither), AARD_ERR_INVALID_ARGUMENT, NULL);
    const aard_pool_request request = {.struct_size = sizeof request, .entrypoint = "main:none"};
    const aard_completion_target good = {.queue = queue};
    assert_refused(aard_pool_submit(pool, &request, NULL, &good), AARD_ERR_NOT_FOUND, "main:none", NULL);
    assert_ok(aard_pool_drain(pool, 0));
    assert_refused(aard_pool_submit(pool, NULL, NULL, &good), AARD_ERR_POOL_CLOSED, NULL);
    aard_pool_free(pool);
    aard_completion_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_callback_gets_the_outcome),
        cmocka_unit_test(test_a_descriptor_tells_an_event_loop),
        cmocka_unit_test(test_calls_can_be_cancelled),
        cmocka_unit_test(test_a_queued_call_waits_only_so_long),
        cmocka_unit_test(test_submitted_calls_take_turns),
        cmocka_unit_test(test_calls_of_threads_overtake_those_without),
        cmocka_unit_test(test_a_freed_pool_ends_its_calls),
        cmocka_unit_test(test_what_is_submitted_wrongly_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
