#include "base/poller.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_NS UINT64_C(5000000) /* without a descriptor */

/* Under the lock. */
static int open_fd(aard__poller *poller)
{
    if (!poller->place) poller->place = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) + 1;
    return poller->place - 1;
}

int aard__poller_fd(aard__poller *poller)
{
    pthread_mutex_lock(&poller->lock);
    int fd = open_fd(poller);
    pthread_mutex_unlock(&poller->lock);
    return fd;
}

void aard__poller_rest(aard__poller *poller)
{
    pthread_mutex_lock(&poller->lock);
    if (poller->place) close(poller->place - 1);
    poller->place = 0;
    poller->woken = false;
    pthread_mutex_unlock(&poller->lock);
}

void aard__poller_wake(aard__poller *poller)
{
    pthread_mutex_lock(&poller->lock);
    ssize_t written = poller->place ? write(poller->place - 1, &(uint64_t){1}, sizeof(uint64_t)) : 0;
    (void)written; /* one that is full can be read from already */
    poller->woken = true;
    pthread_cond_signal(&poller->change);
    pthread_mutex_unlock(&poller->lock);
}

/* What has come to the poller itself is taken: whether it was woken. */
static bool take(aard__poller *poller)
{
    uint64_t count;
    pthread_mutex_lock(&poller->lock);
    ssize_t got = poller->place ? read(poller->place - 1, &count, sizeof count) : 0;
    (void)got;
    bool woken = poller->woken;
    poller->woken = false;
    pthread_mutex_unlock(&poller->lock);
    return woken;
}

static void poll_one(int fd, uint64_t ns)
{
    struct pollfd event = {.fd = fd, .events = POLLIN};
    const struct timespec left = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    ppoll(&event, 1, &left, NULL);
}

static int in_ms(uint64_t ns) { return ns / 1000000 >= INT_MAX ? INT_MAX : (int)((ns + 999999) / 1000000); }

static bool wait_for_descriptors(aard__poller *poller, const aard__poll_more *more, uint64_t until)
{
    pthread_mutex_lock(&poller->lock);
    int fd = open_fd(poller);
    bool woken = poller->woken;
    pthread_mutex_unlock(&poller->lock);
    uint64_t now = aard__clock_monotonic(), ns = until > now && !woken ? until - now : 0;
    if (fd < 0 && ns > LOOK_NS) ns = LOOK_NS;
    if (more)
        more->poll(more->user, fd, in_ms(ns));
    else if (ns)
        poll_one(fd, ns);
    return take(poller);
}

/* What most waits need: no system call but the sleep itself, and nothing that a hardened process would have to be allowed. */
static bool wait_for_wake(aard__poller *poller, uint64_t until)
{
    const struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    int late = 0;
    pthread_mutex_lock(&poller->lock);
    while (!poller->woken && !late) late = pthread_cond_clockwait(&poller->change, &poller->lock, CLOCK_MONOTONIC, &at);
    bool woken = poller->woken;
    poller->woken = false;
    pthread_mutex_unlock(&poller->lock);
    return woken;
}

bool aard__poller_wait(aard__poller *poller, const aard__poll_more *more, uint64_t until)
{
    pthread_mutex_lock(&poller->lock);
    bool descriptors = more || poller->place;
    pthread_mutex_unlock(&poller->lock);
    return descriptors ? wait_for_descriptors(poller, more, until) : wait_for_wake(poller, until);
}
