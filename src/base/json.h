/* Checking JSON text (RFC 8259) without building anything. */
#ifndef AARD_BASE_JSON_H
#define AARD_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True when `text` is one JSON value (any), in UTF-8, with at most white space around it.  On false, `*where` (may be
 * NULL) gets the offset of the first byte that can't be right.  Depth costs one bit a level, never stack. */
bool aard__json_valid(const char *text, size_t len, size_t *where);

/* The same, of a text that is nested to at most `most` levels; `*deep` tells that this is what is wrong with it. */
bool aard__json_valid_to(const char *text, size_t len, size_t most, bool *deep, size_t *where);

/* How many bytes at the start of `text` are ASCII that stands for itself in a JSON string. */
size_t aard__json_plain(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
