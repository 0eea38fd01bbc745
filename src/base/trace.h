/* Spans of work, to the host's hook (aardvark/hooks.h).  Without a hook a span costs one look at a variable. */
#ifndef AARD_BASE_TRACE_H
#define AARD_BASE_TRACE_H

#include <aardvark/hooks.h>
#include <stdbool.h>

typedef struct aard__span {
    uint64_t id; /* 0 = nothing is traced */
    const char *name;
    uint64_t parent, isolate_id;
    uint64_t outer_isolate_id; /* of the span around it */
    bool nested;
} aard__span;

/* NULL while nothing is traced. */
extern aard_trace_callback aard__trace_callback;

/* The innermost span that is open on this thread; 0 = none. */
uint64_t aard__trace_current(void);

/* A span within the one that is open on this thread, until aard__trace_end on the same thread.  `name` is static; `isolate_id` 0:
 * that of the span around it; `detail` may be NULL. */
aard__span aard__trace_open(const char *name, uint64_t isolate_id, const char *detail, bool nested);
/* The same, nested, of what belongs to the host's trace `traceparent` (NULL = none). */
aard__span aard__trace_open_in(const char *traceparent, const char *name, uint64_t isolate_id, const char *detail);
void aard__trace_close(const aard__span *span, const char *result);

static inline aard__span aard__trace_begin(const char *name, uint64_t isolate_id, const char *detail)
{
    return aard__trace_callback ? aard__trace_open(name, isolate_id, detail, true) : (aard__span){.id = 0};
}

/* The same of a span that may overlap others, and has none within it. */
static inline aard__span aard__trace_begin_apart(const char *name, const char *detail)
{
    return aard__trace_callback ? aard__trace_open(name, 0, detail, false) : (aard__span){.id = 0};
}

/* Once for a span.  `result` may be NULL. */
static inline void aard__trace_end(aard__span *span, const char *result)
{
    if (span->id) aard__trace_close(span, result);
    span->id = 0;
}

/* For work that gives an error: the name of its code is the result. */
static inline void aard__trace_end_with(aard__span *span, const aard_error *error)
{
    aard__trace_end(span, error ? aard_error_code_name(aard_error_get_code(error)) : NULL);
}

#endif
