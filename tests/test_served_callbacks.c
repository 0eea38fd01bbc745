/* Invocations that a host serves for another process: of what a child asks nothing is believed.  How guests fare with it is
 * tested by test_host_callbacks in processes of their own.  test-quick */
#include "isolate_support.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "process/callbacks.h"
#include "process/message.h"

typedef struct served {
    aard_isolate_config *config;
    aard__ledger ledger;
    aard__callback_server server;
    aard_invocation *kept[8];
    size_t count;
} served;

static void keep(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    served *s = user;
    (void)context;
    if (s->count < COUNT(s->kept))
        s->kept[s->count++] = invocation;
    else
        aard_invocation_free(invocation);
}

static int set_up(void **state)
{
    served *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_ok(aard_isolate_config_new(&s->config));
    assert_ok(aard_isolate_config_add_callback(s->config, "keep", NULL, "{\"required\":[\"a\"]}", keep, s, NULL));
    aard_isolate_config_set_callback_limit(s->config, AARD_CALLBACK_IN_FLIGHT, 4);
    s->server = (aard__callback_server){
        .config = s->config, .ledger = &s->ledger, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    served *s = *state;
    aard_diagnostics diagnostics = {0};
    aard__callback_server_end(&s->server, &diagnostics);
    for (size_t i = 0; i < s->count; i++) {
        assert_false(aard_invocation_reply(s->kept[i], "1", 1)); /* the call is over */
        aard_invocation_free(s->kept[i]);
    }
    close(s->server.wake);
    aard__ledger_free(&s->ledger);
    aard_isolate_config_free(s->config);
    free(s);
    return 0;
}

/* Whether it is taken; then `*reply` has the reply, where the child does not wait. */
static bool ask(served *s, const aard__callback_call *call, aard__buf *reply)
{
    aard__buf body = AARD__BUF_INIT;
    aard__callback_call_pack(call, &body);
    const aard__frame frame = {.id = 9, .body = body.data, .len = body.len};
    aard__buf_free(reply);
    bool taken = aard__callback_serve(&s->server, &frame, reply);
    aard__buf_free(&body);
    return taken;
}

static aard__callback_call start(uint32_t id, const char *arguments)
{
    return (aard__callback_call){
        .op = AARD__CALLBACK_START, .id = id, .arguments = arguments, .len = strlen(arguments)};
}

static void assert_answers(const aard__buf *reply, size_t count, const char *type)
{
    aard__unpacker in = aard__unpacker_of(reply->data, reply->len);
    aard__invocation_answer answer;
    size_t have = 0;
    assert_false(aard__unpack_bool(&in));
    for (; aard__callback_answer_unpack(&in, &answer); have++) {
        if (type) assert_memory_equal(answer.type.data, type, strlen(type));
        aard__invocation_answer_free(&answer);
    }
    assert_true(aard__unpacker_done(&in));
    assert_int_equal(have, count);
}

static void test_numbers_only_grow_and_name_what_there_is(void **state)
{
    served *s = *state;
    aard__buf reply = AARD__BUF_INIT;
    aard__callback_call call = start(5, "{\"a\":1}");
    assert_true(ask(s, &call, &reply));
    assert_answers(&reply, 0, NULL);
    assert_false(ask(s, &call, &reply)); /* once more */
    call.id = 4;
    assert_false(ask(s, &call, &reply));
    call.id = 6;
    call.index = 1;
    assert_false(ask(s, &call, &reply)); /* there is one callback */
    call = start(0, "{\"a\":1}");
    assert_false(ask(s, &call, &reply));
    assert_int_equal(s->count, 1);
    aard__buf_free(&reply);
}

static void test_the_host_checks_arguments_and_limits(void **state)
{
    served *s = *state;
    aard__buf reply = AARD__BUF_INIT;
    static const char *const wrong[] = {"", "[]", "{}", "{\"a\":1", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
    for (uint32_t i = 0; i < COUNT(wrong); i++) {
        aard__callback_call call = start(i + 1, wrong[i]);
        assert_true(ask(s, &call, &reply));
        assert_answers(&reply, 1, "InvalidArguments");
    }
    for (uint32_t i = 0; i < 6; i++) {
        aard__callback_call call = start(i + 100, "{\"a\":1}");
        assert_true(ask(s, &call, &reply));
        assert_answers(&reply, i < 4 ? 0 : 1, "CallbackLimit");
    }
    assert_int_equal(s->count, 4);
    assert_int_equal(s->ledger.violation_count, 1);
    aard__buf_free(&reply);
}

static void test_a_child_waits_once(void **state)
{
    served *s = *state;
    aard__buf reply = AARD__BUF_INIT;
    aard__callback_call call = start(1, "{\"a\":1}"), wait = {.op = AARD__CALLBACK_WAIT, .ns = UINT64_MAX};
    assert_true(ask(s, &call, &reply));
    assert_true(ask(s, &wait, &reply));
    assert_true(aard__callback_next_look(&s->server) == UINT64_MAX);
    assert_false(aard__callback_wait_over(&s->server, false, &reply));
    assert_false(ask(s, &wait, &reply));
    call.id = 2;
    assert_false(ask(s, &call, &reply)); /* it said that it waits */
    assert_true(aard_invocation_reply(s->kept[0], "[1]", 3));
    uint64_t woken = 0;
    assert_int_equal(read(s->server.wake, &woken, sizeof woken), sizeof woken);
    assert_true(aard__callback_wait_over(&s->server, false, &reply));
    assert_answers(&reply, 1, NULL);
    aard__buf_free(&reply);
    assert_false(aard__callback_wait_over(&s->server, false, &reply));
    aard__buf_free(&reply);
}

static void test_a_wait_ends_with_its_time_and_with_the_call(void **state)
{
    served *s = *state;
    aard__buf reply = AARD__BUF_INIT;
    aard__callback_call wait = {.op = AARD__CALLBACK_WAIT};
    assert_true(ask(s, &wait, &reply));
    assert_true(aard__callback_wait_over(&s->server, false, &reply));
    assert_answers(&reply, 0, NULL);
    wait.ns = UINT64_MAX;
    assert_true(ask(s, &wait, &reply));
    assert_true(aard__callback_wait_over(&s->server, true, &reply));
    assert_int_equal(reply.data[0], true);
    aard__buf_free(&reply);
}

static void test_what_a_child_gives_up(void **state)
{
    served *s = *state;
    aard__buf reply = AARD__BUF_INIT;
    static const uint32_t dropped[] = {1, 1, 0, UINT32_MAX};
    aard__callback_call call = start(1, "{\"a\":1}"), next = start(2, "{\"a\":1}");
    assert_true(ask(s, &call, &reply));
    next.dropped = (const char *)dropped;
    next.dropped_len = sizeof dropped - 1;
    assert_false(ask(s, &next, &reply)); /* no number has three bytes */
    next.dropped_len++;
    assert_true(ask(s, &next, &reply));
    assert_true(aard_invocation_is_over(s->kept[0]));
    assert_false(aard_invocation_is_over(s->kept[1]));
    aard__buf_free(&reply);
}

static void test_malformed_frames(void **state)
{
    served *s = *state;
    aard__callback_call call = start(1, "{\"a\":1}");
    aard__buf body = AARD__BUF_INIT, reply = AARD__BUF_INIT;
    aard__callback_call_pack(&call, &body);
    for (size_t len = 0; len < body.len; len++) {
        const aard__frame frame = {.body = body.data, .len = len};
        assert_false(aard__callback_serve(&s->server, &frame, &reply));
    }
    body.data[0] = AARD__CALLBACK_OP_COUNT;
    const aard__frame frame = {.body = body.data, .len = body.len};
    assert_false(aard__callback_serve(&s->server, &frame, &reply));
    assert_int_equal(s->count, 0);
    aard__buf_free(&body);
    aard__buf_free(&reply);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(test_numbers_only_grow_and_name_what_there_is),
        ROW(test_the_host_checks_arguments_and_limits),
        ROW(test_a_child_waits_once),
        ROW(test_a_wait_ends_with_its_time_and_with_the_call),
        ROW(test_what_a_child_gives_up),
        ROW(test_malformed_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
