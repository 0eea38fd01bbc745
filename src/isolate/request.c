/* An isolate is asked one thing at a time. */
#include "base/error.h"
#include "base/process.h"
#include "isolate/isolate_impl.h"

aard_error *aard__isolate_request(aard_isolate *isolate, const aard__request *request, aard__response *response)
{
    if (aard__forked()) return aard__error_forked();
    if (atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire))
        return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                           (unsigned long long)isolate->id);
    if (atomic_load_explicit(&isolate->has_gone, memory_order_relaxed)) aard__handlers_sweep(isolate);
    aard_error *error = isolate->executor->ops->request(isolate->executor, request, response);
    atomic_flag_clear_explicit(&isolate->busy, memory_order_release);
    return error;
}
