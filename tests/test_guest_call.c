/* test-quick
 * What belongs to one call is gone when the next begins. */
#include "isolate_support.h"

#include "inside.h"

static const aard__language_ops *real;
static aard__language_ops watching;
static unsigned seen;

/* Each byte of what a call finds that nobody has set for it. */
static void is_fresh(const aard__guest *guest)
{
    aard__guest_call call = guest->call;
    const unsigned char *bytes = (const unsigned char *)&call;
    call.context = (aard_call_context){0};
    call.output.capture = false;
    call.network = NULL;
    call.result_limit = call.result_depth_limit = 0;
    assert_int_equal(call.prepared, -1);
    call.prepared = 0;
    for (size_t i = 0; i < sizeof call; i++)
        if (bytes[i]) fail_msg("byte %zu of the call under way is left from the call before", i);
}

static void leave_traces(aard__guest *guest)
{
    aard__guest_call *call = &guest->call;
    call->output.threw = call->memory_refused = true;
    call->result_bytes = call->stdin_at = 7;
    call->bytes_written = call->pending_ended = 9;
    call->prepared = 5;
    aard__buf_puts(&call->result, "of another call");
    aard__buf_puts(&call->report, "of another call");
    aard__ledger_violation(&call->ledger, AARD_VIOLATION_CAPABILITY_DENIED, "codegen", "eval", 4);
}

static aard__state watch_execute(aard__guest *guest, const char *source, size_t len, const char *name,
                                 const char *input, size_t input_len, aard_outcome *outcome)
{
    is_fresh(guest);
    seen++;
    aard__state state = real->execute(guest, source, len, name, input, input_len, outcome);
    leave_traces(guest);
    return state;
}

static void test_nothing_of_a_call_is_left_for_the_next(void **state)
{
    (void)state;
    for (int language = 0; language < 2; language++) {
        aard_isolate *isolate = boot(thread_config(language ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON), NULL);
        aard__guest *guest = worker_of(isolate)->guest;
        real = guest->ops;
        watching = *real;
        watching.execute = watch_execute;
        guest->ops = &watching;
        seen = 0;
        for (int i = 0; i < 3; i++) aard_outcome_free(exec(isolate, "1"));
        assert_int_equal(seen, 3);
        aard_isolate_free(isolate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_of_a_call_is_left_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
