#include "base/json_view.h"

#include <string.h>

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

aard__json aard__json_of(const char *text, size_t len)
{
    while (len && is_space(text[len - 1])) len--;
    while (len && is_space(*text)) text++, len--;
    return (aard__json){text, len};
}

aard__json_kind aard__json_kind_of(aard__json value)
{
    if (!value.len) return AARD__JSON_NONE;
    switch (*value.data) {
    case '{': return AARD__JSON_OBJECT;
    case '[': return AARD__JSON_ARRAY;
    case '"': return AARD__JSON_STRING;
    case 't':
    case 'f': return AARD__JSON_BOOL;
    case 'n': return AARD__JSON_NULL;
    default: return AARD__JSON_NUMBER;
    }
}

/* ---- containers ------------------------------------------------------------------------------------------------- */

static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

static const char *container_end(const char *at, const char *end)
{
    for (size_t depth = 0; at < end; at++) {
        if (*at == '"') at = string_end(at, end) - 1;
        if (*at == '{' || *at == '[') depth++;
        if ((*at == '}' || *at == ']') && !--depth) return at + 1;
    }
    return end;
}

static const char *value_end(const char *at, const char *end)
{
    if (at < end && *at == '"') return string_end(at, end);
    if (at < end && (*at == '{' || *at == '[')) return container_end(at, end);
    while (at < end && !is_space(*at) && *at != ',' && *at != '}' && *at != ']') at++;
    return at;
}

aard__json_items aard__json_items_of(aard__json container)
{
    aard__json_kind kind = aard__json_kind_of(container);
    if (!(kind & (AARD__JSON_OBJECT | AARD__JSON_ARRAY))) return (aard__json_items){NULL, NULL, false};
    return (aard__json_items){container.data + 1, container.data + container.len - 1, kind == AARD__JSON_OBJECT};
}

static void skip(aard__json_items *items)
{
    while (items->at < items->end && (is_space(*items->at) || *items->at == ',' || *items->at == ':')) items->at++;
}

static aard__json take(aard__json_items *items)
{
    const char *start = items->at;
    items->at = value_end(start, items->end);
    return (aard__json){start, (size_t)(items->at - start)};
}

bool aard__json_next(aard__json_items *items, aard__json *key, aard__json *value)
{
    skip(items);
    if (items->at >= items->end) return false;
    aard__json name = {NULL, 0};
    if (items->object) {
        name = take(items);
        skip(items);
    }
    if (key) *key = name;
    *value = take(items);
    return true;
}

/* ---- strings and numbers ---------------------------------------------------------------------------------------- */

static int hex(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

static uint32_t unit(const char *at) /* behind \u */
{
    return (uint32_t)(hex(at[0]) << 12 | hex(at[1]) << 8 | hex(at[2]) << 4 | hex(at[3]));
}

static void put_character(aard__buf *out, uint32_t c)
{
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[len] | c);
    aard__buf_append(out, bytes, len);
}

/* The escape behind `at`, which is at its u; gives the place behind it. */
static const char *put_unit(aard__buf *out, const char *at, const char *end)
{
    uint32_t c = unit(at + 1);
    at += 5;
    if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = unit(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            put_character(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
            return at + 6;
        }
    }
    put_character(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    return at;
}

void aard__json_text(aard__json string, aard__buf *out)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    if (aard__json_kind_of(string) != AARD__JSON_STRING) return;
    const char *at = string.data + 1, *end = string.data + string.len - 1;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        aard__buf_append(out, at, (size_t)((escape ? escape : end) - at));
        if (!escape) return;
        at = escape + 1;
        if (*at == 'u') {
            at = put_unit(out, at, end);
            continue;
        }
        const char *known = strchr(escapes, *at);
        aard__buf_putc(out, known && !((known - escapes) & 1) ? known[1] : *at);
        at++;
    }
}

bool aard__json_is(aard__json string, const char *text)
{
    size_t len = strlen(text);
    return string.len == len + 2 && *string.data == '"' && !memcmp(string.data + 1, text, len);
}

bool aard__json_count(aard__json number, uint64_t *out)
{
    uint64_t value = 0;
    if (aard__json_kind_of(number) != AARD__JSON_NUMBER) return false;
    for (size_t i = 0; i < number.len; i++) {
        unsigned digit = (unsigned)(number.data[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
