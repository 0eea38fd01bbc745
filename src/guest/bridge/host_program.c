/* The host functions of every guest for what a program is given: arguments, environment, standard input. */
#include <string.h>

#include "base/buf.h"
#include "guest/bridge/host.h"
#include "guest/guest.h"
#include "settings/config.h"

static void return_texts(aard__frame *frame, const aard__texts *texts)
{
    aard__buf json = AARD__BUF_INIT;
    aard__texts_json(texts, &json);
    if (!json.failed) aard__frame_return_utf8(frame, json.data, json.len);
    aard__buf_free(&json);
}

/* arguments() -> JSON text: an array of strings */
static void host_arguments(aard__frame *frame, void *user)
{
    static const aard__texts none;
    const aard__guest *guest = user;
    return_texts(frame, guest->call.context.call ? &guest->call.context.call->arguments : &none);
}

/* environment() -> JSON text: an array of "NAME=value"; undefined where that is empty */
static void host_environment(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    if (guest->config && guest->config->settings.environment.count)
        return_texts(frame, &guest->config->settings.environment);
}

/* stdin(bytes) -> how many bytes of the call's standard input have been put there */
static void host_stdin(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    uint8_t *into;
    size_t room, left = guest->call.context.call ? guest->call.context.call->stdin_len - guest->call.stdin_at : 0;
    aard__frame_return_number(frame, 0);
    if (!left || !aard__frame_bytes(frame, 0, &into, &room)) return;
    size_t count = left < room ? left : room;
    memcpy(into, guest->call.context.call->stdin_data + guest->call.stdin_at, count);
    guest->call.stdin_at += count;
    guest->io.stdin_used = true;
    aard__frame_return_number(frame, (double)count);
}

/* stdinLeft() -> bytes */
static void host_stdin_left(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    aard__frame_return_number(
        frame, guest->call.context.call ? (double)(guest->call.context.call->stdin_len - guest->call.stdin_at) : 0);
}

const aard__host_entry aard__host_program[] = {
    {"arguments", host_arguments},
    {"environment", host_environment},
    {"stdin", host_stdin},
    {"stdinLeft", host_stdin_left},
    {NULL, NULL},
};
