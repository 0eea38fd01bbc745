#include "outcome/pack.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"
#include "outcome/diagnostics.h"

enum {
    MOST_BUFFERS = 10000,     /* as guest/collect.c has it */
    LEAST_BUFFER = 4 + 4 + 1, /* bytes that a buffer takes, and a line of the ledger */
    LEAST_LINE = 1 + 4 + 4 + 8,
    OWN_WORDS = 4096 /* that a message may have besides those of the guest */
};

/* Texts that may be missing; all but the value are as long as a result at most, and a message says another one twice. */
#define TEXTS(X) X(repr) X(message) X(exception_type) X(exception_value) X(traceback)

/* ---- diagnostics ------------------------------------------------------------------------------------------------ */

/* The struct as the map has it: a member that the map lacks, or that stands elsewhere, does not compile. */
typedef struct mirror {
#define MEMBER(kind, member, shown) aard__diagnostic_##kind member;
    AARD__DIAGNOSTICS_MAP(MEMBER)
#undef MEMBER
} mirror;

#define SAME_PLACE(kind, member, shown)                                                                                \
    _Static_assert(offsetof(mirror, member) == offsetof(aard_diagnostics, member) &&                                   \
                       sizeof((mirror){0}.member) == sizeof((aard_diagnostics){0}.member),                             \
                   "outcome/diagnostics.h has '" #member                                                               \
                   "' at another place than aard_diagnostics, or a member before it is missing");
AARD__DIAGNOSTICS_MAP(SAME_PLACE)
#undef SAME_PLACE
_Static_assert(sizeof(mirror) == sizeof(aard_diagnostics),
               "outcome/diagnostics.h lacks the last members of aard_diagnostics");

static void pack_count(aard__buf *out, const uint64_t *count) { aard__pack_u64(out, *count); }
static void pack_instant(aard__buf *out, const int64_t *instant) { aard__pack_i64(out, *instant); }
static void pack_ms(aard__buf *out, const double *ms) { aard__pack_f64(out, *ms); }
static void pack_reset(aard__buf *out, const aard_reset_mode *mode) { aard__pack_u8(out, (uint8_t)*mode); }
static void pack_warm(aard__buf *out, const aard_warm_source *source) { aard__pack_u8(out, (uint8_t)*source); }
static void pack_fingerprint(aard__buf *out, const char (*text)[65]) { aard__pack_text(out, *text); }

static void unpack_count(aard__unpacker *in, uint64_t *count) { *count = aard__unpack_u64(in); }
static void unpack_instant(aard__unpacker *in, int64_t *instant) { *instant = aard__unpack_i64(in); }
static void unpack_ms(aard__unpacker *in, double *ms) { *ms = aard__unpack_f64(in); }

static void unpack_reset(aard__unpacker *in, aard_reset_mode *mode)
{
    *mode = (aard_reset_mode)aard__unpack_choice(in, AARD_RESET_NEW_PROCESS + 1);
}

static void unpack_warm(aard__unpacker *in, aard_warm_source *source)
{
    *source = (aard_warm_source)aard__unpack_choice(in, AARD_WARM_DISK + 1);
}

/* JSON has it as it is. */
static void unpack_fingerprint(aard__unpacker *in, char (*out)[65])
{
    char *text = aard__unpack_some_text(in, sizeof *out - 1);
    size_t len = text ? strlen(text) : 0;
    aard__unpacker_want(in, text && strspn(text, "0123456789abcdef") == len);
    if (in->ok) memcpy(*out, text, len + 1);
    aard__free(text);
}

/* ---- texts and buffers ------------------------------------------------------------------------------------------ */

static void pack_buf(aard__buf *out, const aard__buf *buf)
{
    aard__pack_bool(out, buf->data != NULL);
    if (buf->data) aard__pack_span(out, buf->data, buf->len);
}

static void unpack_buf(aard__unpacker *in, size_t most, aard__buf *out)
{
    if (!aard__unpack_bool(in)) return;
    aard__unpack_buf(in, 0, out);
    aard__unpacker_want(in, out->len <= most);
}

static void unpack_text(aard__unpacker *in, size_t most, aard__buf *out)
{
    unpack_buf(in, most, out);
    aard__unpacker_want(in, !out->data || aard__utf8_valid(out->data, out->len));
}

static void unpack_value(aard__unpacker *in, const aard__outcome_limits *limits, aard__buf *out)
{
    bool deep;
    unpack_buf(in, limits->result, out);
    aard__unpacker_want(in, !out->len || aard__json_valid_to(out->data, out->len, limits->depth, &deep, NULL));
}

static void pack_buffers(aard__buf *out, const aard_outcome *outcome)
{
    aard__pack_u32(out, (uint32_t)outcome->buffer_count);
    for (size_t i = 0; i < outcome->buffer_count; i++) {
        aard__pack_text(out, outcome->buffers[i].id);
        aard__pack_text(out, outcome->buffers[i].metadata);
        pack_buf(out, &outcome->buffers[i].data);
    }
}

static void unpack_buffers(aard__unpacker *in, size_t most, aard_outcome *outcome)
{
    size_t count = aard__unpack_count(in, MOST_BUFFERS, LEAST_BUFFER);
    if (!count) return;
    outcome->buffers = aard__calloc(count, sizeof *outcome->buffers);
    if (!outcome->buffers) {
        aard__unpacker_no_memory(in);
        return;
    }
    for (; outcome->buffer_count < count && in->ok; outcome->buffer_count++) {
        aard__outcome_buffer *buffer = &outcome->buffers[outcome->buffer_count];
        buffer->id = aard__unpack_some_text(in, 0);
        buffer->metadata = aard__unpack_some_text(in, 0);
        aard__unpacker_want(in, buffer->metadata && aard__json_valid(buffer->metadata, strlen(buffer->metadata), NULL));
        unpack_buf(in, most, &buffer->data);
        most -= in->ok ? buffer->data.len : 0;
    }
}

/* ---- the ledger ------------------------------------------------------------------------------------------------- */

static void pack_ledger(aard__buf *out, const aard__ledger *ledger)
{
    aard__pack_u32(out, (uint32_t)ledger->violation_count);
    for (size_t i = 0; i < ledger->violation_count; i++) {
        const aard_violation *line = &ledger->violations[i];
        aard__pack_u8(out, (uint8_t)line->kind);
        aard__pack_text(out, line->reason);
        aard__pack_text(out, line->subject);
        aard__pack_u64(out, line->count);
    }
    aard__pack_u64(out, ledger->violations_dropped);
    aard__pack_u32(out, (uint32_t)ledger->attempt_count);
    for (size_t i = 0; i < ledger->attempt_count; i++) {
        const aard_network_attempt *line = &ledger->attempts[i];
        aard__pack_bool(out, line->allowed);
        aard__pack_text(out, line->method);
        aard__pack_text(out, line->url);
        aard__pack_text(out, line->reason);
        aard__pack_u32(out, line->status);
        aard__pack_u64(out, line->sent_bytes);
        aard__pack_u64(out, line->received_bytes);
        aard__pack_u64(out, line->count);
    }
    aard__pack_u64(out, ledger->attempts_dropped);
}

/* Each line is put into the ledger anew, which cleans its texts and counts what is the same: a forged one is like any other. */
static void unpack_violations(aard__unpacker *in, aard__ledger *ledger)
{
    size_t count = aard__unpack_count(in, AARD__LEDGER_LINES, LEAST_LINE);
    for (size_t i = 0; i < count && in->ok; i++) {
        aard_violation_kind kind = (aard_violation_kind)aard__unpack_choice(in, AARD_VIOLATION_CALLBACK_LIMIT + 1);
        char *reason = aard__unpack_some_text(in, AARD__LEDGER_TEXT);
        char *subject = aard__unpack_some_text(in, AARD__LEDGER_TEXT);
        uint64_t times = aard__unpack_u64(in);
        if (in->ok) aard__ledger_violation(ledger, kind, reason, subject, strlen(subject));
        if (ledger->violations_dropped) aard__unpacker_no_memory(in);
        aard__unpacker_want(in, ledger->violation_count == i + 1);
        if (in->ok) ledger->violations[i].count = times;
        aard__free(reason);
        aard__free(subject);
    }
    ledger->violations_dropped = aard__unpack_u64(in);
}

static void unpack_attempt(aard__unpacker *in, aard__ledger *ledger)
{
    aard_network_attempt line = {.allowed = aard__unpack_bool(in)};
    char *method = aard__unpack_some_text(in, AARD__LEDGER_TEXT), *url = aard__unpack_some_text(in, AARD__LEDGER_TEXT);
    char *reason = aard__unpack_some_text(in, AARD__LEDGER_TEXT);
    line.method = method;
    line.url = url;
    line.reason = reason;
    line.status = aard__unpack_u32(in);
    line.sent_bytes = aard__unpack_u64(in);
    line.received_bytes = aard__unpack_u64(in);
    line.count = aard__unpack_u64(in);
    if (in->ok) aard__ledger_attempt(ledger, &line);
    aard__free(method);
    aard__free(url);
    aard__free(reason);
}

static void unpack_attempts(aard__unpacker *in, aard__ledger *ledger)
{
    size_t count = aard__unpack_count(in, AARD__LEDGER_LINES, LEAST_LINE);
    for (size_t i = 0; i < count && in->ok; i++) {
        unpack_attempt(in, ledger);
        if (ledger->attempts_dropped) aard__unpacker_no_memory(in);
        aard__unpacker_want(in, ledger->attempt_count == i + 1);
    }
    ledger->attempts_dropped = aard__unpack_u64(in);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

void aard__outcome_pack(const aard_outcome *outcome, aard__buf *out)
{
    aard__pack_u8(out, (uint8_t)outcome->failure);
    aard__pack_u8(out, (uint8_t)outcome->isolation);
    pack_buf(out, &outcome->value);
#define PACK_TEXT(member) pack_buf(out, &outcome->member);
    TEXTS(PACK_TEXT)
#undef PACK_TEXT
    aard__pack_bool(out, outcome->has_exception);
    aard__pack_bool(out, outcome->has_exit_code);
    aard__pack_i64(out, outcome->exit_code);
    pack_buf(out, &outcome->streams[0]);
    pack_buf(out, &outcome->streams[1]);
    pack_buffers(out, outcome);
#define PACK_DIAGNOSTIC(kind, member, shown) pack_##kind(out, &outcome->diagnostics.member);
    AARD__DIAGNOSTICS_MAP(PACK_DIAGNOSTIC)
#undef PACK_DIAGNOSTIC
    pack_ledger(out, &outcome->ledger);
}

/* What can't be in one outcome together. */
static bool is_whole(const aard_outcome *outcome)
{
    bool success = outcome->failure == AARD_FAILURE_NONE;
    return success ? !outcome->has_exception : !outcome->value.data && !outcome->repr.data && !outcome->buffer_count;
}

static void unpack(aard__unpacker *in, const aard__outcome_limits *limits, aard_outcome *outcome)
{
    size_t most = limits->result < SIZE_MAX - OWN_WORDS ? limits->result + OWN_WORDS : SIZE_MAX;
    outcome->failure = (aard_failure_kind)aard__unpack_choice(in, AARD_FAILURE_OTHER + 1);
    outcome->isolation = (aard_isolation)aard__unpack_choice(in, AARD_ISOLATION_PROCESS + 1);
    unpack_value(in, limits, &outcome->value);
#define UNPACK_TEXT(member) unpack_text(in, most, &outcome->member);
    TEXTS(UNPACK_TEXT)
#undef UNPACK_TEXT
    outcome->has_exception = aard__unpack_bool(in);
    outcome->has_exit_code = aard__unpack_bool(in);
    int64_t code = aard__unpack_i64(in);
    aard__unpacker_want(in, code >= INT_MIN && code <= INT_MAX);
    outcome->exit_code = (int)code;
    unpack_buf(in, limits->output, &outcome->streams[0]);
    unpack_buf(in, limits->output, &outcome->streams[1]);
    unpack_buffers(in, limits->result - outcome->value.len, outcome);
#define UNPACK_DIAGNOSTIC(kind, member, shown) unpack_##kind(in, &outcome->diagnostics.member);
    AARD__DIAGNOSTICS_MAP(UNPACK_DIAGNOSTIC)
#undef UNPACK_DIAGNOSTIC
    unpack_violations(in, &outcome->ledger);
    unpack_attempts(in, &outcome->ledger);
    aard__unpacker_want(in, is_whole(outcome));
}

aard_error *aard__outcome_unpack(aard__unpacker *in, const aard__outcome_limits *limits, aard_outcome **out)
{
    aard_outcome *outcome;
    AARD__TRY(aard__outcome_new(&outcome));
    unpack(in, limits, outcome);
    if (in->ok) {
        *out = outcome;
        return NULL;
    }
    aard_outcome_free(outcome);
    return aard__unpacker_error(in, "the outcome of a call");
}
