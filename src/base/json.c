#include "base/json.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

typedef struct scanner {
    const char *at, *end;
    uint8_t *nesting;         /* a bit a level: 1 = object */
    size_t depth, room, most; /* in levels */
    bool deep;
    uint8_t small[32];
} scanner;

static void skip_space(scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) s->at++;
}

static bool push(scanner *s, bool object)
{
    s->deep = s->depth == s->most;
    if (s->deep) return false;
    if (s->depth == s->room) {
        uint8_t *bigger = aard__malloc(s->room / 4);
        if (!bigger) return false;
        memcpy(bigger, s->nesting, s->room / 8);
        if (s->nesting != s->small) aard__free(s->nesting);
        s->nesting = bigger;
        s->room *= 2;
    }
    uint8_t bit = (uint8_t)(1 << (s->depth & 7));
    s->nesting[s->depth >> 3] = (uint8_t)(object ? s->nesting[s->depth >> 3] | bit : s->nesting[s->depth >> 3] & ~bit);
    s->depth++;
    return true;
}

static bool in_object(const scanner *s) { return s->nesting[(s->depth - 1) >> 3] >> ((s->depth - 1) & 7) & 1; }

static bool word(scanner *s, const char *text, size_t len)
{
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len)) return false;
    s->at += len;
    return true;
}

static bool digits(scanner *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
    return s->at > start;
}

static bool number(scanner *s)
{
    if (s->at < s->end && *s->at == '-') s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else if (!digits(s))
        return false;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!digits(s)) return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
        return digits(s);
    }
    return true;
}

static bool escape(scanner *s)
{
    if (s->at == s->end) return false;
    char c = *s->at;
    if (c && strchr("\"\\/bfnrt", c)) {
        s->at++;
        return true;
    }
    if (c != 'u' || s->end - s->at < 5) return false;
    for (int i = 1; i <= 4; i++) {
        char h = s->at[i];
        if (!((h >= '0' && h <= '9') || (h >= 'a' && h <= 'f') || (h >= 'A' && h <= 'F'))) return false;
    }
    s->at += 5;
    return true;
}

/* Eight bytes at once that hold neither a quote, a backslash, a control character nor anything beyond ASCII. */
static bool plain_word(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t w, quote, slash;
    memcpy(&w, at, 8);
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    return !((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & tops);
}

size_t aard__json_plain(const char *text, size_t len)
{
    size_t i = 0;
    while (len - i >= 8 && plain_word(text + i)) i += 8;
    while (i < len && (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x80 && text[i] != '"' &&
           text[i] != '\\')
        i++;
    return i;
}

static bool string(scanner *s)
{
    s->at++;
    for (;;) {
        while (s->end - s->at >= 8 && plain_word(s->at)) s->at += 8;
        if (s->at == s->end) return false;
        unsigned char c = (unsigned char)*s->at;
        if (c < 0x20) return false;
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\\') {
            s->at++;
            if (!escape(s)) return false;
            continue;
        }
        size_t step = aard__utf8_sequence(s->at, (size_t)(s->end - s->at));
        if (!step) return false;
        s->at += step;
    }
}

static bool key(scanner *s)
{
    skip_space(s);
    if (s->at == s->end || *s->at != '"' || !string(s)) return false;
    skip_space(s);
    return word(s, ":", 1);
}

/* A scalar, or the start of a container with what must stand before its first value; *opened = a value must follow. */
static bool value(scanner *s, bool *opened)
{
    *opened = false;
    skip_space(s);
    if (s->at == s->end) return false;
    switch (*s->at) {
    case '"': return string(s);
    case 't': return word(s, "true", 4);
    case 'f': return word(s, "false", 5);
    case 'n': return word(s, "null", 4);
    case '[':
    case '{': {
        bool object = *s->at++ == '{';
        skip_space(s);
        if (s->at < s->end && *s->at == (object ? '}' : ']')) {
            s->at++;
            s->deep = s->depth == s->most;
            return !s->deep;
        }
        *opened = true;
        return push(s, object) && (!object || key(s));
    }
    default: return number(s);
    }
}

/* After a value: closes containers until a comma asks for another value (*more) or the text's one value is complete. */
static bool after_value(scanner *s, bool *more)
{
    *more = false;
    while (s->depth) {
        skip_space(s);
        if (s->at == s->end) return false;
        if (*s->at == ',') {
            s->at++;
            *more = true;
            return !in_object(s) || key(s);
        }
        if (*s->at != (in_object(s) ? '}' : ']')) return false;
        s->at++;
        s->depth--;
    }
    return true;
}

static bool scan(scanner *s)
{
    for (;;) {
        bool opened, more;
        if (!value(s, &opened)) return false;
        if (opened) continue;
        if (!after_value(s, &more)) return false;
        if (more) continue;
        skip_space(s);
        return s->at == s->end;
    }
}

bool aard__json_valid(const char *text, size_t len, size_t *where)
{
    bool deep;
    return aard__json_valid_to(text, len, SIZE_MAX, &deep, where);
}

bool aard__json_valid_to(const char *text, size_t len, size_t most, bool *deep, size_t *where)
{
    if (!text) len = 0;
    scanner s = {.at = text, .end = text + len, .room = 8 * sizeof s.small, .most = most};
    s.nesting = s.small;
    bool valid = len && scan(&s);
    if (!valid && where) *where = len ? (size_t)(s.at - text) : 0;
    if (s.nesting != s.small) aard__free(s.nesting);
    *deep = !valid && s.deep;
    return valid;
}
