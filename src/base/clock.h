/* Clocks, all in nanoseconds. */
#ifndef AARD_BASE_CLOCK_H
#define AARD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint64_t aard__clock_monotonic(void);
uint64_t aard__clock_thread_cpu(void); /* of the calling thread */
/* A time in so many milliseconds; UINT64_MAX where that is too far away. */
uint64_t aard__clock_later(uint64_t now, uint64_t ms);
/* Sleeps: where nothing tells that it is time to look again. */
void aard__clock_pause(uint64_t ns);
int64_t aard__clock_realtime(void); /* since the Unix epoch */

/* "2026-11-21T10:00:00.123Z" (RFC 3339, UTC) into `out`. */
void aard__clock_rfc3339(int64_t realtime_ns, char out[32]);

#ifdef __cplusplus
}
#endif

#endif
