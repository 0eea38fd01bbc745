/* Requests, by their verbs. */
#include "base/error.h"
#include "worker/worker_impl.h"

static aard_error *invoke(aard__worker *worker, const aard__request *request, aard__response *response)
{
    aard__handler *handler = aard__worker_handler(worker, request->handler);
    if (!handler) return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown handler %u", request->handler);
    return aard__worker_call(worker, handler, request, &response->outcome);
}

/* Where names can't be taken away a reset does it. */
static aard_error *clear(aard__worker *worker, const aard__request *request, aard__response *response)
{
    if (!worker->guest || worker->dirty || worker->guest->ops->clear)
        return aard__worker_call(worker, NULL, request, &response->outcome);
    AARD__TRY(aard__worker_full_reset(worker));
    return aard__outcome_new(&response->outcome);
}

static aard_error *reset(aard__worker *worker)
{
    worker->resettable = true;
    return aard__worker_full_reset(worker);
}

aard_error *aard__worker_request(aard__worker *worker, const aard__request *request, aard__response *response)
{
    switch (request->verb) {
    case AARD__LOAD_BUNDLE: return aard__worker_load_bundle(worker, request->bundle);
    case AARD__RESOLVE: return aard__worker_resolve(worker, request->entrypoint, &response->handler);
    case AARD__RELEASE: return aard__worker_release(worker, request->handlers, request->handler_count);
    case AARD__INVOKE: return invoke(worker, request, response);
    case AARD__EXECUTE: return aard__worker_call(worker, NULL, request, &response->outcome);
    case AARD__CLEAR: return clear(worker, request, response);
    case AARD__RESET: return reset(worker);
    case AARD__CHECKPOINT: return aard__worker_checkpoint(worker);
    case AARD__PREPARE_RESET: return aard__worker_prepare_reset(worker);
    case AARD__FILES: return aard__worker_files(worker, request->file, &response->bytes);
    case AARD__CAPTURE: return aard__worker_capture(worker, &response->warm);
    }
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown request %d", (int)request->verb);
}
