/* Keys that both sides have: HMAC, what is derived by it, and AES.  What a call may take is looked at between slices of the work:
 * a guest chooses how long it is. */
#include <openssl/core_names.h>
#include <string.h>

#include "guest/bridge/digests.h"
#include "guest/bridge/host.h"

typedef struct span {
    uint8_t *data;
    size_t len;
} span;

/* ---- HMAC -------------------------------------------------------------------------------------------------------- */

static EVP_MAC_CTX *hmac_begin(const EVP_MD *digest, span key)
{
    static const uint8_t none = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    char *name = (char *)(uintptr_t)EVP_MD_get0_name(digest);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    if (context && EVP_MAC_init(context, key.len ? key.data : &none, key.len, params) != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

static bool hmac_add(aard__frame *frame, EVP_MAC_CTX *context, span data)
{
    for (size_t step; data.len; data.data += step, data.len -= step) {
        step = data.len < AARD__CRYPTO_SLICE ? data.len : AARD__CRYPTO_SLICE;
        if (aard__frame_ended(frame) || EVP_MAC_update(context, data.data, step) != 1) return false;
    }
    return true;
}

static bool hmac_end(EVP_MAC_CTX *context, uint8_t out[EVP_MAX_MD_SIZE])
{
    size_t len;
    return EVP_MAC_final(context, out, &len, EVP_MAX_MD_SIZE) == 1;
}

/* The same key again. */
static bool hmac_again(EVP_MAC_CTX *context) { return EVP_MAC_init(context, NULL, 0, NULL) == 1; }

/* hmac(hash, key, data) */
static void host_hmac(aard__frame *frame, void *user)
{
    (void)user;
    span key, data;
    uint8_t out[EVP_MAX_MD_SIZE];
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    if (!digest || !aard__frame_bytes(frame, 1, &key.data, &key.len) ||
        !aard__frame_bytes(frame, 2, &data.data, &data.len))
        return;
    EVP_MAC_CTX *context = hmac_begin(digest, key);
    if (context && hmac_add(frame, context, data) && hmac_end(context, out))
        aard__frame_return_array_buffer(frame, out, (size_t)EVP_MD_get_size(digest));
    EVP_MAC_CTX_free(context);
}

/* ---- what is derived --------------------------------------------------------------------------------------------------- */

#define MOST_DERIVED ((size_t)1 << 24)
/* Iterations between two looks at whether the call was ended: less than a millisecond. */
#define SOME_ITERATIONS 256

/* Block `number` of PBKDF2 (RFC 8018). */
static bool pbkdf2_block(aard__frame *frame, EVP_MAC_CTX *context, span salt, uint32_t number, double iterations,
                         size_t hash_len, uint8_t *out)
{
    uint8_t u[EVP_MAX_MD_SIZE];
    uint8_t place[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    if (!hmac_again(context) || !hmac_add(frame, context, salt) ||
        !hmac_add(frame, context, (span){place, sizeof place}) || !hmac_end(context, u))
        return false;
    memcpy(out, u, hash_len);
    for (double done = 1; done < iterations; done++) {
        if ((uint64_t)done % SOME_ITERATIONS == 0 && aard__frame_ended(frame)) return false;
        if (!hmac_again(context) || EVP_MAC_update(context, u, hash_len) != 1 || !hmac_end(context, u)) return false;
        for (size_t i = 0; i < hash_len; i++) out[i] ^= u[i];
    }
    return true;
}

/* pbkdf2(hash, password, salt, iterations, bytes) */
static void host_pbkdf2(aard__frame *frame, void *user)
{
    (void)user;
    span password, salt;
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    double iterations = aard__frame_number(frame, 3), wanted = aard__frame_number(frame, 4);
    aard__buf *out = aard__frame_scratch(frame);
    if (!digest || !aard__frame_bytes(frame, 1, &password.data, &password.len) ||
        !aard__frame_bytes(frame, 2, &salt.data, &salt.len) || !(iterations >= 1 && iterations < 4294967296.0) ||
        !(wanted >= 0 && wanted <= (double)MOST_DERIVED))
        return;
    size_t hash_len = (size_t)EVP_MD_get_size(digest), len = (size_t)wanted;
    EVP_MAC_CTX *context = hmac_begin(digest, password);
    bool fits = context != NULL;
    for (uint32_t number = 1; fits && out->len < len; number++) {
        uint8_t block[EVP_MAX_MD_SIZE];
        fits = pbkdf2_block(frame, context, salt, number, iterations, hash_len, block);
        if (fits) aard__buf_append(out, block, hash_len < len - out->len ? hash_len : len - out->len);
        fits = fits && !out->failed;
    }
    EVP_MAC_CTX_free(context);
    if (fits) aard__frame_return_array_buffer(frame, out->data ? out->data : "", out->len);
}

/* The first part of HKDF (RFC 5869). */
static bool hkdf_extract(aard__frame *frame, const EVP_MD *digest, span salt, span key, uint8_t out[EVP_MAX_MD_SIZE])
{
    EVP_MAC_CTX *context = hmac_begin(digest, salt);
    bool done = context && hmac_add(frame, context, key) && hmac_end(context, out);
    EVP_MAC_CTX_free(context);
    return done;
}

/* hkdf(hash, key, salt, info, bytes) */
static void host_hkdf(aard__frame *frame, void *user)
{
    (void)user;
    span key, salt, info;
    uint8_t pseudo[EVP_MAX_MD_SIZE], block[EVP_MAX_MD_SIZE];
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    double wanted = aard__frame_number(frame, 4);
    aard__buf *out = aard__frame_scratch(frame);
    if (!digest || !aard__frame_bytes(frame, 1, &key.data, &key.len) ||
        !aard__frame_bytes(frame, 2, &salt.data, &salt.len) || !aard__frame_bytes(frame, 3, &info.data, &info.len))
        return;
    size_t hash_len = (size_t)EVP_MD_get_size(digest);
    if (!(wanted >= 0 && wanted <= 255.0 * (double)hash_len) || !hkdf_extract(frame, digest, salt, key, pseudo)) return;
    size_t len = (size_t)wanted;
    EVP_MAC_CTX *context = hmac_begin(digest, (span){pseudo, hash_len});
    bool fits = context != NULL;
    for (uint8_t number = 1; fits && out->len < len; number++) {
        fits = hmac_again(context) && (number == 1 || hmac_add(frame, context, (span){block, hash_len})) &&
               hmac_add(frame, context, info) && hmac_add(frame, context, (span){&number, 1}) &&
               hmac_end(context, block);
        if (fits) aard__buf_append(out, block, hash_len < len - out->len ? hash_len : len - out->len);
        fits = fits && !out->failed;
    }
    EVP_MAC_CTX_free(context);
    if (fits) aard__frame_return_array_buffer(frame, out->data ? out->data : "", out->len);
}

/* ---- AES ----------------------------------------------------------------------------------------------------------------- */

typedef struct aes {
    EVP_CIPHER_CTX *context;
    aard__buf *out;
    bool encrypts, seals; /* seals: GCM */
    size_t tag_len;
} aes;

static bool aes_begin(aes *a, const EVP_CIPHER *cipher, span key, span iv)
{
    int direction = a->encrypts;
    return EVP_CipherInit_ex2(a->context, cipher, NULL, NULL, direction, NULL) == 1 &&
           (!a->seals || EVP_CIPHER_CTX_ctrl(a->context, EVP_CTRL_AEAD_SET_IVLEN, (int)iv.len, NULL) == 1) &&
           EVP_CipherInit_ex2(a->context, NULL, key.data, iv.data, direction, NULL) == 1;
}

/* `aside`: what is sealed and not encrypted. */
static bool aes_add(aard__frame *frame, aes *a, span data, bool aside)
{
    int done;
    for (size_t step; data.len; data.data += step, data.len -= step) {
        step = data.len < AARD__CRYPTO_SLICE ? data.len : AARD__CRYPTO_SLICE;
        if (aard__frame_ended(frame) || !aard__buf_reserve(a->out, step + EVP_MAX_BLOCK_LENGTH)) return false;
        uint8_t *to = aside ? NULL : (uint8_t *)a->out->data + a->out->len;
        if (EVP_CipherUpdate(a->context, to, &done, data.data, (int)step) != 1) return false;
        if (!aside) a->out->len += (size_t)done;
    }
    return true;
}

static bool aes_end(aes *a, uint8_t *tag)
{
    int done;
    if (a->seals && !a->encrypts && EVP_CIPHER_CTX_ctrl(a->context, EVP_CTRL_AEAD_SET_TAG, (int)a->tag_len, tag) != 1)
        return false;
    if (!aard__buf_reserve(a->out, 2 * EVP_MAX_BLOCK_LENGTH) ||
        EVP_CipherFinal_ex(a->context, (uint8_t *)a->out->data + a->out->len, &done) != 1)
        return false;
    a->out->len += (size_t)done;
    if (!a->seals || !a->encrypts) return true;
    void *to = a->out->data + a->out->len;
    if (EVP_CIPHER_CTX_ctrl(a->context, EVP_CTRL_AEAD_GET_TAG, (int)a->tag_len, to) != 1) return false;
    a->out->len += a->tag_len;
    return true;
}

static const EVP_CIPHER *aes_cipher(const aard__buf *mode, size_t key_len)
{
    static const struct {
        const char *mode;
        const EVP_CIPHER *(*by_size[3])(void);
    } ciphers[] = {{"AES-GCM", {EVP_aes_128_gcm, EVP_aes_192_gcm, EVP_aes_256_gcm}},
                   {"AES-CBC", {EVP_aes_128_cbc, EVP_aes_192_cbc, EVP_aes_256_cbc}}};
    if (key_len != 16 && key_len != 24 && key_len != 32) return NULL;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
        if (mode->len == strlen(ciphers[i].mode) && !memcmp(mode->data, ciphers[i].mode, mode->len))
            return ciphers[i].by_size[key_len / 8 - 2]();
    return NULL;
}

/* aes(mode, encrypts, key, iv, data, aside, tagBytes): mode is "AES-GCM", or "AES-CBC", whose iv has 16 bytes */
static void host_aes(aard__frame *frame, void *user)
{
    (void)user;
    span key, iv, data, aside;
    aard__buf *mode = aard__frame_scratch(frame);
    double tag = aard__frame_number(frame, 6);
    aes a = {.encrypts = aard__frame_bool(frame, 1), .out = aard__frame_scratch(frame)};
    if (!aard__frame_string(frame, 0, mode) || mode->failed || !aard__frame_bytes(frame, 2, &key.data, &key.len) ||
        !aard__frame_bytes(frame, 3, &iv.data, &iv.len) || !aard__frame_bytes(frame, 4, &data.data, &data.len) ||
        !aard__frame_bytes(frame, 5, &aside.data, &aside.len))
        return;
    const EVP_CIPHER *cipher = aes_cipher(mode, key.len);
    a.seals = mode->len && !memcmp(mode->data, "AES-GCM", 7);
    a.tag_len = tag >= 0 && tag <= 16 ? (size_t)tag : 0;
    bool fits = cipher && (a.seals ? iv.len > 0 && iv.len <= AARD__CRYPTO_SLICE : iv.len == 16);
    if (!fits || (a.seals && !a.encrypts && data.len < a.tag_len)) return;
    uint8_t *given = data.data;
    if (a.seals && !a.encrypts) data.len -= a.tag_len;
    uint8_t *tag_at = given + data.len;
    a.context = EVP_CIPHER_CTX_new();
    if (a.context && aes_begin(&a, cipher, key, iv) && aes_add(frame, &a, aside, true) &&
        aes_add(frame, &a, data, false) && aes_end(&a, tag_at))
        aard__frame_return_array_buffer(frame, a.out->data ? a.out->data : "", a.out->len);
    EVP_CIPHER_CTX_free(a.context);
}

/* Each gives an ArrayBuffer, or undefined where that can't be done. */
const aard__host_entry aard__host_cipher[] = {
    {"hmac", host_hmac}, {"pbkdf2", host_pbkdf2}, {"hkdf", host_hkdf}, {"aes", host_aes}, {NULL, NULL}};
