/* The resident memory of the process. */
#ifndef AARD_BASE_RESIDENT_H
#define AARD_BASE_RESIDENT_H

#include <stdint.h>

/* In KiB; 0 where the kernel does not say.  As of a millisecond ago at most: two readings would be a tenth of a small call. */
uint64_t aard__resident_kib(void);

#endif
