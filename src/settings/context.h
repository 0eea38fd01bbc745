/* The context of the host's callbacks. */
#ifndef AARD_SETTINGS_CONTEXT_H
#define AARD_SETTINGS_CONTEXT_H

#include <aardvark/callback.h>

#include "settings/config.h"

struct aard_call_context {
    const aard_call *call;             /* the call under way; NULL between calls, and for one without particulars */
    const aard_isolate_config *config; /* the isolate's; NULL where there is none */
    uint64_t isolate_id;
    uint64_t deadline; /* of what runs now, by aard__clock_monotonic; 0 and AARD__NEVER = none */
};

#endif
