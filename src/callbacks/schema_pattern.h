/* Regular expressions of schemas (ECMA-262, with the flag u). */
#ifndef AARD_CALLBACKS_SCHEMA_PATTERN_H
#define AARD_CALLBACKS_SCHEMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

bool aard__schema_pattern_valid(const char *pattern);
/* Whether it matches somewhere in the text.  False, with `*found` untouched, where that takes too long to be found out. */
bool aard__schema_pattern_find(const char *pattern, const char *text, size_t len, bool *found);

#endif
