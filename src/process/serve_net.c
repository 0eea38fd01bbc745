/* The host's side of its guests' requests: all that the policy says is checked here, by the net of this process. */
#include "process/network.h"

/* NULL where there can be none: then no request has a number. */
static aard__net *net_of(aard__net_server *server)
{
    if (!server->lookups) server->lookups = aard__lookup_share_new();
    if (server->net || !server->lookups) return server->net;
    aard_error_free(aard__net_new(server->policy, server->ledger, &server->last_id, server->lookups, &server->poller,
                                  &server->net));
    return server->net;
}

static void take(aard__net *net, uint32_t id, aard__net_result *result)
{
    const aard__net_reply *reply = aard__net_reply_of(net, id);
    if (!reply || reply->head.failed || reply->body.failed) return;
    result->number = 1;
    result->head = reply->head.data;
    result->head_len = reply->head.len;
    if (reply->streams) return;
    result->body = reply->body.data;
    result->body_len = reply->body.len;
}

/* `piece` holds the bytes until they are packed. */
static void take_piece(aard__net *net, uint32_t id, aard__buf *piece, aard__net_result *result)
{
    result->number = (uint32_t)aard__net_take(net, id, piece);
    result->body = piece->data;
    result->body_len = piece->len;
}

static uint64_t within(uint64_t ns)
{
    const uint64_t most = AARD__NET_WAIT_MS * UINT64_C(1000000);
    return ns < most ? ns : most;
}

static void serve(aard__net_server *server, const aard__net_call *call, aard__buf *piece, aard__net_result *result)
{
    aard__net *net = call->op == AARD__NET_START ? net_of(server) : server->net;
    if (!net) return;
    switch (call->op) {
    case AARD__NET_START: result->number = aard__net_start(net, &call->request); break;
    case AARD__NET_WAIT: aard__net_wait(net, call->id, within(call->ns)); break;
    case AARD__NET_TAKE: take(net, call->id, result); break;
    case AARD__NET_PIECE: take_piece(net, call->id, piece, result); break;
    case AARD__NET_DROP: aard__net_drop(net, call->id); break;
    case AARD__NET_END: aard__net_server_end_call(server); return;
    default: break;
    }
    while (result->answered_count < AARD__NET_ANSWERED &&
           (result->answered[result->answered_count] = aard__net_next(net)))
        result->answered_count++;
}

bool aard__net_serve(aard__net_server *server, const aard__frame *frame, aard__buf *reply)
{
    aard__net_call call;
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__net_call_unpack(&in, &call);
    if (!aard__unpacker_done(&in)) return false;
    aard__net_result result;
    result.number = 0; /* its list is large, and need not be cleared */
    result.answered_count = result.head_len = result.body_len = 0;
    result.head = result.body = NULL;
    aard__buf piece = AARD__BUF_INIT;
    serve(server, &call, &piece, &result);
    aard__net_result_pack(&result, reply);
    aard__buf_free(&piece);
    return true;
}

void aard__net_server_end_call(aard__net_server *server)
{
    aard__net_free(server->net);
    aard__poller_rest(&server->poller);
    server->net = NULL;
}

void aard__net_server_end(aard__net_server *server)
{
    aard__net_server_end_call(server);
    aard__lookup_share_drop(server->lookups);
    server->lookups = NULL;
}
