/* Libraries that are loaded when they are first needed: they bring others along, and a process that never needs them is not to
 * pay for that when it starts.  Needs nothing of the library: the command has a copy. */
#ifndef AARD_BASE_LIBRARY_H
#define AARD_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct aard__library_function {
    const char *name;
    void *at; /* the pointer that gets its address */
} aard__library_function;

typedef struct aard__library {
    const char *name, *file; /* the file by its own name, which Debian 12 and 13 share though their packages differ */
    const char *package, *least; /* what to install, and the oldest version that has all the functions */
    const aard__library_function *functions;
    size_t count;
} aard__library;

/* Loads it, for good; false where that fails, with what to do in `why`. */
bool aard__library_load(const aard__library *library, char *why, size_t why_size);

#endif
