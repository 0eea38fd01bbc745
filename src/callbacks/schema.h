/* The subset of JSON Schema (draft 2020-12) that the arguments of callbacks are checked against; docs/callbacks.md lists it.
 *
 * A schema is checked as a whole when it is made: a keyword outside of the subset, or one that has not the form that it must
 * have, is an error that names it.  Afterwards it is immutable, and may be used from any thread. */
#ifndef AARD_CALLBACKS_SCHEMA_H
#define AARD_CALLBACKS_SCHEMA_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct aard__schema aard__schema;

/* Errors: invalid_argument, no_memory. */
aard_error *aard__schema_new(const char *text, size_t len, aard__schema **out);
void aard__schema_free(aard__schema *schema); /* NULL is fine */

/* `true`, `false`, or an object; borrowed. */
const json_t *aard__schema_root(const aard__schema *schema);
/* What a local reference ("#/$defs/name") within it stands for; NULL = there is nothing. */
const json_t *aard__schema_find(const json_t *root, const char *reference);

/* JSON text as a value of jansson's, of any kind; integers that do not fit 64 bits become doubles.  NULL = it is none, or is
 * nested too deeply for it, or has a number that is too large; json_decref. */
json_t *aard__schema_value(const char *text, size_t len);

/* Whether the schema accepts the value; else `why`, which is empty, says where and what: "$.city: …". */
bool aard__schema_accepts(const aard__schema *schema, const json_t *value, aard__buf *why);

#endif
