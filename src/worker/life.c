/* A worker and its guest: made, and dropped where they are of no use any more. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"
#include "guest/javascript/javascript.h"
#include "guest/python/packages.h"
#include "guest/python/python.h"
#include "worker/worker_impl.h"

/* Gives a new guest its bundle, where there is one. */
static aard_error *furnish(aard__guest *guest, void *user)
{
    aard_bundle *bundle = user;
    AARD__TRY(aard__packages_load(guest, bundle));
    return bundle ? aard__guest_mount(guest, bundle) : NULL;
}

static aard_error *make_guest(const aard__worker *worker, aard_bundle *bundle, aard__guest **out)
{
    const aard_isolate_config *config = worker->config;
    uint64_t limit = config->settings.startup_limit_ms, now = aard__clock_monotonic();
    aard__guest_options options = {
        .ops = config->settings.language == AARD_LANGUAGE_JAVASCRIPT ? &aard__javascript : &aard__python,
        .distribution = config->distribution,
        .warm = worker->kept ? worker->kept : config->warm,
        .config = config,
        .isolate_id = worker->id,
        .grants_engine_objects = aard__config_grants(config, "js"),
        .grants_code = aard__config_grants(config, "codegen"),
        .streams = {.limit = config->settings.output_limit,
                    .callback = config->hooks.listener ? config->hooks.listener->callback : NULL,
                    .user = config->hooks.listener ? config->hooks.listener->user.pointer : NULL},
        .heap_limit = config->settings.heap_limit,
        .engine_heap_limit = config->settings.engine_heap_limit,
        .buffer_limit = config->settings.buffer_limit,
        .deadline = !limit                         ? 0
                    : limit > UINT64_MAX / 4000000 ? UINT64_MAX / 2
                                                   : now + limit * 1000000,
    };
    aard__guest *guest;
    AARD__TRY(aard__guest_new(&options, &guest));
    aard_error *error = bundle || aard__packages_wanted(config)
                            ? aard__guest_run_start(guest, options.deadline, furnish, bundle)
                            : NULL;
    if (error)
        aard__guest_free(guest);
    else
        *out = guest;
    return error;
}

aard_error *aard__worker_new(aard_isolate_config *config, uint64_t id, aard__worker **out)
{
    aard__worker *worker = aard__calloc(1, sizeof *worker);
    if (!worker) return aard__error_no_memory();
    worker->config = config;
    worker->id = id;
    worker->resettable = config->settings.cleanup == AARD_CLEANUP_FULL;
    aard__worker_set_network(worker, NULL, &(aard__host_list){0});
    aard_error *error = aard__worker_boot(worker, NULL);
    if (error)
        aard__worker_free(worker);
    else
        *out = worker;
    return error;
}

void aard__worker_free(aard__worker *worker)
{
    if (!worker) return;
    aard__guest_free(worker->guest);
    aard__handlers_free(worker);
    aard_bundle_free(worker->bundle);
    aard_warm_state_free(worker->kept);
    aard__host_list_free(&worker->bundle_hosts);
    aard__free(worker);
}

aard_error *aard__worker_boot(aard__worker *worker, aard_bundle *bundle)
{
    aard__guest *guest;
    bool javascript = worker->config->settings.language == AARD_LANGUAGE_JAVASCRIPT;
    aard__span span = aard__trace_begin("boot", worker->id, javascript ? "javascript" : "python");
    aard_error *error = make_guest(worker, bundle, &guest);
    aard__trace_end_with(&span, error);
    if (error) return error;
    aard__guest_free(worker->guest);
    worker->guest = guest;
    worker->dirty = worker->used = worker->stepped = worker->remembered = worker->ahead.standby = worker->ahead.taken =
        false;
    worker->generation++;
    worker->budget = (aard__budget){.stop = aard__guest_stop, .user = guest};
    aard__handlers_forget(worker);
    aard__handlers_unpark(worker);
    return NULL;
}

bool aard__worker_is_whole(const aard__worker *worker) { return worker->guest && !worker->dirty; }

void aard__worker_drop_guest(aard__worker *worker)
{
    aard__guest *guest = worker->guest;
    worker->guest = NULL;
    worker->ahead.standby = worker->ahead.taken = false;
    aard__handlers_unpark(worker);
    aard__guest_free(guest);
}
