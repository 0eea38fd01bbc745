#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "isolate/host.h"

/* ---- UTF-8 ----------------------------------------------------------------------------------------------- */

/* How many bytes at `text`, which is no well-formed sequence, make up one error: the longest beginning of a well-formed
 * one, at least one byte (Unicode's "maximal subpart").  `*cut`: it is the end of the text that is missing. */
static size_t utf8_bad(const uint8_t *text, size_t len, bool *cut)
{
    uint8_t first = text[0];
    size_t need = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    size_t have = 1;
    while (have < need && have < len && text[have] >= low && text[have] <= high) {
        low = 0x80;
        high = 0xbf;
        have++;
    }
    *cut = have < need && have == len;
    return have;
}

/* The bytes at the end of `data` that may yet become a well-formed sequence. */
static size_t utf8_tail(const uint8_t *data, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        const uint8_t *at = data + len - back;
        if ((*at & 0xc0) == 0x80) continue;
        bool cut = false;
        if (!aard__utf8_sequence((const char *)at, back)) utf8_bad(at, back, &cut);
        return cut ? back : 0;
    }
    return 0;
}

/* Appends `data` with every error replaced by U+FFFD. */
static void utf8_mend(aard__buf *out, const uint8_t *data, size_t len)
{
    aard__buf_reserve(out, len);
    size_t start = 0, at = 0;
    while (at < len) {
        size_t step = aard__utf8_sequence((const char *)data + at, len - at);
        if (step) {
            at += step;
            continue;
        }
        bool cut;
        aard__buf_append(out, data + start, at - start);
        aard__buf_append(out, "\xef\xbf\xbd", 3);
        at += utf8_bad(data + at, len - at, &cut);
        start = at;
    }
    aard__buf_append(out, data + start, len - start);
}

static void out_of_memory(aard__frame *frame) { aard__frame_throw(frame, "RangeError", "out of memory"); }

static void host_decode_utf8(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len;
    if (!aard__frame_bytes(frame, 0, &data, &len)) return;
    bool fatal = aard__frame_bool(frame, 1), keep_bom = aard__frame_bool(frame, 2);
    if (!len) {
        aard__frame_return_utf8(frame, "", 0);
        return;
    }
    if (!keep_bom && len >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
        data += 3;
        len -= 3;
    }
    if (aard__utf8_valid((const char *)data, len)) {
        aard__frame_return_utf8(frame, (const char *)data, len);
        return;
    }
    if (fatal) {
        aard__frame_return_null(frame);
        return;
    }
    aard__buf mended = AARD__BUF_INIT;
    utf8_mend(&mended, data, len);
    if (mended.failed)
        out_of_memory(frame);
    else
        aard__frame_return_utf8(frame, mended.data, mended.len);
    aard__buf_free(&mended);
}

/* ---- UTF-16 ---------------------------------------------------------------------------------------------- */

static uint16_t utf16_unit(const uint8_t *at, bool big)
{
    return (uint16_t)(big ? at[0] << 8 | at[1] : at[1] << 8 | at[0]);
}

static bool is_lead(uint16_t unit) { return (unit & 0xfc00) == 0xd800; }
static bool is_trail(uint16_t unit) { return (unit & 0xfc00) == 0xdc00; }

static size_t utf16_tail(const uint8_t *data, size_t len, bool big)
{
    size_t odd = len & 1;
    return len >= 2 && is_lead(utf16_unit(data + len - odd - 2, big)) ? odd + 2 : odd;
}

/* Decodes into `units`, errors as U+FFFD; false where there were any.  `*count` starts at 0. */
static bool utf16_decode(const uint8_t *data, size_t len, bool big, uint16_t *units, size_t *count)
{
    bool good = true;
    for (size_t at = 0; at < len; at += 2) {
        uint16_t unit = 0xfffd;
        if (len - at < 2) {
            good = false; /* an odd byte at the end */
        } else {
            unit = utf16_unit(data + at, big);
            if (is_lead(unit) && len - at >= 4 && is_trail(utf16_unit(data + at + 2, big))) {
                units[(*count)++] = unit;
                at += 2;
                unit = utf16_unit(data + at, big);
            } else if (is_lead(unit) || is_trail(unit)) {
                /* A lead and an odd byte behind it, both waiting for the rest, are one error together. */
                if (is_lead(unit) && len - at == 3) at += 2;
                good = false;
                unit = 0xfffd;
            }
        }
        units[(*count)++] = unit;
    }
    return good;
}

static void host_decode_utf16(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len, count = 0;
    if (!aard__frame_bytes(frame, 0, &data, &len)) return;
    bool big = aard__frame_bool(frame, 1), fatal = aard__frame_bool(frame, 2), keep_bom = aard__frame_bool(frame, 3);
    if (!keep_bom && len >= 2 && utf16_unit(data, big) == 0xfeff) {
        data += 2;
        len -= 2;
    }
    aard__buf units = AARD__BUF_INIT;
    if (!aard__buf_reserve(&units, len + 2)) {
        out_of_memory(frame);
    } else if (!utf16_decode(data, len, big, (uint16_t *)units.data, &count) && fatal) {
        aard__frame_return_null(frame);
    } else {
        aard__frame_return_utf16(frame, (const uint16_t *)units.data, count);
    }
    aard__buf_free(&units);
}

/* ---- windows-1252 ---------------------------------------------------------------------------------------- */

static const uint16_t windows_1252[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static void host_decode_windows_1252(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len, at = 0;
    if (!aard__frame_bytes(frame, 0, &data, &len)) return;
    while (at < len && (data[at] & 0xe0) != 0x80) at++;
    if (at == len) {
        aard__frame_return_latin1(frame, len ? data : (const uint8_t *)"", len);
        return;
    }
    aard__buf units = AARD__BUF_INIT;
    if (len > SIZE_MAX / 2 || !aard__buf_reserve(&units, 2 * len)) {
        out_of_memory(frame);
    } else {
        uint16_t *out = (uint16_t *)units.data;
        for (at = 0; at < len; at++) out[at] = (data[at] & 0xe0) == 0x80 ? windows_1252[data[at] & 0x1f] : data[at];
        aard__frame_return_utf16(frame, out, len);
    }
    aard__buf_free(&units);
}

/* ---- decoding in chunks ---------------------------------------------------------------------------------- */

static void host_decode_tail(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len, tail = 0;
    aard__buf encoding = AARD__BUF_INIT;
    if (aard__frame_bytes(frame, 0, &data, &len) && aard__frame_string(frame, 1, &encoding) && !encoding.failed) {
        if (encoding.len == 5) /* utf-8 */
            tail = utf8_tail(data, len);
        else if (encoding.len == 8) /* utf-16le, utf-16be */
            tail = utf16_tail(data, len, encoding.data[6] == 'b');
    }
    aard__buf_free(&encoding);
    aard__frame_return_number(frame, (double)tail);
}

static void host_join_bytes(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *first, *second;
    size_t first_len, second_len;
    if (!aard__frame_bytes(frame, 1, &second, &second_len)) return;
    if (!aard__frame_bytes(frame, 0, &first, &first_len) || !first_len) {
        aard__frame_return_array_buffer(frame, second, second_len);
        return;
    }
    aard__buf both = AARD__BUF_INIT;
    aard__buf_append(&both, first, first_len);
    aard__buf_append(&both, second, second_len);
    if (both.failed)
        out_of_memory(frame);
    else
        aard__frame_return_array_buffer(frame, both.data, both.len);
    aard__buf_free(&both);
}

/* ---- base64 ---------------------------------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Turns UTF-8 in place into one byte a character; false where a character is above U+00FF. */
static bool to_latin1(aard__buf *text)
{
    size_t out = 0;
    for (size_t at = 0; at < text->len; at++) {
        uint8_t byte = (uint8_t)text->data[at];
        if (byte >= 0x80) {
            if (byte > 0xc3 || at + 1 == text->len) return false;
            byte = (uint8_t)((byte & 3) << 6 | ((uint8_t)text->data[++at] & 0x3f));
        }
        text->data[out++] = (char)byte;
    }
    text->len = out;
    return true;
}

static void base64_encode(aard__buf *out, const uint8_t *in, size_t len)
{
    for (size_t at = 0; at < len; at += 3) {
        size_t have = len - at < 3 ? len - at : 3;
        uint32_t bits = (uint32_t)in[at] << 16 | (have > 1 ? (uint32_t)in[at + 1] << 8 : 0) |
                        (have > 2 ? in[at + 2] : 0);
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], have > 1 ? alphabet[bits >> 6 & 63] : '=',
                        have > 2 ? alphabet[bits & 63] : '='};
        aard__buf_append(out, four, 4);
    }
}

static void host_base64_encode(aard__frame *frame, void *user)
{
    (void)user;
    aard__buf text = AARD__BUF_INIT, out = AARD__BUF_INIT;
    aard__frame_string(frame, 0, &text);
    if (text.len / 3 < SIZE_MAX / 8) aard__buf_reserve(&out, text.len / 3 * 4 + 4);
    if (text.failed || out.failed) {
        out_of_memory(frame);
    } else if (!to_latin1(&text)) {
        aard__frame_return_null(frame);
    } else {
        base64_encode(&out, (const uint8_t *)text.data, text.len);
        aard__frame_return_latin1(frame, (const uint8_t *)(out.len ? out.data : ""), out.len);
    }
    aard__buf_free(&text);
    aard__buf_free(&out);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes in place as Infra's forgiving-base64 decode says; false for failure. */
static bool base64_decode(aard__buf *text)
{
    size_t len = 0;
    for (size_t at = 0; at < text->len; at++)
        if (!memchr("\t\n\f\r ", text->data[at], 5)) text->data[len++] = text->data[at];
    if (len && len % 4 == 0 && text->data[len - 1] == '=') {
        len--;
        if (text->data[len - 1] == '=') len--;
    }
    if (len % 4 == 1) return false;
    uint32_t bits = 0;
    size_t out = 0;
    for (size_t at = 0; at < len; at++) {
        int digit = base64_digit(text->data[at]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        if (at % 4) text->data[out++] = (char)(bits >> (6 - 2 * (at % 4)) & 0xff);
    }
    text->len = out;
    return true;
}

static void host_base64_decode(aard__frame *frame, void *user)
{
    (void)user;
    aard__buf text = AARD__BUF_INIT;
    aard__frame_string(frame, 0, &text);
    if (text.failed)
        out_of_memory(frame);
    else if (!base64_decode(&text))
        aard__frame_return_null(frame);
    else
        aard__frame_return_latin1(frame, (const uint8_t *)(text.len ? text.data : ""), text.len);
    aard__buf_free(&text);
}

/* "Bytes" is an ArrayBuffer or a view.  A decoder gives undefined for anything else, and null for data that is invalid
 * when that is fatal.
 *   decodeUtf8(bytes, fatal, keepBOM) -> string
 *   decodeUtf16(bytes, bigEndian, fatal, keepBOM) -> string
 *   decodeWindows1252(bytes) -> string
 *   decodeTail(bytes, encoding)   how many bytes at the end are the beginning of something
 *   joinBytes(bytes or null, bytes) -> a new ArrayBuffer of both
 *   base64Encode(string), base64Decode(string) -> string, or null where it can't be done */
const aard__host_entry aard__host_text[] = {
    {"decodeUtf8", host_decode_utf8},
    {"decodeUtf16", host_decode_utf16},
    {"decodeWindows1252", host_decode_windows_1252},
    {"decodeTail", host_decode_tail},
    {"joinBytes", host_join_bytes},
    {"base64Encode", host_base64_encode},
    {"base64Decode", host_base64_decode},
    {NULL, NULL},
};
