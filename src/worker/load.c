/* A bundle takes the place of the one that the guest has. */
#include <string.h>

#include "guest/python/packages.h"
#include "guest/python/warm_state.h"
#include "worker/worker_impl.h"

static aard_error *fits(const aard__worker *worker, const aard_bundle *bundle)
{
    AARD__TRY(aard__warm_state_takes(worker->config->warm, bundle));
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest) return NULL;
    bool python = worker->config->settings.language == AARD_LANGUAGE_PYTHON;
    if ((aard_manifest_language(manifest) == AARD_LANGUAGE_PYTHON) != python)
        return aard__error(AARD_ERR_MANIFEST_LANGUAGE, "the bundle is %s and the isolate runs %s",
                           python ? "JavaScript" : "Python", python ? "Python" : "JavaScript");
    const char *wanted = aard_manifest_pyodide_version(manifest);
    const char *have = python ? aard_distribution_pyodide_version(worker->config->distribution) : NULL;
    if (wanted && have && strcmp(wanted, have))
        return aard__error(
            AARD_ERR_MANIFEST_PYODIDE_VERSION,
            "the bundle requires Pyodide %s, and the distribution in '%s' has %s; stage the other version", wanted,
            aard_distribution_dir(worker->config->distribution), have);
    return NULL;
}

typedef struct exchange {
    aard_bundle *bundle;
    aard_error *error;
} exchange;

static bool take_bundle(aard__worker *worker, void *user)
{
    exchange *e = user;
    e->error = aard__packages_load(worker->guest, e->bundle);
    if (e->error) return true;
    e->error = aard__guest_mount(worker->guest, e->bundle);
    worker->remembered = false; /* its checkpoint has another bundle */
    return !e->error;
}

/* Gives the guest that is there another bundle.  One that can't take it is gone afterwards, without an error. */
static aard_error *exchange_bundle(aard__worker *worker, aard_bundle *bundle)
{
    exchange e = {.bundle = bundle};
    AARD__TRY(aard__worker_do(worker, take_bundle, &e));
    if (worker->guest) return e.error;
    aard_error_free(e.error);
    return NULL;
}

/* Puts the bundle into the guest, which may be another afterwards. */
static aard_error *place_bundle(aard__worker *worker, aard_bundle *bundle)
{
    /* Neither modules nor what scripts declare can be taken out of a realm of JavaScript; a new one costs little. */
    bool fresh = worker->bundle && worker->config->settings.language == AARD_LANGUAGE_JAVASCRIPT;
    aard__worker_drop_ahead(worker); /* it is of the bundle before */
    if (worker->kept) {              /* nothing of the checkpoint stays */
        aard_warm_state_free(worker->kept);
        worker->kept = NULL;
        aard__worker_drop_guest(worker);
    }
    if (worker->guest && (fresh || worker->dirty)) AARD__TRY(aard__worker_full_reset(worker));
    if (worker->guest) AARD__TRY(exchange_bundle(worker, bundle));
    return worker->guest ? NULL : aard__worker_boot(worker, bundle);
}

aard_error *aard__worker_load_bundle(aard__worker *worker, aard_bundle *bundle)
{
    aard__host_list hosts = {0};
    AARD__TRY(fits(worker, bundle));
    AARD__TRY(aard__config_hosts_of(bundle, &hosts)); /* before the guest has anything of it */
    aard_error *error = place_bundle(worker, bundle);
    if (error) {
        aard__host_list_free(&hosts);
        return error;
    }
    aard__worker_set_network(worker, bundle, &hosts);
    aard_bundle_free(worker->bundle);
    worker->bundle = aard_bundle_retain(bundle);
    worker->generation++;
    aard__handlers_forget(worker); /* those of the bundle before must be looked up anew */
    return NULL;
}
