#include "prelink/string_set.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static size_t place(const aard__string_set *set, const char *text, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    size_t at = (size_t)hash & (set->capacity - 1);
    while (set->slots[at].text && (set->slots[at].len != len || memcmp(set->slots[at].text, text, len) != 0))
        at = (at + 1) & (set->capacity - 1);
    return at;
}

static bool grow(aard__string_set *set)
{
    aard__string_set more = {.capacity = set->capacity ? 2 * set->capacity : 1024};
    more.slots = aard__calloc(more.capacity, sizeof *more.slots);
    if (!more.slots) return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].text) aard__string_set_add(&more, set->slots[i].text, set->slots[i].len);
    aard__string_set_free(set);
    *set = more;
    return true;
}

bool aard__string_set_add(aard__string_set *set, const char *text, size_t len)
{
    if (2 * set->count >= set->capacity && !grow(set)) return false;
    size_t at = place(set, text, len);
    if (set->slots[at].text) return true;
    set->slots[at].text = text;
    set->slots[at].len = len;
    set->count++;
    return true;
}

bool aard__string_set_have(const aard__string_set *set, const char *text, size_t len)
{
    return set->count && set->slots[place(set, text, len)].text;
}

void aard__string_set_free(aard__string_set *set)
{
    aard__free(set->slots);
    *set = (aard__string_set){0};
}
