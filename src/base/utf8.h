/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef AARD_BASE_UTF8_H
#define AARD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The length (1 to 4) of the well-formed sequence at `text`, 0 where there is none. */
size_t aard__utf8_sequence(const char *text, size_t len);

bool aard__utf8_valid(const char *text, size_t len);

bool aard__ascii(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
