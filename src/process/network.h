/* Requests of guests in other processes: a child's net asks (remote_net.c), its host makes them under its policy and writes them
 * down (serve_net.c).  What a call and its answer have in their frames is the same for all operations. */
#ifndef AARD_PROCESS_NETWORK_H
#define AARD_PROCESS_NETWORK_H

#include "base/pack.h"
#include "net/net.h"
#include "process/wire/ask.h"

/* X(constant): `id` is a request's number. */
#define AARD__NET_OPS(X)                                                                                               \
    X(AARD__NET_START) /* `request` → `number`: its, 0 = none */                                                     \
    X(AARD__NET_WAIT)  /* `id` or 0, `ns` */                                                                           \
    X(AARD__NET_TAKE)  /* `id` → `number`: 1 where it is answered; then `head`, `body` */                            \
    X(AARD__NET_PIECE) /* `id` → `number`: an aard__net_piece; `body` */                                             \
    X(AARD__NET_DROP)  /* `id` */                                                                                      \
    X(AARD__NET_END)   /* of the call */

typedef enum aard__net_op {
#define AARD__NET_OP_ENUM(constant) constant,
    AARD__NET_OPS(AARD__NET_OP_ENUM)
#undef AARD__NET_OP_ENUM
        AARD__NET_OP_COUNT
} aard__net_op;

enum {
    AARD__NET_ANSWERED = 1024, /* numbers in one reply at most: as many as there can be requests */
    AARD__NET_WAIT_MS = 100    /* that the host waits for one call, at most */
};

typedef struct aard__net_call {
    aard__net_op op;
    uint32_t id;
    uint64_t ns;
    aard__net_request request; /* unpacked its texts are borrowed */
} aard__net_call;

typedef struct aard__net_result {
    uint32_t number;
    uint32_t answered[AARD__NET_ANSWERED]; /* requests that have been answered since the last reply */
    size_t answered_count;
    const char *head, *body; /* borrowed */
    size_t head_len, body_len;
} aard__net_result;

void aard__net_call_pack(const aard__net_call *call, aard__buf *out);
void aard__net_call_unpack(aard__unpacker *in, aard__net_call *out);
void aard__net_result_pack(const aard__net_result *result, aard__buf *out);
void aard__net_result_unpack(aard__unpacker *in, aard__net_result *out);

/* ---- the child: for aard__net_source.open, with an aard__host_link that outlives it as its user.  Errors: no_memory. */

aard_error *aard__remote_net_open(void *host_link, aard__net **out);

/* ---- the host */

typedef struct aard__net_server {
    const aard__network_policy *policy; /* of the call under way */
    aard__ledger *ledger;
    unsigned last_id;            /* 0 at first */
    aard__lookup_share *lookups; /* NULL at first */
    aard__net *net;              /* the same */
    aard__poller poller;         /* the same: all zero */
} aard__net_server;

/* Answers a NET_CALL into `reply`, which is empty.  False where the call is malformed. */
bool aard__net_serve(aard__net_server *server, const aard__frame *call, aard__buf *reply);
void aard__net_server_end_call(aard__net_server *server); /* what is under way is dropped, and stands in the ledger */
void aard__net_server_end(aard__net_server *server);

#endif
