/* Events of the trace as Chrome's trace-event format has them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/trace.h"
#include "base/utf8.h"

/* Text into what room there is: nothing is allocated, since the host's callback is what calls this. */
typedef struct output {
    char *at, *end; /* `at` may be beyond */
    size_t len;
} output;

static void put(output *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len && out->len + i < (size_t)(out->end - out->at); i++) out->at[out->len + i] = text[i];
    out->len += len;
}

static void put_text(output *out, const char *text) { put(out, text, strlen(text)); }

static void put_number(output *out, const char *key, uint64_t number)
{
    char text[64];
    put(out, text, (size_t)snprintf(text, sizeof text, ",\"%s\":%llu", key, (unsigned long long)number));
}

static void put_string(output *out, const char *text)
{
    size_t len = strlen(text);
    put_text(out, "\"");
    for (size_t i = 0, step; i < len; i += step) {
        char escape[8];
        unsigned char c = (unsigned char)text[i];
        step = aard__utf8_sequence(text + i, len - i);
        if (!step) {
            put_text(out, "\\ufffd");
            step = 1;
        } else if (c < 0x20 || c == '"' || c == '\\') {
            put(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        } else {
            put(out, text + i, step);
        }
    }
    put_text(out, "\"");
}

size_t aard_trace_event_json(const aard_trace_event *event, char *out, size_t size)
{
    if (out && size) *out = '\0';
    if (!event) return 0;
    bool begins = event->phase == AARD_TRACE_BEGIN, overlaps = !strcmp(event->name, "network_request");
    output text = {.at = out, .end = out ? out + size : out};
    char head[128];
    put_text(&text, "{\"name\":");
    put_string(&text, event->name);
    put(&text, head,
        (size_t)snprintf(
            head, sizeof head, ",\"cat\":\"aardvark\",\"ph\":\"%s\",\"ts\":%llu.%03u,\"pid\":%ld,\"tid\":%ld",
            overlaps ? (begins ? "b" : "e") : (begins ? "B" : "E"), (unsigned long long)(event->time_ns / 1000),
            (unsigned)(event->time_ns % 1000), (long)getpid(), (long)gettid()));
    if (overlaps) put_number(&text, "id", event->span);
    put_text(&text, begins ? ",\"args\":{\"detail\":" : ",\"args\":{\"result\":");
    put_string(&text, event->detail);
    if (event->traceparent && *event->traceparent) {
        put_text(&text, ",\"traceparent\":");
        put_string(&text, event->traceparent);
    }
    put_number(&text, "span", event->span);
    if (event->parent) put_number(&text, "parent", event->parent);
    if (event->isolate_id) put_number(&text, "isolate", event->isolate_id);
    put_text(&text, "}}");
    if (out && size) out[text.len < size ? text.len : size - 1] = '\0';
    return text.len;
}
