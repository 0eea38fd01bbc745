/* A call in a child: what it is sent, what comes back while it runs, and what came of it. */
#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/trace.h"
#include "outcome/pack.h"
#include "process/callbacks.h"
#include "process/client_impl.h"
#include "process/usage.h"
#include "settings/context.h"

#define MS UINT64_C(1000000)

enum {
    SLACK_MS = 500 /* beyond a limit and its grace period the child has to end the call, or it is killed */
};

/* A call under way. */
typedef struct remote_call {
    aard__client *client;
    const aard__request *request; /* by the child's number of the handler */
    aard__limits limits;
    aard_call_context context;
    aard__streams streams;
    aard__stream_call output;
    aard__ledger ledger; /* of what the host served */
    /* What the guest may do on the network, and the hosts of its bundle; once it wants to. */
    aard__network_policy network;
    aard__host_list bundle_hosts;
    uint64_t start, deadline; /* by aard__clock_monotonic; UINT64_MAX = none */
    aard__usage usage;        /* of the child */
    bool waited_for_host;     /* the deadline was put off for that */
    bool cancelled;
    aard__callback_server callbacks;
    aard_outcome *outcome; /* NULL until it has come */
    bool whole;            /* the guest, after that */
    aard_error *error;     /* the child's: the call was never made */
    const char *killed;    /* why the host ended the child; NULL = it did not */
    aard_failure_kind kind;
} remote_call;

/* ---- limits ----------------------------------------------------------------------------------------------------- */

/* What the import of a handler's module may take comes on top. */
static uint64_t hard_deadline(const remote_call *c)
{
    const aard__settings *settings = &c->client->config->settings;
    if (!c->limits.wall_ms) return UINT64_MAX;
    uint64_t at = aard__clock_later(aard__clock_later(c->start, c->limits.wall_ms), c->limits.grace_ms);
    if (c->request->verb == AARD__INVOKE) at = aard__clock_later(at, settings->startup_limit_ms);
    return aard__clock_later(at, SLACK_MS);
}

/* A guest cannot end while it waits for the host: it has its grace period when that is done with it, once. */
static void allow_for_host(remote_call *c)
{
    if (c->deadline == UINT64_MAX || c->waited_for_host) return;
    uint64_t by = aard__clock_later(aard__clock_later(aard__clock_monotonic(), c->limits.grace_ms), SLACK_MS);
    if (by <= c->deadline) return;
    c->waited_for_host = true;
    c->deadline = by;
}

static void kill_child(remote_call *c, aard_failure_kind kind, const char *why)
{
    c->killed = why;
    c->kind = kind;
    aard__remote_kill(&c->client->child);
}

/* ---- being cancelled -------------------------------------------------------------------------------------------- */

static aard_error *listen_for_wake(aard__client *client)
{
    if (client->wake < 0) client->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return client->wake >= 0 ? NULL : aard__error_errno(AARD_ERR_IO, errno, "a call can't be made cancellable");
}

static void wake_client(void *user)
{
    const uint64_t one = 1;
    ssize_t wrote = write(*(const int *)user, &one, sizeof one);
    (void)wrote; /* it is full: then it wakes anyway */
}

/* The host has cancelled the call: the child is told, and has a grace period for that. */
static void pass_on_cancel(remote_call *c)
{
    uint64_t by = aard__clock_later(aard__clock_later(aard__clock_monotonic(), c->limits.grace_ms), SLACK_MS);
    c->cancelled = true;
    aard__remote_cancel(&c->client->child);
    if (by < c->deadline) c->deadline = by;
}

static void drain(int wake)
{
    uint64_t count;
    ssize_t got = wake >= 0 ? read(wake, &count, sizeof count) : 0;
    (void)got;
}

/* The call was cancelled, or a callback answered. */
static void take_wake(remote_call *c)
{
    const aard_call *call = c->request->call;
    drain(c->client->wake);
    if (call && call->cancel && !c->cancelled && aard_cancel_handle_is_cancelled(call->cancel)) pass_on_cancel(c);
}

/* ---- what comes while it runs ----------------------------------------------------------------------------------- */

static bool take_output(remote_call *c, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    unsigned stream = aard__unpack_u8(&in);
    size_t len;
    const char *data = aard__unpack_span(&in, 0, &len);
    if (!aard__unpacker_done(&in) || (stream != AARD_STREAM_STDOUT && stream != AARD_STREAM_STDERR)) return false;
    aard__streams_write(&c->streams, (aard_stream)stream, data, len);
    return true;
}

/* Frees the body.  A child that does not take it has ended, or is late: that is seen by the next wait. */
static bool send_reply(remote_call *c, aard__message type, const aard__frame *to, aard__buf *body)
{
    aard__frame_to_send frame = {.type = type, .id = to->id, .body = body->data, .len = body->len};
    bool whole = !body->failed;
    aard__frame_result result = whole ? AARD__FRAME_INTERRUPTED : AARD__FRAME_OK;
    while (result == AARD__FRAME_INTERRUPTED) {
        aard__wait wait = {c->deadline, c->client->wake};
        result = aard__channel_send(c->client->child.channel, &frame, &wait);
        if (result == AARD__FRAME_INTERRUPTED) take_wake(c);
    }
    aard__buf_free(body);
    return whole;
}

static bool take_host_call(remote_call *c, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__buf answer = AARD__BUF_INIT, body = AARD__BUF_INIT;
    char *name = aard__unpack_some_text(&in, 64);
    size_t len;
    const char *input = aard__unpack_span(&in, 0, &len);
    /* Which the child asked for, its own check being none of ours. */
    bool right = aard__unpacker_done(&in) && aard__config_grants(c->client->config, name);
    if (right) {
        aard__span span = aard__trace_begin("host_function", 0, name);
        right = aard__functions_call(&c->client->config->hooks.functions, &c->context, name, input, len, &answer);
        aard__trace_end(&span, aard__functions_result(right, &answer));
        allow_for_host(c);
    }
    aard__free(name);
    right = right && !answer.failed;
    aard__pack_span(&body, answer.data, answer.len);
    aard__buf_free(&answer);
    right = send_reply(c, AARD__HOST_REPLY, frame, &body) && right;
    return right;
}

static bool take_file_call(remote_call *c, const aard__frame *frame)
{
    aard__buf body = AARD__BUF_INIT;
    aard__file_server *files = &c->client->files;
    files->ledger = &c->ledger;
    bool right = aard__file_serve(files, frame, &body);
    files->ledger = NULL;
    return send_reply(c, AARD__FILE_REPLY, frame, &body) && right;
}

/* The policy is made when the call's first request comes. */
static aard_error *open_network(remote_call *c)
{
    aard__net_server *net = &c->client->net;
    if (net->policy) return NULL;
    AARD__TRY(aard__config_hosts_of(c->client->bundle, &c->bundle_hosts));
    aard__config_network_policy(c->client->config, c->client->bundle, &c->bundle_hosts, &c->network);
    net->policy = &c->network;
    net->ledger = &c->ledger;
    return NULL;
}

static bool take_net_call(remote_call *c, const aard__frame *frame)
{
    aard__buf body = AARD__BUF_INIT;
    aard_error *error = open_network(c);
    bool right = !error && aard__net_serve(&c->client->net, frame, &body);
    aard_error_free(error);
    return send_reply(c, AARD__NET_REPLY, frame, &body) && right;
}

/* What is under way is dropped, and stands in the ledger. */
static void close_network(remote_call *c)
{
    aard__net_server *net = &c->client->net;
    aard__net_server_end_call(net);
    net->policy = NULL;
    net->ledger = NULL;
    aard__host_list_free(&c->bundle_hosts);
}

/* A child that waits is replied to once there is something for it: reply_to_waiting. */
static bool take_callback_call(remote_call *c, const aard__frame *frame)
{
    aard__buf body = AARD__BUF_INIT;
    aard_error *error = listen_for_wake(c->client);
    c->callbacks.wake = c->client->wake;
    bool right = !error && aard__callback_serve(&c->callbacks, frame, &body);
    aard_error_free(error);
    allow_for_host(c);
    if (right && !c->callbacks.waiting) return send_reply(c, AARD__CALLBACK_REPLY, frame, &body);
    aard__buf_free(&body);
    return right;
}

static void reply_to_waiting(remote_call *c)
{
    aard__buf body = AARD__BUF_INIT;
    const aard__frame frame = {.id = c->callbacks.frame};
    if (aard__callback_wait_over(&c->callbacks, c->cancelled, &body))
        send_reply(c, AARD__CALLBACK_REPLY, &frame, &body);
}

static aard__outcome_limits outcome_limits(const remote_call *c)
{
    const aard_isolate_config *config = c->client->config;
    size_t result = aard__config_result_limit(config, c->request->call);
    size_t depth = config->settings.result_depth_limit;
    return (aard__outcome_limits){result ? result : SIZE_MAX, depth ? depth : SIZE_MAX, config->settings.output_limit};
}

static bool take_response(remote_call *c, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__outcome_limits limits = outcome_limits(c);
    aard_error *error = aard__outcome_unpack(&in, &limits, &c->outcome);
    bool right = !error && aard__unpacker_done(&in);
    aard_error_free(error);
    c->whole = right && !c->outcome->diagnostics.state_lost;
    if (right || !c->outcome) return right;
    aard_outcome_free(c->outcome);
    c->outcome = NULL;
    return false;
}

static bool take_event(remote_call *c, const aard__frame *frame)
{
    switch (frame->type) {
    case AARD__OUTPUT: return take_output(c, frame);
    case AARD__RESPONSE: return take_response(c, frame);
    case AARD__ERROR: return (c->error = aard__error_unpack(frame, &c->whole)) != NULL;
    default: return false;
    }
}

/* False where the child did what it must not. */
static bool take_frame(remote_call *c, const aard__frame *frame)
{
    switch (frame->type) {
    case AARD__HOST_CALL: return take_host_call(c, frame);
    case AARD__FILE_CALL: return take_file_call(c, frame);
    case AARD__NET_CALL: return take_net_call(c, frame);
    case AARD__CALLBACK_CALL: return take_callback_call(c, frame);
    default: return frame->id == c->client->child.id && take_event(c, frame);
    }
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void too_late(remote_call *c)
{
    if (c->cancelled)
        kill_child(c, AARD_FAILURE_CANCELLED, "the call was cancelled");
    else
        kill_child(c, AARD_FAILURE_TIMEOUT_EXCEEDED, "the call took longer than its limit");
}

/* Whether the call has to be ended by force, and is. */
static bool ended_by_force(remote_call *c)
{
    aard_failure_kind kind;
    const char *why = NULL;
    if (c->deadline == UINT64_MAX && c->usage.next == UINT64_MAX) return false;
    uint64_t now = aard__clock_monotonic();
    if (now >= c->deadline)
        too_late(c);
    else if ((why = aard__usage_look(&c->usage, now, &kind)))
        kill_child(c, kind, why);
    return c->killed;
}

/* Nobody is ended by force who is done with it; and a child that never stops sending has no more time than another. */
static bool is_last(const aard__frame *frame) { return frame->type == AARD__RESPONSE || frame->type == AARD__ERROR; }

static uint64_t next_look(const remote_call *c)
{
    uint64_t until = c->usage.next < c->deadline ? c->usage.next : c->deadline;
    uint64_t answers = aard__callback_next_look(&c->callbacks);
    return answers < until ? answers : until;
}

/* The wait for the next frame; false where there will be none. */
static bool await_frame(remote_call *c, aard__frame *frame)
{
    for (;;) {
        reply_to_waiting(c);
        uint64_t until = next_look(c);
        aard__wait wait = {until, c->client->wake};
        bool plain = until == UINT64_MAX && !(c->request->call && c->request->call->cancel) && !c->callbacks.waiting;
        aard__frame_result result = aard__channel_receive(c->client->child.channel, plain ? NULL : &wait, frame);
        if (result == AARD__FRAME_INTERRUPTED) {
            take_wake(c);
        } else if (result == AARD__FRAME_OK) {
            if (is_last(frame) || !ended_by_force(c)) return true;
            aard__frame_end(frame);
            return false;
        } else if (result != AARD__FRAME_LATE) {
            if (result == AARD__FRAME_REFUSED) kill_child(c, AARD_FAILURE_ENGINE_CRASHED, "it sent an invalid frame");
            return false;
        } else if (ended_by_force(c)) {
            return false;
        }
    }
}

static void receive_all(remote_call *c)
{
    aard__frame frame;
    while (!c->outcome && !c->error && !c->killed && await_frame(c, &frame)) {
        bool right = take_frame(c, &frame);
        aard__frame_end(&frame);
        if (!right) kill_child(c, AARD_FAILURE_ENGINE_CRASHED, "it sent what it must not send");
    }
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

/* The child gave no outcome: the host makes it. */
static aard_error *make_outcome(remote_call *c)
{
    aard__buf how = AARD__BUF_INIT;
    AARD__TRY(aard__outcome_new(&c->outcome));
    if (c->killed && c->kind != AARD_FAILURE_ENGINE_CRASHED) {
        aard__outcome_fail(c->outcome, c->kind, "%s; its process had to be killed", c->killed);
    } else {
        if (c->killed)
            aard__buf_puts(&how, c->killed);
        else
            aard__remote_how(&c->client->child, c->client->template, &how);
        char *text = aard__buf_take(&how, NULL);
        aard__outcome_fail(c->outcome, AARD_FAILURE_ENGINE_CRASHED, "the guest broke: %s",
                           text ? text : "its process ended");
        aard__free(text);
    }
    aard_diagnostics *d = &c->outcome->diagnostics;
    d->started_at_ns = aard__clock_realtime();
    d->state_lost = 1;
    d->run_ms = d->wall_ms = (double)(aard__clock_monotonic() - c->start) / 1e6;
    return NULL;
}

static void complete_outcome(remote_call *c)
{
    aard__client *client = c->client;
    aard_outcome *outcome = c->outcome;
    aard_diagnostics *d = &outcome->diagnostics;
    aard_warm_source warm = aard__template_warm_source(client->template);
    outcome->isolation = AARD_ISOLATION_PROCESS;
    d->isolate_id = client->id;
    if (d->warm_source != AARD_WARM_NONE && warm != AARD_WARM_NONE) d->warm_source = warm; /* children have its copy */
    if (client->reset_mode != AARD_RESET_NONE) {
        d->reset_mode = client->reset_mode;
        d->reset_ms = client->reset_ms;
    } else if (d->reset_mode != AARD_RESET_NONE) { /* the child has put its guest back by itself */
        client->generation++;
    }
    d->reset_generation = client->generation;
    client->reset_mode = AARD_RESET_NONE;
    client->reset_ms = 0;
    for (int i = 0; i < 2; i++) aard__buf_free(&outcome->streams[i]);
    aard__streams_take(&c->streams, AARD_STREAM_STDOUT, &outcome->streams[0], &d->stdout_dropped_bytes);
    aard__streams_take(&c->streams, AARD_STREAM_STDERR, &outcome->streams[1], &d->stderr_dropped_bytes);
    aard__ledger_merge(&outcome->ledger, &c->ledger);
    d->violations_dropped = outcome->ledger.violations_dropped;
    d->network_attempts_dropped = outcome->ledger.attempts_dropped;
    if (c->output.threw && outcome->failure == AARD_FAILURE_NONE)
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "the host's stream callback threw a C++ exception");
}

static aard_error *end_call(remote_call *c)
{
    aard__client *client = c->client;
    aard_error *error = c->error;
    bool whole = (error || c->outcome) && c->whole; /* an error is an answer, too */
    close_network(c);
    if (!error && !c->outcome) error = make_outcome(c);
    if (!error) complete_outcome(c);
    aard__callback_server_end(&c->callbacks, error ? NULL : &c->outcome->diagnostics);
    aard__streams_free(&c->streams);
    aard__ledger_free(&c->ledger);
    if (!whole) aard__client_end_child(client); /* the next call has another */
    return error;
}

void aard__client_end_child(aard__client *client)
{
    aard__remote_end(&client->child);
    aard__file_server_end(&client->files);
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

static void begin(remote_call *c)
{
    const aard_isolate_config *config = c->client->config;
    const aard_call *call = c->request->call;
    const aard__listener *listener = config->hooks.listener;
    c->start = aard__clock_monotonic();
    c->client->files.mounts = &config->hooks.mounts;
    c->client->files.rules = aard__bundle_file_rules(&config->settings.file_rules, c->client->bundle);
    c->limits = aard__config_limits(config, call, c->client->bundle);
    c->deadline = hard_deadline(c);
    uint64_t most_cpu = c->limits.cpu_ms ? (c->limits.cpu_ms + c->limits.grace_ms + SLACK_MS) * MS : 0;
    uint64_t most_kib = aard__memory_most_kib(&config->settings);
    if (most_kib) most_kib += aard__template_resident_kib(c->client->template);
    aard__usage_begin(&c->usage, c->client->child.pid, most_cpu, most_kib);
    c->context = (aard_call_context){.call = call,
                                     .config = config,
                                     .isolate_id = c->client->id,
                                     .deadline = c->limits.wall_ms ? aard__clock_later(c->start, c->limits.wall_ms)
                                                                   : 0};
    c->callbacks = (aard__callback_server){.config = config, .context = &c->context, .ledger = &c->ledger, .wake = -1};
    c->output = (aard__stream_call){.capture = !call || call->capture};
    c->streams = (aard__streams){.limit = config->settings.output_limit,
                                 .call = &c->output,
                                 .callback = listener ? listener->callback : NULL,
                                 .user = listener ? listener->user.pointer : NULL,
                                 .context = &c->context};
}

/* A call that was cancelled before it began does not begin. */
static aard_error *cancelled_already(remote_call *c)
{
    AARD__TRY(aard__outcome_new(&c->outcome));
    aard__outcome_fail(c->outcome, AARD_FAILURE_CANCELLED, "the call was cancelled");
    c->whole = true;
    return NULL;
}

/* False where the child does not take it: it has ended, or does nothing any more. */
static bool send_request(remote_call *c, bool cancellable)
{
    aard__client *client = c->client;
    aard_error *error = c->request->verb == AARD__INVOKE
                            ? aard__remote_teach(&client->child, client->template, c->request->handler)
                            : NULL;
    bool sent = !error && aard__remote_send(&client->child, c->request, cancellable) == AARD__FRAME_OK;
    aard_error_free(error);
    return sent;
}

/* `*sent`: whether the child may have begun. */
static aard_error *make_call(remote_call *c, aard_cancel_handle *cancel, bool *sent)
{
    aard__cancel_entry entry = {.stop = wake_client, .user = &c->client->wake};
    aard_error *error = NULL;
    drain(c->client->wake); /* of what came when an earlier call was over */
    *sent = true;
    if (!aard__cancel_list(cancel, &entry))
        error = cancelled_already(c);
    else if ((*sent = send_request(c, cancel != NULL)))
        receive_all(c);
    aard__cancel_unlist(&entry);
    return error;
}

aard_error *aard__client_call(aard__client *client, const aard__request *request, aard_outcome **out)
{
    aard_cancel_handle *cancel = request->call ? request->call->cancel : NULL;
    remote_call c = {.client = client, .request = request};
    bool fresh = !client->used, sent;
    if (cancel) AARD__TRY(listen_for_wake(client));
    begin(&c);
    AARD__TRY(make_call(&c, cancel, &sent));
    *out = NULL;
    if (!sent && fresh) {
        aard__client_end_child(client);
        return NULL;
    }
    client->used = true;
    AARD__TRY(end_call(&c));
    *out = c.outcome;
    return NULL;
}
