/* Starting guests from warm states. */
#ifndef AARD_GUEST_PYTHON_WARM_STATE_H
#define AARD_GUEST_PYTHON_WARM_STATE_H

#include "guest/guest.h"
#include "settings/config.h"
#include "warm/state.h"

/* As aard_warm_state_open; its packages are unpacked to `catalog`, NULL = the default one. */
aard_error *aard__warm_state_open_with(const char *path, aard_distribution *distribution, aard_catalog *catalog,
                                       aard_warm_state **out);

/* The state in a memfd that another process has sealed, and nobody has signed.  The descriptor stays the caller's. */
aard_error *aard__warm_state_open_sealed(int fd, aard_distribution *distribution, aard_catalog *catalog,
                                         aard_warm_state **out);

/* Gives a guest that is about to boot what its warm state has: image and packages. */
aard_error *aard__warm_state_begin(aard__guest *guest);

/* Whether the configuration's warm state (may be NULL) can be started from; gives it the state's distribution where it
 * has none of its own.  Errors: invalid_argument, warm_mismatch. */
aard_error *aard__warm_state_fits(aard_isolate_config *config);

/* Whether a guest of the state (may be NULL) can have `bundle`.  Errors: warm_mismatch. */
aard_error *aard__warm_state_takes(const aard_warm_state *state, const aard_bundle *bundle);

#endif
