/* What the host's callbacks are told of the call that they belong to, and what a call owns of its host's. */
#include "isolate_support.h"

#include "inside.h"

typedef struct seen {
    unsigned count;
    void *own, *call, *isolate;
    uint64_t isolate_id, ms_left;
    bool has_deadline;
    aard_cancel_handle *cancel;
} seen;

static seen last_function, last_output;

static void look(seen *at, const aard_call_context *context, void *user)
{
    *at = (seen){.count = at->count + 1,
                 .own = user,
                 .call = aard_call_context_user(context),
                 .isolate = aard_call_context_isolate_user(context),
                 .isolate_id = aard_call_context_isolate_id(context),
                 .ms_left = 12345678,
                 .cancel = aard_call_context_cancel_handle(context)};
    at->has_deadline = aard_call_context_deadline_ms(context, &at->ms_left);
}

static void ask(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)input;
    (void)len;
    (void)reply;
    look(&last_function, context, user);
}

static void cancel_own(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
    aard_cancel(aard_call_context_cancel_handle(context));
}

static void on_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)stream;
    (void)data;
    (void)len;
    look(&last_output, context, user);
}

static int function_user, stream_user, isolate_user, call_users[2];

static aard_isolate_config *config_with_callbacks(aard_language language)
{
    aard_isolate_config *config = config_of(language);
    assert_ok(aard_isolate_config_add_function(config, "ask", ask, &function_user, NULL));
    assert_ok(aard_isolate_config_add_function(config, "cancel", cancel_own, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "ask"));
    assert_ok(aard_isolate_config_add_capability(config, "cancel"));
    assert_ok(aard_isolate_config_set_user(config, &isolate_user, NULL));
    aard_isolate_config_set_stream_callback(config, on_output, &stream_user, NULL);
    return config;
}

/* Asks and prints with `call`, and gives the outcome. */
static aard_outcome *ask_and_print(aard_isolate *isolate, const aard_call *call)
{
    bool javascript = isolate->config->settings.language == AARD_LANGUAGE_JAVASCRIPT;
    const char *source = javascript ? "aardvark.host.ask(1); console.log('out')"
                                    : "from aardvark import host\nhost.ask(1)\nprint('out', flush=True)";
    aard_outcome *outcome;
    assert_ok(aard_isolate_exec(isolate, source, strlen(source), NULL, call, &outcome));
    assert_true(aard_outcome_is_success(outcome));
    return outcome;
}

static void saw(const seen *at, void *own, void *call, aard_cancel_handle *cancel, uint64_t id)
{
    assert_ptr_equal(at->own, own);
    assert_ptr_equal(at->call, call);
    assert_ptr_equal(at->isolate, &isolate_user);
    assert_ptr_equal(at->cancel, cancel);
    assert_int_equal(at->isolate_id, id);
}

static void both_callbacks_know_the_call(aard_language language)
{
    aard_isolate *isolate = boot(config_with_callbacks(language), NULL);
    aard_cancel_handle *cancel;
    assert_ok(aard_cancel_handle_new(&cancel));
    for (int i = 0; i < 2; i++) {
        aard_call *call;
        assert_ok(aard_call_new(&call));
        aard_call_set_user(call, &call_users[i]);
        aard_call_set_cancel_handle(call, i ? cancel : NULL);
        if (i) aard_call_set_wall_limit_ms(call, 500000);
        last_function.count = last_output.count = 0;
        aard_outcome *outcome = ask_and_print(isolate, call);
        uint64_t id = aard_outcome_diagnostics(outcome)->isolate_id;
        assert_true(last_function.count == 1 && last_output.count >= 1);
        saw(&last_function, &function_user, &call_users[i], i ? cancel : NULL, id);
        saw(&last_output, &stream_user, &call_users[i], i ? cancel : NULL, id);
        assert_true(last_function.has_deadline == (i == 1) && last_output.has_deadline == (i == 1));
        if (i) assert_true(last_output.ms_left <= last_function.ms_left && last_function.ms_left <= 500000);
        if (i) assert_true(last_output.ms_left > 300000);
        if (!i) assert_int_equal(last_function.ms_left, 12345678); /* untouched */
        aard_outcome_free(outcome);
        aard_call_free(call);
    }
    aard_outcome_free(ask_and_print(isolate, NULL)); /* nothing is left of the call before */
    saw(&last_function, &function_user, NULL, NULL, isolate->id);
    assert_false(last_function.has_deadline);
    aard_cancel_handle_free(cancel);
    aard_isolate_free(isolate);
}

static void test_javascript_callbacks_know_their_call(void **state)
{
    (void)state;
    both_callbacks_know_the_call(AARD_LANGUAGE_JAVASCRIPT);
}

static void test_python_callbacks_know_their_call(void **state)
{
    (void)state;
    both_callbacks_know_the_call(AARD_LANGUAGE_PYTHON);
}

static void test_a_callback_cancels_its_own_call(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_with_callbacks(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_cancel_handle *cancel;
    aard_call *call;
    aard_outcome *outcome;
    static const char source[] = "aardvark.host.cancel(1); for (;;) {}";
    assert_ok(aard_cancel_handle_new(&cancel));
    assert_ok(aard_call_new(&call));
    aard_call_set_cancel_handle(call, cancel);
    assert_ok(aard_isolate_exec(isolate, source, sizeof source - 1, NULL, call, &outcome));
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_CANCELLED);
    aard_outcome_free(outcome);
    aard_call_free(call);
    aard_cancel_handle_free(cancel);
    aard_isolate_free(isolate);
}

static unsigned finalized;

static void count_finalized(void *user)
{
    assert_ptr_equal(user, &isolate_user);
    finalized++;
}

static void test_the_user_of_an_isolate_is_finalized_once(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_set_user(config, &isolate_user, count_finalized));
    assert_ok(aard_isolate_config_set_user(config, &isolate_user, count_finalized));
    assert_int_equal(finalized, 1); /* the first */
    aard_isolate *isolates[2];
    for (int i = 0; i < 2; i++) assert_ok(aard_isolate_new(config, &isolates[i]));
    aard_isolate_config_free(config);
    aard_isolate_free(isolates[0]);
    assert_int_equal(finalized, 1);
    aard_isolate_free(isolates[1]);
    assert_int_equal(finalized, 2);
    assert_refused(aard_isolate_config_set_user(NULL, &isolate_user, count_finalized), AARD_ERR_INVALID_ARGUMENT, NULL);
    assert_int_equal(finalized, 3);
}

static unsigned inputs_freed;

static void free_input(void *user)
{
    free(user);
    inputs_freed++;
}

static aard_call *call_with_taken_input(void)
{
    aard_call *call;
    char *json = strdup("[1,2]");
    assert_ok(aard_call_new(&call));
    assert_ok(aard_call_take_input_json(call, json, 5, free_input, json));
    return call;
}

static void test_inputs_are_copied_or_taken(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.js", "export const f = (x) => x"}, {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    aard_call *call = call_with_taken_input();
    inputs_freed = 0;
    for (int i = 0; i < 2; i++) value_is(call_with(isolate, "main:f", call), "[1,2]"); /* it stays for the next call */
    assert_int_equal(inputs_freed, 0);
    char text[] = "{\"a\":3}";
    assert_ok(aard_call_copy_input_json(call, text, strlen(text)));
    assert_int_equal(inputs_freed, 1);
    memset(text, 'x', strlen(text));
    value_is(call_with(isolate, "main:f", call), "{\"a\":3}");
    aard_call_set_input_json(call, "4", 1);
    value_is(call_with(isolate, "main:f", call), "4");
    aard_call_free(call);
    aard_call_free(call_with_taken_input());
    assert_int_equal(inputs_freed, 2);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript_callbacks_know_their_call),
        cmocka_unit_test(test_python_callbacks_know_their_call),
        cmocka_unit_test(test_a_callback_cancels_its_own_call),
        cmocka_unit_test(test_the_user_of_an_isolate_is_finalized_once),
        cmocka_unit_test(test_inputs_are_copied_or_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
