#include "settings/config.h"

#include <aardvark/hardening.h>
#include <aardvark/warm.h>
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "distribution/lock.h"

#define LEAST_HEAP ((size_t)8 << 20)         /* of the engine's: with less it does not start */
#define LEAST_PYTHON_HEAP ((size_t)20 << 20) /* that Pyodide has at first; an image may have more */
#define LEAST_ENGINE_HEAP ((size_t)16 << 20)

aard_error *aard_isolate_config_new(aard_isolate_config **out)
{
    AARD__NEED(out);
    aard_isolate_config *config = aard__calloc(1, sizeof *config);
    if (!config) return aard__error_no_memory();
    aard__settings_init(&config->settings);
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
    aard_catalog_free(config->catalog);
    aard__settings_free(&config->settings);
    aard__functions_free(&config->hooks.functions);
    aard__callbacks_free(&config->hooks.callbacks);
    aard__mounts_free(&config->hooks.mounts);
    release_listener(config->hooks.listener);
    release_user(config->hooks.user);
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
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "the configuration was given an unknown %s", config->invalid);
}

void aard_isolate_config_set_language(aard_isolate_config *config, aard_language language)
{
    if (!config) return;
    check(config, language == AARD_LANGUAGE_PYTHON || language == AARD_LANGUAGE_JAVASCRIPT, "language");
    config->settings.language = language;
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

void aard_isolate_config_set_catalog(aard_isolate_config *config, aard_catalog *catalog)
{
    if (!config) return;
    aard_catalog *before = config->catalog;
    config->catalog = aard_catalog_retain(catalog);
    aard_catalog_free(before);
}

void aard_isolate_config_set_isolation(aard_isolate_config *config, aard_isolation isolation)
{
    if (!config) return;
    check(config, isolation == AARD_ISOLATION_THREAD || isolation == AARD_ISOLATION_PROCESS, "isolation");
    config->settings.isolation = isolation;
}

void aard_isolate_config_set_required_hardening(aard_isolate_config *config, uint32_t measures)
{
    if (!config) return;
    check(config, !(measures & ~(uint32_t)AARD_HARDEN_ALL), "measure of hardening");
    config->settings.required_hardening = measures & AARD_HARDEN_ALL;
}

void aard_isolate_config_set_cleanup(aard_isolate_config *config, aard_cleanup cleanup)
{
    if (!config) return;
    check(config, cleanup >= AARD_CLEANUP_NONE && cleanup <= AARD_CLEANUP_FULL, "cleanup");
    config->settings.cleanup = cleanup;
}

void aard_isolate_config_set_resets_expected(aard_isolate_config *config, bool expected)
{
    if (config) config->settings.resets_expected = expected;
}

/* ---- limits -------------------------------------------------------------------------------------------------- */

void aard_isolate_config_set_wall_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->settings.limits.wall_ms = ms;
}

void aard_isolate_config_set_cpu_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->settings.limits.cpu_ms = ms;
}

void aard_isolate_config_set_grace_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->settings.limits.grace_ms = ms;
}

void aard_isolate_config_set_startup_limit_ms(aard_isolate_config *config, uint64_t ms)
{
    if (config) config->settings.startup_limit_ms = ms;
}

void aard_isolate_config_set_heap_limit(aard_isolate_config *config, uint64_t bytes)
{
    if (config) config->settings.heap_limit = bytes;
}

void aard_isolate_config_set_engine_heap_limit(aard_isolate_config *config, uint64_t bytes)
{
    if (config) config->settings.engine_heap_limit = bytes;
}

void aard_isolate_config_set_buffer_limit(aard_isolate_config *config, uint64_t bytes)
{
    if (config) config->settings.buffer_limit = bytes;
}

void aard_isolate_config_set_output_limit(aard_isolate_config *config, uint64_t bytes)
{
    if (config) config->settings.output_limit = bytes ? bytes : AARD__OUTPUT_LIMIT_DEFAULT;
}

void aard_isolate_config_set_filesystem(aard_isolate_config *config, aard_filesystem_mode mode, uint64_t quota_bytes,
                                        uint64_t max_files, uint64_t max_handles)
{
    if (!config) return;
    check(config, mode == AARD_FILESYSTEM_READ || mode == AARD_FILESYSTEM_READ_WRITE, "filesystem mode");
    config->settings.file_rules = aard__file_rules_of(mode, quota_bytes, max_files, max_handles);
}

void aard_isolate_config_set_result_limit(aard_isolate_config *config, uint64_t bytes)
{
    if (config) config->settings.result_limit = bytes ? bytes : AARD__RESULT_LIMIT_DEFAULT;
}

void aard_isolate_config_set_result_depth_limit(aard_isolate_config *config, uint64_t levels)
{
    if (config) config->settings.result_depth_limit = levels;
}

aard_error *aard__config_check_limits(const aard_isolate_config *config)
{
    bool javascript = config->settings.language == AARD_LANGUAGE_JAVASCRIPT;
    if (javascript && config->settings.heap_limit && config->settings.heap_limit < LEAST_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a heap limit of %zu bytes is too small for JavaScript: it needs at least %zu",
                           config->settings.heap_limit, LEAST_HEAP);
    if (!javascript && config->settings.heap_limit && config->settings.heap_limit < LEAST_PYTHON_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a heap limit of %zu bytes is too small: Python needs at least %zu",
                           config->settings.heap_limit, LEAST_PYTHON_HEAP);
    if (!javascript && config->settings.engine_heap_limit && config->settings.engine_heap_limit < LEAST_ENGINE_HEAP)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "an engine heap limit of %zu bytes is too small for Python to start: it needs at least %zu",
                           config->settings.engine_heap_limit, LEAST_ENGINE_HEAP);
    return NULL;
}

static uint64_t tighter(uint64_t a, uint64_t b) { return a && (!b || a < b) ? a : b; }

aard__limits aard__config_limits(const aard_isolate_config *config, const aard_call *call, const aard_bundle *bundle)
{
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    aard__limits limits = config->settings.limits;
    if (manifest) limits.cpu_ms = tighter(limits.cpu_ms, aard_manifest_cpu_limit_ms(manifest));
    if (!call) return limits;
    limits.wall_ms = tighter(limits.wall_ms, call->limits.wall_ms);
    limits.cpu_ms = tighter(limits.cpu_ms, call->limits.cpu_ms);
    return limits;
}

size_t aard__config_result_limit(const aard_isolate_config *config, const aard_call *call)
{
    return tighter(config->settings.result_limit, call ? call->result_limit : 0);
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
    char *lower = aard__memdup0(name, len);
    if (!lower) return aard__error_no_memory();
    for (char *c = lower; *c; c++) *c = (char)tolower((unsigned char)*c);
    aard_error *error = aard__texts_add(&config->settings.capabilities, lower);
    aard__free(lower);
    return error;
}

bool aard__config_grants(const aard_isolate_config *config, const char *name)
{
    return aard__texts_have(&config->settings.capabilities, name);
}

/* ---- packages --------------------------------------------------------------------------------------------------- */

aard_error *aard_isolate_config_add_mount(aard_isolate_config *config, const char *host_dir, const char *guest_path,
                                          aard_filesystem_mode mode)
{
    AARD__NEED(config);
    AARD__NEED(host_dir);
    AARD__NEED(guest_path);
    AARD__NEED_THAT(mode == AARD_FILESYSTEM_READ || mode == AARD_FILESYSTEM_READ_WRITE,
                    "the mode is unknown; give one of aard_filesystem_mode");
    aard__mount *mount;
    AARD__TRY(aard__mount_new(host_dir, guest_path, mode, &mount));
    return aard__mounts_add(&config->hooks.mounts, mount);
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
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "the name of a package has 1 to %d characters",
                           AARD__PACKAGE_NAME_MAX);
    return aard__texts_add(&config->settings.packages, key);
}

/* ---- the environment ------------------------------------------------------------------------------------------ */

aard_error *aard_isolate_config_set_env(aard_isolate_config *config, const char *name, const char *value)
{
    AARD__NEED(config);
    AARD__NEED(name);
    AARD__NEED(value);
    size_t name_len = strlen(name);
    if (!name_len || strchr(name, '=') || !aard__utf8_valid(name, name_len) || !aard__utf8_valid(value, strlen(value)))
        return aard__error(
            AARD_ERR_INVALID_ARGUMENT,
            "the name of an environment variable must not be empty or contain '=', and name and value must be UTF-8");
    aard__buf both = AARD__BUF_INIT;
    aard__buf_printf(&both, "%s=%s", name, value);
    char *text = aard__buf_take(&both, NULL);
    if (!text) return aard__error_no_memory();
    for (size_t i = 0; i < config->settings.environment.count; i++) {
        if (strncmp(config->settings.environment.items[i], text, name_len + 1)) continue;
        aard__free(config->settings.environment.items[i]);
        config->settings.environment.items[i] = text;
        return NULL;
    }
    aard_error *error = aard__texts_add(&config->settings.environment, text);
    aard__free(text);
    return error;
}

void aard_isolate_config_set_stream_callback(aard_isolate_config *config, aard_stream_callback callback, void *user,
                                             aard_finalizer finalizer)
{
    if (config) {
        release_listener(config->hooks.listener);
        config->hooks.listener = NULL;
    }
    aard__listener *listener = callback && config ? aard__calloc(1, sizeof *listener) : NULL;
    if (config) config->no_memory = callback && !listener; /* then no isolate is made: it would be silent */
    if (!listener) {
        if (finalizer) finalizer(user);
        return;
    }
    aard__user_init(&listener->user, user, finalizer);
    listener->callback = callback;
    config->hooks.listener = listener;
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
    release_user(config->hooks.user);
    config->hooks.user = made;
    return NULL;
}

/* What is shared, with one more owner each. */
static aard_error *copy_hooks(const aard__hooks *hooks, aard__hooks *out)
{
    out->listener = hooks->listener;
    if (out->listener) aard__user_retain(&out->listener->user);
    out->net = hooks->net;
    out->answers = hooks->answers;
    out->user = hooks->user;
    if (out->user) aard__user_retain(out->user);
    AARD__TRY(aard__functions_copy(&hooks->functions, &out->functions));
    AARD__TRY(aard__callbacks_copy(&hooks->callbacks, &out->callbacks));
    return aard__mounts_copy(&hooks->mounts, &out->mounts);
}

static aard_error *copy_into(const aard_isolate_config *config, aard_isolate_config *copy)
{
    aard_isolate_config_set_distribution(copy, config->distribution);
    aard_isolate_config_set_warm_state(copy, config->warm);
    aard_isolate_config_set_catalog(copy, config->catalog);
    copy->invalid = config->invalid;
    copy->no_memory = config->no_memory;
    AARD__TRY(copy_hooks(&config->hooks, &copy->hooks));
    return aard__settings_copy(&config->settings, &copy->settings);
}

aard_error *aard__config_copy(const aard_isolate_config *config, aard_isolate_config **out)
{
    aard_isolate_config *copy;
    AARD__TRY(aard_isolate_config_new(&copy));
    aard_error *error = config ? copy_into(config, copy) : NULL;
    if (error)
        aard_isolate_config_free(copy);
    else
        *out = copy;
    return error;
}
