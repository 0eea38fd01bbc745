/* The directory of a ZIP archive, read byte by byte.
 *
 * libzip inflates the entries, but it hides what a refusal must be based on: names with a NUL inside, local headers
 * that disagree with the directory, data shared by several entries, bytes in front of or behind the archive. */
#ifndef AARD_BUNDLE_ZIP_DIRECTORY_H
#define AARD_BUNDLE_ZIP_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* General purpose flags. */
#define AARD__ZIP_FLAG_ENCRYPTED 0x0001
#define AARD__ZIP_FLAG_DESCRIPTOR 0x0008 /* sizes and checksum follow the data */
#define AARD__ZIP_FLAG_PATCH 0x0020
#define AARD__ZIP_FLAG_STRONG_ENCRYPTION 0x0040
#define AARD__ZIP_FLAG_UTF8 0x0800
#define AARD__ZIP_FLAG_MASKED 0x2000
#define AARD__ZIP_FLAGS_ENCRYPTION (AARD__ZIP_FLAG_ENCRYPTED | AARD__ZIP_FLAG_STRONG_ENCRYPTION | AARD__ZIP_FLAG_MASKED)

/* Compression methods. */
#define AARD__ZIP_STORED 0
#define AARD__ZIP_DEFLATED 8
#define AARD__ZIP_AES 99

typedef struct aard__zip_entry {
    const char *name; /* inside the archive's bytes; no NUL behind it */
    size_t name_len;
    uint64_t packed, unpacked; /* sizes as the directory gives them */
    uint64_t offset;           /* of the local header */
    uint32_t crc, external;    /* `external` holds the Unix mode in its upper half */
    uint16_t flags, method;
    const uint8_t *extra; /* its extra fields in the directory */
    size_t extra_len;
} aard__zip_entry;

typedef struct aard__zip_directory {
    aard__zip_entry *entries; /* aard__free */
    size_t count;
    size_t start; /* of the directory; the entries' data lies before it */
} aard__zip_directory;

/* Finds the directory of the archive and reads it, in its own order.  Names are not judged, and local headers are not
 * looked at. */
aard_error *aard__zip_directory_read(const uint8_t *data, size_t len, uint64_t max_entries, aard__zip_directory *out);

/* Checks that each entry's local header says what the directory says, and its data descriptor, that the data of no two
 * entries overlap, and that nothing else is between them: who reads from the start would find it. */
aard_error *aard__zip_directory_check_local(const uint8_t *data, const aard__zip_directory *directory);

#endif
