/* An isolate's place on the network: what its host set and what its bundle asks for, the tighter of the two. */
#include <aardvark/manifest.h>

#include "worker/worker_impl.h"

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

aard_error *aard__worker_hosts_of(const aard_bundle *bundle, aard__host_list *out)
{
    return copy_hosts(bundle ? aard_bundle_manifest(bundle) : NULL, out);
}

void aard__worker_set_network(aard__worker *worker, const aard_bundle *bundle, aard__host_list *hosts)
{
    const aard__config_network *host = &worker->config->settings.network;
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    aard__host_list_free(&worker->bundle_hosts);
    worker->bundle_hosts = *hosts;
    *hosts = (aard__host_list){0};
    bool host_wants_https = host->says_https_only ? host->https_only : !manifest;
    worker->network = (aard__network_policy){
        .closed = host->closed,
        .host = host->hosts.count ? &host->hosts : NULL,
        .bundle = manifest ? &worker->bundle_hosts : NULL,
        .https_only = host_wants_https || (manifest && aard_manifest_https_only(manifest)),
        .private_addresses = host->private_addresses,
        .limits = host->limits,
        .ca_file = host->ca_file,
    };
    if (!manifest) return;
    aard__network_limits *limits = &worker->network.limits;
    limits->request_bytes = tighter(limits->request_bytes, aard_manifest_max_request_bytes(manifest));
    limits->response_bytes = tighter(limits->response_bytes, aard_manifest_max_response_bytes(manifest));
    limits->timeout_ms = tighter(limits->timeout_ms, aard_manifest_network_timeout_ms(manifest));
}
