#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t aard__utf8_sequence(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    if (!len) return 0;
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    size_t need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len < need) return 0;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return need;
}

#define HIGH UINT64_C(0x8080808080808080)

bool aard__ascii(const char *text, size_t len)
{
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        seen |= word;
    }
    for (; i < len; i++) seen |= (unsigned char)text[i];
    return !(seen & HIGH);
}

bool aard__utf8_valid(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint64_t word;
        if (len - i >= sizeof word) {
            memcpy(&word, text + i, sizeof word);
            if (!(word & HIGH)) {
                i += sizeof word;
                continue;
            }
        }
        size_t step = aard__utf8_sequence(text + i, len - i);
        if (!step) return false;
        i += step;
    }
    return true;
}
