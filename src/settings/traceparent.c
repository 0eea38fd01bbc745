/* W3C Trace Context: which trace of the host's a call belongs to, in and out. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/trace.h"
#include "settings/context.h"

/* So many lower-case hexadecimal digits that are not all 0. */
static bool is_id(const char *text, size_t digits)
{
    bool zero = true;
    for (size_t i = 0; i < digits; i++) {
        if (!text[i] || !strchr("0123456789abcdef", text[i])) return false;
        zero = zero && text[i] == '0';
    }
    return !zero;
}

static bool is_byte(const char *text) { return !strncmp(text, "00", 2) || is_id(text, 2); }

/* VERSION-TRACE-PARENT-FLAGS, of the one version that there is and of those to come, which may have more behind. */
static bool is_traceparent(const char *text)
{
    size_t len = strnlen(text, 1024);
    if (len < AARD__TRACEPARENT - 1 || !is_byte(text) || !strncmp(text, "ff", 2)) return false;
    if (text[2] != '-' || !is_id(text + 3, 32) || text[35] != '-' || !is_id(text + 36, 16)) return false;
    if (text[52] != '-' || !is_byte(text + 53)) return false;
    return len == AARD__TRACEPARENT - 1 || (strncmp(text, "00", 2) != 0 && text[55] == '-');
}

aard_error *aard_call_set_traceparent(aard_call *call, const char *traceparent)
{
    AARD__NEED(call);
    AARD__NEED_THAT(!traceparent || is_traceparent(traceparent),
                    "it is not a traceparent; give 00-TRACE-PARENT-FLAGS in lower-case hexadecimal digits, or NULL");
    snprintf(call->traceparent, sizeof call->traceparent, "%s", traceparent ? traceparent : "");
    return NULL;
}

const char *aard_call_traceparent(const aard_call *call)
{
    return call && *call->traceparent ? call->traceparent : NULL;
}

bool aard_call_context_traceparent(const aard_call_context *context, char *out, size_t size)
{
    const char *in = context ? aard_call_traceparent(context->call) : NULL;
    if (!in || !out || size < AARD__TRACEPARENT) return false;
    uint64_t span = aard__trace_current();
    memcpy(out, in, AARD__TRACEPARENT);
    memcpy(out, "00", 2); /* what this is made by */
    if (!span) return true;
    char id[17];
    snprintf(id, sizeof id, "%016llx", (unsigned long long)span);
    memcpy(out + 36, id, 16);
    return true;
}
