/* What goes through the frames of requests. */
#include "process/network.h"

void aard__net_call_pack(const aard__net_call *call, aard__buf *out)
{
    const aard__net_request *request = &call->request;
    aard__pack_u8(out, (uint8_t)call->op);
    aard__pack_u32(out, call->id);
    aard__pack_u64(out, call->ns);
    aard__pack_span(out, request->method, request->method_len);
    aard__pack_span(out, request->url, request->url_len);
    aard__pack_span(out, request->headers, request->headers_len);
    aard__pack_bool(out, request->has_body);
    aard__pack_span(out, request->body, request->body_len);
    aard__pack_u8(out, (uint8_t)request->redirects);
    aard__pack_u64(out, request->timeout_ms);
    aard__pack_bool(out, request->streams);
}

void aard__net_call_unpack(aard__unpacker *in, aard__net_call *out)
{
    aard__net_request *request = &out->request;
    out->op = (aard__net_op)aard__unpack_choice(in, AARD__NET_OP_COUNT);
    out->id = aard__unpack_u32(in);
    out->ns = aard__unpack_u64(in);
    request->method = aard__unpack_span(in, 0, &request->method_len);
    request->url = aard__unpack_span(in, 0, &request->url_len);
    request->headers = aard__unpack_span(in, 0, &request->headers_len);
    request->has_body = aard__unpack_bool(in);
    request->body = aard__unpack_span(in, 0, &request->body_len);
    request->redirects = (aard__redirects)aard__unpack_choice(in, AARD__REDIRECTS_GIVE + 1);
    request->timeout_ms = aard__unpack_u64(in);
    request->streams = aard__unpack_bool(in);
}

void aard__net_result_pack(const aard__net_result *result, aard__buf *out)
{
    aard__pack_u32(out, result->number);
    aard__pack_u32(out, (uint32_t)result->answered_count);
    for (size_t i = 0; i < result->answered_count; i++) aard__pack_u32(out, result->answered[i]);
    aard__pack_span(out, result->head, result->head_len);
    aard__pack_span(out, result->body, result->body_len);
}

void aard__net_result_unpack(aard__unpacker *in, aard__net_result *out)
{
    out->number = aard__unpack_u32(in);
    out->answered_count = aard__unpack_count(in, AARD__NET_ANSWERED, 4);
    for (size_t i = 0; i < out->answered_count; i++) out->answered[i] = aard__unpack_u32(in);
    out->head = aard__unpack_span(in, 0, &out->head_len);
    out->body = aard__unpack_span(in, 0, &out->body_len);
}
