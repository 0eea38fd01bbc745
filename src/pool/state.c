/* Who has which isolate, and who is served next.  Everything here is done with the pool's lock held. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "pool/pool.h"

aard_error *aard__pool_enter(aard_pool *pool)
{
    if (aard__forked()) return aard__error_forked(); /* a copy of the parent's, whose lock may be taken for good */
    pthread_mutex_lock(&pool->lock);
    return NULL;
}

/* ---- lists ----------------------------------------------------------------------------------------------------------- */

static void delist(aard_pool *pool, aard__slot *slot)
{
    aard__slots *list = &pool->slots[slot->state];
    *(slot->previous ? &slot->previous->next : &list->first) = slot->next;
    *(slot->next ? &slot->next->previous : &list->last) = slot->previous;
    list->count--;
}

/* Idle isolates are taken from where they are put: those that are not needed stay idle, and age. */
void aard__pool_enlist(aard_pool *pool, aard__slot *slot, aard__slot_state to)
{
    aard__slots *list = &pool->slots[to];
    bool front = to == AARD__SLOT_IDLE;
    slot->state = to;
    slot->previous = front ? NULL : list->last;
    slot->next = front ? list->first : NULL;
    *(slot->previous ? &slot->previous->next : &list->first) = slot;
    *(slot->next ? &slot->next->previous : &list->last) = slot;
    list->count++;
}

void aard__pool_move(aard_pool *pool, aard__slot *slot, aard__slot_state to)
{
    delist(pool, slot);
    aard__pool_enlist(pool, slot, to);
}

void aard__jobs_add(aard__jobs *jobs, aard__job *job)
{
    job->next = NULL;
    job->previous = jobs->last;
    *(jobs->last ? &jobs->last->next : &jobs->first) = job;
    jobs->last = job;
    jobs->count++;
}

void aard__jobs_remove(aard__jobs *jobs, aard__job *job)
{
    *(job->previous ? &job->previous->next : &jobs->first) = job->next;
    *(job->next ? &job->next->previous : &jobs->last) = job->previous;
    jobs->count--;
}

/* ---- waking ---------------------------------------------------------------------------------------------------------- */

void aard__pool_changed(aard_pool *pool)
{
    if (pool->watchers) pthread_cond_broadcast(&pool->quiet);
}

static void wake_worker(aard_pool *pool)
{
    if (pool->workers_asleep) pthread_cond_signal(&pool->work);
}

static void wake_keeper(aard_pool *pool)
{
    if (pool->keeper_asleep) pthread_cond_signal(&pool->keep);
}

/* What takes long is the keeper's, as long as it is free. */
static void wake_for_long_work(aard_pool *pool)
{
    if (pool->keeper_asleep)
        wake_keeper(pool);
    else
        wake_worker(pool);
}

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

aard_error *aard__pool_closed_error(const aard_pool *pool)
{
    return aard__error(AARD_ERR_POOL_CLOSED, "the pool '%s' is closed: it is drained or freed; use another",
                       pool->config->name);
}

aard_error *aard__pool_failure_error(const aard_pool *pool)
{
    return aard__error(pool->failure_code, "the pool '%s' has no isolate and can't make one: %s", pool->config->name,
                       pool->failure);
}

aard_error *aard__pool_timeout_error(const aard_pool *pool)
{
    return aard__error(
        AARD_ERR_POOL_TIMEOUT,
        "no isolate of the pool '%s' was free in time: %zu of at most %zu are in use, and %zu calls wait; "
        "give the pool more, or wait longer",
        pool->config->name, pool->slots[AARD__SLOT_LEASED].count, pool->size.maximum, pool->queue.count);
}

aard_error *aard__pool_full_error(aard_pool *pool)
{
    pool->counts.refused++;
    return aard__error(AARD_ERR_POOL_FULL,
                       "the pool '%s' has no isolate to spare, and %zu calls wait already (limit %zu); try again later",
                       pool->config->name, pool->queue.count, pool->queue_limit);
}

/* ---- how many -------------------------------------------------------------------------------------------------------- */

/* On their way to be idle. */
static size_t coming(const aard_pool *pool)
{
    return pool->slots[AARD__SLOT_DIRTY].count + pool->slots[AARD__SLOT_CLEANING].count + pool->making;
}

size_t aard__pool_alive(const aard_pool *pool)
{
    return pool->slots[AARD__SLOT_IDLE].count + pool->slots[AARD__SLOT_LEASED].count + coming(pool);
}

static size_t total(const aard_pool *pool)
{
    return aard__pool_alive(pool) + pool->slots[AARD__SLOT_DOOMED].count + pool->freeing;
}

/* Those that wait for nothing but an isolate. */
static size_t wanting(const aard_pool *pool)
{
    size_t free_workers = pool->workers > pool->occupied ? pool->workers - pool->occupied : 0;
    size_t jobs = pool->queue.jobs < free_workers ? pool->queue.jobs : free_workers;
    return pool->queue.count - pool->queue.jobs + jobs;
}

bool aard__pool_has_surplus(const aard_pool *pool)
{
    return pool->excess && pool->slots[AARD__SLOT_IDLE].count >= pool->size.minimum_idle;
}

bool aard__pool_wants(const aard_pool *pool, uint64_t now)
{
    if (pool->ended || total(pool) >= pool->size.maximum || now < pool->retry_at) return false;
    if (wanting(pool) > coming(pool)) return true;
    if (pool->closed) return false;
    return aard__pool_alive(pool) < pool->target ||
           pool->slots[AARD__SLOT_IDLE].count + coming(pool) < pool->size.minimum_idle;
}

aard_error *aard__pool_admit(aard_pool *pool, uint64_t now)
{
    if (pool->closed) return aard__pool_closed_error(pool);
    bool can_make = now >= pool->retry_at;
    if (!can_make && !aard__pool_alive(pool)) return aard__pool_failure_error(pool);
    /* Calls that will have an isolate as soon as it is made or reset do not count. */
    size_t room = coming(pool);
    if (can_make && pool->size.maximum > total(pool)) room += pool->size.maximum - total(pool);
    if (pool->queue.count < pool->queue_limit || pool->queue.count < pool->queue_limit + room) return NULL;
    return aard__pool_full_error(pool);
}

aard__slot *aard__pool_take_dirty(aard_pool *pool)
{
    aard__slot *slot = pool->slots[AARD__SLOT_DIRTY].first;
    if (slot) aard__pool_move(pool, slot, AARD__SLOT_CLEANING);
    return slot;
}

/* ---- serving --------------------------------------------------------------------------------------------------------- */

static void hand_out(aard_pool *pool, aard__waiter *waiter, aard__slot *slot, uint64_t now)
{
    aard__pool_move(pool, slot, AARD__SLOT_LEASED);
    pool->counts.leases++;
    aard__histogram_add(&pool->counts.queue_wait, now > waiter->since ? now - waiter->since : 0);
    waiter->state = AARD__WAIT_SERVED;
    waiter->slot = slot;
    if (waiter->wake) {
        pthread_cond_signal(waiter->wake);
        return;
    }
    pool->occupied++;
    aard__jobs_add(&pool->ready, (aard__job *)waiter);
    wake_worker(pool);
}

/* Has an isolate made that is wanted, now or when that is tried again. */
static void want(aard_pool *pool, uint64_t now)
{
    if (aard__pool_wants(pool, now))
        wake_for_long_work(pool);
    else if (now < pool->retry_at && pool->retry_at < pool->keeper_wakes && aard__pool_wants(pool, pool->retry_at))
        wake_keeper(pool);
}

aard__slot *aard__pool_take_at_once(aard_pool *pool, bool dirty, uint64_t now)
{
    aard__slot *slot = pool->slots[AARD__SLOT_IDLE].first;
    if (!slot) return dirty && !wanting(pool) ? aard__pool_take_dirty(pool) : NULL;
    pool->counts.leases++;
    aard__pool_move(pool, slot, AARD__SLOT_LEASED);
    if (pool->slots[AARD__SLOT_IDLE].count < pool->size.minimum_idle) want(pool, now);
    return slot;
}

void aard__pool_dispatch(aard_pool *pool, uint64_t now)
{
    aard__slot *slot;
    while ((slot = pool->slots[AARD__SLOT_IDLE].first)) {
        aard__entry *entry = aard__queue_pop(&pool->queue, pool->occupied < pool->workers);
        if (!entry) break;
        hand_out(pool, (aard__waiter *)entry, slot, now);
    }
    if (pool->queue.count && pool->slots[AARD__SLOT_DIRTY].count) wake_worker(pool);
    want(pool, now);
}

void aard__pool_miss(aard_pool *pool, uint64_t now)
{
    if (pool->target < pool->size.desired && pool->target <= aard__pool_alive(pool)) pool->target++;
    want(pool, now);
}

void aard__pool_scale_down(aard_pool *pool, aard__slot *slot)
{
    if (!pool->ended) pool->counts.scale_downs++;
    if (pool->excess) pool->excess--;
    aard__pool_move(pool, slot, AARD__SLOT_DOOMED);
    wake_for_long_work(pool);
}

void aard__pool_put_idle(aard_pool *pool, aard__slot *slot, uint64_t now)
{
    uint64_t timeout = pool->config->idle_timeout_ms, age = pool->config->max_age_ms;
    if (pool->ended || aard__pool_has_surplus(pool)) {
        aard__pool_scale_down(pool, slot);
        aard__pool_changed(pool);
        return;
    }
    slot->idle_since = now;
    slot->soiled = false;
    aard__pool_move(pool, slot, AARD__SLOT_IDLE);
    if (pool->queue.count) aard__pool_dispatch(pool, now);
    if ((timeout && aard__clock_later(now, timeout) < pool->keeper_wakes) ||
        (age && aard__clock_later(slot->born, age) < pool->keeper_wakes))
        wake_keeper(pool);
    aard__pool_changed(pool);
}

void aard__pool_throw_away(aard_pool *pool, aard__slot *slot)
{
    if (slot->quarantine)
        pool->counts.quarantined[__builtin_ctz(slot->quarantine)]++;
    else
        pool->counts.recycled[slot->recycle]++;
    if (pool->excess) pool->excess--;
    aard__pool_move(pool, slot, AARD__SLOT_DOOMED);
    wake_for_long_work(pool);
}

void aard__pool_count_call(aard_pool *pool, const aard__record *record)
{
    if (!record->ran) return;
    pool->counts.calls++;
    pool->counts.succeeded += record->success;
    aard__histogram_add(&pool->counts.run, record->run);
    aard__histogram_add(&pool->counts.total, record->total);
}

bool aard__pool_cleaned(aard_pool *pool, aard__slot *slot, aard_error *error)
{
    slot->soiled = false;
    if (!error) return true;
    aard_error_free(error);
    slot->quarantine = AARD_QUARANTINE_RESET_FAILED;
    aard__pool_throw_away(pool, slot);
    aard__pool_changed(pool);
    return false;
}

bool aard__pool_give_back(aard_pool *pool, aard__slot *slot, const aard__record *record, uint64_t now)
{
    if (record) aard__pool_count_call(pool, record);
    pool->counts.heap_kib += slot->heap_kib - slot->counted_kib;
    slot->counted_kib = slot->heap_kib;
    if (pool->ended) {
        delist(pool, slot);
        return false;
    }
    if (slot->quarantine || slot->recycle >= 0) {
        aard__pool_throw_away(pool, slot);
    } else if (aard__pool_has_surplus(pool)) {
        aard__pool_scale_down(pool, slot);
    } else if (pool->cleans || slot->soiled) {
        aard__pool_move(pool, slot, AARD__SLOT_DIRTY);
        wake_for_long_work(pool);
    } else {
        aard__pool_put_idle(pool, slot, now);
    }
    if (slot->state != AARD__SLOT_IDLE) aard__pool_changed(pool);
    return true;
}

aard__slot *aard__pool_take_doomed(aard_pool *pool)
{
    aard__slot *slot = pool->slots[AARD__SLOT_DOOMED].first;
    if (!slot) return NULL;
    delist(pool, slot);
    pool->freeing++;
    pool->counts.heap_kib -= slot->counted_kib;
    return slot;
}

/* ---- those that are not served --------------------------------------------------------------------------------------- */

void aard__pool_watch_deadline(aard_pool *pool, uint64_t deadline)
{
    if (deadline < pool->queue_deadline) pool->queue_deadline = deadline;
    if (deadline < pool->keeper_wakes) wake_keeper(pool);
}

void aard__pool_dismiss(aard_pool *pool, aard__waiter *waiter, aard__wait_state state, aard_error *error)
{
    aard__queue_remove(&pool->queue, &waiter->entry);
    waiter->state = state;
    waiter->error = error;
    if (state == AARD__WAIT_CANCELLED) pool->counts.cancelled++;
    if (waiter->wake) {
        pthread_cond_signal(waiter->wake);
        return;
    }
    aard__jobs_add(&pool->dismissed, (aard__job *)waiter);
    wake_for_long_work(pool);
}

/* Submitted calls get an outcome where the pool is closed, threads get an error. */
void aard__pool_dismiss_all(aard_pool *pool, aard_error *(*why)(const aard_pool *pool))
{
    while (pool->queue.oldest) {
        aard__waiter *waiter = (aard__waiter *)pool->queue.oldest;
        bool cancelled = !waiter->wake && why == aard__pool_closed_error;
        aard__pool_dismiss(pool, waiter, cancelled ? AARD__WAIT_CANCELLED : AARD__WAIT_FAILED,
                           cancelled ? NULL : why(pool));
    }
}

/* ---- the end --------------------------------------------------------------------------------------------------------- */

void aard__pool_leave(aard_pool *pool)
{
    bool last = --pool->handles == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!last) return;
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->keep);
    pthread_cond_destroy(&pool->quiet);
    aard_pool_config_free(pool->config);
    aard__free(pool->threads);
    aard__free(pool);
}
