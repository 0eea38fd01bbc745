/* What was set in a configuration or a call, read back. */
#include <aardvark/hardening.h>
#include <aardvark/network.h>
#include <aardvark/warm.h>

#include "settings/config.h"

/* A member of what may be NULL. */
#define CONFIG_GETTER(type, name, member)                                                                              \
    type aard_isolate_config_##name(const aard_isolate_config *config) { return config ? config->member : (type)0; }
#define CALL_GETTER(type, name, member)                                                                                \
    type aard_call_##name(const aard_call *call) { return call ? call->member : (type)0; }

CONFIG_GETTER(aard_language, language, settings.language)
CONFIG_GETTER(aard_distribution *, distribution, distribution)
CONFIG_GETTER(aard_isolation, isolation, settings.isolation)
CONFIG_GETTER(uint32_t, required_hardening, settings.required_hardening)
CONFIG_GETTER(aard_cleanup, cleanup, settings.cleanup)
CONFIG_GETTER(bool, resets_expected, settings.resets_expected)
CONFIG_GETTER(aard_warm_state *, warm_state, warm)
CONFIG_GETTER(aard_catalog *, catalog, catalog)
CONFIG_GETTER(uint64_t, wall_limit_ms, settings.limits.wall_ms)
CONFIG_GETTER(uint64_t, cpu_limit_ms, settings.limits.cpu_ms)
CONFIG_GETTER(uint64_t, grace_ms, settings.limits.grace_ms)
CONFIG_GETTER(uint64_t, startup_limit_ms, settings.startup_limit_ms)
CONFIG_GETTER(uint64_t, heap_limit, settings.heap_limit)
CONFIG_GETTER(uint64_t, engine_heap_limit, settings.engine_heap_limit)
CONFIG_GETTER(uint64_t, buffer_limit, settings.buffer_limit)
CONFIG_GETTER(uint64_t, output_limit, settings.output_limit)
CONFIG_GETTER(uint64_t, result_limit, settings.result_limit)
CONFIG_GETTER(uint64_t, result_depth_limit, settings.result_depth_limit)
CONFIG_GETTER(size_t, mount_count, hooks.mounts.count)
CONFIG_GETTER(size_t, capability_count, settings.capabilities.count)
CONFIG_GETTER(size_t, package_count, settings.packages.count)
CONFIG_GETTER(size_t, env_count, settings.environment.count)
CONFIG_GETTER(size_t, host_count, settings.network.hosts.count)
CONFIG_GETTER(bool, private_addresses, settings.network.private_addresses)
CONFIG_GETTER(const char *, ca_file, settings.network.ca_file)

CALL_GETTER(uint64_t, wall_limit_ms, limits.wall_ms)
CALL_GETTER(uint64_t, cpu_limit_ms, limits.cpu_ms)
CALL_GETTER(uint64_t, result_limit, result_limit)
CALL_GETTER(aard_cancel_handle *, cancel_handle, cancel)
CALL_GETTER(void *, user, user)
CALL_GETTER(bool, capture, capture)
CALL_GETTER(bool, rollback, rollback)
CALL_GETTER(aard_source_kind, source_kind, kind)
CALL_GETTER(size_t, argument_count, arguments.count)

/* ---- lists --------------------------------------------------------------------------------------------------- */

static const char *text_at(const aard__texts *texts, size_t index)
{
    return index < texts->count ? texts->items[index] : NULL;
}

const char *aard_isolate_config_mount(const aard_isolate_config *config, size_t index, aard_filesystem_mode *mode)
{
    const aard__mount *mount = config && index < config->hooks.mounts.count ? config->hooks.mounts.list[index] : NULL;
    if (mode) *mode = mount ? aard__mount_mode(mount) : (aard_filesystem_mode)0;
    return mount ? aard__mount_place(mount) : NULL;
}

const char *aard_isolate_config_capability(const aard_isolate_config *config, size_t index)
{
    return config ? text_at(&config->settings.capabilities, index) : NULL;
}

const char *aard_isolate_config_package(const aard_isolate_config *config, size_t index)
{
    return config ? text_at(&config->settings.packages, index) : NULL;
}

const char *aard_isolate_config_env(const aard_isolate_config *config, size_t index)
{
    return config ? text_at(&config->settings.environment, index) : NULL;
}

const char *aard_isolate_config_host(const aard_isolate_config *config, size_t index)
{
    return config && index < config->settings.network.hosts.count ? config->settings.network.hosts.patterns[index]
                                                                  : NULL;
}

const char *aard_call_argument(const aard_call *call, size_t index)
{
    return call ? text_at(&call->arguments, index) : NULL;
}

/* ---- what is more than a member ---------------------------------------------------------------------------------- */

void aard_isolate_config_filesystem(const aard_isolate_config *config, aard_filesystem_mode *mode,
                                    uint64_t *quota_bytes, uint64_t *max_files, uint64_t *max_handles)
{
    const aard__file_rules rules = config ? config->settings.file_rules : (aard__file_rules){.bytes = 0};
    if (mode) *mode = rules.mode;
    if (quota_bytes) *quota_bytes = rules.bytes;
    if (max_files) *max_files = rules.files;
    if (max_handles) *max_handles = rules.handles;
}

bool aard_isolate_config_network(const aard_isolate_config *config)
{
    return config && !config->settings.network.closed;
}

bool aard_isolate_config_https_only(const aard_isolate_config *config, bool *https_only)
{
    bool says = config && config->settings.network.says_https_only;
    if (says && https_only) *https_only = config->settings.network.https_only;
    return says;
}

uint64_t aard_isolate_config_network_limit(const aard_isolate_config *config, aard_network_limit which)
{
    if (!config) return 0;
    switch (which) {
#define GET(constant, member)                                                                                          \
    case constant: return config->settings.network.limits.member;
        AARD_NETWORK_LIMIT_MAP(GET)
#undef GET
    default: return 0;
    }
}

aard_stream_callback aard_isolate_config_stream_callback(const aard_isolate_config *config, void **user)
{
    const aard__listener *listener = config ? config->hooks.listener : NULL;
    if (user) *user = listener ? listener->user.pointer : NULL;
    return listener ? listener->callback : NULL;
}

void *aard_isolate_config_user(const aard_isolate_config *config)
{
    return config && config->hooks.user ? config->hooks.user->pointer : NULL;
}

static const char *bytes(const char *data, size_t have, size_t *len)
{
    if (len) *len = data ? have : 0;
    return data;
}

const char *aard_call_input_json(const aard_call *call, size_t *len)
{
    return bytes(call ? call->input : NULL, call ? call->input_len : 0, len);
}

const char *aard_call_stdin(const aard_call *call, size_t *len)
{
    return bytes(call ? call->stdin_data : NULL, call ? call->stdin_len : 0, len);
}
