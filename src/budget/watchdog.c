#include "budget/watchdog.h"

#include <stddef.h>
#include <time.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/thread.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static bool running, ending;
static pthread_t thread;
static aard__watch *armed;    /* a list: there are as many as calls under way, and few */
static uint64_t sleeps_until; /* when the thread wakes by itself; AARD__NEVER while it has nothing to wait for */

/* Fires what is due; gives the earliest deadline that is left. */
static uint64_t fire_due(uint64_t now)
{
    uint64_t earliest = AARD__NEVER;
    for (aard__watch *watch = armed; watch; watch = watch->next) {
        if (watch->deadline <= now) {
            watch->fired = true;
            watch->deadline = watch->fire(watch->user, now);
        }
        if (watch->deadline < earliest) earliest = watch->deadline;
    }
    return earliest;
}

static void *run(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    while (!ending) {
        sleeps_until = fire_due(aard__clock_monotonic());
        if (sleeps_until == AARD__NEVER) {
            pthread_cond_wait(&wake, &lock);
        } else {
            struct timespec until = {(time_t)(sleeps_until / 1000000000), (long)(sleeps_until % 1000000000)};
            pthread_cond_timedwait(&wake, &lock, &until);
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* With the lock held. */
static aard_error *start(void)
{
    aard__cond_init(&wake);
    int failed = aard__thread_start(&thread, run, NULL);
    if (failed) return aard__error_errno(AARD_ERR_THREAD, failed, "cannot start the watchdog's thread");
    running = true;
    return NULL;
}

/* Before a fork. */
static aard_error *end(void)
{
    aard_error *error = NULL;
    pthread_mutex_lock(&lock);
    bool idle = !armed, was_running = running;
    if (!idle) error = aard__error(AARD_ERR_BUSY, "a call is under way; fork the template between two calls");
    if (idle && was_running) {
        ending = true;
        pthread_cond_signal(&wake);
        pthread_mutex_unlock(&lock);
        pthread_join(thread, NULL);
        pthread_mutex_lock(&lock);
        running = ending = false;
        sleeps_until = 0;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

AARD__PROCESS_STATE(watchdog, "the watchdog's thread", "lock wake running ending thread armed sleeps_until",
                    AARD__FORK_QUIESCE, end, NULL, NULL);

aard_error *aard__watch_arm(aard__watch *watch, uint64_t deadline)
{
    aard_error *error = NULL;
    pthread_mutex_lock(&lock);
    if (!running) error = start();
    if (!error) {
        watch->deadline = deadline;
        watch->armed = true;
        watch->fired = false;
        watch->previous = NULL;
        watch->next = armed;
        if (armed) armed->previous = watch;
        armed = watch;
        /* A thread that wakes earlier anyway will see this watch then; waking it now would cost every call a switch. */
        if (deadline < sleeps_until) pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
    return error;
}

void aard__watch_hasten(aard__watch *watch)
{
    pthread_mutex_lock(&lock);
    if (watch->armed) {
        watch->deadline = 0;
        pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
}

bool aard__watch_disarm(aard__watch *watch)
{
    pthread_mutex_lock(&lock);
    if (watch->armed) {
        if (watch->previous)
            watch->previous->next = watch->next;
        else
            armed = watch->next;
        if (watch->next) watch->next->previous = watch->previous;
        watch->armed = false;
    }
    bool fired = watch->fired;
    watch->fired = false;
    pthread_mutex_unlock(&lock);
    return fired;
}
