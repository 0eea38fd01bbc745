/* Calls: a handler is invoked, or inline code is run, and an outcome comes back. */
#include "base/error.h"
#include "isolate/isolate_impl.h"
#include "outcome/outcome.h"

static aard_error *call(aard_isolate *isolate, const aard__request *request, aard_outcome **out)
{
    aard__response response = {.outcome = NULL};
    if (request->call) AARD__TRY(aard__call_check(request->call));
    AARD__TRY(aard__isolate_request(isolate, request, &response));
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
