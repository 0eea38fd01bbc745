/* What a host sets for a pool. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "pool/pool.h"

aard_error *aard_pool_config_new(aard_pool_config **out)
{
    AARD__NEED(out);
    aard_pool_config *config = aard__calloc(1, sizeof *config);
    if (!config) return aard__error_no_memory();
    config->quarantine = AARD_QUARANTINE_ENGINE_CRASHED | AARD_QUARANTINE_GUEST_ABANDONED | AARD_QUARANTINE_VIOLATION;
    *out = config;
    return NULL;
}

static void release_hook(aard__pool_hook *hook)
{
    if (hook && aard__user_release(&hook->user)) aard__free(hook);
}

void aard_pool_config_free(aard_pool_config *config)
{
    if (!config) return;
    aard_isolate_config_free(config->isolate);
    aard_bundle_free(config->bundle);
    for (size_t i = 0; i < config->entrypoint_count; i++) aard__free(config->entrypoints[i]);
    aard__free(config->entrypoints);
    aard__free(config->name);
    release_hook(config->hook);
    aard__free(config);
}

aard_error *aard_pool_config_set_isolate(aard_pool_config *config, const aard_isolate_config *isolate)
{
    AARD__NEED(config);
    aard_isolate_config *copy = NULL;
    if (isolate) AARD__TRY(aard__config_copy(isolate, &copy));
    aard_isolate_config_free(config->isolate);
    config->isolate = copy;
    return NULL;
}

void aard_pool_config_set_bundle(aard_pool_config *config, aard_bundle *bundle)
{
    if (!config) return;
    aard_bundle *before = config->bundle;
    config->bundle = bundle ? aard_bundle_retain(bundle) : NULL;
    aard_bundle_free(before);
}

static bool same_entrypoint(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

aard_error *aard_pool_config_add_handler(aard_pool_config *config, const char *entrypoint)
{
    AARD__NEED(config);
    for (size_t i = 0; i < config->entrypoint_count; i++)
        if (same_entrypoint(config->entrypoints[i], entrypoint))
            return aard__error(AARD_ERR_INVALID_ARGUMENT, "the pool has the handler '%s' already; add it once",
                               entrypoint ? entrypoint : "(the manifest's)");
    char **list = aard__realloc(config->entrypoints, (config->entrypoint_count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    config->entrypoints = list;
    char *copy = entrypoint ? aard__strdup(entrypoint) : NULL;
    if (entrypoint && !copy) return aard__error_no_memory();
    list[config->entrypoint_count++] = copy;
    return NULL;
}

aard_error *aard_pool_config_set_name(aard_pool_config *config, const char *name)
{
    AARD__NEED(config);
    AARD__NEED(name);
    AARD__NEED_THAT(aard__utf8_valid(name, strlen(name)), "the pool's name is not UTF-8; give one that is");
    char *copy = aard__strdup(name);
    if (!copy) return aard__error_no_memory();
    aard__free(config->name);
    config->name = copy;
    return NULL;
}

void aard_pool_config_set_size(aard_pool_config *config, size_t desired, size_t minimum_idle, size_t maximum)
{
    if (config) config->size = (aard__pool_size){desired, minimum_idle, maximum};
}

void aard_pool_config_set_start(aard_pool_config *config, aard_pool_start start)
{
    if (config) config->start = start;
}

void aard_pool_config_set_queue_limit(aard_pool_config *config, size_t calls)
{
    if (config) config->queue_limit = calls;
}

void aard_pool_config_set_acquire_timeout_ms(aard_pool_config *config, uint64_t ms)
{
    if (config) config->acquire_timeout_ms = ms;
}

void aard_pool_config_set_idle_timeout_ms(aard_pool_config *config, uint64_t ms)
{
    if (config) config->idle_timeout_ms = ms;
}

void aard_pool_config_set_threads(aard_pool_config *config, size_t threads)
{
    if (config) config->threads = threads;
}

void aard_pool_config_set_max_calls(aard_pool_config *config, uint64_t calls)
{
    if (config) config->max_calls = calls;
}

void aard_pool_config_set_max_age_ms(aard_pool_config *config, uint64_t ms)
{
    if (config) config->max_age_ms = ms;
}

void aard_pool_config_set_max_heap(aard_pool_config *config, uint64_t bytes)
{
    if (config) config->max_heap = bytes;
}

void aard_pool_config_set_max_rss(aard_pool_config *config, uint64_t bytes)
{
    if (config) config->max_rss = bytes;
}

void aard_pool_config_set_quarantine(aard_pool_config *config, unsigned causes)
{
    if (config) config->quarantine = causes;
}

aard_error *aard_pool_config_set_hook(aard_pool_config *config, aard_pool_hook hook, void *user,
                                      aard_finalizer finalizer)
{
    aard__pool_hook *made = config && hook ? aard__malloc(sizeof *made) : NULL;
    if (!made) {
        if (finalizer) finalizer(user);
        AARD__NEED(config);
        AARD__NEED(hook);
        return aard__error_no_memory();
    }
    aard__user_init(&made->user, user, finalizer);
    made->call = hook;
    release_hook(config->hook);
    config->hook = made;
    return NULL;
}

/* ---- what a pool makes of it ----------------------------------------------------------------------------------------- */

aard_error *aard__pool_size_check(const aard__pool_size *size)
{
    if (size->desired > size->maximum)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "the desired size %zu is above the pool's maximum of %zu; raise that, or ask for less",
                           size->desired, size->maximum);
    if (size->minimum_idle > size->maximum)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "%zu idle isolates are more than the pool's maximum of %zu; raise that, or ask for fewer",
                           size->minimum_idle, size->maximum);
    return NULL;
}

static aard_error *copy_entrypoints(const aard_pool_config *from, aard_pool_config *to)
{
    const aard_manifest *manifest = from->bundle ? aard_bundle_manifest(from->bundle) : NULL;
    for (size_t i = 0; i < from->entrypoint_count; i++)
        AARD__TRY(aard_pool_config_add_handler(to, from->entrypoints[i]));
    if (!from->entrypoint_count && manifest && aard_manifest_entrypoint(manifest))
        return aard_pool_config_add_handler(to, NULL);
    return NULL;
}

static aard_error *copy_owned(const aard_pool_config *from, aard_pool_config *to)
{
    AARD__TRY(aard__config_copy(from->isolate, &to->isolate));
    if (from->bundle) to->bundle = aard_bundle_retain(from->bundle);
    if (from->hook) {
        aard__user_retain(&from->hook->user);
        to->hook = from->hook;
    }
    AARD__TRY(copy_entrypoints(from, to));
    return aard_pool_config_set_name(to, from->name ? from->name : "pool");
}

aard_error *aard__pool_config_copy(const aard_pool_config *config, aard_pool_config **out)
{
    if (config->start < AARD_POOL_START_WARM || config->start > AARD_POOL_START_LAZY)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "the pool's configuration was given an unknown aard_pool_start");
    aard__pool_size size = config->size;
    if (!size.desired && !size.minimum_idle && !size.maximum) size.desired = 1;
    if (!size.maximum) size.maximum = size.desired > size.minimum_idle ? size.desired : size.minimum_idle;
    AARD__TRY(aard__pool_size_check(&size));
    aard_pool_config *copy = aard__malloc(sizeof *copy);
    if (!copy) return aard__error_no_memory();
    *copy = *config;
    copy->isolate = NULL;
    copy->bundle = NULL;
    copy->entrypoints = NULL;
    copy->entrypoint_count = 0;
    copy->name = NULL;
    copy->hook = NULL;
    copy->size = size;
    aard_error *error = copy_owned(config, copy);
    if (error)
        aard_pool_config_free(copy);
    else
        *out = copy;
    return error;
}

const char *aard_quarantine_name(aard_quarantine cause)
{
    switch (cause) {
#define QUARANTINE_NAME(constant, number, name)                                                                        \
    case constant: return name;
        AARD_QUARANTINE_MAP(QUARANTINE_NAME)
#undef QUARANTINE_NAME
    }
    return "unknown";
}
