/* Making a guest clean: in place, by a new realm, or by a new guest. */
#include "base/alloc.h"
#include "base/clock.h"
#include "isolate/isolate.h"
#include "isolate/warm_state.h"

void aard__isolate_renew_checkpoint(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    if (!guest->ops->checkpoint || !isolate->resettable) return;
    aard_error *error = guest->ops->checkpoint(guest);
    aard_error_free(error); /* then only a new guest is clean */
    if (!error) aard__handlers_keep(isolate);
}

/* As the guest's language does it; without an error only where the guest is clean. */
static aard_error *reset_guest(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    if (!guest->ops->reset) return aard__error(AARD_ERR_UNSUPPORTED, "only a new guest is clean");
    AARD__TRY(aard__isolate_arm(isolate, isolate->config->wall_limit_ms));
    aard__vm_enter(guest->vm);
    aard_error *error = guest->ops->reset(guest);
    bool stopped = aard__watch_disarm(&isolate->watch);
    aard__vm_leave(guest->vm);
    if (!error && stopped) error = aard__error(AARD_ERR_ENGINE, "the reset took too long");
    return error;
}

aard_error *aard__isolate_full_reset(aard_isolate *isolate)
{
    uint64_t start = aard__clock_monotonic();
    aard_reset_mode mode = AARD_RESET_NEW_ISOLATE;
    aard_error *error = NULL;
    if (isolate->guest && !(error = reset_guest(isolate))) {
        mode = isolate->guest->ops->reset_mode;
        isolate->soiled = false;
        isolate->generation++;
        if (mode == AARD_RESET_IN_PLACE)
            aard__handlers_restore(isolate);
        else
            aard__handlers_forget(isolate);
    } else {
        aard_error_free(error);
        aard__guest_free(isolate->guest);
        isolate->guest = NULL;
        AARD__TRY(aard__isolate_boot(isolate, isolate->bundle));
    }
    isolate->used = false;
    isolate->reset_mode = mode;
    isolate->reset_ms = (double)(aard__clock_monotonic() - start) / 1e6;
    return NULL;
}

aard_error *aard__isolate_ensure_guest(aard_isolate *isolate)
{
    return isolate->guest && !isolate->soiled ? NULL : aard__isolate_full_reset(isolate);
}

aard_error *aard_isolate_reset(aard_isolate *isolate)
{
    AARD__TRY(aard__isolate_claim(isolate));
    isolate->resettable = true;
    aard_error *error = aard__isolate_full_reset(isolate);
    aard__isolate_release(isolate);
    return error;
}

static aard_error *checkpoint(aard_isolate *isolate)
{
    if (isolate->config->language != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "only a Python isolate has checkpoints; JavaScript is reset to its bundle");
    if (aard__config_grants(isolate->config, "js"))
        return aard__error(AARD_ERR_UNSUPPORTED, "an isolate with the capability 'js' has no checkpoints");
    aard_warm_state *state;
    AARD__TRY(aard__isolate_ensure_guest(isolate));
    AARD__TRY(aard__warm_state_take(isolate, &state));
    aard_warm_state_free(isolate->kept);
    isolate->kept = state;
    isolate->resettable = true;
    aard__vm_enter(isolate->guest->vm);
    aard__isolate_renew_checkpoint(isolate);
    aard__vm_leave(isolate->guest->vm);
    isolate->used = false;
    return NULL; /* a guest that can't remember its state is replaced by one from `kept` */
}

aard_error *aard_isolate_checkpoint(aard_isolate *isolate)
{
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = checkpoint(isolate);
    aard__isolate_release(isolate);
    return error;
}

aard_error *aard_isolate_prepare_reset(aard_isolate *isolate)
{
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__isolate_ensure_guest(isolate);
    if (!error) {
        aard__vm_enter(isolate->guest->vm);
        error = aard__guest_make_spare(isolate->guest);
        aard__vm_leave(isolate->guest->vm);
    }
    aard__isolate_release(isolate);
    return error;
}

void aard__isolate_clean_up(aard_isolate *isolate)
{
    if (isolate->config->cleanup == AARD_CLEANUP_FULL) {
        isolate->soiled = true;
        aard_error_free(aard__isolate_full_reset(isolate));
    } else if (isolate->config->cleanup == AARD_CLEANUP_SHARED_BUFFERS && isolate->guest && !isolate->soiled) {
        aard_error *error = aard__isolate_enter(isolate);
        if (!error) {
            aard__guest_drop_buffers(isolate->guest);
            aard__isolate_leave(isolate, false);
        }
        isolate->soiled = isolate->soiled || error; /* they go with everything else then */
        aard_error_free(error);
    }
}
