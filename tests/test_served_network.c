/* Requests that a host makes for another process: the same answers, under the policy that is checked here, and of what a child
 * asks nothing is believed.  How guests fare with it is tested by the tests of the network, in processes of their own. */
#include "isolate_support.h"

#include <pthread.h>

#include "base/clock.h"
#include "net_support.h"
#include "pack_support.h"
#include "process/message.h"
#include "process/network.h"

/* A host, on a thread of its own, and the child's side of it. */
typedef struct served {
    aard__host_list hosts;
    aard__network_policy policy;
    aard__ledger ledger;
    aard__net_server server;
    aard__channel *host;
    aard__host_link link; /* the child's */
    aard__net *net;
    pthread_t thread;
} served;

static void *serve(void *user)
{
    served *s = user;
    aard__frame frame;
    while (aard__channel_receive(s->host, NULL, &frame) == AARD__FRAME_OK) {
        aard__buf reply = AARD__BUF_INIT;
        if (frame.type != AARD__NET_CALL || !aard__net_serve(&s->server, &frame, &reply)) {
            aard__channel_refuse(s->host, "malformed");
            break;
        }
        const aard__frame_to_send answer = {
            .type = AARD__NET_REPLY, .id = frame.id, .body = reply.data, .len = reply.len};
        aard__frame_end(&frame);
        aard__channel_send(s->host, &answer, NULL);
        aard__buf_free(&reply);
    }
    return NULL;
}

static int set_up(void **state)
{
    served *s = calloc(1, sizeof *s);
    int sockets[2];
    assert_non_null(s);
    assert_null(aard__host_list_add(&s->hosts, "public.test"));
    s->policy = (aard__network_policy){.host = &s->hosts, .limits = aard__network_defaults, .ca_file = net_ca_file()};
    s->server = (aard__net_server){.policy = &s->policy, .ledger = &s->ledger};
    assert_null(aard__channel_sockets(sockets));
    assert_null(aard__channel_new(sockets[0], aard__host_rules, &s->host));
    assert_null(aard__channel_new(sockets[1], aard__child_rules, &s->link.channel));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    assert_null(aard__remote_net_open(&s->link, &s->net));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    served *s = *state;
    aard__net_free(s->net);
    aard__channel_shut(s->host);
    pthread_join(s->thread, NULL);
    aard__net_server_end(&s->server);
    aard__channel_free(s->host);
    aard__channel_free(s->link.channel);
    aard__ledger_free(&s->ledger);
    aard__host_list_free(&s->hosts);
    free(s);
    return 0;
}

static unsigned start(served *s, const char *url)
{
    const char *text = net_text(url);
    const aard__net_request request = {
        .method = "GET", .method_len = 3, .url = text, .url_len = strlen(text), .headers = "", .body = NULL};
    return aard__net_start(s->net, &request);
}

static void head_has(served *s, unsigned id, const char *part)
{
    const aard__net_reply *reply = aard__net_reply_of(s->net, id);
    if (!reply) fail_msg("request %u has no answer", id);
    if (!memmem(reply->head.data, reply->head.len, part, strlen(part)))
        fail_msg("'%s' is not in %.*s", part, (int)reply->head.len, reply->head.data);
}

static void test_answers_come_back(void **state)
{
    served *s = *state;
    unsigned first = start(s, "$H/hello"), second = start(s, "$H/bytes?n=300000"), seen = 0;
    assert_true(first && second && first != second);
    assert_true(aard__net_has(s->net, first) && !aard__net_has(s->net, second + 1));
    assert_true(aard__net_busy(s->net));
    assert_true(aard__net_wait(s->net, second, UINT64_MAX));
    head_has(s, second, "\"status\":200");
    aard__net_reply *large = aard__net_reply_of(s->net, second);
    assert_int_equal(large->body.len, 300000);
    for (int i = 0; i < 2; i++) { /* each is announced once */
        assert_true(aard__net_wait(s->net, 0, UINT64_MAX));
        seen += aard__net_next(s->net);
    }
    assert_int_equal(seen, first + second);
    assert_int_equal(aard__net_next(s->net), 0);
    assert_false(aard__net_busy(s->net));
    assert_ptr_equal(aard__net_reply_of(s->net, second), large); /* good until it is dropped */
    assert_memory_equal(aard__net_reply_of(s->net, first)->body.data, "hello", 5);
    aard__net_drop(s->net, first);
    assert_false(aard__net_has(s->net, first));
    assert_null(aard__net_reply_of(s->net, first));
}

static void test_the_host_refuses_and_writes_down(void **state)
{
    served *s = *state;
    unsigned refused = start(s, "$H/hello") + 1;
    assert_int_equal(start(s, "http://other.test/"), refused);
    assert_true(aard__net_wait(s->net, refused, 0)); /* at once */
    head_has(s, refused, "host_not_allowed");
    assert_true(aard__net_wait(s->net, refused - 1, UINT64_MAX));
    start(s, "$H/wait?ms=60000");
    aard__net_free(s->net); /* the call ends */
    s->net = NULL;
    assert_int_equal(s->ledger.attempt_count, 3);
    assert_string_equal(s->ledger.attempts[0].reason, "host_not_allowed");
    assert_false(s->ledger.attempts[0].allowed);
    assert_int_equal(s->ledger.attempts[1].status, 200);
    assert_string_equal(s->ledger.attempts[2].reason, "call_ended");
    assert_int_equal(s->ledger.violation_count, 1);
    assert_null(s->server.net);
    assert_null(aard__remote_net_open(&s->link, &s->net)); /* the next one's numbers are other ones */
    assert_true(start(s, "$H/hello") > refused + 1);
}

static void *stop_after_a_while(void *net)
{
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    aard__net_stop(net);
    return NULL;
}

static void test_a_wait_is_stopped_by_another_thread(void **state)
{
    served *s = *state;
    pthread_t thread;
    unsigned id = start(s, "$H/wait?ms=60000");
    assert_false(aard__net_wait(s->net, id, 1000000)); /* and by its own time */
    uint64_t began = aard__clock_monotonic();
    assert_int_equal(pthread_create(&thread, NULL, stop_after_a_while, s->net), 0);
    assert_false(aard__net_wait(s->net, id, UINT64_MAX));
    assert_true(aard__clock_monotonic() - began < UINT64_C(20000000000));
    pthread_join(thread, NULL);
}

static void test_without_a_host_requests_fail(void **state)
{
    served *s = *state;
    unsigned id = start(s, "$H/hello");
    assert_true(aard__net_wait(s->net, id, UINT64_MAX)); /* answered, but not taken yet */
    unsigned other = start(s, "$H/wait?ms=60000");
    aard__channel_shut(s->host);
    assert_true(aard__net_wait(s->net, other, UINT64_MAX));
    head_has(s, other, "no_transport");
    head_has(s, id, "no_transport");
    assert_int_equal(start(s, "$H/hello"), 0);
}

/* ---- a hostile child -------------------------------------------------------------------------------------------- */

static aard__net_server *the_server;

static bool is_taken(const char *data, size_t len)
{
    aard__buf reply = AARD__BUF_INIT;
    aard__net_result result;
    const aard__frame frame = {.type = AARD__NET_CALL, .body = data, .len = len};
    bool taken = aard__net_serve(the_server, &frame, &reply);
    if (taken) {
        aard__unpacker in = aard__unpacker_of(reply.data, reply.len);
        aard__net_result_unpack(&in, &result);
        assert_true(aard__unpacker_done(&in));
    }
    aard__buf_free(&reply);
    return taken;
}

static void test_malformed_calls_are_refused(void **state)
{
    served *s = *state;
    aard__buf bytes = AARD__BUF_INIT;
    the_server = &s->server;
    const aard__net_call call = {.op = AARD__NET_DROP,
                                 .id = 77,
                                 .ns = 1,
                                 .request = {.method = "GET", .method_len = 3, .url = "x", .url_len = 1}};
    aard__net_call_pack(&call, &bytes);
    refuses_all_cuts(is_taken, &bytes);
    assert_true(alter_all(is_taken, &bytes) > 20);
    aard__buf_free(&bytes);
}

static void test_a_child_does_not_keep_its_host(void **state)
{
    served *s = *state;
    aard__buf body = AARD__BUF_INIT;
    aard__frame frame;
    unsigned id = start(s, "$H/wait?ms=60000");
    uint64_t began = aard__clock_monotonic();
    aard__net_call_pack(&(aard__net_call){.op = AARD__NET_WAIT, .id = id, .ns = UINT64_MAX}, &body);
    assert_true(aard__host_ask(&s->link, AARD__NET_CALL, AARD__NET_REPLY, &body, &frame));
    aard__frame_end(&frame);
    assert_true(aard__clock_monotonic() - began < UINT64_C(20000000000));
    size_t requests = 0;
    for (int i = 0; i < 1100; i++) requests += start(s, "http://other.test/") != 0;
    assert_true(requests < 1001);
}

static int begin(void **state)
{
    (void)state;
    net_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    net_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_host_refuses_and_writes_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_wait_is_stopped_by_another_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_host_requests_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed_calls_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_child_does_not_keep_its_host, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
