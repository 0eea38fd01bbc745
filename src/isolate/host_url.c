#include <stdbool.h>
#include <unicode/uidna.h>

#include "base/buf.h"
#include "isolate/host.h"

#define UIDNA_OPTIONS                                                                                                  \
    (UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE)

/* UTS #46 with CheckHyphens and VerifyDnsLength false, as the URL Standard wants it; ICU checks both always. */
#define UIDNA_PARDONED                                                                                                 \
    (UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4 | UIDNA_ERROR_EMPTY_LABEL |     \
     UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG)

/* Bytes of UTF-8.  A name may have 253 characters; what is far beyond that can take ICU time that grows with the square
 * of its length (marks to be put in order), and no limit on the guest's time reaches into a host function. */
enum { MOST_DOMAIN = 16 * 1024 };

/* Appends the ASCII form of `domain`; false where it has none. */
static bool to_ascii(const UIDNA *idna, const aard__buf *domain, aard__buf *out)
{
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode status = U_ZERO_ERROR;
    if (!aard__buf_reserve(out, domain->len * 2 + 64)) return false;
    int32_t len = uidna_nameToASCII_UTF8(idna, domain->data ? domain->data : "", (int32_t)domain->len, out->data,
                                         (int32_t)out->cap, &info, &status);
    if (status == U_BUFFER_OVERFLOW_ERROR) {
        info = (UIDNAInfo)UIDNA_INFO_INITIALIZER;
        status = U_ZERO_ERROR;
        if (!aard__buf_reserve(out, (size_t)len + 1)) return false;
        len = uidna_nameToASCII_UTF8(idna, domain->data, (int32_t)domain->len, out->data, (int32_t)out->cap, &info,
                                     &status);
    }
    if (U_FAILURE(status) || info.errors & ~(uint32_t)UIDNA_PARDONED) return false;
    out->len = (size_t)len;
    return true;
}

static void host_domain_to_ascii(aard__frame *frame, void *user)
{
    (void)user;
    aard__buf domain = AARD__BUF_INIT, ascii = AARD__BUF_INIT;
    UErrorCode status = U_ZERO_ERROR;
    UIDNA *idna = uidna_openUTS46(UIDNA_OPTIONS, &status); /* shared data behind it: cheap to open */
    if (U_SUCCESS(status) && aard__frame_string(frame, 0, &domain) && !domain.failed && domain.len <= MOST_DOMAIN &&
        to_ascii(idna, &domain, &ascii))
        aard__frame_return_utf8(frame, ascii.data, ascii.len);
    else
        aard__frame_return_null(frame);
    if (U_SUCCESS(status)) uidna_close(idna);
    aard__buf_free(&domain);
    aard__buf_free(&ascii);
}

/*   domainToAscii(string) -> string, or null for failure: "domain parser ToASCII" of the URL Standard, not strict */
const aard__host_entry aard__host_url[] = {
    {"domainToAscii", host_domain_to_ascii},
    {NULL, NULL},
};
