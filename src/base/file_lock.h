/* Locks between processes: a file that only its user can open, locked for as long as a descriptor of it is open. */
#ifndef AARD_BASE_FILE_LOCK_H
#define AARD_BASE_FILE_LOCK_H

#include <stdint.h>

#include "base/error.h"

/* Opens or makes the file at `path` and locks it; closing it unlocks it.  Links are not followed.  While another process
 * holds the lock it waits, for `timeout_ms` at most; from the first second on `waiting` (may be NULL) is told now and then
 * who that is.  Errors: untrusted (another user's file), io (also: who held it for all that time), no_memory. */
aard_error *aard__file_lock(const char *path, uint64_t timeout_ms, void (*waiting)(void *user, const char *holder),
                            void *user, int *out);

#endif
