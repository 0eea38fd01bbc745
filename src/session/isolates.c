/* The isolate of a session: made when it is needed. */
#include "base/alloc.h"
#include "session/session_impl.h"

void aard__session_drop_isolate(aard_session *session)
{
    aard_handler_free(session->handler);
    aard_isolate_free(session->isolate);
    aard__free(session->entrypoint);
    session->handler = NULL;
    session->isolate = NULL;
    session->entrypoint = NULL;
}

/* A distribution that is the same for all isolates of the session. */
aard_error *aard__session_need_distribution(aard_isolate_config *config)
{
    aard_distribution *distribution;
    if (aard_isolate_config_language(config) != AARD_LANGUAGE_PYTHON || aard_isolate_config_distribution(config))
        return NULL;
    AARD__TRY(aard_distribution_open(NULL, &distribution));
    aard_isolate_config_set_distribution(config, distribution);
    aard_distribution_free(distribution);
    return NULL;
}

aard_error *aard__session_need_isolate(aard_session *session)
{
    aard_isolate *isolate;
    if (session->isolate) return NULL;
    aard_isolate_config *config = session->restored ? session->restored : session->config;
    AARD__TRY(aard__session_need_distribution(config));
    aard_isolate_config_set_stream_callback(config, aard__session_output, session, NULL);
    AARD__TRY(aard_isolate_new(config, &isolate));
    aard_error *error = session->bundle ? aard_isolate_load_bundle(isolate, session->bundle) : NULL;
    if (error)
        aard_isolate_free(isolate);
    else
        session->isolate = isolate;
    return error;
}
