/* A set of words, each a run of bytes of a text that outlives the set. */
#ifndef AARD_PRELINK_WORDS_H
#define AARD_PRELINK_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct aard__words {
    struct {
        const char *text; /* NULL where the place is free */
        size_t len;
    } * slots;
    size_t count, capacity; /* the capacity is a power of two, or 0 */
} aard__words;

bool aard__words_add(aard__words *words, const char *text, size_t len); /* false when memory is out */
bool aard__words_have(const aard__words *words, const char *text, size_t len);
void aard__words_free(aard__words *words);

#endif
