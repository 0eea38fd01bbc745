/* The program that template processes run. */
#ifndef AARD_PROCESS_HELPER_H
#define AARD_PROCESS_HELPER_H

#include <sys/types.h>

#include "base/error.h"

#define AARD__HELPER_NAME "aardvark-guest"
#define AARD__HELPER_SOCKET 3 /* its descriptor there */

/* Starts one with `socket` as its only descriptor besides the standard ones, which are /dev/null, an empty environment, and
 * in a session of its own: what is typed at the host's terminal does not reach it.  The program is the one that
 * AARDVARK_GUEST_HELPER names, else the one beside the library or program that this code is in, or below it in aardvark/; it
 * must be where only its user can write (base/trust.h).  *pid is the caller's child.
 * Errors: not_found, untrusted, thread (it could not be started), no_memory. */
aard_error *aard__helper_start(int socket, pid_t *pid);

#endif
