/* The requests of a session: what waits, what is under way, and the thread that answers them. */
#include "base/alloc.h"
#include "base/process.h"
#include "session/session_impl.h"

void aard__session_request_free(aard__session_request *request)
{
    if (request->batch) aard__session_batch_done(request->session, request->batch);
    aard_cancel_handle_free(request->cancel);
    for (int i = 0; i < 2; i++) aard__buf_free(&request->partial[i]);
    aard__buf_free(&request->invalid);
    aard__free(request->text);
    aard__free(request);
}

void aard__session_enqueue(aard_session *session, aard__session_request *request)
{
    const char *why = NULL;
    pthread_mutex_lock(&session->lock);
    if (session->waiting >= AARD__RPC_WAITING)
        why = "too many requests wait; read some answers first";
    else if (request->id.len && aard__session_find(session, request->id))
        why = "the id is that of a request that waits for its answer; use another";
    if (!why) {
        *session->last = request;
        session->last = &request->next;
        session->waiting++;
        pthread_cond_signal(&session->some);
    }
    pthread_mutex_unlock(&session->lock);
    if (!why) return;
    aard__session_refuse(request, AARD__RPC_REQUEST, why, NULL);
    aard__session_request_free(request);
}

/* The next request, or NULL at the end of the session. */
static aard__session_request *next(aard_session *session)
{
    pthread_mutex_lock(&session->lock);
    session->running = NULL;
    if (!session->first) pthread_cond_broadcast(&session->none);
    while (!session->first && !session->ending) pthread_cond_wait(&session->some, &session->lock);
    aard__session_request *request = session->ending ? NULL : session->first;
    if (request) {
        session->first = request->next;
        if (!session->first) session->last = &session->first;
        session->waiting--;
        session->running = request;
    }
    pthread_mutex_unlock(&session->lock);
    return request;
}

static void serve(aard__session_request *request)
{
    aard__json values[AARD__RPC_PARAMS_MOST];
    aard__buf result = AARD__BUF_INIT;
    aard_error *error = NULL;
    if (aard__rpc_read_params(request->params, request->method->params, values, &request->invalid))
        error = request->method->run(request, values, &result);
    aard__session_drop_invocations(request->session);
    aard__session_flush_output(request);
    if (request->invalid.len) {
        aard__buf_putc(&request->invalid, '\0');
        aard__session_refuse(request, AARD__RPC_PARAMS, request->invalid.failed ? "" : request->invalid.data, NULL);
    } else if (error) {
        aard__session_refuse(request, AARD__RPC_SERVER, aard_error_message(error),
                             aard_error_code_name(aard_error_get_code(error)));
    } else {
        aard__session_answer(request, &result);
    }
    aard_error_free(error);
    aard__buf_free(&result);
}

void *aard__session_work(void *user)
{
    aard_session *session = user;
    aard__session_request *request;
    while ((request = next(session))) {
        serve(request);
        pthread_mutex_lock(&session->lock); /* nobody is to find what is freed now */
        session->running = NULL;
        pthread_mutex_unlock(&session->lock);
        aard__session_request_free(request);
    }
    return NULL;
}
