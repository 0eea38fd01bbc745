/* The pool's threads: workers run submitted calls, clean isolates, make and free them; the keeper does all of that but calls, and
 * what has to be done at a time. */
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "pool/pool.h"

#define FIRST_RETRY_MS 10
#define LAST_RETRY_MS 5000

/* ---- making and freeing; the lock is held before and after, but not meanwhile -------------------------------------------- */

static void back_off(aard_pool *pool, const aard_error *error, uint64_t now)
{
    pool->counts.creations_failed++;
    pool->failure_code = aard_error_get_code(error);
    snprintf(pool->failure, sizeof pool->failure, "%s", aard_error_message(error));
    if (now < pool->retry_at) return; /* others were being made at the same time */
    pool->retry_ms = !pool->retry_ms ? FIRST_RETRY_MS : pool->retry_ms * 2;
    if (pool->retry_ms > LAST_RETRY_MS) pool->retry_ms = LAST_RETRY_MS;
    pool->retry_at = aard__clock_later(now, pool->retry_ms);
}

static void take_in(aard_pool *pool, aard__slot *slot, uint64_t now)
{
    pool->counts.created++;
    pool->retry_at = pool->retry_ms = 0;
    aard__pool_enlist(pool, slot, AARD__SLOT_CLEANING);
    size_t alive = aard__pool_alive(pool);
    if (pool->target < alive) pool->target = alive < pool->size.desired ? alive : pool->size.desired;
    aard__pool_put_idle(pool, slot, now);
}

static void make_one(aard_pool *pool)
{
    pool->making++;
    aard__pool_dispatch(pool, aard__clock_monotonic()); /* another may be wanted, too */
    pthread_mutex_unlock(&pool->lock);
    aard__slot *slot = NULL;
    aard_error *error = aard__slot_new(pool, &slot);
    uint64_t now = aard__clock_monotonic();
    pthread_mutex_lock(&pool->lock);
    pool->making--;
    if (error) {
        back_off(pool, error, now);
        if (!aard__pool_alive(pool)) aard__pool_dismiss_all(pool, aard__pool_failure_error);
    } else {
        take_in(pool, slot, now);
    }
    aard__pool_changed(pool);
    aard_error_free(error);
}

static bool free_one(aard_pool *pool)
{
    aard__slot *slot = aard__pool_take_doomed(pool);
    if (!slot) return false;
    pthread_mutex_unlock(&pool->lock);
    aard__slot_free(slot);
    pthread_mutex_lock(&pool->lock);
    pool->freeing--;
    pool->counts.freed++;
    aard__pool_dispatch(pool, aard__clock_monotonic());
    aard__pool_changed(pool);
    return true;
}

/* Where nobody waits the next cleaning is prepared first: an isolate that is handed out has that behind it. */
static bool clean_one(aard_pool *pool)
{
    aard__slot *slot = aard__pool_take_dirty(pool);
    if (!slot) return false;
    pthread_mutex_unlock(&pool->lock);
    aard_error *error = aard__slot_clean(slot);
    pthread_mutex_lock(&pool->lock);
    if (!aard__pool_cleaned(pool, slot, error)) return true;
    pool->counts.resets++;
    if (!pool->queue.count) {
        pthread_mutex_unlock(&pool->lock);
        error = aard__slot_prepare(slot);
        pthread_mutex_lock(&pool->lock);
        if (!aard__pool_cleaned(pool, slot, error)) return true;
    }
    aard__pool_put_idle(pool, slot, aard__clock_monotonic());
    return true;
}

/* ---- submitted calls ----------------------------------------------------------------------------------------------------- */

static void complete(aard_pool *pool, aard__job *job)
{
    pthread_mutex_unlock(&pool->lock);
    aard__job_complete(job);
    pthread_mutex_lock(&pool->lock);
    pool->jobs--;
    aard__pool_changed(pool);
}

static bool run_one(aard_pool *pool)
{
    aard__job *job = pool->ready.first;
    if (!job) return false;
    aard__jobs_remove(&pool->ready, job);
    aard__jobs_add(&pool->running, job);
    pthread_mutex_unlock(&pool->lock);
    aard__slot *slot = job->waiter.slot;
    aard__record record;
    const aard__target target = {job->handler, job->source, job->name, job->source_len, job->call};
    uint64_t waited = aard__clock_monotonic() - job->waiter.since;
    job->completion.error = aard__slot_call(slot, &target, waited, &record, &job->completion.outcome);
    uint64_t now = aard__clock_monotonic();
    pthread_mutex_lock(&pool->lock);
    aard__jobs_remove(&pool->running, job);
    aard__pool_give_back(pool, slot, &record, now);
    complete(pool, job);
    pool->occupied--;
    if (pool->queue.count) aard__pool_dispatch(pool, now);
    return true;
}

static bool end_one(aard_pool *pool)
{
    aard__job *job = pool->dismissed.first;
    if (!job) return false;
    aard__jobs_remove(&pool->dismissed, job);
    if (job->waiter.state == AARD__WAIT_CANCELLED)
        job->completion.error = aard__pool_cancelled_outcome(pool, aard__clock_monotonic() - job->waiter.since,
                                                             &job->completion.outcome);
    else
        job->completion.error = job->waiter.error;
    complete(pool, job);
    return true;
}

/* ---- what is due --------------------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Frees isolates that were idle for too long; gives when to look again. */
static uint64_t end_idleness(aard_pool *pool, uint64_t now)
{
    uint64_t timeout = pool->config->idle_timeout_ms;
    aard__slots *idle = &pool->slots[AARD__SLOT_IDLE];
    while (timeout && idle->count > pool->size.minimum_idle) {
        uint64_t due = aard__clock_later(idle->last->idle_since, timeout);
        if (due > now) return due;
        size_t left = aard__pool_alive(pool) - 1;
        if (pool->target > left) pool->target = left;
        aard__pool_scale_down(pool, idle->last);
    }
    return AARD__NEVER;
}

static uint64_t end_old_age(aard_pool *pool, uint64_t now)
{
    uint64_t age = pool->config->max_age_ms, next = AARD__NEVER;
    aard__slot *after;
    for (aard__slot *slot = age ? pool->slots[AARD__SLOT_IDLE].first : NULL; slot; slot = after) {
        uint64_t due = aard__clock_later(slot->born, age);
        after = slot->next;
        if (due > now) {
            next = earlier(next, due);
            continue;
        }
        slot->recycle = AARD_RECYCLE_AGE;
        aard__pool_throw_away(pool, slot);
    }
    return next;
}

static uint64_t end_waits(aard_pool *pool, uint64_t now)
{
    if (now < pool->queue_deadline) return pool->queue_deadline;
    pool->queue_deadline = AARD__NEVER;
    aard__entry *after;
    for (aard__entry *entry = pool->queue.oldest; entry; entry = after) {
        aard__waiter *waiter = (aard__waiter *)entry;
        after = entry->later;
        if (!entry->job) continue; /* threads look at the clock themselves */
        if (waiter->deadline > now) {
            pool->queue_deadline = earlier(pool->queue_deadline, waiter->deadline);
            continue;
        }
        pool->counts.timed_out++;
        aard__pool_dismiss(pool, waiter, AARD__WAIT_FAILED, aard__pool_timeout_error(pool));
    }
    return pool->queue_deadline;
}

static uint64_t keep_order(aard_pool *pool, uint64_t now)
{
    uint64_t next = end_waits(pool, now);
    next = earlier(next, end_idleness(pool, now));
    next = earlier(next, end_old_age(pool, now));
    if (now < pool->retry_at && aard__pool_wants(pool, pool->retry_at)) next = earlier(next, pool->retry_at);
    return next;
}

/* ---- threads ------------------------------------------------------------------------------------------------------------- */

static bool work_one(aard_pool *pool)
{
    if (end_one(pool) || clean_one(pool) || free_one(pool)) return true;
    if (!aard__pool_wants(pool, aard__clock_monotonic())) return false;
    make_one(pool);
    return true;
}

/* A submitted call should find a worker at once: one is kept free, unless calls wait for what there is to do. */
static bool work_between(aard_pool *pool)
{
    if (!pool->queue.count && pool->workers_tied + 1 >= pool->workers && !pool->dismissed.first) return false;
    pool->workers_tied++;
    bool worked = work_one(pool);
    pool->workers_tied--;
    return worked;
}

static void *work(void *user)
{
    aard_pool *pool = user;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (run_one(pool) || work_between(pool)) continue;
        pool->workers_asleep++;
        pthread_cond_wait(&pool->work, &pool->lock);
        pool->workers_asleep--;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void *keep(void *user)
{
    aard_pool *pool = user;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        uint64_t next = keep_order(pool, aard__clock_monotonic());
        if (work_one(pool)) continue;
        struct timespec until = {(time_t)(next / 1000000000), (long)(next % 1000000000)};
        pool->keeper_wakes = next;
        pool->keeper_asleep = true;
        if (next == AARD__NEVER)
            pthread_cond_wait(&pool->keep, &pool->lock);
        else
            pthread_cond_timedwait(&pool->keep, &pool->lock, &until);
        pool->keeper_asleep = false;
        pool->keeper_wakes = AARD__NEVER;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void aard__pool_stop_threads(aard_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_cond_broadcast(&pool->keep);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i], NULL);
    pool->thread_count = 0;
}

aard_error *aard__pool_start_threads(aard_pool *pool)
{
    pool->threads = aard__calloc(pool->workers + 1, sizeof *pool->threads);
    if (!pool->threads) return aard__error_no_memory();
    for (size_t i = 0; i <= pool->workers; i++) {
        int failed = aard__thread_start(&pool->threads[i], i ? work : keep, pool);
        if (failed) {
            aard__pool_stop_threads(pool);
            return aard__error_errno(AARD_ERR_THREAD, failed, "can't start thread %zu of the pool '%s'", i + 1,
                                     pool->config->name);
        }
        pool->thread_count++;
    }
    return NULL;
}
