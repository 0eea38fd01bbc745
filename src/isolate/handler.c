/* The public handler: a number in the requests of its isolate. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/process.h"
#include "isolate/isolate_impl.h"

aard_error *aard_handler_new(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    aard_handler *handler = aard__calloc(1, sizeof *handler);
    if (!handler) return aard__error_no_memory();
    aard__response response = {.handler = 0};
    aard_error *error = aard__isolate_request(
        isolate, &(aard__request){.verb = AARD__RESOLVE, .entrypoint = entrypoint}, &response);
    if (error) {
        aard__free(handler);
        return error;
    }
    handler->number = response.handler;
    aard__handlers_add(isolate, handler);
    *out = handler;
    return NULL;
}

void aard_handler_free(aard_handler *handler)
{
    if (!handler || aard__forked()) return; /* a copy of the parent's can't be freed */
    aard__handlers_drop(handler);
}
