/* A session: made, fed with its client's bytes, and freed. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "base/thread.h"
#include "session/session_impl.h"
#include "settings/config.h"

/* ---- messages --------------------------------------------------------------------------------------------------- */

/* Copies what a message has to last longer for. */
static aard__session_request *keep(aard_session *session, const aard__rpc_message *m, aard__batch *batch)
{
    aard__session_request *request = aard__calloc(1, sizeof *request);
    char *text = aard__malloc(m->id.len + m->params.len + 1);
    aard_error *error = request && text ? aard_cancel_handle_new(&request->cancel) : aard__error_no_memory();
    if (error) {
        aard_error_free(error);
        aard__free(request);
        aard__free(text);
        return NULL;
    }
    if (m->id.len) memcpy(text, m->id.data, m->id.len);
    if (m->params.len) memcpy(text + m->id.len, m->params.data, m->params.len);
    request->session = session;
    request->text = text;
    request->id = (aard__json){text, m->id.len};
    request->params = (aard__json){text + m->id.len, m->params.len};
    if (batch) {
        pthread_mutex_lock(&session->lock);
        batch->left++;
        pthread_mutex_unlock(&session->lock);
    }
    request->batch = batch;
    return request;
}

/* Taken at once, while others wait. */
static aard_error *cancel(aard__session_request *request, const aard__json *values, aard__buf *result)
{
    aard__buf value = AARD__BUF_INIT;
    aard__buf_puts(&value, aard__session_cancel(request->session, values[0]) ? "true" : "false");
    return aard__session_done(request, &value, result);
}

static const aard__session_method cancel_method = {
    "cancel", cancel, {{"id", AARD__JSON_STRING | AARD__JSON_NUMBER | AARD__JSON_NULL, true}}};

static void cancel_now(aard_session *session, const aard__rpc_message *m, aard__batch *batch)
{
    aard__json values[AARD__RPC_PARAMS_MOST];
    aard__buf why = AARD__BUF_INIT, result = AARD__BUF_INIT;
    bool good = aard__rpc_read_params(m->params, cancel_method.params, values, &why);
    aard__session_request *request = keep(session, m, batch);
    if (!request) {
        aard__session_reject(session, batch, m->id, AARD__RPC_SERVER, "out of memory");
    } else if (good) {
        aard_error_free(cancel(request, values, &result));
        aard__session_answer(request, &result);
    } else {
        aard__buf_putc(&why, '\0');
        aard__session_refuse(request, AARD__RPC_PARAMS, why.failed ? "" : why.data, NULL);
    }
    if (request) aard__session_request_free(request);
    aard__buf_free(&why);
    aard__buf_free(&result);
}

static void take_request(aard_session *session, const aard__rpc_message *m, aard__batch *batch)
{
    const aard__session_method *method = aard__session_find_method(m->method);
    if (aard__json_is(m->method, cancel_method.name)) {
        cancel_now(session, m, batch);
        return;
    }
    aard__session_request *request = keep(session, m, batch);
    if (!request) {
        aard__session_reject(session, batch, m->id, AARD__RPC_SERVER, "out of memory");
    } else if (!method) {
        aard__session_refuse(request, AARD__RPC_METHOD,
                             "there is no such method; initialize names those that there are", NULL);
        aard__session_request_free(request);
    } else {
        request->method = method;
        aard__session_enqueue(session, request);
    }
}

static void take_one(aard_session *session, aard__json value, aard__batch *batch)
{
    aard__rpc_message m = aard__rpc_read(value);
    switch (m.kind) {
    case AARD__RPC_REQUEST_KIND: take_request(session, &m, batch); break;
    case AARD__RPC_RESPONSE_KIND: aard__session_take_response(session, &m); break;
    case AARD__RPC_WRONG_KIND: aard__session_reject(session, batch, m.id, m.code, m.why); break;
    }
}

static void take_batch(aard_session *session, aard__json value)
{
    aard__json_items items = aard__json_items_of(value), rest = items;
    aard__json one;
    size_t count = 0;
    while (count <= AARD__RPC_BATCH && aard__json_next(&items, NULL, &one)) count++;
    aard__batch *batch = count && count <= AARD__RPC_BATCH ? aard__calloc(1, sizeof *batch) : NULL;
    if (!batch) {
        aard__session_reject(session, NULL, (aard__json){NULL, 0}, AARD__RPC_REQUEST,
                             !count ? "the batch is empty" : "the batch is too large (limit 1000 messages)");
        return;
    }
    batch->left = 1;
    while (aard__json_next(&rest, NULL, &one)) take_one(session, one, batch);
    aard__session_batch_done(session, batch);
}

static void take_message(aard_session *session, const char *text, size_t len)
{
    bool deep = false;
    aard__json value = aard__json_of(text, len);
    if (!value.len) return; /* an empty line */
    if (!aard__json_valid_to(value.data, value.len, AARD__RPC_DEPTH, &deep, NULL))
        aard__session_reject(session, NULL, (aard__json){NULL, 0}, AARD__RPC_PARSE,
                             deep ? "the message is nested too deeply (limit 1000 levels)" : "the message is not JSON");
    else if (aard__json_kind_of(value) == AARD__JSON_ARRAY)
        take_batch(session, value);
    else
        take_one(session, value, NULL);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void too_long(aard_session *session)
{
    aard__session_reject(session, NULL, (aard__json){NULL, 0}, AARD__RPC_PARSE,
                         "the message is too long, or memory is out (limit 64 MiB)");
    aard__buf_free(&session->line);
    session->skipping = true;
}

/* A piece without a line end. */
static void add(aard_session *session, const char *data, size_t len)
{
    if (session->skipping) return;
    bool fits = len <= AARD_SESSION_MESSAGE_MAX - session->line.len;
    if (fits) aard__buf_append(&session->line, data, len);
    if (!fits || session->line.failed) too_long(session);
}

static void end_line(aard_session *session)
{
    if (!session->skipping) take_message(session, session->line.data, session->line.len);
    session->skipping = false;
    if (session->line.cap > (size_t)1 << 20)
        aard__buf_free(&session->line);
    else
        aard__buf_clear(&session->line);
}

void aard_session_feed(aard_session *session, const char *data, size_t len)
{
    if (!session || !data || aard__forked()) return;
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t piece = end ? (size_t)(end - data) : len;
        if (end && !session->line.len && !session->skipping && piece <= AARD_SESSION_MESSAGE_MAX) {
            take_message(session, data, piece);
        } else {
            add(session, data, piece);
            if (end) end_line(session);
        }
        data += piece + (end != NULL);
        len -= piece + (end != NULL);
    }
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void free_all(aard_session *session)
{
    aard__session_drop_isolate(session);
    aard_isolate_config_free(session->config);
    aard_isolate_config_free(session->restored);
    aard_bundle_free(session->bundle);
    aard__buf_free(&session->line);
    pthread_mutex_destroy(&session->lock);
    pthread_mutex_destroy(&session->send_lock);
    pthread_cond_destroy(&session->some);
    pthread_cond_destroy(&session->none);
    if (session->finalizer) session->finalizer(session->user);
    aard__free(session);
}

static aard_error *start(aard_session *session, const aard_isolate_config *config)
{
    AARD__TRY(aard__config_copy(config, &session->config));
    AARD__TRY(aard__config_check(session->config));
    int failed = aard__thread_start(&session->thread, aard__session_work, session);
    return failed ? aard__error_errno(AARD_ERR_THREAD, failed, "cannot start the thread of a session") : NULL;
}

aard_error *aard_session_new(const aard_isolate_config *config, aard_bundle *bundle, aard_session_send send, void *user,
                             aard_finalizer finalizer, aard_session **out)
{
    aard_session *session = out && send && !aard__forked() ? aard__calloc(1, sizeof *session) : NULL;
    if (!session) {
        if (finalizer) finalizer(user);
        AARD__NEED(send);
        AARD__NEED(out);
        return aard__forked() ? aard__error_forked() : aard__error_no_memory();
    }
    session->send = send;
    session->user = user;
    session->finalizer = finalizer;
    session->bundle = bundle ? aard_bundle_retain(bundle) : NULL;
    session->last = &session->first;
    pthread_mutex_init(&session->lock, NULL);
    pthread_mutex_init(&session->send_lock, NULL);
    pthread_cond_init(&session->some, NULL);
    aard__cond_init(&session->none);
    aard_error *error = start(session, config);
    if (error)
        free_all(session);
    else
        *out = session;
    return error;
}

bool aard_session_wait(aard_session *session, uint64_t ms)
{
    if (!session || aard__forked()) return true;
    uint64_t until = aard__clock_later(aard__clock_monotonic(), ms);
    struct timespec at = {(time_t)(until / UINT64_C(1000000000)), (long)(until % UINT64_C(1000000000))};
    bool late = false;
    pthread_mutex_lock(&session->lock);
    while ((session->first || session->running) && !late)
        late = ms == UINT64_MAX ? pthread_cond_wait(&session->none, &session->lock)
                                : pthread_cond_timedwait(&session->none, &session->lock, &at) != 0;
    bool done = !session->first && !session->running;
    pthread_mutex_unlock(&session->lock);
    return done;
}

void aard_session_free(aard_session *session)
{
    if (!session || aard__forked()) return;
    pthread_mutex_lock(&session->lock);
    session->ending = true;
    pthread_cond_signal(&session->some);
    pthread_mutex_unlock(&session->lock);
    aard__session_cancel_all(session);
    pthread_join(session->thread, NULL);
    pthread_mutex_lock(&session->send_lock);
    session->deaf = true; /* what waited is dropped */
    pthread_mutex_unlock(&session->send_lock);
    for (aard__session_request *one = session->first, *next; one; one = next) {
        next = one->next;
        aard__session_request_free(one);
    }
    session->first = NULL;
    free_all(session);
}
