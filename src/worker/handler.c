/* What handlers are in the guest: looked up once, and forgotten. */
#include "worker/worker_impl.h"

/* In one entry: all of them. */
static bool forget(aard__worker *worker, void *user)
{
    const aard__request *request = user;
    for (size_t i = 0; i < request->handler_count; i++) {
        const aard__handler *one = aard__worker_handler(worker, request->handlers[i]);
        if (one && one->ready) worker->guest->ops->forget(worker->guest, one->number);
        if (one && one->parked) aard__guest_drop_parked(worker->guest, one->parked);
    }
    return true;
}

aard_error *aard__worker_release(aard__worker *worker, const uint32_t *numbers, size_t count)
{
    bool ready = false;
    for (size_t i = 0; i < count; i++) {
        const aard__handler *one = aard__worker_handler(worker, numbers[i]);
        if (!one) continue;
        if (worker->last == one) worker->last = NULL;
        if (worker->ahead.handler == one) worker->ahead.handler = NULL;
        if (worker->ahead.taken_for == one) worker->ahead.taken_for = NULL;
        ready = ready || one->ready || one->parked;
    }
    aard__request request = {.handlers = numbers, .handler_count = count};
    if (ready && worker->guest)
        aard_error_free(aard__worker_do(worker, forget, &request)); /* what they hold then goes with the guest */
    for (size_t i = 0; i < count; i++) aard__handlers_remove(worker, numbers[i]);
    return NULL;
}

aard__state aard__handler_prepare(aard__worker *worker, aard__handler *handler, aard_outcome *outcome)
{
    aard__guest *guest = worker->guest;
    if (handler->ready) return AARD__DONE;
    guest->call.prepared = -1;
    aard__state state = guest->ops->prepare(guest, handler->entrypoint, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state != AARD__DONE || outcome->failure != AARD_FAILURE_NONE || guest->call.prepared < 0) return state;
    handler->number = guest->call.prepared;
    handler->ready = true;
    /* What a module does when it is imported is not a call's doing: it stays. */
    if (!worker->used && aard__worker_is_resettable(worker)) aard__worker_renew_checkpoint(worker);
    return AARD__DONE;
}
