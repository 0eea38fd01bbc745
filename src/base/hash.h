/* Hashes, by libsodium: BLAKE2b-256 for what is ours, SHA-256 for what other people's lock files pin. */
#ifndef AARD_BASE_HASH_H
#define AARD_BASE_HASH_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AARD__HASH_BYTES 32
#define AARD__HASH_HEX (2 * AARD__HASH_BYTES + 1) /* with the NUL */

/* Lets libsodium pick the fastest ways that the processor has, of hashes and of random numbers; without this they are its slowest.
 * Errors: io. */
aard_error *aard__hash_start_library(void);

typedef crypto_generichash_state aard__hasher;

void aard__hash_start(aard__hasher *hasher);
void aard__hash_add(aard__hasher *hasher, const void *data, size_t len);
/* Adds the length (8 bytes, little endian) and then the bytes, so that neighbours can't run into each other. */
void aard__hash_add_sized(aard__hasher *hasher, const void *data, size_t len);
void aard__hash_end(aard__hasher *hasher, uint8_t out[AARD__HASH_BYTES]);

/* Signs and checks what only its owner may have written. */
typedef struct aard__signing_key {
    uint8_t bytes[AARD__HASH_BYTES];
} aard__signing_key;

void aard__hash(const void *data, size_t len, uint8_t out[AARD__HASH_BYTES]);
void aard__hash_hex(const uint8_t hash[AARD__HASH_BYTES], char out[AARD__HASH_HEX]);

#endif
