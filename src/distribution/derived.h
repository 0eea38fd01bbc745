/* Derived files of a distribution (compiled code): made from its files, kept in its cache directory, never needed.
 *
 * Whatever is wrong with one (missing, stale, torn, altered) it is as if it were not there. */
#ifndef AARD_DISTRIBUTION_DERIVED_H
#define AARD_DISTRIBUTION_DERIVED_H

#include <aardvark/distribution.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/checksum.h"
#include "base/error.h"

/* A derived file in memory, read-only. */
typedef struct aard__derived {
    const void *data;
    size_t len;
    void *map; /* the whole file */
    size_t map_len;
    uint8_t sum[AARD__CHECKSUM_BYTES]; /* of what it was made for and of its data */
} aard__derived;

/* Opens derived file `name` if it was made for `key` (what it depends on besides the distribution) and is whole. */
bool aard__derived_open(const aard_distribution *distribution, const char *name, const char *key, aard__derived *out);
void aard__derived_close(aard__derived *derived); /* fine on one that is all zero */

/* Says that the data will not be needed soon: it is not resident any more, and comes back from the file. */
void aard__derived_rest(const aard__derived *derived);

/* The two halves of opening: mapping a file that has the right form, and finding out whether it is what its checksum says
 * and was made for `key`.  Nothing in it counts before the second. */
bool aard__derived_map(const aard_distribution *distribution, const char *name, aard__derived *out);
bool aard__derived_check(const aard_distribution *distribution, const char *key, const aard__derived *derived);

/* Writes a derived file, whole or not at all. */
aard_error *aard__derived_write(const aard_distribution *distribution, const char *name, const char *key,
                                const void *data, size_t len);

/* From now on derived files of this distribution are written to and read from a new, empty directory, which takes the
 * cache's place, or is given up on an error; that is passed on.  While no isolate is alive. */
aard_error *aard__derived_renew(aard_distribution *distribution);
aard_error *aard__derived_renewed(aard_distribution *distribution, aard_error *error);

/* The path of `name` in the distribution's cache directory, new memory (aard__free); makes the directory if asked. */
aard_error *aard__derived_path(const aard_distribution *distribution, const char *name, bool make, char **out);

#endif
