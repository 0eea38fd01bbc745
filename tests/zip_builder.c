#include "zip_builder.h"

#include <stdlib.h>
#include <string.h>

#define UNIX_2_0 0x0314 /* made by: Unix, version 2.0 */

/* ---- bytes ------------------------------------------------------------------------------------------------ */

static size_t room_for(size_t len)
{
    size_t room = 64;
    while (room < len) room *= 2;
    return room;
}

static void resize(zb_bytes *out, size_t room)
{
    uint8_t *data = realloc(out->data, room);
    if (!data) abort();
    out->data = data;
}

static void put(zb_bytes *out, const void *data, size_t len)
{
    if (!len) return;
    if (!out->data || room_for(out->len + len) > room_for(out->len)) resize(out, room_for(out->len + len));
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_number(zb_bytes *out, uint64_t value, size_t bytes)
{
    uint8_t le[8];
    for (size_t i = 0; i < bytes; i++) le[i] = (uint8_t)(value >> (8 * i));
    put(out, le, bytes);
}

static void put16(zb_bytes *out, uint64_t value) { put_number(out, value, 2); }
static void put32(zb_bytes *out, uint64_t value) { put_number(out, value, 4); }
static void put64(zb_bytes *out, uint64_t value) { put_number(out, value, 8); }

static uint32_t crc_byte(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    return crc;
}

uint32_t zb_crc32(const void *data, size_t len)
{
    uint32_t table[256], crc = UINT32_MAX;
    const uint8_t *bytes = data;
    for (uint32_t i = 0; i < 256; i++) table[i] = crc_byte(i);
    for (size_t i = 0; i < len; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

static zb_entry *add(zb_zip *zip, const char *name, zb_bytes packed, uint16_t method, uint32_t crc, size_t unpacked)
{
    if (zip->count == zip->cap) {
        zip->cap = zip->cap ? zip->cap * 2 : 16;
        zip->entries = realloc(zip->entries, zip->cap * sizeof *zip->entries);
        if (!zip->entries) abort();
    }
    zb_header header = {
        .method = method,
        .crc = crc,
        .packed = (uint32_t)packed.len,
        .unpacked = (uint32_t)unpacked,
        .name = name,
        .name_len = strlen(name),
    };
    bool directory = header.name_len && name[header.name_len - 1] == '/';
    zb_entry *entry = &zip->entries[zip->count++];
    *entry = (zb_entry){
        .local = header,
        .central = header,
        .data = packed,
        .made_by = UNIX_2_0,
        .external = (directory ? UINT32_C(0040755) : UINT32_C(0100644)) << 16,
    };
    return entry;
}

zb_entry *zb_add(zb_zip *zip, const char *name, const void *data, size_t len)
{
    zb_bytes packed = {0};
    put(&packed, data, len);
    return add(zip, name, packed, 0, zb_crc32(data, len), len);
}

zb_entry *zb_text(zb_zip *zip, const char *name, const char *text) { return zb_add(zip, name, text, strlen(text)); }

zb_entry *zb_deflated(zb_zip *zip, const char *name, const char *text)
{
    zb_bytes packed = {0};
    size_t len = strlen(text);
    put_number(&packed, 1, 1); /* last block, stored */
    put16(&packed, len);
    put16(&packed, ~len);
    put(&packed, text, len);
    return add(zip, name, packed, 8, zb_crc32(text, len), len);
}

typedef struct bits {
    uint8_t *data;
    size_t at; /* in bits */
} bits;

static void put_bits(bits *out, unsigned value, int count)
{
    for (int i = 0; i < count; i++, out->at++)
        if (value >> i & 1) out->data[out->at / 8] |= (uint8_t)(1u << out->at % 8);
}

/* Huffman codes go in with their highest bit first. */
static void put_code(bits *out, unsigned code, int count)
{
    for (int i = count - 1; i >= 0; i--) put_bits(out, code >> i & 1, 1);
}

/* A fixed table gives 258 zeros 13 bits; a table made for them gives 2, which is deflate's best: one code for the
 * literal 0 and the end of the block (2 bits), one bit for length 258, one bit for distance 1. */
static void put_zero_table(bits *out)
{
    /* Lengths of the code length codes, in the format's order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: only 18 (a
     * run of zeros, 1 bit), 2 and 1 (2 bits each) are used. */
    static const uint8_t order[18] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2};
    put_bits(out, 1, 1); /* last block */
    put_bits(out, 2, 2); /* with tables of its own */
    put_bits(out, 286 - 257, 5);
    put_bits(out, 1 - 1, 5);
    put_bits(out, 18 - 4, 4);
    for (size_t i = 0; i < sizeof order; i++) put_bits(out, order[i], 3);
    put_code(out, 3, 2); /* literal 0: length 2 */
    put_code(out, 0, 1); /* 138 + 117 = 255 literals that do not occur */
    put_bits(out, 138 - 11, 7);
    put_code(out, 0, 1);
    put_bits(out, 117 - 11, 7);
    put_code(out, 3, 2); /* end of block: length 2 */
    put_code(out, 0, 1); /* 28 lengths that do not occur */
    put_bits(out, 28 - 11, 7);
    put_code(out, 2, 2); /* length 258: length 1 */
    put_code(out, 2, 2); /* distance 1: length 1 */
}

static uint32_t crc_zeros(size_t len)
{
    uint32_t table[256], crc = UINT32_MAX;
    for (uint32_t i = 0; i < 256; i++) table[i] = crc_byte(i);
    while (len--) crc = crc >> 8 ^ table[crc & 0xff];
    return ~crc;
}

zb_entry *zb_zeros(zb_zip *zip, const char *name, size_t len)
{
    size_t literals = len % 258 ? len % 258 : 258, runs = (len - literals) / 258;
    bits out = {calloc(1, len / 1032 + 256), 0};
    if (!out.data || !len) abort();
    put_zero_table(&out);
    for (size_t i = 0; i < literals; i++) put_code(&out, 2, 2);
    for (size_t i = 0; i < runs; i++) put_bits(&out, 0, 2);
    put_code(&out, 3, 2);
    zb_bytes packed = {out.data, (out.at + 7) / 8};
    return add(zip, name, packed, 8, crc_zeros(len), len);
}

void zb_rename(zb_entry *entry, const char *name, size_t len)
{
    entry->local.name = entry->central.name = name;
    entry->local.name_len = entry->central.name_len = len;
}

void zb_zip64(zb_entry *entry)
{
    zb_bytes extra = {0};
    put16(&extra, 1);
    put16(&extra, 16);
    put64(&extra, entry->central.unpacked);
    put64(&extra, entry->central.packed);
    memcpy(entry->extra, extra.data, extra.len);
    zb_header *headers[2] = {&entry->local, &entry->central};
    for (int i = 0; i < 2; i++) {
        headers[i]->packed = headers[i]->unpacked = UINT32_MAX;
        headers[i]->extra_len = extra.len;
        headers[i]->extra = NULL; /* entry->extra, wherever the entry has moved to by then */
    }
    free(extra.data);
}

/* ---- the archive ------------------------------------------------------------------------------------------ */

static const void *extra_of(const zb_entry *entry, const zb_header *header)
{
    return header->extra ? header->extra : entry->extra;
}

static void put_header(zb_bytes *out, const zb_header *header)
{
    put16(out, header->flags);
    put16(out, header->method);
    put16(out, 0);
    put16(out, 0x21); /* 1980-01-01 */
    put32(out, header->crc);
    put32(out, header->packed);
    put32(out, header->unpacked);
    put16(out, header->name_len);
    put16(out, header->extra_len);
}

static void put_local(zb_bytes *out, const zb_entry *entry)
{
    put32(out, 0x04034b50);
    put16(out, 20);
    put_header(out, &entry->local);
    put(out, entry->local.name, entry->local.name_len);
    put(out, extra_of(entry, &entry->local), entry->local.extra_len);
    put(out, entry->data.data, entry->data.len);
    if (!entry->descriptor) return;
    put32(out, 0x08074b50);
    put32(out, entry->central.crc);
    put32(out, entry->central.packed);
    put32(out, entry->central.unpacked);
}

static void put_central(zb_bytes *out, const zb_entry *entry, uint64_t offset)
{
    put32(out, 0x02014b50);
    put16(out, entry->made_by);
    put16(out, 20);
    put_header(out, &entry->central);
    put16(out, 0);
    put16(out, entry->disk);
    put16(out, 0);
    put32(out, entry->external);
    put32(out, offset + (uint64_t)entry->shift);
    put(out, entry->central.name, entry->central.name_len);
    put(out, extra_of(entry, &entry->central), entry->central.extra_len);
}

static void put_end64(zb_bytes *out, const zb_zip *zip, uint64_t count, uint64_t size, uint64_t offset)
{
    uint64_t at = out->len + (uint64_t)zip->locator_shift;
    put32(out, 0x06064b50);
    put64(out, zip->record64_size ? zip->record64_size : 44);
    put16(out, 45);
    put16(out, 45);
    put32(out, 0);
    put32(out, 0);
    put64(out, count);
    put64(out, count);
    put64(out, size);
    put64(out, offset);
    put32(out, 0x07064b50);
    put32(out, 0);
    put64(out, at);
    put32(out, 1);
}

static void put_end(zb_bytes *out, const zb_zip *zip, uint64_t count, uint64_t size, uint64_t offset)
{
    put32(out, 0x06054b50);
    put16(out, zip->disk);
    put16(out, 0);
    put16(out, zip->zip64 ? 0xffff : count);
    put16(out, zip->zip64 ? 0xffff : count);
    put32(out, zip->zip64 ? UINT32_MAX : size);
    put32(out, zip->zip64 ? UINT32_MAX : offset);
    put16(out, zip->comment_len);
    put(out, zip->comment, zip->comment_len);
}

zb_bytes zb_finish(zb_zip *zip)
{
    zb_bytes out = {0}, directory = {0};
    put(&out, zip->prefix, zip->prefix_len);
    uint64_t offset = 0;
    for (size_t i = 0; i < zip->count; i++) {
        zb_entry *entry = &zip->entries[i];
        if (!entry->share) {
            offset = out.len;
            put_local(&out, entry);
        }
        put_central(&directory, entry, offset);
        free(entry->data.data);
    }
    put(&out, zip->gap, zip->gap_len);
    uint64_t start = out.len + (uint64_t)zip->directory_shift;
    uint64_t size = directory.len + (uint64_t)zip->size_shift;
    uint64_t count = zip->count + (uint64_t)(int64_t)zip->count_shift;
    put(&out, directory.data, directory.len);
    if (zip->zip64) put_end64(&out, zip, count, size, start);
    put_end(&out, zip, count, size, start);
    free(directory.data);
    free(zip->entries);
    *zip = (zb_zip){0};
    resize(&out, out.len); /* so that a read behind it is seen */
    return out;
}
