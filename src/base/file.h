/* Files and paths of the host. */
#ifndef AARD_BASE_FILE_H
#define AARD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Opens a regular file for reading; anything else is an error, and waits for nobody.  Errors: not_found, io. */
aard_error *aard__file_open(const char *path, int *out);

/* Reads a whole regular file of at most `max` bytes (0 = any) into new memory (aard__free) with a NUL behind it.
 * Errors: not_found, io (with the path and the reason), no_memory. */
aard_error *aard__file_read(const char *path, size_t max, char **data, size_t *len);

/* The same of a file that is run, or says what is: nobody else may be able to write it (base/trust.h).
 * Errors: also untrusted. */
aard_error *aard__file_read_trusted(const char *path, size_t max, char **data, size_t *len);

/* Writes a file whole or not at all (base/new_file.h). */
aard_error *aard__file_write_atomic(const char *path, mode_t mode, const void *data, size_t len);

/* Maps a file read-only and privately; unmap with munmap(data, len).  An empty file gives NULL and 0.  Who can write it
 * could change it meanwhile, or cut it short, which ends the process: nobody else may be able to (base/trust.h).
 * Errors: not_found, untrusted, io, no_memory. */
aard_error *aard__file_map(const char *path, const void **data, size_t *len);

/* The same file by a number above those of the standard streams, which a program that began without them may take a new
 * descriptor for; takes `fd`.  -1 where there is none (errno). */
int aard__fd_above_standard(int fd);

/* "a/b" from "a" and "b", new memory; NULL when memory is out. */
char *aard__path_join(const char *dir, const char *name);

/* With its parents; an existing one is fine.  Nobody else can write those that are made, whatever the umask. */
aard_error *aard__dir_make(const char *path);
aard_error *aard__dir_remove(
    const char *path); /* with everything in it, never following links; a missing one is fine */

#endif
