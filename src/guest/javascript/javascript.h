/* JavaScript, as a language of guests. */
#ifndef AARD_GUEST_JAVASCRIPT_JAVASCRIPT_H
#define AARD_GUEST_JAVASCRIPT_JAVASCRIPT_H

#include "guest/guest.h"

extern const aard__language_ops aard__javascript;

#endif
