/* The keywords of the subset of JSON Schema, once. */
#ifndef AARD_CALLBACKS_SCHEMA_IMPL_H
#define AARD_CALLBACKS_SCHEMA_IMPL_H

#include "callbacks/schema.h"

/* X(keyword, form of its value, what it is checked by; beside = by another keyword, or by none: an annotation) */
#define AARD__SCHEMA_KEYWORDS(X)                                                                                       \
    X("$comment", TEXT, beside)                                                                                        \
    X("$defs", SCHEMA_MAP, beside)                                                                                     \
    X("$id", ROOT_TEXT, beside)                                                                                        \
    X("$ref", REFERENCE, ref)                                                                                          \
    X("$schema", DIALECT, beside)                                                                                      \
    X("additionalProperties", SCHEMA, additional_properties)                                                           \
    X("allOf", SCHEMAS, all_of)                                                                                        \
    X("anyOf", SCHEMAS, any_of)                                                                                        \
    X("const", ANYTHING, const)                                                                                        \
    X("contains", SCHEMA, contains)                                                                                    \
    X("contentEncoding", TEXT, beside)                                                                                 \
    X("contentMediaType", TEXT, beside)                                                                                \
    X("default", ANYTHING, beside)                                                                                     \
    X("definitions", SCHEMA_MAP, beside)                                                                               \
    X("dependentRequired", TEXTS_MAP, dependent_required)                                                              \
    X("dependentSchemas", SCHEMA_MAP, dependent_schemas)                                                               \
    X("deprecated", BOOLEAN, beside)                                                                                   \
    X("description", TEXT, beside)                                                                                     \
    X("else", SCHEMA, beside)                                                                                          \
    X("enum", ARRAY, enum)                                                                                             \
    X("examples", ARRAY, beside)                                                                                       \
    X("exclusiveMaximum", NUMBER, exclusive_maximum)                                                                   \
    X("exclusiveMinimum", NUMBER, exclusive_minimum)                                                                   \
    X("format", TEXT, beside)                                                                                          \
    X("if", SCHEMA, if)                                                                                                \
    X("items", SCHEMA, items)                                                                                          \
    X("maxContains", COUNT, beside)                                                                                    \
    X("maxItems", COUNT, max_items)                                                                                    \
    X("maxLength", COUNT, max_length)                                                                                  \
    X("maxProperties", COUNT, max_properties)                                                                          \
    X("maximum", NUMBER, maximum)                                                                                      \
    X("minContains", COUNT, beside)                                                                                    \
    X("minItems", COUNT, min_items)                                                                                    \
    X("minLength", COUNT, min_length)                                                                                  \
    X("minProperties", COUNT, min_properties)                                                                          \
    X("minimum", NUMBER, minimum)                                                                                      \
    X("multipleOf", POSITIVE, multiple_of)                                                                             \
    X("not", SCHEMA, not )                                                                                             \
    X("oneOf", SCHEMAS, one_of)                                                                                        \
    X("pattern", PATTERN, pattern)                                                                                     \
    X("patternProperties", PATTERN_MAP, pattern_properties)                                                            \
    X("prefixItems", SCHEMAS, prefix_items)                                                                            \
    X("properties", SCHEMA_MAP, properties)                                                                            \
    X("propertyNames", SCHEMA, property_names)                                                                         \
    X("readOnly", BOOLEAN, beside)                                                                                     \
    X("required", TEXTS, required)                                                                                     \
    X("then", SCHEMA, beside)                                                                                          \
    X("title", TEXT, beside)                                                                                           \
    X("type", TYPES, type)                                                                                             \
    X("uniqueItems", BOOLEAN, unique_items)                                                                            \
    X("writeOnly", BOOLEAN, beside)

enum { AARD__SCHEMA_DEPTH = 200 }; /* of a schema */

enum { AARD__SCHEMA_WORK = 1000000 }; /* steps that the check of one value may take: a guest makes values */

/* Holds every 64-bit integer and every double. */
long double aard__schema_number(const json_t *value);
/* Counts its steps into `*work`; false once that is AARD__SCHEMA_WORK. */
bool aard__schema_equal(const json_t *a, const json_t *b, unsigned *work);

/* Where in the value it is: below `up`, a member by its name, or an item where that is NULL. */
typedef struct aard__schema_step {
    const struct aard__schema_step *up;
    const char *key;
    size_t index;
} aard__schema_step;

void aard__schema_put_path(const aard__schema_step *at, aard__buf *out); /* "$.list[3].name" */

bool aard__schema_is_integer(const json_t *value); /* 1.0 is one */

#endif
