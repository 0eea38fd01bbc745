/* Warm states that go from one process to another: as their file, in a memfd that is sealed. */
#ifndef AARD_PROCESS_WARM_COPY_H
#define AARD_PROCESS_WARM_COPY_H

#include <aardvark/warm.h>

/* Errors: io, no_memory. */
aard_error *aard__warm_seal(const aard_warm_state *warm, int *fd);

/* For isolates of the configuration, its distribution and its catalog.  Borrows the descriptor.  Whoever it is from is not trusted: the state is checked as any file is.
 * Errors: engine (it is not sealed), and those of aard_warm_state_open. */
aard_error *aard__warm_unseal(int fd, const aard_isolate_config *config, aard_warm_state **out);

#endif
