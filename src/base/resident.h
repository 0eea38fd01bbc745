/* The resident memory of processes. */
#ifndef AARD_BASE_RESIDENT_H
#define AARD_BASE_RESIDENT_H

#include <stdint.h>
#include <sys/types.h>

/* In KiB; 0 where the kernel does not say.  As of a millisecond ago at most: two readings would be a tenth of a small call. */
uint64_t aard__resident_kib(void);

/* The same of another process, now; 0 where there is none. */
uint64_t aard__resident_kib_of(pid_t pid);

/* What of its address space counts for RLIMIT_DATA, in KiB; 0 where the kernel does not say. */
uint64_t aard__data_kib(void);

#endif
