/* What a wheel needs: `Requires-Dist` lines (PEP 508), read for Pyodide's own environment. */
#ifndef AARD_DISTRIBUTION_REQUIREMENT_H
#define AARD_DISTRIBUTION_REQUIREMENT_H

#include <stdbool.h>
#include <stddef.h>

/* `python` is the version of Pyodide's ("3.13.2").  The name (as PEP 503 has it) that a requirement asks for goes into `key`, of 201 bytes; false where its marker is not
 * true in Pyodide (an extra, another platform, another Python) or it can't be read. */
bool aard__requirement_key(const char *text, size_t len, const char *python, char *key);

/* Compares dotted versions ("3.9" < "3.13.2"); anything behind the numbers is ignored. */
int aard__version_compare(const char *a, const char *b);

#endif
