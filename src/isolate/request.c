/* An isolate is asked one thing at a time. */
#include "base/error.h"
#include "base/process.h"
#include "base/trace.h"
#include "isolate/isolate_impl.h"

static const char *verb_name(aard__verb verb)
{
    static const char *const names[] = {
#define NAME(constant, name) [constant] = name,
        AARD__VERB_MAP(NAME)
#undef NAME
    };
    return names[verb];
}

/* The name of an error's code, or of a call's failure. */
static const char *result_of(const aard_error *error, const aard__response *response)
{
    if (error) return aard_error_code_name(aard_error_get_code(error));
    if (!response->outcome) return NULL; /* it has none */
    return aard_failure_kind_name(aard_outcome_failure_kind(response->outcome));
}

aard_error *aard__isolate_claim(aard_isolate *isolate)
{
    if (aard__forked()) return aard__error_forked();
    if (!atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire)) return NULL;
    return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                       (unsigned long long)isolate->id);
}

void aard__isolate_unclaim(aard_isolate *isolate) { atomic_flag_clear_explicit(&isolate->busy, memory_order_release); }

aard_error *aard__isolate_request(aard_isolate *isolate, const aard__request *request, aard__response *response)
{
    AARD__TRY(aard__isolate_claim(isolate));
    if (atomic_load_explicit(&isolate->has_gone, memory_order_relaxed)) aard__handlers_sweep(isolate);
    aard__span span = {.id = 0};
    if (aard__trace_callback)
        span = aard__trace_open_in(aard_call_traceparent(request->call), "request", isolate->id,
                                   verb_name(request->verb));
    aard_error *error = isolate->executor->ops->request(isolate->executor, request, response);
    aard__trace_end(&span, result_of(error, response));
    aard__isolate_unclaim(isolate);
    return error;
}
