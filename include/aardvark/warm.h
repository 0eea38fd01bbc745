/* Warm starts: what is made once so that every later start is fast.
 *
 * A distribution is prepared once.  A warm state is what an isolate had become, packages and bundle included, captured
 * so that any number of isolates start from there.  A catalog keeps warm states on disk. */
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

/* Fills the distribution's cache: Pyodide's code prelinked and compiled for this engine, and a base image of its memory
 * that every Python isolate then starts from.  What is there already and fits is kept, unless `force`, which makes all
 * of it in a new directory that then takes the cache's place: what it holds comes from the distribution's files and
 * this library alone.  Everything in the cache can be made again: a missing, stale or damaged cache only costs time.
 *
 * While it runs, no isolate of the process may be alive: it changes how the whole engine compiles.  Takes some
 * seconds.  Errors: busy, guest_boot, engine, io (a distribution that can't be written to), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_prepare(aard_distribution *distribution, bool force);

/* Whether the cache holds all that aard_distribution_prepare would make, whole and for this engine. */
AARD_API bool aard_distribution_is_prepared(aard_distribution *distribution);

/* Whether the cache holds Pyodide's code prelinked.  A distribution that is prepared and not prelinked has files
 * that are not of the form that prelinking knows: it works, and starts slower. */
AARD_API bool aard_distribution_is_prelinked(aard_distribution *distribution);

/* ---- warm states ------------------------------------------------------------------------------------------- */

/* Immutable and reference-counted; one may be used by any number of isolates on any threads. */
typedef struct aard_warm_state aard_warm_state;

/* Captures a Python isolate as it is: its packages, its bundle, what it has imported and computed.  The manifest's
 * preloadImports are imported first.  The isolate goes on as before.  Files that were written are part of it (64 MiB
 * at most), names in the JavaScript realm are not.  The result is in memory, and has been started from once.
 * Errors: warm_capture (the guest has something that can't be captured, which is named; or an import failed), busy,
 * guest_boot, engine, unsupported (JavaScript), io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_capture(aard_isolate *isolate, aard_warm_state **out);

/* Writes a warm state to a file, whole or not at all, in place of an older one.  Any thread.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_write(const aard_warm_state *state, const char *path);

/* Opens a file that aard_warm_state_write wrote, for isolates of `distribution` (retained).  With NULL the state can be
 * looked at, not started from.  The whole file is checked against its digest.  A file that is open must not be changed
 * in place; replacing it is fine.  Any thread.
 * Errors: not_found, warm_corrupt (torn, truncated or altered), warm_mismatch (made for something else: the message
 * names what differs), distribution_*, io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_warm_state_open(const char *path, aard_distribution *distribution,
                                                         aard_warm_state **out);

AARD_API aard_warm_state *aard_warm_state_retain(aard_warm_state *state);
AARD_API void aard_warm_state_free(aard_warm_state *state); /* NULL is fine */

/* All pointers live as long as the state. */

/* BLAKE2b-256 over all that the state depends on: 64 lowercase hex digits. */
AARD_API const char *aard_warm_state_fingerprint(const aard_warm_state *state);
AARD_API const char *aard_warm_state_distribution_fingerprint(const aard_warm_state *state);
AARD_API const char *aard_warm_state_pyodide_version(const aard_warm_state *state);
/* The digest of the bundle that is in the state (aard_bundle_digest); NULL where there is none. */
AARD_API const char *aard_warm_state_bundle_digest(const aard_warm_state *state);
/* Whether packages are in the state: nothing is to be unpacked or mounted for them any more. */
AARD_API bool aard_warm_state_overlay_preloaded(const aard_warm_state *state);
AARD_API size_t aard_warm_state_package_count(const aard_warm_state *state);
AARD_API const char *aard_warm_state_package(const aard_warm_state *state, size_t index); /* "name version" */
AARD_API size_t aard_warm_state_preload_import_count(const aard_warm_state *state);
AARD_API const char *aard_warm_state_preload_import(const aard_warm_state *state, size_t index);
/* Whether the file that it was opened from is signed (aard_distribution_set_key); by whom only the key tells. */
AARD_API bool aard_warm_state_is_signed(const aard_warm_state *state);
/* Of Python, and of the file it takes; pages that are zero take no room in either. */
AARD_API uint64_t aard_warm_state_memory_bytes(const aard_warm_state *state);
AARD_API uint64_t aard_warm_state_file_bytes(const aard_warm_state *state);

/* ---- the catalog ------------------------------------------------------------------------------------------- */

/* A directory of warm states and of unpacked packages, shared by all processes of a user.  What has not been used for
 * longest goes when it is full.  Any thread. */
typedef struct aard_catalog aard_catalog;

/* Opens the catalog in `dir`, which is made where it is not there.  NULL: "catalog" beside aard_distribution_home.
 * `max_bytes` is what it may hold, 0 = 2 GiB.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_open(const char *dir, uint64_t max_bytes, aard_catalog **out);
/* One more owner; returns its argument. */
AARD_API aard_catalog *aard_catalog_retain(aard_catalog *catalog);
/* One owner less; the last one frees it.  NULL is fine. */
AARD_API void aard_catalog_free(aard_catalog *catalog);
AARD_API const char *aard_catalog_dir(const aard_catalog *catalog);
AARD_API uint64_t aard_catalog_max_bytes(const aard_catalog *catalog);

/* The catalog that isolates made from the configuration unpack packages to, retained.  NULL, the default, is
 * aard_catalog_open(NULL, 0), opened when packages are wanted. */
AARD_API void aard_isolate_config_set_catalog(aard_isolate_config *config, aard_catalog *catalog);
AARD_API aard_catalog *aard_isolate_config_catalog(const aard_isolate_config *config);

/* Packages that were unpacked once stay open in the process, for the next isolate that wants the same.  This closes
 * those that no isolate and no warm state uses, and gives how many they were.  It waits while packages are being
 * unpacked.  Any thread. */
AARD_API size_t aard_overlays_release(void);

/* Finds the warm state of `bundle` (NULL = of a guest without one) for `distribution`; `*out` becomes NULL where
 * there is none that fits and is whole.  A damaged one is removed.  Errors: package_not_found, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_find(aard_catalog *catalog, aard_distribution *distribution,
                                                      const aard_bundle *bundle, aard_warm_state **out);

/* Keeps a warm state, in place of an older one for the same distribution, packages and bundle.
 * Errors: unsupported (one that was made with the capability 'js'), io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_store(aard_catalog *catalog, const aard_warm_state *state);

/* Checks every entry, and removes what is damaged; `*removed` (may be NULL) counts them.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_prune(aard_catalog *catalog, size_t *removed);

/* How many entries there are, and how many bytes they have; either may be NULL.  Errors: io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_catalog_usage(const aard_catalog *catalog, uint64_t *entries, uint64_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
