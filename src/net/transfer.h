/* One request on its way: the inside of src/net. */
#ifndef AARD_NET_TRANSFER_H
#define AARD_NET_TRANSFER_H

#include "base/trace.h"
#include "net/curl.h"
#include "net/lookup.h"
#include "net/net.h"

typedef enum aard__phase {
    AARD__WAITING,  /* for others to end */
    AARD__LOOKING,  /* its host's addresses up */
    AARD__MOVING,   /* in libcurl's hands */
    AARD__ANSWERED, /* `reply` is complete */
} aard__phase;

typedef struct aard__header {
    char *name, *value; /* the value in Latin-1 */
} aard__header;

typedef struct aard__transfer {
    struct aard__transfer *next;
    struct aard__transfers *net;
    unsigned id;
    aard__phase phase;
    bool announced; /* by aard__net_next; of one that streams: since its taker was told to wait */
    bool streams, head_told, paused, failed; /* paused: so much has come that nobody has taken */
    uint64_t received;               /* bytes of the body */
    uint64_t deadline;
    aard__span span; /* until it is answered */

    /* What is asked for; of this hop, after redirects. */
    char *method;
    aard__url url;
    aard__header *headers;
    size_t header_count;
    aard__buf body;
    bool has_body, asks_for_range;
    aard__redirects redirects;
    unsigned hops;

    aard__lookup *lookup;
    CURL *easy; /* while it is MOVING */
    struct curl_slist *sent_headers, *pinned;
    char error[CURL_ERROR_SIZE];

    /* What came. */
    const char *refusal; /* why we ended it ourselves */
    size_t got_header_bytes, discarded;
    unsigned status, encodings;
    aard__buf got_headers, location, status_text; /* got_headers: items of a JSON array, without the brackets */
    bool has_location, has_length, has_transfer_encoding, is_old, body_began; /* is_old: HTTP/1.0 */
    aard__net_reply reply;
} aard__transfer;

/* The requests of one call, made by this process. */
typedef struct aard__transfers {
    aard__net base;
    const aard__network_policy *policy;
    aard__ledger *ledger;
    const aard__curl *curl; /* once it has been needed */
    CURLM *multi;
    aard__poller *poller; /* where whoever waits does */
    _Atomic(bool) stopped;
    aard__transfer *transfers; /* oldest first */
    unsigned *last_id;
    aard__lookup_share *lookups;
    size_t live;       /* transfers */
    uint64_t requests; /* made so far, redirects included */
    uint64_t asked;    /* bytes of bodies of requests that are not answered yet */
    uint64_t held;     /* bytes of bodies that came and are still here */
} aard__transfers;

/* ---- request.c: what is asked for -------------------------------------------------------------------------- */

/* Copies the request into the transfer and checks all but its URL's place in the policy.  NULL, or the reason; "" when
 * memory is out. */
const char *aard__transfer_ask(aard__transfer *transfer, const aard__net_request *request);

/* Whether what came is a redirect to follow. */
bool aard__transfer_is_redirect(const aard__transfer *transfer);
/* Makes the transfer ask for what the redirect leads to.  NULL, or the reason. */
const char *aard__transfer_follow(aard__transfer *transfer);

/* Whether the text is `word`, in capitals or not, as names and values of headers are compared. */
bool aard__is_word(const char *text, size_t len, const char *word);

/* Lets go of the body and the headers that were to be sent. */
void aard__transfer_forget(aard__transfer *transfer);

/* ---- head.c ------------------------------------------------------------------------------------------------------ */

void aard__transfer_put_head(aard__transfer *transfer); /* into the reply, where it is not there yet */

/* ---- answer.c: how it ends --------------------------------------------------------------------------------- */

bool aard__reason_is_violation(const char *reason); /* the policy says no, and not the world */

/* Writes the hop down, under `url` or the transfer's own; `reason` NULL = it was answered. */
void aard__transfer_record(aard__transfer *transfer, const char *url, const char *reason, bool allowed);
void aard__transfer_record_url(aard__transfer *transfer, const char *reason, bool allowed);

void aard__transfer_settle(aard__transfer *transfer); /* it is under way no longer */
void aard__transfer_fail(aard__transfer *transfer, const char *reason);
void aard__transfer_answer(aard__transfer *transfer); /* with what came */
/* Writes down and fails; `allowed`: the policy had let it go. */
void aard__transfer_refuse(aard__transfer *transfer, const char *reason, bool allowed);

/* ---- curl_transfer.c: libcurl ------------------------------------------------------------------------------------- */

/* Hands the transfer to libcurl, which connects to one of `addresses` (none: the URL has its own).  NULL, or the reason. */
const char *aard__curl_transfer_start(aard__transfer *transfer, const aard__socket_address *addresses, size_t count);
/* The word for how libcurl ended it; NULL for an answer. */
const char *aard__curl_transfer_failure(const aard__transfer *transfer, CURLcode code);
/* The bytes of bodies so far. */
void aard__curl_transfer_sizes(const aard__transfer *transfer, uint64_t *sent, uint64_t *received);
void aard__curl_transfer_end(aard__transfer *transfer); /* takes it out of libcurl's hands; forgets nothing that came */

/* For tests: puts another address in the place of one that has passed the policy's check, so that a server of theirs can
 * stand for one on the public Internet.  NULL ends that. */
typedef void (*aard__connect_hook)(struct sockaddr *address);
void aard__curl_transfer_set_hook(aard__connect_hook reroute);

#endif
