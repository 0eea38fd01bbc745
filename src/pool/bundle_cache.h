/* Bundles that have been parsed, by their archives' bytes; the one that was not wanted for longest goes first. */
#ifndef AARD_POOL_BUNDLE_CACHE_H
#define AARD_POOL_BUNDLE_CACHE_H

#include <aardvark/bundle.h>
#include <pthread.h>

typedef struct aard__cached_bundle aard__cached_bundle;

typedef struct aard__bundle_cache {
    pthread_mutex_t lock;
    aard__cached_bundle *first; /* the last that was wanted */
    size_t count, most;
    uint64_t hits, misses;
} aard__bundle_cache;

void aard__bundle_cache_init(aard__bundle_cache *cache, size_t most);
void aard__bundle_cache_clear(aard__bundle_cache *cache);
void aard__bundle_cache_destroy(aard__bundle_cache *cache); /* of one that is clear */

/* A new owner's; any thread.  Errors: as aard_bundle_from_bytes. */
aard_error *aard__bundle_cache_get(aard__bundle_cache *cache, const void *zip, size_t len, aard_bundle **out);
void aard__bundle_cache_stats(aard__bundle_cache *cache, size_t *count, uint64_t *hits, uint64_t *misses);

#endif
