/* Requests, wherever they are made. */
#include "net/net.h"

unsigned aard__net_start(aard__net *net, const aard__net_request *request) { return net->ops->start(net, request); }

bool aard__net_wait(aard__net *net, unsigned id, uint64_t ns) { return net->ops->wait(net, id, ns); }

bool aard__net_busy(const aard__net *net) { return net->ops->is_busy(net); }

unsigned aard__net_next(aard__net *net) { return net->ops->next(net); }

bool aard__net_has(const aard__net *net, unsigned id) { return net->ops->has(net, id); }

aard__net_reply *aard__net_reply_of(aard__net *net, unsigned id) { return net->ops->reply_of(net, id); }

aard__net_piece aard__net_take(aard__net *net, unsigned id, aard__buf *out) { return net->ops->take(net, id, out); }

void aard__net_drop(aard__net *net, unsigned id) { net->ops->drop(net, id); }

void aard__net_stop(aard__net *net) { net->ops->stop(net); }

void aard__net_free(aard__net *net)
{
    if (net) net->ops->end(net);
}
