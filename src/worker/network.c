/* An isolate's place on the network. */
#include "worker/worker_impl.h"

void aard__worker_set_network(aard__worker *worker, const aard_bundle *bundle, aard__host_list *hosts)
{
    aard__host_list_free(&worker->bundle_hosts);
    worker->bundle_hosts = *hosts;
    *hosts = (aard__host_list){0};
    aard__config_network_policy(worker->config, bundle, &worker->bundle_hosts, &worker->network);
}

bool aard__worker_needs_outside(const aard__worker *worker)
{
    const aard__network_policy *policy = &worker->network;
    bool hosts = policy->host ? policy->host->count > 0 : policy->bundle != NULL;
    bool reaches = !policy->closed && hosts && (!policy->bundle || policy->bundle->count);
    return reaches || worker->config->hooks.mounts.count;
}
