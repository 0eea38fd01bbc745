/* Files that are executed, or mapped while others run: nobody but their user, and root, may be able to write them.
 *
 * The model is OpenSSH's StrictModes.  A path is walked from the root, one name at a time, each on the descriptor of the
 * directory before it: every directory, and the file, has to belong to the process's effective user, to root (or whoever
 * owns `/`), or to a user whose number is in AARDVARK_TRUSTED_UIDS, and must not be writable by its group or by others.
 * Two exceptions, as there: a user's private group (of the user's name, without other members) counts as the user, and
 * on the way a directory may be writable by all that has the sticky bit, as /tmp has, where nobody can replace what is
 * somebody else's.  Since nobody else can change anything on such a path, it names the same file the next time, too. */
#ifndef AARD_BASE_TRUST_H
#define AARD_BASE_TRUST_H

#include "base/error.h"

/* Opens a regular file for reading, after that walk.  Links are followed.
 * Errors: untrusted (what of the path, why, and what to do), not_found, io, no_memory. */
aard_error *aard__trusted_open(const char *path, int *out);

/* The same walk for a directory, where something that is executed lives: it must not be sticky either.  The descriptor
 * is good for openat. */
aard_error *aard__trusted_open_dir(const char *path, int *out);

/* An environment variable that says where files are; NULL where it is unset or empty, or where the process has more rights
 * than who started it. */
const char *aard__trusted_variable(const char *name);

#endif
