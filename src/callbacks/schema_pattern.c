/* Regular expressions of schemas: those of ECMAScript, run by ICU.  What the two write differently is translated, and what only ICU
 * has is refused. */
#include "callbacks/schema_pattern.h"

#include <string.h>
#include <unicode/uregex.h>
#include <unicode/ustring.h>

#include "base/alloc.h"
#include "base/buf.h"

/* A guest makes the strings: one for which that takes more is refused. */
enum { MOST_STEPS = 1000, MOST_STACK = 1 << 20, MOST_UNITS = 4096 };

#define SPACES "\\t\\n\\u000b\\f\\r\\u0020\\u00a0\\ufeff\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"

typedef struct reader {
    const char *at;
    aard__buf *out;
    bool in_class, wrong;
    char before; /* what was read last, where that matters: a quantifier, or a hyphen in a class */
} reader;

/* A class of ECMAScript's; within brackets it is part of those. */
static void put_set(reader *r, const char *members, bool negated)
{
    bool bare = r->in_class && !negated;
    aard__buf_printf(r->out, "%s%s%s", bare ? "" : negated ? "[^" : "[", members, bare ? "" : "]");
}

/* Behind a backslash: what ICU reads as ECMAScript does. */
static bool is_shared(const reader *r, char c)
{
    const char *letters = r->in_class ? "cfnrtxupP" : "BbcfnrtxupPk123456789";
    return strchr(letters, c) || ((unsigned char)c > ' ' && (unsigned char)c < 0x7f && strchr("^$\\.*+?()[]{}|/-", c));
}

static void read_escape(reader *r)
{
    char c = *r->at;
    if (!c) {
        r->wrong = true;
        return;
    }
    r->at++;
    switch (c) {
    case 'd': put_set(r, "0-9", false); return;
    case 'D': put_set(r, "0-9", true); return;
    case 'w': put_set(r, "A-Za-z0-9_", false); return;
    case 'W': put_set(r, "A-Za-z0-9_", true); return;
    case 's': put_set(r, SPACES, false); return;
    case 'S': put_set(r, SPACES, true); return;
    case 'v': aard__buf_puts(r->out, "\\u000b"); return;
    case '0': aard__buf_puts(r->out, "\\u0000"); return;
    case 'b': aard__buf_puts(r->out, r->in_class ? "\\u0008" : "\\b"); return;
    default: break;
    }
    r->wrong = r->wrong || !is_shared(r, c);
    if (c == 'u' && *r->at == '{') c = 'x';
    aard__buf_printf(r->out, "\\%c", c);
}

/* A group that ECMAScript has: (?: (?= (?! (?<name> (?<= (?<! */
static bool is_group(const char *at) { return at[0] != '?' || (at[1] && strchr(":=!<", at[1])); }

static bool is_quantifier(char c) { return c == '*' || c == '+' || c == '?' || c == '}'; }

static void read_outside(reader *r, char c)
{
    switch (c) {
    case '$': aard__buf_puts(r->out, "\\z"); return;
    case '.': aard__buf_puts(r->out, "[^\\n\\r\\u2028\\u2029]"); return;
    case '[':
        r->wrong = r->wrong || *r->at == ']' || (r->at[0] == '^' && r->at[1] == ']');
        r->in_class = true;
        aard__buf_putc(r->out, c);
        if (*r->at == '^') aard__buf_putc(r->out, *r->at++);
        return;
    case '(': r->wrong = r->wrong || !is_group(r->at); break;
    case '+': r->wrong = r->wrong || is_quantifier(r->before); break; /* ICU's possessive quantifiers */
    default: break;
    }
    aard__buf_putc(r->out, c);
}

static void read_inside(reader *r, char c)
{
    if (c == ']') r->in_class = false;
    bool special = strchr("[&{}$:|~\"'#", c) || (c == '-' && r->before == '-');
    aard__buf_printf(r->out, special ? "\\%c" : "%c", c);
}

/* False where it is not one that both understand. */
static bool translate(const char *pattern, aard__buf *out)
{
    reader r = {.at = pattern, .out = out};
    while (*r.at && !r.wrong) {
        char c = *r.at++;
        bool inside = r.in_class;
        if (c == '\\')
            read_escape(&r);
        else if (inside)
            read_inside(&r, c);
        else
            read_outside(&r, c);
        r.before = c == '\\' ? 0 : c;
    }
    return !r.wrong && !r.in_class && !out->failed;
}

static UChar *units_of(const char *text, size_t len, int32_t *count)
{
    UErrorCode error = U_ZERO_ERROR;
    UChar *units = len < INT32_MAX / 4 ? aard__calloc(len + 1, sizeof *units) : NULL;
    if (units) u_strFromUTF8(units, (int32_t)len + 1, count, text, (int32_t)len, &error);
    if (U_SUCCESS(error)) return units;
    aard__free(units);
    return NULL;
}

static URegularExpression *open_pattern(const char *pattern)
{
    aard__buf text = AARD__BUF_INIT;
    UErrorCode error = U_ZERO_ERROR;
    URegularExpression *made = NULL;
    int32_t count;
    bool translated = translate(pattern, &text) && text.len < MOST_UNITS;
    UChar *units = translated ? units_of(text.data ? text.data : "", text.len, &count) : NULL;
    if (units) made = uregex_open(units, count, 0, NULL, &error);
    aard__free(units);
    aard__buf_free(&text);
    if (U_SUCCESS(error)) return made;
    uregex_close(made);
    return NULL;
}

bool aard__schema_pattern_valid(const char *pattern)
{
    URegularExpression *made = open_pattern(pattern);
    if (made) uregex_close(made);
    return made;
}

bool aard__schema_pattern_find(const char *pattern, const char *text, size_t len, bool *found)
{
    UErrorCode error = U_ZERO_ERROR;
    int32_t count = 0;
    URegularExpression *made = open_pattern(pattern);
    UChar *units = made ? units_of(text, len, &count) : NULL;
    if (units) {
        uregex_setTimeLimit(made, MOST_STEPS, &error);
        uregex_setStackLimit(made, MOST_STACK, &error);
        uregex_setText(made, units, count, &error);
        bool matches = uregex_find(made, 0, &error);
        if (U_SUCCESS(error)) *found = matches;
    }
    if (made) uregex_close(made);
    aard__free(units);
    return units && U_SUCCESS(error);
}
