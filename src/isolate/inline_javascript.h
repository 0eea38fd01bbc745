/* Inline JavaScript: a classic script whose value is its last expression's, with `await` at the top level. */
#ifndef AARD_ISOLATE_INLINE_JAVASCRIPT_H
#define AARD_ISOLATE_INLINE_JAVASCRIPT_H

#include "isolate/guest.h"

/* Runs `source`; guest->entry then holds the value (a promise where `await` was used) or the exception. */
void aard__inline_run(aard__guest *guest, const char *source, size_t len, const char *name);

#endif
