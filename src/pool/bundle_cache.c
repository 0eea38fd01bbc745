#include "pool/bundle_cache.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"

struct aard__cached_bundle {
    aard__cached_bundle *next;
    char key[AARD__HASH_HEX];
    aard_bundle *bundle;
};

void aard__bundle_cache_init(aard__bundle_cache *cache, size_t most)
{
    *cache = (aard__bundle_cache){.most = most};
    pthread_mutex_init(&cache->lock, NULL);
}

void aard__bundle_cache_destroy(aard__bundle_cache *cache) { pthread_mutex_destroy(&cache->lock); }

static void free_list(aard__cached_bundle *list)
{
    while (list) {
        aard__cached_bundle *gone = list;
        list = gone->next;
        aard_bundle_free(gone->bundle);
        aard__free(gone);
    }
}

void aard__bundle_cache_clear(aard__bundle_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    aard__cached_bundle *list = cache->first;
    cache->first = NULL;
    cache->count = 0;
    pthread_mutex_unlock(&cache->lock);
    free_list(list);
}

/* Found, it comes to the front; the lock held. */
static aard_bundle *find(aard__bundle_cache *cache, const char *key)
{
    aard__cached_bundle **at = &cache->first;
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    aard__cached_bundle *found = *at;
    if (!found) return NULL;
    *at = found->next;
    found->next = cache->first;
    cache->first = found;
    return aard_bundle_retain(found->bundle);
}

/* Those beyond the limit; the lock held. */
static aard__cached_bundle *cut(aard__bundle_cache *cache)
{
    if (cache->count <= cache->most) return NULL;
    aard__cached_bundle **at = &cache->first;
    for (size_t i = 0; i < cache->most; i++) at = &(*at)->next;
    aard__cached_bundle *rest = *at;
    *at = NULL;
    cache->count = cache->most;
    return rest;
}

/* Remembers the bundle, and gives it or the one that another thread has parsed meanwhile. */
static aard_error *keep(aard__bundle_cache *cache, const char *key, aard_bundle **bundle)
{
    aard__cached_bundle *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    memcpy(made->key, key, sizeof made->key);
    made->bundle = aard_bundle_retain(*bundle);
    pthread_mutex_lock(&cache->lock);
    aard_bundle *other = find(cache, key);
    aard__cached_bundle *gone = made;
    if (!other) {
        made->next = cache->first;
        cache->first = made;
        cache->count++;
        gone = cut(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    free_list(gone);
    if (!other) return NULL;
    aard_bundle_free(*bundle);
    *bundle = other;
    return NULL;
}

aard_error *aard__bundle_cache_get(aard__bundle_cache *cache, const void *zip, size_t len, aard_bundle **out)
{
    char key[AARD__HASH_HEX];
    AARD__TRY(aard__hash_start_library());
    uint8_t hash[AARD__HASH_BYTES];
    aard__hash(zip, len, hash);
    aard__hash_hex(hash, key);
    pthread_mutex_lock(&cache->lock);
    aard_bundle *bundle = find(cache, key);
    *(bundle ? &cache->hits : &cache->misses) += 1;
    pthread_mutex_unlock(&cache->lock);
    if (!bundle) {
        AARD__TRY(aard_bundle_from_bytes(zip, len, NULL, &bundle));
        aard_error *error = keep(cache, key, &bundle);
        if (error) {
            aard_bundle_free(bundle);
            return error;
        }
    }
    *out = bundle;
    return NULL;
}

void aard__bundle_cache_stats(aard__bundle_cache *cache, size_t *count, uint64_t *hits, uint64_t *misses)
{
    pthread_mutex_lock(&cache->lock);
    *count = cache->count;
    *hits = cache->hits;
    *misses = cache->misses;
    pthread_mutex_unlock(&cache->lock);
}
