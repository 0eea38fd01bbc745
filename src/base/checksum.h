/* A checksum for large files: XXH3 of 128 bits (xxHash), as fast as memory is read.  It tells torn and altered files from
 * whole ones, not who wrote them: for that there are signatures (base/hash.h) and owners (base/trust.h). */
#ifndef AARD_BASE_CHECKSUM_H
#define AARD_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define AARD__CHECKSUM_BYTES 16
#define AARD__CHECKSUM_HEX (2 * AARD__CHECKSUM_BYTES + 1) /* with the NUL */

typedef struct aard__checksummer {
    _Alignas(64) unsigned char state[576]; /* an XXH3_state_t */
} aard__checksummer;

void aard__checksum_start(aard__checksummer *summer);
void aard__checksum_add(aard__checksummer *summer, const void *data, size_t len);
/* Adds the length (8 bytes, little endian) and then the bytes, so that neighbours can't run into each other. */
void aard__checksum_add_sized(aard__checksummer *summer, const void *data, size_t len);
/* In xxHash's canonical form, the same on every machine. */
void aard__checksum_end(aard__checksummer *summer, uint8_t out[AARD__CHECKSUM_BYTES]);
void aard__checksum_hex(const uint8_t sum[AARD__CHECKSUM_BYTES], char out[AARD__CHECKSUM_HEX]);

#endif
