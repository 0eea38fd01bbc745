#include "base/pack.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

static const uint32_t NO_TEXT = UINT32_MAX; /* a length that no text has */

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_number(aard__buf *out, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    aard__buf_append(out, bytes, size);
}

void aard__pack_u8(aard__buf *out, uint8_t value) { put_number(out, value, 1); }
void aard__pack_u16(aard__buf *out, uint16_t value) { put_number(out, value, 2); }
void aard__pack_u32(aard__buf *out, uint32_t value) { put_number(out, value, 4); }
void aard__pack_u64(aard__buf *out, uint64_t value) { put_number(out, value, 8); }
void aard__pack_i64(aard__buf *out, int64_t value) { put_number(out, (uint64_t)value, 8); }
void aard__pack_bool(aard__buf *out, bool value) { put_number(out, value, 1); }

void aard__pack_f64(aard__buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(out, bits, 8);
}

void aard__pack_span(aard__buf *out, const void *data, size_t len)
{
    put_number(out, len, 8);
    aard__buf_append(out, data, len);
}

void aard__pack_text(aard__buf *out, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len >= NO_TEXT) {
        out->failed = true;
        return;
    }
    put_number(out, text ? len : NO_TEXT, 4);
    aard__buf_append(out, text, len);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

aard__unpacker aard__unpacker_of(const void *data, size_t len)
{
    static const uint8_t nothing;
    const uint8_t *at = len ? data : &nothing;
    return (aard__unpacker){at, at + len, true, false};
}

void aard__unpacker_fail(aard__unpacker *in)
{
    in->ok = false;
    in->at = in->end;
}

void aard__unpacker_no_memory(aard__unpacker *in)
{
    if (in->ok) in->no_memory = true;
    aard__unpacker_fail(in);
}

void aard__unpacker_want(aard__unpacker *in, bool condition)
{
    if (!condition) aard__unpacker_fail(in);
}

bool aard__unpacker_done(aard__unpacker *in)
{
    aard__unpacker_want(in, in->at == in->end);
    return in->ok;
}

aard_error *aard__unpacker_error(const aard__unpacker *in, const char *what)
{
    if (in->no_memory) return aard__error_no_memory();
    return aard__error(AARD_ERR_ENGINE, "%s is malformed: its sender is broken, or not to be trusted", what);
}

static size_t left(const aard__unpacker *in) { return (size_t)(in->end - in->at); }

static uint64_t get_number(aard__unpacker *in, size_t size)
{
    uint64_t value = 0;
    if (!in->ok || size > left(in)) {
        aard__unpacker_fail(in);
        return 0;
    }
    for (size_t i = 0; i < size; i++) value |= (uint64_t)in->at[i] << (8 * i);
    in->at += size;
    return value;
}

uint8_t aard__unpack_u8(aard__unpacker *in) { return (uint8_t)get_number(in, 1); }
uint16_t aard__unpack_u16(aard__unpacker *in) { return (uint16_t)get_number(in, 2); }
uint32_t aard__unpack_u32(aard__unpacker *in) { return (uint32_t)get_number(in, 4); }
uint64_t aard__unpack_u64(aard__unpacker *in) { return get_number(in, 8); }
int64_t aard__unpack_i64(aard__unpacker *in) { return (int64_t)get_number(in, 8); }

uint64_t aard__unpack_u64_to(aard__unpacker *in, uint64_t most)
{
    uint64_t value = get_number(in, 8);
    aard__unpacker_want(in, value <= most);
    return in->ok ? value : 0;
}

size_t aard__unpack_size(aard__unpacker *in) { return (size_t)aard__unpack_u64_to(in, SIZE_MAX); }
bool aard__unpack_bool(aard__unpacker *in) { return aard__unpack_choice(in, 2) != 0; }

double aard__unpack_f64(aard__unpacker *in)
{
    uint64_t bits = get_number(in, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    aard__unpacker_want(in, isfinite(value) && value < 9e15 && value > -9e15);
    return in->ok ? value : 0;
}

unsigned aard__unpack_choice(aard__unpacker *in, unsigned count)
{
    unsigned value = aard__unpack_u8(in);
    aard__unpacker_want(in, value < count);
    return in->ok ? value : 0;
}

size_t aard__unpack_count(aard__unpacker *in, size_t most, size_t each)
{
    uint64_t count = get_number(in, 4);
    aard__unpacker_want(in, count <= most && count <= left(in) / (each ? each : 1));
    return in->ok ? (size_t)count : 0;
}

static const char *get_bytes(aard__unpacker *in, uint64_t size, size_t most, size_t *len)
{
    *len = 0;
    aard__unpacker_want(in, size <= left(in) && (!most || size <= most));
    if (!in->ok) return NULL;
    const char *data = (const char *)in->at;
    *len = (size_t)size;
    in->at += size;
    return data;
}

const char *aard__unpack_span(aard__unpacker *in, size_t most, size_t *len)
{
    return get_bytes(in, get_number(in, 8), most, len);
}

static char *unpack_text(aard__unpacker *in, size_t most, bool utf8)
{
    size_t len;
    uint64_t size = get_number(in, 4);
    if (size == NO_TEXT) return NULL;
    const char *data = get_bytes(in, size, most, &len);
    aard__unpacker_want(in, data && (!utf8 || aard__utf8_valid(data, len)) && !memchr(data, '\0', len));
    if (!in->ok) return NULL;
    char *copy = aard__memdup0(data, len);
    if (!copy) aard__unpacker_no_memory(in);
    return copy;
}

char *aard__unpack_text(aard__unpacker *in, size_t most) { return unpack_text(in, most, true); }

char *aard__unpack_name(aard__unpacker *in) { return unpack_text(in, 0, false); }

char *aard__unpack_some_text(aard__unpacker *in, size_t most)
{
    char *text = aard__unpack_text(in, most);
    aard__unpacker_want(in, text != NULL);
    return text;
}

void aard__unpack_buf(aard__unpacker *in, size_t most, aard__buf *out)
{
    size_t len;
    const char *data = aard__unpack_span(in, most, &len);
    if (!data) return;
    char *copy = aard__memdup0(data, len);
    if (copy)
        *out = (aard__buf){copy, len, len + 1, false};
    else
        aard__unpacker_no_memory(in);
}
