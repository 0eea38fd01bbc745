/* What a guest may do on the network: which URLs it may ask for, and how much.
 *
 * There are two lists of hosts, the one of the isolate's host and the one of the bundle's manifest; where there are both, a
 * URL has to be on both.  A policy is immutable while a call runs. */
#ifndef AARD_POLICY_NETWORK_H
#define AARD_POLICY_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/address.h"
#include "policy/url.h"

/* Patterns of hosts in the form that aard__host_pattern_read (bundle/manifest_text.h) gives them: "name", "*.name", "1.2.3.4" or
 * "[2001:db8::1]", each perhaps with ":port". */
typedef struct aard__host_list {
    char **patterns;
    size_t count;
} aard__host_list;

aard_error *aard__host_list_add(aard__host_list *list, const char *pattern); /* copied */
void aard__host_list_free(aard__host_list *list);

typedef struct aard__network_limits {
    uint64_t request_bytes, response_bytes;    /* of one body; of a response as it was decoded */
    uint64_t header_bytes;                     /* of all headers of a request, and of a response */
    uint64_t timeout_ms;                       /* for one request with its redirects */
    uint64_t redirects, connections, requests; /* in a request; at a time; in a call, with redirects */
} aard__network_limits;

extern const aard__network_limits aard__network_defaults;

typedef struct aard__network_policy {
    bool closed;                 /* whatever the lists say: no network */
    const aard__host_list *host; /* NULL where that one has no say */
    const aard__host_list *bundle;
    bool https_only;
    bool private_addresses; /* may be reached */
    aard__network_limits limits;
    const char *ca_file; /* whom to believe besides nobody; NULL = whom the system believes */
} aard__network_policy;

/* Bytes of bodies of at most `bytes` each that may wait together: one for each connection and for a request that is waited
 * for. */
uint64_t aard__network_most(const aard__network_limits *limits, uint64_t bytes);

/* NULL where the policy allows a request to `url`; else the word for why it does not: "no_allowlist", "host_not_allowed",
 * "port_not_allowed", "scheme_not_allowed" or, of an address that stands in the URL, "private_address". */
const char *aard__network_refusal(const aard__network_policy *policy, const aard__url *url);

/* The same for what the name in a URL stands for. */
const char *aard__network_address_refusal(const aard__network_policy *policy, const aard__address *address);

/* NULL where a request may have the method, a token; else "malformed_request" or "method_not_allowed". */
const char *aard__network_method_refusal(const char *method, size_t len);

/* NULL where a request to `url` may have the header "name: value"; else "malformed_request" or "header_not_allowed": names
 * that say where the message ends, or whom it is for. */
const char *aard__network_header_refusal(const aard__url *url, const char *name, size_t name_len, const char *value,
                                         size_t value_len);

/* Whether a header is for one origin only, and not for the one that a redirect leads to. */
bool aard__network_header_is_secret(const char *name, size_t len);

#endif
