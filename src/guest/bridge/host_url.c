#include "base/buf.h"
#include "guest/bridge/host.h"
#include "policy/domain.h"

static void host_domain_to_ascii(aard__frame *frame, void *user)
{
    (void)user;
    aard__buf *domain = aard__frame_scratch(frame), *ascii = aard__frame_scratch(frame);
    if (aard__frame_string(frame, 0, domain) && !domain->failed &&
        aard__domain_to_ascii(domain->data, domain->len, ascii))
        aard__frame_return_utf8(frame, ascii->data, ascii->len);
    else
        aard__frame_return_null(frame);
}

/*   domainToAscii(string) -> string, or null for failure: "domain parser ToASCII" of the URL Standard, not strict */
const aard__host_entry aard__host_url[] = {
    {"domainToAscii", host_domain_to_ascii},
    {NULL, NULL},
};
