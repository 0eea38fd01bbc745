/* Files that appear whole or not at all: written under another name beside their place, synced, renamed.
 *
 * A writer holds a lock on what it writes for as long as it lives; what one that was killed left behind is removed when
 * the same file is written the next time. */
#ifndef AARD_BASE_NEW_FILE_H
#define AARD_BASE_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct aard__new_file {
    int fd; /* readable and writable */
    char *path, *temporary;
} aard__new_file;

/* Starts a file.  Errors: io, no_memory. */
aard_error *aard__new_file_open(const char *path, aard__new_file *out);

/* Puts the file in its place, over an older one; it is over either way. */
aard_error *aard__new_file_commit(aard__new_file *file);

/* Gives it up.  Fine on one that is over, or all zero. */
void aard__new_file_drop(aard__new_file *file);

/* Writes all of it at `at`; false with errno. */
bool aard__write_at(int fd, const void *data, size_t len, size_t at);

/* Removes what killed writers left in `dir` of the file `name` (NULL = of any). */
void aard__new_file_sweep(const char *dir, const char *name);

#endif
