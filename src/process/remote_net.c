/* The requests of a guest whose host is another process, which makes them. */
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "process/message.h"
#include "process/network.h"

/* So long at a time the host is waited for: whoever stops the guest can't end that wait. */
static const uint64_t SLICE_NS = UINT64_C(20000000);

typedef struct wanted { /* a request that the guest has not dropped */
    struct wanted *next;
    unsigned id;
    bool answered, announced, taken; /* of one that streams: there is news, it has been told, the head is here */
    aard__net_reply reply;           /* once it is taken */
} wanted;

typedef struct remote_net {
    aard__net base;
    aard__host_link *host;
    _Atomic(bool) stopped;
    wanted *list; /* oldest first */
} remote_net;

static wanted *find(const remote_net *net, unsigned id)
{
    wanted *w = net->list;
    while (w && w->id != id) w = w->next;
    return w;
}

static void mark(const remote_net *net, const aard__net_result *result)
{
    for (size_t i = 0; i < result->answered_count; i++) {
        wanted *w = find(net, result->answered[i]);
        if (w) w->answered = true;
    }
}

/* Without a host nothing more is answered: each request ends as one that failed. */
static void give_up(const remote_net *net)
{
    for (wanted *w = net->list; w; w = w->next) w->answered = true;
}

/* False where there is no answer; else `*frame`, which the result is borrowed from, has to be ended. */
static bool ask(remote_net *net, const aard__net_call *call, aard__net_result *result, aard__frame *frame)
{
    aard__buf body = AARD__BUF_INIT;
    aard__net_call_pack(call, &body);
    if (aard__host_ask(net->host, AARD__NET_CALL, AARD__NET_REPLY, &body, frame)) {
        aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
        aard__net_result_unpack(&in, result);
        if (aard__unpacker_done(&in)) {
            mark(net, result);
            return true;
        }
        aard__frame_end(frame);
    }
    give_up(net);
    return false;
}

/* Where nothing is wanted of the answer but the number; 0 where there is none. */
static unsigned tell(remote_net *net, const aard__net_call *call)
{
    aard__net_result result;
    aard__frame frame;
    if (!ask(net, call, &result, &frame)) return 0;
    aard__frame_end(&frame);
    return result.number;
}

static void append(remote_net *net, wanted *made)
{
    wanted **at = &net->list;
    while (*at) at = &(*at)->next;
    *at = made;
}

/* The answer may say already that it is answered. */
static unsigned start(aard__net *base, const aard__net_request *request)
{
    remote_net *net = (remote_net *)base;
    const aard__net_call call = {.op = AARD__NET_START, .request = *request};
    aard__net_result result;
    aard__frame frame;
    wanted *made = aard__calloc(1, sizeof *made);
    if (!made || !ask(net, &call, &result, &frame)) {
        aard__free(made);
        return 0;
    }
    aard__frame_end(&frame);
    made->id = result.number;
    if (!result.number) {
        aard__free(made);
        return 0;
    }
    append(net, made);
    mark(net, &result);
    return result.number;
}

static wanted *unannounced(const remote_net *net)
{
    wanted *w = net->list;
    while (w && (!w->answered || w->announced)) w = w->next;
    return w;
}

static bool under_way(const remote_net *net)
{
    wanted *w = net->list;
    while (w && w->answered) w = w->next;
    return w;
}

static bool has_come(const remote_net *net, unsigned id)
{
    const wanted *w = id ? find(net, id) : unannounced(net);
    return w && w->answered;
}

static bool wait_for(aard__net *base, unsigned id, uint64_t ns)
{
    remote_net *net = (remote_net *)base;
    uint64_t now = aard__clock_monotonic(), until = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
    for (;;) {
        uint64_t left = until > now ? until - now : 0;
        const aard__net_call call = {.op = AARD__NET_WAIT, .id = id, .ns = left < SLICE_NS ? left : SLICE_NS};
        if (has_come(net, id)) return true;
        tell(net, &call);
        if (has_come(net, id)) return true;
        now = aard__clock_monotonic();
        if (atomic_load(&net->stopped) || now >= until) return false;
        if ((id ? find(net, id) == NULL : !under_way(net)) && until == UINT64_MAX) return false;
    }
}

static bool is_busy(const aard__net *base)
{
    const remote_net *net = (const remote_net *)base;
    return under_way(net) || unannounced(net);
}

static unsigned next(aard__net *base)
{
    wanted *w = unannounced((remote_net *)base);
    if (!w) return 0;
    w->announced = true;
    return w->id;
}

static bool has(const aard__net *base, unsigned id) { return find((const remote_net *)base, id) != NULL; }

/* The answer can't be had. */
static void lose(wanted *w)
{
    aard__buf_free(&w->reply.body);
    aard__buf_clear(&w->reply.head);
    aard__buf_puts(&w->reply.head,
                   "{\"reason\":\"no_transport\",\"message\":\"the answer could not be had from the host\"}");
}

static void take(remote_net *net, wanted *w)
{
    const aard__net_call call = {.op = AARD__NET_TAKE, .id = w->id};
    aard__net_result result;
    aard__frame frame;
    bool answered = ask(net, &call, &result, &frame);
    w->taken = true;
    if (answered && result.number) {
        aard__buf_append(&w->reply.head, result.head, result.head_len);
        aard__buf_append(&w->reply.body, result.body, result.body_len);
    }
    if (answered) aard__frame_end(&frame);
    if (!w->reply.head.len || w->reply.head.failed || w->reply.body.failed) lose(w);
}

static aard__net_reply *reply_of(aard__net *base, unsigned id)
{
    remote_net *net = (remote_net *)base;
    wanted *w = find(net, id);
    if (!w || !w->answered) return NULL;
    if (!w->taken) take(net, w);
    return &w->reply;
}

static aard__net_piece take_piece(aard__net *base, unsigned id, aard__buf *out)
{
    remote_net *net = (remote_net *)base;
    wanted *w = find(net, id);
    const aard__net_call call = {.op = AARD__NET_PIECE, .id = id};
    aard__net_result result;
    aard__frame frame;
    if (!w) return AARD__PIECE_FAILED;
    w->answered = w->announced = false; /* the answer may bring news */
    if (!ask(net, &call, &result, &frame)) {
        lose(w);
        return AARD__PIECE_FAILED;
    }
    aard__net_piece piece = result.number <= AARD__PIECE_FAILED ? (aard__net_piece)result.number : AARD__PIECE_FAILED;
    aard__buf_append(out, result.body, result.body_len);
    aard__frame_end(&frame);
    if (piece != AARD__PIECE_NONE) w->answered = w->announced = true;
    if (piece == AARD__PIECE_FAILED) {
        aard__buf_clear(&w->reply.head);
        take(net, w);
    }
    return out->failed ? AARD__PIECE_FAILED : piece;
}

static void free_wanted(wanted *w)
{
    aard__buf_free(&w->reply.head);
    aard__buf_free(&w->reply.body);
    aard__free(w);
}

static void drop(aard__net *base, unsigned id)
{
    remote_net *net = (remote_net *)base;
    wanted **at = &net->list, *w;
    while (*at && (*at)->id != id) at = &(*at)->next;
    if (!(w = *at)) return;
    *at = w->next;
    free_wanted(w);
    const aard__net_call call = {.op = AARD__NET_DROP, .id = id};
    tell(net, &call);
}

static void stop(aard__net *base) { atomic_store(&((remote_net *)base)->stopped, true); }

static void end(aard__net *base)
{
    remote_net *net = (remote_net *)base;
    const aard__net_call call = {.op = AARD__NET_END};
    tell(net, &call);
    for (wanted *w; (w = net->list);) {
        net->list = w->next;
        free_wanted(w);
    }
    aard__free(net);
}

static const aard__net_ops ops = {.start = start,
                                  .wait = wait_for,
                                  .is_busy = is_busy,
                                  .next = next,
                                  .has = has,
                                  .reply_of = reply_of,
                                  .take = take_piece,
                                  .drop = drop,
                                  .stop = stop,
                                  .end = end};

aard_error *aard__remote_net_open(void *host_link, aard__net **out)
{
    remote_net *net = aard__calloc(1, sizeof *net);
    if (!net) return aard__error_no_memory();
    net->base.ops = &ops;
    net->host = host_link;
    *out = &net->base;
    return NULL;
}
