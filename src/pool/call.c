/* Calls on the host's own threads, and leases. */
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "pool/pool.h"

/* ---- the end of a lease ---------------------------------------------------------------------------------------------- */

/* `record` is NULL where calls have been counted one by one; `inside`: the thread is one of the callers. */
static void give_back(aard_pool *pool, aard__slot *slot, const aard__record *record, bool inside)
{
    uint64_t now = aard__clock_monotonic();
    if (aard__forked()) return; /* it is the parent's */
    pthread_mutex_lock(&pool->lock);
    bool kept = aard__pool_give_back(pool, slot, record, now);
    if (inside) {
        pool->callers--;
        aard__pool_changed(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (kept) return;
    aard__slot_free(slot); /* the host has freed the pool */
    pthread_mutex_lock(&pool->lock);
    aard__pool_leave(pool);
}

/* ---- one call -------------------------------------------------------------------------------------------------------- */

static aard_error *call_on_pool(aard_pool *pool, const aard_pool_request *request, const aard__target *target,
                                aard_outcome **out)
{
    aard__slot *slot = NULL;
    aard__record record;
    uint64_t waited, now = aard__clock_monotonic();
    aard_cancel_handle *cancel = target->call ? target->call->cancel : NULL;
    AARD__TRY(aard__pool_take(pool, request, cancel, now, &slot, &waited));
    if (!slot) return aard__pool_cancelled_outcome(pool, waited, out);
    aard_error *error = aard__slot_call(slot, target, waited, &record, out);
    give_back(pool, slot, &record, true);
    return error;
}

aard_error *aard_pool_invoke(aard_pool *pool, const aard_pool_request *request, const aard_call *call,
                             aard_outcome **out)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    aard_pool_request whole;
    aard__target target = {.call = call};
    AARD__TRY(aard__request_read(request, &whole));
    AARD__TRY(aard__pool_find_handler(pool, whole.entrypoint, &target.handler));
    return call_on_pool(pool, &whole, &target, out);
}

aard_error *aard_pool_exec(aard_pool *pool, const aard_pool_request *request, const char *source, size_t len,
                           const char *name, const aard_call *call, aard_outcome **out)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    AARD__NEED_THAT(source || !len, "NULL has no bytes; give the data, or a length of 0");
    aard_pool_request whole;
    AARD__TRY(aard__request_read(request, &whole));
    aard__target target = {.source = source ? source : "", .len = len, .name = name, .call = call};
    return call_on_pool(pool, &whole, &target, out);
}

/* ---- leases ---------------------------------------------------------------------------------------------------------- */

aard_error *aard_pool_acquire(aard_pool *pool, const aard_pool_request *request, aard_lease **out)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    aard_pool_request whole;
    aard__slot *slot = NULL;
    uint64_t waited;
    AARD__TRY(aard__request_read(request, &whole));
    AARD__TRY(aard__pool_take(pool, &whole, whole.cancel, aard__clock_monotonic(), &slot, &waited));
    if (!slot) return aard__error(AARD_ERR_POOL_CANCELLED, "it was cancelled while it waited for an isolate");
    pthread_mutex_lock(&pool->lock);
    pool->callers--;
    aard__pool_changed(pool);
    pthread_mutex_unlock(&pool->lock);
    *out = slot;
    return NULL;
}

aard_error *aard_pool_try_acquire(aard_pool *pool, aard_lease **out)
{
    AARD__NEED(pool);
    AARD__NEED(out);
    aard_error *error = NULL;
    aard__slot *slot = NULL;
    uint64_t now = aard__clock_monotonic();
    AARD__TRY(aard__pool_enter(pool));
    if (pool->closed) error = aard__pool_closed_error(pool);
    if (!error) slot = aard__pool_take_at_once(pool, false, now);
    if (slot) aard__histogram_add(&pool->counts.queue_wait, 0);
    if (!error && !slot) aard__pool_miss(pool, now);
    pthread_mutex_unlock(&pool->lock);
    if (!error) *out = slot;
    return error;
}

aard_isolate *aard_lease_isolate(aard_lease *lease) { return lease ? lease->isolate : NULL; }

static aard_error *call_on_lease(aard_lease *lease, const aard__target *target, aard_outcome **out)
{
    aard__record record;
    if (aard__forked()) return aard__error_forked();
    aard_error *error = aard__slot_call(lease, target, 0, &record, out);
    pthread_mutex_lock(&lease->pool->lock);
    aard__pool_count_call(lease->pool, &record);
    pthread_mutex_unlock(&lease->pool->lock);
    return error;
}

aard_error *aard_lease_invoke(aard_lease *lease, const char *entrypoint, const aard_call *call, aard_outcome **out)
{
    AARD__NEED(lease);
    AARD__NEED(out);
    aard__target target = {.call = call};
    AARD__TRY(aard__pool_find_handler(lease->pool, entrypoint, &target.handler));
    return call_on_lease(lease, &target, out);
}

aard_error *aard_lease_exec(aard_lease *lease, const char *source, size_t len, const char *name, const aard_call *call,
                            aard_outcome **out)
{
    AARD__NEED(lease);
    AARD__NEED(out);
    AARD__NEED_THAT(source || !len, "NULL has no bytes; give the data, or a length of 0");
    aard__target target = {.source = source ? source : "", .len = len, .name = name, .call = call};
    return call_on_lease(lease, &target, out);
}

void aard_lease_release(aard_lease *lease)
{
    if (lease) give_back(lease->pool, lease, NULL, false);
}

void aard_lease_discard(aard_lease *lease)
{
    if (!lease) return;
    if (!lease->quarantine) lease->quarantine = AARD_QUARANTINE_DISCARDED;
    give_back(lease->pool, lease, NULL, false);
}
