/* Callbacks of guests in other processes: a child's invocations are passed on (remote_callbacks.c), its host checks them, calls
 * what they name, and hands out the answers (serve_callbacks.c).
 *
 * The child asks and the host replies, one frame each: neither ever sends while the other does not read.  Every reply has all
 * answers that have come, so that one which is given at once takes no second frame. */
#ifndef AARD_PROCESS_CALLBACKS_H
#define AARD_PROCESS_CALLBACKS_H

#include <stdatomic.h>

#include "callbacks/invocations.h"
#include "process/wire/ask.h"
#include "settings/config.h"

/* X(constant) */
#define AARD__CALLBACK_OPS(X)                                                                                          \
    X(AARD__CALLBACK_START) /* `id`, above all before in the call; `index` of the callback, `arguments` */             \
    X(AARD__CALLBACK_WAIT)  /* `ns`: the reply comes when there is an answer, or they have passed */

typedef enum aard__callback_op {
#define AARD__CALLBACK_OP_ENUM(constant) constant,
    AARD__CALLBACK_OPS(AARD__CALLBACK_OP_ENUM)
#undef AARD__CALLBACK_OP_ENUM
        AARD__CALLBACK_OP_COUNT
} aard__callback_op;

typedef struct aard__callback_call {
    aard__callback_op op;
    uint32_t id, index;
    uint64_t ns;
    const char *arguments; /* borrowed */
    size_t len;
    const char *dropped; /* borrowed: numbers of 4 bytes that the guest has given up */
    size_t dropped_len;
} aard__callback_call;

void aard__callback_call_pack(const aard__callback_call *call, aard__buf *out);
void aard__callback_call_unpack(aard__unpacker *in, aard__callback_call *out);

/* A reply is whether the host is ending the call, and a list of answers up to its end. */
void aard__callback_answer_pack(const aard__invocation_answer *answer, aard__buf *out);
/* One after the other, with texts that are copies; false at the end, and where it is malformed. */
bool aard__callback_answer_unpack(aard__unpacker *in, aard__invocation_answer *out);

/* ---- the child */

typedef struct aard__asked { /* an invocation that the host has not answered */
    struct aard__asked *next;
    aard_invocation *invocation;
    uint32_t id;
} aard__asked;

typedef struct aard__remote_callbacks {
    aard__host_link *host;
    const uint64_t *call;              /* the number of the call under way: */
    uint64_t asked_by;                 /* what is listed is of this one */
    aard_cancel_handle *const *cancel; /* of that call; may point to NULL */
    aard__asked *list;
    bool *missed; /* set where there is no host */
    bool lost;    /* the host is gone, or sent what it must not */
} aard__remote_callbacks;

/* Invokes callback `index` of the host's, for who is called by the guest. */
void aard__remote_callback(aard__remote_callbacks *remote, uint32_t index, aard_invocation *invocation);
/* As aard__callback_source.wait. */
bool aard__remote_callbacks_wait(void *remote, uint64_t ns);

/* ---- the host */

typedef struct aard__callback_server { /* of one call */
    const aard_isolate_config *config;
    const aard_call_context *context;
    aard__ledger *ledger;
    int wake;               /* an eventfd: an answer has come for a child that waits */
    aard__invocations *all; /* NULL at first, as what follows */
    uint32_t last_id;
    bool told;           /* that the call is being ended */
    atomic_bool waiting; /* the child does, since it sent: */
    uint64_t frame;
    uint64_t until; /* by aard__clock_monotonic */
} aard__callback_server;

/* Takes a CALLBACK_CALL.  False where it is malformed.  Unless the child waits then, `reply`, which is empty, is the reply. */
bool aard__callback_serve(aard__callback_server *server, const aard__frame *call, aard__buf *reply);
/* Whether a child waits, and has to be replied to now, with `reply`: there is an answer, or its time is over, or `ending`, once: the
 * call is being ended.  It waits no longer then. */
bool aard__callback_wait_over(aard__callback_server *server, bool ending, aard__buf *reply);
/* When to look again at the latest; UINT64_MAX = when the eventfd says so. */
uint64_t aard__callback_next_look(const aard__callback_server *server);
/* What is under way is over; the diagnostics of the call have what there was. */
void aard__callback_server_end(aard__callback_server *server, aard_diagnostics *diagnostics);

#endif
