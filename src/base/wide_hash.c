#include "base/wide_hash.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define WORDS 16 /* of a block of one lane */
#define LANE_BLOCK ((uint64_t)(WORDS * 8))

static const char lane_name[] = "aardvark, a lane", root_name[] = "aardvark, lanes.";

static const uint64_t start_words[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* ---- the compression function, several lanes at once ------------------------------------------------------------- */

#define ROTATE(x, by) (((x) >> (by)) | ((x) << (64 - (by))))
#define MIX(a, b, c, d, x, y)                                                                                          \
    do {                                                                                                               \
        a += b + m[x];                                                                                                 \
        d = ROTATE(d ^ a, 32);                                                                                         \
        c += d;                                                                                                        \
        b = ROTATE(b ^ c, 24);                                                                                         \
        a += b + m[y];                                                                                                 \
        d = ROTATE(d ^ a, 16);                                                                                         \
        c += d;                                                                                                        \
        b = ROTATE(b ^ c, 63);                                                                                         \
    } while (0)
#define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q)                                                          \
    do {                                                                                                               \
        MIX(v[0], v[4], v[8], v[12], a, b);                                                                            \
        MIX(v[1], v[5], v[9], v[13], c, d);                                                                            \
        MIX(v[2], v[6], v[10], v[14], e, f);                                                                           \
        MIX(v[3], v[7], v[11], v[15], g, h);                                                                           \
        MIX(v[0], v[5], v[10], v[15], i, j);                                                                           \
        MIX(v[1], v[6], v[11], v[12], k, l);                                                                           \
        MIX(v[2], v[7], v[8], v[13], n, o);                                                                            \
        MIX(v[3], v[4], v[9], v[14], p, q);                                                                            \
    } while (0)
#define ROUNDS                                                                                                         \
    do {                                                                                                               \
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);                                                   \
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);                                                   \
        ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);                                                   \
        ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);                                                   \
        ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);                                                   \
        ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);                                                   \
        ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);                                                   \
        ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);                                                   \
        ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);                                                   \
        ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);                                                   \
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);                                                   \
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);                                                   \
    } while (0)

/* RFC 7693's function F for `WIDTH` lanes from `lane` on, one block after the other; `hashed` is a lane's count of bytes
 * before them. */
#define COMPRESS(WIDTH)                                                                                                \
    do {                                                                                                               \
        typedef uint64_t vector __attribute__((vector_size((WIDTH)*8)));                                               \
        for (int lane = 0; lane < AARD__WIDE_LANES; lane += (WIDTH)) {                                                 \
            vector h[8], m[WORDS], v[16];                                                                              \
            uint64_t count = hashed;                                                                                   \
            const uint8_t *at = data + lane * 8;                                                                       \
            for (int i = 0; i < 8; i++) memcpy(&h[i], &state[i][lane], sizeof h[i]);                                   \
            for (size_t n = blocks; n; n--, at += AARD__WIDE_BLOCK) {                                                  \
                count += LANE_BLOCK;                                                                                   \
                for (int i = 0; i < WORDS; i++) memcpy(&m[i], at + i * AARD__WIDE_LANES * 8, sizeof m[i]);             \
                for (int i = 0; i < 8; i++) {                                                                          \
                    v[i] = h[i];                                                                                       \
                    v[i + 8] = (vector){0} + start_words[i];                                                           \
                }                                                                                                      \
                v[12] ^= count;                                                                                        \
                if (last) v[14] = ~v[14];                                                                              \
                ROUNDS;                                                                                                \
                for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];                                                   \
            }                                                                                                          \
            for (int i = 0; i < 8; i++) memcpy(&state[i][lane], &h[i], sizeof h[i]);                                   \
        }                                                                                                              \
    } while (0)

typedef void compressor(uint64_t state[8][AARD__WIDE_LANES], const uint8_t *data, size_t blocks, uint64_t hashed,
                        bool last);

static void compress_anywhere(uint64_t state[8][AARD__WIDE_LANES], const uint8_t *data, size_t blocks, uint64_t hashed,
                              bool last)
{
    COMPRESS(2);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void compress_avx2(uint64_t state[8][AARD__WIDE_LANES], const uint8_t *data,
                                                          size_t blocks, uint64_t hashed, bool last)
{
    COMPRESS(4);
}

__attribute__((target("avx512f"))) static void compress_avx512(uint64_t state[8][AARD__WIDE_LANES], const uint8_t *data,
                                                               size_t blocks, uint64_t hashed, bool last)
{
    COMPRESS(8);
}
#endif

/* ---- the choice of one ------------------------------------------------------------------------------------------- */

static compressor *ways[3];
static int way_count, taken;
static pthread_once_t ways_once = PTHREAD_ONCE_INIT;

static void find_ways(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) ways[way_count++] = compress_avx512;
    if (__builtin_cpu_supports("avx2")) ways[way_count++] = compress_avx2;
#endif
    ways[way_count++] = compress_anywhere;
}

int aard__wide_hash_ways(void)
{
    pthread_once(&ways_once, find_ways);
    return way_count;
}

void aard__wide_hash_take(int way) { taken = way; }

static void take_in(aard__wide_hasher *hasher, const uint8_t *data, size_t blocks, bool last)
{
    ways[taken](hasher->state, data, blocks, hasher->hashed / AARD__WIDE_LANES, last);
    hasher->hashed += blocks * AARD__WIDE_BLOCK;
}

/* ---- hashing ----------------------------------------------------------------------------------------------------- */

/* The first words as RFC 7693 and the BLAKE2 paper have them: length of the result, tree of one node; salt; name. */
void aard__wide_hash_start(aard__wide_hasher *hasher)
{
    uint64_t name[2];
    pthread_once(&ways_once, find_ways);
    memcpy(name, lane_name, sizeof name);
    for (int lane = 0; lane < AARD__WIDE_LANES; lane++) {
        for (int i = 0; i < 8; i++) hasher->state[i][lane] = start_words[i];
        hasher->state[0][lane] ^= UINT64_C(0x01010000) ^ AARD__HASH_BYTES;
        hasher->state[4][lane] ^= (uint64_t)lane;
        hasher->state[6][lane] ^= name[0];
        hasher->state[7][lane] ^= name[1];
    }
    hasher->hashed = 0;
    hasher->filled = 0;
}

/* The last block is held back: it is hashed otherwise. */
void aard__wide_hash_add(aard__wide_hasher *hasher, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    if (!len) return;
    if (hasher->filled) {
        size_t room = AARD__WIDE_BLOCK - hasher->filled, part = len < room ? len : room;
        memcpy(hasher->block + hasher->filled, bytes, part);
        hasher->filled += part;
        bytes += part;
        len -= part;
        if (!len) return;
        take_in(hasher, hasher->block, 1, false);
    }
    size_t blocks = (len - 1) / AARD__WIDE_BLOCK;
    if (blocks) take_in(hasher, bytes, blocks, false);
    hasher->filled = len - blocks * AARD__WIDE_BLOCK;
    memcpy(hasher->block, bytes + blocks * AARD__WIDE_BLOCK, hasher->filled);
}

void aard__wide_hash_add_sized(aard__wide_hasher *hasher, const void *data, size_t len)
{
    uint64_t size = len;
    aard__wide_hash_add(hasher, &size, sizeof size);
    aard__wide_hash_add(hasher, data, len);
}

void aard__wide_hash_end(aard__wide_hasher *hasher, uint8_t out[AARD__HASH_BYTES])
{
    static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];
    struct {
        uint64_t lanes[AARD__WIDE_LANES][AARD__HASH_BYTES / 8];
        uint64_t len;
    } root = {.len = hasher->hashed + hasher->filled};
    memset(hasher->block + hasher->filled, 0, AARD__WIDE_BLOCK - hasher->filled);
    take_in(hasher, hasher->block, 1, true);
    for (int lane = 0; lane < AARD__WIDE_LANES; lane++)
        for (int i = 0; i < AARD__HASH_BYTES / 8; i++) root.lanes[lane][i] = hasher->state[i][lane];
    crypto_generichash_blake2b_salt_personal(out, AARD__HASH_BYTES, (const uint8_t *)&root, sizeof root, NULL, 0, salt,
                                             (const uint8_t *)root_name);
}
