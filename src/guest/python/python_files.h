/* The embedded files of a distribution's line of Pyodide. */
#ifndef AARD_GUEST_PYTHON_PYTHON_FILES_H
#define AARD_GUEST_PYTHON_PYTHON_FILES_H

#include "distribution/distribution.h"
#include "embedded/files.h"

/* The one that is called `name` ("boot.js") in the line's folder.  Errors: guest_boot (the library was built without). */
aard_error *aard__python_file(const aard_distribution *distribution, const char *name, const aard__guest_file **out);

#endif
