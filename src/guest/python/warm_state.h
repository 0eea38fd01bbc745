/* Warm states: an image of a Python guest, and what of the distribution and the catalog goes with it. */
#ifndef AARD_GUEST_PYTHON_WARM_STATE_H
#define AARD_GUEST_PYTHON_WARM_STATE_H

#include <aardvark/warm.h>

#include "guest/running.h"
#include "settings/config.h"

/* A state of `image`, which is taken.  Errors: warm_corrupt, no_memory. */
aard_error *aard__warm_state_new(aard__image *image, aard_distribution *distribution, aard_warm_state **out);
void aard__warm_state_set_overlay(aard_warm_state *state, aard__overlay *overlay); /* one owner's share; NULL = none */
aard_distribution *aard__warm_state_distribution(const aard_warm_state *state);    /* NULL = for looking only */

/* Whether Python may hold JavaScript's objects in it. */
bool aard__warm_state_has_javascript(const aard_warm_state *state);

/* Gives a guest that is about to boot what its warm state has: image and packages. */
aard_error *aard__warm_state_begin(aard__guest *guest);

/* Whether the configuration's warm state (may be NULL) can be started from; gives it the state's distribution where it
 * has none of its own.  Errors: invalid_argument, warm_mismatch. */
aard_error *aard__warm_state_fits(aard_isolate_config *config);

/* Whether a guest of the state (may be NULL) can have `bundle`.  Errors: warm_mismatch. */
aard_error *aard__warm_state_takes(const aard_warm_state *state, const aard_bundle *bundle);

#endif
