/* What handlers are in the guest: looked up once and called many times. */
#include "base/alloc.h"
#include "worker/isolate.h"

static bool forget(aard_isolate *isolate, void *user)
{
    isolate->guest->ops->forget(isolate->guest, ((const aard_handler *)user)->number);
    return true;
}

void aard__handlers_sweep(aard_isolate *isolate, bool guest)
{
    atomic_store(&isolate->has_gone, false);
    for (aard_handler **at = &isolate->handlers; *at;) {
        aard_handler *handler = *at;
        if (!atomic_load(&handler->gone)) {
            at = &handler->next;
            continue;
        }
        *at = handler->next;
        if (isolate->last == handler) isolate->last = NULL;
        if (isolate->ahead.handler == handler) isolate->ahead.handler = NULL;
        if (guest && isolate->guest && handler->ready)
            aard_error_free(aard__isolate_do(isolate, forget, handler)); /* what it holds then goes with the guest */
        aard__free(handler->entrypoint);
        aard__free(handler);
    }
}

aard__state aard__handler_prepare(aard_handler *handler, aard_outcome *outcome)
{
    aard_isolate *isolate = handler->isolate;
    aard__guest *guest = isolate->guest;
    if (handler->ready) return AARD__DONE;
    guest->prepared = -1;
    aard__state state = guest->ops->prepare(guest, handler->entrypoint, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state != AARD__DONE || outcome->failure != AARD_FAILURE_NONE || guest->prepared < 0) return state;
    handler->number = guest->prepared;
    handler->ready = true;
    /* What a module does when it is imported is not a call's doing: it stays. */
    if (!isolate->used && aard__isolate_is_resettable(isolate)) aard__isolate_renew_checkpoint(isolate);
    return AARD__DONE;
}
