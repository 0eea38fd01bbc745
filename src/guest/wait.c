/* How a guest sleeps: until something has been answered, or somebody ends its call. */
#include <time.h>

#include "base/clock.h"
#include "guest/guest.h"
#include "settings/config.h"

/* Requests and callbacks are waited for in places of their own: where there are both, in turns of so long. */
#define TURN_NS UINT64_C(2000000)

aard__waking aard__guest_sleep(aard__guest *guest, uint64_t ns)
{
    int timed_out = 0;
    pthread_mutex_lock(&guest->wake.lock);
    uint64_t now = ns ? aard__clock_monotonic() : 0;
    uint64_t until = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
    struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    while (ns && !guest->wake.stopped && !guest->wake.roused && !timed_out)
        timed_out = pthread_cond_timedwait(&guest->wake.condition, &guest->wake.lock, &at);
    aard__waking waking = guest->wake.stopped ? AARD__STOPPED : guest->wake.roused ? AARD__ROUSED : AARD__SLEPT;
    guest->wake.roused = false;
    pthread_mutex_unlock(&guest->wake.lock);
    return waking;
}

/* ---- for answers -------------------------------------------------------------------------------------------------- */

static aard__waking wait_here(aard__guest *guest, uint64_t until, size_t answered)
{
    int timed_out = 0;
    struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    pthread_mutex_lock(&guest->wake.lock);
    while (!guest->wake.stopped && !guest->wake.roused && !timed_out &&
           aard__invocations_answered(guest->call.invocations) == answered)
        timed_out = pthread_cond_timedwait(&guest->wake.condition, &guest->wake.lock, &at);
    aard__waking waking = guest->wake.stopped ? AARD__STOPPED : guest->wake.roused ? AARD__ROUSED : AARD__SLEPT;
    guest->wake.roused = false;
    pthread_mutex_unlock(&guest->wake.lock);
    return waking;
}

/* Once it is interrupted the host has ended the call, and who stops the guest is on the way. */
static aard__waking wait_for_source(aard__guest *guest, const aard__callback_source *source, uint64_t ns)
{
    aard__waking waking = aard__guest_sleep(guest, 0);
    if (waking != AARD__SLEPT) return waking;
    return aard__guest_sleep(guest, source->wait(source->user, ns) ? 0 : UINT64_MAX);
}

static bool requests_busy(const aard__guest *guest) { return guest->wake.net && aard__net_busy(guest->wake.net); }

/* One wait from `now` until `until` at the latest, for answers besides the `answered` that there have been. */
static aard__waking wait_once(aard__guest *guest, uint64_t now, uint64_t until, size_t answered)
{
    const aard__callback_source *source = guest->config->hooks.answers;
    return source ? wait_for_source(guest, source, until - now) : wait_here(guest, until, answered);
}

/* The same for requests, in turns with callbacks; whether one of those has been answered. */
static bool wait_for_requests(const aard__guest *guest, uint64_t now, uint64_t *until)
{
    bool answered = aard__net_wait(guest->wake.net, 0, *until - now < TURN_NS ? *until - now : TURN_NS);
    *until = now;
    return answered;
}

aard__waking aard__guest_wait_for_answer(aard__guest *guest, uint32_t id, uint64_t ns)
{
    aard__invocations *all = guest->call.invocations;
    uint64_t now = aard__clock_monotonic(), until = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
    for (;; now = aard__clock_monotonic()) {
        uint64_t first = aard__invocations_expire(all, now), end = first < until ? first : until;
        size_t answered = aard__invocations_answered(all);
        if (aard__invocations_ready(all, id) || now > until) return AARD__SLEPT;
        bool come = !id && requests_busy(guest) && wait_for_requests(guest, now, &end);
        aard__waking waking = wait_once(guest, now, end, answered);
        if (waking != AARD__SLEPT || come || now >= until) return waking;
    }
}

aard__waking aard__guest_wait_for_any(aard__guest *guest, uint64_t ns, bool *idle)
{
    *idle = false;
    if (aard__guest_awaits_callbacks(guest)) return aard__guest_wait_for_answer(guest, 0, ns);
    if (guest->wake.net && aard__net_busy(guest->wake.net)) {
        bool answered = aard__net_wait(guest->wake.net, 0, ns);
        return answered ? AARD__SLEPT : aard__guest_sleep(guest, 0);
    }
    *idle = ns == UINT64_MAX;
    return *idle ? AARD__SLEPT : aard__guest_sleep(guest, ns);
}
