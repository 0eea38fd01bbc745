/* Registries of pools, by bundle and profile. */
#include <aardvark/registry.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/process.h"
#include "base/structure.h"
#include "base/thread.h"
#include "pool/bundle_cache.h"
#include "pool/pool.h"

enum { DEFAULT_POOLS = 64, DEFAULT_BUNDLES = 64 };

typedef struct profile {
    struct profile *next;
    char *name;
    aard_pool_config *config;
} profile;

/* A pool, one that is being made, or one that could not be. */
typedef struct entry {
    struct entry *next;
    char digest[65]; /* of its bundle; "" = none */
    const profile *profile;
    aard_pool *pool;
    bool making, removed; /* removed: not to be found any more; whoever is its last user frees it */
    size_t users;         /* pins, and threads that wait for it */
    uint64_t used_at;     /* in uses of the registry */
    aard_error_code failure_code;
    char failure[512]; /* why it could not be made */
} entry;

struct aard_registry {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    aard_registry_limits limits;
    profile *profiles;
    entry *entries;
    uint64_t uses, hits, misses, creations_failed, evictions;
    aard__bundle_cache bundles;
};

/* ---- the registry -------------------------------------------------------------------------------------------------------- */

aard_error *aard_registry_new(const aard_registry_limits *limits, aard_registry **out)
{
    AARD__NEED(out);
    aard_registry_limits given = {.struct_size = sizeof given};
    const char *wrong = limits ? aard__structure_read(limits, &given, sizeof given) : NULL;
    if (wrong) return aard__error_argument(__func__, wrong);
    aard_registry *registry = aard__calloc(1, sizeof *registry);
    if (!registry) return aard__error_no_memory();
    registry->limits = given;
    if (!registry->limits.max_pools) registry->limits.max_pools = DEFAULT_POOLS;
    if (!registry->limits.max_bundles) registry->limits.max_bundles = DEFAULT_BUNDLES;
    pthread_mutex_init(&registry->lock, NULL);
    aard__cond_init(&registry->changed);
    aard__bundle_cache_init(&registry->bundles, registry->limits.max_bundles);
    *out = registry;
    return NULL;
}

static aard_error *lock(aard_registry *registry)
{
    if (aard__forked()) return aard__error_forked();
    pthread_mutex_lock(&registry->lock);
    return NULL;
}

static profile *find_profile(const aard_registry *registry, const char *name)
{
    profile *at = registry->profiles;
    while (at && strcmp(at->name, name) != 0) at = at->next;
    return at;
}

static void free_profile(profile *gone)
{
    if (!gone) return;
    aard__free(gone->name);
    aard_pool_config_free(gone->config);
    aard__free(gone);
}

static aard_error *new_profile(const char *name, const aard_pool_config *config, profile **out)
{
    profile *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    aard_error *error = aard__pool_config_copy(config, &made->config);
    if (!error && !(made->name = aard__strdup(name))) error = aard__error_no_memory();
    if (error)
        free_profile(made);
    else
        *out = made;
    return error;
}

aard_error *aard_registry_add_profile(aard_registry *registry, const char *name, const aard_pool_config *config)
{
    AARD__NEED(registry);
    AARD__NEED(name);
    AARD__NEED(config);
    profile *made = NULL;
    if (aard__forked()) return aard__error_forked();
    AARD__TRY(new_profile(name, config, &made));
    pthread_mutex_lock(&registry->lock);
    bool taken = find_profile(registry, name);
    if (!taken) {
        made->next = registry->profiles;
        registry->profiles = made;
    }
    pthread_mutex_unlock(&registry->lock);
    if (!taken) return NULL;
    free_profile(made);
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "the registry has a profile '%s' already; give this one another name",
                       name);
}

aard_error *aard_registry_bundle(aard_registry *registry, const void *zip, size_t len, aard_bundle **out)
{
    AARD__NEED(registry);
    AARD__NEED(zip);
    AARD__NEED(out);
    return aard__bundle_cache_get(&registry->bundles, zip, len, out);
}

/* ---- entries; the lock held ------------------------------------------------------------------------------------------------ */

static entry *find_entry(const aard_registry *registry, const char *digest, const profile *of)
{
    entry *at = registry->entries;
    while (at && (at->removed || at->profile != of || strcmp(at->digest, digest) != 0)) at = at->next;
    return at;
}

static void unlink_entry(aard_registry *registry, entry *gone)
{
    entry **at = &registry->entries;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
}

/* One user less; the last one of an entry that is removed ends its pool, without the lock meanwhile. */
static void leave_entry(aard_registry *registry, entry *left)
{
    left->users--;
    pthread_cond_broadcast(&registry->changed);
    if (left->users || !left->removed) return;
    unlink_entry(registry, left);
    pthread_mutex_unlock(&registry->lock);
    aard_pool_free(left->pool);
    aard__free(left);
    pthread_mutex_lock(&registry->lock);
    pthread_cond_broadcast(&registry->changed);
}

static size_t count_pools(const aard_registry *registry, uint64_t *heap_kib)
{
    size_t count = 0;
    *heap_kib = 0;
    for (const entry *at = registry->entries; at; at = at->next) {
        if (at->removed) continue;
        count++;
        if (at->pool) *heap_kib += aard__pool_heap_kib(at->pool);
    }
    return count;
}

static entry *longest_unused(const aard_registry *registry)
{
    entry *oldest = NULL;
    for (entry *at = registry->entries; at; at = at->next)
        if (!at->removed && !at->users && (!oldest || at->used_at < oldest->used_at)) oldest = at;
    return oldest;
}

/* Frees pools until the limits hold with `more` of them, or all that are left are in use. */
static void evict(aard_registry *registry, size_t more)
{
    for (;;) {
        uint64_t heap_kib;
        size_t count = count_pools(registry, &heap_kib) + more;
        bool heavy = registry->limits.max_heap_kib && heap_kib > registry->limits.max_heap_kib;
        entry *oldest = count > registry->limits.max_pools || heavy ? longest_unused(registry) : NULL;
        if (!oldest) return;
        registry->evictions++;
        oldest->removed = true;
        oldest->users++;
        leave_entry(registry, oldest);
    }
}

/* ---- getting a pool -------------------------------------------------------------------------------------------------------- */

static aard_error *make_pool(const entry *made, aard_bundle *bundle, aard_pool **out)
{
    aard_pool_config *config = NULL;
    char name[256];
    AARD__TRY(aard__pool_config_copy(made->profile->config, &config));
    if (*made->digest)
        snprintf(name, sizeof name, "%.200s/%.12s", made->profile->name, made->digest);
    else
        snprintf(name, sizeof name, "%.200s", made->profile->name);
    aard_pool_config_set_bundle(config, bundle);
    aard_error *error = aard_pool_config_set_name(config, name);
    if (!error) error = aard_pool_new(config, out);
    aard_pool_config_free(config);
    return error;
}

/* With the lock, but not while the pool is made; others that want it wait meanwhile. */
static aard_error *fill_entry(aard_registry *registry, entry *made, aard_bundle *bundle)
{
    pthread_mutex_unlock(&registry->lock);
    aard_error *error = make_pool(made, bundle, &made->pool);
    pthread_mutex_lock(&registry->lock);
    made->making = false;
    if (error) {
        registry->creations_failed++;
        made->failure_code = aard_error_get_code(error);
        snprintf(made->failure, sizeof made->failure, "%s", aard_error_message(error));
        made->removed = true;
    }
    pthread_cond_broadcast(&registry->changed);
    return error;
}

static aard_error *add_entry(aard_registry *registry, const char *digest, const profile *of, entry **out)
{
    entry *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    snprintf(made->digest, sizeof made->digest, "%s", digest);
    made->profile = of;
    made->making = true;
    made->users = 1;
    made->next = registry->entries;
    registry->entries = made;
    registry->misses++;
    *out = made;
    return NULL;
}

/* An entry with a pool, of which the caller is a user; the lock held. */
static aard_error *enter(aard_registry *registry, aard_bundle *bundle, const profile *of, entry **out)
{
    aard_error *error = NULL;
    const char *digest = bundle ? aard_bundle_digest(bundle) : "";
    entry *found = find_entry(registry, digest, of);
    if (!found) {
        evict(registry, 1);
        found = find_entry(registry, digest, of); /* others had the lock meanwhile */
    }
    if (found) {
        found->users++;
        registry->hits++;
        while (found->making) pthread_cond_wait(&registry->changed, &registry->lock);
        if (!found->pool) error = aard__error(found->failure_code, "%s", found->failure);
    } else {
        AARD__TRY(add_entry(registry, digest, of, &found));
        error = fill_entry(registry, found, bundle);
    }
    if (error) {
        leave_entry(registry, found);
        return error;
    }
    found->used_at = ++registry->uses;
    *out = found;
    return NULL;
}

static aard_error *no_profile(const char *name)
{
    return aard__error(AARD_ERR_NOT_FOUND, "the registry has no profile '%s'; add it first", name);
}

aard_error *aard_registry_pin(aard_registry *registry, aard_bundle *bundle, const char *name, aard_pool **out)
{
    AARD__NEED(registry);
    AARD__NEED(name);
    AARD__NEED(out);
    entry *found = NULL;
    AARD__TRY(lock(registry));
    const profile *of = find_profile(registry, name);
    aard_error *error = of ? enter(registry, bundle, of, &found) : no_profile(name);
    if (!error) *out = found->pool;
    pthread_mutex_unlock(&registry->lock);
    return error;
}

void aard_registry_unpin(aard_registry *registry, aard_pool *pool)
{
    if (!registry || !pool || aard__forked()) return;
    pthread_mutex_lock(&registry->lock);
    entry *at = registry->entries;
    while (at && at->pool != pool) at = at->next;
    if (at) {
        leave_entry(registry, at);
        evict(registry, 0);
    }
    pthread_mutex_unlock(&registry->lock);
}

aard_error *aard_registry_invoke(aard_registry *registry, aard_bundle *bundle, const char *name,
                                 const aard_pool_request *request, const aard_call *call, aard_outcome **out)
{
    AARD__NEED(registry);
    AARD__NEED(name);
    AARD__NEED(out);
    aard_pool *pool = NULL;
    AARD__TRY(aard_registry_pin(registry, bundle, name, &pool));
    aard_error *error = aard_pool_invoke(pool, request, call, out);
    aard_registry_unpin(registry, pool);
    return error;
}

/* ---- the end of pools -------------------------------------------------------------------------------------------------------- */

/* Waits until the caller is the only user, then ends the pool. */
static void remove_entry(aard_registry *registry, entry *gone)
{
    gone->removed = true;
    gone->users++;
    while (gone->making || gone->users > 1) pthread_cond_wait(&registry->changed, &registry->lock);
    if (gone->pool) {
        pthread_mutex_unlock(&registry->lock);
        aard_error_free(aard_pool_drain(gone->pool, 0));
        pthread_mutex_lock(&registry->lock);
    }
    leave_entry(registry, gone);
}

aard_error *aard_registry_remove(aard_registry *registry, aard_bundle *bundle, const char *name)
{
    AARD__NEED(registry);
    AARD__NEED(name);
    AARD__TRY(lock(registry));
    const profile *of = find_profile(registry, name);
    entry *found = of ? find_entry(registry, bundle ? aard_bundle_digest(bundle) : "", of) : NULL;
    if (found) remove_entry(registry, found);
    pthread_mutex_unlock(&registry->lock);
    return of ? NULL : no_profile(name);
}

void aard_registry_clear(aard_registry *registry)
{
    if (!registry || aard__forked()) return; /* whose pools are the parent's */
    pthread_mutex_lock(&registry->lock);
    for (entry *at = registry->entries; at;) {
        bool mine = !at->removed; /* others are about to free the rest */
        if (mine) remove_entry(registry, at);
        at = mine ? registry->entries : at->next;
    }
    while (registry->entries) pthread_cond_wait(&registry->changed, &registry->lock);
    pthread_mutex_unlock(&registry->lock);
    aard__bundle_cache_clear(&registry->bundles);
}

void aard_registry_free(aard_registry *registry)
{
    if (!registry || aard__forked()) return;
    aard_registry_clear(registry);
    while (registry->profiles) {
        profile *gone = registry->profiles;
        registry->profiles = gone->next;
        free_profile(gone);
    }
    aard__bundle_cache_destroy(&registry->bundles);
    pthread_cond_destroy(&registry->changed);
    pthread_mutex_destroy(&registry->lock);
    aard__free(registry);
}

/* ---- statistics -------------------------------------------------------------------------------------------------------------- */

aard_error *aard_registry_get_stats(aard_registry *registry, aard_registry_stats *out)
{
    AARD__NEED(registry);
    AARD__NEED(out);
    AARD__NEED_THAT(out->struct_size >= sizeof out->struct_size,
                    "the statistics' struct_size is too small; set it to sizeof(aard_registry_stats)");
    size_t size = out->struct_size;
    aard_registry_stats stats = {.struct_size = size};
    AARD__TRY(lock(registry));
    stats.pools = count_pools(registry, &stats.heap_kib);
    for (const entry *at = registry->entries; at; at = at->next) stats.pinned += at->users != 0;
    stats.hits = registry->hits;
    stats.misses = registry->misses;
    stats.creations_failed = registry->creations_failed;
    stats.evictions = registry->evictions;
    pthread_mutex_unlock(&registry->lock);
    aard__bundle_cache_stats(&registry->bundles, &stats.bundles, &stats.bundle_hits, &stats.bundle_misses);
    memcpy(out, &stats, size < sizeof stats ? size : sizeof stats);
    return NULL;
}

aard_error *aard_registry_prometheus(aard_registry *registry, char **out, size_t *len)
{
    AARD__NEED(registry);
    AARD__NEED(out);
    AARD__TRY(lock(registry));
    size_t count = 0;
    for (const entry *at = registry->entries; at; at = at->next) count++;
    aard_pool **pools = aard__calloc(count + 1, sizeof *pools);
    aard_error *error = pools ? NULL : aard__error_no_memory();
    count = 0;
    for (const entry *at = registry->entries; at && !error; at = at->next)
        if (at->pool && !at->removed) pools[count++] = at->pool;
    if (!error) error = aard_pools_prometheus(pools, count, out, len);
    pthread_mutex_unlock(&registry->lock);
    aard__free(pools);
    return error;
}
