/* What the methods of a session share: reading params, and results. */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/clock.h"
#include "outcome/outcome.h"
#include "session/session_impl.h"

aard_error *aard__session_invalid(aard__session_request *request, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    aard__buf_puts(&request->invalid, text);
    return NULL;
}

char *aard__session_text(aard__session_request *request, const char *name, aard__json value)
{
    aard__buf text = AARD__BUF_INIT;
    aard__json_text(value, &text);
    if (text.len && memchr(text.data, '\0', text.len)) {
        aard__session_invalid(request, "the param '%s' has a NUL in it", name);
        aard__buf_free(&text);
        return NULL;
    }
    char *taken = aard__buf_take(&text, NULL);
    if (!taken) aard__session_invalid(request, "out of memory for the param '%s'", name);
    return taken;
}

bool aard__session_bytes(aard__session_request *request, const char *name, aard__json value, aard__buf *out)
{
    aard__buf text = AARD__BUF_INIT;
    const char *end = NULL;
    aard__json_text(value, &text);
    bool right = !text.failed && aard__buf_reserve(out, text.len / 4 * 3 + 3);
    if (right && text.len) {
        size_t len;
        right = !sodium_base642bin((unsigned char *)out->data, out->cap, text.data, text.len, NULL, &len, &end,
                                   sodium_base64_VARIANT_ORIGINAL) &&
                end == text.data + text.len;
        if (right) out->len = len;
    }
    aard__buf_free(&text);
    if (!right) aard__session_invalid(request, "the param '%s' is not base64 (RFC 4648, with padding)", name);
    return right;
}

void aard__session_put_base64(aard__buf *out, const char *data, size_t len)
{
    size_t room = aard__base64_len(len);
    aard__buf_putc(out, '"');
    if (aard__buf_reserve(out, room)) {
        aard__base64(out->data + out->len, data, len);
        out->len += room;
    }
    aard__buf_putc(out, '"');
}

aard_error *aard__session_done(const aard__session_request *request, aard__buf *value, aard__buf *result)
{
    aard_outcome *outcome;
    char *text;
    size_t len;
    aard_error *error = value && value->failed ? aard__error_no_memory() : aard__outcome_new(&outcome);
    if (error) {
        if (value) aard__buf_free(value);
        return error;
    }
    if (value) outcome->value = *value;
    outcome->isolation = aard_isolate_config_isolation(request->session->config);
    outcome->diagnostics.started_at_ns = aard__clock_realtime();
    error = aard_outcome_json(outcome, &text, &len);
    aard_outcome_free(outcome);
    if (error) return error;
    aard__buf_append(result, text, len);
    aard_string_free(text);
    return NULL;
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

bool aard__session_limits(aard__session_request *request, aard__json limits, uint64_t out[3])
{
    static const aard__rpc_param params[] = {{"wall_ms", AARD__JSON_NUMBER, false},
                                             {"cpu_ms", AARD__JSON_NUMBER, false},
                                             {"result_bytes", AARD__JSON_NUMBER, false},
                                             {0}};
    aard__json values[AARD__RPC_PARAMS_MOST];
    out[0] = out[1] = out[2] = 0;
    if (!limits.len) return true;
    if (!aard__rpc_read_params(limits, params, values, &request->invalid)) return false;
    for (int i = 0; i < 3; i++) {
        if (!values[i].len || (aard__json_count(values[i], &out[i]) && out[i])) continue;
        aard__session_invalid(request, "the limit '%s' is not a whole number above 0", params[i].name);
        return false;
    }
    return true;
}

bool aard__session_read_limits(aard__session_request *request, aard__json limits, aard_call *call)
{
    uint64_t list[3];
    if (!aard__session_limits(request, limits, list)) return false;
    aard_call_set_wall_limit_ms(call, list[0]);
    aard_call_set_cpu_limit_ms(call, list[1]);
    aard_call_set_result_limit(call, list[2]);
    return true;
}
