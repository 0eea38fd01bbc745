/* The methods that run code of the guest. */
#include <string.h>

#include "base/alloc.h"
#include "session/session_impl.h"

enum { NAME = 0, CODE = 0, EXECUTE_NAME = 5, INPUT = 1, STDIN = 2, LIMITS = 3, ROLLBACK = 4 };

#define CALL_PARAMS                                                                                                    \
    {"input",                                                                                                          \
     AARD__JSON_OBJECT | AARD__JSON_ARRAY | AARD__JSON_STRING | AARD__JSON_NUMBER | AARD__JSON_BOOL | AARD__JSON_NULL, \
     false},                                                                                                           \
        {"stdin", AARD__JSON_STRING, false}, {"limits", AARD__JSON_OBJECT, false},                                     \
    {                                                                                                                  \
        "rollback", AARD__JSON_BOOL, false                                                                             \
    }

/* The particulars; false, and said to be invalid, where they are. */
static bool fill_call(aard__session_request *request, const aard__json *values, aard__buf *stdin_text, aard_call *call)
{
    aard_call_set_cancel_handle(call, request->cancel);
    if (values[INPUT].len) aard_call_set_input_json(call, values[INPUT].data, values[INPUT].len);
    aard__json_text(values[STDIN], stdin_text);
    if (values[STDIN].len) aard_call_set_stdin(call, stdin_text->data ? stdin_text->data : "", stdin_text->len);
    aard_call_set_rollback(call, values[ROLLBACK].len && *values[ROLLBACK].data == 't');
    return aard__session_read_limits(request, values[LIMITS], call);
}

static aard_error *take_outcome(aard_error *error, aard_outcome *outcome, aard__buf *result)
{
    char *text;
    size_t len;
    if (!error) error = aard_outcome_json(outcome, &text, &len);
    aard_outcome_free(outcome);
    if (error) return error;
    aard__buf_append(result, text, len);
    aard_string_free(text);
    return NULL;
}

static aard_error *execute_with(aard__session_request *request, const aard__json *values, const aard_call *call,
                                aard__buf *result)
{
    aard__buf code = AARD__BUF_INIT;
    aard_outcome *outcome = NULL;
    char *name = values[EXECUTE_NAME].len ? aard__session_text(request, "name", values[EXECUTE_NAME]) : NULL;
    if (request->invalid.len) return NULL;
    aard__json_text(values[CODE], &code);
    aard_error *error = code.failed
                            ? aard__error_no_memory()
                            : aard_isolate_exec(request->session->isolate, code.data, code.len, name, call, &outcome);
    aard__buf_free(&code);
    aard__free(name);
    return take_outcome(error, outcome, result);
}

static aard_error *need_handler(aard_session *session, char *entrypoint)
{
    bool same = session->handler && (entrypoint && session->entrypoint ? !strcmp(entrypoint, session->entrypoint)
                                                                       : entrypoint == session->entrypoint);
    if (same) {
        aard__free(entrypoint);
        return NULL;
    }
    aard_handler_free(session->handler);
    aard__free(session->entrypoint);
    session->handler = NULL;
    session->entrypoint = entrypoint;
    return aard_handler_new(session->isolate, entrypoint, &session->handler);
}

static aard_error *call_with(aard__session_request *request, const aard__json *values, const aard_call *call,
                             aard__buf *result)
{
    aard_session *session = request->session;
    aard_outcome *outcome = NULL;
    char *entrypoint = values[NAME].len ? aard__session_text(request, "entrypoint", values[NAME]) : NULL;
    if (request->invalid.len) return NULL;
    AARD__TRY(need_handler(session, entrypoint));
    aard_error *error = aard_handler_invoke(session->handler, call, &outcome);
    return take_outcome(error, outcome, result);
}

static aard_error *make_call(aard__session_request *request, const aard__json *values, aard__buf *result,
                             aard_error *(*make)(aard__session_request *, const aard__json *, const aard_call *,
                                                 aard__buf *))
{
    aard_call *call;
    aard__buf stdin_text = AARD__BUF_INIT;
    AARD__TRY(aard__session_need_isolate(request->session));
    AARD__TRY(aard_call_new(&call));
    bool good = fill_call(request, values, &stdin_text, call);
    aard_error *error = !good               ? NULL
                        : stdin_text.failed ? aard__error_no_memory()
                                            : make(request, values, call, result);
    aard_call_free(call);
    aard__buf_free(&stdin_text);
    return error;
}

static aard_error *execute(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    return make_call(request, values, result, execute_with);
}

static aard_error *call(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    return make_call(request, values, result, call_with);
}

const aard__session_method aard__session_execute = {
    "execute", execute, {{"code", AARD__JSON_STRING, true}, CALL_PARAMS, {"name", AARD__JSON_STRING, false}}};
const aard__session_method aard__session_call = {"call", call, {{"entrypoint", AARD__JSON_STRING, false}, CALL_PARAMS}};
