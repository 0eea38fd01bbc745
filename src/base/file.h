/* Files and paths of the host. */
#ifndef AARD_BASE_FILE_H
#define AARD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads a whole regular file of at most `max` bytes (0 = any) into new memory (aard__free) with a NUL behind it.
 * Errors: not_found, io (with the path and the reason), no_memory. */
aard_error *aard__file_read(const char *path, size_t max, char **data, size_t *len);

/* Writes a file whole or not at all: a temporary file beside it, fsync, rename. */
aard_error *aard__file_write_atomic(const char *path, const void *data, size_t len);

/* Maps a file read-only and privately; unmap with munmap(data, len).  An empty file gives NULL and 0. */
aard_error *aard__file_map(const char *path, const void **data, size_t *len);

/* "a/b" from "a" and "b", new memory; NULL when memory is out. */
char *aard__path_join(const char *dir, const char *name);

aard_error *aard__dir_make(const char *path); /* with its parents; an existing one is fine */
aard_error *aard__dir_remove(
    const char *path); /* with everything in it, never following links; a missing one is fine */

#endif
