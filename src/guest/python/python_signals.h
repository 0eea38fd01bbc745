/* A call of Python's that is asked to end gets a signal, and raises KeyboardInterrupt. */
#ifndef AARD_GUEST_PYTHON_PYTHON_SIGNALS_H
#define AARD_GUEST_PYTHON_PYTHON_SIGNALS_H

#include "guest/guest.h"

/* Finds where Python is told that there is one, from adapter.signals: {buffer, listening}. */
aard_error *aard__python_find_signals(aard__guest *guest);

/* As the language's `interrupt`: between two steps of the guest, no code of it may run here. */
void aard__python_interrupt(void *guest);
/* As its `calm`. */
void aard__python_calm(aard__guest *guest);

#endif
