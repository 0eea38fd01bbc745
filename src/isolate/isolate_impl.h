/* The inside of a public isolate. */
#ifndef AARD_ISOLATE_ISOLATE_IMPL_H
#define AARD_ISOLATE_ISOLATE_IMPL_H

#include <stdatomic.h>

#include "isolate/executor.h"

struct aard_isolate {
    aard__executor *executor;
    aard_isolate_config *config;
    aard_handler *handlers; /* all that have not been freed, and those that are gone since the last claim */
    uint64_t id;
    atomic_uint_fast64_t steps; /* of inline code, since its names were last gone */
    atomic_flag busy;
    atomic_bool has_gone;             /* some of the handlers are */
    aard__hardening_report hardening; /* of the host's own process, where it has hardened that for the isolate */
};

struct aard_handler {
    aard_isolate *isolate; /* NULL once that has been freed */
    aard_handler *next;    /* of the isolate's */
    uint32_t number;       /* in requests */
    bool gone;             /* freed by the host, under the lock of handlers.c */
};

/* ---- request.c */

/* Claims the isolate for what is no request.  Errors: forked, busy. */
aard_error *aard__isolate_claim(aard_isolate *isolate);
void aard__isolate_unclaim(aard_isolate *isolate);

/* Claims the isolate, has the request answered, and releases it.  Errors: forked, busy (another call has it), and the
 * request's own. */
aard_error *aard__isolate_request(aard_isolate *isolate, const aard__request *request, aard__response *response);

/* ---- hardening.c */

/* Errors: hardening (measures are required of a guest that has no process of its own). */
aard_error *aard__hardening_possible(const aard_isolate_config *config);

/* ---- handlers.c */

void aard__handlers_add(aard_isolate *isolate, aard_handler *handler);
/* Any thread: the host has no use for the handler any more.  Without an isolate it is freed at once, else with the next
 * request. */
void aard__handlers_drop(aard_handler *handler);
/* Releases the handlers that are gone; within a claim. */
void aard__handlers_sweep(aard_isolate *isolate);
/* The isolate ends: those that are not gone have none any more. */
void aard__handlers_orphan(aard_isolate *isolate);

#endif
