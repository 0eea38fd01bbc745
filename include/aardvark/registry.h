/* Registries: a pool for each bundle and profile, made on first use, and freed when it is the least recently used.
 *
 * A profile is a named configuration of pools; the bundle comes with each call.  Every function: any thread, not
 * from a hook or a completion callback.  docs/pools.md */
#ifndef AARDVARK_REGISTRY_H
#define AARDVARK_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include <aardvark/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_registry aard_registry;

/* Zero in a field means the default. */
typedef struct aard_registry_limits {
    size_t struct_size;    /* sizeof(aard_registry_limits) of the caller */
    size_t max_pools;      /* default 64 */
    uint64_t max_heap_kib; /* of the isolates of all pools, by `heap_kib` of their statistics; 0 = no limit */
    size_t max_bundles;    /* parsed bundles cached for aard_registry_bundle; default 64 */
} aard_registry_limits;

/* `limits` may be NULL.  Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_registry_new(const aard_registry_limits *limits, aard_registry **out);
/* Frees all pools, as aard_pool_free; none may be pinned.  NULL is fine. */
AARD_API void aard_registry_free(aard_registry *registry);

/* Adds a profile: the configuration of its pools, copied. The bundle is set for each pool.  Errors: invalid_argument
 * (there is one of that name), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_registry_add_profile(aard_registry *registry, const char *name,
                                                              const aard_pool_config *config);

/* The bundle in a ZIP archive, parsed once while it is cached. The caller owns a reference: aard_bundle_free.
 * Errors: as aard_bundle_from_bytes. */
AARD_API AARD_NODISCARD aard_error *aard_registry_bundle(aard_registry *registry, const void *zip, size_t len,
                                                         aard_bundle **out);

/* The pool of the bundle (by aard_bundle_digest; NULL = none) and the profile, pinned: it stays until
 * aard_registry_unpin.  It is made if it does not exist; threads that need the same pool at the same time get the
 * same one, or the same error, and a failed creation leaves nothing.  Beyond the limits, the least recently used
 * pools that are not pinned are freed.  Errors: not_found (no such profile), as aard_pool_new. */
AARD_API AARD_NODISCARD aard_error *aard_registry_pin(aard_registry *registry, aard_bundle *bundle, const char *profile,
                                                      aard_pool **out);
/* Unpins a pool, once for each aard_registry_pin.  NULL is fine. */
AARD_API void aard_registry_unpin(aard_registry *registry, aard_pool *pool);
/* aard_pool_invoke on that pool, which is pinned meanwhile. */
AARD_API AARD_NODISCARD aard_error *aard_registry_invoke(aard_registry *registry, aard_bundle *bundle,
                                                         const char *profile, const aard_pool_request *request,
                                                         const aard_call *call, aard_outcome **out);

/* Removes the pool, so that its next use makes a new one; waits until it is not pinned and its calls have ended, and
 * frees it.  Does nothing if there is no such pool.  Deadlocks if the caller has it pinned.  Errors: not_found (no
 * such profile). */
AARD_API AARD_NODISCARD aard_error *aard_registry_remove(aard_registry *registry, aard_bundle *bundle,
                                                         const char *profile);
/* The same for all pools; also drops the cached bundles. */
AARD_API void aard_registry_clear(aard_registry *registry);

typedef struct aard_registry_stats {
    size_t struct_size; /* set by the caller: sizeof(aard_registry_stats) */
    size_t pools, pinned, bundles;
    uint64_t heap_kib;
    uint64_t hits, misses, creations_failed, evictions; /* of pools */
    uint64_t bundle_hits, bundle_misses;
} aard_registry_stats;

/* Fills `*out` up to out->struct_size.  Errors: invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_registry_get_stats(aard_registry *registry, aard_registry_stats *out);
/* aard_pools_prometheus of all pools. */
AARD_API AARD_NODISCARD aard_error *aard_registry_prometheus(aard_registry *registry, char **out, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
