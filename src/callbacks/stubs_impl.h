/* What the stubs of all languages read out of schemas. */
#ifndef AARD_CALLBACKS_STUBS_IMPL_H
#define AARD_CALLBACKS_STUBS_IMPL_H

#include "callbacks/stubs.h"

enum { AARD__STUB_DEPTH = 8 }; /* deeper, and where a schema refers to itself, a type is any */

/* The schema that a chain of references from `schema` ends at; NULL where it does not end. */
const json_t *aard__stub_schema(const json_t *root, const json_t *schema);

/* The schemas of alternatives (anyOf, oneOf), or NULL. */
const json_t *aard__stub_alternatives(const json_t *schema);
/* The values that are allowed, if those are listed: an array, or NULL; json_decref. */
json_t *aard__stub_values(const json_t *schema);

bool aard__stub_is_required(const json_t *schema, const char *name);
/* Whether properties that are not listed are meant to be given. */
bool aard__stub_is_open(const json_t *schema);

/* One line of a description after the other, each behind `lead`, with `escape` done to what would end the comment. */
void aard__stub_lines(const char *text, const char *lead, void (*escape)(aard__buf *out, const char *at),
                      aard__buf *out);

#endif
