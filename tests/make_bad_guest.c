/* Stands in for aardvark-guest, and breaks the rules of frames: tests/test_process_hostile.c.
 *
 * How is said by the name of the first host function of the isolate, before a call, and by the code that is to run, in one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "outcome/pack.h"
#include "process/files.h"
#include "process/harden/report.h"
#include "process/helper.h"
#include "process/message.h"

static aard__channel *channel;
static int raw; /* its socket */
static char mode[64];
static uint64_t request;

static void send_frame(aard__message type, uint64_t id, const void *body, size_t len)
{
    aard__frame_to_send frame = {.type = type, .id = id, .body = body, .len = len};
    if (aard__channel_send(channel, &frame, NULL) != AARD__FRAME_OK) _exit(0);
}

/* With no measure of hardening in force. */
static void send_hello(uint64_t id)
{
    static const unsigned char measures[4 + 4 * AARD__HARDENINGS];
    send_frame(AARD__HELLO, id, measures, sizeof measures);
}

static void send_buf(aard__message type, uint64_t id, aard__buf *body)
{
    send_frame(type, id, body->data, body->len);
    aard__buf_free(body);
}

static bool is(const char *text) { return !strcmp(mode, text); }

static void hang(void)
{
    for (;;) pause();
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static void send_output(const char *data, size_t len)
{
    aard__buf body = AARD__BUF_INIT;
    aard__pack_u8(&body, 1);
    aard__pack_span(&body, data, len);
    send_buf(AARD__OUTPUT, request, &body);
}

static void send_outcome(uint64_t id)
{
    aard__buf body = AARD__BUF_INIT;
    aard_outcome *outcome;
    if (aard__outcome_new(&outcome)) _exit(1);
    aard__outcome_pack(outcome, &body);
    send_buf(AARD__RESPONSE, id, &body);
}

static void send_host_call(const char *name, size_t len)
{
    aard__buf body = AARD__BUF_INIT;
    char *input = calloc(1, len + 1);
    memset(input, '1', len);
    aard__pack_text(&body, name);
    aard__pack_span(&body, input, len);
    free(input);
    send_buf(AARD__HOST_CALL, 77, &body);
}

/* A header of 16 bytes whose length is not the body's. */
static void send_raw(uint32_t len, uint16_t type, uint16_t flags, size_t more)
{
    unsigned char packet[1024] = {0};
    for (int i = 0; i < 4; i++) packet[i] = (unsigned char)(len >> (8 * i));
    packet[4] = (unsigned char)type;
    packet[6] = (unsigned char)flags;
    packet[8] = (unsigned char)request;
    if (send(raw, packet, 16 + more, MSG_NOSIGNAL) < 0) _exit(0);
}

static void send_file_calls(void)
{
    for (unsigned op = 0; op < AARD__FILE_OP_COUNT; op++) {
        static const uint32_t targets[] = {0, 1, 7, UINT32_MAX};
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
            aard__buf body = AARD__BUF_INIT;
            const aard__file_call call = {.op = (aard__file_op)op,
                                          .target = targets[i],
                                          .position = UINT64_MAX - 3,
                                          .size = UINT64_MAX,
                                          .path = "../../etc/passwd",
                                          .path_len = 16,
                                          .data = "x",
                                          .data_len = 1};
            aard__file_call_pack(&call, &body);
            send_buf(AARD__FILE_CALL, 5, &body);
            aard__frame reply;
            if (aard__channel_receive(channel, NULL, &reply) != AARD__FRAME_OK) _exit(0);
            aard__frame_end(&reply);
        }
    }
}

/* An outcome whose every length is huge. */
static void send_huge(void)
{
    unsigned char body[4096];
    memset(body, 0xff, sizeof body);
    send_frame(AARD__RESPONSE, request, body, sizeof body);
}

static void flood(aard__message type)
{
    char *text = calloc(1, 60000);
    for (;;) {
        if (type == AARD__OUTPUT)
            send_output(text, 60000);
        else
            send_host_call("granted", 60000);
    }
}

/* ---- a call ------------------------------------------------------------------------------------------------------ */

static void misbehave(void)
{
    if (is("wrong_id")) send_outcome(request + 1);
    if (is("two_outcomes")) send_outcome(request);
    if (is("huge")) send_huge();
    if (is("too_long")) send_raw(UINT32_MAX, AARD__RESPONSE, 0, 100);
    if (is("without_body")) send_raw(100, AARD__RESPONSE, 0, 0);
    if (is("body_nowhere")) send_raw(1 << 20, AARD__OUTPUT, 1, 0);
    if (is("short")) send(raw, "abc", 3, MSG_NOSIGNAL);
    if (is("empty")) send(raw, "", 0, MSG_NOSIGNAL);
    if (is("unknown_type")) send_raw(0, 200, 0, 0);
    if (is("hello_again")) send_hello(request);
    if (is("of_a_template")) send_frame(AARD__READY, request, NULL, 0);
    if (is("not_granted")) send_host_call("other", 1);
    if (is("not_there")) send_host_call("no_such_function", 1);
    if (is("no_name")) send_host_call(NULL, 1);
    if (is("files")) send_file_calls();
    if (is("malformed_network")) send_frame(AARD__NET_CALL, 5, "\xff\xff\xff\xff", 4);
    if (is("malformed_error")) send_frame(AARD__ERROR, request, "\xff\xff\xff\xff\xff", 5);
    if (is("output_flood")) flood(AARD__OUTPUT);
    if (is("call_flood")) flood(AARD__HOST_CALL);
    if (is("silence")) hang();
    if (is("closes")) shutdown(raw, SHUT_RDWR), hang();
    if (is("ends")) _exit(3);
    if (is("third_stream")) {
        aard__buf body = AARD__BUF_INIT;
        aard__pack_u8(&body, 3);
        aard__pack_span(&body, "x", 1);
        send_buf(AARD__OUTPUT, request, &body);
    }
    if (is("late_output")) {
        send_outcome(request);
        send_output("late", 4);
        return;
    }
    send_outcome(request);
    if (is("response_to_nothing")) send_outcome(request + 5);
}

static void take_request(const aard__frame *frame)
{
    aard__received_request got;
    if (aard__request_unpack(frame, &got)) _exit(1);
    request = frame->id;
    if (got.request.source_len && got.request.source_len < sizeof mode)
        snprintf(mode, sizeof mode, "%.*s", (int)got.request.source_len, got.request.source);
    misbehave();
    aard__received_request_free(&got);
}

static void be_a_child(int socket)
{
    aard__frame frame;
    if (aard__channel_new(socket, aard__child_rules, &channel)) _exit(1);
    raw = socket;
    if (is("never_hello")) hang();
    if (is("ends_at_once")) _exit(0);
    if (is("other_hello")) send_outcome(0);
    if (is("hello_twice")) send_hello(0);
    send_hello(0);
    while (aard__channel_receive(channel, NULL, &frame) == AARD__FRAME_OK) {
        take_request(&frame);
        aard__frame_end(&frame);
    }
    _exit(0);
}

/* ---- the template ------------------------------------------------------------------------------------------------ */

static void take_setup(const aard__frame *frame)
{
    aard__setup setup;
    if (aard__setup_unpack(frame, &setup)) exit(1);
    if (setup.served.functions.count) snprintf(mode, sizeof mode, "%s", setup.served.functions.items[0]);
    aard__setup_free(&setup);
    if (is("never_ready")) hang();
    if (is("other_answer"))
        send_frame(AARD__STATUS_IS, frame->id, NULL, 0);
    else
        send_frame(AARD__READY, frame->id + is("wrong_answer"), NULL, 0);
}

static void *volatile grown; /* so that it is done */

static void answer(aard__frame *frame)
{
    if (frame->type == AARD__SETUP) {
        take_setup(frame);
    } else if (frame->type == AARD__FORK) {
        int socket = frame->descriptors[0];
        if (!fork()) be_a_child(socket);
        if (is("grows")) grown = memset(malloc(16 << 20), 1, 16 << 20);
    } else if (frame->type == AARD__STATUS) {
        aard__buf body = AARD__BUF_INIT;
        int status = -1;
        while (waitpid(-1, &status, WNOHANG) > 0) continue;
        aard__pack_i64(&body, status);
        send_buf(AARD__STATUS_IS, frame->id, &body);
    }
}

int main(void)
{
    aard__frame frame;
    if (aard__channel_new(AARD__HELPER_SOCKET, aard__template_rules, &channel)) return 1;
    while (aard__channel_receive(channel, NULL, &frame) == AARD__FRAME_OK) {
        answer(&frame);
        aard__frame_end(&frame);
    }
    return 0;
}
