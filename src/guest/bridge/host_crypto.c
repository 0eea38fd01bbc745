#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "guest/bridge/digests.h"
#include "guest/bridge/host.h"

const EVP_MD *aard__frame_digest(aard__frame *frame, size_t index)
{
    static const struct {
        const char *name;
        const EVP_MD *(*digest)(void);
    } digests[] = {{"SHA-1", EVP_sha1}, {"SHA-256", EVP_sha256}, {"SHA-384", EVP_sha384}, {"SHA-512", EVP_sha512}};
    aard__buf *name = aard__frame_scratch(frame);
    if (!aard__frame_string(frame, index, name) || name->failed) return NULL;
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        if (name->len == strlen(digests[i].name) && !memcmp(name->data, digests[i].name, name->len))
            return digests[i].digest();
    return NULL;
}

static size_t slice_of(size_t len) { return len < AARD__CRYPTO_SLICE ? len : AARD__CRYPTO_SLICE; }

/* False where it can't be done, or the call was ended. */
static bool compute(aard__frame *frame, EVP_MD_CTX *context, const EVP_MD *digest, const uint8_t *data, size_t len,
                    uint8_t *hash, unsigned *hash_len)
{
    if (!context || EVP_DigestInit_ex(context, digest, NULL) != 1) return false;
    for (size_t step; len; data += step, len -= step) {
        step = slice_of(len);
        if (aard__frame_ended(frame) || EVP_DigestUpdate(context, data, step) != 1) return false;
    }
    return EVP_DigestFinal_ex(context, hash, hash_len) == 1;
}

static void host_digest(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data, hash[EVP_MAX_MD_SIZE];
    size_t len;
    unsigned hash_len = 0;
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    if (!digest || !aard__frame_bytes(frame, 1, &data, &len)) return;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = compute(frame, context, digest, data, len, hash, &hash_len);
    EVP_MD_CTX_free(context);
    if (done)
        aard__frame_return_array_buffer(frame, hash, hash_len);
    else
        aard__frame_throw(frame, "Error", "the digest could not be computed");
}

static void host_is_bytes(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len;
    aard__frame_return_bool(frame, aard__frame_bytes(frame, 0, &data, &len));
}

static void host_random(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data;
    size_t len;
    if (!aard__frame_bytes(frame, 0, &data, &len)) return;
    for (size_t step; len && !aard__frame_ended(frame); data += step, len -= step)
        randombytes_buf(data, step = slice_of(len));
}

static void host_random_uuid(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t b[16];
    char text[37];
    randombytes_buf(b, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40; /* version 4 */
    b[8] = (b[8] & 0x3f) | 0x80; /* variant 1 */
    snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    aard__frame_return_utf8(frame, text, 36);
}

/* "Bytes" is an ArrayBuffer or a view of one.
 *   digest(name, bytes) -> ArrayBuffer   "SHA-1", "SHA-256", "SHA-384", "SHA-512"; undefined for another name
 *   isBytes(value) -> boolean
 *   random(bytes)                        fills them from the kernel's generator
 *   randomUuid() -> string               RFC 9562, version 4 */
const aard__host_entry aard__host_crypto[] = {
    {"digest", host_digest},
    {"isBytes", host_is_bytes},
    {"random", host_random},
    {"randomUuid", host_random_uuid},
    {NULL, NULL},
};
