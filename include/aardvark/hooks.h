/* The host's hooks: an allocator, a log and a trace.
 * docs/embedding.md */
#ifndef AARDVARK_HOOKS_H
#define AARDVARK_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- memory
 * ---------------------------------------------------------------------------------------------------------- */

/* Like malloc, realloc and free: `size` is at least 1, and NULL means out of memory. Called from any thread. */
typedef void *(*aard_allocate)(void *user, size_t size);
typedef void *(*aard_reallocate)(void *user, void *block, size_t size);
typedef void (*aard_release)(void *user, void *block);

/* ---- log
 * ------------------------------------------------------------------------------------------------------------- */

typedef enum aard_log_level {
    AARD_LOG_NONE = 0,
    AARD_LOG_ERROR = 1,   /* the process is about to be aborted, or memory was leaked for good */
    AARD_LOG_WARNING = 2, /* something was worked around at the cost of time or memory, such as an unusable cache */
    AARD_LOG_INFO = 3,    /* something persistent was made: a file in a cache or a catalog */
    AARD_LOG_DEBUG = 4    /* further detail for diagnosis */
} aard_log_level;

/* "error", "warning", "info", "debug"; "none"; "unknown" for any other number. */
AARD_API const char *aard_log_level_name(aard_log_level level);

/* `message` is one line of UTF-8 without a newline, borrowed for the call.  It contains no guest output, but may
 * contain names and paths.  Called from any thread, also from several at once, and with locks of the library held:
 * must not call back into the library. */
typedef void (*aard_log_callback)(void *user, aard_log_level level, const char *message);

/* ---- trace
 * ----------------------------------------------------------------------------------------------------------- */

typedef enum aard_trace_phase { AARD_TRACE_BEGIN = 1, AARD_TRACE_END = 2 } aard_trace_phase;

/* One end of a span of time.  Everything is borrowed for the call.  Grows at the end only. */
typedef struct aard_trace_event {
    aard_trace_phase phase;
    const char *name;    /* what kind of work: one of the names in docs/embedding.md; static storage */
    const char *detail;  /* at the beginning the subject, at the end the result; "" if there is none */
    uint64_t span;       /* number of the span, unique in the process; the same at both ends */
    uint64_t parent;     /* of the span that this one is part of; 0 = none */
    uint64_t isolate_id; /* 0 = none */
    uint64_t time_ns;    /* of the monotonic clock */
    /* At the beginning of a "request": that of its call (aard_call_set_traceparent); else "". */
    const char *traceparent;
} aard_trace_event;

/* Called on the thread that does the work, with each beginning before the spans nested in it.  A span of name
 * "network_request" may overlap others; all other spans of a thread are nested.  Must not call back into the
 * library, but for aard_trace_event_json. */
typedef void (*aard_trace_callback)(void *user, const aard_trace_event *event);

/* The event as one JSON object of Chrome's trace-event format, of the thread that calls: an array of them is a file
 * that Perfetto and chrome://tracing open.  Writes as much of it as `size` bytes hold, a NUL among them, and returns
 * how many it has without one, as snprintf does.  Allocates nothing.  Any thread. */
AARD_API size_t aard_trace_event_json(const aard_trace_event *event, char *out, size_t size);

/* ---- setting them
 * ---------------------------------------------------------------------------------------------------- */

typedef struct aard_hooks {
    size_t struct_size; /* sizeof(aard_hooks) of the caller */
    void *user;         /* given to every function below */
    /* All three, or none for the C library's.  The memory of guests, of the engine and of libraries below
     * (libcurl, libarchive and others) does not come from here; it is bounded by limits. */
    aard_allocate allocate;
    aard_reallocate reallocate;
    aard_release release;
    aard_log_callback log;     /* NULL = nothing is logged */
    aard_log_level log_level;  /* the last level that is logged; 0 = AARD_LOG_WARNING */
    aard_trace_callback trace; /* NULL = nothing is traced, at no cost */
} aard_hooks;

/* Sets the hooks of the process, in place of those before; NULL sets none.  `hooks` is copied, what it names stays
 * in use until the process ends.  Before any other function of the library but aard_version and the like: nothing
 * may have been allocated.  Errors: busy (something has), invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_hooks_set(const aard_hooks *hooks);

#ifdef __cplusplus
}
#endif

#endif
