/* Pools: isolates kept ready, shared between the threads and the tenants of a host.
 *
 * A call takes an idle isolate, runs on it and returns it; the pool's own threads reset isolates, replace them and
 * free those that are not needed.  Only clean isolates are handed out.  docs/pools.md
 *
 * Every function of a pool may be called from any thread, but not from a hook, and from a completion callback only
 * where documented.  aard_pool_config is a plain object of its caller: one thread at a time.  Times are
 * milliseconds. */
#ifndef AARDVARK_POOL_H
#define AARDVARK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_pool aard_pool;

/* ---- configuration ---------------------------------------------------------------------------------------- */

/* Each setter is followed by its getter, whose result belongs to the configuration. */
typedef struct aard_pool_config aard_pool_config;

/* Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_config_new(aard_pool_config **out);
AARD_API void aard_pool_config_free(aard_pool_config *config); /* NULL is fine */

/* How every isolate of the pool is made.  Copied, as aard_isolate_new does it; default: all defaults.  Its cleanup is
 * the pool's: with AARD_CLEANUP_FULL the pool's threads reset an isolate after each lease; no caller waits for that.
 * Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_config_set_isolate(aard_pool_config *config,
                                                                 const aard_isolate_config *isolate);
AARD_API const aard_isolate_config *aard_pool_config_isolate(const aard_pool_config *config);
/* The bundle that is loaded into every isolate, retained; NULL (the default) = none, for inline code. */
AARD_API void aard_pool_config_set_bundle(aard_pool_config *config, aard_bundle *bundle);
AARD_API aard_bundle *aard_pool_config_bundle(const aard_pool_config *config);
/* Adds a handler that every isolate prepares: "module:export", or NULL for the manifest's.  Requests that name no
 * handler call the first.  If none is added, the manifest's is used, if it has one.  Errors: invalid_argument (a name
 * twice), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_config_add_handler(aard_pool_config *config, const char *entrypoint);
AARD_API size_t aard_pool_config_handler_count(const aard_pool_config *config);
AARD_API const char *aard_pool_config_handler(const aard_pool_config *config,
                                              size_t index); /* NULL: the manifest's, too */
/* The pool's name in its statistics; copied.  Default "pool".  Errors: invalid_argument (not UTF-8), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_config_set_name(aard_pool_config *config, const char *name);
AARD_API const char *aard_pool_config_name(const aard_pool_config *config);

/* `desired`: how many isolates are made at the start, and kept by replacing discarded ones; default 1.
 * `minimum_idle`: how many to keep idle, made ahead while there are fewer than `maximum`; default 0.
 * `maximum`: the most isolates at once, in any state; 0 (the default) = `desired`.
 * Beyond `desired`, isolates are made only while calls wait.  All 0 = one isolate (the default). */
AARD_API void aard_pool_config_set_size(aard_pool_config *config, size_t desired, size_t minimum_idle, size_t maximum);
/* The values as set; any of the outputs may be NULL. */
AARD_API void aard_pool_config_size(const aard_pool_config *config, size_t *desired, size_t *minimum_idle,
                                    size_t *maximum);

/* When the desired isolates are made. */
typedef enum aard_pool_start {
    AARD_POOL_START_WARM = 0,       /* all by aard_pool_new, which returns the first error (the default) */
    AARD_POOL_START_BACKGROUND = 1, /* by the pool's threads; aard_pool_new returns at once */
    AARD_POOL_START_LAZY = 2        /* each when a call needs it */
} aard_pool_start;
AARD_API void aard_pool_config_set_start(aard_pool_config *config, aard_pool_start start);
AARD_API aard_pool_start aard_pool_config_start(const aard_pool_config *config);

/* How many calls may wait for an isolate; further ones fail with pool_full.  AARD_POOL_NO_QUEUE = none: fail fast.
 * 0 = 1024 (the default). */
#define AARD_POOL_NO_QUEUE SIZE_MAX
AARD_API void aard_pool_config_set_queue_limit(aard_pool_config *config, size_t calls);
AARD_API size_t aard_pool_config_queue_limit(const aard_pool_config *config);
/* How long a call waits for an isolate before it fails with pool_timeout; 0 = no limit (the default). */
AARD_API void aard_pool_config_set_acquire_timeout_ms(aard_pool_config *config, uint64_t ms);
AARD_API uint64_t aard_pool_config_acquire_timeout_ms(const aard_pool_config *config);
/* Isolates idle for this long are freed, down to `minimum_idle`, and made again when calls need them.  0 = never (the
 * default). */
AARD_API void aard_pool_config_set_idle_timeout_ms(aard_pool_config *config, uint64_t ms);
AARD_API uint64_t aard_pool_config_idle_timeout_ms(const aard_pool_config *config);
/* Threads that run submitted calls and reset isolates; 0 (the default) = as many as processors.  One more thread does
 * maintenance. */
AARD_API void aard_pool_config_set_threads(aard_pool_config *config, size_t threads);
AARD_API size_t aard_pool_config_threads(const aard_pool_config *config);

/* Recycling: after a lease, an isolate that has reached one of these limits is freed and replaced; 0 = never (the
 * default).
 *
 * The calls that it has run. */
AARD_API void aard_pool_config_set_max_calls(aard_pool_config *config, uint64_t calls);
AARD_API uint64_t aard_pool_config_max_calls(const aard_pool_config *config);
/* Its age; idle isolates are checked, too. */
AARD_API void aard_pool_config_set_max_age_ms(aard_pool_config *config, uint64_t ms);
AARD_API uint64_t aard_pool_config_max_age_ms(const aard_pool_config *config);
/* Bytes of its heaps after its last call: `py_heap_kib` and `js_heap_kib` of the outcome. */
AARD_API void aard_pool_config_set_max_heap(aard_pool_config *config, uint64_t bytes);
AARD_API uint64_t aard_pool_config_max_heap(const aard_pool_config *config);
/* Bytes of resident memory after its last call, `rss_kib_after` of the outcome: of its process, which is the host's
 * with thread isolation. */
AARD_API void aard_pool_config_set_max_rss(aard_pool_config *config, uint64_t bytes);
AARD_API uint64_t aard_pool_config_max_rss(const aard_pool_config *config);

/* X(constant, number, name): why an isolate is discarded at once instead of being reset.
 *   engine_crashed, timeout, heap_limit: the outcome's failure (timeout: a wall or CPU limit)
 *   guest_abandoned: the outcome's diagnostics say so
 *   violation: the outcome has a policy violation
 *   reset_failed, discarded: a reset failed; aard_lease_discard.  These always apply. */
#define AARD_QUARANTINE_MAP(X)                                                                                         \
    X(AARD_QUARANTINE_ENGINE_CRASHED, 1, "engine_crashed")                                                             \
    X(AARD_QUARANTINE_GUEST_ABANDONED, 2, "guest_abandoned")                                                           \
    X(AARD_QUARANTINE_VIOLATION, 4, "violation")                                                                       \
    X(AARD_QUARANTINE_TIMEOUT, 8, "timeout")                                                                           \
    X(AARD_QUARANTINE_HEAP_LIMIT, 16, "heap_limit")                                                                    \
    X(AARD_QUARANTINE_RESET_FAILED, 32, "reset_failed")                                                                \
    X(AARD_QUARANTINE_DISCARDED, 64, "discarded")

typedef enum aard_quarantine {
#define AARD_QUARANTINE_ENUM(constant, number, name) constant = number,
    AARD_QUARANTINE_MAP(AARD_QUARANTINE_ENUM)
#undef AARD_QUARANTINE_ENUM
} aard_quarantine;
#define AARD_QUARANTINE_CAUSES 7 /* how many there are */
/* The causes that apply, ORed.  Default: engine_crashed, guest_abandoned and violation. */
AARD_API void aard_pool_config_set_quarantine(aard_pool_config *config, unsigned causes);
AARD_API unsigned aard_pool_config_quarantine(const aard_pool_config *config);
AARD_API const char *aard_quarantine_name(aard_quarantine cause); /* "unknown" for any other number; static storage */

/* X(constant, name): why an isolate was replaced as planned. */
#define AARD_RECYCLE_MAP(X)                                                                                            \
    X(AARD_RECYCLE_CALLS, "calls")                                                                                     \
    X(AARD_RECYCLE_AGE, "age")                                                                                         \
    X(AARD_RECYCLE_HEAP, "heap")                                                                                       \
    X(AARD_RECYCLE_RSS, "rss")

typedef enum aard_recycle {
#define AARD_RECYCLE_ENUM(constant, name) constant,
    AARD_RECYCLE_MAP(AARD_RECYCLE_ENUM)
#undef AARD_RECYCLE_ENUM
} aard_recycle;
#define AARD_RECYCLE_CAUSES 4 /* how many there are */

/* Hooks are called for events of the pool's isolates, on the thread that causes them.  No lock is held; a hook delays
 * only its own isolate. */
typedef enum aard_pool_event_kind {
    AARD_POOL_CREATED,     /* the isolate is ready: code may be run on it, and aard_isolate_checkpoint called */
    AARD_POOL_BEFORE_CALL, /* by aard_pool_invoke, _exec, _submit… and aard_lease_invoke and _exec */
    AARD_POOL_AFTER_CALL,  /* with the outcome, borrowed */
    AARD_POOL_RECYCLED,
    AARD_POOL_QUARANTINED,
    AARD_POOL_FREED /* it is about to be freed, for any reason */
} aard_pool_event_kind;

typedef struct aard_pool_event {
    aard_pool_event_kind kind;
    aard_isolate *isolate;       /* borrowed for the hook */
    const char *cause;           /* recycled, quarantined: its name; else NULL */
    const aard_call *call;       /* before_call, after_call: may be NULL */
    const aard_outcome *outcome; /* after_call: NULL if the call could not be made */
    uint64_t calls;              /* that the isolate has run */
} aard_pool_event;

/* An error returned for AARD_POOL_CREATED fails the creation and frees the isolate.  Any other is freed and ignored. */
typedef aard_error *(*aard_pool_hook)(void *user, const aard_pool_event *event);
/* Replaces an earlier hook.  `finalizer` (may be NULL) runs once the configuration and all pools made from it are
 * freed or have another, and also on an error.  Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_config_set_hook(aard_pool_config *config, aard_pool_hook hook, void *user,
                                                              aard_finalizer finalizer);
/* NULL if none is set; `*user` (may be NULL) receives its user pointer. */
AARD_API aard_pool_hook aard_pool_config_hook(const aard_pool_config *config, void **user);

/* ---- pools ------------------------------------------------------------------------------------------------ */

/* Makes a pool and starts its threads. `config` is copied. On an error nothing remains.
 * Errors: invalid_argument (minimum_idle or desired above maximum, an unknown start), those of aard_isolate_new,
 * aard_isolate_load_bundle and aard_handler_new, thread, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_new(const aard_pool_config *config, aard_pool **out);

/* Refuses new calls with pool_closed, and waits up to `ms` (0 = no limit) for waiting and running calls to end and
 * for all leases to be released.  Completion callbacks have then returned.  Errors: pool_timeout (the pool stays
 * closed; call it again, or aard_pool_free). */
AARD_API AARD_NODISCARD aard_error *aard_pool_drain(aard_pool *pool, uint64_t ms);
/* Closes the pool, cancels every submitted call (outcome `cancelled`), fails threads that wait for an isolate with
 * pool_closed, waits for running calls, and frees all isolates.  An outstanding lease keeps its isolate, which is
 * freed with it.  Not from a completion callback.  NULL is fine. */
AARD_API void aard_pool_free(aard_pool *pool);

/* Changes the desired size, within the maximum: more isolates are made in the background; surplus ones are freed,
 * idle ones now and the others when they are returned.  Returns at once.  Errors: invalid_argument, pool_closed. */
AARD_API AARD_NODISCARD aard_error *aard_pool_set_desired_size(aard_pool *pool, size_t desired);
/* All three of aard_pool_config_set_size, likewise.  Errors: invalid_argument, pool_closed. */
AARD_API AARD_NODISCARD aard_error *aard_pool_resize(aard_pool *pool, size_t desired, size_t minimum_idle,
                                                     size_t maximum);
/* Waits up to `ms` (0 = no limit) until the desired isolates exist and none is being made, reset or freed.  Errors:
 * pool_timeout, pool_closed, and those of a failed creation. */
AARD_API AARD_NODISCARD aard_error *aard_pool_wait_ready(aard_pool *pool, uint64_t ms);

/* ---- calls ------------------------------------------------------------------------------------------------ */

#define AARD_POOL_PRIORITY_LEAST (-4)
#define AARD_POOL_PRIORITY_MOST 3
#define AARD_POOL_FOREVER UINT64_MAX

/* How a call waits for its isolate, and which handler it calls. Zero in a field selects the default. */
typedef struct aard_pool_request {
    size_t struct_size; /* sizeof(aard_pool_request) of the caller */
    /* Waiting calls of different tenants take turns; those of one tenant run in order of arrival.  Borrowed; NULL is a
     * tenant, too. */
    const char *tenant;
    int priority;                /* higher ones run first, regardless of tenant; -4 to 3 */
    bool no_wait;                /* fail with pool_full at once if no isolate is idle */
    uint64_t acquire_timeout_ms; /* 0 = the pool's; AARD_POOL_FOREVER = none */
    const char *entrypoint;      /* of a handler of the pool; borrowed; NULL = its first */
    aard_cancel_handle *cancel;  /* of aard_pool_acquire; calls have that of their aard_call.  Borrowed. */
} aard_pool_request;

/* Takes an isolate, calls the handler on it and returns it, on the caller's thread, which also runs the callbacks.
 * `request` and `call` may be NULL.  The outcome (owned by the caller) has the time in the queue as queue_wait_ms.  A
 * call cancelled while waiting has the outcome `cancelled`.  An error means that the call was not made.  Errors:
 * pool_full, pool_timeout, pool_closed, not_found (no such handler), invalid_argument, no_memory; those of making an
 * isolate; those of aard_handler_invoke. */
AARD_API AARD_NODISCARD aard_error *aard_pool_invoke(aard_pool *pool, const aard_pool_request *request,
                                                     const aard_call *call, aard_outcome **out);
/* The same for inline code, as aard_isolate_exec. */
AARD_API AARD_NODISCARD aard_error *aard_pool_exec(aard_pool *pool, const aard_pool_request *request,
                                                   const char *source, size_t len, const char *name,
                                                   const aard_call *call, aard_outcome **out);

/* A lease: exclusive use of one isolate of the pool until it is released. */
typedef struct aard_lease aard_lease;

/* Errors: as aard_pool_invoke, and pool_cancelled. */
AARD_API AARD_NODISCARD aard_error *aard_pool_acquire(aard_pool *pool, const aard_pool_request *request,
                                                      aard_lease **out);
/* Leases an idle isolate, or sets `*out` to NULL if there is none. Never waits.  Errors: pool_closed. */
AARD_API AARD_NODISCARD aard_error *aard_pool_try_acquire(aard_pool *pool, aard_lease **out);
/* Calls on the leased isolate.  Unlike calls through aard_lease_isolate they are in the statistics, and decide
 * whether the isolate is kept. */
AARD_API AARD_NODISCARD aard_error *aard_lease_invoke(aard_lease *lease, const char *entrypoint, const aard_call *call,
                                                      aard_outcome **out);
AARD_API AARD_NODISCARD aard_error *aard_lease_exec(aard_lease *lease, const char *source, size_t len, const char *name,
                                                    const aard_call *call, aard_outcome **out);
/* The isolate itself, borrowed, for other uses; its bundle and the pool's handlers must not be changed.  NULL
 * for NULL. */
AARD_API aard_isolate *aard_lease_isolate(aard_lease *lease);
/* Returns the isolate. Does not wait: the pool's threads reset it.  NULL is fine. */
AARD_API void aard_lease_release(aard_lease *lease);
/* The same, but the isolate is discarded. */
AARD_API void aard_lease_discard(aard_lease *lease);

/* ---- submitted calls --------------------------------------------------------------------------------------- */

/* The result of a submitted call: an outcome or an error, owned by the receiver; the other is NULL. */
typedef struct aard_completion {
    void *user;
    aard_outcome *outcome;
    aard_error *error; /* as of aard_pool_invoke */
} aard_completion;

/* Called on one of the pool's threads, exactly once for each submitted call.  May use the pool, except aard_pool_drain,
 * _free, _wait_ready, and calls that wait. */
typedef void (*aard_completion_callback)(const aard_completion *completion);

/* A queue of completed calls for event loops: its descriptor is readable while it is not empty.  Reference-counted:
 * submitted calls retain it. */
typedef struct aard_completion_queue aard_completion_queue;

/* Errors: io (no descriptor), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_completion_queue_new(aard_completion_queue **out);
/* Drops a reference; the last one frees the queue and what has not been fetched.  NULL is fine. */
AARD_API void aard_completion_queue_free(aard_completion_queue *queue);
/* An eventfd to poll for reading; do not read or close it.  -1 for NULL. */
AARD_API int aard_completion_queue_fd(const aard_completion_queue *queue);
/* Fetches the oldest completion; false if there is none. Never waits. */
AARD_API bool aard_completion_queue_next(aard_completion_queue *queue, aard_completion *out);

/* Where the completion goes: to `callback` or into `queue`; exactly one of them. */
typedef struct aard_completion_target {
    aard_completion_callback callback;
    aard_completion_queue *queue; /* retained until the call has ended */
    void *user;                   /* of the completion */
} aard_completion_target;

/* Submits a call to one of the pool's threads.  Returns at once; all arguments are copied.  The call can be cancelled
 * by the handle of its aard_call, while it waits and while it runs.  If no error is returned there will be exactly
 * one completion.  May be called from completion callbacks.  Errors: pool_full, pool_closed, not_found (no such
 * handler), invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_submit(aard_pool *pool, const aard_pool_request *request,
                                                     const aard_call *call, const aard_completion_target *target);
AARD_API AARD_NODISCARD aard_error *aard_pool_submit_exec(aard_pool *pool, const aard_pool_request *request,
                                                          const char *source, size_t len, const char *name,
                                                          const aard_call *call, const aard_completion_target *target);

/* ---- statistics -------------------------------------------------------------------------------------------- */

/* Over all calls so far, from a histogram with steps of 1/16: a percentile is up to 6 % too large. */
typedef struct aard_percentiles {
    uint64_t count;
    double p50_ms, p95_ms, p99_ms, max_ms, sum_ms;
} aard_percentiles;

typedef struct aard_pool_stats {
    size_t struct_size;                                /* set by the caller: sizeof(aard_pool_stats) */
    size_t desired, minimum_idle, maximum;             /* as set */
    size_t idle, leased, resetting, creating, freeing; /* isolates now */
    size_t waiting;                                    /* calls that wait for an isolate now */
    uint64_t calls, succeeded, failed;                 /* that ran; by their outcomes */
    uint64_t refused, timed_out, cancelled;       /* calls that did not run: queue full, acquire time-out, cancelled */
    uint64_t leases;                              /* isolates handed out, for calls too */
    uint64_t created, creations_failed, freed;    /* isolates */
    uint64_t resets;                              /* by the pool */
    uint64_t scale_downs;                         /* freed because they were idle or too many */
    uint64_t recycled[AARD_RECYCLE_CAUSES];       /* by aard_recycle */
    uint64_t quarantined[AARD_QUARANTINE_CAUSES]; /* in the order of aard_quarantine */
    uint64_t heap_kib;                            /* of all isolates, as of their last calls */
    aard_percentiles queue_wait, run, total;      /* of calls; queue_wait of leases, too */
} aard_pool_stats;

/* Fills `*out` up to out->struct_size with a consistent snapshot.  Errors: invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_pool_get_stats(aard_pool *pool, aard_pool_stats *out);
/* The same as one JSON object (docs/pools.md), owned by the caller: aard_string_free.  Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pool_stats_json(aard_pool *pool, char **out, size_t *len);
/* Those of `count` pools in Prometheus' text form (version 0.0.4), each with the label pool="NAME", owned by the
 * caller: aard_string_free.  Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_pools_prometheus(aard_pool *const *pools, size_t count, char **out,
                                                          size_t *len);

#ifdef __cplusplus
}
#endif

#endif
