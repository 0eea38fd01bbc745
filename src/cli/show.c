/* Text for people and for programs: JSON strings, JSON with indentation, sizes, the summary of a call. */
#include <string.h>

#include "base/unprintable.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define LINE 80          /* columns that a container may take on one line */
#define INDENT_LEVELS 32 /* deeper ones are not indented further: a line is then no longer than its content */

/* ---- plain text ----------------------------------------------------------------------------------------------- */

size_t cli_character(const char *text, size_t len, uint32_t *out)
{
    size_t size = aard__utf8_sequence(text, len);
    *out = size ? aard__utf8_character(text, size) : 0xfffd;
    return size;
}

void cli_plain(FILE *file, const char *text, size_t len)
{
    uint32_t c;
    for (size_t i = 0, size; i < len; i += size ? size : 1) {
        size = cli_character(text + i, len - i, &c);
        if (!size || aard__unprintable(c))
            putc('?', file);
        else
            fwrite(text + i, 1, size, file);
    }
}

void cli_plain_text(const char *text) { cli_plain(stdout, text, strlen(text)); }

void cli_lines(FILE *file, const char *text, size_t len)
{
    uint32_t c;
    for (size_t i = 0, size; i < len; i += size ? size : 1) {
        size = cli_character(text + i, len - i, &c);
        if (size && (c == '\n' || c == '\t' || !aard__unprintable(c)))
            fwrite(text + i, 1, size, file);
        else if (!size || c < 0x100)
            fprintf(file, "\\x%02x", size ? (unsigned)c : (unsigned char)text[i]);
        else
            fprintf(file, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    }
}

const char *cli_size(uint64_t bytes, char out[32])
{
    static const char units[][4] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;
    while (size >= 1024 && unit + 1 < sizeof units / sizeof units[0]) size /= 1024, unit++;
    if (bytes < 1024)
        snprintf(out, 32, "%u B", (unsigned)bytes);
    else
        snprintf(out, 32, "%.1f %s", size, units[unit]);
    return out;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

/* A character that is to stand in a string of JSON, which gets no other meaning by being escaped. */
static void put_escaped(FILE *file, uint32_t c)
{
    if (c < 0x10000)
        fprintf(file, "\\u%04x", (unsigned)c);
    else
        fprintf(file, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)), (unsigned)(0xdc00 | (c & 0x3ff)));
}

void cli_json(FILE *file, const char *json, size_t len)
{
    uint32_t c;
    for (size_t i = 0, size; i < len; i += size ? size : 1) {
        size = cli_character(json + i, len - i, &c);
        if (!size)
            fputs("\xef\xbf\xbd", file);
        else if (c > ' ' && aard__unprintable(c))
            put_escaped(file, c);
        else
            fwrite(json + i, 1, size, file);
    }
}

void cli_json_string(FILE *file, const char *text, size_t len)
{
    uint32_t c;
    putc('"', file);
    for (size_t i = 0, size; i < len; i += size ? size : 1) {
        size = cli_character(text + i, len - i, &c);
        if (!size)
            fputs("\xef\xbf\xbd", file);
        else if (c == '"' || c == '\\')
            fprintf(file, "\\%c", (int)c);
        else if (aard__unprintable(c))
            put_escaped(file, c);
        else
            fwrite(text + i, 1, size, file);
    }
    putc('"', file);
}

void cli_json_text(const char *key, const char *text)
{
    printf("\"%s\":", key);
    if (text)
        cli_json_string(stdout, text, strlen(text));
    else
        fputs("null", stdout);
}

/* Behind the string that starts at `at`. */
static size_t string_end(const char *json, size_t len, size_t at)
{
    for (at++; at < len && json[at] != '"'; at++)
        if (json[at] == '\\') at++;
    return at < len ? at + 1 : len;
}

/* Behind the container that starts at `at` where it takes at most `room` bytes; else 0. */
static size_t short_container(const char *json, size_t len, size_t at, size_t room)
{
    size_t depth = 0;
    for (size_t i = at; i < len && i - at < room; i++) {
        char c = json[i];
        if (c == '"') i = string_end(json, len, i) - 1;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return i + 1 - at <= room ? i + 1 : 0;
    }
    return 0;
}

/* Writes one line's worth: what stands between `at` and `end`, with a space behind commas and colons. */
static void put_inline(FILE *file, const char *json, size_t at, size_t end)
{
    while (at < end) {
        char c = json[at];
        size_t next = c == '"' ? string_end(json, end, at) : at + 1;
        cli_json(file, json + at, next - at);
        if (c == ',' || c == ':') putc(' ', file);
        at = next;
    }
}

static void new_line(FILE *file, size_t depth)
{
    fprintf(file, "\n%*s", (int)(2 * (depth < INDENT_LEVELS ? depth : INDENT_LEVELS)), "");
}

void cli_pretty(FILE *file, const char *json, size_t len)
{
    size_t depth = 0;
    for (size_t at = 0; at < len;) {
        char c = json[at];
        size_t end = at + 1;
        if (c == '{' || c == '[') {
            size_t column = 2 * (depth < INDENT_LEVELS ? depth : INDENT_LEVELS);
            end = short_container(json, len, at, column < LINE - 20 ? LINE - column : 20);
            if (!end) {
                putc(c, file);
                new_line(file, ++depth);
                end = at + 1;
            } else {
                put_inline(file, json, at, end);
            }
        } else if (c == '}' || c == ']') {
            new_line(file, --depth);
            putc(c, file);
        } else if (c == ',') {
            putc(c, file);
            new_line(file, depth);
        } else {
            end = c == '"' ? string_end(json, len, at) : at + 1;
            put_inline(file, json, at, end);
        }
        at = end;
    }
}

/* ---- the summary ------------------------------------------------------------------------------------------------ */

static void put_kib(FILE *file, const char *prefix, uint64_t kib)
{
    char size[32];
    fprintf(file, "%s%s", prefix, cli_size(kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024, size));
}

static void put_stream(FILE *file, const char *name, size_t kept, uint64_t dropped)
{
    char size[32];
    fprintf(file, "%s %s", name, cli_size(kept + dropped, size));
    if (dropped) fprintf(file, " (the first %llu bytes were not kept)", (unsigned long long)dropped);
}

/* What the guest did on the network and what it was refused, where there is something to tell. */
static void put_policy(FILE *file, const aard_outcome *outcome)
{
    uint64_t allowed = 0, blocked = 0;
    const aard_network_attempt *attempt;
    for (size_t i = 0; (attempt = aard_outcome_network_attempt(outcome, i)); i++)
        *(attempt->allowed ? &allowed : &blocked) += attempt->count;
    if (allowed || blocked)
        fprintf(file, "network  %llu requests, %llu more were refused\n", (unsigned long long)allowed,
                (unsigned long long)blocked);
    const aard_violation *violation;
    for (size_t i = 0; (violation = aard_outcome_violation(outcome, i)); i++) {
        fprintf(file, "refused  %s, ", aard_violation_kind_name(violation->kind));
        cli_plain(file, violation->reason, strlen(violation->reason));
        fputs(": ", file);
        cli_plain(file, violation->subject, strlen(violation->subject));
        if (violation->count > 1) fprintf(file, " (%llu times)", (unsigned long long)violation->count);
        putc('\n', file);
    }
}

void cli_summary(FILE *file, const aard_outcome *outcome, double boot_ms)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    bool success = aard_outcome_is_success(outcome);
    size_t out_len, err_len;
    aard_outcome_stdout(outcome, &out_len);
    aard_outcome_stderr(outcome, &err_len);
    fprintf(file, "status   %s\n", success ? "success" : aard_failure_kind_name(aard_outcome_failure_kind(outcome)));
    bool warm = d->warm_source != AARD_WARM_NONE;
    fprintf(file, "boot     %.3f ms%s%s\n", boot_ms, warm ? ", warm state from " : "",
            warm ? aard_warm_source_name(d->warm_source) : "");
    fprintf(file, "call     %.3f ms: prepare %.3f, run %.3f, cleanup %.3f\n", d->wall_ms, d->prepare_ms, d->run_ms,
            d->cleanup_ms);
    fprintf(file, "cpu      %.3f ms\n", d->cpu_ms_used);
    put_kib(file, "heap     Python ", d->py_heap_kib);
    put_kib(file, ", JavaScript ", d->js_heap_kib);
    put_kib(file, "\nmemory   ", d->rss_kib_before);
    put_kib(file, " before, ", d->rss_kib_after);
    fputs(" after (whole process)\noutput   ", file);
    put_stream(file, "stdout", out_len, d->stdout_dropped_bytes);
    put_stream(file, ", stderr", err_len, d->stderr_dropped_bytes);
    fprintf(file, "\nreset    %s", aard_reset_mode_name(d->reset_mode));
    if (d->reset_mode != AARD_RESET_NONE) fprintf(file, " in %.3f ms", d->reset_ms);
    fprintf(file, "\nisolate  %llu (%s), generation %llu\n", (unsigned long long)d->isolate_id,
            aard_isolation_name(aard_outcome_isolation(outcome)), (unsigned long long)d->reset_generation);
    put_policy(file, outcome);
}
