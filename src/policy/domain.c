#include "policy/domain.h"

#include <unicode/uidna.h>

#define UIDNA_OPTIONS                                                                                                  \
    (UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE)

/* UTS #46 with CheckHyphens and VerifyDnsLength false, as the URL Standard wants it; ICU checks both always. */
#define UIDNA_PARDONED                                                                                                 \
    (UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4 | UIDNA_ERROR_EMPTY_LABEL |     \
     UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG)

/* Bytes of UTF-8.  A name may have 253 characters; what is far beyond that can take ICU time that grows with the square
 * of its length (marks to be put in order), and no limit on the guest's time reaches into a host function. */
enum { MOST_DOMAIN = 4 * 1024 };

static bool to_ascii(const UIDNA *idna, const char *domain, size_t len, aard__buf *out)
{
    size_t room = len * 2 + 64;
    for (int attempt = 0; attempt < 2; attempt++) {
        UIDNAInfo info = UIDNA_INFO_INITIALIZER;
        UErrorCode status = U_ZERO_ERROR;
        if (!aard__buf_reserve(out, room)) return false;
        int32_t ascii = uidna_nameToASCII_UTF8(idna, domain, (int32_t)len, out->data + out->len,
                                               (int32_t)(out->cap - out->len), &info, &status);
        if (status == U_BUFFER_OVERFLOW_ERROR) {
            room = (size_t)ascii + 1;
            continue;
        }
        if (U_FAILURE(status) || info.errors & ~(uint32_t)UIDNA_PARDONED) return false;
        out->len += (size_t)ascii;
        return true;
    }
    return false;
}

bool aard__domain_to_ascii(const char *domain, size_t len, aard__buf *out)
{
    UErrorCode status = U_ZERO_ERROR;
    if (len > MOST_DOMAIN) return false;
    UIDNA *idna = uidna_openUTS46(UIDNA_OPTIONS, &status); /* shared data behind it: cheap to open */
    if (U_FAILURE(status)) return false;
    bool fits = to_ascii(idna, len ? domain : "", len, out);
    uidna_close(idna);
    return fits;
}
