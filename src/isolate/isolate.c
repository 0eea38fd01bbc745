/* The public isolate: owns a guest, replaces it when it is broken, and gives every call an outcome. */
#include "isolate/isolate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "distribution/distribution.h"
#include "isolate/packages.h"
#include "isolate/warm_state.h"

static atomic_uint_fast64_t last_id;

/* ---- life ----------------------------------------------------------------------------------------------------- */

aard_error *aard__isolate_boot(aard_isolate *isolate, aard_bundle *bundle)
{
    const aard_isolate_config *config = isolate->config;
    aard__guest_options options = {
        .language = config->language,
        .distribution = config->distribution,
        .warm = isolate->kept ? isolate->kept : config->warm,
        .config = config,
        .grants_javascript = aard__config_grants(config, "js"),
        .grants_code = aard__config_grants(config, "codegen"),
        .streams = {.limit = config->output_limit,
                    .callback = config->listener ? config->listener->callback : NULL,
                    .user = config->listener ? config->listener->user : NULL},
    };
    aard__guest *guest;
    AARD__TRY(aard__guest_new(&options, &guest));
    aard__vm_enter(guest->vm);
    aard_error *error = bundle ? aard__packages_load(guest, bundle) : NULL;
    if (!error && bundle) error = aard__guest_mount(guest, bundle);
    aard__vm_leave(guest->vm);
    if (error) {
        aard__guest_free(guest);
        return error;
    }
    aard__guest_free(isolate->guest);
    isolate->guest = guest;
    isolate->soiled = isolate->used = false;
    isolate->generation++;
    isolate->watch = (aard__watch){.fire = aard__guest_stop, .user = guest};
    aard__handlers_forget(isolate);
    aard__vm_enter(guest->vm);
    aard__isolate_renew_checkpoint(isolate);
    aard__vm_leave(guest->vm);
    return NULL;
}

aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out)
{
    if (config && config->isolation == AARD_ISOLATION_PROCESS)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "isolation 'process' is not part of this version; use isolation 'thread'");
    aard_isolate *isolate = aard__calloc(1, sizeof *isolate);
    if (!isolate) return aard__error_no_memory();
    atomic_flag_clear(&isolate->busy);
    isolate->id = atomic_fetch_add(&last_id, 1) + 1;
    aard_error *error = aard__config_copy(config, &isolate->config);
    if (!error) error = aard__warm_state_fits(isolate->config);
    if (!error && isolate->config->language == AARD_LANGUAGE_PYTHON && !isolate->config->distribution)
        error = aard_distribution_open(NULL, &isolate->config->distribution);
    isolate->resettable = !error && isolate->config->cleanup == AARD_CLEANUP_FULL;
    if (!error) error = aard__isolate_set_network(isolate, NULL);
    if (!error) error = aard__isolate_boot(isolate, NULL);
    if (error) {
        aard_isolate_free(isolate);
        return error;
    }
    *out = isolate;
    return NULL;
}

void aard_isolate_free(aard_isolate *isolate)
{
    if (!isolate) return;
    aard__guest_free(isolate->guest);
    aard_bundle_free(isolate->bundle);
    aard_warm_state_free(isolate->kept);
    aard__host_list_free(&isolate->bundle_hosts);
    aard_isolate_config_free(isolate->config);
    aard__free(isolate);
}

aard_error *aard__isolate_claim(aard_isolate *isolate)
{
    if (!atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire)) return NULL;
    return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                       (unsigned long long)isolate->id);
}

void aard__isolate_release(aard_isolate *isolate) { atomic_flag_clear_explicit(&isolate->busy, memory_order_release); }

/* ---- the guest outside of calls -------------------------------------------------------------------------------- */

aard_error *aard__isolate_arm(aard_isolate *isolate, uint64_t limit_ms)
{
    uint64_t span = limit_ms > UINT64_MAX / 4000000 ? UINT64_MAX / 4 : limit_ms * 1000000;
    return limit_ms ? aard__watch_arm(&isolate->watch, aard__clock_monotonic() + span) : NULL;
}

aard_error *aard__isolate_enter(aard_isolate *isolate)
{
    AARD__TRY(aard__isolate_arm(isolate, isolate->config->wall_limit_ms));
    aard__vm_enter(isolate->guest->vm);
    return NULL;
}

void aard__isolate_leave(aard_isolate *isolate, bool torn)
{
    aard__guest *guest = isolate->guest;
    torn = aard__watch_disarm(&isolate->watch) || torn;
    aard__vm_leave(guest->vm);
    if (!torn) return;
    isolate->guest = NULL;
    aard__guest_free(guest);
}

/* ---- bundles -------------------------------------------------------------------------------------------------- */

static aard_error *fits(const aard_isolate *isolate, const aard_bundle *bundle)
{
    AARD__TRY(aard__warm_state_takes(isolate->config->warm, bundle));
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest) return NULL;
    bool python = isolate->config->language == AARD_LANGUAGE_PYTHON;
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

/* Gives the guest that is there another bundle.  One that can't take it is gone afterwards, without an error. */
static aard_error *exchange_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(aard__isolate_enter(isolate));
    bool torn = false;
    aard_error *error = aard__packages_load(isolate->guest, bundle);
    if (!error) {
        error = aard__guest_mount(isolate->guest, bundle);
        torn = error != NULL;
    }
    if (!error && !isolate->used) aard__isolate_renew_checkpoint(isolate);
    aard__isolate_leave(isolate, torn);
    if (isolate->guest) return error;
    aard_error_free(error);
    return NULL;
}

static aard_error *load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(fits(isolate, bundle));
    /* Neither modules nor what scripts declare can be taken out of a realm of JavaScript; a new one costs little. */
    bool fresh = isolate->bundle && isolate->config->language == AARD_LANGUAGE_JAVASCRIPT;
    if (isolate->kept) { /* nothing of the checkpoint stays */
        aard_warm_state_free(isolate->kept);
        isolate->kept = NULL;
        aard__guest_free(isolate->guest);
        isolate->guest = NULL;
    }
    if (isolate->guest && (fresh || isolate->soiled)) AARD__TRY(aard__isolate_full_reset(isolate));
    if (isolate->guest) AARD__TRY(exchange_bundle(isolate, bundle));
    if (!isolate->guest) AARD__TRY(aard__isolate_boot(isolate, bundle));
    AARD__TRY(aard__isolate_set_network(isolate, bundle));
    aard_bundle_free(isolate->bundle);
    isolate->bundle = aard_bundle_retain(bundle);
    isolate->generation++;
    aard__handlers_forget(isolate); /* those of the bundle before must be looked up anew */
    if (isolate->guest && isolate->used) isolate->guest->can_reset = false; /* its checkpoint has another bundle */
    return NULL;
}

aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = load_bundle(isolate, bundle);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard__isolate_work(aard_isolate *isolate, aard__guest_work work, void *user)
{
    AARD__TRY(aard__isolate_ensure_guest(isolate));
    AARD__TRY(aard__isolate_enter(isolate));
    bool torn = false;
    aard_error *error = work(isolate->guest, user, &torn);
    aard__isolate_leave(isolate, torn);
    if (!error && !isolate->guest)
        error = aard__error(AARD_ERR_WARM_CAPTURE, "the guest was stopped: it took longer than its limit");
    return error;
}
