/* Schemas: made, checked for the subset, and their references. */
#include "callbacks/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "callbacks/schema_impl.h"
#include "callbacks/schema_pattern.h"

/* Of a name that comes twice another reader could see another value than was checked. */
enum { MOST_REFERENCES = 1000, FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES };

struct aard__schema {
    json_t *root;
};

/* A schema that is being checked. */
typedef struct review {
    const json_t *root;
    const json_t *seen[MOST_REFERENCES]; /* what references stand for */
    size_t seen_count;
    unsigned depth;
} review;

/* Where in the schema it is. */
typedef struct place {
    const struct place *up;
    const char *key;
} place;

typedef enum form {
    ANYTHING,
    ARRAY,
    BOOLEAN,
    COUNT,
    DIALECT,
    NUMBER,
    PATTERN,
    PATTERN_MAP,
    POSITIVE,
    REFERENCE,
    ROOT_TEXT,
    SCHEMA,
    SCHEMAS,
    SCHEMA_MAP,
    TEXT,
    TEXTS,
    TEXTS_MAP,
    TYPES
} form;

typedef struct keyword {
    const char *name;
    form wanted;
} keyword;

static const keyword keywords[] = {
#define KEYWORD(name, form, check) {name, form},
    AARD__SCHEMA_KEYWORDS(KEYWORD)
#undef KEYWORD
};

static aard_error *check_schema(review *r, const json_t *schema, const place *at);

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void put_place(const place *at, aard__buf *out)
{
    if (!at) {
        aard__buf_putc(out, '#');
        return;
    }
    put_place(at->up, out);
    aard__buf_printf(out, "/%s", at->key);
}

static aard_error *refuse(const place *at, const char *what)
{
    aard__buf where = AARD__BUF_INIT;
    put_place(at, &where);
    char *text = aard__buf_take(&where, NULL);
    if (!text) return aard__error_no_memory();
    aard_error *error = aard__error(AARD_ERR_INVALID_ARGUMENT, "the schema at '%s' %s", text, what);
    aard__free(text);
    return error;
}

static const char not_a_pattern[] = "must be a regular expression of ECMAScript (with the flag u) that is supported";
static const char not_in_subset[] =
    "is a keyword outside of the supported subset of JSON Schema; leave it out, or begin "
    "the name of an annotation with 'x-'";

/* ---- forms -------------------------------------------------------------------------------------------------------- */

bool aard__schema_is_integer(const json_t *value)
{
    double number = json_real_value(value);
    return json_is_integer(value) || (json_is_real(value) && floor(number) == number);
}

static bool is_type_name(const json_t *value)
{
    static const char *const names[] = {"null", "boolean", "object", "array", "number", "string", "integer"};
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], text)) return true;
    return false;
}

static bool all_strings(const json_t *array)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)array, i, item) if (!json_is_string(item)) return false;
    return json_is_array(array);
}

static bool are_types(const json_t *value)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(value)) return is_type_name(value);
    json_array_foreach((json_t *)(uintptr_t)value, i, item) if (!is_type_name(item)) return false;
    return json_array_size(value) > 0;
}

static bool is_texts_map(const json_t *value)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item) if (!all_strings(item)) return false;
    return json_is_object(value);
}

static bool is_pattern(const json_t *value)
{
    return json_is_string(value) && aard__schema_pattern_valid(json_string_value(value));
}

static bool are_patterns(const json_t *value)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item) if (!aard__schema_pattern_valid(key)) return false;
    return true;
}

/* Of those drafts the subset means the same in all. */
static bool is_dialect(const json_t *value)
{
    static const char *const known[] = {"json-schema.org/draft/2020-12/schema", "json-schema.org/draft/2019-09/schema",
                                        "json-schema.org/draft-07/schema"};
    const char *text = json_string_value(value), *name = text ? strstr(text, "://") : NULL;
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++) {
        size_t len = strlen(known[i]);
        if (!strncmp(name + 3, known[i], len) && !name[3 + len + (name[3 + len] == '#')]) return true;
    }
    return false;
}

/* What a value of a form that holds no schemas has to be; NULL where it is that. */
static const char *misfit(form wanted, const json_t *value, bool root)
{
    double number = json_number_value(value);
    switch (wanted) {
    case ARRAY: return json_is_array(value) ? NULL : "must be an array";
    case BOOLEAN: return json_is_boolean(value) ? NULL : "must be true or false";
    case COUNT: return aard__schema_is_integer(value) && number >= 0 ? NULL : "must be an integer that is not negative";
    case DIALECT: return is_dialect(value) ? NULL : "names a draft that is not supported; use 2020-12";
    case NUMBER: return json_is_number(value) ? NULL : "must be a number";
    case PATTERN: return is_pattern(value) ? NULL : not_a_pattern;
    case PATTERN_MAP: return are_patterns(value) ? NULL : not_a_pattern;
    case POSITIVE: return json_is_number(value) && number > 0 ? NULL : "must be a number above 0";
    case ROOT_TEXT:
        if (!root) return "is supported at the root only: references are local";
        return json_is_string(value) ? NULL : "must be a string";
    case TEXT: return json_is_string(value) ? NULL : "must be a string";
    case TEXTS: return all_strings(value) ? NULL : "must be an array of strings";
    case TEXTS_MAP: return is_texts_map(value) ? NULL : "must be an object of arrays of strings";
    case TYPES: return are_types(value) ? NULL : "must be the name of a JSON type, or an array of such";
    default: return NULL;
    }
}

static aard_error *check_list(review *r, const json_t *list, const place *at)
{
    size_t i;
    const json_t *item;
    if (!json_array_size(list)) return refuse(at, "must be an array of schemas, and not empty");
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        AARD__TRY(check_schema(r, item, &(place){at, key}));
    }
    return NULL;
}

static aard_error *check_map(review *r, const json_t *map, const place *at)
{
    const char *key;
    json_t *item;
    if (!json_is_object(map)) return refuse(at, "must be an object of schemas");
    json_object_foreach((json_t *)(uintptr_t)map, key, item) AARD__TRY(check_schema(r, item, &(place){at, key}));
    return NULL;
}

/* What it stands for may lie where no keyword leads to. */
static aard_error *check_reference(review *r, const json_t *value, const place *at)
{
    const char *reference = json_string_value(value);
    const json_t *found = reference ? aard__schema_find(r->root, reference) : NULL;
    if (!found) return refuse(at, "is not a reference to a part of this schema, such as '#/$defs/name'");
    for (size_t i = 0; i < r->seen_count; i++)
        if (r->seen[i] == found) return NULL;
    if (r->seen_count == MOST_REFERENCES) return refuse(at, "is one reference too many");
    r->seen[r->seen_count++] = found;
    return found == r->root ? NULL : check_schema(r, found, at);
}

static aard_error *check_keyword(review *r, const keyword *k, const json_t *value, const place *at)
{
    const char *wrong = misfit(k->wanted, value, !at->up);
    if (wrong) return refuse(at, wrong);
    switch (k->wanted) {
    case REFERENCE: return check_reference(r, value, at);
    case SCHEMA:
        if (json_is_array(value)) return refuse(at, "must be a schema; for a tuple use 'prefixItems'");
        return check_schema(r, value, at);
    case SCHEMAS: return check_list(r, value, at);
    case PATTERN_MAP:
    case SCHEMA_MAP: return check_map(r, value, at);
    default: return NULL;
    }
}

static const keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (!strcmp(keywords[i].name, name)) return &keywords[i];
    return NULL;
}

static aard_error *check_members(review *r, const json_t *schema, const place *at)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)schema, name, value)
    {
        const keyword *k = find_keyword(name);
        place below = {at, name};
        if (k)
            AARD__TRY(check_keyword(r, k, value, &below));
        else if (strncmp(name, "x-", 2) != 0)
            return refuse(&below, not_in_subset);
    }
    return NULL;
}

static aard_error *check_schema(review *r, const json_t *schema, const place *at)
{
    if (json_is_boolean(schema)) return NULL;
    if (!json_is_object(schema)) return refuse(at, "must be an object, true or false");
    if (r->depth == AARD__SCHEMA_DEPTH) return refuse(at, "is nested too deeply");
    r->depth++;
    aard_error *error = check_members(r, schema, at);
    r->depth--;
    return error;
}

/* ---- references --------------------------------------------------------------------------------------------------- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One step of a JSON pointer in a URI's fragment, up to the next '/': percent escapes, then those of pointers. */
static bool read_step(const char **at, aard__buf *out)
{
    aard__buf_clear(out);
    for (const char *s = *at; *s && *s != '/'; *at = ++s) {
        char c = *s;
        if (c == '%') {
            int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]);
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            s += 2;
        }
        if (c == '~') {
            s++;
            if (*s != '0' && *s != '1') return false;
            c = *s == '0' ? '~' : '/';
        }
        aard__buf_putc(out, c);
    }
    aard__buf_putc(out, '\0');
    return !out->failed;
}

static const json_t *step_into(const json_t *value, const char *key)
{
    if (!json_is_array(value)) return json_object_get(value, key);
    char *end;
    unsigned long index = strtoul(key, &end, 10);
    return *key >= '0' && *key <= '9' && !*end ? json_array_get(value, index) : NULL;
}

const json_t *aard__schema_find(const json_t *root, const char *reference)
{
    aard__buf key = AARD__BUF_INIT;
    const json_t *found = *reference == '#' ? root : NULL;
    const char *at = reference + 1;
    while (found && *at) {
        if (*at != '/') found = NULL;
        at++;
        if (found) found = read_step(&at, &key) ? step_into(found, key.data) : NULL;
    }
    aard__buf_free(&key);
    return found;
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

json_t *aard__schema_value(const char *text, size_t len)
{
    json_error_t where;
    json_t *value = json_loadb(text, len, FLAGS, &where);
    if (value || json_error_code(&where) != json_error_numeric_overflow) return value;
    return json_loadb(text, len, FLAGS | JSON_DECODE_INT_AS_REAL, NULL);
}

aard_error *aard__schema_new(const char *text, size_t len, aard__schema **out)
{
    json_t *root = aard__schema_value(text, len);
    if (!root) return aard__error(AARD_ERR_INVALID_ARGUMENT, "the schema is not JSON");
    review *r = aard__calloc(1, sizeof *r);
    aard__schema *made = aard__calloc(1, sizeof *made);
    aard_error *error = aard__error_no_memory();
    if (r && made) {
        r->root = root;
        error = check_schema(r, root, NULL);
    }
    aard__free(r);
    if (error) {
        aard__free(made);
        json_decref(root);
        return error;
    }
    made->root = root;
    *out = made;
    return NULL;
}

void aard__schema_free(aard__schema *schema)
{
    if (!schema) return;
    json_decref(schema->root);
    aard__free(schema);
}

const json_t *aard__schema_root(const aard__schema *schema) { return schema->root; }
