#include "process/wire/ask.h"

static bool ask(aard__host_link *host, uint16_t call, uint16_t reply, const aard__buf *body, aard__frame *out)
{
    if (!host->channel || body->failed) return false;
    const aard__frame_to_send frame = {.type = call, .id = ++host->asked, .body = body->data, .len = body->len};
    if (aard__channel_send(host->channel, &frame, NULL) != AARD__FRAME_OK) return false;
    if (aard__channel_receive(host->channel, NULL, out) != AARD__FRAME_OK) return false;
    if (out->type == reply && out->id == host->asked) return true;
    aard__frame_end(out);
    aard__channel_refuse(host->channel, "it is not the answer to what was asked");
    return false;
}

bool aard__host_ask(aard__host_link *host, uint16_t call, uint16_t reply, aard__buf *body, aard__frame *out)
{
    bool answered = ask(host, call, reply, body, out);
    aard__buf_free(body);
    return answered;
}
