/* Where the user keeps what the library writes. */
#ifndef AARD_BASE_HOME_H
#define AARD_BASE_HOME_H

#include "base/error.h"

/* The path of `name` in AARDVARK_HOME, $XDG_DATA_HOME/aardvark or ~/.local/share/aardvark; it may not exist.  New memory
 * (aard__free).  Errors: io (there is no home), no_memory. */
aard_error *aard__home(const char *name, char **out);

#endif
