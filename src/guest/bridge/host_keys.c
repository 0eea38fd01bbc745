/* Pairs of keys: RSA, elliptic curves and Ed25519.  Between two calls a key is its DER encoding (PKCS #8 of a private one, the
 * SubjectPublicKeyInfo of a public one): nothing of it stays here. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

#include "guest/bridge/digests.h"
#include "guest/bridge/host.h"

/* What one operation of a key takes grows with the third power of its size, and nothing could end it. */
enum { MOST_BITS = 8192 };
/* So much is signed by Ed25519, which needs all of it at once. */
#define MOST_AT_ONCE ((size_t)1 << 26)

/* ---- in and out ---------------------------------------------------------------------------------------------------- */

static EVP_PKEY *read_key(aard__frame *frame, size_t index, bool is_private)
{
    uint8_t *data;
    size_t len;
    if (!aard__frame_bytes(frame, index, &data, &len) || len > MOST_BITS * 4) return NULL;
    const unsigned char *at = data;
    EVP_PKEY *key = is_private ? d2i_AutoPrivateKey(NULL, &at, (long)len) : d2i_PUBKEY(NULL, &at, (long)len);
    if (key && (at != data + len || EVP_PKEY_get_bits(key) > MOST_BITS)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    if (key && EVP_PKEY_is_a(key, "EC")) /* points go out whole, however they came */
        EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
    return key;
}

static void return_der(aard__frame *frame, unsigned char *der, int len)
{
    if (len > 0) aard__frame_return_array_buffer(frame, der, (size_t)len);
    if (len > 0) sodium_memzero(der, (size_t)len);
    OPENSSL_free(der);
}

static void return_key(aard__frame *frame, EVP_PKEY *key, bool is_private)
{
    unsigned char *der = NULL;
    if (!is_private) {
        int len = i2d_PUBKEY(key, &der);
        return_der(frame, der, len);
        return;
    }
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    return_der(frame, der, len);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static const char *curve_of(EVP_PKEY *key, char *out, size_t room)
{
    static const char *const names[][2] = {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}};
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, out, room, NULL) != 1) return "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(out, names[i][0]) || !strcmp(out, names[i][1])) return names[i][1];
    return "";
}

/* keyRead(der, isPrivate) -> the same key, encoded as this library does */
static void host_read(aard__frame *frame, void *user)
{
    (void)user;
    bool is_private = aard__frame_bool(frame, 1);
    EVP_PKEY *key = read_key(frame, 0, is_private);
    if (key) return_key(frame, key, is_private);
    EVP_PKEY_free(key);
}

/* keyPublic(der of a private key) -> der of its public one */
static void host_public(aard__frame *frame, void *user)
{
    (void)user;
    EVP_PKEY *key = read_key(frame, 0, true);
    if (key) return_key(frame, key, false);
    EVP_PKEY_free(key);
}

/* ---- parts ------------------------------------------------------------------------------------------------------------ */

static void put_base64(aard__buf *out, const char *name, const uint8_t *data, size_t len)
{
    char text[MOST_BITS / 8 * 2];
    sodium_bin2base64(text, sizeof text, data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    aard__buf_printf(out, "%s\"%s\":\"%s\"", out->len > 1 ? "," : "", name, text);
    sodium_memzero(text, sizeof text);
}

/* A number, in `len` bytes, or as many as it has where that is 0. */
static bool put_number(aard__buf *out, EVP_PKEY *key, const char *param, const char *name, size_t len)
{
    uint8_t bytes[MOST_BITS / 8];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, param, &number) != 1) return false;
    int size = len ? (int)len : BN_num_bytes(number);
    bool fits = (size_t)size <= sizeof bytes && BN_bn2binpad(number, bytes, size) == size;
    if (fits) put_base64(out, name, bytes, (size_t)size);
    BN_clear_free(number);
    return fits;
}

static bool put_rsa(aard__buf *out, EVP_PKEY *key, bool is_private)
{
    static const char *const parts[][2] = {
        {OSSL_PKEY_PARAM_RSA_N, "n"},          {OSSL_PKEY_PARAM_RSA_E, "e"},
        {OSSL_PKEY_PARAM_RSA_D, "d"},          {OSSL_PKEY_PARAM_RSA_FACTOR1, "p"},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, "q"},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp"},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq"}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi"}};
    for (size_t i = 0; i < (is_private ? 8 : 2); i++)
        if (!put_number(out, key, parts[i][0], parts[i][1], 0)) return false;
    aard__buf_puts(out, ",\"kty\":\"RSA\"");
    return true;
}

static bool put_curve(aard__buf *out, EVP_PKEY *key, bool is_private)
{
    char name[80];
    const char *curve = curve_of(key, name, sizeof name);
    size_t len = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    if (!*curve || !put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", len) ||
        !put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", len) ||
        (is_private && !put_number(out, key, OSSL_PKEY_PARAM_PRIV_KEY, "d", len)))
        return false;
    aard__buf_printf(out, ",\"kty\":\"EC\",\"crv\":\"%s\"", curve);
    return true;
}

static bool put_edwards(aard__buf *out, EVP_PKEY *key, bool is_private)
{
    uint8_t bytes[32];
    size_t len = sizeof bytes;
    if (EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1) return false;
    put_base64(out, "x", bytes, len);
    len = sizeof bytes;
    if (is_private && EVP_PKEY_get_raw_private_key(key, bytes, &len) != 1) return false;
    if (is_private) put_base64(out, "d", bytes, len);
    sodium_memzero(bytes, sizeof bytes);
    aard__buf_puts(out, ",\"kty\":\"OKP\",\"crv\":\"Ed25519\"");
    return true;
}

/* keyParts(der, isPrivate) -> JSON text of a JWK's members */
static void host_parts(aard__frame *frame, void *user)
{
    (void)user;
    bool is_private = aard__frame_bool(frame, 1), fits = false;
    aard__buf *out = aard__frame_scratch(frame);
    EVP_PKEY *key = read_key(frame, 0, is_private);
    aard__buf_putc(out, '{');
    if (key && EVP_PKEY_is_a(key, "RSA"))
        fits = put_rsa(out, key, is_private);
    else if (key && EVP_PKEY_is_a(key, "EC"))
        fits = put_curve(out, key, is_private);
    else if (key && EVP_PKEY_is_a(key, "ED25519"))
        fits = put_edwards(out, key, is_private);
    aard__buf_putc(out, '}');
    if (fits && !out->failed) aard__frame_return_utf8(frame, out->data, out->len);
    EVP_PKEY_free(key);
}

enum { MOST_PARTS = 8 };

static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *parts, bool is_private)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

/* Arguments from `first` on: n, e, and of a private key d, p, q, dp, dq, qi. */
static EVP_PKEY *rsa_of(aard__frame *frame, size_t first, bool is_private)
{
    static const char *const names[MOST_PARTS] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                                  OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                                                  OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                                  OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    BIGNUM *numbers[MOST_PARTS] = {NULL};
    size_t count = is_private ? MOST_PARTS : 2;
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    bool fits = parts != NULL;
    for (size_t i = 0; i < count && fits; i++) {
        uint8_t *data;
        size_t len;
        fits = aard__frame_bytes(frame, first + i, &data, &len) && len && len <= MOST_BITS / 8 &&
               (numbers[i] = BN_bin2bn(data, (int)len, NULL)) && OSSL_PARAM_BLD_push_BN(parts, names[i], numbers[i]);
    }
    EVP_PKEY *key = fits ? build("RSA", parts, is_private) : NULL;
    for (size_t i = 0; i < count; i++) BN_clear_free(numbers[i]);
    OSSL_PARAM_BLD_free(parts);
    return key;
}

/* Arguments from `first` on: the point, uncompressed or not, and of a private key the number. */
static EVP_PKEY *curve_key_of(aard__frame *frame, size_t first, const char *curve, bool is_private)
{
    uint8_t *point, *secret;
    size_t point_len, secret_len;
    if (!aard__frame_bytes(frame, first, &point, &point_len)) return NULL;
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    BIGNUM *number = NULL;
    bool fits = parts && OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
                OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point, point_len);
    if (fits && is_private)
        fits = aard__frame_bytes(frame, first + 1, &secret, &secret_len) && secret_len <= MOST_BITS / 8 &&
               (number = BN_bin2bn(secret, (int)secret_len, NULL)) &&
               OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_PRIV_KEY, number);
    EVP_PKEY *key = fits ? build("EC", parts, is_private) : NULL;
    if (key && is_private) { /* the one has to belong to the other */
        EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);
        fits = check && EVP_PKEY_pairwise_check(check) == 1;
        EVP_PKEY_CTX_free(check);
    }
    if (key && !fits) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    BN_clear_free(number);
    OSSL_PARAM_BLD_free(parts);
    return key;
}

static EVP_PKEY *edwards_of(aard__frame *frame, size_t first, bool is_private)
{
    uint8_t *data;
    size_t len;
    if (!aard__frame_bytes(frame, first, &data, &len)) return NULL;
    return is_private ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, data, len)
                      : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, data, len);
}

/* keyOf(type, isPrivate, parts…) -> der.  Type is "RSA", "Ed25519", whose part is one of its keys, or a curve: "P-256" … */
static void host_key_of(aard__frame *frame, void *user)
{
    (void)user;
    EVP_PKEY *key = NULL;
    bool is_private = aard__frame_bool(frame, 1);
    aard__buf *type = aard__frame_scratch(frame);
    if (!aard__frame_string(frame, 0, type)) return;
    aard__buf_putc(type, '\0');
    if (type->failed) return;
    if (!strcmp(type->data, "RSA"))
        key = rsa_of(frame, 2, is_private);
    else if (!strcmp(type->data, "Ed25519"))
        key = edwards_of(frame, 2, is_private);
    else
        key = curve_key_of(frame, 2, type->data, is_private);
    if (key) return_key(frame, key, is_private);
    EVP_PKEY_free(key);
}

/* ---- new ones ----------------------------------------------------------------------------------------------------------- */

static int go_on(EVP_PKEY_CTX *context) { return !aard__frame_ended(EVP_PKEY_CTX_get_app_data(context)); }

static bool prepare_rsa(aard__frame *frame, EVP_PKEY_CTX *context)
{
    uint8_t *data;
    size_t len;
    double bits = aard__frame_number(frame, 1);
    if (!(bits >= 512 && bits <= MOST_BITS) || !aard__frame_bytes(frame, 2, &data, &len) || len > 8) return false;
    BIGNUM *exponent = BN_bin2bn(data, (int)len, NULL);
    bool fits = exponent && EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1 &&
                EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent) == 1;
    BN_free(exponent);
    return fits;
}

/* keyNew(type, bits, exponent) -> der of a private key; the latter two are RSA's */
static void host_new(aard__frame *frame, void *user)
{
    (void)user;
    EVP_PKEY *key = NULL;
    aard__buf *type = aard__frame_scratch(frame);
    if (!aard__frame_string(frame, 0, type)) return;
    aard__buf_putc(type, '\0');
    if (type->failed) return;
    bool rsa = !strcmp(type->data, "RSA"), edwards = !strcmp(type->data, "Ed25519");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, rsa ? "RSA" : edwards ? "ED25519" : "EC", NULL);
    bool fits = context && EVP_PKEY_keygen_init(context) == 1;
    if (fits && rsa) fits = prepare_rsa(frame, context);
    if (fits && !rsa && !edwards) fits = EVP_PKEY_CTX_set_group_name(context, type->data) == 1;
    if (fits) {
        EVP_PKEY_CTX_set_app_data(context, frame);
        EVP_PKEY_CTX_set_cb(context, go_on); /* primes are looked for as long as it takes */
        fits = EVP_PKEY_generate(context, &key) == 1;
    }
    if (fits) return_key(frame, key, true);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

/* ---- signing -------------------------------------------------------------------------------------------------------------- */

/* Salt: -2 not RSA, -1 PKCS #1 1.5, else PSS. */
static bool set_padding(EVP_PKEY_CTX *context, double salt)
{
    if (salt == -2) return true;
    if (salt == -1) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    return salt >= 0 && salt <= MOST_BITS && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)salt) == 1;
}

static bool digest_all(aard__frame *frame, EVP_MD_CTX *context, const uint8_t *data, size_t len)
{
    for (size_t step; len; data += step, len -= step) {
        step = len < AARD__CRYPTO_SLICE ? len : AARD__CRYPTO_SLICE;
        if (aard__frame_ended(frame) || EVP_DigestUpdate(context, data, step) != 1) return false;
    }
    return true;
}

/* WebCrypto's form of a signature by a curve: both numbers, of the curve's size. */
static bool to_raw(EVP_PKEY *key, const uint8_t *der, size_t der_len, uint8_t *out, size_t *out_len)
{
    int size = (EVP_PKEY_get_bits(key) + 7) / 8;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    *out_len = 2 * (size_t)size;
    bool fits = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, size) == size &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + size, size) == size;
    ECDSA_SIG_free(signature);
    return fits;
}

static unsigned char *from_raw(EVP_PKEY *key, const uint8_t *raw, size_t len, int *der_len)
{
    size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    unsigned char *der = NULL;
    ECDSA_SIG *signature = len == 2 * size ? ECDSA_SIG_new() : NULL;
    BIGNUM *r = signature ? BN_bin2bn(raw, (int)size, NULL) : NULL,
           *s = r ? BN_bin2bn(raw + size, (int)size, NULL) : NULL;
    if (s && ECDSA_SIG_set0(signature, r, s) == 1)
        *der_len = i2d_ECDSA_SIG(signature, &der);
    else
        BN_free(r), BN_free(s);
    ECDSA_SIG_free(signature);
    return der;
}

static bool sign(aard__frame *frame, EVP_PKEY *key, const EVP_MD *digest, const uint8_t *data, size_t len,
                 aard__buf *out)
{
    EVP_PKEY_CTX *padding;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = (size_t)EVP_PKEY_get_size(key);
    bool fits = context && aard__buf_reserve(out, size) &&
                EVP_DigestSignInit(context, &padding, digest, NULL, key) == 1;
    uint8_t *to = (uint8_t *)out->data;
    if (fits && !digest)
        fits = len <= MOST_AT_ONCE && EVP_DigestSign(context, to, &size, data, len) == 1;
    else
        fits = fits && set_padding(padding, aard__frame_number(frame, 1)) && digest_all(frame, context, data, len) &&
               EVP_DigestSignFinal(context, to, &size) == 1;
    EVP_MD_CTX_free(context);
    out->len = fits ? size : 0;
    return fits;
}

/* keySign(hash, salt, der, data) -> ArrayBuffer; of Ed25519 there is no hash */
static void host_sign(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data, raw[MOST_BITS / 8];
    size_t len;
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    EVP_PKEY *key = read_key(frame, 2, true);
    aard__buf *out = aard__frame_scratch(frame);
    if (key && aard__frame_bytes(frame, 3, &data, &len) && sign(frame, key, digest, data, len, out)) {
        if (!EVP_PKEY_is_a(key, "EC"))
            aard__frame_return_array_buffer(frame, out->data, out->len);
        else if (to_raw(key, (const uint8_t *)out->data, out->len, raw, &len))
            aard__frame_return_array_buffer(frame, raw, len);
    }
    EVP_PKEY_free(key);
}

static bool verify(aard__frame *frame, EVP_PKEY *key, const EVP_MD *digest, const uint8_t *signature, size_t size,
                   const uint8_t *data, size_t len)
{
    EVP_PKEY_CTX *padding;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fits = context && EVP_DigestVerifyInit(context, &padding, digest, NULL, key) == 1;
    if (fits && !digest)
        fits = len <= MOST_AT_ONCE && EVP_DigestVerify(context, signature, size, data, len) == 1;
    else
        fits = fits && set_padding(padding, aard__frame_number(frame, 1)) && digest_all(frame, context, data, len) &&
               EVP_DigestVerifyFinal(context, signature, size) == 1;
    EVP_MD_CTX_free(context);
    return fits;
}

/* keyVerify(hash, salt, der, signature, data) -> boolean */
static void host_verify(aard__frame *frame, void *user)
{
    (void)user;
    uint8_t *data, *signature;
    size_t len, size;
    const EVP_MD *digest = aard__frame_digest(frame, 0);
    EVP_PKEY *key = read_key(frame, 2, false);
    bool good = false;
    if (key && aard__frame_bytes(frame, 3, &signature, &size) && aard__frame_bytes(frame, 4, &data, &len)) {
        int der_len = 0;
        unsigned char *der = EVP_PKEY_is_a(key, "EC") ? from_raw(key, signature, size, &der_len) : NULL;
        if (der)
            good = verify(frame, key, digest, der, (size_t)der_len, data, len);
        else if (!EVP_PKEY_is_a(key, "EC"))
            good = verify(frame, key, digest, signature, size, data, len);
        OPENSSL_free(der);
    }
    aard__frame_return_bool(frame, good);
    EVP_PKEY_free(key);
}

/* What can't be done gives undefined. */
const aard__host_entry aard__host_keys[] = {
    {"keyRead", host_read}, {"keyPublic", host_public}, {"keyParts", host_parts},   {"keyOf", host_key_of},
    {"keyNew", host_new},   {"keySign", host_sign},     {"keyVerify", host_verify}, {NULL, NULL}};
