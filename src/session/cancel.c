/* Finding and cancelling the requests that wait. */
#include "session/session_impl.h"

/* The request of that id, under way or not; NULL where there is none.  Within the lock. */
aard__session_request *aard__session_find(const aard_session *session, aard__json id)
{
    if (session->running && aard__rpc_same_id(session->running->id, id)) return session->running;
    for (aard__session_request *one = session->first; one; one = one->next)
        if (aard__rpc_same_id(one->id, id)) return one;
    return NULL;
}

bool aard__session_cancel(aard_session *session, aard__json id)
{
    pthread_mutex_lock(&session->lock);
    aard__session_request *request = id.len ? aard__session_find(session, id) : NULL;
    aard_cancel_handle *handle = request ? aard_cancel_handle_retain(request->cancel) : NULL;
    pthread_mutex_unlock(&session->lock);
    aard_cancel(handle);
    aard_cancel_handle_free(handle);
    return request != NULL;
}

void aard__session_cancel_all(aard_session *session)
{
    pthread_mutex_lock(&session->lock);
    aard_cancel_handle *handle = session->running ? aard_cancel_handle_retain(session->running->cancel) : NULL;
    for (aard__session_request *one = session->first; one; one = one->next) aard_cancel(one->cancel);
    pthread_mutex_unlock(&session->lock);
    aard_cancel(handle);
    aard_cancel_handle_free(handle);
}
