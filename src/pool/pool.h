/* The inside of a pool: what the files of this room make of it.
 *
 * One lock guards everything; it is never held while an isolate, a hook, a callback or a cancel handle is used.  Whoever has an
 * isolate (its state says who) has it alone, and needs no lock for it. */
#ifndef AARD_POOL_POOL_H
#define AARD_POOL_POOL_H

#include <aardvark/pool.h>
#include <pthread.h>

#include "budget/cancel.h"
#include "pool/histogram.h"
#include "pool/queue.h"
#include "settings/config.h"

/* ---- config.c */

typedef struct aard__pool_size {
    size_t desired, minimum_idle, maximum;
} aard__pool_size;

typedef struct aard__pool_hook {
    aard__user user;
    aard_pool_hook call;
} aard__pool_hook;

struct aard_pool_config {
    aard_isolate_config *isolate; /* NULL = the defaults */
    aard_bundle *bundle;          /* retained; may be NULL */
    char **entrypoints;           /* NULL is the manifest's */
    size_t entrypoint_count;
    char *name;
    aard__pool_size size;
    aard_pool_start start;
    size_t queue_limit, threads;
    uint64_t acquire_timeout_ms, idle_timeout_ms;
    uint64_t max_calls, max_age_ms, max_heap, max_rss; /* 0 = none */
    unsigned quarantine;
    aard__pool_hook *hook; /* a share; may be NULL */
};

aard_error *aard__pool_config_copy(const aard_pool_config *config, aard_pool_config **out);
aard_error *aard__pool_size_check(const aard__pool_size *size);

/* ---- isolates of the pool: slots; a leased one is the lease */

typedef enum aard__slot_state {
    AARD__SLOT_IDLE,
    AARD__SLOT_LEASED,   /* its holder's */
    AARD__SLOT_DIRTY,    /* to be made clean */
    AARD__SLOT_CLEANING, /* by a thread, whose it is */
    AARD__SLOT_DOOMED,   /* to be freed */
    AARD__SLOT_STATES
} aard__slot_state;

typedef struct aard_lease aard__slot;

struct aard_lease {
    aard_pool *pool;
    aard_isolate *isolate;
    aard_handler **handlers;     /* as the configuration's entrypoints */
    aard__slot *next, *previous; /* of those in its state */
    aard__slot_state state;
    uint64_t born, idle_since; /* aard__clock_monotonic */
    uint64_t calls;
    uint64_t heap_kib, rss_kib; /* after its last call */
    uint64_t counted_kib;       /* of the heap, in the pool's sum */
    bool soiled;                /* the last call was cut off: it has to be reset, whatever the cleanup */
    unsigned quarantine;        /* why it is thrown away; 0 = it is not */
    int recycle;                /* the same in good order; -1 = it is not */
};

typedef struct aard__slots {
    aard__slot *first, *last;
    size_t count;
} aard__slots;

/* ---- who waits */

typedef enum aard__wait_state {
    AARD__WAIT_NEW,
    AARD__WAIT_QUEUED,
    AARD__WAIT_SERVED, /* has a slot */
    AARD__WAIT_FAILED, /* has an error */
    AARD__WAIT_CANCELLED,
} aard__wait_state;

typedef struct aard__waiter {
    aard__entry entry; /* first: the queue gives this */
    aard__wait_state state;
    uint64_t since, deadline; /* aard__clock_monotonic; AARD__NEVER */
    aard__slot *slot;
    aard_error *error;
    pthread_cond_t *wake; /* a thread's; NULL of a job */
    aard_pool *pool;
    aard__cancel_entry cancel_entry; /* on the host's handle */
    aard_cancel_handle *own;         /* a job's: cancelled along with that */
    bool cancelled;
} aard__waiter;

typedef struct aard__job {
    aard__waiter waiter;               /* first */
    struct aard__job *next, *previous; /* ready, running or ended */
    aard_call *call;                   /* with the waiter's own handle */
    aard_cancel_handle *host_cancel;   /* that the host's call has, retained; may be NULL */
    char *tenant, *source, *name;      /* source: inline code */
    size_t source_len;
    size_t handler;
    aard_completion_callback callback;
    aard_completion_queue *queue;
    aard_completion completion;
} aard__job;

typedef struct aard__jobs {
    aard__job *first, *last;
    size_t count;
} aard__jobs;

/* ---- the pool */

typedef struct aard__pool_counts {
    uint64_t calls, succeeded, refused, timed_out, cancelled, leases, created, creations_failed, freed, resets,
        scale_downs;
    uint64_t recycled[AARD_RECYCLE_CAUSES], quarantined[AARD_QUARANTINE_CAUSES];
    uint64_t heap_kib;
    aard__histogram queue_wait, run, total;
} aard__pool_counts;

struct aard_pool {
    aard_pool_config *config;
    bool cleans;    /* isolates are reset after each lease */
    size_t handles; /* owners of this memory: the host, and each lease once the pool has ended */
    pthread_mutex_t lock;
    pthread_cond_t work, keep, quiet; /* for workers; for the keeper; for whoever waits for the pool itself */
    size_t workers_asleep, watchers;  /* watchers: wait for `quiet` */
    size_t workers_tied;              /* up in work that is not a call */
    bool keeper_asleep, closed, stopping, ended;
    uint64_t keeper_wakes;
    pthread_t *threads; /* the keeper first */
    size_t thread_count, workers;

    aard__pool_size size;
    size_t target, excess; /* as many are replaced; so many are freed when they can be */
    aard__slots slots[AARD__SLOT_STATES];
    size_t making, freeing;
    uint64_t retry_at, retry_ms; /* after a creation that failed; 0 = none has */
    aard_error_code failure_code;
    char failure[512];

    aard__queue queue;
    size_t queue_limit;                   /* 0 = none may wait */
    uint64_t queue_deadline;              /* when to look for waiting jobs that are too late; AARD__NEVER = none is */
    aard__jobs ready, running, dismissed; /* dismissed: they will not run */
    size_t occupied;                      /* workers that have a job, or will have a ready one */
    size_t jobs, callers;                 /* submitted calls that have not ended; host's threads inside */
    aard__pool_counts counts;
};

/* ---- slot.c: what is done with an isolate; no lock held */

aard_error *aard__slot_new(aard_pool *pool, aard__slot **out);
void aard__slot_free(aard__slot *slot); /* with its hooks */
/* As the next caller may have it; on an error it can't be used any more. */
aard_error *aard__slot_clean(aard__slot *slot);
/* Does ahead what the next cleaning takes long for. */
aard_error *aard__slot_prepare(aard__slot *slot);

/* What a call is: of a handler, or inline code. */
typedef struct aard__target {
    size_t handler;
    const char *source, *name;
    size_t len;
    const aard_call *call;
} aard__target;

/* What it took. */
typedef struct aard__record {
    bool ran, success;
    uint64_t queue_wait, run, total; /* ns */
} aard__record;

/* One call on a slot that the caller has; looks at what came of it. */
aard_error *aard__slot_call(aard__slot *slot, const aard__target *target, uint64_t queue_wait, aard__record *record,
                            aard_outcome **out);
/* The handler of that name, NULL = the first.  Errors: not_found. */
aard_error *aard__pool_find_handler(const aard_pool *pool, const char *entrypoint, size_t *out);
/* The outcome of a call that was cancelled while it waited. */
aard_error *aard__pool_cancelled_outcome(const aard_pool *pool, uint64_t waited_ns, aard_outcome **out);

/* ---- state.c: who has which isolate, and who is served next; the lock held */

/* Takes the lock.  Errors: forked; then nobody has it. */
aard_error *aard__pool_enter(aard_pool *pool);
void aard__pool_move(aard_pool *pool, aard__slot *slot, aard__slot_state to); /* from the list that it is in */
void aard__pool_enlist(aard_pool *pool, aard__slot *slot, aard__slot_state to);
void aard__jobs_add(aard__jobs *jobs, aard__job *job);
void aard__jobs_remove(aard__jobs *jobs, aard__job *job);

/* Isolates that can serve calls, now or soon. */
size_t aard__pool_alive(const aard_pool *pool);
/* Whether one that is not in use is to go, since the host wants fewer. */
bool aard__pool_has_surplus(const aard_pool *pool);
/* Whether one more isolate is to be made now. */
bool aard__pool_wants(const aard_pool *pool, uint64_t now);
/* An idle isolate, leased; or with `dirty` one to be cleaned, where nobody else waits for it.  NULL where there is none. */
aard__slot *aard__pool_take_at_once(aard_pool *pool, bool dirty, uint64_t now);
aard__slot *aard__pool_take_dirty(aard_pool *pool); /* to clean it; NULL where there is none */
/* After aard__slot_clean, whose error it takes; false where the isolate is not usable and has been taken care of. */
bool aard__pool_cleaned(aard_pool *pool, aard__slot *slot, aard_error *error);
/* Gives idle isolates to those whose turn it is, and wakes threads for what there is to do. */
void aard__pool_dispatch(aard_pool *pool, uint64_t now);
/* There was no isolate for a call that does not wait: the next one may find one. */
void aard__pool_miss(aard_pool *pool, uint64_t now);
/* A clean isolate is there, of the state `cleaning`. */
void aard__pool_put_idle(aard_pool *pool, aard__slot *slot, uint64_t now);
/* An isolate is not needed any more, by the host's wish or after a time. */
void aard__pool_scale_down(aard_pool *pool, aard__slot *slot);
/* For the reason that it has. */
void aard__pool_throw_away(aard_pool *pool, aard__slot *slot);
aard__slot *aard__pool_take_doomed(aard_pool *pool); /* to free it; NULL where there is none */
/* The end of a lease: counts it, and decides what becomes of the isolate.  False where the pool has ended: it is the caller's to free,
 * and the pool with it. */
bool aard__pool_give_back(aard_pool *pool, aard__slot *slot, const aard__record *record, uint64_t now);
void aard__pool_count_call(aard_pool *pool, const aard__record *record);
/* A job waits until then. */
void aard__pool_watch_deadline(aard_pool *pool, uint64_t deadline);
/* Takes a waiter out of the queue, for the reason that the state says. */
void aard__pool_dismiss(aard_pool *pool, aard__waiter *waiter, aard__wait_state state, aard_error *error);
void aard__pool_dismiss_all(aard_pool *pool, aard_error *(*why)(const aard_pool *pool));
/* Whether a call can be queued; errors: pool_closed, pool_full, and where no isolate can be made that. */
aard_error *aard__pool_admit(aard_pool *pool, uint64_t now);
aard_error *aard__pool_closed_error(const aard_pool *pool);
aard_error *aard__pool_failure_error(const aard_pool *pool);
aard_error *aard__pool_timeout_error(const aard_pool *pool);
aard_error *aard__pool_full_error(aard_pool *pool); /* counts it */
/* Something has changed that somebody may wait for. */
void aard__pool_changed(aard_pool *pool);
/* Frees the pool's memory with its last owner; the lock held, which is given up. */
void aard__pool_leave(aard_pool *pool);

/* ---- wait.c: a thread takes an isolate */

/* The `stop` of a waiter's cancel_entry. */
void aard__waiter_cancel(void *waiter);
/* A request with its defaults; NULL has nothing but those.  Errors: invalid_argument. */
aard_error *aard__request_read(const aard_pool_request *request, aard_pool_request *out);
int aard__request_level(const aard_pool_request *request);
uint64_t aard__request_deadline(const aard_pool *pool, const aard_pool_request *request, uint64_t now);
/* `*out` is NULL where the wait was cancelled. */
aard_error *aard__pool_take(aard_pool *pool, const aard_pool_request *request, aard_cancel_handle *cancel, uint64_t now,
                            aard__slot **out, uint64_t *waited);

/* ---- completion.c */

void aard__completion_queue_retain(aard_completion_queue *queue);
/* The call has ended; takes the job. */
void aard__job_complete(aard__job *job);
void aard__job_free(aard__job *job); /* one that has not ended, too */

/* ---- stats.c */

uint64_t aard__pool_heap_kib(aard_pool *pool);

/* ---- worker.c */

/* With the pool whole.  Errors: thread; then none is left. */
aard_error *aard__pool_start_threads(aard_pool *pool);
void aard__pool_stop_threads(aard_pool *pool);

#endif
