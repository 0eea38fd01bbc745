/* Many threads, tenants, cancels, resizes and drains at once: every call has exactly one outcome or error, a guest is never
 * dirty, and nothing is left.  For ThreadSanitizer above all.  test-timeout: 300 */
#include "pool_support.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "fault_support.h"

enum { CALLERS = 4, SUBMITTERS = 2, ROUNDS = 3 };

typedef struct world {
    aard_pool *pool;
    aard_completion_queue *queue;
    aard_cancel_handle *shared;
    atomic_bool over;
    atomic_long submitted, completed, ran, refused, cancelled, failed;
    size_t calls; /* of each thread */
} world;

typedef struct actor {
    pthread_t thread;
    world *w;
    unsigned seed;
} actor;

static unsigned draw(actor *a, unsigned most)
{
    a->seed = a->seed * 1103515245 + 12345;
    return (a->seed >> 16) % most;
}

/* What came of a call: one of the two. */
static void take(world *w, aard_outcome *outcome, aard_error *error)
{
    assert_true(!outcome != !error);
    aard_failure_kind kind = aard_outcome_failure_kind(outcome);
    size_t len;
    if (error) {
        aard_error_code code = aard_error_get_code(error);
        assert_true(code == AARD_ERR_POOL_FULL || code == AARD_ERR_POOL_TIMEOUT || code == AARD_ERR_POOL_CLOSED);
        atomic_fetch_add(&w->refused, 1);
    } else if (kind == AARD_FAILURE_NONE) {
        const char *value = aard_outcome_value_json(outcome, &len);
        assert_true(!strcmp(value, "1") || !strcmp(value, "\"done\"")); /* of a guest that nobody has called */
        atomic_fetch_add(&w->ran, 1);
    } else {
        assert_true(kind == AARD_FAILURE_CANCELLED || kind == AARD_FAILURE_TIMEOUT_EXCEEDED);
        atomic_fetch_add(kind == AARD_FAILURE_CANCELLED ? &w->cancelled : &w->failed, 1);
    }
    aard_outcome_free(outcome);
    aard_error_free(error);
}

/* Most calls count, some break a rule, some never end. */
static aard_call *any_call(actor *a, aard_pool_request *request, aard_cancel_handle *cancel)
{
    static const char *const tenants[] = {NULL, "a", "b", "c", "d"};
    aard_call *call;
    assert_ok(aard_call_new(&call));
    unsigned kind = draw(a, 100);
    *request = (aard_pool_request){.struct_size = sizeof *request,
                                   .tenant = tenants[draw(a, COUNT(tenants))],
                                   .priority = (int)draw(a, 8) - 4,
                                   .no_wait = draw(a, 10) == 0,
                                   .acquire_timeout_ms = draw(a, 4) == 0 ? 1 + draw(a, 20) : 0,
                                   .entrypoint = kind < 90   ? "main:count"
                                                 : kind < 96 ? "main:bad"
                                                             : "main:spin"};
    aard_call_set_wall_limit_ms(call, kind < 96 ? 0 : 2 + draw(a, 5));
    aard_call_set_cancel_handle(call, cancel);
    return call;
}

static void hold_a_lease(actor *a)
{
    aard_lease *lease = NULL;
    aard_outcome *outcome = NULL;
    aard_error *error = draw(a, 2) ? aard_pool_try_acquire(a->w->pool, &lease)
                                   : aard_pool_acquire(a->w->pool, NULL, &lease);
    if (!error && lease) {
        error = aard_lease_invoke(lease, "main:count", NULL, &outcome);
        take(a->w, outcome, error);
        error = NULL;
    }
    aard_error_free(error);
    if (draw(a, 4))
        aard_lease_release(lease);
    else
        aard_lease_discard(lease);
}

static void *call_in_turns(void *user)
{
    actor *a = user;
    for (size_t i = 0; i < a->w->calls; i++) {
        aard_pool_request request;
        aard_outcome *outcome = NULL;
        aard_cancel_handle *own = NULL;
        assert_ok(aard_cancel_handle_new(&own));
        if (draw(a, 20) == 0) aard_cancel(own);
        aard_call *call = any_call(a, &request, draw(a, 3) ? own : a->w->shared);
        aard_error *error = aard_pool_invoke(a->w->pool, &request, call, &outcome);
        take(a->w, outcome, error);
        aard_call_free(call);
        aard_cancel_handle_free(own);
        if (draw(a, 8) == 0) hold_a_lease(a);
    }
    return NULL;
}

static void on_completion(const aard_completion *completion)
{
    world *w = completion->user;
    take(w, completion->outcome, completion->error);
    atomic_fetch_add(&w->completed, 1);
}

static void *submit_many(void *user)
{
    actor *a = user;
    for (size_t i = 0; i < a->w->calls; i++) {
        aard_pool_request request;
        aard_cancel_handle *own = NULL;
        assert_ok(aard_cancel_handle_new(&own));
        aard_call *call = any_call(a, &request, own);
        aard_completion_target to = {.user = a->w};
        if (draw(a, 2))
            to.callback = on_completion;
        else
            to.queue = a->w->queue;
        aard_error *error = aard_pool_submit(a->w->pool, &request, call, &to);
        if (error)
            take(a->w, NULL, error);
        else
            atomic_fetch_add(&a->w->submitted, 1);
        aard_call_free(call);
        if (draw(a, 3) == 0) aard_cancel(own);
        aard_cancel_handle_free(own);
        if (draw(a, 16) == 0) pause_ms(1);
    }
    return NULL;
}

static void *fetch(void *user)
{
    world *w = ((actor *)user)->w;
    for (;;) {
        bool over = atomic_load(&w->over);
        struct pollfd ready = {.fd = aard_completion_queue_fd(w->queue), .events = POLLIN};
        aard_completion completion;
        poll(&ready, 1, 5);
        while (aard_completion_queue_next(w->queue, &completion)) on_completion(&completion);
        if (over) return NULL;
    }
}

static void *disturb(void *user)
{
    actor *a = user;
    while (!atomic_load(&a->w->over)) {
        size_t maximum = 1 + draw(a, 6);
        char *text = NULL;
        aard_error_free(aard_pool_resize(a->w->pool, draw(a, (unsigned)maximum + 1), draw(a, 2), maximum));
        aard_error_free(aard_pool_wait_ready(a->w->pool, 1));
        assert_ok(aard_pool_stats_json(a->w->pool, &text, NULL));
        aard_string_free(text);
        pause_ms(1 + draw(a, 3));
    }
    return NULL;
}

static void start(actor *a, world *w, unsigned seed, void *(*run)(void *user))
{
    *a = (actor){.w = w, .seed = seed};
    assert_int_equal(pthread_create(&a->thread, NULL, run, a), 0);
}

static aard_pool *stressed_pool(void)
{
    aard_pool_config *config = pool_config(3);
    aard_pool_config_set_size(config, 3, 1, 5);
    aard_pool_config_set_start(config, AARD_POOL_START_BACKGROUND);
    aard_pool_config_set_queue_limit(config, 20);
    aard_pool_config_set_max_calls(config, 25);
    aard_pool_config_set_idle_timeout_ms(config, 5);
    aard_pool_config_set_max_age_ms(config, 200);
    aard_pool_config_set_threads(config, 3);
    return pool_of(config);
}

/* What was submitted may fill the queue still. */
static void when_there_is_room(aard_error *error, bool *again)
{
    *again = error && aard_error_get_code(error) == AARD_ERR_POOL_FULL;
    if (!*again) {
        assert_ok(error);
        return;
    }
    aard_error_free(error);
    pause_ms(1);
}

/* `how`: 0 = drained, then freed; 1 = freed while calls wait and run; 2 = freed while a lease is out. */
static void live(int how, unsigned seed, size_t calls)
{
    world w = {.pool = stressed_pool(), .calls = calls};
    actor callers[CALLERS], submitters[SUBMITTERS], fetcher, disturber;
    aard_lease *lease = NULL;
    assert_ok(aard_completion_queue_new(&w.queue));
    assert_ok(aard_cancel_handle_new(&w.shared));
    start(&fetcher, &w, 0, fetch);
    start(&disturber, &w, seed, disturb);
    for (unsigned i = 0; i < CALLERS; i++) start(&callers[i], &w, seed + 10 + i, call_in_turns);
    for (unsigned i = 0; i < SUBMITTERS; i++) start(&submitters[i], &w, seed + 20 + i, submit_many);
    pause_ms(20);
    aard_cancel(w.shared);
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i].thread, NULL);
    for (int i = 0; i < SUBMITTERS; i++) pthread_join(submitters[i].thread, NULL);
    bool again = how == 2;
    while (again) when_there_is_room(aard_pool_acquire(w.pool, NULL, &lease), &again);
    if (how == 1)
        for (int i = 0; i < 10; i++) {
            const aard_pool_request request = {.struct_size = sizeof request, .entrypoint = "main:spin"};
            const aard_completion_target to = {.callback = on_completion, .user = &w};
            do when_there_is_room(aard_pool_submit(w.pool, &request, NULL, &to), &again);
            while (again);
            atomic_fetch_add(&w.submitted, 1);
        }
    if (how == 0) assert_ok(aard_pool_drain(w.pool, 0));
    atomic_store(&w.over, true);
    pthread_join(disturber.thread, NULL);
    aard_pool_free(w.pool);
    aard_lease_release(lease);
    pthread_join(fetcher.thread, NULL);
    actor last = {.w = &w};
    atomic_store(&w.over, true);
    fetch(&last);
    assert_int_equal(atomic_load(&w.completed), atomic_load(&w.submitted));
    assert_true(atomic_load(&w.ran) > 0);
    print_message("ran %ld, failed %ld, cancelled %ld, refused %ld\n", atomic_load(&w.ran), atomic_load(&w.failed),
                  atomic_load(&w.cancelled), atomic_load(&w.refused));
    aard_completion_queue_free(w.queue);
    aard_cancel_handle_free(w.shared);
}

static void test_everything_at_once(void **state)
{
    (void)state;
    live(0, 1, 10); /* what is made once for all is there */
    int files = fault_open_files();
    for (unsigned round = 0; round < soak_count(ROUNDS, 200); round++) {
        live((int)(round % 3), round * 100, 150);
        assert_int_equal(fault_open_files(), files);
    }
}

/* The shorter a pool's life is, the more of it is its beginning and its end. */
static void test_short_lives(void **state)
{
    (void)state;
    for (unsigned round = 0; round < soak_count(10, 500); round++) live((int)(round % 3), round * 7 + 3, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_short_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
