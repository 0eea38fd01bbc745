/* Warm starts: what is prepared once so that every later start is fast.
 *
 * A distribution is prepared once.  A warm state is a snapshot of an isolate, packages and bundle included, from
 * which any number of isolates can start.  A catalog keeps warm states on disk. */
#ifndef AARDVARK_WARM_H
#define AARDVARK_WARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/bundle.h>
#include <aardvark/distribution.h>
#include <aardvark/error.h>
#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills the distribution's cache: Pyodide's code prelinked and compiled for this engine, and a base image of its
 * memory that every Python isolate then starts from.  What exists and is valid is kept, unless `force` rebuilds all
 * of it in a new directory that then replaces the cache: its content comes from the distribution's files and this
 * library alone.  A missing, stale or damaged cache only costs time.
 *
 * No isolate of the process may be alive while it runs: it changes how the whole engine compiles.  Takes some
 * seconds.  Errors: busy, guest_boot, engine, io (a distribution that can't be written to), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_prepare(aard_distribution *distribution, bool force);

/* Whether the cache is complete and valid for this engine. */
AARD_API bool aard_distribution_is_prepared(aard_distribution *distribution);

/* Whether the cache holds Pyodide's code prelinked.  A prepared distribution that is not prelinked has files in an
 * unknown form: it works, but starts more slowly. */
AARD_API bool aard_distribution_is_prelinked(aard_distribution *distribution);

/* ---- warm states ------------------------------------------------------------------------------------------- */

/* Immutable and reference-counted; one may be used by any number of isolates on any threads. */
typedef struct aard_warm_state aard_warm_state;

/* Captures a Python isolate as it is: its packages, its bundle, what it has imported and computed.  The manifest's
 * preloadImports are imported first.  The isolate continues as before.  Files that were written are included (64 MiB
 * at most), names in the JavaScript realm are not.  The result is in memory, and one guest has been started from it
 * as a check.  Errors: warm_capture (the guest holds something that can't be captured, which is named; or an import
 * failed), busy, guest_boot, engine, unsupported (JavaScript), io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_capture(aard_isolate *isolate, aard_warm_state **out);

/* Writes a warm state to a file, whole or not at all, in place of an older one.  Any thread.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_write(const aard_warm_state *state, const char *path);

/* Opens a file that aard_warm_state_write wrote, for isolates of `distribution` (retained).  With NULL the state can
 * only be inspected.  The whole file is checked against its digest.  An open file must not be modified in place;
 * replacing it is fine.  Any thread.  Errors: not_found, warm_corrupt (torn, truncated or altered), warm_mismatch
 * (made for something else: the message names what differs), distribution_*, io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_open(const char *path, aard_distribution *distribution,
                                                         aard_warm_state **out);

AARD_API aard_warm_state *aard_warm_state_retain(aard_warm_state *state);
AARD_API void aard_warm_state_free(aard_warm_state *state); /* NULL is fine */

/* All pointers live as long as the state. */

/* BLAKE2b-256 over everything that the state depends on: 64 lowercase hex digits. */
AARD_API const char *aard_warm_state_fingerprint(const aard_warm_state *state);
AARD_API const char *aard_warm_state_distribution_fingerprint(const aard_warm_state *state);
AARD_API const char *aard_warm_state_pyodide_version(const aard_warm_state *state);
/* The digest of the bundle in the state (aard_bundle_digest); NULL if there is none. */
AARD_API const char *aard_warm_state_bundle_digest(const aard_warm_state *state);
/* Whether the state contains its packages, so that nothing needs to be unpacked or mounted for them. */
AARD_API bool aard_warm_state_overlay_preloaded(const aard_warm_state *state);
AARD_API size_t aard_warm_state_package_count(const aard_warm_state *state);
AARD_API const char *aard_warm_state_package(const aard_warm_state *state, size_t index); /* "name version" */
AARD_API size_t aard_warm_state_preload_import_count(const aard_warm_state *state);
AARD_API const char *aard_warm_state_preload_import(const aard_warm_state *state, size_t index);
/* Whether the file that it was opened from is signed (aard_distribution_set_key); only the key tells by whom. */
AARD_API bool aard_warm_state_is_signed(const aard_warm_state *state);
/* The size of Python's memory, and of the file; zero pages take no space in either. */
AARD_API uint64_t aard_warm_state_memory_bytes(const aard_warm_state *state);
AARD_API uint64_t aard_warm_state_file_bytes(const aard_warm_state *state);

/* ---- the catalog ------------------------------------------------------------------------------------------- */

/* A directory of warm states and of unpacked packages, shared by all processes of a user.  The least recently used
 * entries are removed when it is full.  Any thread. */
typedef struct aard_catalog aard_catalog;

/* Opens the catalog in `dir`, which is created if it does not exist. NULL: "catalog" beside aard_distribution_home.
 * `max_bytes` limits its size, 0 = 2 GiB.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_open(const char *dir, uint64_t max_bytes, aard_catalog **out);
/* Adds a reference; returns its argument. */
AARD_API aard_catalog *aard_catalog_retain(aard_catalog *catalog);
/* Drops a reference; the last one frees it. NULL is fine. */
AARD_API void aard_catalog_free(aard_catalog *catalog);
AARD_API const char *aard_catalog_dir(const aard_catalog *catalog);
AARD_API uint64_t aard_catalog_max_bytes(const aard_catalog *catalog);

/* The catalog that isolates made from the configuration unpack packages to, retained.  NULL, the default, is
 * aard_catalog_open(NULL, 0), opened when packages are needed. */
AARD_API void aard_isolate_config_set_catalog(aard_isolate_config *config, aard_catalog *catalog);
AARD_API aard_catalog *aard_isolate_config_catalog(const aard_isolate_config *config);

/* Unpacked packages stay open in the process for the next isolate that needs the same.  This closes those that no
 * isolate and no warm state uses, and returns their number.  It waits while packages are being unpacked.  Any
 * thread. */
AARD_API size_t aard_overlays_release(void);

/* Finds the warm state of `bundle` (NULL = of a guest without one) for `distribution`; `*out` becomes NULL if there
 * is no valid one.  A damaged one is removed.  Errors: package_not_found, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_find(aard_catalog *catalog, aard_distribution *distribution,
                                                      const aard_bundle *bundle, aard_warm_state **out);

/* Stores a warm state, replacing an older one for the same distribution, packages and bundle.  Errors: unsupported
 * (it was made with the capability 'js'), io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_store(aard_catalog *catalog, const aard_warm_state *state);

/* Checks every entry and removes damaged ones; `*removed` (may be NULL) is their number.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_prune(aard_catalog *catalog, size_t *removed);

/* The number of entries and their size in bytes; either may be NULL.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_usage(const aard_catalog *catalog, uint64_t *entries, uint64_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
