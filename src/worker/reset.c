/* Making a guest clean: in place, by a new realm, or by a new guest. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"
#include "worker/worker_impl.h"

void aard__worker_renew_checkpoint(aard__worker *worker)
{
    aard__guest *guest = worker->guest;
    if (!guest->ops->checkpoint) return;
    worker->remembered = true;
    aard_error *error = guest->ops->checkpoint(guest);
    if (!error) aard__handlers_keep(worker);
    aard__log_error(AARD_LOG_WARNING, error, "isolate %llu: resets will make a new guest each",
                    (unsigned long long)worker->id);
}

bool aard__worker_is_resettable(const aard__worker *worker)
{
    return worker->resettable || worker->config->settings.resets_expected;
}

enum { CHECKPOINT_MS = 10000 }; /* some take milliseconds; more is the guest's code at work */

static bool renew_checkpoint(aard__worker *worker, void *user)
{
    (void)user;
    aard__worker_renew_checkpoint(worker);
    return true;
}

aard_error *aard__worker_take_checkpoint(aard__worker *worker)
{
    if (!worker->guest->ops->checkpoint) return NULL;
    /* It is part of a start, whose limit calls' limits say nothing about. */
    const aard__limits limits = {.wall_ms = worker->config->settings.startup_limit_ms
                                                ? worker->config->settings.startup_limit_ms
                                                : CHECKPOINT_MS};
    return aard__worker_do_within(worker, &limits, renew_checkpoint, NULL);
}

aard_error *aard__worker_remember(aard__worker *worker)
{
    if (worker->used || worker->remembered) return NULL;
    AARD__TRY(aard__worker_take_checkpoint(worker));
    if (worker->guest) return NULL;
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: it was stopped while its checkpoint was made");
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

aard_error *aard__worker_begin_step(aard__worker *worker)
{
    if (worker->used || !worker->remembered) {
        AARD__TRY(aard__worker_take_checkpoint(worker));
        worker->stepped = worker->used;
    }
    if (!worker->guest)
        return aard__error(AARD_ERR_GUEST_BOOT, "the guest was stopped while its state was remembered for a rollback");
    if (worker->guest->can_reset) return NULL;
    return aard__error(AARD_ERR_UNSUPPORTED, "the guest's state can't be remembered here, so that no call can be "
                                             "rolled back: the system does not tell which pages were written");
}

static bool restore_by_language(aard__worker *worker, void *user)
{
    aard_error **error = user;
    *error = worker->guest->ops->restore(worker->guest);
    return !*error;
}

bool aard__worker_roll_back(aard__worker *worker)
{
    aard__guest *guest = worker->guest;
    aard_error *why = NULL;
    if (!guest || guest->abandoned || aard__vm_heap_full(guest->vm)) return false;
    aard_error *error = aard__worker_do(worker, restore_by_language, &why);
    bool whole = !error && !why && worker->guest;
    aard__log_error(AARD_LOG_DEBUG, why, "isolate %llu: a call is not rolled back", (unsigned long long)worker->id);
    aard_error_free(error);
    if (!whole) return false;
    aard__handlers_restore(worker);
    worker->generation++;
    worker->used = worker->stepped;
    return true;
}

/* ---- full resets ------------------------------------------------------------------------------------------------ */

static bool reset_by_language(aard__worker *worker, void *user)
{
    aard_error **error = user;
    *error = worker->guest->ops->reset(worker->guest);
    return !*error;
}

/* As the guest's language does it; a guest that does not become clean so is gone afterwards. */
static aard_error *reset_guest(aard__worker *worker)
{
    aard__guest *guest = worker->guest;
    if (!guest->ops->reset || guest->abandoned || aard__vm_heap_full(guest->vm)) {
        aard__worker_drop_guest(worker);
        return NULL;
    }
    aard_error *why = NULL;
    AARD__TRY(aard__worker_do(worker, reset_by_language, &why));
    aard__log_error(AARD_LOG_DEBUG, why, "isolate %llu: a reset makes a new guest", (unsigned long long)worker->id);
    return NULL;
}

/* After a reset: the handler that was prepared ahead of need is ready in the realm that has been taken. */
static void take_ahead(aard__worker *worker)
{
    aard__handlers_forget(worker);
    worker->ahead.taken = worker->ahead.standby;
    worker->ahead.standby = false;
    worker->ahead.taken_for = worker->ahead.handler;
    if (!worker->ahead.taken || !worker->ahead.handler) return;
    worker->ahead.handler->ready = true;
    worker->ahead.handler->number = worker->ahead.number;
}

void aard__worker_drop_ahead(aard__worker *worker)
{
    if (!worker->ahead.standby) return;
    aard__vm_enter(worker->guest->vm);
    aard__guest_drop_standby(worker->guest);
    aard__vm_leave(worker->guest->vm);
    worker->ahead.standby = false;
}

static aard_error *full_reset(aard__worker *worker)
{
    uint64_t start = aard__clock_monotonic();
    aard_reset_mode mode = AARD_RESET_NEW_ISOLATE;
    if (worker->guest && worker->stepped) aard__worker_drop_guest(worker);
    if (worker->guest && !worker->dirty) AARD__TRY(aard__worker_remember(worker));
    if (worker->guest) AARD__TRY(reset_guest(worker));
    if (worker->guest) {
        mode = worker->guest->ops->reset_mode;
        worker->dirty = false;
        worker->generation++;
        if (mode == AARD_RESET_IN_PLACE)
            aard__handlers_restore(worker);
        else
            take_ahead(worker);
    } else {
        AARD__TRY(aard__worker_boot(worker, worker->bundle));
    }
    worker->used = false;
    worker->reset_mode = mode;
    worker->reset_ms = (double)(aard__clock_monotonic() - start) / 1e6;
    return NULL;
}

aard_error *aard__worker_full_reset(aard__worker *worker)
{
    aard__span span = aard__trace_begin("reset", worker->id, NULL);
    aard_error *error = full_reset(worker);
    aard__trace_end(&span, error ? aard_error_code_name(aard_error_get_code(error))
                                 : aard_reset_mode_name(worker->reset_mode));
    return error;
}

aard_error *aard__worker_ensure_guest(aard__worker *worker)
{
    return worker->guest && !worker->dirty ? NULL : aard__worker_full_reset(worker);
}

/* The first call of a handler whose module has been evaluated in a realm of its own. */
static void unpark(aard__worker *worker, aard__handler *handler)
{
    aard__vm_enter(worker->guest->vm);
    aard__guest_unpark(worker->guest, handler->parked);
    aard__vm_leave(worker->guest->vm);
    aard__handlers_forget(worker);
    handler->parked = NULL;
    handler->number = handler->parked_number;
    handler->ready = true;
}

aard_error *aard__worker_ensure_guest_for(aard__worker *worker, aard__handler *handler)
{
    AARD__TRY(aard__worker_ensure_guest(worker));
    if (worker->ahead.taken && (!handler || handler != worker->ahead.taken_for)) {
        aard__worker_drop_ahead(worker);
        AARD__TRY(aard__worker_full_reset(worker));
    }
    worker->ahead.taken = false;
    if (handler && handler->parked && !worker->used) unpark(worker, handler);
    aard__guest_start_clock(worker->guest);
    return NULL;
}

static void prepare_standby(void *user)
{
    aard__worker *worker = user;
    worker->ahead.number = worker->guest->ops->prepare_standby(worker->guest, worker->ahead.handler->entrypoint);
}

/* Whether there is room for a second of what the guest has. */
static bool has_room(const aard__guest *guest)
{
    aard__heap heap;
    aard__vm_heap(guest->vm, &heap);
    return heap.used < heap.limit / 4;
}

aard_error *aard__worker_prepare_ahead(aard__worker *worker, aard__handler *handler, const aard__limits *limits)
{
    aard__guest *guest = worker->guest;
    if (!guest->ops->prepare_standby || !guest->standby || worker->ahead.standby || !handler) return NULL;
    if (!has_room(guest)) return NULL;
    worker->ahead.number = -1;
    worker->ahead.handler = handler;
    aard__entry entry = aard__worker_entry(limits, NULL);
    aard__cause cause;
    AARD__TRY(aard__worker_enter(worker, &entry, prepare_standby, worker, &cause));
    if (guest->abandoned || aard__vm_heap_full(guest->vm)) {
        aard__worker_drop_guest(worker);
        return NULL;
    }
    if (cause != AARD__CAUSE_NONE) aard__guest_unstop(guest);
    worker->ahead.standby = worker->ahead.number >= 0;
    return NULL;
}

/* The handler of the last call is the likeliest of the next. */
static aard_error *prepare_last(aard__worker *worker)
{
    aard__limits limits = aard__config_limits(worker->config, NULL, NULL);
    if (!limits.wall_ms)
        limits.wall_ms = worker->config->settings.startup_limit_ms ? worker->config->settings.startup_limit_ms
                                                                   : CHECKPOINT_MS;
    return aard__worker_prepare_ahead(worker, worker->last, &limits);
}

aard_error *aard__worker_prepare_reset(aard__worker *worker)
{
    aard_error *error = aard__worker_ensure_guest(worker);
    if (!error) error = aard__worker_remember(worker);
    if (!error) {
        aard__vm_enter(worker->guest->vm);
        error = aard__guest_make_standby(worker->guest);
        aard__vm_leave(worker->guest->vm);
    }
    return error ? error : prepare_last(worker);
}

static bool drop_buffers(aard__worker *worker, void *user)
{
    (void)user;
    aard__guest_drop_buffers(worker->guest);
    return true;
}

void aard__worker_clean_up(aard__worker *worker)
{
    if (worker->config->settings.cleanup == AARD_CLEANUP_FULL) {
        worker->dirty = true;
        aard_error_free(aard__worker_full_reset(worker));
    } else if (worker->config->settings.cleanup == AARD_CLEANUP_SHARED_BUFFERS && worker->guest && !worker->dirty) {
        aard_error *error = aard__worker_do(worker, drop_buffers, NULL);
        worker->dirty = worker->dirty || error; /* they go with everything else then */
        aard_error_free(error);
    }
}
