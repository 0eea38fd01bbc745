#include "base/utf8.h"

#include <string.h>

/* How long a sequence that begins with `first` is, 0 where none does; its second byte lies between `*low` and `*high`, the
 * others between 0x80 and 0xbf. */
static inline size_t beginning(unsigned char first, unsigned char *low, unsigned char *high)
{
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t aard__utf8_sequence(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low, high;
    if (!len) return 0;
    size_t need = beginning(s[0], &low, &high);
    if (need < 2) return need;
    if (len < need || s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return need;
}

size_t aard__utf8_bad(const char *text, size_t len, bool *cut)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low, high;
    size_t need = beginning(s[0], &low, &high), have = 1;
    if (have < need && have < len && s[1] >= low && s[1] <= high) have++;
    while (have > 1 && have < need && have < len && (s[have] & 0xc0) == 0x80) have++;
    *cut = have < need && have == len;
    return have;
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
