/* Base64 of RFC 4648, with padding.  libsodium's does without tables to hide what it encodes, and takes six times as long. */
#ifndef AARD_BASE_BASE64_H
#define AARD_BASE_BASE64_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many characters `len` bytes become. */
static inline size_t aard__base64_len(size_t len) { return (len + 2) / 3 * 4; }

/* Writes that many to `out`, with no NUL; gives the place behind them. */
char *aard__base64(char *out, const void *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
