#include "outcome/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unprintable.h"
#include "base/utf8.h"

static void free_violation(aard_violation *line)
{
    aard__free((char *)line->reason);
    aard__free((char *)line->subject);
}

static void free_attempt(aard_network_attempt *line)
{
    aard__free((char *)line->method);
    aard__free((char *)line->url);
    aard__free((char *)line->reason);
}

void aard__ledger_free(aard__ledger *ledger)
{
    for (size_t i = 0; i < ledger->violation_count; i++) free_violation(&ledger->violations[i]);
    for (size_t i = 0; i < ledger->attempt_count; i++) free_attempt(&ledger->attempts[i]);
    aard__free(ledger->violations);
    aard__free(ledger->attempts);
    *ledger = AARD__LEDGER_INIT;
}

/* What one character of a text becomes in a line: what is not UTF-8 is U+FFFD, and what would break the line, or make another
 * text of it where it is shown, is a number. */
static size_t keep_one(const char *text, size_t size, char out[16])
{
    if (!size) return (size_t)sprintf(out, "\xef\xbf\xbd");
    uint32_t c = aard__utf8_character(text, size);
    if (aard__unprintable(c)) return (size_t)sprintf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
    memcpy(out, text, size);
    return size;
}

/* A copy for the ledger, of valid UTF-8, in one line; NULL where there is no memory. */
static char *keep(const char *text, size_t len)
{
    char kept[AARD__LEDGER_TEXT + 1], one[16];
    size_t at = 0;
    for (size_t i = 0; i < len;) {
        size_t size = aard__utf8_sequence(text + i, len - i), room = keep_one(text + i, size, one);
        if (at + room > AARD__LEDGER_TEXT) break;
        memcpy(kept + at, one, room);
        at += room;
        i += size ? size : 1;
    }
    return aard__memdup0(kept, at);
}

static char *keep_text(const char *text) { return keep(text ? text : "", text ? strlen(text) : 0); }

/* Room for one more line, up to what a ledger holds. */
static bool grow(void *lines, size_t count, size_t size)
{
    void **list = lines;
    if (count >= AARD__LEDGER_LINES) return false;
    if (count & (count - 1)) return true; /* it grows at the powers of two */
    void *grown = aard__realloc(*list, (count ? 2 * count : 1) * size);
    if (grown) *list = grown;
    return grown != NULL;
}

static void add_violation(aard__ledger *ledger, aard_violation_kind kind, const char *reason, const char *subject,
                          size_t subject_len, uint64_t count)
{
    aard_violation line = {kind, keep_text(reason), keep(subject, subject_len), count};
    if (!line.reason || !line.subject) goto drop;
    for (size_t i = 0; i < ledger->violation_count; i++) {
        aard_violation *known = &ledger->violations[i];
        if (known->kind != kind || strcmp(known->reason, line.reason) || strcmp(known->subject, line.subject)) continue;
        known->count += count;
        free_violation(&line);
        return;
    }
    if (!grow(&ledger->violations, ledger->violation_count, sizeof line)) goto drop;
    ledger->violations[ledger->violation_count++] = line;
    return;
drop:
    ledger->violations_dropped += count;
    free_violation(&line);
}

void aard__ledger_violation(aard__ledger *ledger, aard_violation_kind kind, const char *reason, const char *subject,
                            size_t subject_len)
{
    add_violation(ledger, kind, reason, subject, subject_len, 1);
}

static bool same_attempt(const aard_network_attempt *a, const aard_network_attempt *b)
{
    return a->allowed == b->allowed && a->status == b->status && !strcmp(a->method, b->method) &&
           !strcmp(a->url, b->url) && !strcmp(a->reason, b->reason);
}

void aard__ledger_attempt(aard__ledger *ledger, const aard_network_attempt *attempt)
{
    aard_network_attempt line = *attempt;
    line.method = keep_text(attempt->method);
    line.url = keep_text(attempt->url);
    line.reason = keep_text(attempt->reason);
    if (!line.method || !line.url || !line.reason) goto drop;
    for (size_t i = 0; i < ledger->attempt_count; i++) {
        aard_network_attempt *known = &ledger->attempts[i];
        if (!same_attempt(known, &line)) continue;
        known->count += line.count;
        known->sent_bytes += line.sent_bytes;
        known->received_bytes += line.received_bytes;
        free_attempt(&line);
        return;
    }
    if (!grow(&ledger->attempts, ledger->attempt_count, sizeof line)) goto drop;
    ledger->attempts[ledger->attempt_count++] = line;
    return;
drop:
    ledger->attempts_dropped += line.count;
    free_attempt(&line);
}

void aard__ledger_merge(aard__ledger *ledger, const aard__ledger *other)
{
    for (size_t i = 0; i < other->violation_count; i++) {
        const aard_violation *one = &other->violations[i];
        add_violation(ledger, one->kind, one->reason, one->subject, strlen(one->subject), one->count);
    }
    for (size_t i = 0; i < other->attempt_count; i++) aard__ledger_attempt(ledger, &other->attempts[i]);
    ledger->violations_dropped += other->violations_dropped;
    ledger->attempts_dropped += other->attempts_dropped;
}
