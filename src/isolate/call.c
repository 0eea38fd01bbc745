/* Calls: a handler is invoked, or inline code is run, and an outcome comes back. */
#include "base/error.h"
#include "isolate/isolate_impl.h"
#include "outcome/outcome.h"

/* A guest that was reset before the call has none of the steps before; one that will be has not this one either. */
static void count_step(aard_isolate *isolate, aard__verb verb, const aard_diagnostics *d)
{
    bool fresh = d->reset_mode != AARD_RESET_NONE || verb == AARD__CLEAR, step = verb == AARD__EXECUTE;
    uint64_t before = fresh ? 0 : atomic_load_explicit(&isolate->steps, memory_order_relaxed);
    atomic_store_explicit(&isolate->steps, d->state_lost ? 0 : before + step, memory_order_relaxed);
}

static aard_error *call(aard_isolate *isolate, const aard__request *request, aard_outcome **out)
{
    aard__response response = {.outcome = NULL};
    if (request->call) AARD__TRY(aard__call_check(request->call));
    AARD__TRY(aard__isolate_request(isolate, request, &response));
    count_step(isolate, request->verb, &response.outcome->diagnostics);
    *out = aard__outcome_hand_out(response.outcome);
    return NULL;
}

aard_error *aard_handler_invoke(aard_handler *handler, const aard_call *particulars, aard_outcome **out)
{
    AARD__NEED(handler);
    AARD__NEED(out);
    AARD__NEED_THAT(handler->isolate, "the handler's isolate has been freed; make a new handler on a living isolate");
    return call(handler->isolate,
                &(aard__request){.verb = AARD__INVOKE, .handler = handler->number, .call = particulars}, out);
}

aard_error *aard_isolate_exec(aard_isolate *isolate, const char *source, size_t len, const char *name,
                              const aard_call *particulars, aard_outcome **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__NEED_THAT(source || !len, "NULL has no bytes; give the data, or a length of 0");
    return call(
        isolate,
        &(aard__request){.verb = AARD__EXECUTE, .source = source, .source_len = len, .name = name, .call = particulars},
        out);
}

enum { CLEAR_MS = 10000 }; /* for what objects do when they end, where calls have no limit */

aard_error *aard_isolate_clear(aard_isolate *isolate)
{
    aard_outcome *outcome;
    aard_call particulars = {.capture = true};
    AARD__NEED(isolate);
    if (!aard_isolate_config_wall_limit_ms(isolate->config)) particulars.limits.wall_ms = CLEAR_MS;
    AARD__TRY(call(isolate, &(aard__request){.verb = AARD__CLEAR, .call = &particulars}, &outcome));
    aard_error *error = aard_outcome_is_success(outcome)
                            ? NULL
                            : aard__error(AARD_ERR_ENGINE, "the names could not be cleared: %s; reset the isolate",
                                          aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
    return error;
}

uint64_t aard_isolate_step_count(const aard_isolate *isolate)
{
    return isolate ? atomic_load_explicit(&isolate->steps, memory_order_relaxed) : 0;
}
