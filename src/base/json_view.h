/* Reading JSON in place: views of text that is known to be valid (base/json.h).  Nothing is built, so that numbers keep their
 * digits and values can be handed on as they are. */
#ifndef AARD_BASE_JSON_VIEW_H
#define AARD_BASE_JSON_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One value without white space around it; `len` 0 = there is none. */
typedef struct aard__json {
    const char *data;
    size_t len;
} aard__json;

typedef enum aard__json_kind {
    AARD__JSON_NONE = 0,
    AARD__JSON_OBJECT = 1,
    AARD__JSON_ARRAY = 2,
    AARD__JSON_STRING = 4,
    AARD__JSON_NUMBER = 8,
    AARD__JSON_BOOL = 16,
    AARD__JSON_NULL = 32 /* bits, so that several can be asked for */
} aard__json_kind;

/* The value of a whole text. */
aard__json aard__json_of(const char *text, size_t len);
aard__json_kind aard__json_kind_of(aard__json value);

/* The members of an object, or the items of an array; of anything else there are none. */
typedef struct aard__json_items {
    const char *at, *end;
    bool object;
} aard__json_items;
aard__json_items aard__json_items_of(aard__json container);
/* The next one; `key` (the string as it stands) may be NULL. */
bool aard__json_next(aard__json_items *items, aard__json *key, aard__json *value);

/* Whether a string is that text, which has no character that JSON must escape. */
bool aard__json_is(aard__json string, const char *text);
/* Appends what a string means; lone surrogates become U+FFFD. */
void aard__json_text(aard__json string, aard__buf *out);
/* A whole number that is written as such; false for another. */
bool aard__json_count(aard__json number, uint64_t *out);

#ifdef __cplusplus
}
#endif

#endif
