/* Where a thread waits: for a time, for whoever wakes it, and for descriptors that somebody else knows how to poll. */
#ifndef AARD_BASE_POLLER_H
#define AARD_BASE_POLLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard__poller { /* all zero is one */
    pthread_mutex_t lock;
    pthread_cond_t change;     /* while there is no descriptor that could be polled */
    int place;                 /* under the lock: one more than its eventfd's number; 0 before somebody has needed it */
    bool woken;                /* under the lock: and no wait has told of it yet */
    struct aard__poller *next; /* of those that wait for the engine's threads (aard__engine_watch) */
} aard__poller;

/* Polls `fd` (-1 = none) and what else there is, for `ms` at most. */
typedef struct aard__poll_more {
    void (*poll)(void *user, int fd, int ms);
    void *user;
} aard__poll_more;

/* Any thread: ends the wait under way; the next one, where there is none. */
void aard__poller_wake(aard__poller *poller);

/* Waits until `until`, by aard__clock_monotonic, for a wake, or for `more` (may be NULL); may end early.  Whether it was woken.
 * Where `more` is to be polled and the process has no descriptor left it looks every few milliseconds. */
bool aard__poller_wait(aard__poller *poller, const aard__poll_more *more, uint64_t until);

/* The eventfd, for others to write to: that ends waits too, but is no wake.  -1 where no descriptor is left. */
int aard__poller_fd(aard__poller *poller);

/* Gives the descriptor back; a poller at rest holds nothing, and may be forked or freed. */
void aard__poller_rest(aard__poller *poller);

#ifdef __cplusplus
}
#endif

#endif
