/* The event loop of a guest. */
#include "guest/guest.h"

/* While other threads of the engine work for the guest they wake it.  That they work may have been said by mistake. */
#define LOOK_AGAIN_NS UINT64_C(10000000)

/* One round of the event loop: what is due runs; *wait says for how long nothing will be, or that nothing ever will. */
static bool turn(aard__guest *guest, uint64_t *wait)
{
    aard__guest_pump(guest);
    aard__value now = AARD__VALUE_NUMBER(aard__guest_now(guest));
    aard__ref_call(guest->realm, guest->run_timers, &now, 1, false, &guest->entry);
    if (guest->entry.status != AARD__OK) return false;
    double next_ms = guest->entry.value.number;
    bool working = aard__guest_pump(guest);
    *wait = next_ms < 0 ? UINT64_MAX : next_ms > 1e12 ? (uint64_t)1e18 : (uint64_t)(next_ms * 1e6);
    if (working && *wait > LOOK_AGAIN_NS) *wait = LOOK_AGAIN_NS;
    return !aard__vm_terminating(guest->vm);
}

aard__state aard__guest_wait(aard__guest *guest, aard__state state, aard_outcome *outcome)
{
    bool idle = false;
    while (state == AARD__PENDING) {
        uint64_t wait;
        if (!turn(guest, &wait)) return AARD__BROKEN;
        if (!guest->ops->poll) return AARD__BROKEN;
        state = guest->ops->poll(guest, outcome);
        if (state != AARD__PENDING || !wait || !idle) {
            idle = state == AARD__PENDING && wait; /* one more round: polling itself may have queued something */
            continue;
        }
        if (aard__guest_wait_for_any(guest, wait, &idle) == AARD__STOPPED) return AARD__BROKEN;
        if (idle) {
            aard__outcome_fail(outcome, AARD_FAILURE_OTHER, AARD__DEADLOCK);
            return AARD__BROKEN;
        }
    }
    return state;
}

aard_error *aard__guest_call_and_wait(aard__guest *guest, aard__ref *function, const aard__value *args, size_t count)
{
    aard__ref_call(guest->realm, function, args, count, true, &guest->entry);
    if (guest->entry.status != AARD__OK) return aard__guest_boot_error(&guest->entry, "boot");
    if (guest->entry.value.kind != AARD__REF) return NULL;
    aard__ref *promise = guest->entry.value.ref;
    aard_error *error = NULL;
    uint64_t wait = 0;
    while (!aard__promise_settled(guest->realm, promise, false, &guest->entry)) {
        if (!turn(guest, &wait) || wait == UINT64_MAX) {
            if (aard__promise_settled(guest->realm, promise, false, &guest->entry)) break;
            error = aard__error(AARD_ERR_GUEST_BOOT,
                                "the guest did not start: its boot awaits something that can never be resolved");
            break;
        }
        if (aard__guest_wait_once(guest, wait) == AARD__STOPPED) {
            error = aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: its boot was stopped");
            break;
        }
    }
    if (!error && guest->entry.status != AARD__OK) error = aard__guest_boot_error(&guest->entry, "boot");
    aard__ref_free(promise);
    return error;
}
