/* A bundle takes the place of the one that the guest has. */
#include <string.h>

#include "guest/python/packages.h"
#include "guest/python/warm_state.h"
#include "worker/isolate.h"

static aard_error *fits(const aard_isolate *isolate, const aard_bundle *bundle)
{
    AARD__TRY(aard__warm_state_takes(isolate->config->warm, bundle));
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest) return NULL;
    bool python = isolate->config->settings.language == AARD_LANGUAGE_PYTHON;
    if ((aard_manifest_language(manifest) == AARD_LANGUAGE_PYTHON) != python)
        return aard__error(AARD_ERR_MANIFEST_LANGUAGE, "the bundle is %s and the isolate runs %s",
                           python ? "JavaScript" : "Python", python ? "Python" : "JavaScript");
    const char *wanted = aard_manifest_pyodide_version(manifest);
    const char *have = python ? aard_distribution_pyodide_version(isolate->config->distribution) : NULL;
    if (wanted && have && strcmp(wanted, have))
        return aard__error(AARD_ERR_MANIFEST_PYODIDE_VERSION,
                           "the bundle wants Pyodide %s and the distribution in '%s' is %s; stage the other version",
                           wanted, aard_distribution_dir(isolate->config->distribution), have);
    return NULL;
}

typedef struct exchange {
    aard_bundle *bundle;
    aard_error *error;
} exchange;

static bool take_bundle(aard_isolate *isolate, void *user)
{
    exchange *e = user;
    e->error = aard__packages_load(isolate->guest, e->bundle);
    if (e->error) return true;
    e->error = aard__guest_mount(isolate->guest, e->bundle);
    isolate->remembered = isolate->guest->can_reset = false; /* its checkpoint has another bundle */
    return !e->error;
}

/* Gives the guest that is there another bundle.  One that can't take it is gone afterwards, without an error. */
static aard_error *exchange_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    exchange e = {.bundle = bundle};
    AARD__TRY(aard__isolate_do(isolate, take_bundle, &e));
    if (isolate->guest) return e.error;
    aard_error_free(e.error);
    return NULL;
}

/* Puts the bundle into the guest, which may be another afterwards. */
static aard_error *place_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    /* Neither modules nor what scripts declare can be taken out of a realm of JavaScript; a new one costs little. */
    bool fresh = isolate->bundle && isolate->config->settings.language == AARD_LANGUAGE_JAVASCRIPT;
    aard__isolate_drop_ahead(isolate); /* it is of the bundle before */
    if (isolate->kept) {               /* nothing of the checkpoint stays */
        aard_warm_state_free(isolate->kept);
        isolate->kept = NULL;
        aard__isolate_drop_guest(isolate);
    }
    if (isolate->guest && (fresh || isolate->soiled)) AARD__TRY(aard__isolate_full_reset(isolate));
    if (isolate->guest) AARD__TRY(exchange_bundle(isolate, bundle));
    return isolate->guest ? NULL : aard__isolate_boot(isolate, bundle);
}

aard_error *aard__isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    aard__host_list hosts = {0};
    AARD__TRY(fits(isolate, bundle));
    AARD__TRY(aard__isolate_hosts_of(bundle, &hosts)); /* before the guest has anything of it */
    aard_error *error = place_bundle(isolate, bundle);
    if (error) {
        aard__host_list_free(&hosts);
        return error;
    }
    aard__isolate_set_network(isolate, bundle, &hosts);
    aard_bundle_free(isolate->bundle);
    isolate->bundle = aard_bundle_retain(bundle);
    isolate->generation++;
    aard__handlers_forget(isolate); /* those of the bundle before must be looked up anew */
    return NULL;
}
