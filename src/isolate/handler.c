/* The public handler: what a bundle exports. */
#include "worker/isolate.h"

aard_error *aard_handler_new(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__handler_make(isolate, entrypoint, out);
    aard__isolate_release(isolate);
    return error;
}

/* It is not looked at again once it is gone: whoever has the isolate may free it at once. */
void aard_handler_free(aard_handler *handler)
{
    if (!handler) return;
    aard_isolate *isolate = handler->isolate;
    atomic_store(&handler->gone, true);
    atomic_store(&isolate->has_gone, true);
    aard_error *error = aard__isolate_claim(isolate);
    if (!error) aard__isolate_release(isolate);
    aard_error_free(error);
}
