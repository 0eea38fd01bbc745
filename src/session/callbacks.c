/* Callbacks that the client answers: each is a request of the session's, and its response the guest's answer. */
#include <aardvark/callbacks.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "session/session_impl.h"

struct aard__session_asked {
    aard__session_asked *next;
    uint64_t number;
    aard_invocation *invocation;
};

/* Takes the one of that id out of the list; NULL where there is none. */
static aard_invocation *take(aard_session *session, aard__json id)
{
    aard_invocation *invocation = NULL;
    char want[32];
    pthread_mutex_lock(&session->lock);
    for (aard__session_asked **at = &session->asked; *at; at = &(*at)->next) {
        aard__session_asked *one = *at;
        snprintf(want, sizeof want, "callback-%llu", (unsigned long long)one->number);
        if (!aard__json_is(id, want)) continue;
        *at = one->next;
        invocation = one->invocation;
        aard__free(one);
        break;
    }
    pthread_mutex_unlock(&session->lock);
    return invocation;
}

static void fail_by(aard_invocation *invocation, aard__json error)
{
    aard__json_items items = aard__json_items_of(error);
    aard__json key, value, inner;
    aard__buf type = AARD__BUF_INIT, message = AARD__BUF_INIT;
    while (aard__json_next(&items, &key, &value)) {
        if (aard__json_is(key, "message")) aard__json_text(value, &message);
        if (aard__json_is(key, "type")) aard__json_text(value, &type);
        aard__json_items data = aard__json_items_of(aard__json_is(key, "data") ? value : (aard__json){NULL, 0});
        while (aard__json_next(&data, &key, &inner))
            if (aard__json_is(key, "type")) aard__json_text(inner, &type);
    }
    char *type_text = aard__buf_take(&type, NULL), *message_text = aard__buf_take(&message, NULL);
    aard_invocation_fail(invocation, type_text && *type_text ? type_text : NULL, message_text);
    aard__free(type_text);
    aard__free(message_text);
}

void aard__session_take_response(aard_session *session, const aard__rpc_message *m)
{
    aard_invocation *invocation = take(session, m->id);
    if (!invocation) return; /* nobody asked, or waits any more */
    if (m->error.len)
        fail_by(invocation, m->error);
    else
        aard_invocation_reply(invocation, m->result.data, m->result.len);
    aard_invocation_free(invocation);
}

void aard__session_drop_invocations(aard_session *session)
{
    pthread_mutex_lock(&session->lock);
    aard__session_asked *list = session->asked;
    session->asked = NULL;
    pthread_mutex_unlock(&session->lock);
    while (list) {
        aard__session_asked *next = list->next;
        aard_invocation_free(list->invocation);
        aard__free(list);
        list = next;
    }
}

/* On the worker's thread, while the guest waits. */
static void ask_client(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    aard_session *session = user;
    aard__session_asked *asked = aard__calloc(1, sizeof *asked);
    size_t len;
    (void)context;
    if (!asked || !session->running) {
        aard__free(asked);
        aard_invocation_free(invocation);
        return;
    }
    aard__buf line = AARD__BUF_INIT;
    aard__json id = session->running->id.len ? session->running->id : (aard__json){"null", 4};
    const char *arguments = aard_invocation_arguments(invocation, &len);
    aard__buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":\"callback-%llu\",\"method\":\"callback\",\"params\":{\"id\":",
                     (unsigned long long)++session->asked_count);
    aard__buf_append(&line, id.data, id.len);
    aard__buf_printf(&line, ",\"name\":\"%s\",\"arguments\":", aard_invocation_name(invocation));
    aard__buf_append(&line, arguments, len);
    aard__buf_puts(&line, "}}");
    *asked = (aard__session_asked){.number = session->asked_count, .invocation = invocation};
    pthread_mutex_lock(&session->lock);
    bool mute = session->mute;
    if (!mute) {
        asked->next = session->asked;
        session->asked = asked;
    }
    pthread_mutex_unlock(&session->lock);
    if (!mute) {
        aard__session_send_line(session, &line);
        return;
    }
    aard__buf_free(&line);
    aard__free(asked);
    aard_invocation_fail(invocation, NULL, "the client has ended its input, and can't answer");
    aard_invocation_free(invocation);
}

void aard_session_end_input(aard_session *session)
{
    if (!session) return;
    pthread_mutex_lock(&session->lock);
    session->mute = true;
    pthread_mutex_unlock(&session->lock);
    aard__session_drop_invocations(session);
}

/* ---- registering ------------------------------------------------------------------------------------------------ */

static aard_error *add_one(aard__session_request *request, aard_isolate_config *config, aard__json callback)
{
    static const aard__rpc_param params[] = {{"name", AARD__JSON_STRING, true},
                                             {"description", AARD__JSON_STRING, false},
                                             {"parameters", AARD__JSON_OBJECT | AARD__JSON_BOOL, false},
                                             {0}};
    aard__json values[AARD__RPC_PARAMS_MOST];
    if (aard__json_kind_of(callback) != AARD__JSON_OBJECT)
        return aard__session_invalid(request, "a callback is an object: {name, description, parameters}");
    if (!aard__rpc_read_params(callback, params, values, &request->invalid)) return NULL;
    char *name = aard__session_text(request, "name", values[0]);
    char *description = aard__session_text(request, "description", values[1]);
    char *schema = values[2].len ? aard__memdup0(values[2].data, values[2].len) : NULL;
    aard_error *error = request->invalid.len ? NULL
                        : values[2].len && !schema
                            ? aard__error_no_memory()
                            : aard_isolate_config_add_callback(config, name, description, schema, ask_client,
                                                               request->session, NULL);
    aard__free(name);
    aard__free(description);
    aard__free(schema);
    return error;
}

aard_error *aard__session_add_callbacks(aard__session_request *request, aard__json list)
{
    aard__json_items items = aard__json_items_of(list);
    aard__json one;
    while (aard__json_next(&items, NULL, &one) && !request->invalid.len)
        AARD__TRY(add_one(request, request->session->config, one));
    return NULL;
}
