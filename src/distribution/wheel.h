/* Wheels: Python packages as ZIP files, checked for what Pyodide can load. */
#ifndef AARD_DISTRIBUTION_WHEEL_H
#define AARD_DISTRIBUTION_WHEEL_H

#include <stddef.h>

#include "base/error.h"
#include "distribution/lock.h"
#include "distribution/pins.h"

typedef struct aard__wheel {
    char *file_name;
    char *name, *version; /* as its METADATA has them */
    char key[AARD__PACKAGE_NAME_MAX + 1];
    char **imports; /* top-level names, sorted */
    size_t import_count;
    char **requires; /* keys of what it needs in Pyodide, sorted */
    size_t require_count;
} aard__wheel;

/* Reads and checks a wheel: its name and tags fit Pyodide, it is a whole ZIP by the rules of bundles (every entry is unpacked
 * and its checksum compared), its RECORD lists every file with the right hash, no name is another one on another system,
 * and its METADATA says what its name says.  Errors: wheel_invalid, not_found, io, no_memory. */
aard_error *aard__wheel_read(const char *path, const aard__pins *pins, aard__wheel *out);
void aard__wheel_free(aard__wheel *wheel);

#endif
