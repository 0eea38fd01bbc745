/* The guest's own files, embedded by the build: name ("platform/url.js"), bytes, length. */
#ifndef AARD_EMBEDDED_FILES_H
#define AARD_EMBEDDED_FILES_H

#include <stddef.h>

typedef struct aard__guest_file {
    const char *name;
    const char *data; /* a NUL stands behind it */
    size_t len;
} aard__guest_file;

/* Ends with a NULL name. */
extern const aard__guest_file aard__guest_files[];

/* Of "platform/url.js" it is "platform/": the rooms whose files make up the guest platform, in the order in which they run.
 * Ends with NULL. */
extern const char *const aard__platform_rooms[];

const aard__guest_file *aard__guest_find(const char *name); /* NULL where there is none */

#endif
