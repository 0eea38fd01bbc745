/* Files that appear whole or not at all: written under another name beside their place, synced, renamed.
 *
 * A link is followed, and its target is what is replaced.  What is no regular file (a device, a FIFO) is written to at the
 * end instead, as any other program would.  A writer holds a lock on what it writes for as long as it lives; what one that
 * was killed left behind is removed when the same file is written the next time. */
#ifndef AARD_BASE_NEW_FILE_H
#define AARD_BASE_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define AARD__MODE_PUBLIC 0666  /* what a user asked for, by name; one that is replaced keeps its mode */
#define AARD__MODE_RUN 0644     /* what is run from there: nobody else may write it, whatever the umask */
#define AARD__MODE_PRIVATE 0600 /* what holds memory of guests */

typedef struct aard__new_file {
    int fd;          /* readable and writable */
    int dir;         /* where it will be; -1 = it is to be written to what is there, which is no regular file */
    char *path;      /* for messages */
    char *target;    /* the same without links */
    char *temporary; /* its name in `dir` meanwhile */
    mode_t mode;     /* that it gets at the end */
    bool keeps_mode; /* which is that of what was there */
} aard__new_file;

/* Starts a file whose mode is `mode` without the umask's bits.  Errors: io, no_memory. */
aard_error *aard__new_file_open(const char *path, mode_t mode, aard__new_file *out);

/* Puts the file in its place, over an older one; it is over either way. */
aard_error *aard__new_file_commit(aard__new_file *file);

/* Gives it up.  Fine on one that is over, or all zero. */
void aard__new_file_drop(aard__new_file *file);

/* Writes all of it at `at`; false with errno. */
bool aard__write_at(int fd, const void *data, size_t len, size_t at);

/* Removes what killed writers of this user left in `dir` of the file `name` (NULL = of any). */
void aard__new_file_sweep(const char *dir, const char *name);

#endif
