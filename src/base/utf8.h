/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.
 * Needs nothing of the library: the command has a copy. */
#ifndef AARD_BASE_UTF8_H
#define AARD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The length (1 to 4) of the well-formed sequence at `text`, 0 where there is none. */
size_t aard__utf8_sequence(const char *text, size_t len);

/* How many bytes at `text`, where no well-formed sequence is, make up one error: the longest beginning of a well-formed one,
 * at least one byte (Unicode's "maximal subpart").  `*cut`: it is the end of the text that is missing. */
size_t aard__utf8_bad(const char *text, size_t len, bool *cut);

/* The character of a well-formed sequence of `len` bytes. */
static inline uint32_t aard__utf8_character(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) c = c << 6 | (s[i] & 0x3f);
    return c;
}

bool aard__utf8_valid(const char *text, size_t len);

bool aard__ascii(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
