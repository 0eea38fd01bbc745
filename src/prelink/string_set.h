/* A set of strings, each a run of bytes of a text that outlives the set. */
#ifndef AARD_PRELINK_STRING_SET_H
#define AARD_PRELINK_STRING_SET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct aard__string_set {
    struct {
        const char *text; /* NULL where the place is free */
        size_t len;
    } * slots;
    size_t count, capacity; /* the capacity is a power of two, or 0 */
} aard__string_set;

bool aard__string_set_add(aard__string_set *set, const char *text, size_t len); /* false when memory is out */
bool aard__string_set_have(const aard__string_set *set, const char *text, size_t len);
void aard__string_set_free(aard__string_set *set);

#endif
