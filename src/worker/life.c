/* The guest of an isolate: made, and dropped where it is of no use any more. */
#include <string.h>

#include "base/clock.h"
#include "guest/javascript/javascript.h"
#include "guest/python/packages.h"
#include "guest/python/python.h"
#include "worker/isolate.h"

typedef struct furnishing {
    aard__guest *guest;
    aard_bundle *bundle;
    aard_error *error;
} furnishing;

static void furnish(void *user)
{
    furnishing *f = user;
    f->error = aard__packages_load(f->guest, f->bundle);
    if (!f->error && f->bundle) f->error = aard__guest_mount(f->guest, f->bundle);
}

/* Gives a new guest its bundle. */
static aard_error *furnish_guest(aard__guest *guest, aard_bundle *bundle, uint64_t deadline)
{
    furnishing f = {.guest = guest, .bundle = bundle};
    aard__budget budget = {.stop = aard__guest_stop, .user = guest};
    uint64_t now = aard__clock_monotonic();
    aard__limits limits = {.wall_ms = !deadline ? 0 : deadline > now ? (deadline - now) / 1000000 + 1 : 1};
    AARD__TRY(aard__budget_arm(&budget, &limits, now, 0, NULL));
    aard_error *error = aard__guest_run(guest, furnish, &f);
    bool late = aard__budget_disarm(&budget) != AARD__CAUSE_NONE;
    if (error || (!late && !guest->lost)) return error ? error : f.error;
    aard_error_free(f.error);
    return aard__error(AARD_ERR_GUEST_BOOT, late ? "the guest did not start within its start-up limit; raise it"
                                                 : "the guest did not start: its heap limit is too low");
}

static aard_error *make_guest(const aard_isolate *isolate, aard_bundle *bundle, aard__guest **out)
{
    const aard_isolate_config *config = isolate->config;
    uint64_t limit = config->startup_limit_ms, now = aard__clock_monotonic();
    aard__guest_options options = {
        .ops = config->language == AARD_LANGUAGE_JAVASCRIPT ? &aard__javascript : &aard__python,
        .distribution = config->distribution,
        .warm = isolate->kept ? isolate->kept : config->warm,
        .config = config,
        .isolate_id = isolate->id,
        .grants_javascript = aard__config_grants(config, "js"),
        .grants_code = aard__config_grants(config, "codegen"),
        .streams = {.limit = config->output_limit,
                    .callback = config->listener ? config->listener->callback : NULL,
                    .user = config->listener ? config->listener->user.pointer : NULL},
        .heap_limit = config->heap_limit,
        .engine_heap_limit = config->engine_heap_limit,
        .buffer_limit = config->buffer_limit,
        .deadline = !limit                         ? 0
                    : limit > UINT64_MAX / 4000000 ? UINT64_MAX / 2
                                                   : now + limit * 1000000,
    };
    aard__guest *guest;
    AARD__TRY(aard__guest_new(&options, &guest));
    aard_error *error = bundle || aard__packages_wanted(config) ? furnish_guest(guest, bundle, options.deadline) : NULL;
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
