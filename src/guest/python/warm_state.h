/* Warm states: an image of a Python guest, and what of the distribution and the catalog goes with it. */
#ifndef AARD_GUEST_PYTHON_WARM_STATE_H
#define AARD_GUEST_PYTHON_WARM_STATE_H

#include <aardvark/warm.h>

#include "guest/running.h"
#include "settings/config.h"

/* Gives a guest that is about to boot what its warm state has: image and packages. */
aard_error *aard__warm_state_begin(aard__guest *guest);

/* Whether the configuration's warm state (may be NULL) can be started from; gives it the state's distribution where it
 * has none of its own.  Errors: invalid_argument, warm_mismatch. */
aard_error *aard__warm_state_fits(aard_isolate_config *config);

/* Whether a guest of the state (may be NULL) can have `bundle`.  Errors: warm_mismatch. */
aard_error *aard__warm_state_takes(const aard_warm_state *state, const aard_bundle *bundle);

/* As aard_warm_state_capture, for an isolate that has been claimed. */
aard_error *aard__warm_state_take(aard_isolate *isolate, aard_warm_state **out);

/* Runs `work` with the guest of a claimed isolate entered and under its wall limit; `*torn` becomes true where the
 * guest can't be used any more.  Errors: guest_boot, what `work` gives. */
typedef aard_error *(*aard__guest_work)(aard__guest *guest, void *user, bool *torn);
aard_error *aard__isolate_work(aard_isolate *isolate, aard__guest_work work, void *user);

#endif
