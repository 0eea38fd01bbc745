/* An isolate's place on the network: what its host set and what its bundle asks for, the tighter of the two. */
#include <aardvark/network.h>
#include <string.h>

#include "base/alloc.h"
#include "bundle/manifest_text.h"
#include "worker/isolate.h"

/* ---- what the host sets ----------------------------------------------------------------------------------------- */

void aard_isolate_config_set_network(aard_isolate_config *config, bool open)
{
    if (config) config->network.closed = !open;
}

aard_error *aard_isolate_config_allow_host(aard_isolate_config *config, const char *pattern)
{
    AARD__NEED(config);
    AARD__NEED(pattern);
    char *host = NULL;
    const char *rule = aard__text_host(pattern, strlen(pattern), &host);
    if (rule) return aard__error(AARD_ERR_INVALID_ARGUMENT, "the host '%s' %s", pattern, rule);
    aard_error *error = host ? aard__host_list_add(&config->network.hosts, host) : aard__error_no_memory();
    aard__free(host);
    return error;
}

void aard_isolate_config_set_https_only(aard_isolate_config *config, bool https_only)
{
    if (!config) return;
    config->network.says_https_only = true;
    config->network.https_only = https_only;
}

void aard_isolate_config_allow_private_addresses(aard_isolate_config *config, bool allow)
{
    if (!config) return;
    config->network.private_addresses = allow;
}

aard_error *aard_isolate_config_set_ca_file(aard_isolate_config *config, const char *path)
{
    AARD__NEED(config);
    char *copy = path ? aard__strdup(path) : NULL;
    if (path && !copy) return aard__error_no_memory();
    aard__free(config->network.ca_file);
    config->network.ca_file = copy;
    return NULL;
}

void aard_isolate_config_set_network_limit(aard_isolate_config *config, aard_network_limit which, uint64_t value)
{
    if (!config) return;
    switch (which) {
#define SET(constant, member)                                                                                          \
    case constant: config->network.limits.member = value ? value : aard__network_defaults.member; break;
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

/* ---- what comes of it ------------------------------------------------------------------------------------------- */

static uint64_t tighter(uint64_t limit, uint64_t other) { return other && other < limit ? other : limit; }

static aard_error *copy_hosts(const aard_manifest *manifest, aard__host_list *out)
{
    size_t count = manifest && aard_manifest_has_network(manifest) ? aard_manifest_allow_host_count(manifest) : 0;
    for (size_t i = 0; i < count; i++) {
        aard_error *error = aard__host_list_add(out, aard_manifest_allow_host(manifest, i));
        if (!error) continue;
        aard__host_list_free(out);
        return error;
    }
    return NULL;
}

aard_error *aard__isolate_hosts_of(const aard_bundle *bundle, aard__host_list *out)
{
    return copy_hosts(bundle ? aard_bundle_manifest(bundle) : NULL, out);
}

void aard__isolate_set_network(aard_isolate *isolate, const aard_bundle *bundle, aard__host_list *hosts)
{
    const aard__config_network *host = &isolate->config->network;
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    aard__host_list_free(&isolate->bundle_hosts);
    isolate->bundle_hosts = *hosts;
    *hosts = (aard__host_list){0};
    bool host_wants_https = host->says_https_only ? host->https_only : !manifest;
    isolate->network = (aard__network_policy){
        .closed = host->closed,
        .host = host->hosts.count ? &host->hosts : NULL,
        .bundle = manifest ? &isolate->bundle_hosts : NULL,
        .https_only = host_wants_https || (manifest && aard_manifest_https_only(manifest)),
        .private_addresses = host->private_addresses,
        .limits = host->limits,
        .ca_file = host->ca_file,
    };
    if (!manifest) return;
    aard__network_limits *limits = &isolate->network.limits;
    limits->request_bytes = tighter(limits->request_bytes, aard_manifest_max_request_bytes(manifest));
    limits->response_bytes = tighter(limits->response_bytes, aard_manifest_max_response_bytes(manifest));
    limits->timeout_ms = tighter(limits->timeout_ms, aard_manifest_network_timeout_ms(manifest));
}
