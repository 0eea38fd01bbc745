/* The requests of one call: started, driven, answered, within the policy and written down in the ledger.
 *
 * A guest that makes no request has none of this; when the call ends it is freed, and what is under way is dropped:
 * connections, cookies, answers, nothing is kept for the next call.  All but aard__net_stop belongs to the guest's thread. */
#ifndef AARD_NET_NET_H
#define AARD_NET_NET_H

#include "base/buf.h"
#include "base/poller.h"
#include "net/lookup.h"
#include "outcome/ledger.h"
#include "policy/network.h"

typedef struct aard__net aard__net;

typedef enum aard__redirects {
    AARD__REDIRECTS_FOLLOW = 0,
    AARD__REDIRECTS_FAIL = 1, /* a redirect is an error */
    AARD__REDIRECTS_GIVE = 2  /* a redirect is an answer like any other */
} aard__redirects;

typedef struct aard__net_request { /* everything is borrowed for aard__net_start */
    const char *method, *url;
    size_t method_len, url_len;
    const char *headers; /* lines "name: value\n" in UTF-8 that stands for Latin-1 */
    size_t headers_len;
    const void *body;
    size_t body_len;
    bool has_body;
    aard__redirects redirects;
    uint64_t timeout_ms; /* 0, or less than the policy's */
    bool streams;        /* the answer is there when its head is; its body is taken by aard__net_take, as it comes */
} aard__net_request;

/* What aard__net_take gave. */
typedef enum aard__net_piece {
    AARD__PIECE_NONE = 0, /* nothing is here: aard__net_next tells when that has changed */
    AARD__PIECE_BYTES = 1,
    AARD__PIECE_END = 2,
    AARD__PIECE_FAILED = 3 /* the reply's head says why */
} aard__net_piece;

typedef struct aard__net_reply {
    /* JSON.  An answer: {"status", "statusText", "url", "redirected", "decoded": whether a Content-Encoding was taken off the
     * body, "headers": [[name, value], …]}.  A failure: {"reason": a word, "message"}. */
    aard__buf head;
    aard__buf body; /* of a request that streams: what has come and is not taken */
    bool streams;
} aard__net_reply;

/* Requests are made by this process, or by another one that is asked (process/network.h): each member does what the
 * function of its name does. */
typedef struct aard__net_ops {
    unsigned (*start)(aard__net *net, const aard__net_request *request);
    bool (*wait)(aard__net *net, unsigned id, uint64_t ns);
    bool (*is_busy)(const aard__net *net);
    unsigned (*next)(aard__net *net);
    bool (*has)(const aard__net *net, unsigned id);
    aard__net_reply *(*reply_of)(aard__net *net, unsigned id);
    aard__net_piece (*take)(aard__net *net, unsigned id, aard__buf *out);
    void (*drop)(aard__net *net, unsigned id);
    void (*stop)(aard__net *net);
    void (*end)(aard__net *net);
} aard__net_ops;

struct aard__net { /* the beginning of a struct of its kind */
    const aard__net_ops *ops;
};

/* Where the requests of a call are made, if not in this process; for the hooks of a configuration. */
typedef struct aard__net_source {
    aard_error *(*open)(void *user, aard__net **out);
    void *user;
} aard__net_source;

/* In this process.  All outlive it.  `*last_id` is the last number that was given to a request of the guest: none is given twice, in other calls
 * either.  `poller` is where the waiting is done.  Errors: no_memory, busy (no file descriptor is left). */
aard_error *aard__net_new(const aard__network_policy *policy, aard__ledger *ledger, unsigned *last_id,
                          aard__lookup_share *lookups, aard__poller *poller, aard__net **out);
void aard__net_free(aard__net *net); /* NULL is fine */

/* Any thread: whoever waits stops waiting, now and from now on. */
void aard__net_stop(aard__net *net);

/* Gives the request's number, above 0; one that can't be made is answered at once.  0 when memory is out, or a thousand are
 * there. */
unsigned aard__net_start(aard__net *net, const aard__net_request *request);

/* Drives all requests until number `id` is answered, or, where that is 0, until there is one for aard__net_next; at most
 * `ns` nanoseconds.  False where that did not come to be; where any will do, a wake of the poller ends the wait, too. */
bool aard__net_wait(aard__net *net, unsigned id, uint64_t ns);

bool aard__net_busy(const aard__net *net); /* something is to come of aard__net_wait */
unsigned aard__net_next(aard__net *net);   /* a request that has been answered, each once; 0 = none */

/* Moves what has come of the body of a request that streams to `out`, which is empty.  What is not taken keeps the server
 * from sending more than some KiB beyond it. */
aard__net_piece aard__net_take(aard__net *net, unsigned id, aard__buf *out);

/* The answer; NULL while there is none.  Good until it is dropped. */
bool aard__net_has(const aard__net *net, unsigned id); /* answered or not */
aard__net_reply *aard__net_reply_of(aard__net *net, unsigned id);
void aard__net_drop(aard__net *net, unsigned id); /* answered or not; of no request: nothing */

#endif
