/* What a client's message is, by JSON-RPC 2.0. */
#include "session/message.h"

#include <string.h>

static aard__rpc_message wrong(aard__json id, const char *why)
{
    return (aard__rpc_message){.kind = AARD__RPC_WRONG_KIND, .id = id, .code = AARD__RPC_REQUEST, .why = why};
}

/* The members of a message; false where one is there twice. */
static bool read_members(aard__json value, aard__rpc_message *out, aard__json *version)
{
    const struct {
        const char *name;
        aard__json *at;
    } members[] = {{"jsonrpc", version},     {"id", &out->id},         {"method", &out->method},
                   {"params", &out->params}, {"result", &out->result}, {"error", &out->error}};
    aard__json_items items = aard__json_items_of(value);
    aard__json key, member;
    while (aard__json_next(&items, &key, &member)) {
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            if (!aard__json_is(key, members[i].name)) continue;
            if (members[i].at->len) return false;
            *members[i].at = member;
        }
    }
    return true;
}

aard__rpc_message aard__rpc_read(aard__json value)
{
    static const unsigned ids = AARD__JSON_STRING | AARD__JSON_NUMBER | AARD__JSON_NULL;
    aard__rpc_message m = {.kind = AARD__RPC_REQUEST_KIND};
    aard__json version = {NULL, 0}, none = {NULL, 0};
    if (aard__json_kind_of(value) != AARD__JSON_OBJECT) return wrong(none, "a message is an object");
    if (!read_members(value, &m, &version)) return wrong(none, "a member of the message is there twice");
    if (m.id.len && !(aard__json_kind_of(m.id) & ids)) return wrong(none, "an id is a string, a number or null");
    if (!aard__json_is(version, "2.0")) return wrong(m.id, "the member 'jsonrpc' has to be \"2.0\"");
    if (!m.method.len && m.id.len && (m.result.len || m.error.len)) {
        m.kind = AARD__RPC_RESPONSE_KIND;
        return m;
    }
    if (aard__json_kind_of(m.method) != AARD__JSON_STRING) return wrong(m.id, "the member 'method' has to be a string");
    aard__json_kind params = aard__json_kind_of(m.params);
    if (params && !(params & (AARD__JSON_OBJECT | AARD__JSON_ARRAY))) return wrong(m.id, "params have to be an object");
    return m;
}

bool aard__rpc_same_id(aard__json a, aard__json b)
{
    if (aard__json_kind_of(a) != aard__json_kind_of(b)) return false;
    if (a.len == b.len && !memcmp(a.data, b.data, a.len)) return true;
    if (aard__json_kind_of(a) != AARD__JSON_STRING) return false;
    aard__buf texts[2] = {AARD__BUF_INIT, AARD__BUF_INIT};
    aard__json_text(a, &texts[0]);
    aard__json_text(b, &texts[1]);
    bool same = texts[0].len == texts[1].len && texts[0].len && !memcmp(texts[0].data, texts[1].data, texts[0].len);
    for (int i = 0; i < 2; i++) aard__buf_free(&texts[i]);
    return same;
}

/* ---- params ----------------------------------------------------------------------------------------------------- */

static bool place(aard__json key, aard__json value, const aard__rpc_param *params, aard__json *values, aard__buf *why)
{
    for (size_t i = 0; params[i].name; i++) {
        if (!aard__json_is(key, params[i].name)) continue;
        if (values[i].len)
            aard__buf_printf(why, "the param '%s' is given twice", params[i].name);
        else if (!(params[i].kinds & aard__json_kind_of(value)))
            aard__buf_printf(why, "the param '%s' is of the wrong type", params[i].name);
        values[i] = value;
        return !why->len;
    }
    aard__buf_printf(why, "there is no param %.*s; there are:", (int)(key.len < 100 ? key.len : 100), key.data);
    for (size_t i = 0; params[i].name; i++) aard__buf_printf(why, "%s '%s'", i ? "," : "", params[i].name);
    return false;
}

bool aard__rpc_read_params(aard__json given, const aard__rpc_param *params, aard__json values[AARD__RPC_PARAMS_MOST],
                           aard__buf *why)
{
    aard__json_items items = aard__json_items_of(given);
    aard__json key, value;
    for (size_t i = 0; i < AARD__RPC_PARAMS_MOST; i++) values[i] = (aard__json){NULL, 0};
    if (aard__json_kind_of(given) == AARD__JSON_ARRAY) {
        aard__buf_puts(why, "params are an object here, not an array");
        return false;
    }
    while (aard__json_next(&items, &key, &value))
        if (!place(key, value, params, values, why)) return false;
    for (size_t i = 0; params[i].name; i++) {
        if (!params[i].required || values[i].len) continue;
        aard__buf_printf(why, "the param '%s' is missing", params[i].name);
        return false;
    }
    return true;
}
