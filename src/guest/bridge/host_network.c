/* The guest's requests: the host functions behind fetch, XMLHttpRequest and Python's door. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "guest/bridge/host.h"
#include "guest/guest.h"

static aard__net *net_of(aard__guest *guest, aard__frame *frame)
{
    aard__net *net = NULL;
    aard_error *error = aard__guest_net(guest, &net);
    if (error) aard__frame_throw(frame, "Error", aard_error_message(error));
    aard_error_free(error);
    return net;
}

static unsigned number(aard__frame *frame, size_t index)
{
    double value = aard__frame_number(frame, index);
    return value >= 1 && value <= UINT_MAX ? (unsigned)value : 0;
}

/* netStart(method, url, headers, redirects, timeoutMs, body, streams) -> the request's number, or 0 where there are too many.
 * headers: lines "name: value\n" of characters up to U+00FF; redirects: as aard__redirects; body: bytes, a string, or
 * undefined */
static void host_start(aard__frame *frame, void *user)
{
    aard__net *net = net_of(user, frame);
    if (!net) return;
    aard__buf *texts[4];
    uint8_t *body = NULL;
    size_t body_len = 0;
    bool fits = true;
    for (size_t i = 0; i < 4; i++) texts[i] = aard__frame_scratch(frame);
    for (size_t i = 0; i < 3; i++) fits = aard__frame_string(frame, i, texts[i]) && !texts[i]->failed && fits;
    bool has_body = !aard__frame_is_undefined(frame, 5);
    if (has_body && !aard__frame_bytes(frame, 5, &body, &body_len)) {
        fits = aard__frame_string(frame, 5, texts[3]) && !texts[3]->failed && fits;
        body = (uint8_t *)texts[3]->data;
        body_len = texts[3]->len;
    }
    double redirects = aard__frame_number(frame, 3), timeout = aard__frame_number(frame, 4);
    const aard__net_request request = {
        .method = texts[0]->data ? texts[0]->data : "",
        .method_len = texts[0]->len,
        .url = texts[1]->data ? texts[1]->data : "",
        .url_len = texts[1]->len,
        .headers = texts[2]->data ? texts[2]->data : "",
        .headers_len = texts[2]->len,
        .body = body,
        .body_len = body_len,
        .has_body = has_body,
        .redirects = redirects == 1   ? AARD__REDIRECTS_FAIL
                     : redirects == 2 ? AARD__REDIRECTS_GIVE
                                      : AARD__REDIRECTS_FOLLOW,
        .timeout_ms = timeout > 0 ? (uint64_t)ceil(timeout < 1e12 ? timeout : 1e12) : 0,
        .streams = aard__frame_bool(frame, 6),
    };
    if (fits)
        aard__frame_return_number(frame, aard__net_start(net, &request));
    else
        aard__frame_throw(frame, "TypeError", "a request is malformed, or memory is out");
}

/* netNext() -> the number of a request that has been answered, each once; 0 where there is none */
static void host_next(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__frame_return_number(frame, guest->wake.net ? aard__net_next(guest->wake.net) : 0);
}

/* netWait(number, ms) -> whether the request (0: any) has been answered; waits for that */
static void host_wait(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double ms = aard__frame_number(frame, 1);
    uint64_t ns = ms >= 0 && ms < 1e12 ? (uint64_t)(ms * 1e6) : UINT64_MAX;
    aard__frame_return_bool(frame, guest->wake.net && aard__net_wait(guest->wake.net, number(frame, 0), ns));
}

static aard__net_reply *reply_of(const aard__guest *guest, aard__frame *frame)
{
    return guest->wake.net ? aard__net_reply_of(guest->wake.net, number(frame, 0)) : NULL;
}

/* netHead(number) -> JSON text (net/net.h), null while there is no answer, undefined where there is no such request */
static void host_head(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    const aard__net_reply *reply = reply_of(guest, frame);
    if (!guest->wake.net || !aard__net_has(guest->wake.net, number(frame, 0))) return;
    if (reply && !reply->head.failed && reply->head.len)
        aard__frame_return_utf8(frame, reply->head.data, reply->head.len);
    else
        aard__frame_return_null(frame);
}

/* netBody(number) -> ArrayBuffer, or null */
static void host_body(aard__frame *frame, void *user)
{
    const aard__net_reply *reply = reply_of(user, frame);
    if (reply)
        aard__frame_return_array_buffer(frame, reply->body.data ? reply->body.data : "", reply->body.len);
    else
        aard__frame_return_null(frame);
}

/* netTake(number) -> ArrayBuffer of what has come of the body of a request that streams, which is empty where netNext will
 * tell of more; null at the end, undefined where it has failed (netHead says why) */
static void host_take(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__buf *bytes = aard__frame_scratch(frame);
    aard__net_piece piece = guest->wake.net ? aard__net_take(guest->wake.net, number(frame, 0), bytes)
                                            : AARD__PIECE_FAILED;
    if (piece == AARD__PIECE_END)
        aard__frame_return_null(frame);
    else if (piece != AARD__PIECE_FAILED)
        aard__frame_return_array_buffer(frame, bytes->data ? bytes->data : "", bytes->len);
}

/* netRead(number, bytes, at, length, position) -> bytes of the body copied to bytes[at..] */
static void host_read(aard__frame *frame, void *user)
{
    const aard__net_reply *reply = reply_of(user, frame);
    uint8_t *into;
    size_t room;
    double at = aard__frame_number(frame, 2), length = aard__frame_number(frame, 3);
    double position = aard__frame_number(frame, 4);
    aard__frame_return_number(frame, 0);
    if (!reply || !aard__frame_bytes(frame, 1, &into, &room)) return;
    if (!(at >= 0 && at <= (double)room) || !(length >= 0) || !(position >= 0 && position < (double)reply->body.len))
        return;
    size_t most = length < (double)(room - (size_t)at) ? (size_t)length : room - (size_t)at;
    size_t left = reply->body.len - (size_t)position, take = left < most ? left : most;
    if (take) memcpy(into + (size_t)at, reply->body.data + (size_t)position, take);
    aard__frame_return_number(frame, (double)take);
}

/* netDrop(number): nobody wants the answer any more */
static void host_drop(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    if (guest->wake.net) aard__net_drop(guest->wake.net, number(frame, 0));
}

const aard__host_entry aard__host_network[] = {
    {"netStart", host_start}, {"netNext", host_next}, {"netWait", host_wait}, {"netHead", host_head},
    {"netBody", host_body},   {"netRead", host_read}, {"netDrop", host_drop}, {"netTake", host_take},
    {NULL, NULL},
};
