/* An isolate is in use by one thread at a time. */
#include "base/thread.h"
#include "worker/isolate.h"

aard_error *aard__isolate_claim(aard_isolate *isolate)
{
    if (aard__forked()) return aard__error_forked();
    if (!atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire)) {
        if (atomic_load_explicit(&isolate->has_gone, memory_order_relaxed)) aard__handlers_sweep(isolate);
        return NULL;
    }
    return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                       (unsigned long long)isolate->id);
}

void aard__isolate_release(aard_isolate *isolate) { atomic_flag_clear_explicit(&isolate->busy, memory_order_release); }
