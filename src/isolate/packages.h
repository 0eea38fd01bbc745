/* Packages: a bundle's manifest names them, the distribution holds them, the guest gets them before the bundle. */
#ifndef AARD_ISOLATE_PACKAGES_H
#define AARD_ISOLATE_PACKAGES_H

#include "isolate/guest.h"

/* Installs what the bundle's manifest asks for and the guest does not have yet, dependencies first.
 * Errors: package_not_found, distribution_*, engine (an archive that Python can't unpack), no_memory. */
aard_error *aard__packages_load(aard__guest *guest, const aard_bundle *bundle);

#endif
