/* The JSON form of an outcome; its schema is in docs/outcome.md. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/error.h"
#include "outcome/diagnostics.h"
#include "outcome/outcome.h"

static void put_text(aard__buf *out, const char *key, const aard__buf *text)
{
    aard__buf_printf(out, "\"%s\":", key);
    aard__buf_json_string(out, text->data ? text->data : "", text->len);
}

/* A member with a text that ends with NUL. */
static void put_string(aard__buf *out, const char *key, const char *text)
{
    aard__buf_printf(out, "\"%s\":", key);
    aard__buf_json_string(out, text, strlen(text));
}

static void put_base64(aard__buf *out, const aard__buf *data)
{
    size_t len = aard__base64_len(data->len);
    if (!aard__buf_reserve(out, len)) return;
    aard__base64(out->data + out->len, data->data, data->len);
    out->len += len;
}

static void put_result(aard__buf *out, const aard_outcome *outcome)
{
    bool success = outcome->failure == AARD_FAILURE_NONE;
    aard__buf_printf(out, "{\"status\":\"%s\",\"value\":", success ? "success" : "failure");
    if (success && outcome->value.len)
        aard__buf_append(out, outcome->value.data, outcome->value.len);
    else
        aard__buf_puts(out, "null");
    if (success && outcome->repr.data) {
        aard__buf_putc(out, ',');
        put_text(out, "value_repr", &outcome->repr);
    }
    if (outcome->has_exit_code) aard__buf_printf(out, ",\"exit_code\":%d", outcome->exit_code);
    aard__buf_puts(out, ",\"buffers\":[");
    for (size_t i = 0; i < outcome->buffer_count; i++) {
        const aard__outcome_buffer *buffer = &outcome->buffers[i];
        aard__buf_puts(out, i ? ",{" : "{");
        put_string(out, "id", buffer->id);
        aard__buf_printf(out, ",\"length\":%zu,\"metadata\":%s,\"base64\":\"", buffer->data.len, buffer->metadata);
        put_base64(out, &buffer->data);
        aard__buf_puts(out, "\"}");
    }
    aard__buf_puts(out, "],\"failure\":");
}

static void put_failure(aard__buf *out, const aard_outcome *outcome)
{
    if (outcome->failure == AARD_FAILURE_NONE) {
        aard__buf_puts(out, "null");
        return;
    }
    aard__buf_printf(out, "{\"kind\":\"%s\",", aard_failure_kind_name(outcome->failure));
    put_text(out, "message", &outcome->message);
    if (outcome->has_exception) {
        aard__buf_puts(out, ",\"exception\":{");
        put_text(out, "type", &outcome->exception_type);
        aard__buf_putc(out, ',');
        put_text(out, "value", &outcome->exception_value);
        aard__buf_putc(out, ',');
        put_text(out, "traceback", &outcome->traceback);
        aard__buf_putc(out, '}');
    }
    aard__buf_putc(out, '}');
}

/* Milliseconds with three digits.  Not by "%f", which writes what the host's locale has for a decimal point. */
static void put_ms(aard__buf *out, const char *key, double ms)
{
    unsigned long long us = ms > 0 ? (unsigned long long)(ms * 1000 + 0.5) : 0;
    aard__buf_printf(out, ",\"%s\":%llu.%03llu", key, us / 1000, us % 1000);
}

static void put_attempts(aard__buf *out, const aard__ledger *ledger, bool allowed)
{
    aard__buf_printf(out, "\"%s\":[", allowed ? "allowed" : "blocked");
    const char *comma = "";
    for (size_t i = 0; i < ledger->attempt_count; i++) {
        const aard_network_attempt *attempt = &ledger->attempts[i];
        if (attempt->allowed != allowed) continue;
        aard__buf_printf(out, "%s{", comma);
        put_string(out, "method", attempt->method);
        aard__buf_putc(out, ',');
        put_string(out, "url", attempt->url);
        aard__buf_putc(out, ',');
        put_string(out, "reason", attempt->reason);
        aard__buf_printf(out, ",\"status\":%u,\"sent_bytes\":%llu,\"received_bytes\":%llu,\"count\":%llu}",
                         attempt->status, (unsigned long long)attempt->sent_bytes,
                         (unsigned long long)attempt->received_bytes, (unsigned long long)attempt->count);
        comma = ",";
    }
    aard__buf_putc(out, ']');
}

static void put_ledger(aard__buf *out, const aard__ledger *ledger)
{
    aard__buf_puts(out, ",\"network\":{");
    put_attempts(out, ledger, true);
    aard__buf_putc(out, ',');
    put_attempts(out, ledger, false);
    if (ledger->attempts_dropped)
        aard__buf_printf(out, ",\"dropped\":%llu", (unsigned long long)ledger->attempts_dropped);
    aard__buf_puts(out, "},\"policy_violations\":[");
    for (size_t i = 0; i < ledger->violation_count; i++) {
        const aard_violation *violation = &ledger->violations[i];
        aard__buf_puts(out, i ? ",{" : "{");
        put_string(out, "kind", aard_violation_kind_name(violation->kind));
        aard__buf_putc(out, ',');
        put_string(out, "reason", violation->reason);
        aard__buf_putc(out, ',');
        put_string(out, "subject", violation->subject);
        aard__buf_printf(out, ",\"count\":%llu}", (unsigned long long)violation->count);
    }
    aard__buf_putc(out, ']');
    if (ledger->violations_dropped)
        aard__buf_printf(out, ",\"policy_violations_dropped\":%llu", (unsigned long long)ledger->violations_dropped);
}

static void put_count(aard__buf *out, const char *key, uint64_t count)
{
    aard__buf_printf(out, ",\"%s\":%llu", key, (unsigned long long)count);
}

/* The members that have a form of their own. */
static void put_apart(aard__buf *out, const aard_outcome *outcome)
{
    const aard_diagnostics *d = &outcome->diagnostics;
    char started[32];
    aard__clock_rfc3339(d->started_at_ns, started);
    aard__buf_printf(out, ",\"isolation\":\"%s\",\"started_at\":\"%s\"", aard_isolation_name(outcome->isolation),
                     started);
    aard__buf_printf(out, ",\"reset\":{\"mode\":\"%s\"", aard_reset_mode_name(d->reset_mode));
    put_ms(out, "duration_ms", d->reset_ms);
    put_count(out, "generation", d->reset_generation);
    bool warm = d->warm_source != AARD_WARM_NONE;
    aard__buf_printf(out, "},\"warm_state\":{\"fingerprint\":%s%s%s,\"source\":\"%s\"}", warm ? "\"" : "",
                     warm ? d->warm_fingerprint : "null", warm ? "\"" : "", aard_warm_source_name(d->warm_source));
    aard__buf_printf(out, ",\"callbacks\":{\"count\":%" PRIu64, d->callback_count);
    put_ms(out, "ms", d->callback_ms);
    aard__buf_putc(out, '}');
}

#define SHOW_always(kind, member) put_##kind(out, #member, outcome->diagnostics.member);
#define SHOW_unless_0(kind, member)                                                                                    \
    if (outcome->diagnostics.member) put_##kind(out, #member, outcome->diagnostics.member);
#define SHOW_apart(kind, member)
#define SHOW(kind, member, shown) SHOW_##shown(kind, member)

static void put_diagnostics(aard__buf *out, const aard_outcome *outcome)
{
    aard__buf_putc(out, '{');
    put_text(out, "stdout", &outcome->streams[0]);
    aard__buf_putc(out, ',');
    put_text(out, "stderr", &outcome->streams[1]);
    put_apart(out, outcome);
    AARD__DIAGNOSTICS_MAP(SHOW)
    put_ledger(out, &outcome->ledger);
    aard__buf_putc(out, '}');
}

aard_error *aard_outcome_json(const aard_outcome *outcome, char **out, size_t *len)
{
    AARD__NEED(outcome);
    AARD__NEED(out);
    aard__buf json = AARD__BUF_INIT;
    put_result(&json, outcome);
    put_failure(&json, outcome);
    aard__buf_puts(&json, ",\"diagnostics\":");
    put_diagnostics(&json, outcome);
    aard__buf_putc(&json, '}');
    char *text = aard__buf_take(&json, len);
    if (!text) return aard__error_no_memory();
    *out = text;
    return NULL;
}
