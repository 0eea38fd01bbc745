/* A pool's life: made, brought to a size, drained, freed. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "base/thread.h"
#include "pool/pool.h"

/* ---- waiting for the pool itself; the lock held -------------------------------------------------------------------------- */

typedef bool (*condition)(aard_pool *pool);

/* False where it does not hold in time. */
static bool wait_until(aard_pool *pool, condition holds, uint64_t deadline)
{
    struct timespec until = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};
    int failed = 0;
    pool->watchers++;
    while (!holds(pool) && failed != ETIMEDOUT)
        failed = deadline == AARD__NEVER ? pthread_cond_wait(&pool->quiet, &pool->lock)
                                         : pthread_cond_timedwait(&pool->quiet, &pool->lock, &until);
    pool->watchers--;
    pthread_cond_broadcast(&pool->quiet); /* for who frees the pool */
    return holds(pool);
}

static uint64_t deadline_in(uint64_t ms) { return ms ? aard__clock_later(aard__clock_monotonic(), ms) : AARD__NEVER; }

static bool no_calls(aard_pool *pool) { return !pool->jobs && !pool->callers; }

static bool is_drained(aard_pool *pool)
{
    return pool->ended || (no_calls(pool) && !pool->slots[AARD__SLOT_LEASED].count);
}

static bool unwatched(aard_pool *pool) { return pool->watchers == 1; /* who asks */ }

/* Nothing is being done with an isolate that nobody has. */
static bool at_rest(aard_pool *pool)
{
    return !pool->making && !pool->freeing && !pool->slots[AARD__SLOT_DIRTY].count &&
           !pool->slots[AARD__SLOT_CLEANING].count && !pool->slots[AARD__SLOT_DOOMED].count;
}

static bool ready(aard_pool *pool) { return at_rest(pool) && !aard__pool_wants(pool, AARD__NEVER); }

static bool ready_or_failed(aard_pool *pool) { return pool->closed || pool->retry_at || ready(pool); }

enum { DEFAULT_QUEUE_LIMIT = 1024 };

/* ---- the beginning ------------------------------------------------------------------------------------------------------- */

static aard_error *own_config(const aard_pool_config *config, aard_pool *pool)
{
    AARD__TRY(aard__pool_config_copy(config, &pool->config));
    aard_isolate_config *isolate = pool->config->isolate;
    pool->cleans = aard_isolate_config_cleanup(isolate) == AARD_CLEANUP_FULL;
    if (pool->cleans) aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_NONE); /* the pool's threads do it */
    size_t limit = pool->config->queue_limit;
    pool->queue_limit = !limit ? DEFAULT_QUEUE_LIMIT : limit == AARD_POOL_NO_QUEUE ? 0 : limit;
    pool->size = pool->config->size;
    pool->target = pool->config->start == AARD_POOL_START_LAZY ? 0 : pool->size.desired;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pool->workers = pool->config->threads ? pool->config->threads : processors > 0 ? (size_t)processors : 1;
    return NULL;
}

static aard_error *new_pool(const aard_pool_config *config, aard_pool **out)
{
    aard_pool *pool = aard__calloc(1, sizeof *pool);
    if (!pool) return aard__error_no_memory();
    aard_error *error = own_config(config, pool);
    if (error) {
        aard__free(pool);
        return error;
    }
    pthread_mutex_init(&pool->lock, NULL);
    aard__cond_init(&pool->work);
    aard__cond_init(&pool->keep);
    aard__cond_init(&pool->quiet);
    pool->handles = 1;
    pool->queue_deadline = pool->keeper_wakes = AARD__NEVER;
    *out = pool;
    return NULL;
}

static aard_error *warm_up(aard_pool *pool)
{
    aard_error *error = NULL;
    pthread_mutex_lock(&pool->lock);
    wait_until(pool, ready_or_failed, AARD__NEVER);
    if (pool->retry_at) error = aard__error(pool->failure_code, "%s", pool->failure);
    pthread_mutex_unlock(&pool->lock);
    return error;
}

aard_error *aard_pool_new(const aard_pool_config *config, aard_pool **out)
{
    AARD__NEED(config);
    AARD__NEED(out);
    if (aard__forked()) return aard__error_forked();
    aard_pool *pool = NULL;
    AARD__TRY(new_pool(config, &pool));
    aard_error *error = aard__pool_start_threads(pool);
    if (error) {
        pthread_mutex_lock(&pool->lock);
        aard__pool_leave(pool);
        return error;
    }
    if (config->start == AARD_POOL_START_WARM && (error = warm_up(pool))) {
        aard_pool_free(pool);
        return error;
    }
    *out = pool;
    return NULL;
}

/* ---- sizes --------------------------------------------------------------------------------------------------------------- */

/* The lock held. */
static aard_error *set_size(aard_pool *pool, const aard__pool_size *size)
{
    AARD__TRY(aard__pool_size_check(size));
    AARD__NEED_THAT(size->maximum, "the pool's maximum must not be 0; give a size");
    if (pool->closed) return aard__pool_closed_error(pool);
    size_t alive = aard__pool_alive(pool);
    pool->size = *size;
    pool->target = size->desired;
    pool->excess = alive > size->desired ? alive - size->desired : 0;
    while (aard__pool_has_surplus(pool) && pool->slots[AARD__SLOT_IDLE].count > size->minimum_idle)
        aard__pool_scale_down(pool, pool->slots[AARD__SLOT_IDLE].last);
    aard__pool_dispatch(pool, aard__clock_monotonic());
    aard__pool_changed(pool);
    return NULL;
}

aard_error *aard_pool_set_desired_size(aard_pool *pool, size_t desired)
{
    AARD__NEED(pool);
    AARD__TRY(aard__pool_enter(pool));
    aard__pool_size size = pool->size;
    size.desired = desired;
    aard_error *error = set_size(pool, &size);
    pthread_mutex_unlock(&pool->lock);
    return error;
}

aard_error *aard_pool_resize(aard_pool *pool, size_t desired, size_t minimum_idle, size_t maximum)
{
    AARD__NEED(pool);
    const aard__pool_size size = {desired, minimum_idle, maximum ? maximum : desired};
    AARD__TRY(aard__pool_enter(pool));
    aard_error *error = set_size(pool, &size);
    pthread_mutex_unlock(&pool->lock);
    return error;
}

aard_error *aard_pool_wait_ready(aard_pool *pool, uint64_t ms)
{
    AARD__NEED(pool);
    AARD__TRY(aard__pool_enter(pool));
    bool in_time = wait_until(pool, ready_or_failed, deadline_in(ms));
    aard_error *error = pool->closed     ? aard__pool_closed_error(pool)
                        : pool->retry_at ? aard__error(pool->failure_code, "%s", pool->failure)
                        : in_time
                            ? NULL
                            : aard__error(AARD_ERR_POOL_TIMEOUT,
                                          "the pool '%s' was not ready in time: %zu of %zu isolates are there",
                                          pool->config->name, aard__pool_alive(pool) - pool->making, pool->target);
    pthread_mutex_unlock(&pool->lock);
    return error;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

aard_error *aard_pool_drain(aard_pool *pool, uint64_t ms)
{
    AARD__NEED(pool);
    aard_error *error = NULL;
    AARD__TRY(aard__pool_enter(pool));
    pool->closed = true;
    aard__pool_changed(pool);
    if (!wait_until(pool, is_drained, deadline_in(ms)))
        error = aard__error(
            AARD_ERR_POOL_TIMEOUT,
            "the pool '%s' was not drained in time: %zu isolates are in use, and %zu calls wait; free the "
            "pool to end them",
            pool->config->name, pool->slots[AARD__SLOT_LEASED].count, pool->queue.count);
    if (!error && pool->ended) error = aard__pool_closed_error(pool); /* it was freed meanwhile */
    pthread_mutex_unlock(&pool->lock);
    return error;
}

/* Cancels what runs, one after the other: a handle is not touched within the lock. */
static void cancel_running(aard_pool *pool)
{
    aard__job *job = pool->running.first;
    while (job) {
        if (job->waiter.cancelled) {
            job = job->next;
            continue;
        }
        job->waiter.cancelled = true;
        aard_cancel_handle *handle = aard_cancel_handle_retain(job->waiter.own);
        pthread_mutex_unlock(&pool->lock);
        aard_cancel(handle);
        aard_cancel_handle_free(handle);
        pthread_mutex_lock(&pool->lock);
        job = pool->running.first;
    }
}

/* Calls that have an isolate already, and run on it in a moment, find themselves cancelled. */
static void end_calls(aard_pool *pool)
{
    pool->closed = true;
    aard__pool_dismiss_all(pool, aard__pool_closed_error);
    while (pool->ready.first) {
        aard__job *job = pool->ready.first;
        aard__jobs_remove(&pool->ready, job);
        aard__pool_move(pool, job->waiter.slot, AARD__SLOT_CLEANING);
        aard__pool_put_idle(pool, job->waiter.slot, aard__clock_monotonic());
        pool->occupied--;
        pool->counts.cancelled++;
        job->waiter.state = AARD__WAIT_CANCELLED;
        aard__jobs_add(&pool->dismissed, job);
    }
    cancel_running(pool);
    pthread_cond_broadcast(&pool->keep);
    aard__pool_changed(pool);
    wait_until(pool, no_calls, AARD__NEVER);
}

static void end_isolates(aard_pool *pool)
{
    pool->ended = true;
    pool->handles += pool->slots[AARD__SLOT_LEASED].count;
    while (pool->slots[AARD__SLOT_IDLE].first)
        aard__pool_move(pool, pool->slots[AARD__SLOT_IDLE].first, AARD__SLOT_DOOMED);
    while (pool->slots[AARD__SLOT_DIRTY].first)
        aard__pool_move(pool, pool->slots[AARD__SLOT_DIRTY].first, AARD__SLOT_DOOMED);
    pthread_cond_broadcast(&pool->work);
    pthread_cond_broadcast(&pool->keep);
    aard__pool_changed(pool);
    wait_until(pool, at_rest, AARD__NEVER);
    wait_until(pool, unwatched, AARD__NEVER);
}

void aard_pool_free(aard_pool *pool)
{
    if (!pool || aard__forked()) return; /* a copy of the parent's can't be freed */
    pthread_mutex_lock(&pool->lock);
    end_calls(pool);
    end_isolates(pool);
    pthread_mutex_unlock(&pool->lock);
    aard__pool_stop_threads(pool);
    pthread_mutex_lock(&pool->lock);
    aard__pool_leave(pool);
}
