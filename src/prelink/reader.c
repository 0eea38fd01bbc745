/* The bytes of WebAssembly: LEB128 numbers, names, parts. */
#include "prelink/wasm.h"

uint8_t aard__read_u8(aard__reader *reader)
{
    if (reader->bad || reader->at == reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

uint32_t aard__read_u32(aard__reader *reader)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = aard__read_u8(reader);
        if (shift == 28 && byte > 0x0f) break;
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return reader->bad ? 0 : value;
    }
    reader->bad = true;
    return 0;
}

int32_t aard__read_s32(aard__reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = aard__read_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80) continue;
        if (byte & 0x40) value |= ~UINT64_C(0) << (shift + 7);
        int64_t wide = (int64_t)value;
        if (reader->bad || wide < INT32_MIN || wide > INT32_MAX) break;
        return (int32_t)wide;
    }
    reader->bad = true;
    return 0;
}

aard__reader aard__read_part(aard__reader *reader, size_t len)
{
    if (reader->bad || len > (size_t)(reader->end - reader->at)) {
        reader->bad = true;
        return (aard__reader){reader->end, reader->end, true};
    }
    aard__reader part = {reader->at, reader->at + len, false};
    reader->at += len;
    return part;
}

const char *aard__read_name(aard__reader *reader, size_t *len)
{
    aard__reader part = aard__read_part(reader, aard__read_u32(reader));
    *len = (size_t)(part.end - part.at);
    return (const char *)part.at;
}

uint32_t aard__read_count(aard__reader *reader)
{
    uint32_t count = aard__read_u32(reader);
    if (count <= (size_t)(reader->end - reader->at)) return count;
    reader->bad = true;
    return 0;
}

void aard__write_u32(aard__buf *out, uint32_t value)
{
    while (value >= 0x80) {
        aard__buf_putc(out, (char)(value | 0x80));
        value >>= 7;
    }
    aard__buf_putc(out, (char)value);
}

void aard__write_s32(aard__buf *out, int32_t value)
{
    for (;;) {
        uint8_t byte = (uint8_t)(value & 0x7f);
        value = value < 0 ? ~(~value >> 7) : value >> 7;
        bool last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
        aard__buf_putc(out, (char)(last ? byte : byte | 0x80));
        if (last) return;
    }
}
