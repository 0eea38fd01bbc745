/* The clocks that a guest sees. */
#include "base/clock.h"
#include "guest/guest.h"

uint64_t aard__guest_processor_ns(aard__guest *guest)
{
    uint64_t now = aard__clock_thread_cpu();
    if (guest->processor_last && pthread_equal(guest->processor_thread, pthread_self()))
        guest->processor_ns += now - guest->processor_last;
    guest->processor_thread = pthread_self();
    guest->processor_last = now;
    return guest->processor_ns;
}

double aard__guest_now(const aard__guest *guest)
{
    return (double)(aard__clock_monotonic() - guest->time_origin) / 1e6;
}
