/* The guest of an isolate: made, and dropped where it is of no use any more. */
#include "base/clock.h"
#include "guest/javascript/javascript.h"
#include "guest/python/packages.h"
#include "guest/python/python.h"
#include "worker/isolate.h"

/* Gives a new guest its bundle, where there is one. */
static aard_error *furnish(aard__guest *guest, void *user)
{
    aard_bundle *bundle = user;
    AARD__TRY(aard__packages_load(guest, bundle));
    return bundle ? aard__guest_mount(guest, bundle) : NULL;
}

static aard_error *make_guest(const aard_isolate *isolate, aard_bundle *bundle, aard__guest **out)
{
    const aard_isolate_config *config = isolate->config;
    uint64_t limit = config->settings.startup_limit_ms, now = aard__clock_monotonic();
    aard__guest_options options = {
        .ops = config->settings.language == AARD_LANGUAGE_JAVASCRIPT ? &aard__javascript : &aard__python,
        .distribution = config->distribution,
        .warm = isolate->kept ? isolate->kept : config->warm,
        .config = config,
        .isolate_id = isolate->id,
        .grants_javascript = aard__config_grants(config, "js"),
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

aard_error *aard__isolate_boot(aard_isolate *isolate, aard_bundle *bundle)
{
    aard__guest *guest;
    AARD__TRY(make_guest(isolate, bundle, &guest));
    aard__guest_free(isolate->guest);
    isolate->guest = guest;
    isolate->soiled = isolate->used = isolate->remembered = isolate->ahead.spare = isolate->ahead.taken = false;
    isolate->generation++;
    isolate->budget = (aard__budget){.stop = aard__guest_stop, .user = guest};
    aard__handlers_forget(isolate);
    return NULL;
}

void aard__isolate_drop_guest(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    isolate->guest = NULL;
    isolate->ahead.spare = isolate->ahead.taken = false;
    aard__guest_free(guest);
}
