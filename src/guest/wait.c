/* Where a guest's thread waits: for a time, for answers, for the engine's other threads, and for whoever ends the call.  All of them
 * end the same wait. */
#include "base/clock.h"
#include "guest/guest.h"
#include "settings/config.h"

/* Where another process answers, requests and callbacks are asked for one after the other: in turns of so long. */
#define TURN_NS UINT64_C(2000000)
#define SLICE_NS UINT64_C(20000000)

bool aard__guest_pump(aard__guest *guest)
{
    bool working = aard__vm_pump(guest->vm);
    if (!working || guest->wake.watching) return working;
    guest->wake.watching = true;
    aard__engine_watch(&guest->wake.poller);
    return aard__vm_pump(guest->vm); /* what was done before it was watched */
}

void aard__guest_rest(aard__guest *guest)
{
    if (guest->wake.watching) aard__engine_unwatch(&guest->wake.poller);
    guest->wake.watching = false;
    aard__poller_rest(&guest->wake.poller);
}

static uint64_t later(uint64_t now, uint64_t ns) { return ns > UINT64_MAX - now ? UINT64_MAX : now + ns; }

/* What has come of the wait so far; a request to end is told once. */
static aard__waking take_waking(aard__guest *guest)
{
    pthread_mutex_lock(&guest->wake.lock);
    aard__waking waking = guest->wake.stopped ? AARD__STOPPED : guest->wake.roused ? AARD__ROUSED : AARD__SLEPT;
    guest->wake.roused = false;
    pthread_mutex_unlock(&guest->wake.lock);
    return waking;
}

/* `once`: whatever ends the wait is worth a look. */
static aard__waking rest_until(aard__guest *guest, uint64_t until, bool once)
{
    aard__waking waking = take_waking(guest);
    while (waking == AARD__SLEPT && aard__clock_monotonic() < until) {
        aard__poller_wait(&guest->wake.poller, NULL, until);
        waking = take_waking(guest);
        if (once) break;
    }
    return waking;
}

aard__waking aard__guest_sleep(aard__guest *guest, uint64_t ns)
{
    return ns ? rest_until(guest, later(aard__clock_monotonic(), ns), false) : take_waking(guest);
}

aard__waking aard__guest_wait_once(aard__guest *guest, uint64_t ns)
{
    return ns ? rest_until(guest, later(aard__clock_monotonic(), ns), true) : take_waking(guest);
}

/* ---- for answers -------------------------------------------------------------------------------------------------- */

/* Who stops the guest can't end the wait for a source: there is none beyond the deadline, and short ones while that is late.  Once
 * it is interrupted the host has ended the call, and who stops the guest is on the way. */
static aard__waking wait_for_source(aard__guest *guest, const aard__callback_source *source, uint64_t now,
                                    uint64_t until)
{
    uint64_t deadline = guest->call.context.deadline;
    aard__waking waking = take_waking(guest);
    if (waking != AARD__SLEPT) return waking;
    uint64_t end = !deadline || deadline == AARD__NEVER ? until : deadline > now ? deadline : now + SLICE_NS;
    return source->wait(source->user, (end < until ? end : until) - now) ? take_waking(guest)
                                                                         : aard__guest_sleep(guest, UINT64_MAX);
}

static bool requests_busy(const aard__guest *guest) { return guest->wake.net && aard__net_busy(guest->wake.net); }

/* One wait from `now` until `until` at the latest; *come: a request has been answered. */
static aard__waking wait_for_either(aard__guest *guest, bool requests, uint64_t now, uint64_t until, bool *come)
{
    const aard__callback_source *source = guest->config->hooks.answers;
    uint64_t ns = until - now;
    *come = requests && aard__net_wait(guest->wake.net, 0, source && ns > TURN_NS ? TURN_NS : ns);
    if (source) return wait_for_source(guest, source, now, requests ? now : until);
    return requests ? take_waking(guest) : rest_until(guest, until, true);
}

aard__waking aard__guest_wait_for_answer(aard__guest *guest, uint32_t id, uint64_t ns)
{
    aard__invocations *all = guest->call.invocations;
    uint64_t now = aard__clock_monotonic(), until = later(now, ns);
    for (bool come;; now = aard__clock_monotonic()) {
        uint64_t first = aard__invocations_expire(all, now), end = first < until ? first : until;
        if (aard__invocations_ready(all, id) || now > until) return AARD__SLEPT;
        aard__waking waking = wait_for_either(guest, !id && requests_busy(guest), now, end < now ? now : end, &come);
        if (waking != AARD__SLEPT || come || now >= until) return waking;
    }
}

aard__waking aard__guest_wait_for_any(aard__guest *guest, uint64_t ns, bool *idle)
{
    *idle = false;
    if (aard__guest_awaits_callbacks(guest)) return aard__guest_wait_for_answer(guest, 0, ns);
    if (requests_busy(guest)) return aard__net_wait(guest->wake.net, 0, ns) ? AARD__SLEPT : take_waking(guest);
    *idle = ns == UINT64_MAX;
    return *idle ? AARD__SLEPT : aard__guest_wait_once(guest, ns);
}
