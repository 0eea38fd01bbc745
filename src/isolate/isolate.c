/* The public isolate: owns a guest, replaces it when it is broken, and gives every call an outcome. */
#include <aardvark/warm.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/thread.h"
#include "guest/python/warm_state.h"
#include "worker/isolate.h"

static atomic_uint_fast64_t last_id;

aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out)
{
    AARD__NEED(out);
    if (aard__forked()) return aard__error_forked();
    if (config && config->settings.isolation == AARD_ISOLATION_PROCESS)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "isolation 'process' is not part of this version; use isolation 'thread'");
    AARD__TRY(aard__hash_start_library());
    aard_isolate *isolate = aard__calloc(1, sizeof *isolate);
    if (!isolate) return aard__error_no_memory();
    atomic_flag_clear(&isolate->busy);
    isolate->id = atomic_fetch_add(&last_id, 1) + 1;
    aard_error *error = aard__config_copy(config, &isolate->config);
    if (!error) error = aard__config_check(isolate->config);
    if (!error) error = aard__config_check_limits(isolate->config);
    if (!error) error = aard__warm_state_fits(isolate->config);
    if (!error && isolate->config->settings.language == AARD_LANGUAGE_PYTHON && !isolate->config->distribution)
        error = aard_distribution_open(NULL, &isolate->config->distribution);
    isolate->resettable = !error && isolate->config->settings.cleanup == AARD_CLEANUP_FULL;
    if (!error) aard__isolate_set_network(isolate, NULL, &(aard__host_list){0});
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
    if (!isolate || aard__forked()) return; /* a copy of the parent's can't be freed */
    aard__guest_free(isolate->guest);
    isolate->guest = NULL;
    aard__handlers_orphan(isolate);
    aard_bundle_free(isolate->bundle);
    aard_warm_state_free(isolate->kept);
    aard__host_list_free(&isolate->bundle_hosts);
    aard_isolate_config_free(isolate->config);
    aard__free(isolate);
}

void aard_isolate_losses(uint64_t *left, uint64_t *abandoned)
{
    aard__losses losses = aard__engine_losses();
    if (left) *left = losses.lost;
    if (abandoned) *abandoned = losses.abandoned;
}

aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__NEED(isolate);
    AARD__NEED(bundle);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__isolate_load_bundle(isolate, bundle);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard_warm_state_capture(aard_isolate *isolate, aard_warm_state **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__warm_state_take(isolate, out);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard_isolate_reset(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    AARD__TRY(aard__isolate_claim(isolate));
    isolate->resettable = true;
    aard_error *error = aard__isolate_full_reset(isolate);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard_isolate_checkpoint(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__isolate_checkpoint(isolate);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard_isolate_prepare_reset(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__isolate_prepare_reset(isolate);
    aard__isolate_release(isolate);
    return error;
}
