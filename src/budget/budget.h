/* The budget of one call: how long it may take by the clock and by the processor, who else may end it, and how it is
 * ended: softly first, where there is a grace period, then for good. */
#ifndef AARD_BUDGET_BUDGET_H
#define AARD_BUDGET_BUDGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "budget/cancel.h"
#include "budget/watchdog.h"

typedef enum aard__cause {
    AARD__CAUSE_NONE,
    AARD__CAUSE_WALL,
    AARD__CAUSE_CPU,
    AARD__CAUSE_CANCELLED,
} aard__cause;

/* How a call is ended, one after the other as long as it does not. */
typedef enum aard__stop {
    AARD__STOP_SOFT, /* it is asked to end; may come often */
    AARD__STOP_HARD, /* the engine is told to end it */
    AARD__STOP_FORCE /* it is left where it is; may come often */
} aard__stop;

typedef struct aard__limits {
    uint64_t wall_ms, cpu_ms; /* 0 = no limit */
    uint64_t grace_ms;        /* between the soft stop and the hard one; 0 = at once */
} aard__limits;

typedef struct aard__budget {
    void (*stop)(void *user, aard__stop how); /* on the watchdog's thread, quick */
    void *user;
    aard__watch watch;
    aard__limits limits;
    uint64_t wall_deadline, hard_deadline; /* by aard__clock_monotonic; AARD__NEVER = not set */
    uint64_t soft_next;                    /* not before: the next soft stop, whoever hastens the watch */
    bool told;                             /* the engine has been told to end it, when the thread's clock said: */
    uint64_t cpu_told;
    uint64_t cpu_start; /* of the thread's clock, ns */
    clockid_t cpu_clock;
    aard__cause cause; /* under the watchdog's lock while armed */
    atomic_bool cancelled;
    aard__cancel_entry cancel;
} aard__budget;

/* From now on; `cpu_start` is what aard__clock_thread_cpu() says.  The call must be made by this very thread.  `cancel` may be
 * NULL; one that has been cancelled already ends the call at once.  Errors: thread. */
aard_error *aard__budget_arm(aard__budget *budget, const aard__limits *limits, uint64_t now, uint64_t cpu_start,
                             aard_cancel_handle *cancel);

/* The end of that; afterwards `stop` is not running and will not run.  Why it has run, if it has.  Fine on a budget that
 * is not armed. */
aard__cause aard__budget_disarm(aard__budget *budget);

#endif
