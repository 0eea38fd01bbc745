/* Writes ZIP archives field by field, so that a test can make any of the fields lie. */
#ifndef AARD_TESTS_ZIP_BUILDER_H
#define AARD_TESTS_ZIP_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct zb_bytes {
    uint8_t *data; /* free */
    size_t len;
} zb_bytes;

/* The fields that a local header and a directory entry share. */
typedef struct zb_header {
    uint16_t flags, method;
    uint32_t crc, packed, unpacked;
    const char *name;
    size_t name_len;
    const void *extra;
    size_t extra_len;
} zb_header;

typedef struct zb_entry {
    zb_header local, central;
    zb_bytes data;    /* as packed; the builder's own */
    uint16_t made_by; /* upper byte: the system, 3 = Unix */
    uint16_t disk;
    uint32_t external; /* Unix mode << 16 */
    bool descriptor;   /* write a data descriptor behind the data */
    bool share;        /* write no header and data: lie on top of the entry before */
    int64_t shift;     /* added to the offset in the directory */
    uint8_t extra[32]; /* room for zb_zip64 */
} zb_entry;

typedef struct zb_zip {
    zb_entry *entries;
    size_t count, cap;
    const void *prefix; /* bytes in front of the archive, which its offsets know of */
    size_t prefix_len;
    const char *comment;
    size_t comment_len;
    bool zip64;              /* write a ZIP64 end record and locator */
    int64_t locator_shift;   /* added to the offset in the locator */
    uint64_t record64_size;  /* 0 = the right one */
    int count_shift;         /* added to the number of entries in the end record */
    int64_t directory_shift; /* added to the directory's offset */
    int64_t size_shift;      /* added to the directory's size */
    uint16_t disk;           /* this disk's number in the end record */
    const void *gap;         /* bytes between the last entry and the directory */
    size_t gap_len;
} zb_zip;

/* Adds an honest, stored entry.  The pointer is good until the next zb_ call that adds one. */
zb_entry *zb_add(zb_zip *zip, const char *name, const void *data, size_t len);

/* The same with a text, and deflated (as stored blocks: well-formed, not small). */
zb_entry *zb_text(zb_zip *zip, const char *name, const char *text);
zb_entry *zb_deflated(zb_zip *zip, const char *name, const char *text);

/* Adds a deflated entry of `len` zero bytes, about len / 1032 bytes packed. */
zb_entry *zb_zeros(zb_zip *zip, const char *name, size_t len);

/* Gives an entry another name, in both headers; `name` is borrowed. */
void zb_rename(zb_entry *entry, const char *name, size_t len);

/* Moves an entry's sizes into ZIP64 extra fields. */
void zb_zip64(zb_entry *entry);

/* Writes the archive and frees what the builder holds. */
zb_bytes zb_finish(zb_zip *zip);

uint32_t zb_crc32(const void *data, size_t len);

#endif
