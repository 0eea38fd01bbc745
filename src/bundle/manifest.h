/* The manifest, as the bundle room makes it; <aardvark/manifest.h> is how it is read. */
#ifndef AARD_BUNDLE_MANIFEST_H
#define AARD_BUNDLE_MANIFEST_H

#include <aardvark/manifest.h>
#include <stddef.h>

#include "base/error.h"

#define AARD__MANIFEST_NAME "aardvark.manifest.json"
#define AARD__MANIFEST_MAX_BYTES ((size_t)1 << 20)
#define AARD__MANIFEST_MAX_DEPTH 16
#define AARD__MANIFEST_MAX_LIST 1000 /* entries of one list; repeats are found by comparing all with all */

/* The one Pyodide this build of the library runs. */
#define AARD__MANIFEST_PYODIDE_VERSION "0.29.4"

/* Strings of their own, without repeats. */
typedef struct aard__strings {
    char **items;
    size_t count;
} aard__strings;

struct aard_manifest {
    char *entrypoint;
    aard_language language;
    aard__strings packages;
    char *pyodide_version, *pyodide_profile;
    aard__strings preload_imports;
    uint64_t cpu_limit_ms;
    bool has_network, https_only;
    aard__strings allow_hosts;
    uint64_t max_request_bytes, max_response_bytes, network_timeout_ms;
    aard_filesystem_mode filesystem_mode;
    uint64_t filesystem_quota_bytes;
    aard__strings capabilities;
};

/* Parses and checks the text of a manifest.  Errors: AARD_ERR_MANIFEST_*, no_memory; messages begin with its name. */
aard_error *aard__manifest_parse(const char *data, size_t len, aard_manifest **out);

void aard__manifest_free(aard_manifest *manifest); /* NULL is fine */

#endif
