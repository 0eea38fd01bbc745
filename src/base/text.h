/* Pieces of text: pointer and length. */
#ifndef AARD_BASE_TEXT_H
#define AARD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* White space of ASCII. */
static inline bool aard__is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Takes ASCII white space off both ends. */
void aard__text_trim(const char **text, size_t *len);

#endif
