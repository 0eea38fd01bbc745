/* The handlers of an isolate: freed on any thread, released by the next request. */
#include <pthread.h>

#include "base/alloc.h"
#include "base/process.h"
#include "isolate/isolate_impl.h"

/* Handlers are freed on any thread, beside calls on their isolate and its end: what both sides know of it is under this
 * lock, which is held for moments only.  A forked child never takes it. */
static pthread_mutex_t gone_lock = PTHREAD_MUTEX_INITIALIZER;

enum { RELEASED_AT_ONCE = 64 };

void aard__handlers_add(aard_isolate *isolate, aard_handler *handler)
{
    pthread_mutex_lock(&gone_lock);
    handler->isolate = isolate;
    handler->next = isolate->handlers;
    isolate->handlers = handler;
    pthread_mutex_unlock(&gone_lock);
}

void aard__handlers_drop(aard_handler *handler)
{
    pthread_mutex_lock(&gone_lock);
    aard_isolate *isolate = handler->isolate;
    if (isolate) {
        handler->gone = true;
        atomic_store_explicit(&isolate->has_gone, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&gone_lock);
    if (!isolate) aard__free(handler);
}

/* Takes some of those that are gone out of the isolate's list and frees them; gives their numbers. */
static size_t take_gone(aard_isolate *isolate, uint32_t numbers[RELEASED_AT_ONCE])
{
    size_t count = 0;
    pthread_mutex_lock(&gone_lock);
    aard_handler **at = &isolate->handlers;
    while (*at && count < RELEASED_AT_ONCE) {
        aard_handler *handler = *at;
        if (!handler->gone) {
            at = &handler->next;
            continue;
        }
        *at = handler->next;
        numbers[count++] = handler->number;
        aard__free(handler);
    }
    if (count < RELEASED_AT_ONCE) atomic_store_explicit(&isolate->has_gone, false, memory_order_relaxed);
    pthread_mutex_unlock(&gone_lock);
    return count;
}

void aard__handlers_sweep(aard_isolate *isolate)
{
    uint32_t numbers[RELEASED_AT_ONCE];
    aard__response response;
    aard__request request = {.verb = AARD__RELEASE, .handlers = numbers};
    while (atomic_load_explicit(&isolate->has_gone, memory_order_relaxed)) {
        request.handler_count = take_gone(isolate, numbers);
        if (request.handler_count)
            aard_error_free(isolate->executor->ops->request(isolate->executor, &request, &response));
    }
}

void aard__handlers_orphan(aard_isolate *isolate)
{
    pthread_mutex_lock(&gone_lock);
    for (aard_handler *one = isolate->handlers, *next; one; one = next) {
        next = one->next;
        if (one->gone)
            aard__free(one);
        else
            one->isolate = NULL;
    }
    pthread_mutex_unlock(&gone_lock);
}

AARD__PROCESS_KEEPS(handlers, "the lock of handlers whose isolate is gone", "gone_lock");
