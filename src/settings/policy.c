/* What a guest may do: what its host set and what its bundle asks for, the tighter of the two. */
#include <aardvark/manifest.h>

#include "settings/config.h"

static uint64_t tighter(uint64_t limit, uint64_t other) { return other && other < limit ? other : limit; }

static const aard_manifest *manifest_of(const aard_bundle *bundle)
{
    return bundle ? aard_bundle_manifest(bundle) : NULL;
}

aard__file_rules aard__bundle_file_rules(const aard__file_rules *host, const aard_bundle *bundle)
{
    const aard_manifest *manifest = manifest_of(bundle);
    if (!manifest) return *host;
    return aard__file_rules_tighten(host, aard_manifest_filesystem_mode(manifest),
                                    aard_manifest_filesystem_quota_bytes(manifest));
}

aard_error *aard__config_hosts_of(const aard_bundle *bundle, aard__host_list *out)
{
    const aard_manifest *manifest = manifest_of(bundle);
    size_t count = manifest && aard_manifest_has_network(manifest) ? aard_manifest_allow_host_count(manifest) : 0;
    for (size_t i = 0; i < count; i++) {
        aard_error *error = aard__host_list_add(out, aard_manifest_allow_host(manifest, i));
        if (!error) continue;
        aard__host_list_free(out);
        return error;
    }
    return NULL;
}

void aard__config_network_policy(const aard_isolate_config *config, const aard_bundle *bundle,
                                 const aard__host_list *bundle_hosts, aard__network_policy *out)
{
    const aard__config_network *host = &config->settings.network;
    const aard_manifest *manifest = manifest_of(bundle);
    bool host_wants_https = host->says_https_only ? host->https_only : !manifest;
    *out = (aard__network_policy){
        .closed = host->closed,
        .host = host->hosts.count ? &host->hosts : NULL,
        .bundle = manifest ? bundle_hosts : NULL,
        .https_only = host_wants_https || (manifest && aard_manifest_https_only(manifest)),
        .private_addresses = host->private_addresses,
        .limits = host->limits,
        .ca_file = host->ca_file,
    };
    if (!manifest) return;
    out->limits.request_bytes = tighter(out->limits.request_bytes, aard_manifest_max_request_bytes(manifest));
    out->limits.response_bytes = tighter(out->limits.response_bytes, aard_manifest_max_response_bytes(manifest));
    out->limits.timeout_ms = tighter(out->limits.timeout_ms, aard_manifest_network_timeout_ms(manifest));
}
