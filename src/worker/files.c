/* What a host asks of a guest's files between calls. */
#include "base/error.h"
#include "worker/worker_impl.h"

enum {
    FILES_MS = 30000
}; /* it takes milliseconds; more is a guest with the capability "js", which has changed what is asked */

typedef struct asked {
    const aard__file_request *request;
    aard__buf answer;
    aard_error *error;
} asked;

static bool ask(aard__worker *worker, void *user)
{
    asked *a = user;
    a->error = worker->guest->ops->files(worker->guest, a->request, &a->answer);
    return true;
}

/* What the host has written is gone after a reset, like what the guest has. */
static aard_error *remember(aard__worker *worker, const aard__file_request *request)
{
    bool changes = request->verb == AARD__FILE_VERB_WRITE || request->verb == AARD__FILE_VERB_REMOVE;
    if (!changes) return NULL;
    if (aard__worker_is_resettable(worker)) AARD__TRY(aard__worker_remember(worker));
    worker->used = true;
    return NULL;
}

aard_error *aard__worker_files(aard__worker *worker, const aard__file_request *request, aard__buf *out)
{
    const aard__limits limits = {.wall_ms = FILES_MS};
    asked a = {.request = request, .answer = AARD__BUF_INIT};
    AARD__TRY(aard__worker_ensure_guest(worker));
    if (!worker->guest->ops->files)
        return aard__error(AARD_ERR_UNSUPPORTED, "JavaScript guests have no files; give them data as input");
    AARD__TRY(remember(worker, request));
    aard_error *error = aard__worker_do_within(worker, &limits, ask, &a);
    if (!error) error = a.error;
    if (!error && !worker->guest) error = aard__error(AARD_ERR_ENGINE, "the guest's files do not answer");
    if (error)
        aard__buf_free(&a.answer);
    else
        *out = a.answer;
    return error;
}
