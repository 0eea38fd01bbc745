/* What JavaScript keeps of a guest. */
#ifndef AARD_GUEST_JAVASCRIPT_JAVASCRIPT_GUEST_H
#define AARD_GUEST_JAVASCRIPT_JAVASCRIPT_GUEST_H

#include "guest/guest.h"

typedef struct aard__javascript_guest {
    struct {
        aard__ref *prepare, *forget, *invoke, *execute, *buffer, *fail, *set_input, *bind_script, *before_script,
            *drop_buffers;
    } adapter;
    aard__ref *awaited; /* the promise of the call under way */
    bool threw;         /* the guest threw, while a module was evaluated: it has no handlers then */
} aard__javascript_guest;

static inline aard__javascript_guest *aard__javascript_of(const aard__guest *guest) { return guest->own; }

#endif
