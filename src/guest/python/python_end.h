/* Ends of a Python guest that are no answer of its adapter's: JavaScript's exceptions that went through all of its C code. */
#ifndef AARD_GUEST_PYTHON_PYTHON_END_H
#define AARD_GUEST_PYTHON_PYTHON_END_H

#include "guest/guest.h"

/* What came of a call of the adapter; `inlined` where that ran inline code, which may end with success. */
aard__state aard__python_state(aard__guest *guest, bool inlined, aard_outcome *outcome);

/* As the language's `remedy`. */
void aard__python_remedy(const aard__guest *guest, const char *type, const char *value, size_t len, aard__buf *out);

#endif
