/* One input: an overlay, whose digest is put right first, since the fuzzer would never find one that fits. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "warm/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { DIGEST_AT = 40, HEADER = DIGEST_AT + AARD__HASH_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len) memcpy(copy, data, len);
    if (len >= HEADER) {
        aard__hasher hasher;
        aard__hash_start(&hasher);
        aard__hash_add(&hasher, copy, DIGEST_AT);
        aard__hash_add(&hasher, copy + HEADER, len - HEADER);
        aard__hash_end(&hasher, copy + DIGEST_AT);
    }
    aard_error *error = aard__overlay_check(copy, len, "fuzz", NULL);
    if (error && aard_error_get_code(error) != AARD_ERR_WARM_CORRUPT) abort();
    aard_error_free(error);
    free(copy);
    return 0;
}
