#include "outcome/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/process.h"
#include "base/utf8.h"

aard_error *aard__outcome_new(aard_outcome **out)
{
    aard_outcome *outcome = aard__calloc(1, sizeof *outcome);
    if (!outcome) return aard__error_no_memory();
    *out = outcome;
    return NULL;
}

static void free_buffers(aard_outcome *outcome)
{
    for (size_t i = 0; i < outcome->buffer_count; i++) {
        aard__free(outcome->buffers[i].id);
        aard__free(outcome->buffers[i].metadata);
        aard__buf_free(&outcome->buffers[i].data);
    }
    aard__free(outcome->buffers);
    outcome->buffers = NULL;
    outcome->buffer_count = 0;
}

void aard_outcome_free(aard_outcome *outcome)
{
    if (!outcome) return;
    aard__buf_free(&outcome->value);
    aard__buf_free(&outcome->repr);
    aard__buf_free(&outcome->message);
    aard__buf_free(&outcome->exception_type);
    aard__buf_free(&outcome->exception_value);
    aard__buf_free(&outcome->traceback);
    aard__buf_free(&outcome->streams[0]);
    aard__buf_free(&outcome->streams[1]);
    free_buffers(outcome);
    aard__ledger_free(&outcome->ledger);
    aard__free(outcome);
}

/* Replaces the contents of a buffer, with a NUL behind them. */
static void set_text(aard__buf *buf, const char *text, size_t len)
{
    aard__buf_clear(buf);
    aard__buf_append(buf, text, len);
    aard__buf_putc(buf, '\0');
    if (buf->failed)
        aard__buf_free(buf);
    else
        buf->len--;
}

/* What came of the call so far is no result any more. */
static void set_failure(aard_outcome *outcome, aard_failure_kind kind, bool has_exception)
{
    outcome->failure = kind;
    outcome->has_exception = has_exception;
    aard__buf_free(&outcome->value);
    aard__buf_free(&outcome->repr);
    free_buffers(outcome);
}

void aard__outcome_fail(aard_outcome *outcome, aard_failure_kind kind, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    set_failure(outcome, kind, false);
    if (len < 0) len = 0;
    if (len >= (int)sizeof text) {
        int last = len = (int)sizeof text - 1; /* where the last character starts, which may have been cut in two */
        do last--;
        while (last && ((unsigned char)text[last] & 0xc0) == 0x80);
        if (!aard__utf8_sequence(text + last, (size_t)(len - last))) len = last;
    }
    set_text(&outcome->message, text, (size_t)len);
}

void aard__outcome_fail_exception(aard_outcome *outcome, aard_failure_kind kind, const char *type, size_t type_len,
                                  const char *value, size_t value_len, const char *traceback, size_t traceback_len)
{
    set_failure(outcome, kind, true);
    set_text(&outcome->exception_type, type, type_len);
    set_text(&outcome->exception_value, value, value_len);
    set_text(&outcome->traceback, traceback, traceback_len);
    aard__buf_clear(&outcome->message);
    aard__buf_append(&outcome->message, type, type_len);
    if (value_len) {
        aard__buf_puts(&outcome->message, ": ");
        aard__buf_append(&outcome->message, value, value_len);
    }
    aard__buf_putc(&outcome->message, '\0');
    if (outcome->message.failed)
        aard__buf_free(&outcome->message);
    else
        outcome->message.len--;
}

aard_error *aard__outcome_add_buffer(aard_outcome *outcome, const char *id, const char *metadata, aard__buf *data)
{
    aard__outcome_buffer *buffers = aard__realloc(outcome->buffers,
                                                  (outcome->buffer_count + 1) * sizeof *outcome->buffers);
    if (!buffers) return aard__error_no_memory();
    outcome->buffers = buffers;
    aard__outcome_buffer *added = &buffers[outcome->buffer_count];
    added->id = aard__strdup(id);
    added->metadata = aard__strdup(metadata);
    if (!added->id || !added->metadata) {
        aard__free(added->id);
        aard__free(added->metadata);
        return aard__error_no_memory();
    }
    added->data = *data;
    *data = AARD__BUF_INIT;
    outcome->buffer_count++;
    return NULL;
}

static aard__outcome_hook hook;

void aard__outcome_set_hook(aard__outcome_hook set) { hook = set; }

aard_outcome *aard__outcome_hand_out(aard_outcome *outcome) { return hook ? hook(outcome) : outcome; }

bool aard_outcome_is_success(const aard_outcome *outcome) { return outcome && outcome->failure == AARD_FAILURE_NONE; }

aard_failure_kind aard_outcome_failure_kind(const aard_outcome *outcome)
{
    return outcome ? outcome->failure : (aard_failure_kind)0;
}

const char *aard_failure_kind_name(aard_failure_kind kind)
{
    switch (kind) {
#define AARD_FAILURE_NAME(constant, name)                                                                              \
    case constant: return name;
        AARD_FAILURE_MAP(AARD_FAILURE_NAME)
#undef AARD_FAILURE_NAME
    }
    return "unknown";
}

const char *aard_reset_mode_name(aard_reset_mode mode)
{
    switch (mode) {
#define AARD_RESET_NAME(constant, name)                                                                                \
    case constant: return name;
        AARD_RESET_MAP(AARD_RESET_NAME)
#undef AARD_RESET_NAME
    }
    return "unknown";
}

const char *aard_warm_source_name(aard_warm_source source)
{
    switch (source) {
#define AARD_WARM_NAME(constant, name)                                                                                 \
    case constant: return name;
        AARD_WARM_MAP(AARD_WARM_NAME)
#undef AARD_WARM_NAME
    }
    return "unknown";
}

const char *aard_violation_kind_name(aard_violation_kind kind)
{
    switch (kind) {
#define AARD_VIOLATION_NAME(constant, name)                                                                            \
    case constant: return name;
        AARD_VIOLATION_MAP(AARD_VIOLATION_NAME)
#undef AARD_VIOLATION_NAME
    }
    return "unknown";
}

size_t aard_outcome_violation_count(const aard_outcome *outcome)
{
    return outcome ? outcome->ledger.violation_count : 0;
}

const aard_violation *aard_outcome_violation(const aard_outcome *outcome, size_t index)
{
    return outcome && index < outcome->ledger.violation_count ? &outcome->ledger.violations[index] : NULL;
}

size_t aard_outcome_network_attempt_count(const aard_outcome *outcome)
{
    return outcome ? outcome->ledger.attempt_count : 0;
}

const aard_network_attempt *aard_outcome_network_attempt(const aard_outcome *outcome, size_t index)
{
    return outcome && index < outcome->ledger.attempt_count ? &outcome->ledger.attempts[index] : NULL;
}

/* The text of a buffer, "" for an empty one. */
static const char *text_of(const aard__buf *buf, size_t *len)
{
    if (len) *len = buf->len;
    return buf->data ? buf->data : "";
}

static bool has_exception(const aard_outcome *outcome, size_t *len)
{
    bool has = outcome && outcome->has_exception;
    if (!has && len) *len = 0;
    return has;
}

const char *aard_outcome_value_json(const aard_outcome *outcome, size_t *len)
{
    if (!outcome || outcome->failure != AARD_FAILURE_NONE) {
        if (len) *len = 0;
        return NULL;
    }
    if (!outcome->value.len) {
        if (len) *len = 4;
        return "null";
    }
    return text_of(&outcome->value, len);
}

const char *aard_outcome_value_repr(const aard_outcome *outcome, size_t *len)
{
    if (len) *len = outcome ? outcome->repr.len : 0;
    return outcome ? outcome->repr.data : NULL;
}

bool aard_outcome_exit_code(const aard_outcome *outcome, int *code)
{
    bool exits = outcome && outcome->has_exit_code;
    if (exits && code) *code = outcome->exit_code;
    return exits;
}

aard_isolation aard_outcome_isolation(const aard_outcome *outcome)
{
    return outcome ? outcome->isolation : AARD_ISOLATION_THREAD;
}

const char *aard_isolation_name(aard_isolation isolation)
{
    if (isolation == AARD_ISOLATION_THREAD) return "thread";
    return isolation == AARD_ISOLATION_PROCESS ? "process" : "unknown";
}

size_t aard_outcome_buffer_count(const aard_outcome *outcome) { return outcome ? outcome->buffer_count : 0; }

void aard_outcome_buffer(const aard_outcome *outcome, size_t index, const char **id, const uint8_t **data, size_t *len,
                         const char **metadata_json)
{
    static const aard__outcome_buffer none;
    const aard__outcome_buffer *buffer = outcome && index < outcome->buffer_count ? &outcome->buffers[index] : &none;
    if (id) *id = buffer->id;
    if (data) *data = (const uint8_t *)buffer->data.data;
    if (len) *len = buffer->data.len;
    if (metadata_json) *metadata_json = buffer->metadata;
}

const char *aard_outcome_failure_message(const aard_outcome *outcome)
{
    return !outcome || outcome->failure == AARD_FAILURE_NONE ? NULL : text_of(&outcome->message, NULL);
}

const char *aard_outcome_exception_type(const aard_outcome *outcome)
{
    return has_exception(outcome, NULL) ? text_of(&outcome->exception_type, NULL) : NULL;
}

const char *aard_outcome_exception_value(const aard_outcome *outcome, size_t *len)
{
    return has_exception(outcome, len) ? text_of(&outcome->exception_value, len) : NULL;
}

const char *aard_outcome_exception_traceback(const aard_outcome *outcome, size_t *len)
{
    return has_exception(outcome, len) ? text_of(&outcome->traceback, len) : NULL;
}

static const char *stream_of(const aard_outcome *outcome, size_t index, size_t *len)
{
    if (outcome) return text_of(&outcome->streams[index], len);
    if (len) *len = 0;
    return NULL;
}

const char *aard_outcome_stdout(const aard_outcome *outcome, size_t *len) { return stream_of(outcome, 0, len); }

const char *aard_outcome_stderr(const aard_outcome *outcome, size_t *len) { return stream_of(outcome, 1, len); }

const aard_diagnostics *aard_outcome_diagnostics(const aard_outcome *outcome)
{
    return outcome ? &outcome->diagnostics : NULL;
}

AARD__PROCESS_KEEPS(outcome_hook, "the tests' look at outcomes", "hook");
