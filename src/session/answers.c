/* What a session sends: answers, alone or in their batch, and notifications.  Each is one line. */
#include <string.h>

#include "base/alloc.h"
#include "session/session_impl.h"

static const aard__json null_id = {"null", 4};

/* A guest's JSON may have line ends between its values, which would end the message: only there can such bytes be. */
static void put_on_one_line(aard__buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] == '\n' || line->data[i] == '\r') line->data[i] = ' ';
    aard__buf_putc(line, '\n');
}

void aard__session_send_line(aard_session *session, aard__buf *line)
{
    put_on_one_line(line);
    pthread_mutex_lock(&session->send_lock);
    bool goes = !session->deaf && !line->failed;
    if (goes) session->deaf = !session->send(session->user, line->data, line->len);
    bool deaf = session->deaf;
    pthread_mutex_unlock(&session->send_lock);
    aard__buf_free(line);
    if (deaf) aard__session_cancel_all(session);
}

void aard__session_batch_done(aard_session *session, aard__batch *batch)
{
    pthread_mutex_lock(&session->lock);
    bool last = !--batch->left;
    pthread_mutex_unlock(&session->lock);
    if (!last) return;
    if (batch->answers.len) {
        aard__buf_putc(&batch->answers, ']');
        aard__session_send_line(session, &batch->answers);
    }
    aard__buf_free(&batch->answers);
    aard__free(batch);
}

/* Sends the answer, or puts it among those of its batch; frees it. */
static void give(aard_session *session, aard__batch *batch, aard__buf *answer)
{
    if (!batch) {
        aard__session_send_line(session, answer);
        return;
    }
    pthread_mutex_lock(&session->lock);
    aard__buf_putc(&batch->answers, batch->answers.len ? ',' : '[');
    aard__buf_append(&batch->answers, answer->data, answer->len);
    pthread_mutex_unlock(&session->lock);
    aard__buf_free(answer);
}

static void begin(aard__buf *answer, aard__json id)
{
    if (!id.len) id = null_id;
    aard__buf_puts(answer, "{\"jsonrpc\":\"2.0\",\"id\":");
    aard__buf_append(answer, id.data, id.len);
}

static void put_error(aard__buf *answer, int code, const char *message, const char *name)
{
    aard__buf_printf(answer, ",\"error\":{\"code\":%d,\"message\":", code);
    aard__buf_json_string(answer, message, strlen(message));
    if (name) aard__buf_printf(answer, ",\"data\":{\"error\":\"%s\"}", name);
    aard__buf_puts(answer, "}}");
}

void aard__session_answer(aard__session_request *request, const aard__buf *result)
{
    aard__buf answer = AARD__BUF_INIT;
    if (result->failed) {
        aard__session_refuse(request, AARD__RPC_SERVER, "out of memory", "no_memory");
        return;
    }
    if (!request->id.len) return;
    begin(&answer, request->id);
    aard__buf_puts(&answer, ",\"result\":");
    aard__buf_append(&answer, result->data, result->len);
    aard__buf_putc(&answer, '}');
    if (answer.failed) { /* too large for what memory there is */
        aard__buf_free(&answer);
        aard__session_refuse(request, AARD__RPC_SERVER, "out of memory", "no_memory");
        return;
    }
    give(request->session, request->batch, &answer);
}

void aard__session_refuse(aard__session_request *request, int code, const char *message, const char *name)
{
    aard__buf answer = AARD__BUF_INIT;
    if (!request->id.len) return;
    begin(&answer, request->id);
    put_error(&answer, code, message, name);
    give(request->session, request->batch, &answer);
}

void aard__session_reject(aard_session *session, aard__batch *batch, aard__json id, int code, const char *message)
{
    aard__buf answer = AARD__BUF_INIT;
    begin(&answer, id);
    put_error(&answer, code, message, NULL);
    give(session, batch, &answer);
}

void aard__session_notify_output(aard__session_request *request, const char *stream, const char *text, size_t len)
{
    aard__buf line = AARD__BUF_INIT;
    aard__json id = request->id.len ? request->id : null_id;
    aard__buf_puts(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"output\",\"params\":{\"id\":");
    aard__buf_append(&line, id.data, id.len);
    aard__buf_printf(&line, ",\"stream\":\"%s\",\"text\":", stream);
    aard__buf_json_string(&line, text, len);
    aard__buf_puts(&line, "}}");
    aard__session_send_line(request->session, &line);
}
