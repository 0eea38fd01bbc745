/* Encodings of one byte a character (Encoding Standard, section 9): ASCII, and an index for the bytes from 0x80 on. */
#ifndef AARD_GUEST_BRIDGE_SINGLE_BYTE_H
#define AARD_GUEST_BRIDGE_SINGLE_BYTE_H

#include <stddef.h>
#include <stdint.h>

typedef struct aard__single_byte {
    char name[16]; /* lower case */
    uint16_t high[128];
} aard__single_byte;

/* NULL where there is no such encoding. */
const aard__single_byte *aard__single_byte_find(const char *name, size_t len);

#endif
