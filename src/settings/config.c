#include "settings/config.h"

#include <aardvark/warm.h>
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "distribution/lock.h"

#define DEFAULT_OUTPUT_LIMIT ((size_t)1 << 20)
#define DEFAULT_RESULT_LIMIT ((size_t)256 << 20)
#define LEAST_HEAP ((size_t)8 << 20)         /* of the engine's: with less it does not start */
#define LEAST_PYTHON_HEAP ((size_t)20 << 20) /* that Pyodide has at first; an image may have more */
#define LEAST_ENGINE_HEAP ((size_t)16 << 20)

aard_error *aard_isolate_config_new(aard_isolate_config **out)
{
    AARD__NEED(out);
    aard_isolate_config *config = aard__calloc(1, sizeof *config);
    if (!config) return aard__error_no_memory();
    config->output_limit = DEFAULT_OUTPUT_LIMIT;
    config->file_rules = aard__file_rules_of(AARD_FILESYSTEM_READ_WRITE, 0, 0, 0);
    config->network.limits = aard__network_defaults;
    config->result_limit = DEFAULT_RESULT_LIMIT;
    config->resets_expected = true;
    *out = config;
    return NULL;
}

static void release_listener(aard__listener *listener)
{
    if (listener && aard__user_release(&listener->user)) aard__free(listener);
}

static void release_user(aard__user *user)
{
    if (user && aard__user_release(user)) aard__free(user);
}

void aard_isolate_config_free(aard_isolate_config *config)
{
    if (!config) return;
    aard_distribution_free(config->distribution);
    aard_warm_state_free(config->warm);
    for (size_t i = 0; i < config->capability_count; i++) aard__free(config->capabilities[i]);
    aard__free(config->capabilities);
    aard__texts_free(&config->environment);
    aard__texts_free(&config->packages);
    aard__functions_free(&config->functions);
    aard__mounts_free(&config->mounts);
    aard__config_network_free(&config->network);
    release_listener(config->listener);
    release_user(config->user);
    aard__free(config);
}

/* A setter that can't fail: that it was given nonsense is said when the isolate is made, whatever it is given later. */
static void check(aard_isolate_config *config, bool valid, const char *what)
{
    if (!valid && !config->invalid) config->invalid = what;
}

aard_error *aard__config_check(const aard_isolate_config *config)
{
    if (config->no_memory) return aard__error_no_memory();
    if (!config->invalid) return NULL;
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "the configuration was given a %s that there is not",
                       config->invalid);
}

void aard_isolate_config_set_language(aard_isolate_config *config, aard_language language)
{
    if (!config) return;
    check(config, language == AARD_LANGUAGE_PYTHON || language == AARD_LANGUAGE_JAVASCRIPT, "language");
    config->language = language;
}

void aard_isolate_config_set_distribution(aard_isolate_config *config, aard_distribution *distribution)
{
    if (!config) return;
    aard_distribution *before = config->distribution;
    config->distribution = distribution ? aard_distribution_retain(distribution) : NULL;
    aard_distribution_free(before);
}

void aard_isolate_config_set_warm_state(aard_isolate_config *config, aard_warm_state *state)
{
    if (!config) return;
    aard_warm_state *before = config->warm;
    config->warm = state ? aard_warm_state_retain(state) : NULL;
    aard_warm_state_free(before);
}

void aard_isolate_config_set_isolation(aard_isolate_config *config, aard_isolation isolation)
{
    if (!config) return;
    check(config, isolation == AARD_ISOLATION_THREAD || isolation == AARD_ISOLATION_PROCESS, "isolation");
    config->isolation = isolation;
}

void aard_isolate_config_set_cleanup(aard_isolate_config *config, aard_cleanup cleanup)
{
    if (!config) return;
    check(config, cleanup >= AARD_CLEANUP_NONE && cleanup <= AARD_CLEANUP_FULL, "cleanup");
    config->cleanup = cleanup;
}

void aard_isolate_config_set_resets_expected(aard_isolate_config *config, bool expected)
{
    if (config) config->resets_expected = expected;
}

/* ---- limits -------------------------------------------------------------------------------------------------- */

void aard_isolate_config_set_wall_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->limits.wall_ms = ms;
}

void aard_isolate_config_set_cpu_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->limits.cpu_ms = ms;
}

void aard_isolate_config_set_grace_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->limits.grace_ms = ms;
}

void aard_isolate_config_set_startup_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->startup_limit_ms = ms;
}

void aard_isolate_config_set_heap_limit(aard_isolate_config *config, size_t bytes)
{
    if (config) config->heap_limit = bytes;
}

void aard_isolate_config_set_engine_heap_limit(aard_isolate_config *config, size_t bytes)
{
    if (config) config->engine_heap_limit = bytes;
}

void aard_isolate_config_set_buffer_limit(aard_isolate_config *config, size_t bytes)
{
    if (config) config->buffer_limit = bytes;
}

void aard_isolate_config_set_output_limit(aard_isolate_config *config, size_t bytes)
{
    if (config) config->output_limit = bytes;
}

void aard_isolate_config_set_filesystem(aard_isolate_config *config, aard_filesystem_mode mode, uint64_t quota_bytes,
                                        uint64_t max_files, uint64_t max_handles)
{
    if (!config) return;
    check(config, mode == AARD_FILESYSTEM_READ || mode == AARD_FILESYSTEM_READ_WRITE, "filesystem mode");
    config->file_rules = aard__file_rules_of(mode, quota_bytes, max_files, max_handles);
}

void aard_isolate_config_set_result_limit(aard_isolate_config *config, size_t bytes)
{
    if (config) config->result_limit = bytes;
}

void aard_isolate_config_set_result_depth_limit(aard_isolate_config *config, size_t levels)
{
    if (config) config->result_depth_limit = levels;
}

aard_error *aard__config_check_limits(const aard_isolate_config *config)
{
    bool javascript = config->language == AARD_LANGUAGE_JAVASCRIPT;
    if (javascript && config->heap_limit && config->heap_limit < LEAST_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a heap limit of %zu bytes is too little for JavaScript: it needs %zu", config->heap_limit,
                           LEAST_HEAP);
    if (!javascript && config->heap_limit && config->heap_limit < LEAST_PYTHON_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "a heap limit of %zu bytes is too little: Python starts with %zu",
                           config->heap_limit, LEAST_PYTHON_HEAP);
    if (!javascript && config->engine_heap_limit && config->engine_heap_limit < LEAST_ENGINE_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "an engine heap limit of %zu bytes is too little for Python to start: it needs %zu",
                           config->engine_heap_limit, LEAST_ENGINE_HEAP);
    return NULL;
}

static uint64_t tighter(uint64_t a, uint64_t b) { return a && (!b || a < b) ? a : b; }

aard__limits aard__config_limits(const aard_isolate_config *config, const aard_call *call, uint64_t manifest_cpu_ms)
{
    aard__limits limits = config->limits;
    limits.cpu_ms = tighter(limits.cpu_ms, manifest_cpu_ms);
    if (!call) return limits;
    limits.wall_ms = tighter(limits.wall_ms, call->limits.wall_ms);
    limits.cpu_ms = tighter(limits.cpu_ms, call->limits.cpu_ms);
    return limits;
}

size_t aard__config_result_limit(const aard_isolate_config *config, const aard_call *call)
{
    return tighter(config->result_limit, call ? call->result_limit : 0);
}

/* ---- capabilities -------------------------------------------------------------------------------------------- */

aard_error *aard_isolate_config_add_capability(aard_isolate_config *config, const char *name)
{
    AARD__NEED(config);
    AARD__NEED(name);
    while (isspace((unsigned char)*name)) name++;
    size_t len = strlen(name);
    while (len && isspace((unsigned char)name[len - 1])) len--;
    if (!len) return aard__error(AARD_ERR_INVALID_ARGUMENT, "a capability's name is empty; give one such as 'js'");
    char **list = aard__realloc(config->capabilities, (config->capability_count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    config->capabilities = list;
    char *copy = aard__memdup0(name, len);
    if (!copy) return aard__error_no_memory();
    for (char *c = copy; *c; c++) *c = (char)tolower((unsigned char)*c);
    list[config->capability_count++] = copy;
    return NULL;
}

bool aard__config_grants(const aard_isolate_config *config, const char *name)
{
    for (size_t i = 0; i < config->capability_count; i++)
        if (!strcmp(config->capabilities[i], name)) return true;
    return false;
}

/* ---- packages --------------------------------------------------------------------------------------------------- */

aard_error *aard_isolate_config_mount(aard_isolate_config *config, const char *host_dir, const char *guest_path,
                                      aard_filesystem_mode mode)
{
    AARD__NEED(config);
    AARD__NEED(host_dir);
    AARD__NEED(guest_path);
    AARD__NEED_THAT(mode == AARD_FILESYSTEM_READ || mode == AARD_FILESYSTEM_READ_WRITE,
                    "there is no such mode; give one of aard_filesystem_mode");
    aard__mount *mount;
    AARD__TRY(aard__mount_new(host_dir, guest_path, mode, &mount));
    return aard__mounts_add(&config->mounts, mount);
}

aard_error *aard_isolate_config_add_package(aard_isolate_config *config, const char *name)
{
    char key[AARD__PACKAGE_NAME_MAX + 1];
    AARD__NEED(config);
    AARD__NEED(name);
    while (isspace((unsigned char)*name)) name++;
    size_t len = strlen(name);
    while (len && isspace((unsigned char)name[len - 1])) len--;
    if (!aard__package_key(name, len, key))
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "a package has a name of 1 to %d characters",
                           AARD__PACKAGE_NAME_MAX);
    return aard__texts_add(&config->packages, key);
}

/* ---- the environment ------------------------------------------------------------------------------------------ */

aard_error *aard_isolate_config_set_env(aard_isolate_config *config, const char *name, const char *value)
{
    AARD__NEED(config);
    AARD__NEED(name);
    AARD__NEED(value);
    size_t name_len = strlen(name);
    if (!name_len || strchr(name, '=') || !aard__utf8_valid(name, name_len) || !aard__utf8_valid(value, strlen(value)))
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a variable of the environment has a name without '=', and both name and value are UTF-8");
    aard__buf both = AARD__BUF_INIT;
    aard__buf_printf(&both, "%s=%s", name, value);
    char *text = aard__buf_take(&both, NULL);
    if (!text) return aard__error_no_memory();
    for (size_t i = 0; i < config->environment.count; i++) {
        if (strncmp(config->environment.items[i], text, name_len + 1)) continue;
        aard__free(config->environment.items[i]);
        config->environment.items[i] = text;
        return NULL;
    }
    aard_error *error = aard__texts_add(&config->environment, text);
    aard__free(text);
    return error;
}

void aard_isolate_config_set_stream_callback(aard_isolate_config *config, aard_stream_callback callback, void *user,
                                             aard_finalizer finalizer)
{
    if (config) {
        release_listener(config->listener);
        config->listener = NULL;
    }
    aard__listener *listener = callback && config ? aard__calloc(1, sizeof *listener) : NULL;
    if (config) config->no_memory = callback && !listener; /* then no isolate is made: it would be silent */
    if (!listener) {
        if (finalizer) finalizer(user);
        return;
    }
    aard__user_init(&listener->user, user, finalizer);
    listener->callback = callback;
    config->listener = listener;
}

aard_error *aard_isolate_config_set_user(aard_isolate_config *config, void *user, aard_finalizer finalizer)
{
    aard__user *made = config ? aard__calloc(1, sizeof *made) : NULL;
    if (!made) {
        if (finalizer) finalizer(user);
        AARD__NEED(config);
        return aard__error_no_memory();
    }
    aard__user_init(made, user, finalizer);
    release_user(config->user);
    config->user = made;
    return NULL;
}

aard_error *aard__config_copy(const aard_isolate_config *config, aard_isolate_config **out)
{
    aard_isolate_config *copy;
    AARD__TRY(aard_isolate_config_new(&copy));
    if (config) {
        copy->language = config->language;
        copy->invalid = config->invalid;
        copy->no_memory = config->no_memory;
        copy->isolation = config->isolation;
        copy->cleanup = config->cleanup;
        copy->resets_expected = config->resets_expected;
        copy->limits = config->limits;
        copy->startup_limit_ms = config->startup_limit_ms;
        copy->output_limit = config->output_limit;
        copy->file_rules = config->file_rules;
        copy->result_limit = config->result_limit;
        copy->result_depth_limit = config->result_depth_limit;
        copy->heap_limit = config->heap_limit;
        copy->engine_heap_limit = config->engine_heap_limit;
        copy->buffer_limit = config->buffer_limit;
        aard_isolate_config_set_distribution(copy, config->distribution);
        aard_isolate_config_set_warm_state(copy, config->warm);
        copy->listener = config->listener;
        if (copy->listener) aard__user_retain(&copy->listener->user);
        copy->user = config->user;
        if (copy->user) aard__user_retain(copy->user);
        aard_error *error = aard__functions_copy(&config->functions, &copy->functions);
        if (!error) error = aard__texts_copy(&config->packages, &copy->packages);
        if (!error) error = aard__texts_copy(&config->environment, &copy->environment);
        if (!error) error = aard__mounts_copy(&config->mounts, &copy->mounts);
        if (!error) error = aard__config_network_copy(&config->network, &copy->network);
        for (size_t i = 0; !error && i < config->capability_count; i++)
            error = aard_isolate_config_add_capability(copy, config->capabilities[i]);
        if (error) {
            aard_isolate_config_free(copy);
            return error;
        }
    }
    *out = copy;
    return NULL;
}
