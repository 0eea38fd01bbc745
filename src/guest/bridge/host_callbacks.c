/* The host functions behind invocations of the host's callbacks.  Answers are JSON text: of a value behind "=", of
 * [type, message] behind "!". */
#include <math.h>

#include "base/trace.h"
#include "guest/bridge/host.h"
#include "guest/guest.h"
#include "settings/config.h"

/* callbacks() -> JSON text: an array of {name, description, schema}; undefined where there are none */
static void host_callbacks(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    if (!guest->config || !guest->config->hooks.callbacks.count) return;
    aard__buf *json = aard__frame_scratch(frame);
    aard__callbacks_json(&guest->config->hooks.callbacks, json);
    if (json->failed)
        aard__frame_throw(frame, "Error", "out of memory");
    else
        aard__frame_return_utf8(frame, json->data, json->len);
}

/* ---- beginning ---------------------------------------------------------------------------------------------------- */

typedef struct start {
    aard__guest *guest;
    aard__invocations *all;
    const aard__buf *name, *arguments;
    uint32_t id;
} start;

static void run_start(void *user)
{
    start *s = user;
    const aard__invocation_start what = {0, s->name->data, s->name->len, s->arguments->data, s->arguments->len};
    s->id = aard__invocations_start(s->all, &what);
}

/* On the host's own stack. */
static void start_guarded(void *user)
{
    start *s = user;
    aard__span span = aard__trace_begin("callback", s->guest->call.context.isolate_id, s->name->data);
    bool threw = !aard__call_guarded(run_start, s);
    if (threw) s->id = aard__invocations_threw(s->all);
    aard__trace_end(&span, threw ? "failed" : "");
}

/* callbackStart(name, json) -> the invocation's number, 0 where it can't be: no call is under way, or memory is out */
static void host_start(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    start s = {.guest = guest, .name = NULL};
    aard__buf *name = aard__frame_scratch(frame), *arguments = aard__frame_scratch(frame);
    aard__frame_return_number(frame, 0);
    if (!aard__frame_string(frame, 0, name) || !aard__frame_string(frame, 1, arguments) || aard__frame_ended(frame) ||
        name->failed || arguments->failed || !guest->config || !guest->call.network)
        return;
    aard_error *error = aard__guest_invocations(guest, &s.all);
    if (!error) {
        aard__buf_putc(name, '\0'); /* neither is NULL, and a trace shows this one */
        name->len -= !name->failed;
        aard__buf_reserve(arguments, 1);
        s.name = name;
        s.arguments = arguments;
        aard__guest_call_host(guest, start_guarded, &s);
    }
    aard_error_free(error);
    aard__frame_return_number(frame, s.id);
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

static void put_error(const aard__invocation_answer *answer, aard__buf *out)
{
    aard__buf_putc(out, '[');
    aard__buf_json_string(out, answer->type.data, answer->type.len);
    aard__buf_putc(out, ',');
    aard__buf_json_string(out, answer->text.data, answer->text.len);
    aard__buf_putc(out, ']');
}

static void put_answer(const aard__invocation_answer *answer, aard__buf *out)
{
    if (answer->text.failed || answer->type.failed)
        aard__buf_puts(out, "[\"MemoryError\",\"the host's memory is out\"]");
    else if (answer->failed)
        put_error(answer, out);
    else
        aard__buf_append(out, answer->text.data, answer->text.len);
}

static bool has_failed(const aard__invocation_answer *answer)
{
    return answer->failed || answer->text.failed || answer->type.failed;
}

static void return_text(aard__frame *frame, const aard__buf *text)
{
    if (text->failed)
        aard__frame_throw(frame, "Error", "out of memory");
    else
        aard__frame_return_utf8(frame, text->data, text->len);
}

static uint32_t number(aard__frame *frame)
{
    double value = aard__frame_number(frame, 0);
    return value >= 1 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* callbackTake(number) -> the invocation's answer; null while there is none, undefined where there is no such invocation */
static void host_take(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    aard__invocations *all = guest->call.invocations;
    aard__invocation_answer answer;
    uint32_t id = number(frame);
    if (!all || !aard__invocations_has(all, id)) return;
    if (!aard__invocations_take(all, id, &answer)) {
        aard__frame_return_null(frame);
        return;
    }
    aard__buf *text = aard__frame_scratch(frame);
    aard__buf_putc(text, has_failed(&answer) ? '!' : '=');
    put_answer(&answer, text);
    aard__invocation_answer_free(&answer);
    return_text(frame, text);
}

/* callbackTakeAll() -> JSON text of all answers: an array of [number, whether it failed, value or [type, message]] */
static void host_take_all(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    aard__invocations *all = guest->call.invocations;
    aard__invocation_answer answer;
    aard__buf *text = aard__frame_scratch(frame);
    aard__buf_putc(text, '[');
    while (all && aard__invocations_take(all, 0, &answer)) {
        aard__buf_printf(text, "%s[%u,%s,", text->len > 1 ? "," : "", answer.id,
                         has_failed(&answer) ? "true" : "false");
        put_answer(&answer, text);
        aard__buf_putc(text, ']');
        aard__invocation_answer_free(&answer);
    }
    aard__buf_putc(text, ']');
    return_text(frame, text);
}

/* callbackWait(number, ms) -> 0 once that has been answered, or they have passed (never, where less than 0); 1: it was cut
 * short, the call is ended or asked to end; 2: there is no such invocation */
static void host_wait(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double ms = aard__frame_number(frame, 1);
    uint64_t ns = !(ms >= 0 && ms < 1e12) ? UINT64_MAX : (uint64_t)(ms * 1e6);
    uint32_t id = number(frame);
    bool there = guest->call.invocations && aard__invocations_has(guest->call.invocations, id);
    aard__waking waking = there ? aard__guest_wait_for_answer(guest, id, ns) : AARD__SLEPT;
    aard__frame_return_number(frame, !there ? 2 : waking != AARD__SLEPT ? 1 : 0);
}

/* callbackDrop(number): the guest does not want the answer any more */
static void host_drop(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    if (guest->call.invocations) aard__invocations_drop(guest->call.invocations, number(frame));
}

const aard__host_entry aard__host_callbacks[] = {
    {"callbacks", host_callbacks},
    {"callbackStart", host_start},
    {"callbackTake", host_take},
    {"callbackTakeAll", host_take_all},
    {"callbackWait", host_wait},
    {"callbackDrop", host_drop},
    {NULL, NULL},
};
