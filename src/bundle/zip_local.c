#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "bundle/zip_bytes.h"
#include "bundle/zip_directory.h"

/* The bytes of one entry, local header and data; a data descriptor behind them is not counted. */
typedef struct extent {
    uint64_t start, end;
    const aard__zip_entry *entry;
    bool descriptor; /* there has to be one */
} extent;

static aard_error *disagrees(const aard__zip_entry *entry, const char *what)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, entry->name, entry->name_len);
    return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                       "entry '%s': its local header and the directory disagree about its %s; "
                       "pack the bundle again",
                       name, what);
}

/* Sizes and checksum of a local header; with a data descriptor they are not known when it is written. */
static aard_error *check_sizes(const aard__zip_entry *entry, const uint8_t *header, size_t name_len, size_t extra_len)
{
    bool later = aard__zip_get16(header + 6) & AARD__ZIP_FLAG_DESCRIPTOR;
    uint64_t packed = aard__zip_get32(header + 18), unpacked = aard__zip_get32(header + 22);
    bool wide_packed = packed == UINT32_MAX, wide_unpacked = unpacked == UINT32_MAX;
    if (wide_packed || wide_unpacked) {
        size_t size, need = 8 * ((size_t)wide_packed + wide_unpacked);
        const uint8_t *field = aard__zip_extra(header + AARD__ZIP_LOCAL_SIZE + name_len, extra_len,
                                               AARD__ZIP_EXTRA_ZIP64, &size);
        if (later && !field) return NULL;
        if (!field || size < need) return disagrees(entry, "size");
        if (wide_unpacked) unpacked = aard__zip_get64(field);
        if (wide_packed) packed = aard__zip_get64(field + (wide_unpacked ? 8 : 0));
    }
    uint32_t crc = aard__zip_get32(header + 14);
    if (later) { /* what is not known yet is zero */
        packed = packed ? packed : entry->packed;
        unpacked = unpacked ? unpacked : entry->unpacked;
        crc = crc ? crc : entry->crc;
    }
    if (packed != entry->packed || unpacked != entry->unpacked) return disagrees(entry, "size");
    if (crc != entry->crc) return disagrees(entry, "checksum");
    return NULL;
}

static aard_error *check_entry(const uint8_t *data, size_t len, const aard__zip_entry *entry, extent *out)
{
    if (entry->offset > len || len - entry->offset < AARD__ZIP_LOCAL_SIZE ||
        aard__zip_get32(data + entry->offset) != AARD__ZIP_LOCAL_MAGIC)
        return disagrees(entry, "place");
    const uint8_t *header = data + entry->offset;
    size_t name_len = aard__zip_get16(header + 26), extra_len = aard__zip_get16(header + 28);
    uint64_t room = len - entry->offset - AARD__ZIP_LOCAL_SIZE;
    if (room < name_len + extra_len || room - name_len - extra_len < entry->packed) return disagrees(entry, "size");
    if (name_len != entry->name_len || memcmp(header + AARD__ZIP_LOCAL_SIZE, entry->name, name_len) != 0)
        return disagrees(entry, "name");
    if (aard__zip_get16(header + 8) != entry->method) return disagrees(entry, "compression");
    if ((aard__zip_get16(header + 6) ^ entry->flags) & AARD__ZIP_FLAGS_ENCRYPTION)
        return disagrees(entry, "encryption");
    bool utf8 = aard__zip_get16(header + 6) & AARD__ZIP_FLAG_UTF8;
    if (utf8 != !!(entry->flags & AARD__ZIP_FLAG_UTF8) && !aard__ascii(entry->name, name_len))
        return disagrees(entry, "name's encoding");
    AARD__TRY(
        aard__name_check_encoding(entry->name, name_len, true, header + AARD__ZIP_LOCAL_SIZE + name_len, extra_len));
    AARD__TRY(check_sizes(entry, header, name_len, extra_len));
    *out = (extent){
        .start = entry->offset,
        .end = entry->offset + AARD__ZIP_LOCAL_SIZE + name_len + extra_len + entry->packed,
        .entry = entry,
        .descriptor = aard__zip_get16(header + 6) & AARD__ZIP_FLAG_DESCRIPTOR,
    };
    return NULL;
}

static int by_start(const void *a, const void *b)
{
    const extent *left = a, *right = b;
    return left->start < right->start ? -1 : left->start > right->start;
}

/* Of the four forms that a data descriptor has (with and without a mark, with short and long sizes) the one that fills the
 * space up to the next entry and says the same. */
static bool is_descriptor(const uint8_t *at, uint64_t len, const aard__zip_entry *entry)
{
    bool marked = len == 16 || len == 24, wide = len >= 20;
    if (len != 12 && len != 16 && len != 20 && len != 24) return false;
    if (marked && aard__zip_get32(at) != AARD__ZIP_DESCRIPTOR_MAGIC) return false;
    if (marked) at += 4;
    uint64_t packed = wide ? aard__zip_get64(at + 4) : aard__zip_get32(at + 4);
    uint64_t unpacked = wide ? aard__zip_get64(at + 12) : aard__zip_get32(at + 8);
    return aard__zip_get32(at) == entry->crc && packed == entry->packed && unpacked == entry->unpacked;
}

/* Behind each entry is its data descriptor, if it has one, and then at once the next, or the directory. */
static aard_error *check_gaps(const uint8_t *data, const extent *extents, size_t count, size_t directory)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t next = i + 1 < count ? extents[i + 1].start : directory, gap = next - extents[i].end;
        if (extents[i].descriptor ? is_descriptor(data + extents[i].end, gap, extents[i].entry) : !gap) continue;
        if (extents[i].descriptor) return disagrees(extents[i].entry, "size or checksum in the data descriptor");
        char name[AARD__NAME_SHOWN];
        aard__name_show(name, sizeof name, extents[i].entry->name, extents[i].entry->name_len);
        return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                           "entry '%s': behind it are %llu bytes that the directory does not list, which others might "
                           "read; pack the bundle again",
                           name, (unsigned long long)gap);
    }
    if (count || !directory) return NULL;
    return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                       "the ZIP archive has %zu bytes that its directory does not list; pack it again", directory);
}

static aard_error *check_overlap(const extent *extents, size_t count)
{
    char name[AARD__NAME_SHOWN], other[AARD__NAME_SHOWN];
    if (count && extents[0].start != 0)
        return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                           "the ZIP archive has %llu bytes in front of its first entry; take "
                           "them off, or pack it again",
                           (unsigned long long)extents[0].start);
    for (size_t i = 1; i < count; i++) {
        if (extents[i].start >= extents[i - 1].end) continue;
        aard__name_show(name, sizeof name, extents[i].entry->name, extents[i].entry->name_len);
        aard__name_show(other, sizeof other, extents[i - 1].entry->name, extents[i - 1].entry->name_len);
        return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                           "entry '%s': its bytes overlap those of entry '%s'; pack the bundle again", name, other);
    }
    return NULL;
}

aard_error *aard__zip_directory_check_local(const uint8_t *data, const aard__zip_directory *directory)
{
    extent *extents = aard__calloc(directory->count, sizeof *extents);
    if (!extents) return aard__error_no_memory();
    aard_error *error = NULL;
    for (size_t i = 0; i < directory->count && !error; i++)
        error = check_entry(data, directory->start, &directory->entries[i], &extents[i]);
    if (!error) {
        qsort(extents, directory->count, sizeof *extents, by_start);
        error = check_overlap(extents, directory->count);
    }
    if (!error) error = check_gaps(data, extents, directory->count, directory->start);
    aard__free(extents);
    return error;
}
