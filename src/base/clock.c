#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t aard__clock_monotonic(void) { return read_clock(CLOCK_MONOTONIC); }
uint64_t aard__clock_thread_cpu(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
uint64_t aard__clock_later(uint64_t now, uint64_t ms)
{
    return ms >= (UINT64_MAX - now) / 1000000 ? UINT64_MAX : now + ms * 1000000;
}

void aard__clock_pause(uint64_t ns)
{
    nanosleep(&(struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)}, NULL);
}

int64_t aard__clock_realtime(void) { return (int64_t)read_clock(CLOCK_REALTIME); }

void aard__clock_rfc3339(int64_t realtime_ns, char out[32])
{
    time_t seconds = (time_t)(realtime_ns / INT64_C(1000000000));
    int millis = (int)(realtime_ns / 1000000 % 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", millis);
}
