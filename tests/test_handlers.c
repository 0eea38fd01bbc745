/* Handlers are freed in any order, from any thread, and no code of the guest runs for that. */
#include "isolate_support.h"

#include <pthread.h>

#include "guest/javascript/javascript.h"
#include "inside.h"

static aard_isolate *isolate_with_handlers(aard_isolate_config *config)
{
    static const char *const files[][2] = {{"main.js", "export const f = (x) => x;\n"
                                                       "export const g = () => aardvark.host.wait(1);\n"},
                                           {NULL, NULL}};
    return boot(config, bundle_of(files));
}

static void test_a_handler_outlives_its_isolate(void **state)
{
    (void)state;
    aard_isolate *isolate = isolate_with_handlers(config_of(AARD_LANGUAGE_JAVASCRIPT));
    aard_handler *handlers[3];
    aard_outcome *outcome = NULL;
    for (size_t i = 0; i < 3; i++) assert_ok(aard_handler_new(isolate, "main:f", &handlers[i]));
    for (size_t i = 0; i < 2; i++) value_is(invoke(handlers[i], "7"), "7");
    aard_handler_free(handlers[0]); /* goes with the isolate */
    aard_isolate_free(isolate);
    assert_refused(aard_handler_invoke(handlers[1], NULL, &outcome), AARD_ERR_INVALID_ARGUMENT, "aard_handler_invoke",
                   "isolate has been freed", NULL);
    assert_null(outcome);
    aard_handler_free(handlers[1]);
    aard_handler_free(handlers[2]); /* which the guest never had */
}

static aard__language_ops counting;
static unsigned forgotten;

static void count_forgotten(aard__guest *guest, int handler)
{
    forgotten++;
    aard__javascript.forget(guest, handler);
}

static void test_the_guest_forgets_them_with_the_next_use(void **state)
{
    (void)state;
    aard_isolate *isolate = isolate_with_handlers(thread_config(AARD_LANGUAGE_JAVASCRIPT));
    counting = *worker_of(isolate)->guest->ops;
    counting.forget = count_forgotten;
    worker_of(isolate)->guest->ops = &counting;
    aard_handler *handlers[4];
    for (size_t i = 0; i < 4; i++) assert_ok(aard_handler_new(isolate, "main:f", &handlers[i]));
    for (size_t i = 0; i < 3; i++) value_is(invoke(handlers[i], "7"), "7");
    for (size_t i = 0; i < 4; i++)
        if (i != 1) aard_handler_free(handlers[i]);
    assert_int_equal(forgotten, 0);
    value_is(invoke(handlers[1], "8"), "8");
    assert_int_equal(forgotten, 2); /* the last was none of the guest's */
    assert_true(isolate->handlers == handlers[1] && !handlers[1]->next);
    aard_handler_free(handlers[1]);
    aard_isolate_free(isolate);
}

/* `main:count` gives how many references there are to `main:held`, of which a handler has one. */
static void test_a_reset_in_place_brings_back_none_that_was_freed(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.py", "import sys\ndef held(x): return x\ndef count(x): return sys.getrefcount(held)\n"}, {NULL, NULL}};
    aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_PYTHON), bundle_of(files));
    aard_handler *count, *held, *again;
    assert_ok(aard_handler_new(isolate, "main:count", &count));
    assert_ok(aard_handler_new(isolate, "main:held", &held));
    value_is(invoke(held, "1"), "1"); /* its checkpoint has the handler */
    value_is(invoke(count, "null"), "3");
    aard_handler_free(held);
    value_is(invoke(count, "null"), "2");
    for (unsigned i = 0; i < 3; i++) {
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *outcome;
        assert_ok(aard_handler_invoke(count, NULL, &outcome));
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_IN_PLACE);
        value_is(outcome, "2");
        if (i != 1) continue;
        assert_ok(aard_handler_new(isolate, "main:held", &again)); /* takes the other's place, until the reset */
        value_is(invoke(again, "2"), "2");
        value_is(invoke(count, "null"), "3");
    }
    value_is(invoke(again, "2"), "2");
    aard_handler_free(again);
    value_is(invoke(count, "null"), "2");
    aard_handler_free(count);
    aard_isolate_free(isolate);
}

/* ---- another thread frees them while calls are made ------------------------------------------------------------------ */

typedef struct box {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    aard_handler *handler; /* to be freed; NULL = the other thread has done it */
    bool over;
} box;

static void *free_what_comes(void *user)
{
    box *b = user;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->handler && !b->over) pthread_cond_wait(&b->changed, &b->lock);
        if (!b->handler) break;
        aard_handler_free(b->handler);
        b->handler = NULL;
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void hand_over(box *b, aard_handler *handler)
{
    pthread_mutex_lock(&b->lock);
    while (b->handler) pthread_cond_wait(&b->changed, &b->lock);
    b->handler = handler;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

/* In the middle of a call: returns when the other thread has freed the handler. */
static void wait_for_free(const aard_call_context *context, void *user, const char *input, size_t len,
                          aard_reply *reply)
{
    (void)input;
    (void)len;
    (void)reply;
    box *b = user;
    hand_over(b, aard_call_context_user(context));
    hand_over(b, NULL);
}

static void test_another_thread_frees_during_calls(void **state)
{
    (void)state;
    box b = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_function(config, "wait", wait_for_free, &b, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "wait"));
    aard_isolate *isolate = isolate_with_handlers(config);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_what_comes, &b), 0);
    aard_call *call;
    assert_ok(aard_call_new(&call));
    for (unsigned i = 0; i < 50; i++) { /* in the middle of a call: of another handler, and of the very one */
        aard_handler *handler, *other;
        aard_outcome *outcome;
        assert_ok(aard_handler_new(isolate, "main:g", &handler));
        assert_ok(aard_handler_new(isolate, "main:f", &other));
        value_is(invoke(other, "1"), "1");
        aard_call_set_user(call, i % 2 ? handler : other);
        assert_ok(aard_handler_invoke(handler, call, &outcome));
        value_is(outcome, "null");
        aard_handler_free(i % 2 ? other : handler);
    }
    for (unsigned i = 0; i < 300; i++) { /* whenever it happens, beside the begin and end of calls */
        aard_handler *handler;
        assert_ok(aard_handler_new(isolate, "main:f", &handler));
        value_is(invoke(handler, "2"), "2");
        hand_over(&b, handler);
        value_is(exec(isolate, "3"), "3");
    }
    aard_handler *last;
    assert_ok(aard_handler_new(isolate, "main:f", &last));
    hand_over(&b, last); /* beside the isolate's end */
    aard_isolate_free(isolate);
    pthread_mutex_lock(&b.lock);
    b.over = true;
    pthread_cond_broadcast(&b.changed);
    pthread_mutex_unlock(&b.lock);
    pthread_join(thread, NULL);
    aard_call_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handler_outlives_its_isolate),
        cmocka_unit_test(test_the_guest_forgets_them_with_the_next_use),
        cmocka_unit_test(test_a_reset_in_place_brings_back_none_that_was_freed),
        cmocka_unit_test(test_another_thread_frees_during_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
