/* The distribution manifest, `aardvark-distribution.json`: which files a distribution has, and their hashes. */
#ifndef AARD_DISTRIBUTION_MANIFEST_H
#define AARD_DISTRIBUTION_MANIFEST_H

#include <aardvark/distribution.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

/* The number that ties a distribution to the libraries that can use it, whatever their versions.  It is raised when what is
 * staged changes: the manifest's form, the rule of the fingerprint, which files there are or what their names mean.  What is
 * derived from them (the cache) has keys of its own.  tests/test_distribution.c knows what goes with which number. */
#define AARD__DIST_LAYOUT 2

#define AARD__DIST_MANIFEST "aardvark-distribution.json"
#define AARD__DIST_MANIFEST_MAX (8u << 20)

/* Where derived files live (compiled code and the like): below the distribution, and no part of it. */
#define AARD__DIST_CACHE "cache"
#define AARD__DIST_CACHE_NEW "cache.new" /* one that is being made */

/* Where the distribution's lock file came from. */
typedef enum aard__lock_origin {
    AARD__LOCK_PINNED = 0, /* the release's own */
    AARD__LOCK_CUSTOM = 1, /* another build's */
    AARD__LOCK_EDITED = 2  /* either, with wheels added while staging */
} aard__lock_origin;

typedef struct aard__dist_file {
    char *name;
    uint64_t size;
    char blake2b[AARD__HASH_HEX];
} aard__dist_file;

typedef struct aard__dist_manifest {
    int layout;
    char *pyodide_version;
    aard_variant variant;
    aard__lock_origin lock;
    char fingerprint[AARD__HASH_HEX];
    aard__dist_file *files; /* in bytewise name order */
    size_t count, cap;
} aard__dist_manifest;

/* Of this library's layout. */
aard_error *aard__dist_manifest_new(const char *pyodide_version, aard__dist_manifest **out);
void aard__dist_manifest_free(aard__dist_manifest *manifest);

/* `blake2b` is 64 lowercase hex digits. */
aard_error *aard__dist_manifest_add(aard__dist_manifest *manifest, const char *name, uint64_t size,
                                    const char *blake2b);

/* Sorts the files and computes the fingerprint: BLAKE2b-256 over every file's name and hash (the 32 bytes) in name
 * order, then the Pyodide version, then the layout in decimal digits, each with its length in front. */
void aard__dist_manifest_seal(aard__dist_manifest *manifest);

/* The one form a sealed manifest has as text. */
void aard__dist_manifest_write(const aard__dist_manifest *manifest, aard__buf *out);

/* Reads what aard__dist_manifest_write wrote; `path` is for messages.  Any other text, however similar, is refused.
 * Errors: distribution_mismatch (of another layout), distribution_invalid (not a manifest), distribution_corrupt (a manifest that was altered), no_memory. */
aard_error *aard__dist_manifest_parse(const char *text, size_t len, const char *path, aard__dist_manifest **out);

/* The file of that name, or NULL. */
const aard__dist_file *aard__dist_manifest_find(const aard__dist_manifest *manifest, const char *name);

const char *aard__variant_name(aard_variant variant);

/* Whether `name` may be a file of a distribution: a plain name, no path, nothing hidden, none of the reserved ones. */
bool aard__dist_name_valid(const char *name);

#endif
