/* The guest's output on its way to the client: never cut inside of a character. */
#include <string.h>

#include "base/utf8.h"
#include "session/session_impl.h"

static const char *const stream_names[] = {"stdout", "stderr"};

/* How many bytes at the end are the beginning of a character of which the rest may still come. */
static size_t cut_off(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        bool cut = false;
        const char *at = text + len - back;
        if (aard__utf8_sequence(at, back)) return 0;
        if (((unsigned char)*at & 0xc0) == 0x80) continue;
        return aard__utf8_bad(at, back, &cut) == back && cut ? back : 0;
    }
    return 0;
}

void aard__session_output(const aard_call_context *context, void *user, aard_stream stream, const char *data,
                          size_t len)
{
    aard_session *session = user;
    aard__session_request *request = session->running; /* set and cleared by this thread alone */
    (void)context;
    if (!request || !len) return;
    int which = stream == AARD_STREAM_STDERR;
    aard__buf *partial = &request->partial[which];
    const char *text = data;
    if (partial->len) {
        aard__buf_append(partial, data, len);
        if (partial->failed) return;
        text = partial->data;
        len = partial->len;
    }
    size_t rest = cut_off(text, len), whole = len - rest;
    if (whole) aard__session_notify_output(request, stream_names[which], text, whole);
    if (text == partial->data) {
        memmove(partial->data, text + whole, rest);
        partial->len = rest;
    } else {
        aard__buf_append(partial, text + whole, rest);
    }
}

void aard__session_flush_output(aard__session_request *request)
{
    for (int i = 0; i < 2; i++) {
        aard__buf *partial = &request->partial[i];
        if (partial->len && !partial->failed)
            aard__session_notify_output(request, stream_names[i], partial->data, partial->len);
        aard__buf_free(partial);
    }
}
