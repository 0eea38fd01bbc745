/* The hosts that a network allowlist names. */
#ifndef AARD_POLICY_HOST_PATTERN_H
#define AARD_POLICY_HOST_PATTERN_H

#include <stddef.h>

/* A host of the network allowlist: name, "*." and a name, IPv4, or IPv6 in brackets; then optionally ":port".  Writes its
 * one canonical form, new memory (aard__free), to `*out` and gives NULL; or the rule that was broken, as the second half of
 * a message, with nothing written.  When memory is out both are NULL. */
const char *aard__host_pattern_read(const char *text, size_t len, char **out);

#endif
