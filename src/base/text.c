#include "base/text.h"

void aard__text_trim(const char **text, size_t *len)
{
    while (*len && aard__is_space(**text)) {
        ++*text;
        --*len;
    }
    while (*len && aard__is_space((*text)[*len - 1])) --*len;
}
