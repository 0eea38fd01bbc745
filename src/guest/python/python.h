/* Python, as a language of guests. */
#ifndef AARD_GUEST_PYTHON_PYTHON_H
#define AARD_GUEST_PYTHON_PYTHON_H

#include "guest/guest.h"

extern const aard__language_ops aard__python;

/* session_files.c: as aard__language_ops.files. */
aard_error *aard__python_files(aard__guest *guest, const aard__file_request *request, aard__buf *out);

#endif
