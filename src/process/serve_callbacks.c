/* The host's side of its guests' callbacks: what a child may invoke, and with what, is checked here. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/trace.h"
#include "process/callbacks.h"

enum { MOST_IN_REPLY = 64 << 20 }; /* bytes; what is beyond comes in the next one */

static void wake(void *user)
{
    const aard__callback_server *server = user;
    const uint64_t one = 1;
    if (!atomic_load(&server->waiting)) return; /* it asks by itself */
    ssize_t wrote = write(server->wake, &one, sizeof one);
    (void)wrote; /* it is full: then it wakes anyway */
}

static bool open_server(aard__callback_server *server)
{
    const aard__invocations_options options = {.callbacks = &server->config->hooks.callbacks,
                                               .limits = &server->config->settings.callback_limits,
                                               .context = server->context,
                                               .ledger = server->ledger,
                                               .wake = wake,
                                               .user = server};
    aard_error *error = server->all ? NULL : aard__invocations_new(&options, &server->all);
    aard_error_free(error);
    return !error;
}

static void pack_answers(aard__callback_server *server, bool ending, aard__buf *reply)
{
    aard__invocation_answer answer;
    aard__pack_bool(reply, ending);
    while (reply->len < MOST_IN_REPLY && server->all && aard__invocations_take(server->all, 0, &answer)) {
        if (answer.text.failed || answer.type.failed) reply->failed = true;
        aard__callback_answer_pack(&answer, reply);
        aard__invocation_answer_free(&answer);
    }
}

static void drop(aard__callback_server *server, const aard__callback_call *call)
{
    for (size_t at = 0; at < call->dropped_len; at += sizeof(uint32_t)) {
        uint32_t id;
        memcpy(&id, call->dropped + at, sizeof id);
        if (server->all) aard__invocations_drop(server->all, id);
    }
}

static bool start(aard__callback_server *server, const aard__callback_call *call)
{
    const aard__callbacks *callbacks = &server->config->hooks.callbacks;
    if (call->id <= server->last_id || call->index >= callbacks->count || !open_server(server)) return false;
    server->last_id = call->id;
    const char *name = callbacks->list[call->index]->name;
    aard__span span = aard__trace_begin("callback", 0, name);
    const aard__invocation_start what = {call->id, name, strlen(name), call->arguments, call->len};
    bool begun = aard__invocations_start(server->all, &what) != 0;
    aard__trace_end(&span, begun ? "" : "failed");
    return begun;
}

bool aard__callback_serve(aard__callback_server *server, const aard__frame *frame, aard__buf *reply)
{
    aard__callback_call call;
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__callback_call_unpack(&in, &call);
    if (!aard__unpacker_done(&in) || call.dropped_len % sizeof(uint32_t) || atomic_load(&server->waiting)) return false;
    drop(server, &call);
    if (call.op == AARD__CALLBACK_START) {
        bool right = start(server, &call);
        pack_answers(server, false, reply);
        return right;
    }
    uint64_t now = aard__clock_monotonic();
    server->frame = frame->id;
    server->until = call.ns > UINT64_MAX - now ? UINT64_MAX : now + call.ns;
    atomic_store(&server->waiting, true);
    return true;
}

bool aard__callback_wait_over(aard__callback_server *server, bool ending, aard__buf *reply)
{
    if (!atomic_load(&server->waiting)) return false;
    uint64_t now = aard__clock_monotonic();
    if (server->all) aard__invocations_expire(server->all, now);
    bool ready = server->all && aard__invocations_ready(server->all, 0);
    bool tell = ending && !server->told;
    if (!ready && !tell && now < server->until) return false;
    server->told = server->told || tell;
    atomic_store(&server->waiting, false);
    pack_answers(server, tell, reply);
    return true;
}

uint64_t aard__callback_next_look(const aard__callback_server *server)
{
    if (!atomic_load(&server->waiting)) return UINT64_MAX;
    uint64_t first = server->all ? aard__invocations_expire(server->all, aard__clock_monotonic()) : UINT64_MAX;
    return first < server->until ? first : server->until;
}

void aard__callback_server_end(aard__callback_server *server, aard_diagnostics *diagnostics)
{
    uint64_t ns = 0, count = 0;
    if (server->all) aard__invocations_measure(server->all, &count, &ns);
    if (diagnostics) {
        diagnostics->callback_count = count;
        diagnostics->callback_ms = (double)ns / 1e6;
    }
    aard__invocations_end(server->all);
    server->all = NULL;
}
