/* The particulars of one call. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "settings/config.h"

aard_error *aard_call_new(aard_call **out)
{
    AARD__NEED(out);
    aard_call *call = aard__calloc(1, sizeof *call);
    if (!call) return aard__error_no_memory();
    call->capture = true;
    *out = call;
    return NULL;
}

/* The one before is finalized last: it may be what the new one was made of. */
static void replace_input(aard_call *call, const char *json, size_t len, aard_finalizer finalizer, void *user)
{
    aard_finalizer before = call->input_finalizer;
    void *user_before = call->input_user;
    call->input = json;
    call->input_len = len;
    call->input_finalizer = finalizer;
    call->input_user = user;
    if (before) before(user_before);
}

void aard_call_free(aard_call *call)
{
    if (!call) return;
    aard_cancel_handle_free(call->cancel);
    replace_input(call, NULL, 0, NULL, NULL);
    aard__texts_free(&call->arguments);
    aard__free(call);
}

/* Input and standard input are one piece, which the input's finalizer frees. */
static aard_error *copy_data(const aard_call *call, aard_call *copy)
{
    if (!call->input && !call->stdin_data) return NULL;
    char *data = aard__malloc(call->input_len + call->stdin_len + 1);
    if (!data) return aard__error_no_memory();
    if (call->input) memcpy(data, call->input, call->input_len);
    if (call->stdin_data) memcpy(data + call->input_len, call->stdin_data, call->stdin_len);
    replace_input(copy, call->input ? data : NULL, call->input_len, aard__free, data);
    copy->stdin_data = call->stdin_data ? data + call->input_len : NULL;
    return NULL;
}

aard_error *aard__call_copy(const aard_call *call, aard_call **out)
{
    if (!call) return aard_call_new(out);
    if (!call->input && call->input_len)
        return aard__error_argument("aard_call_set_input_json", "NULL has no bytes; give the input, or a length of 0");
    aard_call *copy = aard__malloc(sizeof *copy);
    if (!copy) return aard__error_no_memory();
    *copy = *call;
    copy->input = NULL;
    copy->input_finalizer = NULL;
    copy->arguments = (aard__texts){NULL, 0};
    if (copy->cancel) aard_cancel_handle_retain(copy->cancel);
    aard_error *error = copy_data(call, copy);
    if (!error) error = aard__texts_copy(&call->arguments, &copy->arguments);
    if (error)
        aard_call_free(copy);
    else
        *out = copy;
    return error;
}

void aard_call_set_input_json(aard_call *call, const char *json, size_t len)
{
    if (call) replace_input(call, json, len, NULL, NULL);
}

aard_error *aard_call_copy_input_json(aard_call *call, const char *json, size_t len)
{
    AARD__NEED(call);
    AARD__NEED_THAT(json || !len, "NULL has no bytes; give the input, or a length of 0");
    char *copy = json ? aard__memdup0(json, len) : NULL;
    if (json && !copy) return aard__error_no_memory();
    replace_input(call, copy, len, aard__free, copy);
    return NULL;
}

aard_error *aard_call_take_input_json(aard_call *call, const char *json, size_t len, aard_finalizer finalizer,
                                      void *user)
{
    if (!call || (!json && len)) {
        if (finalizer) finalizer(user);
        AARD__NEED(call);
        return aard__error_argument(__func__, "NULL has no bytes; give the input, or a length of 0");
    }
    replace_input(call, json, len, finalizer, user);
    return NULL;
}

void aard_call_set_stdin(aard_call *call, const char *data, size_t len)
{
    if (!call) return;
    call->stdin_data = data;
    call->stdin_len = data ? len : 0;
}

void aard_call_set_source_kind(aard_call *call, aard_source_kind kind)
{
    if (call) call->kind = kind;
}

aard_error *aard_call_set_arguments(aard_call *call, const char *const *arguments, size_t count)
{
    aard__texts texts = {NULL, 0};
    aard_error *error = NULL;
    AARD__NEED(call);
    if (count) AARD__NEED(arguments);
    for (size_t i = 0; i < count && !error; i++)
        error = aard__utf8_valid(arguments[i], strlen(arguments[i]))
                    ? aard__texts_add(&texts, arguments[i])
                    : aard__error(AARD_ERR_INVALID_ARGUMENT, "argument %zu for the guest is not UTF-8", i + 1);
    if (error) {
        aard__texts_free(&texts);
        return error;
    }
    aard__texts_free(&call->arguments);
    call->arguments = texts;
    return NULL;
}

aard_error *aard__call_check(const aard_call *call)
{
    if (!call->input && call->input_len)
        return aard__error_argument("aard_call_set_input_json", "NULL has no bytes; give the input, or a length of 0");
    if (call->kind < AARD_SOURCE_CELL || call->kind > AARD_SOURCE_STDIN)
        return aard__error_argument("aard_call_set_source_kind", "the kind is unknown; give one of aard_source_kind");
    return NULL;
}

aard_error *aard_json_check(const char *json, size_t len)
{
    size_t at = 0, line = 1;
    if (len) AARD__NEED(json);
    if (len >= 3 && !memcmp(json, "\xef\xbb\xbf", 3))
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "it begins with a byte order mark, which JSON does not allow; remove it");
    if (aard__json_valid(json, len, &at)) return NULL;
    if (!len) return aard__error(AARD_ERR_INVALID_ARGUMENT, "it is empty");
    for (size_t i = 0; i < at && i < len; i++) line += json[i] == '\n';
    if (at >= len) return aard__error(AARD_ERR_INVALID_ARGUMENT, "it ends too early, at byte %zu (line %zu)", at, line);
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "byte %zu (line %zu) is unexpected", at + 1, line);
}

void aard_call_set_wall_limit_ms(aard_call *call, uint64_t ms)
{
    if (call) call->limits.wall_ms = ms;
}

void aard_call_set_cpu_limit_ms(aard_call *call, uint64_t ms)
{
    if (call) call->limits.cpu_ms = ms;
}

void aard_call_set_result_limit(aard_call *call, uint64_t bytes)
{
    if (call) call->result_limit = bytes;
}

void aard_call_set_cancel_handle(aard_call *call, aard_cancel_handle *handle)
{
    if (!call) return;
    aard_cancel_handle *before = call->cancel;
    call->cancel = handle ? aard_cancel_handle_retain(handle) : NULL;
    aard_cancel_handle_free(before);
}

void aard_call_set_rollback(aard_call *call, bool rollback)
{
    if (call) call->rollback = rollback;
}

void aard_call_set_capture(aard_call *call, bool capture)
{
    if (call) call->capture = capture;
}

void aard_call_set_user(aard_call *call, void *user)
{
    if (call) call->user = user;
}
