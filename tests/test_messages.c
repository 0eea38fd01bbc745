/* What goes from process to process comes out as it went in, and what is malformed does not come out.  test-quick */
#include "isolate_support.h"

#include "bundle/copy.h"
#include "process/message.h"

static aard__frame frame_of(const aard__buf *body)
{
    assert_false(body->failed);
    return (aard__frame){.body = body->data, .len = body->len};
}

/* No part of a body is a body. */
static void cut_is_refused(const aard__buf *body)
{
    for (size_t len = 0; len < body->len; len++) {
        aard__received_request got;
        aard_error *error = aard__request_unpack(&(aard__frame){.body = body->data, .len = len}, &got);
        assert_refused(error, AARD_ERR_ENGINE, "request", "malformed", NULL);
    }
}

static void test_requests(void **state)
{
    (void)state;
    static const char *const arguments[] = {"a", "", "\xc3\xa9"};
    aard_call *call;
    assert_ok(aard_call_new(&call));
    aard_call_set_input_json(call, "{\"a\":1}", 7);
    aard_call_set_stdin(call, "x\0y", 3);
    aard_call_set_wall_limit_ms(call, 7);
    aard_call_set_cpu_limit_ms(call, 8);
    aard_call_set_result_limit(call, 9);
    aard_call_set_capture(call, false);
    aard_call_set_rollback(call, true);
    aard_call_set_source_kind(call, AARD_SOURCE_FILE);
    assert_ok(aard_call_set_arguments(call, arguments, COUNT(arguments)));
    aard__request request = {
        .verb = AARD__EXECUTE, .handler = 3, .source = "1+\0 1", .source_len = 5, .name = "n.py", .call = call};
    aard__buf body = AARD__BUF_INIT;
    aard__request_pack(&request, true, &body);
    aard__frame frame = frame_of(&body);
    aard__received_request got;
    assert_ok(aard__request_unpack(&frame, &got));
    assert_int_equal(got.request.verb, AARD__EXECUTE);
    assert_int_equal(got.request.handler, 3);
    assert_true(got.cancellable);
    assert_string_equal(got.request.name, "n.py");
    assert_null(got.request.entrypoint);
    assert_int_equal(got.request.source_len, 5);
    assert_memory_equal(got.request.source, "1+\0 1", 5);
    assert_ptr_equal(got.request.call, &got.call);
    assert_int_equal(got.call.input_len, 7);
    assert_memory_equal(got.call.input, "{\"a\":1}", 7);
    assert_int_equal(got.call.stdin_len, 3);
    assert_int_equal(got.call.limits.wall_ms, 7);
    assert_int_equal(got.call.limits.cpu_ms, 8);
    assert_int_equal(got.call.result_limit, 9);
    assert_false(got.call.capture);
    assert_true(got.call.rollback);
    assert_int_equal(got.call.kind, AARD_SOURCE_FILE);
    assert_int_equal(got.call.arguments.count, COUNT(arguments));
    assert_string_equal(got.call.arguments.items[2], "\xc3\xa9");
    aard__received_request_free(&got);
    cut_is_refused(&body);
    aard__buf_free(&body);
    aard_call_free(call);
}

static void test_a_request_without_particulars(void **state)
{
    (void)state;
    aard__buf body = AARD__BUF_INIT;
    aard__request_pack(&(aard__request){.verb = AARD__RESET}, false, &body);
    aard__frame frame = frame_of(&body);
    aard__received_request got;
    assert_ok(aard__request_unpack(&frame, &got));
    assert_int_equal(got.request.verb, AARD__RESET);
    assert_false(got.cancellable);
    assert_null(got.request.call);
    aard__received_request_free(&got);
    body.data[0] = 100; /* no verb */
    assert_refused(aard__request_unpack(&frame, &got), AARD_ERR_ENGINE, "request", "malformed", NULL);
    aard__buf_free(&body);
}

static void test_errors(void **state)
{
    (void)state;
    aard__buf body = AARD__BUF_INIT;
    aard_error *error = aard__error(AARD_ERR_ENTRYPOINT_MISSING, "%s", "there is none");
    bool whole = true;
    aard__error_pack(error, false, &body);
    aard_error_free(error);
    aard__frame frame = frame_of(&body);
    assert_refused(aard__error_unpack(&frame, &whole), AARD_ERR_ENTRYPOINT_MISSING, "there is none", NULL);
    assert_false(whole);
    body.data[1] = 99; /* no code */
    assert_refused(aard__error_unpack(&frame, NULL), AARD_ERR_ENGINE, "malformed", NULL);
    aard__buf_free(&body);
}

static void test_bundles(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"a.py", "x = 1\n"}, {"b/c.py", ""}, {NULL, NULL}};
    aard_bundle *bundle = bundle_of(files), *copy = NULL;
    aard__buf body = AARD__BUF_INIT;
    aard__bundle_pack(bundle, &body);
    assert_false(body.failed);
    aard__unpacker in = aard__unpacker_of(body.data, body.len);
    assert_ok(aard__bundle_unpack(&in, &copy));
    assert_string_equal(aard_bundle_digest(copy), aard_bundle_digest(bundle));
    assert_int_equal(aard_bundle_entry_count(copy), 2);
    assert_true(aard_bundle_find(copy, "b/c.py", 6, NULL));
    aard_bundle_free(copy);
    for (size_t len = 0; len < body.len; len++) {
        in = aard__unpacker_of(body.data, len);
        assert_refused(aard__bundle_unpack(&in, &copy), AARD_ERR_ENGINE, "bundle", "malformed", NULL);
    }
    aard__buf_free(&body);
    aard_bundle_free(bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_a_request_without_particulars),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bundles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
