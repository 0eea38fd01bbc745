/* Bundles: the guest's code as a ZIP archive with an optional manifest.
 *
 * A bundle is immutable and reference-counted: one may be used by any number of isolates on any threads at once.
 * All entries are unpacked and checked when it is opened. */
#ifndef AARDVARK_BUNDLE_H
#define AARDVARK_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>
#include <aardvark/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_bundle aard_bundle;

/* Limits on a bundle. Zero in a field selects the default. */
typedef struct aard_bundle_limits {
    size_t struct_size;          /* sizeof(aard_bundle_limits) of the caller */
    uint64_t max_entries;        /* files and directories; default 10 000 */
    uint64_t max_unpacked_bytes; /* sum over all entries; default 512 MiB */
} aard_bundle_limits;

/* Opens a bundle from bytes.  `data` is borrowed for the call only; the bundle keeps unpacked copies.
 * `limits` may be NULL; it is read during the call only.  Any thread.
 * Errors: AARD_ERR_BUNDLE_*, AARD_ERR_MANIFEST_* (docs/bundle.md has them all), invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_bundle_from_bytes(const void *data, size_t len,
                                                           const aard_bundle_limits *limits, aard_bundle **out);

/* The same from a file; error messages begin with its path.  `path` is NUL-terminated.  Any thread.
 * Errors: as above, not_found, io. */
AARD_API AARD_NODISCARD aard_error *aard_bundle_open(const char *path, const aard_bundle_limits *limits,
                                                     aard_bundle **out);

/* Packs the regular files below `dir` into a ZIP at `path`, in name order with fixed times and modes, so that equal
 * trees give equal bytes.  Symbolic links and special files are refused; empty directories, and a file at `path` that
 * lies below `dir`, are left out.  Before it is written the archive is checked with the default limits; if that
 * fails, an older file at `path` is kept.  The file is written atomically.  Any thread.  Errors: as
 * aard_bundle_open. */
AARD_API AARD_NODISCARD aard_error *aard_bundle_pack(const char *dir, const char *path);

/* Adds a reference; returns its argument.  Any thread. */
AARD_API aard_bundle *aard_bundle_retain(aard_bundle *bundle);

/* Drops a reference; the last one frees it.  NULL is fine.  Any thread. */
AARD_API void aard_bundle_free(aard_bundle *bundle);

/* The manifest, or NULL if the bundle has none.  Lives as long as the bundle. */
AARD_API const aard_manifest *aard_bundle_manifest(const aard_bundle *bundle);

/* BLAKE2b-256 over names and contents of all files in name order, 64 lowercase hex digits.  Equal for archives that
 * unpack to the same files, regardless of order and compression.  Lives as long as the bundle. */
AARD_API const char *aard_bundle_digest(const aard_bundle *bundle);

/* Number of files (directories are not counted), in bytewise name order. */
AARD_API size_t aard_bundle_entry_count(const aard_bundle *bundle);

/* Name and content of file `index` (< entry_count).  Both live as long as the bundle and are followed by a NUL that
 * the lengths do not count; any of the outputs may be NULL.  If the index is too large they are set to NULL and 0. */
AARD_API void aard_bundle_entry(const aard_bundle *bundle, size_t index, const char **name, size_t *name_len,
                                const uint8_t **data, size_t *data_len);

/* Finds a file by its exact name; false, with `*index` untouched, if there is none.  `index` may be NULL. */
AARD_API bool aard_bundle_find(const aard_bundle *bundle, const char *name, size_t name_len, size_t *index);

#ifdef __cplusplus
}
#endif

#endif
