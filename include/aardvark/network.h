/* What guests may reach on the network; docs/network.md.
 *
 * A guest can reach only hosts on a list: the manifest's resources.network.allow or the host's (below); if both
 * exist, only what is on both.  A bundle whose manifest lists nothing has no network.  Without a manifest, and for
 * inline code without a bundle, the host's list alone decides; without one nothing is allowed.
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

/* False denies all network access, regardless of the lists. Default: true, the lists decide. */
AARD_API void aard_isolate_config_set_network(aard_isolate_config *config, bool open);
AARD_API bool aard_isolate_config_network(const aard_isolate_config *config);

/* Adds to the host's list: "api.example.com", "*.example.com" (any name below it, not itself), an IPv4 address or an
 * IPv6 address in brackets, each optionally with ":port"; without one, any port except those of other protocols.
 * Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_allow_host(aard_isolate_config *config, const char *pattern);
/* The host's list: patterns in lower case. */
AARD_API size_t aard_isolate_config_host_count(const aard_isolate_config *config);
AARD_API const char *aard_isolate_config_host(const aard_isolate_config *config, size_t index);

/* Whether http is refused. Default: as the manifest says; refused if there is none. */
AARD_API void aard_isolate_config_set_https_only(aard_isolate_config *config, bool https_only);
/* True if the host has set it, with the value in `*https_only` (may be NULL); else false, with `*https_only`
 * untouched. */
AARD_API bool aard_isolate_config_https_only(const aard_isolate_config *config, bool *https_only);

/* Whether URLs may name, and names resolve to, addresses outside the public Internet, such as loopback, private
 * networks, link-local and metadata services.  Only a host can allow this.  Default: false. */
AARD_API void aard_isolate_config_set_private_addresses(aard_isolate_config *config, bool allow);
AARD_API bool aard_isolate_config_private_addresses(const aard_isolate_config *config);

/* A CA bundle (PEM) to verify servers with; NULL selects the system's.
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
/* The value in force: the default if it is 0 or not set. */
AARD_API uint64_t aard_isolate_config_network_limit(const aard_isolate_config *config, aard_network_limit which);

#ifdef __cplusplus
}
#endif

#endif
