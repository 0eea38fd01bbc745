/* Reading the little-endian records of a ZIP archive, and showing its names in messages. */
#ifndef AARD_BUNDLE_ZIP_BYTES_H
#define AARD_BUNDLE_ZIP_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/entry_name.h"

#define AARD__ZIP_LOCAL_MAGIC UINT32_C(0x04034b50)
#define AARD__ZIP_LOCAL_SIZE 30
#define AARD__ZIP_EXTRA_ZIP64 1
#define AARD__ZIP_EXTRA_PATH 0x7075 /* Info-ZIP's Unicode Path: version 1, CRC-32 of the name, the name in UTF-8 */
#define AARD__ZIP_DESCRIPTOR_MAGIC UINT32_C(0x08074b50)

static inline uint16_t aard__zip_get16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

static inline uint32_t aard__zip_get32(const uint8_t *at)
{
    return (uint32_t)aard__zip_get16(at) | (uint32_t)aard__zip_get16(at + 2) << 16;
}

static inline uint64_t aard__zip_get64(const uint8_t *at)
{
    return (uint64_t)aard__zip_get32(at) | (uint64_t)aard__zip_get32(at + 4) << 32;
}

/* The first field with this id among the extra fields, NULL where there is none that fits. */
static inline const uint8_t *aard__zip_extra(const uint8_t *extra, size_t len, uint16_t id, size_t *size)
{
    while (len >= 4) {
        size_t field = aard__zip_get16(extra + 2);
        if (field > len - 4) return NULL;
        if (aard__zip_get16(extra) == id) {
            *size = field;
            return extra + 4;
        }
        extra += 4 + field;
        len -= 4 + field;
    }
    return NULL;
}

#endif
