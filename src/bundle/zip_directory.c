#include "bundle/zip_directory.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "bundle/zip_bytes.h"

#define CENTRAL_MAGIC UINT32_C(0x02014b50)
#define CENTRAL_SIZE 46
#define END_MAGIC UINT32_C(0x06054b50)
#define END_SIZE 22
#define END64_MAGIC UINT32_C(0x06064b50)
#define END64_SIZE 56
#define LOCATOR_MAGIC UINT32_C(0x07064b50)
#define LOCATOR_SIZE 20
#define MAX_COMMENT 0xffff

/* What the end record says of the directory, and where the directory has to end. */
typedef struct end_record {
    uint64_t count, size, offset;
    size_t end;
} end_record;

static aard_error *corrupt(const char *what)
{
    return aard__error(AARD_ERR_BUNDLE_CORRUPT, "the ZIP archive is damaged: %s; pack it again", what);
}

/* Two places that could both be the end record are two readings of one archive: refused. */
static aard_error *find_end(const uint8_t *data, size_t len, size_t *out)
{
    bool found = false;
    size_t last = len >= END_SIZE ? len - END_SIZE : 0;
    size_t first = last > MAX_COMMENT ? last - MAX_COMMENT : 0;
    for (size_t at = last + 1; len >= END_SIZE && at-- > first;) {
        if (aard__zip_get32(data + at) != END_MAGIC) continue;
        if (at + END_SIZE + aard__zip_get16(data + at + 20) != len) continue;
        if (found) return corrupt("it has two end records");
        found = true;
        *out = at;
    }
    if (found) return NULL;
    if (len >= 4 && (aard__zip_get32(data) == AARD__ZIP_LOCAL_MAGIC || aard__zip_get32(data) == END_MAGIC))
        return corrupt("its end record is missing, so it was cut short or something was appended");
    return aard__error(AARD_ERR_BUNDLE_NOT_ZIP,
                       "this is not a ZIP archive (%zu bytes without an end record); make one "
                       "with 'aardvark bundle pack DIR -o FILE.zip'",
                       len);
}

static aard_error *read_end64(const uint8_t *data, size_t locator, end_record *dir)
{
    uint64_t at = aard__zip_get64(data + locator + 8);
    if (aard__zip_get32(data + locator + 4) != 0 || aard__zip_get32(data + locator + 16) > 1)
        return corrupt("it is one part of a split archive");
    if (at > locator || locator - at < END64_SIZE || aard__zip_get32(data + at) != END64_MAGIC)
        return corrupt("its ZIP64 end record is not where the locator says");
    const uint8_t *record = data + at;
    if (aard__zip_get64(record + 4) != locator - at - 12) return corrupt("its ZIP64 end record has a wrong length");
    if (aard__zip_get32(record + 16) != 0 || aard__zip_get32(record + 20) != 0 ||
        aard__zip_get64(record + 24) != aard__zip_get64(record + 32))
        return corrupt("it is one part of a split archive");
    end_record wide = {
        .count = aard__zip_get64(record + 32),
        .size = aard__zip_get64(record + 40),
        .offset = aard__zip_get64(record + 48),
        .end = (size_t)at,
    };
    if ((dir->count != 0xffff && dir->count != wide.count) || (dir->size != UINT32_MAX && dir->size != wide.size) ||
        (dir->offset != UINT32_MAX && dir->offset != wide.offset))
        return corrupt("its two end records disagree");
    *dir = wide;
    return NULL;
}

static aard_error *read_end(const uint8_t *data, size_t len, end_record *out)
{
    size_t at = 0;
    AARD__TRY(find_end(data, len, &at));
    const uint8_t *record = data + at;
    end_record dir = {
        .count = aard__zip_get16(record + 10),
        .size = aard__zip_get32(record + 12),
        .offset = aard__zip_get32(record + 16),
        .end = at,
    };
    bool narrow = dir.count != 0xffff && dir.size != UINT32_MAX && dir.offset != UINT32_MAX &&
                  dir.offset + dir.size == at;
    if (!narrow && at >= LOCATOR_SIZE && aard__zip_get32(data + at - LOCATOR_SIZE) == LOCATOR_MAGIC)
        AARD__TRY(read_end64(data, at - LOCATOR_SIZE, &dir));
    else if (aard__zip_get16(record + 4) != 0 || aard__zip_get16(record + 6) != 0 ||
             aard__zip_get16(record + 8) != dir.count)
        return corrupt("it is one part of a split archive");
    if (dir.offset > dir.end || dir.end - dir.offset != dir.size)
        return corrupt("its directory is not where the end record says");
    *out = dir;
    return NULL;
}

/* Fields too large for the header are in the ZIP64 extra field, in this order, only those that are marked. */
static bool widen(const uint8_t *header, const uint8_t *extra, size_t extra_len, aard__zip_entry *entry)
{
    bool marked[3] = {
        entry->unpacked == UINT32_MAX,
        entry->packed == UINT32_MAX,
        entry->offset == UINT32_MAX,
    };
    uint64_t *fields[3] = {&entry->unpacked, &entry->packed, &entry->offset};
    uint64_t wide[3];
    size_t need = (size_t)marked[0] + marked[1] + marked[2];
    bool disk_marked = aard__zip_get16(header + 34) == 0xffff;
    if (!need && !disk_marked) return aard__zip_get16(header + 34) == 0;
    size_t size;
    const uint8_t *field = aard__zip_extra(extra, extra_len, AARD__ZIP_EXTRA_ZIP64, &size);
    if (!field || size < need * 8 + (disk_marked ? 4 : 0)) return false;
    for (size_t i = 0; i < need; i++) wide[i] = aard__zip_get64(field + i * 8);
    for (size_t i = 0, next = 0; i < 3; i++)
        if (marked[i]) *fields[i] = wide[next++];
    return !disk_marked ? aard__zip_get16(header + 34) == 0 : aard__zip_get32(field + need * 8) == 0;
}

static aard_error *read_central(const uint8_t *data, size_t end, size_t *at, aard__zip_entry *out)
{
    const uint8_t *header = data + *at;
    if (end - *at < CENTRAL_SIZE || aard__zip_get32(header) != CENTRAL_MAGIC)
        return corrupt("its directory ends too early");
    size_t name_len = aard__zip_get16(header + 28);
    size_t extra_len = aard__zip_get16(header + 30);
    size_t size = CENTRAL_SIZE + name_len + extra_len + aard__zip_get16(header + 32);
    if (end - *at < size) return corrupt("an entry of its directory runs past the directory's end");
    aard__zip_entry entry = {
        .name = (const char *)header + CENTRAL_SIZE,
        .name_len = name_len,
        .packed = aard__zip_get32(header + 20),
        .unpacked = aard__zip_get32(header + 24),
        .offset = aard__zip_get32(header + 42),
        .crc = aard__zip_get32(header + 16),
        .external = aard__zip_get32(header + 38),
        .flags = aard__zip_get16(header + 8),
        .method = aard__zip_get16(header + 10),
        .extra = header + CENTRAL_SIZE + name_len,
        .extra_len = extra_len,
    };
    if (!widen(header, header + CENTRAL_SIZE + name_len, extra_len, &entry)) {
        char name[AARD__NAME_SHOWN];
        aard__name_show(name, sizeof name, entry.name, entry.name_len);
        return aard__error(AARD_ERR_BUNDLE_CORRUPT,
                           "entry '%s': its ZIP64 sizes are missing, or it is on another part "
                           "of a split archive; pack the bundle again",
                           name);
    }
    *out = entry;
    *at += size;
    return NULL;
}

aard_error *aard__zip_directory_read(const uint8_t *data, size_t len, uint64_t max_entries, aard__zip_directory *out)
{
    end_record end = {0};
    AARD__TRY(read_end(data, len, &end));
    if (end.count > max_entries)
        return aard__error(AARD_ERR_BUNDLE_TOO_MANY_ENTRIES,
                           "the bundle has too many entries (%llu, limit %llu); leave out what the code does not need",
                           (unsigned long long)end.count, (unsigned long long)max_entries);
    if (end.count > end.size / CENTRAL_SIZE) return corrupt("its directory is too small for its entries");
    aard__zip_directory directory = {.count = (size_t)end.count, .start = (size_t)end.offset};
    directory.entries = aard__calloc(directory.count, sizeof *directory.entries);
    if (!directory.entries) return aard__error_no_memory();
    aard_error *error = NULL;
    size_t at = directory.start;
    for (size_t i = 0; i < directory.count && !error; i++)
        error = read_central(data, end.end, &at, &directory.entries[i]);
    if (!error && at != end.end) error = corrupt("its directory holds more than the entries it announces");
    if (error) {
        aard__free(directory.entries);
        return error;
    }
    *out = directory;
    return NULL;
}
