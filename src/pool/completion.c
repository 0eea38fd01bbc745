/* Submitted calls that have ended: told to a callback, or kept in a queue for an event loop. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "pool/pool.h"

struct aard_completion_queue {
    pthread_mutex_t lock;
    size_t owners;
    int fd; /* its count is not 0 while there are any */
    aard__jobs jobs;
};

aard_error *aard_completion_queue_new(aard_completion_queue **out)
{
    AARD__NEED(out);
    aard_completion_queue *queue = aard__calloc(1, sizeof *queue);
    if (!queue) return aard__error_no_memory();
    queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (queue->fd < 0) {
        aard_error *error = aard__error_errno(AARD_ERR_IO, errno, "can't make the descriptor of a completion queue");
        aard__free(queue);
        return error;
    }
    pthread_mutex_init(&queue->lock, NULL);
    queue->owners = 1;
    *out = queue;
    return NULL;
}

void aard__completion_queue_retain(aard_completion_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->owners++;
    pthread_mutex_unlock(&queue->lock);
}

int aard_completion_queue_fd(const aard_completion_queue *queue) { return queue ? queue->fd : -1; }

/* The oldest; the lock held. */
static aard__job *take_first(aard_completion_queue *queue)
{
    aard__job *job = queue->jobs.first;
    if (!job) return NULL;
    aard__jobs_remove(&queue->jobs, job);
    if (!queue->jobs.count) {
        uint64_t count;
        ssize_t got = read(queue->fd, &count, sizeof count); /* it is readable: this neither fails nor waits */
        (void)got;
    }
    return job;
}

bool aard_completion_queue_next(aard_completion_queue *queue, aard_completion *out)
{
    if (!out || !queue) return false;
    pthread_mutex_lock(&queue->lock);
    aard__job *job = take_first(queue);
    pthread_mutex_unlock(&queue->lock);
    if (!job) return false;
    *out = job->completion;
    job->completion = (aard_completion){0};
    aard__free(job);
    return true;
}

void aard_completion_queue_free(aard_completion_queue *queue)
{
    if (!queue) return;
    pthread_mutex_lock(&queue->lock);
    bool last = --queue->owners == 0;
    pthread_mutex_unlock(&queue->lock);
    if (!last) return;
    aard_completion completion;
    while (aard_completion_queue_next(queue, &completion)) {
        aard_outcome_free(completion.outcome);
        aard_error_free(completion.error);
    }
    close(queue->fd);
    pthread_mutex_destroy(&queue->lock);
    aard__free(queue);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------ */

/* Everything that is of no use once the call has ended. */
static void strip(aard__job *job)
{
    aard__cancel_unlist(&job->waiter.cancel_entry);
    aard_call_free(job->call);
    aard_cancel_handle_free(job->waiter.own);
    aard_cancel_handle_free(job->host_cancel);
    aard__free(job->tenant);
    aard__free(job->source);
    aard__free(job->name);
}

void aard__job_free(aard__job *job)
{
    if (!job) return;
    strip(job);
    aard_completion_queue_free(job->queue);
    aard__free(job);
}

static void put_into(aard_completion_queue *queue, aard__job *job)
{
    pthread_mutex_lock(&queue->lock);
    aard__jobs_add(&queue->jobs, job);
    if (queue->jobs.count == 1) {
        const uint64_t one = 1;
        ssize_t put = write(queue->fd, &one, sizeof one); /* the count is 0: there is room */
        (void)put;
    }
    pthread_mutex_unlock(&queue->lock);
}

void aard__job_complete(aard__job *job)
{
    aard_completion_queue *queue = job->queue;
    strip(job);
    if (queue) {
        put_into(queue, job);
        aard_completion_queue_free(queue); /* the job's share */
        return;
    }
    job->callback(&job->completion);
    aard__free(job);
}
