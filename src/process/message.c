#include "process/message.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- which may come where --------------------------------------------------------------------------------------- */

#define TO_TEMPLATE_TEMPLATE true
#define TO_TEMPLATE_HOST false
#define TO_TEMPLATE_CHILD false
#define TO_HOST_TEMPLATE false
#define TO_HOST_HOST true
#define TO_HOST_CHILD false
#define TO_CHILD_TEMPLATE false
#define TO_CHILD_HOST false
#define TO_CHILD_CHILD true

#define RULES(name, receiver)                                                                                          \
    static const aard__frame_rule name##_list[AARD__MESSAGES] = {AARD__MESSAGE_MAP(receiver)};                         \
    const aard__frame_rules name = {name##_list, AARD__MESSAGES};

#define HOST_RULE(constant, direction, most, descriptors) [constant] = {TO_HOST_##direction, most, descriptors},
#define TEMPLATE_RULE(constant, direction, most, descriptors) [constant] = {TO_TEMPLATE_##direction, most, descriptors},
#define CHILD_RULE(constant, direction, most, descriptors) [constant] = {TO_CHILD_##direction, most, descriptors},

RULES(aard__host_rules, HOST_RULE)
RULES(aard__template_rules, TEMPLATE_RULE)
RULES(aard__child_rules, CHILD_RULE)

/* ---- what a guest is -------------------------------------------------------------------------------------------- */

void aard__setup_pack(const aard__setup *setup, aard__buf *out)
{
    aard__settings_pack(setup->config, out);
    aard__pack_text(out, setup->distribution);
    aard__pack_text(out, setup->fingerprint);
    aard__pack_text(out, setup->catalog);
    aard__pack_u64(out, setup->catalog_max_bytes);
    aard__pack_bool(out, setup->has_bundle);
    aard__pack_bool(out, setup->has_warm);
    aard__pack_bool(out, setup->has_lifeline);
}

aard_error *aard__setup_unpack(const aard__frame *frame, aard__setup *out)
{
    aard__setup setup = {.config = NULL};
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard_error *error = aard__settings_unpack(&in, &setup.settings, &setup.served);
    if (error) return error;
    setup.distribution = aard__unpack_text(&in, 0);
    setup.fingerprint = aard__unpack_text(&in, 0);
    setup.catalog = aard__unpack_text(&in, 0);
    setup.catalog_max_bytes = aard__unpack_u64(&in);
    setup.has_bundle = aard__unpack_bool(&in);
    setup.has_warm = aard__unpack_bool(&in);
    setup.has_lifeline = aard__unpack_bool(&in);
    unsigned count = (unsigned)(setup.has_bundle + setup.has_warm + setup.has_lifeline);
    aard__unpacker_want(&in, frame->descriptor_count == count);
    if (!aard__unpacker_done(&in)) {
        aard__setup_free(&setup);
        return aard__unpacker_error(&in, "what a guest is to be");
    }
    *out = setup;
    return NULL;
}

void aard__setup_free(aard__setup *setup)
{
    aard__settings_free(&setup->settings);
    aard__served_free(&setup->served);
    aard__free(setup->distribution);
    aard__free(setup->fingerprint);
    aard__free(setup->catalog);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void pack_bytes(const char *data, size_t len, aard__buf *out)
{
    aard__pack_bool(out, data != NULL);
    aard__pack_span(out, data, len);
}

static void pack_call(const aard_call *call, aard__buf *out)
{
    aard__pack_bool(out, call != NULL);
    if (!call) return;
    aard__pack_u8(out, (uint8_t)call->kind);
    aard__pack_u32(out, (uint32_t)call->arguments.count);
    for (size_t i = 0; i < call->arguments.count; i++) aard__pack_text(out, call->arguments.items[i]);
    pack_bytes(call->stdin_data, call->stdin_len, out);
    pack_bytes(call->input, call->input_len, out);
    aard__pack_u64(out, call->limits.wall_ms);
    aard__pack_u64(out, call->limits.cpu_ms);
    aard__pack_u64(out, call->limits.grace_ms);
    aard__pack_u64(out, call->result_limit);
    aard__pack_bool(out, call->capture);
    aard__pack_bool(out, call->rollback);
}

static void unpack_arguments(aard__unpacker *in, aard__texts *out)
{
    size_t count = aard__unpack_count(in, UINT32_MAX, 4);
    for (size_t i = 0; i < count && in->ok; i++) {
        char *text = aard__unpack_some_text(in, 0);
        aard_error *error = text ? aard__texts_add(out, text) : NULL;
        if (error) aard__unpacker_no_memory(in);
        aard_error_free(error);
        aard__free(text);
    }
}

static const char *unpack_bytes(aard__unpacker *in, size_t *len)
{
    bool there = aard__unpack_bool(in);
    const char *data = aard__unpack_span(in, 0, len);
    return there ? data : NULL;
}

/* False where there is no call. */
static bool unpack_call(aard__unpacker *in, aard_call *call)
{
    if (!aard__unpack_bool(in)) return false;
    call->kind = (aard_source_kind)aard__unpack_choice(in, AARD_SOURCE_STDIN + 1);
    unpack_arguments(in, &call->arguments);
    call->stdin_data = unpack_bytes(in, &call->stdin_len);
    call->input = unpack_bytes(in, &call->input_len);
    call->limits.wall_ms = aard__unpack_u64(in);
    call->limits.cpu_ms = aard__unpack_u64(in);
    call->limits.grace_ms = aard__unpack_u64(in);
    call->result_limit = aard__unpack_size(in);
    call->capture = aard__unpack_bool(in);
    call->rollback = aard__unpack_bool(in);
    return true;
}

static void pack_file(const aard__file_request *file, aard__buf *out)
{
    aard__pack_u8(out, (uint8_t)file->verb);
    aard__pack_text(out, file->path);
    aard__pack_span(out, file->data, file->len);
    aard__pack_u64(out, file->most);
}

static void unpack_file(aard__unpacker *in, aard__received_request *out)
{
    out->file.verb = (aard__file_verb)aard__unpack_choice(in, AARD__FILE_VERBS);
    out->file.path = out->path = aard__unpack_some_text(in, 0);
    out->file.data = aard__unpack_span(in, 0, &out->file.len);
    out->file.most = aard__unpack_u64(in);
}

void aard__request_pack(const aard__request *request, bool cancellable, aard__buf *out)
{
    aard__pack_u8(out, (uint8_t)request->verb);
    aard__pack_bool(out, cancellable);
    aard__pack_u32(out, request->handler);
    aard__pack_text(out, request->entrypoint);
    aard__pack_text(out, request->name);
    aard__pack_span(out, request->source, request->source_len);
    pack_call(request->call, out);
    if (request->verb == AARD__FILES) pack_file(request->file, out);
}

#define COUNT_VERB(constant, name) +1
enum { VERBS = 0 AARD__VERB_MAP(COUNT_VERB) };

aard_error *aard__request_unpack(const aard__frame *frame, aard__received_request *out)
{
    aard__received_request got = {.cancellable = false};
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    got.request.verb = (aard__verb)aard__unpack_choice(&in, VERBS);
    got.cancellable = aard__unpack_bool(&in);
    got.request.handler = aard__unpack_u32(&in);
    got.request.entrypoint = got.entrypoint = aard__unpack_name(&in);
    got.request.name = got.name = aard__unpack_name(&in);
    got.request.source = aard__unpack_span(&in, 0, &got.request.source_len);
    bool has_call = unpack_call(&in, &got.call);
    if (got.request.verb == AARD__FILES) unpack_file(&in, &got);
    if (!aard__unpacker_done(&in)) {
        aard__received_request_free(&got);
        return aard__unpacker_error(&in, "a request");
    }
    *out = got;
    out->request.call = has_call ? &out->call : NULL;
    out->request.file = &out->file;
    return NULL;
}

void aard__received_request_free(aard__received_request *received)
{
    aard__texts_free(&received->call.arguments);
    aard__free(received->name);
    aard__free(received->path);
    aard__free(received->entrypoint);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

void aard__error_pack(const aard_error *error, bool whole, aard__buf *out)
{
    aard__pack_bool(out, whole);
    aard__pack_u32(out, (uint32_t)aard_error_get_code(error));
    aard__pack_text(out, aard_error_message(error));
}

aard_error *aard__error_unpack(const aard__frame *frame, bool *whole)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    bool is_whole = aard__unpack_bool(&in);
    aard_error_code code = (aard_error_code)aard__unpack_u32(&in);
    char *message = aard__unpack_some_text(&in, 0);
    aard__unpacker_want(&in, strcmp(aard_error_code_name(code), "unknown") != 0);
    aard_error *error = aard__unpacker_done(&in) ? aard__error(code, "%s", message)
                                                 : aard__unpacker_error(&in, "an error of the guest's process");
    aard__free(message);
    if (whole) *whole = is_whole;
    return error;
}
