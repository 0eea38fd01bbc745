/* Landlock, Linux's way for a thread to give up files, connections and signals. */
#ifndef AARD_PROCESS_LANDLOCK_H
#define AARD_PROCESS_LANDLOCK_H

#include <stdbool.h>

/* A ruleset without rules: all that the kernel's version can forbid is forbidden.  The caller's; -1 and errno where there is
 * none. */
int aard__landlock_new(void);

/* Holds for the calling thread and what it starts, with no way back.  False and errno where the kernel refuses it. */
bool aard__landlock_restrict(int rules);

/* The same with all forbidden but to read files below `readable` (up to a NULL) and /proc. */
bool aard__landlock_read_only(const char *const *readable);

#endif
