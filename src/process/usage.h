/* What a child uses, as its host sees it: a hole in the engine knows no limit of the engine's. */
#ifndef AARD_PROCESS_USAGE_H
#define AARD_PROCESS_USAGE_H

#include <aardvark/outcome.h>
#include <sys/types.h>

#include "settings/config.h"

/* By how many KiB a child may outgrow its template: all that its guest may have by the limits of `settings` together, and what
 * the process needs besides.  0 = as much as there is, as the guest has no limit. */
uint64_t aard__memory_most_kib(const aard__settings *settings);

/* Of one call. */
typedef struct aard__usage {
    uint64_t next; /* when to look, by aard__clock_monotonic; UINT64_MAX = never */
    pid_t pid;
    uint64_t most_cpu, cpu_start; /* ns */
    uint64_t most_kib;
} aard__usage;

/* From now on the process may take so many ns of processor time, and have so much memory; 0 = no limit. */
void aard__usage_begin(aard__usage *usage, pid_t pid, uint64_t most_cpu, uint64_t most_kib);

/* Looks, where it is time: why the process has to be ended, and what that failure is; NULL where it need not. */
const char *aard__usage_look(aard__usage *usage, uint64_t now, aard_failure_kind *kind);

#endif
