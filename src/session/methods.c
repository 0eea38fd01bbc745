/* The methods that are about the whole session, and the list of all. */
#include <aardvark/distribution.h>

#include "session/session_impl.h"

static void tighten(aard_isolate_config *config, uint64_t (*get)(const aard_isolate_config *),
                    void (*set)(aard_isolate_config *, uint64_t), uint64_t value)
{
    uint64_t now = get(config);
    if (value && (!now || value < now)) set(config, value);
}

static aard_error *initialize(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard_session *session = request->session;
    aard_isolate_config *config = session->config;
    uint64_t limits[3];
    if (session->initialized || session->isolate)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "the session has begun; initialize comes first, and once");
    if (!aard__session_limits(request, values[0], limits)) return NULL;
    AARD__TRY(aard__session_add_callbacks(request, values[1]));
    if (request->invalid.len) return NULL;
    tighten(config, aard_isolate_config_wall_limit_ms, aard_isolate_config_set_wall_limit_ms, limits[0]);
    tighten(config, aard_isolate_config_cpu_limit_ms, aard_isolate_config_set_cpu_limit_ms, limits[1]);
    tighten(config, aard_isolate_config_result_limit, aard_isolate_config_set_result_limit, limits[2]);
    AARD__TRY(aard__session_need_isolate(session));
    session->initialized = true;
    bool python = aard_isolate_config_language(config) == AARD_LANGUAGE_PYTHON;
    aard__buf_printf(result, "{\"version\":\"%s\",\"language\":\"%s\",\"fingerprint\":", aard_version(),
                     python ? "python" : "javascript");
    if (python)
        aard__buf_printf(result, "\"%s\"", aard_distribution_fingerprint(aard_isolate_config_distribution(config)));
    else
        aard__buf_puts(result, "null");
    aard__buf_puts(result, ",\"methods\":[\"cancel\"");
    for (size_t i = 0; aard__session_methods[i]; i++)
        aard__buf_printf(result, ",\"%s\"", aard__session_methods[i]->name);
    aard__buf_puts(result, "]}");
    return NULL;
}

static aard_error *clear(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    (void)values;
    if (request->session->isolate) AARD__TRY(aard_isolate_clear(request->session->isolate));
    return aard__session_done(request, NULL, result);
}

/* Of a session whose state was restored everything goes: the state, too. */
static aard_error *reset(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard_session *session = request->session;
    (void)values;
    if (session->restored) {
        aard__session_drop_isolate(session);
        aard_isolate_config_free(session->restored);
        session->restored = NULL;
        AARD__TRY(aard__session_need_isolate(session));
    } else if (session->isolate) {
        AARD__TRY(aard_isolate_reset(session->isolate));
    }
    return aard__session_done(request, NULL, result);
}

static const aard__session_method initialize_method = {"initialize",
                                                       initialize,
                                                       {{"limits", AARD__JSON_OBJECT, false},
                                                        {"callbacks", AARD__JSON_ARRAY, false}}},
                                  clear_method = {"clear", clear, {{0}}}, reset_method = {"reset", reset, {{0}}};

const aard__session_method *const aard__session_methods[] = {
    &initialize_method,      &aard__session_execute,  &aard__session_call,     &clear_method,
    &reset_method,           &aard__session_files[0], &aard__session_files[1], &aard__session_files[2],
    &aard__session_files[3], &aard__session_capture,  &aard__session_restore,  NULL,
};

const aard__session_method *aard__session_find_method(aard__json name)
{
    for (size_t i = 0; aard__session_methods[i]; i++)
        if (aard__json_is(name, aard__session_methods[i]->name)) return aard__session_methods[i];
    return NULL;
}
