/* The public handler: what a bundle exports. */
#include "base/thread.h"
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

void aard_handler_free(aard_handler *handler)
{
    if (!handler || aard__forked()) return; /* a copy of the parent's can't be freed */
    aard__handler_let_go(handler);
}
