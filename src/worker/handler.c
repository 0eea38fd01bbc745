/* What handlers are in the guest: looked up once and called many times. */
#include <pthread.h>

#include "base/alloc.h"
#include "worker/isolate.h"

/* Handlers are freed on any thread, beside calls on their isolate and its end: what both sides know of it is under this
 * lock, which is held for moments only.  A forked child takes it never. */
static pthread_mutex_t gone_lock = PTHREAD_MUTEX_INITIALIZER;

static void free_handler(aard_handler *handler)
{
    aard__free(handler->entrypoint);
    aard__free(handler);
}

void aard__handler_let_go(aard_handler *handler)
{
    pthread_mutex_lock(&gone_lock);
    aard_isolate *isolate = handler->isolate;
    if (isolate) {
        handler->gone = true;
        atomic_store_explicit(&isolate->has_gone, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&gone_lock);
    if (!isolate) free_handler(handler);
}

/* Takes those that are gone out of the isolate's list. */
static aard_handler *take_gone(aard_isolate *isolate)
{
    aard_handler *gone = NULL;
    pthread_mutex_lock(&gone_lock);
    atomic_store_explicit(&isolate->has_gone, false, memory_order_relaxed);
    for (aard_handler **at = &isolate->handlers; *at;) {
        aard_handler *handler = *at;
        if (!handler->gone) {
            at = &handler->next;
            continue;
        }
        *at = handler->next;
        handler->next = gone;
        gone = handler;
    }
    pthread_mutex_unlock(&gone_lock);
    return gone;
}

static void free_all(aard_handler *gone)
{
    while (gone) {
        aard_handler *next = gone->next;
        free_handler(gone);
        gone = next;
    }
}

/* In one entry: all of them. */
static bool forget(aard_isolate *isolate, void *user)
{
    for (const aard_handler *one = user; one; one = one->next)
        if (one->ready) isolate->guest->ops->forget(isolate->guest, one->number);
    return true;
}

void aard__handlers_sweep(aard_isolate *isolate)
{
    aard_handler *gone = take_gone(isolate);
    bool ready = false;
    for (const aard_handler *one = gone; one; one = one->next) {
        if (isolate->last == one) isolate->last = NULL;
        if (isolate->ahead.handler == one) isolate->ahead.handler = NULL;
        ready = ready || one->ready;
    }
    if (ready && isolate->guest)
        aard_error_free(aard__isolate_do(isolate, forget, gone)); /* what they hold then goes with the guest */
    free_all(gone);
}

void aard__handlers_orphan(aard_isolate *isolate)
{
    free_all(take_gone(isolate));
    pthread_mutex_lock(&gone_lock);
    for (aard_handler *one = isolate->handlers; one; one = one->next) one->isolate = NULL;
    pthread_mutex_unlock(&gone_lock);
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
