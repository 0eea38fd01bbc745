/* The inside of a worker: what the files of this room make of it. */
#ifndef AARD_WORKER_WORKER_IMPL_H
#define AARD_WORKER_WORKER_IMPL_H

#include "guest/parked.h"
#include "worker/worker.h"

/* A handler of the loaded bundle: looked up once and called many times. */
typedef struct aard__handler {
    char *entrypoint;
    int number;           /* in the guest, where it is ready */
    bool ready;           /* the guest has looked it up */
    bool kept;            /* and had done so at its checkpoint */
    aard__parked *parked; /* a realm of the guest's in which it has, for the first call; NULL = none */
    int parked_number;    /* in there */
} aard__handler;

struct aard__worker {
    aard_isolate_config *config;  /* borrowed */
    aard__guest *guest;           /* NULL while there is none that can be used */
    aard_bundle *bundle;          /* retained; may be NULL */
    aard_warm_state *kept;        /* the host's checkpoint, for new guests; NULL = they start as the first did */
    aard__network_policy network; /* of its calls: by the configuration and the bundle */
    aard__host_list bundle_hosts; /* that the bundle's manifest asks for */
    aard__handler **handlers;     /* by their numbers in requests; NULL where one has been released */
    size_t handler_count;
    aard__budget budget;
    uint64_t id, generation; /* the generation counts guests and their resets */
    bool dirty;              /* the last call was cut off: the guest needs a full reset first */
    bool used;               /* a call has been made since the guest was clean */
    bool remembered;         /* while it is not used: its checkpoint, if it can have one, is its state */
    bool stepped;            /* the guest's checkpoint is a step's, not what a full reset goes back to */
    bool resettable;         /* resets are wanted: what the import of a module leaves is to be undone in place, too */
    /* A handler prepared ahead of need: in the realm that the next reset takes, or in the guest's own since then, which is
     * for that handler's call alone. */
    struct {
        bool standby, taken;
        aard__handler *handler, *taken_for; /* NULL once that has been released */
        int number;
    } ahead;
    aard__handler *last;        /* the last call's, which was ready for it; NULL for another kind of call */
    aard_reset_mode reset_mode; /* how the guest was made clean since the last call, and how long it took */
    double reset_ms;
};

/* ---- enter.c */

/* What the guest may take for what follows, and since when: by aard__clock_monotonic and aard__clock_thread_cpu. */
typedef struct aard__entry {
    aard__limits limits;
    aard_cancel_handle *cancel; /* may be NULL */
    uint64_t wall_start, cpu_start;
} aard__entry;

/* An entry from now on. */
aard__entry aard__worker_entry(const aard__limits *limits, aard_cancel_handle *cancel);

/* The one way in: arms the budget, runs `work` in the guest on a stack of its own, and disarms.  *cause says whether and why it
 * has been stopped.  Errors: thread, no_memory (`work` has not run). */
aard_error *aard__worker_enter(aard__worker *worker, const aard__entry *entry, void (*work)(void *user), void *user,
                               aard__cause *cause);

/* What a guest has defined may run where no call is made: at the end of an object, when a path changes.  It has a call's
 * limits for that, and where there are none that of start-ups.  `work` returns false where the guest is torn; such a guest,
 * one that took too long, and one that was abandoned is dropped: `worker->guest` is NULL then. */
aard_error *aard__worker_do(aard__worker *worker, bool (*work)(aard__worker *worker, void *user), void *user);
/* The same within other limits. */
aard_error *aard__worker_do_within(aard__worker *worker, const aard__limits *limits,
                                   bool (*work)(aard__worker *worker, void *user), void *user);

/* ---- life.c */

/* Drops a guest that is of no use any more. */
void aard__worker_drop_guest(aard__worker *worker);

/* A guest with `bundle` (may be NULL), in place of the one that is there. */
aard_error *aard__worker_boot(aard__worker *worker, aard_bundle *bundle);

/* ---- load.c */

/* Puts the bundle in place of the worker's. */
aard_error *aard__worker_load_bundle(aard__worker *worker, aard_bundle *bundle);

/* ---- capture.c */

/* As aard_warm_state_capture. */
aard_error *aard__worker_capture(aard__worker *worker, aard_warm_state **out);

/* As aard_isolate_checkpoint. */
aard_error *aard__worker_checkpoint(aard__worker *worker);

/* ---- network.c */

/* Makes the policy for calls with `bundle` (may be NULL) loaded; takes its hosts (aard__config_hosts_of). */
void aard__worker_set_network(aard__worker *worker, const aard_bundle *bundle, aard__host_list *hosts);

/* ---- reset.c */

/* Leaves a guest that no call has been made to; what fails in a cheaper way is done by a new guest. */
aard_error *aard__worker_full_reset(aard__worker *worker);

/* Makes sure there is a guest that can be called. */
aard_error *aard__worker_ensure_guest(aard__worker *worker);
/* Drops a standby realm in which a handler has been prepared. */
void aard__worker_drop_ahead(aard__worker *worker);
/* The same as aard__worker_ensure_guest for a call of `handler`, NULL for inline code: there may be a guest that only another
 * call can have. */
aard_error *aard__worker_ensure_guest_for(aard__worker *worker, aard__handler *handler);

/* Prepares the handler (NULL is fine) in a standby realm, where the language has those: worker->ahead says whether that went
 * well.  There may be no guest afterwards. */
aard_error *aard__worker_prepare_ahead(aard__worker *worker, aard__handler *handler, const aard__limits *limits);

/* Makes the state of a guest that is clean the one that resets go back to; the vm entered.  A guest that can't remember it
 * is replaced by a new one at the next reset. */
void aard__worker_renew_checkpoint(aard__worker *worker);

/* The same where neither the vm is entered nor a limit set: code of the guest may run.  There may be no guest afterwards. */
aard_error *aard__worker_take_checkpoint(aard__worker *worker);

/* The same for a guest that is about to be changed, unless its state is remembered already.  Errors: as a boot's, where it
 * was stopped. */
aard_error *aard__worker_remember(aard__worker *worker);
/* Whether states are remembered to go back to. */
bool aard__worker_is_resettable(const aard__worker *worker);

/* Remembers the state as it is, for a call that is to leave nothing where it fails; and puts it back: false where that can't be,
 * and the guest needs a full reset.  Errors: unsupported, guest_boot, engine, no_memory. */
aard_error *aard__worker_begin_step(aard__worker *worker);
bool aard__worker_roll_back(aard__worker *worker);

/* What the host wants to be done about a call that is over.  An error is the next call's, which tries again. */
void aard__worker_clean_up(aard__worker *worker);

/* As aard_isolate_prepare_reset. */
aard_error *aard__worker_prepare_reset(aard__worker *worker);

/* ---- files.c */

/* Errors: as aard__language_ops.files, unsupported, guest_boot. */
aard_error *aard__worker_files(aard__worker *worker, const aard__file_request *request, aard__buf *out);

/* ---- call.c */

/* Calls `handler`, or runs inline code where it is NULL, and says what came of it.  Errors: the call was never made. */
aard_error *aard__worker_call(aard__worker *worker, aard__handler *handler, const aard__request *request,
                              aard_outcome **out);

/* ---- handler.c */

/* Looks the handler up where the guest has not done that; the vm entered. */
aard__state aard__handler_prepare(aard__worker *worker, aard__handler *handler, aard_outcome *outcome);

/* Forgets handlers, in the guest, too. */
aard_error *aard__worker_release(aard__worker *worker, const uint32_t *numbers, size_t count);

/* ---- handlers.c */

/* Errors: entrypoint_missing, entrypoint_invalid, no_memory. */
aard_error *aard__worker_resolve(aard__worker *worker, const char *entrypoint, uint32_t *out);

/* NULL where there is none of the number. */
aard__handler *aard__worker_handler(const aard__worker *worker, uint32_t number);

void aard__handlers_remove(aard__worker *worker, uint32_t number); /* fine where there is none */
void aard__handlers_free(aard__worker *worker);                    /* all of them */

/* What a checkpoint, a reset in place and a new guest or realm mean for the handlers. */
void aard__handlers_keep(aard__worker *worker);
void aard__handlers_restore(aard__worker *worker);
void aard__handlers_forget(aard__worker *worker);
void aard__handlers_unpark(aard__worker *worker); /* their realms went with their guest */

#endif
