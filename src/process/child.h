/* A child of a template: answers its host's requests with the guest that it was forked with. */
#ifndef AARD_PROCESS_CHILD_H
#define AARD_PROCESS_CHILD_H

#include "net/net.h"
#include "process/callbacks.h"
#include "process/harden/report.h"
#include "process/wire/ask.h"
#include "settings/pack.h"
#include "worker/worker.h"

/* Whom the guest's calls of host functions go to, and its output: nobody in a template. */
typedef struct aard__child {
    aard__host_link host;             /* without a channel in a template */
    aard__net_source net;             /* its requests, by way of that */
    aard__remote_callbacks callbacks; /* the same for its invocations */
    aard__callback_source answers;
    uint64_t request;                        /* under way; 0 = none */
    const aard__hardening_report *hardening; /* of the process */
    aard_cancel_handle *cancel;
    uint32_t cancelled; /* the request that the host cancelled last, whether it was under way or not yet */
    bool listens;       /* the thread that waits for the host's signal runs */
    bool missed;        /* in a template: the guest wanted something of the host, which nobody could give it */
} aard__child;

/* Fills the hooks of a configuration so that what the host serves is had over the child's channel.
 * Errors: no_memory, invalid_argument. */
aard_error *aard__child_serve_hooks(aard__child *child, const aard__served *served, aard_isolate_config *config);

/* Serves until the host closes the channel, and ends the process. */
void aard__child_run(aard__child *child, aard__worker *worker) __attribute__((noreturn));

#endif
