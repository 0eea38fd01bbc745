/* Every malformed bundle the tests know, with the error it has to be refused with.  The C tests open them from memory;
 * make_bad_bundles writes them to files for tests of the command line. */
#ifndef AARD_TESTS_BAD_BUNDLES_H
#define AARD_TESTS_BAD_BUNDLES_H

#include <aardvark/error.h>

#include "zip_builder.h"

typedef struct bad_bundle {
    const char *name; /* of the case, fit for a file name */
    aard_error_code code;
    const char *says; /* part of the message: the entry or the key, and the rule */
} bad_bundle;

size_t bad_bundle_count(void);
const bad_bundle *bad_bundle_at(size_t index);

/* The bundle's bytes, new memory (free). */
zb_bytes bad_bundle_make(size_t index);

/* Manifests alone (bad_manifests.c): each is also a case above, inside an archive that is fine. */
typedef struct bad_manifest {
    const char *name;
    aard_error_code code;
    const char *says;
    const char *text; /* with ' for " */
} bad_manifest;

extern const bad_manifest bad_manifests[];
extern const size_t bad_manifest_count;

/* The manifest as JSON, new memory (free). */
char *bad_manifest_text(size_t index);

#endif
