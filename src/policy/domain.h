/* Domain names as the URL Standard takes them. */
#ifndef AARD_POLICY_DOMAIN_H
#define AARD_POLICY_DOMAIN_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends the ASCII form of `domain` (UTF-8): "domain parser ToASCII" of the URL Standard, not strict.  False where it has
 * none, or memory is out. */
bool aard__domain_to_ascii(const char *domain, size_t len, aard__buf *out);

#endif
