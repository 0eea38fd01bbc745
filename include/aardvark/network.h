/* What guests may reach on the network; docs/network.md.
 *
 * A guest reaches nothing but what a list allows: the manifest's resources.network.allow, the host's (below), and where
 * there are both, what is on both.  A bundle whose manifest lists nothing reaches nothing.  Without a manifest, and for
 * inline code without a bundle, the host's list alone decides, and without one nothing is allowed.
 *
 * The functions are setters of a configuration: see aardvark/isolate.h. */
#ifndef AARDVARK_NETWORK_H
#define AARDVARK_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>
#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* False closes the network whatever the lists say.  Default: true, the lists decide. */
AARD_API void aard_isolate_config_set_network(aard_isolate_config *config, bool open);
AARD_API bool aard_isolate_config_network(const aard_isolate_config *config);

/* Adds to the host's list: "api.example.com", "*.example.com" (any name below it, not itself), an IPv4 address or an
 * IPv6 address in brackets, each perhaps with ":port"; without one, any port that is no other protocol's.  Errors:
 * invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_allow_host(aard_isolate_config *config, const char *pattern);
/* The host's list: patterns in lower case. */
AARD_API size_t aard_isolate_config_host_count(const aard_isolate_config *config);
AARD_API const char *aard_isolate_config_host(const aard_isolate_config *config, size_t index);

/* Whether http is refused.  Default: as the manifest says, and where there is none, it is. */
AARD_API void aard_isolate_config_set_https_only(aard_isolate_config *config, bool https_only);
/* True where the host has set it, and then `*https_only` (may be NULL) is what; false, with `*https_only` untouched,
 * else. */
AARD_API bool aard_isolate_config_https_only(const aard_isolate_config *config, bool *https_only);

/* Whether names may stand for, and URLs name, addresses that are not of the public Internet: loopback, private
 * networks, link-local and metadata services among them.  Only a host can say so.  Default: false. */
AARD_API void aard_isolate_config_set_private_addresses(aard_isolate_config *config, bool allow);
AARD_API bool aard_isolate_config_private_addresses(const aard_isolate_config *config);

/* A file of certificates (PEM) that servers are checked against, in place of the system's; NULL = the system's.
 * Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_set_ca_file(aard_isolate_config *config, const char *path);
AARD_API const char *aard_isolate_config_ca_file(const aard_isolate_config *config);

/* X(constant, member): what is limited. */
#define AARD_NETWORK_LIMIT_MAP(X)                                                                                      \
    X(AARD_NETWORK_REQUEST_BYTES, request_bytes)   /* of a request's body; default 16 MiB */                           \
    X(AARD_NETWORK_RESPONSE_BYTES, response_bytes) /* of a response's body, decoded; default 16 MiB */                 \
    X(AARD_NETWORK_HEADER_BYTES, header_bytes)     /* of a request's, of a response's headers; default 64 KiB */       \
    X(AARD_NETWORK_TIMEOUT_MS, timeout_ms)         /* of a request with its redirects; default 30 000 */               \
    X(AARD_NETWORK_REDIRECTS, redirects)           /* that one request follows; default 10 */                          \
    X(AARD_NETWORK_CONNECTIONS, connections)       /* requests under way at a time, others wait; default 8 */          \
    X(AARD_NETWORK_REQUESTS, requests)             /* of a call, redirects included; default 200 */

typedef enum aard_network_limit {
#define AARD_NETWORK_LIMIT_ENUM(constant, member) constant,
    AARD_NETWORK_LIMIT_MAP(AARD_NETWORK_LIMIT_ENUM)
#undef AARD_NETWORK_LIMIT_ENUM
} aard_network_limit;

/* 0 = the default.  The manifest's maxRequestBytes, maxResponseBytes and timeoutMs only tighten them. */
AARD_API void aard_isolate_config_set_network_limit(aard_isolate_config *config, aard_network_limit which,
                                                    uint64_t value);
/* What holds: the default where it was set to 0 or not at all. */
AARD_API uint64_t aard_isolate_config_network_limit(const aard_isolate_config *config, aard_network_limit which);

#ifdef __cplusplus
}
#endif

#endif
