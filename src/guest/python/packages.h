/* Packages: a bundle's manifest names them, the distribution holds them, the guest gets them before the bundle. */
#ifndef AARD_GUEST_PYTHON_PACKAGES_H
#define AARD_GUEST_PYTHON_PACKAGES_H

#include <aardvark/warm.h>

#include "guest/guest.h"

/* Whether the host wants packages in every guest. */
bool aard__packages_wanted(const aard_isolate_config *config);

/* Gives the guest what the bundle's manifest asks for and the guest does not have yet, dependencies first.
 * Errors: package_not_found, distribution_*, engine (they can't be mounted), no_memory. */
aard_error *aard__packages_load(aard__guest *guest, const aard_bundle *bundle); /* NULL = no bundle */

/* The lines for `names` and all they need in the key of an image: "package=name version sha256", in the order of names.
 * NULL for none.  New memory (aard__free).  Errors: package_not_found, distribution_corrupt, io, no_memory. */
aard_error *aard__packages_lines(const aard_distribution *distribution, const char *const *names, size_t count,
                                 char **out);

/* The overlay of the packages on those lines: the one that the process has open, else the catalog's, else one that is
 * made now: piece by piece, never all of it in memory.  `rules` may be NULL.  One owner.
 * Errors: package_not_found, distribution_*, bundle_too_large, guest_boot (stopped), io, no_memory. */
typedef struct aard__packages_rules {
    bool (*stopped)(void *user); /* asked often, on this thread; NULL = nobody stops it */
    void *user;
    uint64_t memory_bytes; /* that they may take where there is no catalog; 0 = the default */
    aard_catalog *catalog; /* NULL = the default one */
} aard__packages_rules;
aard_error *aard__packages_overlay(const aard_distribution *distribution, const char *lines,
                                   const aard__packages_rules *rules, aard__overlay **out);

#endif
