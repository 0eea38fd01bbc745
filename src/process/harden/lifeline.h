/* The lifeline: a pipe that nobody ever writes to, whose one end is the host's and goes with it.  The kernel then kills whoever
 * watches the other: guests' processes, whatever they are doing.
 *
 * They end with their host, and not with their template, which is replaced without a call noticing. */
#ifndef AARD_PROCESS_LIFELINE_H
#define AARD_PROCESS_LIFELINE_H

#include <stdbool.h>

/* The end for templates, which stays the host's to close: never.  -1 where the system has none. */
int aard__lifeline_end(void);

/* A template: takes the descriptor for its children. */
void aard__lifeline_hold(int fd);

/* A child, once: from now on it ends with the host.  False where there is none to hold, or the kernel can't do it. */
bool aard__lifeline_watch(void);

#endif
