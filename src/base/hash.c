#include "base/hash.h"

#include "base/process.h"

aard_error *aard__hash_start_library(void)
{
    return sodium_init() < 0 ? aard__error(AARD_ERR_IO, "cannot start libsodium") : NULL;
}

void aard__hash_start(aard__hasher *hasher) { crypto_generichash_init(hasher, NULL, 0, AARD__HASH_BYTES); }

void aard__hash_add(aard__hasher *hasher, const void *data, size_t len)
{
    crypto_generichash_update(hasher, data, len);
}

void aard__hash_add_sized(aard__hasher *hasher, const void *data, size_t len)
{
    uint8_t size[8];
    for (int i = 0; i < 8; i++) size[i] = (uint8_t)((uint64_t)len >> (8 * i));
    aard__hash_add(hasher, size, sizeof size);
    aard__hash_add(hasher, data, len);
}

void aard__hash_end(aard__hasher *hasher, uint8_t out[AARD__HASH_BYTES])
{
    crypto_generichash_final(hasher, out, AARD__HASH_BYTES);
}

void aard__hash(const void *data, size_t len, uint8_t out[AARD__HASH_BYTES])
{
    crypto_generichash(out, AARD__HASH_BYTES, data, len, NULL, 0);
}

void aard__hash_hex(const uint8_t hash[AARD__HASH_BYTES], char out[AARD__HASH_HEX])
{
    sodium_bin2hex(out, AARD__HASH_HEX, hash, AARD__HASH_BYTES);
}

AARD__PROCESS_KEEPS(libsodium, "libsodium: draws every number from the kernel", "");
