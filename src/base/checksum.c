#include "base/checksum.h"

#include <sodium.h>
#include <string.h>

#define XXH_INLINE_ALL /* so that the process need not load another library for three functions */
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) <= sizeof(aard__checksummer), "a checksummer holds xxHash's state");
_Static_assert(_Alignof(XXH3_state_t) <= _Alignof(aard__checksummer), "a checksummer holds xxHash's state");

static XXH3_state_t *state_of(aard__checksummer *summer) { return (XXH3_state_t *)(void *)summer->state; }

void aard__checksum_start(aard__checksummer *summer) { XXH3_128bits_reset(state_of(summer)); }

void aard__checksum_add(aard__checksummer *summer, const void *data, size_t len)
{
    XXH3_128bits_update(state_of(summer), data, len);
}

void aard__checksum_add_sized(aard__checksummer *summer, const void *data, size_t len)
{
    uint8_t size[8];
    for (int i = 0; i < 8; i++) size[i] = (uint8_t)((uint64_t)len >> (8 * i));
    aard__checksum_add(summer, size, sizeof size);
    aard__checksum_add(summer, data, len);
}

void aard__checksum_end(aard__checksummer *summer, uint8_t out[AARD__CHECKSUM_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_of(summer)));
    memcpy(out, canonical.digest, AARD__CHECKSUM_BYTES);
}

void aard__checksum_hex(const uint8_t sum[AARD__CHECKSUM_BYTES], char out[AARD__CHECKSUM_HEX])
{
    sodium_bin2hex(out, AARD__CHECKSUM_HEX, sum, AARD__CHECKSUM_BYTES);
}
