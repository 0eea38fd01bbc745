/* What goes through the frames of callbacks. */
#include "process/callbacks.h"

void aard__callback_call_pack(const aard__callback_call *call, aard__buf *out)
{
    aard__pack_u8(out, (uint8_t)call->op);
    aard__pack_u32(out, call->id);
    aard__pack_u32(out, call->index);
    aard__pack_u64(out, call->ns);
    aard__pack_span(out, call->arguments, call->len);
    aard__pack_span(out, call->dropped, call->dropped_len);
}

void aard__callback_call_unpack(aard__unpacker *in, aard__callback_call *out)
{
    out->op = (aard__callback_op)aard__unpack_choice(in, AARD__CALLBACK_OP_COUNT);
    out->id = aard__unpack_u32(in);
    out->index = aard__unpack_u32(in);
    out->ns = aard__unpack_u64(in);
    out->arguments = aard__unpack_span(in, 0, &out->len);
    out->dropped = aard__unpack_span(in, 0, &out->dropped_len);
}

void aard__callback_answer_pack(const aard__invocation_answer *answer, aard__buf *out)
{
    aard__pack_u32(out, answer->id);
    aard__pack_bool(out, answer->failed);
    aard__pack_span(out, answer->type.data, answer->type.len);
    aard__pack_span(out, answer->text.data, answer->text.len);
}

bool aard__callback_answer_unpack(aard__unpacker *in, aard__invocation_answer *out)
{
    if (!in->ok || in->at == in->end) return false;
    *out = (aard__invocation_answer){.id = aard__unpack_u32(in)};
    out->failed = aard__unpack_bool(in);
    aard__unpack_buf(in, 0, &out->type);
    aard__unpack_buf(in, 0, &out->text);
    if (in->ok) return true;
    aard__invocation_answer_free(out);
    return false;
}
