/* What a host sets about the network. */
#include <aardvark/network.h>
#include <string.h>

#include "base/alloc.h"
#include "policy/host_pattern.h"
#include "settings/config.h"

/* ---- what the host sets ----------------------------------------------------------------------------------------- */

void aard_isolate_config_set_network(aard_isolate_config *config, bool open)
{
    if (config) config->settings.network.closed = !open;
}

aard_error *aard_isolate_config_allow_host(aard_isolate_config *config, const char *pattern)
{
    AARD__NEED(config);
    AARD__NEED(pattern);
    char *host = NULL;
    const char *rule = aard__host_pattern_read(pattern, strlen(pattern), &host);
    if (rule) return aard__error(AARD_ERR_INVALID_ARGUMENT, "the host '%s' %s", pattern, rule);
    aard_error *error = host ? aard__host_list_add(&config->settings.network.hosts, host) : aard__error_no_memory();
    aard__free(host);
    return error;
}

void aard_isolate_config_set_https_only(aard_isolate_config *config, bool https_only)
{
    if (!config) return;
    config->settings.network.says_https_only = true;
    config->settings.network.https_only = https_only;
}

void aard_isolate_config_set_private_addresses(aard_isolate_config *config, bool allow)
{
    if (!config) return;
    config->settings.network.private_addresses = allow;
}

aard_error *aard_isolate_config_set_ca_file(aard_isolate_config *config, const char *path)
{
    AARD__NEED(config);
    char *copy = path ? aard__strdup(path) : NULL;
    if (path && !copy) return aard__error_no_memory();
    aard__free(config->settings.network.ca_file);
    config->settings.network.ca_file = copy;
    return NULL;
}

void aard_isolate_config_set_network_limit(aard_isolate_config *config, aard_network_limit which, uint64_t value)
{
    if (!config) return;
    switch (which) {
#define SET(constant, member)                                                                                          \
    case constant: config->settings.network.limits.member = value ? value : aard__network_defaults.member; break;
        AARD_NETWORK_LIMIT_MAP(SET)
#undef SET
    default:
        if (!config->invalid) config->invalid = "network limit";
    }
}

void aard__config_network_free(aard__config_network *network)
{
    aard__host_list_free(&network->hosts);
    aard__free(network->ca_file);
}

aard_error *aard__config_network_copy(const aard__config_network *network, aard__config_network *out)
{
    aard__config_network copy = *network;
    copy.hosts = (aard__host_list){0};
    copy.ca_file = network->ca_file ? aard__strdup(network->ca_file) : NULL;
    aard_error *error = network->ca_file && !copy.ca_file ? aard__error_no_memory() : NULL;
    for (size_t i = 0; i < network->hosts.count && !error; i++)
        error = aard__host_list_add(&copy.hosts, network->hosts.patterns[i]);
    if (error)
        aard__config_network_free(&copy);
    else
        *out = copy;
    return error;
}
