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

aard_error *aard__worker_warm_up(aard__worker *worker)
{
    bool resettable = worker->resettable;
    uint64_t generation = worker->generation;
    worker->resettable = true;
    aard_error *error = run_nothing(worker);
    if (!error) error = aard__worker_full_reset(worker);
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

static aard_error *import(aard__worker *worker, preparation *p)
{
    const aard__limits limits = import_limits(worker);
    AARD__TRY(aard__worker_ensure_guest(worker));
    AARD__TRY(aard__worker_remember(worker));
    AARD__TRY(aard__outcome_new(&p->outcome));
    return aard__worker_do_within(worker, &limits, prepare, p);
}

aard_error *aard__worker_prepare_handler(aard__worker *worker, uint32_t number, bool (*fine)(void *user), void *user)
{
    preparation p = {.handler = aard__worker_handler(worker, number)};
    bool resettable = worker->resettable;
    if (!p.handler) return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown handler %u", number);
    worker->resettable = true; /* what the import leaves is what resets go back to */
    aard_error *error = import(worker, &p);
    bool stays = !error && worker->guest && p.handler->ready && p.silent && fine(user);
    aard_error_free(error);
    aard_outcome_free(p.outcome);
    worker->resettable = resettable;
    if (stays) return NULL;
    aard__worker_drop_guest(worker); /* the first call does it again, and tells what came of it */
    return aard__worker_full_reset(worker);
}
