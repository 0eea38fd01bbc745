/* Characters that must not reach a terminal, or a reader's eye, from somebody else's text: they drive it, break lines, or
 * make text look as it is not.  No library: the command includes this too. */
#ifndef AARD_BASE_UNPRINTABLE_H
#define AARD_BASE_UNPRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Controls, and what Unicode calls format characters: without width, or with a say about the order of others. */
static inline bool aard__unprintable(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},      {0x34f, 0x34f},
                                         {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},  {0x180e, 0x180e},
                                         {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},  {0x3164, 0x3164},
                                         {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},  {0x13430, 0x1343f},
                                         {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
    if (c >= ' ' && c < 0x7f) return false;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

#ifdef __cplusplus
}
#endif

#endif
