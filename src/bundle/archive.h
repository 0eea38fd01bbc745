/* Archives whose entries are unpacked one at a time, in pieces: for what is too large to be had in memory at once.  The rules
 * are those of bundles. */
#ifndef AARD_BUNDLE_ARCHIVE_H
#define AARD_BUNDLE_ARCHIVE_H

#include "bundle/zip_directory.h"

typedef struct aard__archive aard__archive;

/* Opens the archive in `data`, which is borrowed, and applies the rules to its entries: none of them is unpacked yet.
 * Errors: those of bundles. */
aard_error *aard__archive_open(const void *data, size_t len, uint64_t max_entries, uint64_t max_unpacked,
                               aard__archive **out);
void aard__archive_free(aard__archive *archive);

const aard__zip_directory *aard__archive_directory(const aard__archive *archive);

/* Unpacks an entry into `take`, piece by piece, and checks its length and its checksum.  What `take` gives ends it. */
typedef aard_error *(*aard__archive_take)(void *user, const void *data, size_t len);
aard_error *aard__archive_unpack(aard__archive *archive, size_t index, aard__archive_take take, void *user);

#endif
