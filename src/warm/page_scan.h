/* Asks the kernel which pages of a private mapping are the process's own. */
#ifndef AARD_WARM_PAGE_SCAN_H
#define AARD_WARM_PAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A run of pages, by their numbers from the start of the memory. */
typedef struct aard__page_run {
    size_t first, count;
} aard__page_run;

typedef struct aard__page_scan {
    aard__page_run *runs; /* ascending */
    size_t count, room;
    uint64_t *entries; /* scratch of the older interface */
} aard__page_scan;

#define AARD__PAGE ((size_t)4096)

/* Fills `scan` (zeroed before its first use) with the own pages of [memory, memory + len).  Errors: io, no_memory. */
aard_error *aard__page_scan_run(aard__page_scan *scan, const uint8_t *memory, size_t len);
void aard__page_scan_free(aard__page_scan *scan);

#endif
