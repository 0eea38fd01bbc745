/* The types of callbacks, for who writes guest code: docs/callbacks.md */
#ifndef AARD_CALLBACKS_STUBS_H
#define AARD_CALLBACKS_STUBS_H

#include "callbacks/callbacks.h"

/* Nothing but a newline of no callbacks. */
void aard__stubs_python(const aard__callbacks *callbacks, aard__buf *out);     /* a .pyi file */
void aard__stubs_javascript(const aard__callbacks *callbacks, aard__buf *out); /* a .d.ts file */

#endif
