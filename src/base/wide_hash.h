/* A hash for large files: BLAKE2b in eight lanes that the processor computes side by side, several times as fast as one.
 *
 * Lane j hashes every eighth 64-bit word from the j-th on, of the data padded with zeros to a multiple of 1024 bytes, by
 * BLAKE2b-256 with the personalisation "aardvark, a lane" and j as salt.  The result is BLAKE2b-256, personalised with
 * "aardvark, lanes.", of the lanes' hashes in their order and the data's length: finding two texts of one hash means
 * finding them for BLAKE2b. */
#ifndef AARD_BASE_WIDE_HASH_H
#define AARD_BASE_WIDE_HASH_H

#include "base/hash.h"

enum { AARD__WIDE_LANES = 8, AARD__WIDE_BLOCK = 1024 };

typedef struct aard__wide_hasher {
    uint64_t state[8][AARD__WIDE_LANES]; /* word by word, of all lanes */
    uint64_t hashed;                     /* bytes that are in the state */
    size_t filled;                       /* bytes in the block */
    uint8_t block[AARD__WIDE_BLOCK];
} aard__wide_hasher;

void aard__wide_hash_start(aard__wide_hasher *hasher);
void aard__wide_hash_add(aard__wide_hasher *hasher, const void *data, size_t len);
/* With the length in front, so that no two sequences of texts hash alike. */
void aard__wide_hash_add_sized(aard__wide_hasher *hasher, const void *data, size_t len);
void aard__wide_hash_end(aard__wide_hasher *hasher, uint8_t out[AARD__HASH_BYTES]);

/* For tests: the ways of computing it that this processor can take, and the choice of one; 0 is the fastest. */
int aard__wide_hash_ways(void);
void aard__wide_hash_take(int way);

#endif
