/* The watchdog: one thread for the whole process that looks after calls while they run.
 *
 * A watch belongs to its owner and is disarmed before its memory goes.  After aard__watch_disarm has returned, `fire`
 * is not running and will not run: a late end can never hit the next call. */
#ifndef AARD_BUDGET_WATCHDOG_H
#define AARD_BUDGET_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define AARD__NEVER UINT64_MAX

typedef struct aard__watch {
    /* When it is time, on the watchdog's thread, with its lock held: must be quick, must not arm or disarm.  Gives when
     * to be called again. */
    uint64_t (*fire)(void *user, uint64_t now);
    void *user;
    uint64_t deadline; /* by aard__clock_monotonic */
    bool armed, fired;
    struct aard__watch *next, *previous;
} aard__watch;

/* Starts the watchdog's thread if it does not run yet.  Errors: thread. */
aard_error *aard__watch_arm(aard__watch *watch, uint64_t deadline);

/* Any thread, of an armed watch: it is time now. */
void aard__watch_hasten(aard__watch *watch);

/* True when the watch had fired.  Fine on a watch that is not armed. */
bool aard__watch_disarm(aard__watch *watch);

#endif
