/* The catalog: overlays and warm states on disk, each in a file named after the hash of its key.
 *
 * Used by any number of processes at once.  Whoever adds or removes holds the directory's lock meanwhile; whoever reads
 * needs none: a file appears whole, and one that is removed stays with those who have it open.  A file's time of
 * modification is the time of its last use.  Nothing is believed of a file before its digest has been checked. */
#ifndef AARD_WARM_CATALOG_H
#define AARD_WARM_CATALOG_H

#include <aardvark/warm.h>
#include <stdint.h>

#include "base/error.h"

typedef enum aard__catalog_kind { AARD__CATALOG_STATE, AARD__CATALOG_OVERLAY } aard__catalog_kind;

/* The file that is or would be there for `key`; new memory (aard__free).  Errors: no_memory. */
aard_error *aard__catalog_path(const aard_catalog *catalog, aard__catalog_kind kind, const char *key, char **out);

/* Opens what is at `path` and notes that it was used; -1 where nothing is there. */
int aard__catalog_open_entry(const aard_catalog *catalog, const char *path);

/* Writes the file of an entry; `fd` is empty. */
typedef aard_error *(*aard__catalog_write)(void *user, int fd);

/* Adds an entry, after removing the least recently used until it fits into the quota; one that is larger than the
 * quota is not kept, which is no error.  Errors: io, what `write` gives, no_memory. */
aard_error *aard__catalog_add(aard_catalog *catalog, const char *path, aard__catalog_write write, void *user);

/* Removes the file at `path` if it still is the one open as `fd`: it turned out to be damaged. */
void aard__catalog_discard(aard_catalog *catalog, const char *path, int fd);

#endif
