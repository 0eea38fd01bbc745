/* Checkpoints of Python guests: as the language's functions of the same names. */
#ifndef AARD_GUEST_PYTHON_PYTHON_CHECKPOINT_H
#define AARD_GUEST_PYTHON_PYTHON_CHECKPOINT_H

#include "guest/guest.h"

aard_error *aard__python_checkpoint(aard__guest *guest);
aard_error *aard__python_restore(aard__guest *guest);
aard_error *aard__python_reset(aard__guest *guest);
aard_error *aard__python_renew(aard__guest *guest);

#endif
