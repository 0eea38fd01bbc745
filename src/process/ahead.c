#include "process/ahead.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/thread.h"

#define MS UINT64_C(1000000)
#define SOON (2 * MS)    /* whoever asks again at once is not to be disturbed */
#define MOST (128 * MS)  /* between two tries */
#define IDLE (1000 * MS) /* then the thread ends */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t changed;
static aard__ahead *queue;
static bool runs;

AARD__PROCESS_KEEPS(ahead, "the thread that forks children ahead of need: only hosts have it",
                    "lock once changed queue runs");

static void make_condition(void) { aard__cond_init(&changed); }

/* With the lock held, all of these. */

static void put(aard__ahead *ahead)
{
    ahead->due = aard__clock_later(aard__clock_monotonic(), ahead->pause / MS);
    ahead->queued = true;
    ahead->next = queue;
    queue = ahead;
}

static void take_out(aard__ahead *ahead)
{
    aard__ahead **at = &queue;
    while (*at && *at != ahead) at = &(*at)->next;
    if (*at) *at = ahead->next;
    ahead->queued = false;
}

static aard__ahead *first_due(void)
{
    aard__ahead *first = queue;
    for (aard__ahead *one = queue; one; one = one->next)
        if (one->due < first->due) first = one;
    return first;
}

static void do_it(aard__ahead *ahead)
{
    take_out(ahead);
    ahead->running = true;
    pthread_mutex_unlock(&lock);
    bool done = ahead->work(ahead->user);
    pthread_mutex_lock(&lock);
    ahead->running = false;
    if (!done && !ahead->queued) {
        ahead->pause = ahead->pause * 2 < MOST ? ahead->pause * 2 : MOST;
        put(ahead);
    }
    pthread_cond_broadcast(&changed);
}

/* False where the time has come without anything new. */
static bool wait_until(uint64_t until)
{
    struct timespec at = {(time_t)(until / (1000 * MS)), (long)(until % (1000 * MS))};
    return !pthread_cond_timedwait(&changed, &lock, &at);
}

static void *run(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        aard__ahead *first = first_due();
        uint64_t now = aard__clock_monotonic();
        if (first && first->due <= now)
            do_it(first);
        else if (!wait_until(first ? first->due : now + IDLE) && !first && !queue)
            break;
    }
    runs = false;
    pthread_mutex_unlock(&lock);
    return NULL;
}

void aard__ahead_queue(aard__ahead *ahead)
{
    pthread_t thread;
    pthread_once(&once, make_condition);
    pthread_mutex_lock(&lock);
    if (!ahead->queued) {
        ahead->pause = SOON;
        put(ahead);
    }
    if (!runs && !aard__thread_start(&thread, run, NULL)) {
        runs = true;
        pthread_detach(thread);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void aard__ahead_drop(aard__ahead *ahead)
{
    pthread_mutex_lock(&lock);
    if (ahead->queued) take_out(ahead);
    while (ahead->running) {
        pthread_cond_wait(&changed, &lock);
        if (ahead->queued) take_out(ahead);
    }
    pthread_mutex_unlock(&lock);
}
