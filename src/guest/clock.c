/* The clocks that a guest sees. */
#include "base/clock.h"
#include "guest/guest.h"

uint64_t aard__guest_processor_ns(aard__guest *guest)
{
    uint64_t now = aard__clock_thread_cpu();
    if (guest->clock.processor_last && pthread_equal(guest->clock.processor_thread, pthread_self()))
        guest->clock.processor_ns += now - guest->clock.processor_last;
    guest->clock.processor_thread = pthread_self();
    guest->clock.processor_last = now;
    return guest->clock.processor_ns;
}

void aard__guest_stop_clock(aard__guest *guest)
{
    if (!guest->clock.stood_still) guest->clock.stood_still = aard__clock_monotonic();
}

void aard__guest_start_clock(aard__guest *guest)
{
    if (!guest->clock.stood_still) return;
    uint64_t now = aard__clock_monotonic();
    if (guest->ops->language == AARD_LANGUAGE_JAVASCRIPT)
        guest->clock.origin = now;
    else
        guest->clock.origin += now - guest->clock.stood_still;
    guest->clock.stood_still = 0;
}

double aard__guest_now(const aard__guest *guest)
{
    return (double)(aard__clock_monotonic() - guest->clock.origin) / 1e6;
}
