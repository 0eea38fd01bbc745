/* What is done with a guest before anybody's first call, so that that one finds everything in place: nothing of it stays. */
#include "base/error.h"
#include "worker/worker_impl.h"

/* Inline code that does nothing: its way through the adapter is that of all calls. */
static aard_error *run_nothing(aard__worker *worker)
{
    bool python = worker->config->settings.language == AARD_LANGUAGE_PYTHON;
    const aard__request request = {
        .verb = AARD__EXECUTE, .source = python ? "None" : "null", .source_len = 4, .name = "<warm-up>"};
    aard_outcome *outcome;
    AARD__TRY(aard__worker_call(worker, NULL, &request, &outcome));
    aard_outcome_free(outcome);
    return NULL;
}

static aard_error *warm_up(aard__worker *worker)
{
    AARD__TRY(run_nothing(worker));
    return aard__worker_full_reset(worker);
}

aard_error *aard__worker_warm_up(aard__worker *worker)
{
    bool resettable = worker->resettable;
    uint64_t generation = worker->generation;
    worker->resettable = true;
    aard_error *error = warm_up(worker);
    if (!error) aard__guest_stop_clock(worker->guest);
    worker->resettable = resettable;
    worker->reset_mode = AARD_RESET_NONE;
    worker->reset_ms = 0;
    worker->generation = generation;
    return error;
}

enum { IMPORT_MS = 2000 }; /* of a module that the host has set no limit for */

typedef struct preparation {
    aard__handler *handler;
    aard_outcome *outcome;
    bool silent;
} preparation;

static bool prepare(aard__worker *worker, void *user)
{
    preparation *p = user;
    aard__guest *guest = worker->guest;
    guest->call.output.capture = true;
    aard__ledger_free(&guest->call.ledger);
    aard__state state = aard__handler_prepare(worker, p->handler, p->outcome);
    p->silent = !guest->call.ledger.violation_count && !guest->io.streams.kept[0].len && !guest->io.streams.kept[1].len;
    return state == AARD__DONE;
}

static aard__limits import_limits(const aard__worker *worker)
{
    const aard__settings *settings = &worker->config->settings;
    uint64_t ms = settings->startup_limit_ms ? settings->startup_limit_ms : settings->limits.wall_ms;
    return (aard__limits){.wall_ms = ms ? ms : IMPORT_MS};
}

/* Whether it stays. */
static bool import(aard__worker *worker, aard__handler *handler, bool (*fine)(void *user), void *user)
{
    const aard__limits limits = import_limits(worker);
    preparation p = {.handler = handler};
    aard_error *error = aard__worker_remember(worker);
    if (!error) error = aard__outcome_new(&p.outcome);
    if (!error) error = aard__worker_do_within(worker, &limits, prepare, &p);
    bool stays = !error && worker->guest && handler->ready && p.silent && fine(user);
    aard_error_free(error);
    aard_outcome_free(p.outcome);
    return stays;
}

static aard_error *import_together(aard__worker *worker, aard__handler *handler, bool (*fine)(void *user), void *user)
{
    bool resettable = worker->resettable;
    worker->resettable = true; /* what the import leaves is what resets go back to */
    bool stays = import(worker, handler, fine, user);
    worker->resettable = resettable;
    if (stays) return NULL;
    aard__worker_drop_guest(worker); /* the first call does it again, and tells what came of it */
    return aard__worker_full_reset(worker);
}

/* In a realm of its own, which the first call of the handler takes: other calls see nothing of the module. */
static aard_error *import_apart(aard__worker *worker, aard__handler *handler, bool (*fine)(void *user), void *user)
{
    const aard__limits limits = import_limits(worker);
    aard__guest *guest = worker->guest;
    aard__vm_enter(guest->vm);
    aard_error *error = aard__guest_make_standby(guest);
    aard__vm_leave(guest->vm);
    if (!error) error = aard__worker_prepare_ahead(worker, handler, &limits);
    if (error || !worker->guest) return error ? error : aard__worker_full_reset(worker);
    if (worker->ahead.standby && fine(user) && (handler->parked = aard__guest_park(guest)))
        handler->parked_number = worker->ahead.number;
    else
        aard__worker_drop_ahead(worker);
    worker->ahead.standby = false;
    return NULL;
}

aard_error *aard__worker_prepare_handler(aard__worker *worker, uint32_t number, bool (*fine)(void *user), void *user)
{
    aard__handler *handler = aard__worker_handler(worker, number);
    if (!handler) return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown handler %u", number);
    AARD__TRY(aard__worker_ensure_guest(worker));
    aard__guest_start_clock(worker->guest);
    AARD__TRY((worker->guest->ops->prepare_standby ? import_apart : import_together)(worker, handler, fine, user));
    aard__guest_stop_clock(worker->guest);
    return NULL;
}
