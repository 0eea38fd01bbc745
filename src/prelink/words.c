#include "prelink/words.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static size_t place(const aard__words *words, const char *text, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    size_t at = (size_t)hash & (words->capacity - 1);
    while (words->slots[at].text && (words->slots[at].len != len || memcmp(words->slots[at].text, text, len) != 0))
        at = (at + 1) & (words->capacity - 1);
    return at;
}

static bool grow(aard__words *words)
{
    aard__words more = {.capacity = words->capacity ? 2 * words->capacity : 1024};
    more.slots = aard__calloc(more.capacity, sizeof *more.slots);
    if (!more.slots) return false;
    for (size_t i = 0; i < words->capacity; i++)
        if (words->slots[i].text) aard__words_add(&more, words->slots[i].text, words->slots[i].len);
    aard__words_free(words);
    *words = more;
    return true;
}

bool aard__words_add(aard__words *words, const char *text, size_t len)
{
    if (2 * words->count >= words->capacity && !grow(words)) return false;
    size_t at = place(words, text, len);
    if (words->slots[at].text) return true;
    words->slots[at].text = text;
    words->slots[at].len = len;
    words->count++;
    return true;
}

bool aard__words_have(const aard__words *words, const char *text, size_t len)
{
    return words->count && words->slots[place(words, text, len)].text;
}

void aard__words_free(aard__words *words)
{
    aard__free(words->slots);
    *words = (aard__words){0};
}
