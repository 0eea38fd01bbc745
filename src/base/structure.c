/* Structures that a caller fills. */
#include "base/structure.h"

#include <string.h>

enum { SIZE_MAX_READ = 4096 }; /* more is no structure of ours, in whatever version */

const char *aard__structure_read(const void *given, void *out, size_t size)
{
    size_t have;
    memcpy(&have, given, sizeof have);
    if (have < sizeof have || have > SIZE_MAX_READ) return "struct_size is not set; set it to the structure's sizeof";
    for (size_t i = size; i < have; i++)
        if (((const unsigned char *)given)[i])
            return "a member is set that this version of the library does not have; leave it 0, or use a newer library";
    memset(out, 0, size);
    memcpy(out, given, have < size ? have : size);
    return NULL;
}
