/* The public isolate: checks what it is given, claims itself, and has its executor answer. */
#include "isolate/isolate_impl.h"

#include <aardvark/warm.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/process.h"
#include "engine/engine.h"
#include "guest/python/warm_state.h"

static atomic_uint_fast64_t last_id;

/* The isolate's own configuration, checked, with a distribution where it needs one. */
static aard_error *take_config(const aard_isolate_config *from, aard_isolate_config **out)
{
    AARD__TRY(aard__config_copy(from, out));
    AARD__TRY(aard__config_check(*out));
    AARD__TRY(aard__config_check_limits(*out));
    AARD__TRY(aard__hardening_possible(*out));
    AARD__TRY(aard__warm_state_fits(*out));
    if ((*out)->settings.language != AARD_LANGUAGE_PYTHON || (*out)->distribution) return NULL;
    return aard_distribution_open(NULL, &(*out)->distribution);
}

aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out)
{
    AARD__NEED(out);
    if (aard__forked()) return aard__error_forked();
    AARD__TRY(aard__hash_start_library());
    aard_isolate *isolate = aard__calloc(1, sizeof *isolate);
    if (!isolate) return aard__error_no_memory();
    atomic_flag_clear(&isolate->busy);
    isolate->id = atomic_fetch_add(&last_id, 1) + 1;
    aard_error *error = take_config(config, &isolate->config);
    if (!error)
        error = (isolate->config->settings.isolation == AARD_ISOLATION_PROCESS
                     ? aard__executor_in_process
                     : aard__executor_in_thread)(isolate->config, isolate->id, &isolate->executor);
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
    if (isolate->executor) isolate->executor->ops->close(isolate->executor);
    aard__handlers_orphan(isolate);
    aard_isolate_config_free(isolate->config);
    aard__free(isolate);
}

void aard_isolates_abandoned(uint64_t *abandoned, uint64_t *unfreeable)
{
    aard__abandoned counts = aard__engine_abandoned();
    if (abandoned) *abandoned = counts.abandoned;
    if (unfreeable) *unfreeable = counts.unfreeable;
}

static aard_error *request_verb(aard_isolate *isolate, aard__verb verb)
{
    aard__response response = {.outcome = NULL};
    return aard__isolate_request(isolate, &(aard__request){.verb = verb}, &response);
}

aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    aard__response response = {.outcome = NULL};
    AARD__NEED(isolate);
    AARD__NEED(bundle);
    return aard__isolate_request(isolate, &(aard__request){.verb = AARD__LOAD_BUNDLE, .bundle = bundle}, &response);
}

aard_error *aard_isolate_reset(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    AARD__TRY(request_verb(isolate, AARD__RESET));
    atomic_store_explicit(&isolate->steps, 0, memory_order_relaxed);
    return NULL;
}

aard_error *aard_isolate_checkpoint(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    return request_verb(isolate, AARD__CHECKPOINT);
}

aard_error *aard_isolate_prepare_reset(aard_isolate *isolate)
{
    AARD__NEED(isolate);
    return request_verb(isolate, AARD__PREPARE_RESET);
}

aard_error *aard_warm_state_capture(aard_isolate *isolate, aard_warm_state **out)
{
    aard__response response = {.warm = NULL};
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__TRY(aard__isolate_request(isolate, &(aard__request){.verb = AARD__CAPTURE}, &response));
    *out = response.warm;
    return NULL;
}

AARD__PROCESS_KEEPS(isolate_ids, "numbers of isolates: children count on from the same", "last_id");
