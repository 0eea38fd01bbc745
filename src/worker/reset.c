/* Making a guest clean: in place, by a new realm, or by a new guest. */
#include "base/alloc.h"
#include "base/clock.h"
#include "worker/isolate.h"

void aard__isolate_renew_checkpoint(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    if (!guest->ops->checkpoint) return;
    isolate->remembered = true;
    aard_error *error = guest->ops->checkpoint(guest);
    aard_error_free(error); /* then only a new guest is clean */
    if (!error) aard__handlers_keep(isolate);
}

bool aard__isolate_is_resettable(const aard_isolate *isolate)
{
    return isolate->resettable || isolate->config->settings.resets_expected;
}

enum { CHECKPOINT_MS = 10000 }; /* some take milliseconds; more is the guest's code at work */

static bool renew_checkpoint(aard_isolate *isolate, void *user)
{
    (void)user;
    aard__isolate_renew_checkpoint(isolate);
    return true;
}

aard_error *aard__isolate_take_checkpoint(aard_isolate *isolate)
{
    if (!isolate->guest->ops->checkpoint) return NULL;
    /* It is part of a start, whose limit calls' limits say nothing about. */
    const aard__limits limits = {.wall_ms = isolate->config->settings.startup_limit_ms
                                                ? isolate->config->settings.startup_limit_ms
                                                : CHECKPOINT_MS};
    return aard__isolate_do_within(isolate, &limits, renew_checkpoint, NULL);
}

aard_error *aard__isolate_remember(aard_isolate *isolate)
{
    if (isolate->used || isolate->remembered) return NULL;
    AARD__TRY(aard__isolate_take_checkpoint(isolate));
    if (isolate->guest) return NULL;
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: it was stopped while its state was remembered");
}

static bool reset_by_language(aard_isolate *isolate, void *user)
{
    aard_error **error = user;
    *error = isolate->guest->ops->reset(isolate->guest);
    return !*error;
}

/* As the guest's language does it; a guest that does not become clean so is gone afterwards. */
static aard_error *reset_guest(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    if (!guest->ops->reset || guest->lost || aard__vm_heap_full(guest->vm)) {
        aard__isolate_drop_guest(isolate);
        return NULL;
    }
    aard_error *why = NULL;
    AARD__TRY(aard__isolate_do(isolate, reset_by_language, &why));
    aard_error_free(why);
    return NULL;
}

/* After a reset: the handler that was prepared ahead of need is ready in the realm that has been taken. */
static void take_ahead(aard_isolate *isolate)
{
    aard__handlers_forget(isolate);
    isolate->ahead.taken = isolate->ahead.spare;
    isolate->ahead.spare = false;
    if (!isolate->ahead.taken || !isolate->ahead.handler) return;
    isolate->ahead.handler->ready = true;
    isolate->ahead.handler->number = isolate->ahead.number;
}

void aard__isolate_drop_ahead(aard_isolate *isolate)
{
    if (!isolate->ahead.spare) return;
    aard__vm_enter(isolate->guest->vm);
    aard__guest_drop_spare(isolate->guest);
    aard__vm_leave(isolate->guest->vm);
    isolate->ahead.spare = false;
}

aard_error *aard__isolate_full_reset(aard_isolate *isolate)
{
    uint64_t start = aard__clock_monotonic();
    aard_reset_mode mode = AARD_RESET_NEW_ISOLATE;
    if (isolate->guest && !isolate->soiled) AARD__TRY(aard__isolate_remember(isolate));
    if (isolate->guest) AARD__TRY(reset_guest(isolate));
    if (isolate->guest) {
        mode = isolate->guest->ops->reset_mode;
        isolate->soiled = false;
        isolate->generation++;
        if (mode == AARD_RESET_IN_PLACE)
            aard__handlers_restore(isolate);
        else
            take_ahead(isolate);
    } else {
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

aard_error *aard__isolate_ensure_guest_for(aard_isolate *isolate, const aard_handler *handler)
{
    AARD__TRY(aard__isolate_ensure_guest(isolate));
    if (isolate->ahead.taken && (!handler || handler != isolate->ahead.handler)) {
        aard__isolate_drop_ahead(isolate);
        AARD__TRY(aard__isolate_full_reset(isolate));
    }
    isolate->ahead.taken = false;
    return NULL;
}

static void prepare_last(void *user)
{
    aard_isolate *isolate = user;
    isolate->ahead.number = isolate->guest->ops->prepare_spare(isolate->guest, isolate->last->entrypoint);
}

/* Whether there is room for a second of what the guest has. */
static bool has_room(const aard__guest *guest)
{
    aard__heap heap;
    aard__vm_heap(guest->vm, &heap);
    return heap.used < heap.limit / 4;
}

/* The handler of the last call is the likeliest of the next. */
static aard_error *prepare_ahead(aard_isolate *isolate)
{
    aard__guest *guest = isolate->guest;
    if (!guest->ops->prepare_spare || !guest->spare || isolate->ahead.spare || !isolate->last) return NULL;
    if (!has_room(guest)) return NULL;
    aard__limits limits = aard__config_limits(isolate->config, NULL, 0);
    if (!limits.wall_ms)
        limits.wall_ms = isolate->config->settings.startup_limit_ms ? isolate->config->settings.startup_limit_ms
                                                                    : CHECKPOINT_MS;
    AARD__TRY(aard__isolate_arm(isolate, &limits, NULL));
    isolate->ahead.number = -1;
    aard_error *error = aard__guest_run(guest, prepare_last, isolate);
    bool stopped = aard__budget_disarm(&isolate->budget) != AARD__CAUSE_NONE;
    if (error) return error;
    if (guest->lost || aard__vm_heap_full(guest->vm)) {
        aard__isolate_drop_guest(isolate);
        return NULL;
    }
    if (stopped) aard__guest_unstop(guest);
    isolate->ahead.spare = isolate->ahead.number >= 0;
    isolate->ahead.handler = isolate->last;
    return NULL;
}

aard_error *aard__isolate_prepare_reset(aard_isolate *isolate)
{
    aard_error *error = aard__isolate_ensure_guest(isolate);
    if (!error) error = aard__isolate_remember(isolate);
    if (!error) {
        aard__vm_enter(isolate->guest->vm);
        error = aard__guest_make_spare(isolate->guest);
        aard__vm_leave(isolate->guest->vm);
    }
    return error ? error : prepare_ahead(isolate);
}

static bool drop_buffers(aard_isolate *isolate, void *user)
{
    (void)user;
    aard__guest_drop_buffers(isolate->guest);
    return true;
}

void aard__isolate_clean_up(aard_isolate *isolate)
{
    if (isolate->config->settings.cleanup == AARD_CLEANUP_FULL) {
        isolate->soiled = true;
        aard_error_free(aard__isolate_full_reset(isolate));
    } else if (isolate->config->settings.cleanup == AARD_CLEANUP_SHARED_BUFFERS && isolate->guest && !isolate->soiled) {
        aard_error *error = aard__isolate_do(isolate, drop_buffers, NULL);
        isolate->soiled = isolate->soiled || error; /* they go with everything else then */
        aard_error_free(error);
    }
}
