/* What the guest's adapter answered becomes the outcome.  The adapter shares its world with the guest's code: nothing it
 * says is believed before it is checked. */
#include <ctype.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "guest/guest.h"

#define MAX_BUFFERS 10000
#define MAX_PARTS (16 * MAX_BUFFERS) /* of a report: there are a few for each buffer */

static void fail_malformed(aard_outcome *outcome)
{
    aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR,
                       "the guest has tampered with its adapter: its answer is malformed");
}

void aard__guest_fail_too_large(const aard__guest *guest, aard_outcome *outcome)
{
    aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR, "the result is larger than its limit of %zu bytes",
                       guest->call.result_limit);
}

static void collect_exit_code(json_t *report, aard_outcome *outcome)
{
    json_t *code = json_object_get(report, "exit_code");
    if (!json_is_integer(code)) return;
    json_int_t value = json_integer_value(code);
    outcome->has_exit_code = true;
    outcome->exit_code = value >= INT_MIN && value <= INT_MAX ? (int)value : -1;
}

static void collect_exception(aard__guest *guest, json_t *report, aard_outcome *outcome)
{
    const char *type, *value, *traceback;
    size_t type_len, value_len, traceback_len;
    if (json_unpack(report, "{s:s%, s:s%, s:s%}", "type", &type, &type_len, "value", &value, &value_len, "traceback",
                    &traceback, &traceback_len) < 0) {
        fail_malformed(outcome);
        return;
    }
    aard__outcome_fail_exception(outcome, guest->ops->exception, type, type_len, value, value_len, traceback,
                                 traceback_len);
    if (guest->ops->remedy) guest->ops->remedy(guest, type, value, value_len, &outcome->message);
}

static aard__state collect_buffers(aard__guest *guest, json_t *report, aard_outcome *outcome)
{
    json_t *list = json_object_get(report, "buffers");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > MAX_BUFFERS) {
        fail_malformed(outcome);
        return AARD__DONE;
    }
    json_t *value = json_object_get(report, "value"); /* what the buffers stand beside */
    if (value) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        aard__buf_puts(&outcome->value, text ? text : "null");
        aard__buf_putc(&outcome->value, '\0');
        if (!outcome->value.failed) outcome->value.len--;
        free(text);
    }
    for (size_t i = 0; i < count; i++) {
        const char *id;
        json_t *metadata;
        if (json_unpack(json_array_get(list, i), "{s:s, s:o}", "id", &id, "metadata", &metadata) < 0) {
            fail_malformed(outcome);
            return AARD__DONE;
        }
        aard__buf_clear(&guest->call.result);
        aard__state state = guest->ops->buffer(guest, i, outcome);
        if (state != AARD__DONE) return AARD__BROKEN;
        if (guest->call.result_limit && guest->call.result_bytes > guest->call.result_limit) {
            aard__guest_fail_too_large(guest, outcome);
            return AARD__DONE;
        }
        char *text = json_dumps(metadata, JSON_COMPACT | JSON_ENCODE_ANY);
        aard_error *error = text ? aard__outcome_add_buffer(outcome, id, text, &guest->call.result)
                                 : aard__error_no_memory();
        free(text);
        if (error) {
            aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "%s", aard_error_message(error));
            aard_error_free(error);
            return AARD__DONE;
        }
    }
    return AARD__DONE;
}

/* The UTF-16 unit of the escape "\uXXXX" at `at`; -1 where there is none. */
static int escaped_unit(const char *at, const char *end)
{
    int unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        int c = (unsigned char)at[i], low = c | 0x20;
        if (!isxdigit(c)) return -1;
        unit = unit * 16 + (low >= 'a' ? low - 'a' + 10 : c - '0');
    }
    return unit;
}

/* A guest's strings may hold lone surrogates, which UTF-8, and so jansson, has no place for: U+FFFD stands for them. */
static void mend_surrogates(aard__buf *json)
{
    char *end = json->data + json->len;
    for (char *at = json->data; at < end; at++) {
        if (*at != '\\') continue;
        int unit = escaped_unit(at, end), next = escaped_unit(at + 6 <= end ? at + 6 : end, end);
        if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000)
            at += 11;
        else if (unit >= 0xd800 && unit < 0xe000)
            memcpy(at + 2, "fffd", 4);
        else
            at++;
    }
}

/* What an adapter says has few parts, however long their text is; a tree of millions would take fifty times its text. */
static bool has_few_parts(const aard__buf *json)
{
    size_t parts = 0;
    bool quoted = false;
    for (size_t i = 0; i < json->len && parts <= MAX_PARTS; i++) {
        char c = json->data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            parts += c == ',' || c == '[' || c == '{';
    }
    return parts <= MAX_PARTS;
}

static aard__state collect_report(aard__guest *guest, aard_outcome *outcome)
{
    aard__state state = AARD__DONE;
    mend_surrogates(&guest->call.report);
    json_t *report = has_few_parts(&guest->call.report)
                         ? json_loadb(guest->call.report.data, guest->call.report.len, JSON_ALLOW_NUL, NULL)
                         : NULL;
    const char *kind = json_string_value(json_object_get(report, "kind"));
    if (!kind) {
        fail_malformed(outcome);
    } else if (!strcmp(kind, "exception")) {
        collect_exception(guest, report, outcome);
        collect_exit_code(report, outcome);
    } else if (!strcmp(kind, "exit")) {
        collect_exit_code(report, outcome);
    } else if (!strcmp(kind, "adapter_error")) {
        const char *message = json_string_value(json_object_get(report, "message"));
        if (message)
            aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR, "%s", message);
        else
            fail_malformed(outcome);
    } else if (!strcmp(kind, "idle")) {
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, AARD__DEADLOCK);
    } else if (!strcmp(kind, "repr")) {
        const char *repr;
        size_t len;
        if (json_unpack(report, "{s:s%}", "repr", &repr, &len) < 0) {
            fail_malformed(outcome);
        } else {
            aard__buf_append(&outcome->repr, repr, len);
            aard__buf_putc(&outcome->repr, '\0');
            if (!outcome->repr.failed) outcome->repr.len--;
        }
    } else if (!strcmp(kind, "buffers")) {
        state = collect_buffers(guest, report, outcome);
    } else {
        fail_malformed(outcome);
    }
    json_decref(report);
    return state;
}

static size_t depth_of(const aard__guest *guest)
{
    return guest->call.result_depth_limit ? guest->call.result_depth_limit : SIZE_MAX;
}

aard__state aard__guest_collect(aard__guest *guest, aard_outcome *outcome)
{
    bool deep = false;
    if (outcome->failure != AARD_FAILURE_NONE) return AARD__DONE;
    if (guest->call.result_limit && guest->call.result_bytes > guest->call.result_limit) {
        aard__guest_fail_too_large(guest, outcome);
    } else if (guest->call.report.failed || guest->call.result.failed) {
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "out of memory while the result was copied out of the guest");
    } else if (guest->call.report.len) {
        return collect_report(guest, outcome);
    } else if (!aard__json_valid_to(guest->call.result.data, guest->call.result.len, depth_of(guest), &deep, NULL)) {
        if (deep)
            aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR,
                               "the result is nested more deeply than its limit of %zu levels",
                               guest->call.result_depth_limit);
        else
            fail_malformed(outcome);
    } else {
        aard__buf_putc(&guest->call.result, '\0');
        if (guest->call.result.failed) {
            aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "out of memory while the result was copied");
            return AARD__DONE;
        }
        guest->call.result.len--;
        outcome->value = guest->call.result;
        guest->call.result = AARD__BUF_INIT;
    }
    return AARD__DONE;
}
