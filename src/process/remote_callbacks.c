/* The callbacks of a guest whose host is another process, which answers them. */
#include "base/alloc.h"
#include "process/callbacks.h"
#include "process/message.h"

/* So long at a time the host is waited for, once it is ending the call: who stops the guest can't end that wait. */
static const uint64_t SLICE_NS = UINT64_C(20000000);

static void forget(aard__asked **at)
{
    aard__asked *one = *at;
    *at = one->next;
    aard_invocation_free(one->invocation);
    aard__free(one);
}

/* What is left of an earlier call, whose numbers begin anew. */
static void forget_earlier(aard__remote_callbacks *remote)
{
    if (remote->asked_by == *remote->call) return;
    while (remote->list) forget(&remote->list);
    remote->asked_by = *remote->call;
}

/* The numbers of those that the guest has given up, which go along with what is asked next. */
static void take_dropped(aard__remote_callbacks *remote, aard__buf *dropped)
{
    for (aard__asked **at = &remote->list; *at;) {
        if (!aard_invocation_is_over((*at)->invocation)) {
            at = &(*at)->next;
            continue;
        }
        aard__buf_append(dropped, &(*at)->id, sizeof(*at)->id);
        forget(at);
    }
}

static void hand_out(aard__remote_callbacks *remote, const aard__invocation_answer *answer)
{
    aard__asked **at = &remote->list;
    while (*at && (*at)->id != answer->id) at = &(*at)->next;
    if (!*at) return; /* it has been given up */
    if (answer->failed)
        aard__invocation_fail_as((*at)->invocation, answer);
    else
        aard_invocation_reply((*at)->invocation, answer->text.data, answer->text.len);
    forget(at);
}

/* Whether the host ends the call. */
static bool take_reply(aard__remote_callbacks *remote, const aard__frame *frame)
{
    aard__invocation_answer answer;
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    bool ending = aard__unpack_bool(&in);
    while (aard__callback_answer_unpack(&in, &answer)) {
        hand_out(remote, &answer);
        aard__invocation_answer_free(&answer);
    }
    remote->lost = remote->lost || !aard__unpacker_done(&in);
    return ending;
}

/* Without a host nothing more is answered: what waits has no answer. */
static bool ask(aard__remote_callbacks *remote, aard__callback_call *call)
{
    aard__buf body = AARD__BUF_INIT, dropped = AARD__BUF_INIT;
    aard__frame frame;
    bool ending = false;
    take_dropped(remote, &dropped);
    call->dropped = dropped.data;
    call->dropped_len = dropped.len;
    aard__callback_call_pack(call, &body);
    aard__buf_free(&dropped);
    if (aard__host_ask(remote->host, AARD__CALLBACK_CALL, AARD__CALLBACK_REPLY, &body, &frame)) {
        ending = take_reply(remote, &frame);
        aard__frame_end(&frame);
    } else {
        remote->lost = true;
    }
    while (remote->lost && remote->list) forget(&remote->list);
    return ending;
}

void aard__remote_callback(aard__remote_callbacks *remote, uint32_t index, aard_invocation *invocation)
{
    aard__callback_call call = {.op = AARD__CALLBACK_START, .index = index};
    aard__asked *one = aard__calloc(1, sizeof *one);
    forget_earlier(remote);
    if (!one || !remote->host->channel || remote->lost) {
        if (!remote->host->channel) *remote->missed = true;
        aard_invocation_fail(invocation, "CallbackError",
                             "the host can't be called while the guest starts, or is gone");
        aard_invocation_free(invocation);
        aard__free(one);
        return;
    }
    call.id = (uint32_t)aard_invocation_id(invocation);
    call.arguments = aard_invocation_arguments(invocation, &call.len);
    *one = (aard__asked){.invocation = invocation, .id = call.id};
    aard__asked **at = &remote->list;
    while (*at) at = &(*at)->next;
    *at = one;
    ask(remote, &call);
}

bool aard__remote_callbacks_wait(void *user, uint64_t ns)
{
    aard__remote_callbacks *remote = user;
    aard_cancel_handle *cancel = *remote->cancel;
    bool cancelled = cancel && aard_cancel_handle_is_cancelled(cancel);
    aard__callback_call call = {.op = AARD__CALLBACK_WAIT, .ns = cancelled && ns > SLICE_NS ? SLICE_NS : ns};
    forget_earlier(remote);
    return !ask(remote, &call) || cancelled; /* that the call ends was known before: nobody is on the way any more */
}
