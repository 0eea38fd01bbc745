/* What the rooms above need of an open distribution besides include/aardvark/distribution.h. */
#ifndef AARD_DISTRIBUTION_DISTRIBUTION_H
#define AARD_DISTRIBUTION_DISTRIBUTION_H

#include <aardvark/distribution.h>
#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "distribution/line.h"
#include "distribution/lock.h"
#include "distribution/manifest.h"

/* The bytes of a listed file (AARD__FILE_*, or a package's file_name), mapped read-only; they live as long as the
 * distribution.  The first call for a file maps it and checks its size, not its hash: that is what verify is for.
 * Any thread.  Errors: distribution_not_found (not listed), distribution_corrupt, io, no_memory. */
aard_error *aard__distribution_file(const aard_distribution *distribution, const char *name, const void **data,
                                    size_t *len);

/* The packages that `names` (any spelling) mean and all they need, each after the ones it needs itself; all of them
 * have their file in the distribution.  The list is the caller's (aard__package_list_free), the packages live as long
 * as the distribution.  Any thread.
 * Errors: package_not_found (with who needs it), distribution_corrupt, io, no_memory. */
aard_error *aard__distribution_resolve(const aard_distribution *distribution, const char *const *names, size_t count,
                                       aard__package_list *out);

/* The package that a module, by its top name, comes with; NULL where the lock knows none.  `*there`: so is its file. */
const aard__package *aard__distribution_provider(const aard_distribution *distribution, const char *module,
                                                 size_t module_len, bool *there);

/* The directory below the distribution where derived files are (AARD__DIST_CACHE...). */
const char *aard__distribution_cache(const aard_distribution *distribution);
void aard__distribution_set_cache(aard_distribution *distribution, const char *name);

/* What aard_distribution_set_key has set; NULL without one. */
const aard__signing_key *aard__distribution_key(const aard_distribution *distribution);

const aard__line *aard__distribution_line(const aard_distribution *distribution);
const aard__dist_manifest *aard__distribution_manifest(const aard_distribution *distribution);

/* Opens the distribution in `dir`, which is named as it is in messages; never looks elsewhere. */
aard_error *aard__distribution_open_dir(const char *dir, aard_distribution **out);

/* "aardvark-layout2-pyodide-v0.29.4-core", new memory; a suffix of `-` and 8 digits of `fingerprint` where not NULL. */
char *aard__distribution_dir_name(const aard__line *line, aard_variant variant, const char *fingerprint);

#endif
