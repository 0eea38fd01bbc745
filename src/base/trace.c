/* Spans of work. */
#include "base/trace.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/hooks.h"
#include "base/process.h"

aard_trace_callback aard__trace_callback;

/* The span that is open on this thread.  By value: a guest can be abandoned with spans open, and their end then never comes; the
 * end of the span around them puts this right. */
static _Thread_local struct {
    uint64_t span, isolate_id;
} place;

uint64_t aard__trace_current(void) { return place.span; }

static void send(aard_trace_phase phase, const aard__span *span, const char *detail, const char *traceparent)
{
    const aard_trace_event event = {
        .phase = phase,
        .name = span->name,
        .detail = detail ? detail : "",
        .span = span->id,
        .parent = span->parent,
        .isolate_id = span->isolate_id,
        .time_ns = aard__clock_monotonic(),
        .traceparent = traceparent ? traceparent : "",
    };
    aard__trace_callback(aard__hooks.user, &event);
}

static aard__span open_span(const char *name, uint64_t isolate_id, const char *detail, bool nested,
                            const char *traceparent)
{
    static _Atomic(uint64_t) last;
    aard__span span = {
        .id = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1,
        .name = name,
        .parent = place.span,
        .isolate_id = isolate_id ? isolate_id : place.isolate_id,
        .outer_isolate_id = place.isolate_id,
        .nested = nested,
    };
    if (nested) {
        place.span = span.id;
        place.isolate_id = span.isolate_id;
    }
    send(AARD_TRACE_BEGIN, &span, detail, traceparent);
    return span;
}

aard__span aard__trace_open(const char *name, uint64_t isolate_id, const char *detail, bool nested)
{
    return open_span(name, isolate_id, detail, nested, NULL);
}

aard__span aard__trace_open_in(const char *traceparent, const char *name, uint64_t isolate_id, const char *detail)
{
    return open_span(name, isolate_id, detail, true, traceparent);
}

void aard__trace_close(const aard__span *span, const char *result)
{
    send(AARD_TRACE_END, span, result, NULL);
    if (!span->nested) return;
    place.span = span->parent;
    place.isolate_id = span->outer_isolate_id;
}

AARD__PROCESS_KEEPS(trace, "who is told of events, and their numbers", "aard__trace_callback last");
