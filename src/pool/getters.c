/* What was set in a pool's configuration, read back. */
#include "pool/pool.h"

/* A member of what may be NULL. */
#define GETTER(type, name, member)                                                                                     \
    type aard_pool_config_##name(const aard_pool_config *config) { return config ? config->member : (type)0; }

GETTER(const aard_isolate_config *, isolate, isolate)
GETTER(aard_bundle *, bundle, bundle)
GETTER(const char *, name, name)
GETTER(aard_pool_start, start, start)
GETTER(size_t, queue_limit, queue_limit)
GETTER(uint64_t, acquire_timeout_ms, acquire_timeout_ms)
GETTER(uint64_t, idle_timeout_ms, idle_timeout_ms)
GETTER(size_t, threads, threads)
GETTER(uint64_t, max_calls, max_calls)
GETTER(uint64_t, max_age_ms, max_age_ms)
GETTER(uint64_t, max_heap, max_heap)
GETTER(uint64_t, max_rss, max_rss)
GETTER(unsigned, quarantine, quarantine)
GETTER(size_t, handler_count, entrypoint_count)

const char *aard_pool_config_handler(const aard_pool_config *config, size_t index)
{
    return config && index < config->entrypoint_count ? config->entrypoints[index] : NULL;
}

void aard_pool_config_size(const aard_pool_config *config, size_t *desired, size_t *minimum_idle, size_t *maximum)
{
    const aard__pool_size size = config ? config->size : (aard__pool_size){.desired = 0};
    if (desired) *desired = size.desired;
    if (minimum_idle) *minimum_idle = size.minimum_idle;
    if (maximum) *maximum = size.maximum;
}

aard_pool_hook aard_pool_config_hook(const aard_pool_config *config, void **user)
{
    const aard__pool_hook *hook = config ? config->hook : NULL;
    if (user) *user = hook ? hook->user.pointer : NULL;
    return hook ? hook->call : NULL;
}
