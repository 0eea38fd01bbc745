/* Sources: where the files of a new distribution come from.  A source fills the file set with every file of a known name
 * that it has; what is missing or wrong is found afterwards, in one place for all. */
#ifndef AARD_DISTRIBUTION_SOURCE_H
#define AARD_DISTRIBUTION_SOURCE_H

#include <aardvark/distribution.h>

#include "distribution/file_set.h"
#include "distribution/line.h"

typedef struct aard__source {
    const aard__line *line; /* whose files are taken; NULL = any's */
    aard__file_set *set;
    bool packages;                /* take the files of packages, too */
    aard_stage_progress progress; /* may be NULL */
    void *user;
} aard__source;

/* Whether a file of that name is taken. */
bool aard__source_wants(const aard__source *source, const char *name);

void aard__source_report(const aard__source *source, const char *step, uint64_t done, uint64_t total);

/* A .tar.bz2 or .tar.gz with everything in one folder.  Nothing is ever written but files of known names, straight into
 * the file set; an archive that has links, special files or names that lead elsewhere is refused.
 * Errors: stage_source, not_found, io, no_memory. */
aard_error *aard__source_archive(const aard__source *source, const char *path);

/* A directory that holds the files, or an only folder "pyodide" or "package" with them. */
aard_error *aard__source_directory(const aard__source *source, const char *path);

/* The npm package, fetched by the machine's npm into `scratch`.  Errors: the archive's, and stage_tool. */
aard_error *aard__source_npm(const aard__source *source, const char *scratch);

#endif
