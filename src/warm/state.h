/* A warm state: an image of a Python guest, the packages that go with it, and what its key says. */
#ifndef AARD_WARM_STATE_H
#define AARD_WARM_STATE_H

#include <aardvark/warm.h>
#include <stdatomic.h>

#include "warm/image.h"
#include "warm/overlay.h"

typedef struct aard__text_list {
    char **items;
    size_t count;
} aard__text_list;

struct aard_warm_state {
    atomic_size_t owners;
    aard__image *image;
    aard__overlay *overlay;          /* may be NULL */
    aard_distribution *distribution; /* retained; NULL = for looking only */
    char fingerprint[AARD__HASH_HEX];
    char *distribution_fingerprint, *pyodide_version, *bundle, *overlay_digest, *packages; /* the last are lines */
    aard__text_list package_names, preloads;
};

/* A state of `image`, which is taken.  Errors: warm_corrupt, no_memory. */
aard_error *aard__warm_state_new(aard__image *image, aard_distribution *distribution, aard_warm_state **out);

/* Whether Python may hold JavaScript's objects in it. */
bool aard__warm_state_has_javascript(const aard_warm_state *state);

#endif
