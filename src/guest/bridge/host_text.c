#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "guest/bridge/host.h"
#include "guest/bridge/single_byte.h"

/* ---- UTF-8 ----------------------------------------------------------------------------------------------- */

/* The bytes at the end of `data` that may yet become a well-formed sequence. */
static size_t utf8_tail(const uint8_t *data, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        const uint8_t *at = data + len - back;
        if ((*at & 0xc0) == 0x80) continue;
        bool cut = false;
        if (!aard__utf8_sequence((const char *)at, back)) aard__utf8_bad((const char *)at, back, &cut);
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
        at += aard__utf8_bad((const char *)data + at, len - at, &cut);
        start = at;
    }
    aard__buf_append(out, data + start, len - start);
}

static void out_of_memory(aard__frame *frame) { aard__frame_throw(frame, "RangeError", "out of memory"); }

/* So many bytes are worked on before somebody looks whether the call was ended. */
#define SLICE ((size_t)1 << 20)

#define BASE64_SLICE (3 * SLICE) /* no padding but at the end of all */

static size_t slice_end(size_t at, size_t len) { return len - at < SLICE ? len : at + SLICE; }

/* One character at `at`: its length in bytes, and itself; U+FFFD for an error, which `*good` then tells. */
static size_t utf8_next(const uint8_t *data, size_t len, size_t at, uint32_t *character, bool *good)
{
    size_t step = aard__utf8_sequence((const char *)data + at, len - at);
    bool cut;
    if (!step) {
        *character = 0xfffd;
        *good = false;
        return aard__utf8_bad((const char *)data + at, len - at, &cut);
    }
    *character = aard__utf8_character((const char *)data + at, step);
    return step;
}

/* How many UTF-16 units the text has; false where the call was ended. */
static bool utf8_count(aard__frame *frame, const uint8_t *data, size_t len, size_t *units, bool *good)
{
    *units = 0;
    *good = true;
    for (size_t at = 0; at < len;) {
        if (aard__frame_ended(frame)) return false;
        for (size_t end = slice_end(at, len); at < end;) {
            uint32_t character;
            at += utf8_next(data, len, at, &character, good);
            *units += character > 0xffff ? 2 : 1;
        }
    }
    return true;
}

/* The same text into `units`, which has room for it. */
static bool utf8_decode(aard__frame *frame, const uint8_t *data, size_t len, uint16_t *units)
{
    bool good;
    for (size_t at = 0; at < len;) {
        if (aard__frame_ended(frame)) return false;
        for (size_t end = slice_end(at, len); at < end;) {
            uint32_t character;
            at += utf8_next(data, len, at, &character, &good);
            if (character > 0xffff) *units++ = (uint16_t)(0xd7c0 + (character >> 10));
            *units++ = (uint16_t)(character > 0xffff ? 0xdc00 | (character & 0x3ff) : character);
        }
    }
    return true;
}

static bool ascii_in_slices(aard__frame *frame, const uint8_t *data, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        end = slice_end(at, len);
        if (aard__frame_ended(frame) || !aard__ascii((const char *)data + at, end - at)) return false;
    }
    return true;
}

/* A text that takes long: in slices, and not at all where no string can hold it. */
static void decode_large_utf8(aard__frame *frame, const uint8_t *data, size_t len, bool fatal)
{
    size_t units;
    bool good;
    if (ascii_in_slices(frame, data, len)) {
        if (aard__frame_fits(frame, len, false)) aard__frame_return_latin1(frame, data, len);
        return;
    }
    if (!aard__frame_fits(frame, len / 3, true)) return; /* no three bytes are less than a unit */
    if (!utf8_count(frame, data, len, &units, &good)) return;
    if (!good && fatal) {
        aard__frame_return_null(frame);
        return;
    }
    if (!aard__frame_fits(frame, units, true)) return;
    aard__buf *text = aard__frame_scratch(frame);
    if (!aard__buf_reserve(text, 2 * units))
        out_of_memory(frame);
    else if (utf8_decode(frame, data, len, (uint16_t *)text->data))
        aard__frame_return_utf16(frame, (const uint16_t *)text->data, units);
}

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
    if (len > SLICE) {
        decode_large_utf8(frame, data, len, fatal);
        return;
    }
    if (aard__utf8_valid((const char *)data, len)) {
        aard__frame_return_utf8(frame, (const char *)data, len);
        return;
    }
    if (fatal) {
        aard__frame_return_null(frame);
        return;
    }
    aard__buf *mended = aard__frame_scratch(frame);
    utf8_mend(mended, data, len);
    if (mended->failed)
        out_of_memory(frame);
    else
        aard__frame_return_utf8(frame, mended->data, mended->len);
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

/* Decodes the part from `*at` to about `end` into `units`, errors as U+FFFD; false where there were any. */
static bool utf16_decode(const uint8_t *data, size_t len, bool big, size_t *at, size_t end, uint16_t *units,
                         size_t *count)
{
    bool good = true;
    for (; *at < end; *at += 2) {
        uint16_t unit = 0xfffd;
        if (len - *at < 2) {
            good = false; /* an odd byte at the end */
        } else {
            unit = utf16_unit(data + *at, big);
            if (is_lead(unit) && len - *at >= 4 && is_trail(utf16_unit(data + *at + 2, big))) {
                units[(*count)++] = unit;
                *at += 2;
                unit = utf16_unit(data + *at, big);
            } else if (is_lead(unit) || is_trail(unit)) {
                /* A lead and an odd byte behind it, both waiting for the rest, are one error together. */
                if (is_lead(unit) && len - *at == 3) *at += 2;
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
    if (!aard__frame_fits(frame, len / 2, true)) return;
    aard__buf *units = aard__frame_scratch(frame);
    if (!aard__buf_reserve(units, len + 2)) {
        out_of_memory(frame);
        return;
    }
    bool good = true;
    for (size_t at = 0; at < len;) {
        if (aard__frame_ended(frame)) return;
        good = utf16_decode(data, len, big, &at, slice_end(at, len), (uint16_t *)units->data, &count) && good;
    }
    if (!good && fatal)
        aard__frame_return_null(frame);
    else
        aard__frame_return_utf16(frame, (const uint16_t *)units->data, count);
}

/* ---- one byte a character --------------------------------------------------------------------------------- */

static uint16_t unit_of(const aard__single_byte *encoding, uint8_t byte)
{
    return byte < 0x80 ? byte : encoding->high[byte - 0x80];
}

/* Whether each byte is its own unit, as in Latin-1; `*ended` where the call was. */
static bool is_latin1(aard__frame *frame, const aard__single_byte *encoding, const uint8_t *data, size_t len,
                      bool *ended)
{
    for (size_t at = 0; at < len; at++) {
        if (unit_of(encoding, data[at]) != data[at]) return false;
        if (at % SLICE == 0 && (*ended = aard__frame_ended(frame))) return false;
    }
    return true;
}

static void decode_single_byte(aard__frame *frame, const aard__single_byte *encoding, const uint8_t *data, size_t len,
                               bool fatal)
{
    bool ended = false, good = true;
    if (is_latin1(frame, encoding, data, len, &ended)) {
        aard__frame_return_latin1(frame, len ? data : (const uint8_t *)"", len);
        return;
    }
    if (ended || !aard__frame_fits(frame, len, true)) return;
    aard__buf *units = aard__frame_scratch(frame);
    if (!aard__buf_reserve(units, 2 * len)) {
        out_of_memory(frame);
        return;
    }
    uint16_t *out = (uint16_t *)units->data;
    for (size_t at = 0; at < len; at++) {
        if (at % SLICE == 0 && aard__frame_ended(frame)) return;
        out[at] = unit_of(encoding, data[at]);
        good = good && out[at] != 0xfffd;
    }
    if (good || !fatal)
        aard__frame_return_utf16(frame, out, len);
    else
        aard__frame_return_null(frame);
}

static void host_decode_single_byte(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len;
    aard__buf name = AARD__BUF_INIT;
    const aard__single_byte *encoding = NULL;
    if (aard__frame_string(frame, 1, &name) && !name.failed) encoding = aard__single_byte_find(name.data, name.len);
    aard__buf_free(&name);
    if (encoding && aard__frame_bytes(frame, 0, &data, &len) && aard__frame_fits(frame, len, false))
        decode_single_byte(frame, encoding, data, len, aard__frame_bool(frame, 2));
}

/* ---- decoding in chunks ---------------------------------------------------------------------------------- */

static void host_decode_tail(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len, tail = 0;
    aard__buf encoding = AARD__BUF_INIT;
    if (aard__frame_bytes(frame, 0, &data, &len) && aard__frame_string(frame, 1, &encoding) && !encoding.failed) {
        if (encoding.len == 5 && !memcmp(encoding.data, "utf-8", 5))
            tail = utf8_tail(data, len);
        else if (encoding.len == 8 && !memcmp(encoding.data, "utf-16", 6))
            tail = utf16_tail(data, len, encoding.data[6] == 'b');
    }
    aard__buf_free(&encoding);
    aard__frame_return_number(frame, (double)tail);
}

static void copy_in_slices(aard__frame *frame, uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t at = 0, end; at < len && !aard__frame_ended(frame); at = end) {
        end = slice_end(at, len);
        memcpy(to + at, from + at, end - at);
    }
}

static void host_join_bytes(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *first, *second;
    size_t first_len, second_len;
    if (!aard__frame_bytes(frame, 1, &second, &second_len)) return;
    if (!aard__frame_bytes(frame, 0, &first, &first_len)) first_len = 0;
    if (second_len > SIZE_MAX - first_len) {
        out_of_memory(frame);
        return;
    }
    uint8_t *both = aard__frame_return_new_buffer(frame, first_len + second_len);
    if (first_len) memcpy(both, first, first_len); /* a few bytes that the last chunk ended with */
    copy_in_slices(frame, both + first_len, second, second_len);
}

/* ---- base64 ---------------------------------------------------------------------------------------------- */

/* Turns UTF-8 in place into one byte a character; false where a character is above U+00FF, or the call was ended. */
static bool to_latin1(aard__frame *frame, aard__buf *text)
{
    size_t out = 0;
    for (size_t at = 0; at < text->len;) {
        if (aard__frame_ended(frame)) return false;
        for (size_t end = slice_end(at, text->len); at < end; at++) {
            uint8_t byte = (uint8_t)text->data[at];
            if (byte >= 0x80) {
                if (byte > 0xc3 || at + 1 == text->len) return false;
                byte = (uint8_t)((byte & 3) << 6 | ((uint8_t)text->data[++at] & 0x3f));
            }
            text->data[out++] = (char)byte;
        }
    }
    text->len = out;
    return true;
}

/* Into `out`, which has room for it; false where the call was ended. */
static bool base64_encode(aard__frame *frame, char *out, const char *in, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        if (aard__frame_ended(frame)) return false;
        end = len - at < BASE64_SLICE ? len : at + BASE64_SLICE;
        out = aard__base64(out, in + at, end - at);
    }
    return true;
}

static void host_base64_encode(aard__frame *frame, void *user)
{
    (void)user;
    aard__buf *text = aard__frame_scratch(frame), *out = aard__frame_scratch(frame);
    aard__frame_string(frame, 0, text);
    if (text->failed) {
        out_of_memory(frame);
    } else if (!to_latin1(frame, text)) {
        aard__frame_return_null(frame);
    } else {
        size_t len = aard__base64_len(text->len);
        if (!aard__frame_fits(frame, len, false)) return;
        if (!aard__buf_reserve(out, len))
            out_of_memory(frame);
        else if (base64_encode(frame, out->data, text->data, text->len))
            aard__frame_return_latin1(frame, (const uint8_t *)out->data, len);
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_base64_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

/* Decodes in place as Infra's forgiving-base64 decode says; false for failure, or where the call was ended. */
static bool base64_decode(aard__frame *frame, aard__buf *text)
{
    size_t len = 0;
    for (size_t at = 0; at < text->len; at++) {
        if (at % SLICE == 0 && aard__frame_ended(frame)) return false;
        if (!is_base64_space(text->data[at])) text->data[len++] = text->data[at];
    }
    if (len && len % 4 == 0 && text->data[len - 1] == '=') {
        len--;
        if (text->data[len - 1] == '=') len--;
    }
    if (len % 4 == 1) return false;
    uint32_t bits = 0;
    size_t out = 0;
    for (size_t at = 0; at < len; at++) {
        if (at % SLICE == 0 && aard__frame_ended(frame)) return false;
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
    aard__buf *text = aard__frame_scratch(frame);
    aard__frame_string(frame, 0, text);
    if (text->failed)
        out_of_memory(frame);
    else if (!base64_decode(frame, text))
        aard__frame_return_null(frame);
    else
        aard__frame_return_latin1(frame, (const uint8_t *)(text->len ? text->data : ""), text->len);
}

/* "Bytes" is an ArrayBuffer or a view.  A decoder gives undefined for anything else, and null for data that is invalid
 * when that is fatal.
 *   decodeUtf8(bytes, fatal, keepBOM) -> string
 *   decodeUtf16(bytes, bigEndian, fatal, keepBOM) -> string
 *   decodeSingleByte(bytes, encoding, fatal) -> string
 *   decodeTail(bytes, encoding)   how many bytes at the end are the beginning of something
 *   joinBytes(bytes or null, bytes) -> a new ArrayBuffer of both
 *   base64Encode(string), base64Decode(string) -> string, or null where it can't be done */
const aard__host_entry aard__host_text[] = {
    {"decodeUtf8", host_decode_utf8},
    {"decodeUtf16", host_decode_utf16},
    {"decodeSingleByte", host_decode_single_byte},
    {"decodeTail", host_decode_tail},
    {"joinBytes", host_join_bytes},
    {"base64Encode", host_base64_encode},
    {"base64Decode", host_base64_decode},
    {NULL, NULL},
};
