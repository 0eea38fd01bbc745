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

double aard__guest_now(const aard__guest *guest)
{
    return (double)(aard__clock_monotonic() - guest->clock.origin) / 1e6;
}
