/* The inside of a public isolate: what the files of this room make of it. */
#ifndef AARD_WORKER_ISOLATE_H
#define AARD_WORKER_ISOLATE_H

#include <stdatomic.h>

#include "budget/budget.h"
#include "guest/guest.h"
#include "settings/config.h"

struct aard_isolate {
    aard_isolate_config *config;
    aard__guest *guest;           /* NULL while there is none that can be used */
    aard_bundle *bundle;          /* retained; may be NULL */
    aard_warm_state *kept;        /* the host's checkpoint, for new guests; NULL = they start as the first did */
    aard__network_policy network; /* of its calls: by the configuration and the bundle */
    aard__host_list bundle_hosts; /* that the bundle's manifest asks for */
    aard_handler *handlers;       /* all that have not been freed, and those that are gone since the last claim */
    aard__budget budget;
    uint64_t id, generation; /* the generation counts guests and their resets */
    bool soiled;             /* the last call was cut off: the guest needs a full reset first */
    bool used;               /* a call has been made since the guest was clean */
    bool remembered;         /* while it is not used: its checkpoint, if it can have one, is its state */
    bool resettable;         /* resets are wanted: what the import of a module leaves is to be undone in place, too */
    /* A handler prepared ahead of need: in the realm that the next reset takes, or in the guest's own since then, which is
     * for that handler's call alone. */
    struct {
        bool spare, taken;
        aard_handler *handler; /* NULL once that has been freed */
        int number;
    } ahead;
    aard_handler *last;         /* the last call's, which was ready for it; NULL for another kind of call */
    aard_reset_mode reset_mode; /* how the guest was made clean since the last call, and how long it took */
    double reset_ms;
    atomic_flag busy;
    atomic_bool has_gone; /* some of the handlers are */
};

struct aard_handler {
    aard_isolate *isolate; /* NULL once that has been freed */
    aard_handler *next;    /* of the isolate's */
    char *entrypoint;
    bool gone;  /* freed by the host, under the lock of handler.c; whoever has the isolate next frees it */
    int number; /* in the guest, where it is ready */
    bool ready; /* the guest has looked it up */
    bool kept;  /* and had done so at its checkpoint */
};

/* ---- claim.c */

aard_error *aard__isolate_claim(aard_isolate *isolate); /* busy where another call has it */
void aard__isolate_release(aard_isolate *isolate);

/* ---- enter.c */

/* From now on, for so long, the guest's code may run; `cancel` may be NULL. */
aard_error *aard__isolate_arm(aard_isolate *isolate, const aard__limits *limits, aard_cancel_handle *cancel);
/* The same from a time on that was read before: by aard__clock_monotonic and aard__clock_thread_cpu. */
aard_error *aard__isolate_arm_at(aard_isolate *isolate, const aard__limits *limits, aard_cancel_handle *cancel,
                                 uint64_t now, uint64_t cpu_start);

/* What a guest has defined may run where no call is made: at the end of an object, when a path changes.  It has a call's
 * limits for that, and for want of those that of start-ups.  `work` gives false where the guest is torn; such a guest, one
 * that took too long, and one that was lost goes away, and there is none then. */
aard_error *aard__isolate_do(aard_isolate *isolate, bool (*work)(aard_isolate *isolate, void *user), void *user);
/* The same within other limits. */
aard_error *aard__isolate_do_within(aard_isolate *isolate, const aard__limits *limits,
                                    bool (*work)(aard_isolate *isolate, void *user), void *user);

/* ---- life.c */

/* Lets go of a guest that is of no use any more. */
void aard__isolate_drop_guest(aard_isolate *isolate);

/* A guest with `bundle` (may be NULL), in place of the one that is there. */
aard_error *aard__isolate_boot(aard_isolate *isolate, aard_bundle *bundle);

/* ---- load.c */

/* Puts the bundle in place of the isolate's; claimed. */
aard_error *aard__isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle);

/* ---- capture.c */

/* As aard_warm_state_capture, for an isolate that has been claimed. */
aard_error *aard__warm_state_take(aard_isolate *isolate, aard_warm_state **out);

/* As aard_isolate_checkpoint, for one that has been claimed. */
aard_error *aard__isolate_checkpoint(aard_isolate *isolate);

/* ---- network.c */

/* The hosts that a bundle (may be NULL) asks for: all of its policy that can fail.  Errors: no_memory. */
aard_error *aard__isolate_hosts_of(const aard_bundle *bundle, aard__host_list *out);

/* Makes the policy for calls with `bundle` (may be NULL) loaded; takes its hosts. */
void aard__isolate_set_network(aard_isolate *isolate, const aard_bundle *bundle, aard__host_list *hosts);

/* ---- reset.c */

/* Leaves a guest that no call has been made to; what fails in a cheaper way is done by a new guest. */
aard_error *aard__isolate_full_reset(aard_isolate *isolate);

/* Makes sure there is a guest that can be called. */
aard_error *aard__isolate_ensure_guest(aard_isolate *isolate);
/* Lets go of a realm for the next reset in which a handler has been prepared. */
void aard__isolate_drop_ahead(aard_isolate *isolate);
/* The same as aard__isolate_ensure_guest for a call of `handler`, NULL for inline code: there may be a guest that only another call can have. */
aard_error *aard__isolate_ensure_guest_for(aard_isolate *isolate, const aard_handler *handler);

/* Makes the state of a guest that is clean the one that resets go back to; the vm entered.  A guest that can't remember it
 * is replaced by a new one at the next reset. */
void aard__isolate_renew_checkpoint(aard_isolate *isolate);

/* The same where neither the vm is entered nor a limit set: code of the guest may run.  There may be no guest afterwards. */
aard_error *aard__isolate_take_checkpoint(aard_isolate *isolate);

/* The same for a guest that is about to be changed, unless its state is remembered already.  Errors: as a boot's, where it
 * was stopped. */
aard_error *aard__isolate_remember(aard_isolate *isolate);
/* Whether states are remembered to go back to. */
bool aard__isolate_is_resettable(const aard_isolate *isolate);

/* What the host wants to be done about a call that is over.  An error is the next call's, which tries again. */
void aard__isolate_clean_up(aard_isolate *isolate);

/* As aard_isolate_prepare_reset, for one that has been claimed. */
aard_error *aard__isolate_prepare_reset(aard_isolate *isolate);

/* ---- handler.c */

/* Looks the handler up where the guest has not done that; the vm entered. */
aard__state aard__handler_prepare(aard_handler *handler, aard_outcome *outcome);

/* Any thread: the host has no use for the handler any more.  Without an isolate it is freed at once, else by the next claim. */
void aard__handler_let_go(aard_handler *handler);
/* Frees the handlers that are gone, in the guest, too; within a claim. */
void aard__handlers_sweep(aard_isolate *isolate);
/* The isolate ends: those that are not gone have none any more. */
void aard__handlers_orphan(aard_isolate *isolate);

/* ---- handlers.c */

/* As aard_handler_new, for an isolate that has been claimed. */
aard_error *aard__handler_make(aard_isolate *isolate, const char *entrypoint, aard_handler **out);

/* What a checkpoint, a reset in place and a new guest or realm mean for the isolate's handlers. */
void aard__handlers_keep(aard_isolate *isolate);
void aard__handlers_restore(aard_isolate *isolate);
void aard__handlers_forget(aard_isolate *isolate);

#endif
