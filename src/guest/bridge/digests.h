/* What the tables of crypto share. */
#ifndef AARD_GUEST_BRIDGE_DIGESTS_H
#define AARD_GUEST_BRIDGE_DIGESTS_H

#include <openssl/evp.h>

#include "engine/engine.h"

/* Bytes that are worked on before somebody looks whether the call was ended. */
#define AARD__CRYPTO_SLICE ((size_t)1 << 20)

/* The digest that argument `index` names as Web Cryptography does, "SHA-256"; NULL where there is none of that name. */
const EVP_MD *aard__frame_digest(aard__frame *frame, size_t index);

#endif
