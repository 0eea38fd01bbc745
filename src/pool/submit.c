/* Calls that the pool's threads make. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "pool/pool.h"

/* ---- a job ----------------------------------------------------------------------------------------------------------- */

static aard_error *copy_text(const char *text, char **out)
{
    if (text && !(*out = aard__strdup(text))) return aard__error_no_memory();
    return NULL;
}

static aard_error *copy_source(aard__job *job, const aard__target *target)
{
    if (!target->source) return NULL;
    job->source_len = target->len;
    job->source = aard__memdup0(target->source, target->len);
    if (!job->source) return aard__error_no_memory();
    return copy_text(target->name, &job->name);
}

static aard_error *copy_call(aard__job *job, const aard_call *call)
{
    AARD__TRY(aard_cancel_handle_new(&job->waiter.own));
    AARD__TRY(aard__call_copy(call, &job->call));
    if (call && call->cancel) job->host_cancel = aard_cancel_handle_retain(call->cancel);
    aard_call_set_cancel_handle(job->call, job->waiter.own);
    return NULL;
}

static aard_error *fill(aard__job *job, const aard_pool_request *request, const aard__target *target)
{
    AARD__TRY(copy_text(request->tenant, &job->tenant));
    AARD__TRY(copy_source(job, target));
    AARD__TRY(copy_call(job, target->call));
    job->handler = target->handler;
    job->waiter.entry = (aard__entry){.tenant = job->tenant, .level = aard__request_level(request), .job = true};
    job->waiter.cancel_entry = (aard__cancel_entry){.stop = aard__waiter_cancel, .user = &job->waiter};
    return NULL;
}

static aard_error *new_job(aard_pool *pool, const aard_pool_request *request, const aard__target *target,
                           const aard_completion_target *to, aard__job **out)
{
    aard__job *job = aard__calloc(1, sizeof *job);
    if (!job) return aard__error_no_memory();
    job->waiter.pool = pool;
    aard_error *error = fill(job, request, target);
    if (error) {
        aard__job_free(job);
        return error;
    }
    job->callback = to->callback;
    job->completion.user = to->user;
    if (to->queue) aard__completion_queue_retain(job->queue = to->queue);
    *out = job;
    return NULL;
}

/* ---- submitting ------------------------------------------------------------------------------------------------------ */

/* With the lock held. */
static aard_error *queue_job(aard_pool *pool, aard__job *job, bool no_wait)
{
    aard__waiter *waiter = &job->waiter;
    AARD__TRY(aard__pool_admit(pool, waiter->since));
    if (no_wait && !waiter->cancelled && (!pool->slots[AARD__SLOT_IDLE].count || pool->occupied >= pool->workers)) {
        aard__pool_miss(pool, waiter->since);
        return aard__pool_full_error(pool);
    }
    pool->jobs++;
    waiter->state = AARD__WAIT_QUEUED;
    aard__queue_add(&pool->queue, &waiter->entry);
    if (waiter->cancelled)
        aard__pool_dismiss(pool, waiter, AARD__WAIT_CANCELLED, NULL);
    else
        aard__pool_dispatch(pool, waiter->since);
    if (waiter->state == AARD__WAIT_QUEUED) aard__pool_watch_deadline(pool, waiter->deadline);
    return NULL;
}

static aard_error *submit(aard_pool *pool, const aard_pool_request *request, const aard__target *target,
                          const aard_completion_target *to)
{
    aard__job *job = NULL;
    if (!to->callback == !to->queue)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a submitted call's completion goes to a callback or into a queue: give one of the two");
    if (aard__forked()) return aard__error_forked();
    AARD__TRY(new_job(pool, request, target, to, &job));
    aard__waiter *waiter = &job->waiter;
    waiter->since = aard__clock_monotonic();
    waiter->deadline = aard__request_deadline(pool, request, waiter->since);
    bool cancelled = !aard__cancel_list(job->host_cancel, &waiter->cancel_entry);
    if (cancelled) aard_cancel(waiter->own);
    pthread_mutex_lock(&pool->lock);
    waiter->cancelled = waiter->cancelled || cancelled;
    aard_error *error = queue_job(pool, job, request->no_wait);
    pthread_mutex_unlock(&pool->lock);
    if (error) aard__job_free(job);
    return error;
}

aard_error *aard_pool_submit(aard_pool *pool, const aard_pool_request *request, const aard_call *call,
                             const aard_completion_target *target)
{
    AARD__NEED(pool);
    AARD__NEED(target);
    aard_pool_request whole;
    aard__target what = {.call = call};
    AARD__TRY(aard__request_read(request, &whole));
    AARD__TRY(aard__pool_find_handler(pool, whole.entrypoint, &what.handler));
    return submit(pool, &whole, &what, target);
}

aard_error *aard_pool_submit_exec(aard_pool *pool, const aard_pool_request *request, const char *source, size_t len,
                                  const char *name, const aard_call *call, const aard_completion_target *target)
{
    AARD__NEED(pool);
    AARD__NEED(target);
    AARD__NEED_THAT(source || !len, "NULL has no bytes; give the data, or a length of 0");
    aard_pool_request whole;
    AARD__TRY(aard__request_read(request, &whole));
    const aard__target what = {.source = source ? source : "", .len = len, .name = name, .call = call};
    return submit(pool, &whole, &what, target);
}
