/* Python, as a language of guests. */
#ifndef AARD_GUEST_PYTHON_PYTHON_H
#define AARD_GUEST_PYTHON_PYTHON_H

#include "guest/guest.h"

extern const aard__language_ops aard__python;

#endif
