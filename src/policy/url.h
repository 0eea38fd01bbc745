/* The URLs of requests.  What is read here is checked and what was checked is fetched: the transport is given the parts,
 * never the text that they were read from.
 *
 * Stricter than the URL Standard: where readers of URLs disagree, the text is no URL. */
#ifndef AARD_POLICY_URL_H
#define AARD_POLICY_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { AARD__URL_HOST_MAX = 253, AARD__URL_MAX = 64 * 1024 };

typedef enum aard__host_kind { AARD__HOST_NAME, AARD__HOST_IPV4, AARD__HOST_IPV6 } aard__host_kind;

typedef struct aard__url {
    bool https; /* else http */
    aard__host_kind kind;
    char host[AARD__URL_HOST_MAX + 1]; /* lower case, ASCII, no dot at its end; addresses in their one canonical form */
    uint16_t port;                     /* the scheme's where the URL has none */
    char *target;                      /* path and query: begins with '/', printable ASCII */
} aard__url;

#define AARD__URL_INIT ((aard__url){.target = NULL})

/* Reads `text`, against `base` where that is not NULL; a fragment is dropped.  NULL, or why it can't be requested:
 * "malformed_url", "scheme_not_allowed" or "credentials_in_url"; `*out` is untouched then.  "" when memory is out. */
const char *aard__url_parse(const char *text, size_t len, const aard__url *base, aard__url *out);
void aard__url_free(aard__url *url);

bool aard__url_same_origin(const aard__url *a, const aard__url *b);

/* Appends the origin ("https://host:port", without the port where it is the scheme's), and the whole. */
void aard__url_put_origin(const aard__url *url, aard__buf *out);
void aard__url_put(const aard__url *url, aard__buf *out);

/* Appends any text for people to read, without what looks like user, password or fragment of a URL. */
void aard__url_put_redacted(const char *text, size_t len, aard__buf *out);

#endif
