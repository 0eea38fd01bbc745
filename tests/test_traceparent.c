/* The host's trace goes through a call: in by its traceparent, out by the callbacks' context and the trace's events.
 * test-quick */
#include "isolate_support.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define GIVEN "00-" TRACE "-00f067aa0ba902b7-01"

static char seen[8][56]; /* by the host function, of each call */
static size_t seen_count;
static char traced[8][64]; /* at the beginning of requests */
static size_t traced_count;
static uint64_t function_span;
static bool tracing;

static void on_trace(void *user, const aard_trace_event *event)
{
    (void)user;
    if (!tracing || event->phase != AARD_TRACE_BEGIN) return;
    if (!strcmp(event->name, "host_function")) function_span = event->span;
    if (!strcmp(event->name, "request") && traced_count < COUNT(traced))
        snprintf(traced[traced_count++], sizeof *traced, "%s", event->traceparent);
    else
        assert_string_equal(event->traceparent, "");
}

static void ask(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
    char *out = seen[seen_count++];
    strcpy(out, "none");
    assert_false(aard_call_context_traceparent(context, out, 55));
    assert_string_equal(out, "none");
    aard_call_context_traceparent(context, out, 56);
}

static void test_a_trace_goes_in_and_out(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_function(config, "ask", ask, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "ask"));
    aard_isolate *isolate = boot(config, NULL);
    aard_call *call;
    assert_ok(aard_call_new(&call));
    assert_null(aard_call_traceparent(call));
    seen_count = traced_count = 0;
    tracing = true;
    for (int i = 0; i < 3; i++) {
        assert_ok(aard_call_set_traceparent(call, i == 1 ? GIVEN : NULL));
        if (i == 1) assert_string_equal(aard_call_traceparent(call), GIVEN);
        aard_outcome_free(exec_with(isolate, "aardvark.host.ask(1)", call));
        if (i != 1) continue;
        char want[56];
        snprintf(want, sizeof want, "00-" TRACE "-%016llx-01", (unsigned long long)function_span);
        assert_string_equal(seen[1], want);
    }
    tracing = false;
    assert_int_equal(seen_count, 3);
    assert_string_equal(seen[0], "none");
    assert_string_equal(seen[2], "none");
    assert_int_equal(traced_count, 3);
    assert_string_equal(traced[0], "");
    assert_string_equal(traced[1], GIVEN);
    assert_string_equal(traced[2], "");
    aard_call_free(call);
    aard_isolate_free(isolate);
}

static void test_what_is_no_traceparent_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {GIVEN, true},
        {"cc-" TRACE "-00f067aa0ba902b7-01", true},
        {"cc-" TRACE "-00f067aa0ba902b7-01-more", true}, /* of a version to come */
        {"", false},
        {GIVEN "-more", false},
        {"cc-" TRACE "-00f067aa0ba902b7-01more", false},
        {"ff-" TRACE "-00f067aa0ba902b7-01", false},
        {"00-" TRACE "-00f067aa0ba902b7-0", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
        {"00_" TRACE "-00f067aa0ba902b7-01", false},
        {"00-" TRACE "_00f067aa0ba902b7-01", false},
        {"00-" TRACE "-00f067aa0ba902b7_01", false},
        {"0g-" TRACE "-00f067aa0ba902b7-01", false},
    };
    aard_call *call;
    assert_ok(aard_call_new(&call));
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(aard_call_set_traceparent(call, GIVEN));
        aard_error *error = aard_call_set_traceparent(call, rows[i].text);
        if (!error != rows[i].good) fail_msg("%s", rows[i].text);
        aard_error_free(error);
        if (rows[i].good) assert_memory_equal(aard_call_traceparent(call), rows[i].text, 55);
        if (!rows[i].good) assert_string_equal(aard_call_traceparent(call), GIVEN);
        assert_int_equal(strlen(aard_call_traceparent(call)), 55);
    }
    aard_call_free(call);
}

int main(void)
{
    const aard_hooks hooks = {.struct_size = sizeof hooks, .trace = on_trace};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_traceparent_is_refused),
        cmocka_unit_test(test_a_trace_goes_in_and_out),
    };
    aard_error *error = aard_hooks_set(&hooks);
    aard_error_free(error);
    return error ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
