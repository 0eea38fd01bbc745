/* What is done ahead of need, a moment after a request, so that it takes nothing of the next one's time: by one thread for all
 * of the process, which ends when there is nothing to do. */
#ifndef AARD_PROCESS_AHEAD_H
#define AARD_PROCESS_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

/* Its owner's; begins as zeros but for these two. */
typedef struct aard__ahead {
    bool (*work)(void *user); /* false: it can't be done now, and is tried again later */
    void *user;
    struct aard__ahead *next;
    uint64_t due, pause; /* by aard__clock_monotonic */
    bool queued, running;
} aard__ahead;

/* Any thread.  It is done soon, if a thread can be had; fine where it is queued already. */
void aard__ahead_queue(aard__ahead *ahead);

/* It is not done any more; waits for it where it is under way. */
void aard__ahead_drop(aard__ahead *ahead);

#endif
