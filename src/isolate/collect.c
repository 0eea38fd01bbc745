/* What the guest's adapter answered becomes the outcome.  The adapter shares its world with the guest's code: nothing it
 * says is believed before it is checked. */
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "isolate/guest.h"

#define MAX_BUFFERS 10000

static void distrust(aard_outcome *outcome)
{
    aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR, "the guest has tampered with its adapter: its answer is malformed");
}

static void collect_exception(aard__guest *guest, json_t *report, aard_outcome *outcome)
{
    const char *type, *value, *traceback;
    size_t type_len, value_len, traceback_len;
    if (json_unpack(report, "{s:s%, s:s%, s:s%}", "type", &type, &type_len, "value", &value, &value_len, "traceback",
                    &traceback, &traceback_len) < 0)
        distrust(outcome);
    else
        aard__outcome_fail_exception(outcome, guest->ops->exception, type, type_len, value, value_len, traceback,
                                     traceback_len);
}

static void collect_buffers(aard__guest *guest, json_t *report, aard_outcome *outcome)
{
    json_t *list = json_object_get(report, "buffers");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > MAX_BUFFERS) {
        distrust(outcome);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *id;
        json_t *metadata;
        if (json_unpack(json_array_get(list, i), "{s:s, s:o}", "id", &id, "metadata", &metadata) < 0) {
            distrust(outcome);
            return;
        }
        aard__buf_clear(&guest->result);
        if (guest->ops->buffer(guest, i, outcome) != AARD__DONE) return;
        char *text = json_dumps(metadata, JSON_COMPACT | JSON_ENCODE_ANY);
        aard_error *error = text ? aard__outcome_add_buffer(outcome, id, text, &guest->result) : aard__error_no_memory();
        free(text);
        if (error) {
            aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "%s", aard_error_message(error));
            aard_error_free(error);
            return;
        }
    }
}

static void collect_report(aard__guest *guest, aard_outcome *outcome)
{
    json_t *report = json_loadb(guest->report.data, guest->report.len, JSON_ALLOW_NUL, NULL);
    const char *kind = json_string_value(json_object_get(report, "kind"));
    if (!kind) {
        distrust(outcome);
    } else if (!strcmp(kind, "exception")) {
        collect_exception(guest, report, outcome);
    } else if (!strcmp(kind, "adapter_error")) {
        const char *message = json_string_value(json_object_get(report, "message"));
        if (message)
            aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR, "%s", message);
        else
            distrust(outcome);
    } else if (!strcmp(kind, "repr")) {
        const char *repr;
        size_t len;
        if (json_unpack(report, "{s:s%}", "repr", &repr, &len) < 0) {
            distrust(outcome);
        } else {
            aard__buf_append(&outcome->repr, repr, len);
            aard__buf_putc(&outcome->repr, '\0');
            if (!outcome->repr.failed) outcome->repr.len--;
        }
    } else if (!strcmp(kind, "buffers")) {
        collect_buffers(guest, report, outcome);
    } else {
        distrust(outcome);
    }
    json_decref(report);
}

void aard__guest_collect(aard__guest *guest, aard_outcome *outcome)
{
    if (outcome->failure != AARD_FAILURE_NONE) return;
    if (guest->report.failed || guest->result.failed) {
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "out of memory while the result was copied out of the guest");
    } else if (guest->report.len) {
        collect_report(guest, outcome);
    } else if (!aard__json_valid(guest->result.data, guest->result.len, NULL)) {
        distrust(outcome);
    } else {
        aard__buf_putc(&guest->result, '\0');
        if (guest->result.failed) {
            aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "out of memory while the result was copied");
            return;
        }
        guest->result.len--;
        outcome->value = guest->result;
        guest->result = AARD__BUF_INIT;
    }
}
