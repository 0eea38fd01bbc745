/* Inline JavaScript, as consoles run it: its value is its last expression's, `await` may stand at its top level, and what it
 * declares stays. */
#ifndef AARD_GUEST_JAVASCRIPT_INLINE_JAVASCRIPT_H
#define AARD_GUEST_JAVASCRIPT_INLINE_JAVASCRIPT_H

#include "guest/guest.h"

/* Runs `source`; guest->entry then holds the value or the exception, or `*awaited` the promise of aard__realm_run_inline.
 * False, and the outcome says why, for a source that is not UTF-8. */
bool aard__inline_run(aard__guest *guest, const char *source, size_t len, const char *name, aard__ref **awaited,
                      aard_outcome *outcome);

#endif
