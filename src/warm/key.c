/* Keys of images: lines of "name=value". */
#include <string.h>

#include "warm/image.h"

const char *aard__key_find(const char *key, const char *name, const char *after, size_t *len)
{
    size_t name_len = strlen(name);
    const char *line = key;
    if (after) {
        line = strchr(after, '\n');
        line = line ? line + 1 : "";
    }
    while (*line) {
        const char *end = strchr(line, '\n');
        if (!end) return NULL;
        if ((size_t)(end - line) > name_len && line[name_len] == '=' && !memcmp(line, name, name_len)) {
            *len = (size_t)(end - line) - name_len - 1;
            return line + name_len + 1;
        }
        line = end + 1;
    }
    return NULL;
}
