/* Staging: what its parts share. */
#ifndef AARD_DISTRIBUTION_STAGE_H
#define AARD_DISTRIBUTION_STAGE_H

#include <aardvark/distribution.h>

#include "distribution/file_set.h"
#include "distribution/line.h"
#include "distribution/lock.h"

struct aard_stage_options {
    char *version, *archive, *home; /* NULL = the default */
    aard_variant variant;
    bool force;
    uint64_t lock_timeout_ms;
    char **wheels;
    size_t wheel_count;
    aard_stage_progress progress;
    void *user;
};

/* Takes the wheels into the file set, and their entries into its lock file, which `*lock` (replaced) was read from.
 * Errors: wheel_invalid, not_found, io, no_memory. */
aard_error *aard__stage_wheels(const aard_stage_options *options, const aard__line *line, aard__file_set *set,
                               aard__lock **lock);

#endif
