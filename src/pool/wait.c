/* A thread of the host takes an isolate, and waits for one where none is idle. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/structure.h"
#include "base/thread.h"
#include "base/trace.h"
#include "pool/pool.h"

/* ---- requests -------------------------------------------------------------------------------------------------------- */

aard_error *aard__request_read(const aard_pool_request *request, aard_pool_request *out)
{
    aard_pool_request whole = {.struct_size = sizeof whole};
    const char *wrong = request ? aard__structure_read(request, &whole, sizeof whole) : NULL;
    if (wrong) return aard__error(AARD_ERR_INVALID_ARGUMENT, "aard_pool_request: %s", wrong);
    if (whole.priority < AARD_POOL_PRIORITY_LEAST || whole.priority > AARD_POOL_PRIORITY_MOST)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "the request's priority %d is not between %d and %d",
                           whole.priority, AARD_POOL_PRIORITY_LEAST, AARD_POOL_PRIORITY_MOST);
    *out = whole;
    return NULL;
}

int aard__request_level(const aard_pool_request *request) { return request->priority - AARD_POOL_PRIORITY_LEAST; }

uint64_t aard__request_deadline(const aard_pool *pool, const aard_pool_request *request, uint64_t now)
{
    uint64_t ms = request->acquire_timeout_ms ? request->acquire_timeout_ms : pool->config->acquire_timeout_ms;
    return ms ? aard__clock_later(now, ms) : AARD__NEVER;
}

/* ---- waiting --------------------------------------------------------------------------------------------------------- */

void aard__waiter_cancel(void *user)
{
    aard__waiter *waiter = user;
    aard_cancel(waiter->own);
    pthread_mutex_lock(&waiter->pool->lock);
    waiter->cancelled = true;
    if (waiter->state == AARD__WAIT_QUEUED) aard__pool_dismiss(waiter->pool, waiter, AARD__WAIT_CANCELLED, NULL);
    pthread_mutex_unlock(&waiter->pool->lock);
}

/* Until it is served or is not going to be; the lock held. */
static void wait(aard_pool *pool, aard__waiter *waiter)
{
    struct timespec until = {(time_t)(waiter->deadline / 1000000000), (long)(waiter->deadline % 1000000000)};
    while (waiter->state == AARD__WAIT_QUEUED) {
        if (waiter->deadline == AARD__NEVER) {
            pthread_cond_wait(waiter->wake, &pool->lock);
        } else if (pthread_cond_timedwait(waiter->wake, &pool->lock, &until) == ETIMEDOUT &&
                   waiter->state == AARD__WAIT_QUEUED) {
            pool->counts.timed_out++;
            aard__pool_dismiss(pool, waiter, AARD__WAIT_FAILED, aard__pool_timeout_error(pool));
        }
    }
}

static void queue_up(aard_pool *pool, aard__waiter *waiter)
{
    if (waiter->cancelled) {
        waiter->state = AARD__WAIT_CANCELLED;
        pool->counts.cancelled++;
        return;
    }
    waiter->state = AARD__WAIT_QUEUED;
    aard__queue_add(&pool->queue, &waiter->entry);
    aard__pool_dispatch(pool, waiter->since);
    static const char *const results[] = {
        [AARD__WAIT_SERVED] = "served", [AARD__WAIT_FAILED] = "failed", [AARD__WAIT_CANCELLED] = "cancelled"};
    aard__span span = aard__trace_begin("pool_wait", 0, waiter->entry.tenant);
    wait(pool, waiter);
    aard__trace_end(&span, results[waiter->state]);
}

/* Cleans the isolate for itself, instead of waiting until another thread has done that. */
static bool clean(aard_pool *pool, aard__slot *slot, uint64_t since, uint64_t *waited)
{
    pthread_mutex_unlock(&pool->lock);
    aard_error *error = aard__slot_clean(slot);
    uint64_t now = aard__clock_monotonic();
    pthread_mutex_lock(&pool->lock);
    if (!aard__pool_cleaned(pool, slot, error)) return false;
    pool->counts.resets++;
    aard__pool_move(pool, slot, AARD__SLOT_LEASED);
    pool->counts.leases++;
    *waited = now - since;
    return true;
}

/* Without waiting for others; the lock held. */
static aard__slot *take_at_once(aard_pool *pool, const aard_pool_request *request, uint64_t since, uint64_t *waited)
{
    aard__slot *slot;
    while ((slot = aard__pool_take_at_once(pool, !request->no_wait, since))) {
        if (slot->state == AARD__SLOT_CLEANING && !clean(pool, slot, since, waited)) continue;
        aard__histogram_add(&pool->counts.queue_wait, *waited);
        return slot;
    }
    return NULL;
}

/* With the lock held, as before and after. */
static aard_error *take_slowly(aard_pool *pool, const aard_pool_request *request, aard_cancel_handle *cancel,
                               uint64_t since, aard__slot **out, uint64_t *waited)
{
    pthread_cond_t wake;
    aard__waiter waiter = {.entry = {.tenant = request->tenant, .level = aard__request_level(request)},
                           .since = since,
                           .deadline = aard__request_deadline(pool, request, since),
                           .wake = &wake,
                           .pool = pool,
                           .cancel_entry = {.stop = aard__waiter_cancel, .user = &waiter}};
    aard__cond_init(&wake);
    pthread_mutex_unlock(&pool->lock);
    bool cancelled = !aard__cancel_list(cancel, &waiter.cancel_entry);
    pthread_mutex_lock(&pool->lock);
    waiter.cancelled = waiter.cancelled || cancelled;
    aard_error *error = NULL;
    aard__slot *slot = pool->closed ? NULL : take_at_once(pool, request, since, waited);
    if (!slot) error = aard__pool_admit(pool, since);
    if (!slot && !error && request->no_wait && !waiter.cancelled) {
        error = aard__pool_full_error(pool);
        aard__pool_miss(pool, since);
    }
    if (!slot && !error) queue_up(pool, &waiter);
    pthread_mutex_unlock(&pool->lock);
    aard__cancel_unlist(&waiter.cancel_entry);
    pthread_cond_destroy(&wake);
    pthread_mutex_lock(&pool->lock);
    if (error) return error;
    if (waiter.state == AARD__WAIT_FAILED) return waiter.error;
    *out = slot ? slot : waiter.slot; /* none where it was cancelled */
    if (!slot) *waited = aard__clock_monotonic() - since;
    return NULL;
}

aard_error *aard__pool_take(aard_pool *pool, const aard_pool_request *request, aard_cancel_handle *cancel, uint64_t now,
                            aard__slot **out, uint64_t *waited)
{
    aard_error *error = NULL;
    aard__slot *slot = NULL;
    *waited = 0;
    AARD__TRY(aard__pool_enter(pool));
    pool->callers++;
    if (!pool->closed) slot = take_at_once(pool, request, now, waited);
    if (!slot) error = take_slowly(pool, request, cancel, now, &slot, waited);
    if (!slot) {
        pool->callers--;
        aard__pool_changed(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!error) *out = slot;
    return error;
}
