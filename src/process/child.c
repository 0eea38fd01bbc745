#include "process/child.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "outcome/pack.h"
#include "process/files.h"
#include "process/message.h"
#include "process/network.h"
#include "process/warm_copy.h"

static void leave(void) __attribute__((noreturn));

/* Nothing is to be put in order: the host has what it was to have, and the memory is a copy. */
static void leave(void) { _exit(0); }

static void send_frame(aard__child *child, aard__message type, const void *body, size_t len)
{
    aard__frame_to_send frame = {.type = type, .id = child->request, .body = body, .len = len};
    if (aard__channel_send(child->host.channel, &frame, NULL) != AARD__FRAME_OK) leave();
}

static void send_body(aard__child *child, aard__message type, aard__buf *body)
{
    if (body->failed) leave();
    send_frame(child, type, body->data, body->len);
    aard__buf_free(body);
}

static void send_error(aard__child *child, aard_error *error, bool whole)
{
    aard__buf body = AARD__BUF_INIT;
    aard__error_pack(error, whole, &body);
    aard_error_free(error);
    send_body(child, AARD__ERROR, &body);
}

/* ---- what the host serves --------------------------------------------------------------------------------------- */

static void send_output(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    aard__child *child = user;
    aard__buf body = AARD__BUF_INIT;
    (void)context;
    if (!child->host.channel) {
        child->missed = true;
        return;
    }
    aard__pack_u8(&body, (uint8_t)stream);
    aard__pack_span(&body, data, len);
    send_body(child, AARD__OUTPUT, &body);
}

typedef struct remote_function {
    aard__child *child;
    char *name;
} remote_function;

static void free_function(void *user)
{
    remote_function *function = user;
    if (function) aard__free(function->name);
    aard__free(function);
}

static void take_reply(const aard__frame *frame, aard_reply *reply)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    size_t len;
    const char *answer = aard__unpack_span(&in, 0, &len);
    if (!aard__unpacker_done(&in) || !len) leave();
    if (*answer == '=') {
        aard_reply_set_json(reply, answer + 1, len - 1);
        return;
    }
    char *message = aard__memdup0(answer + 1, len - 1);
    aard_reply_fail(reply, message ? message : "out of memory");
    aard__free(message);
}

static void call_host(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    const remote_function *function = user;
    aard__child *child = function->child;
    aard__buf body = AARD__BUF_INIT;
    aard__frame frame;
    (void)context;
    if (!child->host.channel) {
        child->missed = true;
        aard_reply_fail(reply, "the host can't be called while the guest starts");
        return;
    }
    aard__pack_text(&body, function->name);
    aard__pack_span(&body, input, len);
    if (!aard__host_ask(&child->host, AARD__HOST_CALL, AARD__HOST_REPLY, &body, &frame)) leave();
    take_reply(&frame, reply);
    aard__frame_end(&frame);
}

static aard_error *serve_function(aard__child *child, const char *name, aard_isolate_config *config)
{
    remote_function *function = aard__calloc(1, sizeof *function);
    if (function) function->name = aard__strdup(name);
    if (!function || !function->name) {
        free_function(function);
        return aard__error_no_memory();
    }
    function->child = child;
    return aard_isolate_config_add_function(config, name, call_host, function, free_function);
}

typedef struct remote_callback {
    aard__remote_callbacks *all;
    uint32_t index; /* in the host's configuration */
} remote_callback;

static void call_back(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    const remote_callback *callback = user;
    (void)context;
    aard__remote_callback(callback->all, callback->index, invocation);
}

static aard_error *serve_callback(aard__child *child, const aard__callbacks *served, size_t index,
                                  aard_isolate_config *config)
{
    const aard__callback *shown = served->list[index];
    const aard__callback_options options = {shown->name, shown->description, shown->schema_text, call_back, true};
    remote_callback *callback = aard__calloc(1, sizeof *callback);
    if (!callback) return aard__error_no_memory();
    *callback = (remote_callback){&child->callbacks, (uint32_t)index};
    return aard__callbacks_add(&config->hooks.callbacks, &options, callback, aard__free);
}

/* The host keeps the limits, and writes down what goes beyond; only what would not fit into a frame is refused here. */
static aard_error *serve_callbacks(aard__child *child, const aard__callbacks *served, aard_isolate_config *config)
{
    aard__callback_limits *limits = &config->settings.callback_limits;
    const uint64_t most = limits->argument_bytes < AARD__MESSAGE_LARGE / 2 ? limits->argument_bytes
                                                                           : AARD__MESSAGE_LARGE / 2;
    *limits = (aard__callback_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, most, UINT64_MAX};
    for (size_t i = 0; i < served->count; i++) AARD__TRY(serve_callback(child, served, i, config));
    child->callbacks = (aard__remote_callbacks){
        .host = &child->host, .call = &child->request, .cancel = &child->cancel, .missed = &child->missed};
    child->answers = (aard__callback_source){aard__remote_callbacks_wait, &child->callbacks};
    config->hooks.answers = &child->answers;
    return NULL;
}

aard_error *aard__child_serve_hooks(aard__child *child, const aard__served *served, aard_isolate_config *config)
{
    for (size_t i = 0; i < served->functions.count; i++)
        AARD__TRY(serve_function(child, served->functions.items[i], config));
    AARD__TRY(serve_callbacks(child, &served->callbacks, config));
    for (size_t i = 0; i < served->mount_count; i++) {
        aard__mount *mount;
        AARD__TRY(
            aard__remote_mount_new(served->mounts[i].place, served->mounts[i].mode, (uint32_t)i, &child->host, &mount));
        AARD__TRY(aard__mounts_add(&config->hooks.mounts, mount));
    }
    child->net = (aard__net_source){aard__remote_net_open, &child->host};
    config->hooks.net = &child->net;
    aard_isolate_config_set_stream_callback(config, send_output, child, NULL);
    return NULL;
}

/* ---- being cancelled -------------------------------------------------------------------------------------------- */

/* The host's signal names the request that it cancels: one that comes too late hits none, and one that comes before the
 * request is looked at once that is cancellable. */
static void cancel_if_meant(aard__child *child)
{
    uint64_t request = __atomic_load_n(&child->request, __ATOMIC_SEQ_CST);
    aard_cancel_handle *cancel = __atomic_load_n(&child->cancel, __ATOMIC_SEQ_CST);
    if (cancel && (uint32_t)request == __atomic_load_n(&child->cancelled, __ATOMIC_SEQ_CST)) aard_cancel(cancel);
}

static void *hear(void *user)
{
    aard__child *child = user;
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (;;) {
        if (sigwaitinfo(&set, &info) < 0) continue;
        __atomic_store_n(&child->cancelled, (uint32_t)info.si_value.sival_int, __ATOMIC_SEQ_CST);
        cancel_if_meant(child);
    }
    return NULL;
}

/* A handle for the request under way.  Those of earlier ones are not freed while somebody may cancel them: they are the
 * child's until it ends. */
static aard_error *make_cancellable(aard__child *child, aard_call *call)
{
    aard_cancel_handle *cancel;
    AARD__TRY(aard_cancel_handle_new(&cancel));
    call->cancel = cancel;
    __atomic_store_n(&child->cancel, cancel, __ATOMIC_SEQ_CST);
    cancel_if_meant(child);
    if (child->listens) return NULL;
    pthread_t thread;
    int failed = aard__thread_start(&thread, hear, child);
    if (failed) return aard__error_errno(AARD_ERR_THREAD, failed, "cannot start the thread that hears of cancellation");
    pthread_detach(thread);
    child->listens = true;
    return NULL;
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void send_warm(aard__child *child, aard_warm_state *warm)
{
    int fd;
    aard_error *error = aard__warm_seal(warm, &fd);
    aard_warm_state_free(warm);
    if (error) {
        send_error(child, error, true);
        return;
    }
    aard__frame_to_send frame = {
        .type = AARD__RESPONSE, .id = child->request, .descriptors = &fd, .descriptor_count = 1};
    if (aard__channel_send(child->host.channel, &frame, NULL) != AARD__FRAME_OK) leave();
    close(fd);
}

static void send_response(aard__child *child, aard__verb verb, aard__response *response)
{
    aard__buf body = AARD__BUF_INIT;
    if (response->warm) {
        send_warm(child, response->warm);
        return;
    }
    if (verb == AARD__RESOLVE) aard__pack_u32(&body, response->handler);
    if (verb == AARD__FILES) aard__pack_span(&body, response->bytes.data, response->bytes.len);
    aard__buf_free(&response->bytes);
    if (response->outcome) aard__outcome_pack(response->outcome, &body);
    aard_outcome_free(response->outcome);
    send_body(child, AARD__RESPONSE, &body);
}

/* What the guest holds of a handler goes; its number stays what it is, here as in all children. */
static aard_error *release(aard__worker *worker, uint32_t number, const char *entrypoint)
{
    aard__response again;
    const aard__request gone = {.verb = AARD__RELEASE, .handlers = &number, .handler_count = 1};
    AARD__TRY(aard__worker_request(worker, &gone, &again));
    AARD__TRY(aard__worker_request(worker, &(aard__request){.verb = AARD__RESOLVE, .entrypoint = entrypoint}, &again));
    if (again.handler == number) return NULL;
    return aard__error(AARD_ERR_ENGINE, "a handler's number has changed");
}

static aard_error *do_request(aard__worker *worker, const aard__request *request, aard__response *response)
{
    return request->verb == AARD__RELEASE ? release(worker, request->handler, request->entrypoint)
                                          : aard__worker_request(worker, request, response);
}

static void answer(aard__child *child, aard__worker *worker, aard__received_request *received)
{
    aard__response response = {.outcome = NULL};
    aard_error *error = received->cancellable && received->request.call ? make_cancellable(child, &received->call)
                                                                        : NULL;
    if (!error) error = do_request(worker, &received->request, &response);
    __atomic_store_n(&child->cancel, NULL, __ATOMIC_SEQ_CST);
    if (error)
        send_error(child, error, aard__worker_is_whole(worker));
    else
        send_response(child, received->request.verb, &response);
}

static void send_hello(aard__child *child)
{
    aard__buf body = AARD__BUF_INIT;
    aard__hardening_pack(child->hardening, &body);
    send_body(child, AARD__HELLO, &body);
}

void aard__child_run(aard__child *child, aard__worker *worker)
{
    aard__frame frame;
    send_hello(child);
    while (aard__channel_receive(child->host.channel, NULL, &frame) == AARD__FRAME_OK) {
        aard__received_request received;
        if (frame.type != AARD__REQUEST) break;
        __atomic_store_n(&child->request, frame.id, __ATOMIC_SEQ_CST);
        aard_error *error = aard__request_unpack(&frame, &received);
        if (error) {
            send_error(child, error, true);
        } else {
            answer(child, worker, &received);
            aard__received_request_free(&received);
        }
        aard__frame_end(&frame);
    }
    leave();
}
