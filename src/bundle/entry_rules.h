/* What the entries of a bundle may be: one by one, and together. */
#ifndef AARD_BUNDLE_ENTRY_RULES_H
#define AARD_BUNDLE_ENTRY_RULES_H

#include <stdbool.h>

#include "bundle/zip_directory.h"

bool aard__entry_is_directory(const aard__zip_entry *entry);

/* Name, encryption, compression, file type and announced size of every entry, and the sum of the sizes. */
aard_error *aard__entry_rules_each(const aard__zip_directory *directory, uint64_t max_unpacked);

/* No two entries with one name, and none below another that is a file. */
aard_error *aard__entry_rules_together(const aard__zip_directory *directory);

#endif
