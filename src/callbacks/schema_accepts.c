/* Values against schemas. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callbacks/schema_impl.h"
#include "callbacks/schema_pattern.h"

/* Of both there is no more than a schema and a value of ours need; a value is made by a guest. */
enum { MOST_DEPTH = 1000 };

/* A value that is being checked. */
typedef struct check {
    const json_t *root; /* of the schema */
    aard__buf *why;
    unsigned quiet; /* within a schema whose refusal is not the value's */
    unsigned depth, work;
    bool given_up; /* it took too much: nothing is accepted any more */
} check;

typedef aard__schema_step step;

static bool accepts(check *c, const json_t *schema, const json_t *value, const step *at);

/* ---- refusals ----------------------------------------------------------------------------------------------------- */

static bool refuse(check *c, const step *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool refuse(check *c, const step *at, const char *format, ...)
{
    char what[300];
    if (c->quiet || c->why->len) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    aard__schema_put_path(at, c->why);
    aard__buf_printf(c->why, ": %s", what);
    return false;
}

static bool give_up(check *c, const step *at)
{
    c->quiet = 0;
    refuse(c, at, "it is too large, or nested too deeply, to be checked");
    c->given_up = true;
    return false;
}

static bool has_work(check *c, const step *at)
{
    if (c->given_up) return false;
    return ++c->work < AARD__SCHEMA_WORK || give_up(c, at);
}

/* Whether it would be accepted, without a word. */
static bool would_accept(check *c, const json_t *schema, const json_t *value, const step *at)
{
    c->quiet++;
    bool accepted = accepts(c, schema, value, at);
    if (!c->given_up) c->quiet--;
    return accepted;
}

static json_t *writable(const json_t *value) { return (json_t *)(uintptr_t)value; } /* for jansson's loops */

/* ---- any value ---------------------------------------------------------------------------------------------------- */

/* A keyword's function: `rule` is the keyword's value, in `schema`. */
#define RULE(name)                                                                                                     \
    static bool check_##name(check *c, const json_t *schema, const json_t *rule, const json_t *value, const step *at)

static const char *type_of(const json_t *value)
{
    static const char *const names[] = {"an object", "an array", "a string", "an integer",
                                        "a number",  "true",     "false",    "null"};
    return names[json_typeof(value)];
}

static bool is_of(const json_t *value, const char *type)
{
    switch (*type) {
    case 'i': return aard__schema_is_integer(value);
    case 'o': return json_is_object(value);
    case 'a': return json_is_array(value);
    case 's': return json_is_string(value);
    case 'b': return json_is_boolean(value);
    case 'n': return type[2] == 'm' ? json_is_number(value) : json_is_null(value);
    default: return false;
    }
}

RULE(type)
{
    size_t i;
    const json_t *item;
    (void)schema;
    if (json_is_string(rule)) {
        const char *type = json_string_value(rule);
        return is_of(value, type) || refuse(c, at, "it must be of type %s, and is %s", type, type_of(value));
    }
    json_array_foreach(writable(rule), i, item) if (is_of(value, json_string_value(item))) return true;
    return refuse(c, at, "it must be of another type than %s", type_of(value));
}

RULE(enum)
{
    size_t i;
    const json_t *item;
    (void)schema;
    json_array_foreach(writable(rule), i, item) if (aard__schema_equal(value, item, &c->work)) return true;
    char *allowed = json_dumps(rule, JSON_COMPACT | JSON_ENCODE_ANY);
    refuse(c, at, "it must be one of %s", allowed ? allowed : "the listed values");
    free(allowed);
    return false;
}

RULE(const)
{
    (void)schema;
    return aard__schema_equal(value, rule, &c->work) || refuse(c, at, "it is not the one value that is allowed");
}

RULE(ref)
{
    const json_t *found = aard__schema_find(c->root, json_string_value(rule));
    (void)schema;
    return found && accepts(c, found, value, at);
}

/* ---- schemas beside and within ------------------------------------------------------------------------------------ */

RULE(all_of)
{
    size_t i;
    const json_t *item;
    (void)schema;
    json_array_foreach(writable(rule), i, item) if (!accepts(c, item, value, at)) return false;
    return true;
}

static size_t count_accepting(check *c, const json_t *schemas, const json_t *value, const step *at, size_t most)
{
    size_t i, count = 0;
    const json_t *item;
    json_array_foreach(writable(schemas), i, item) if (count < most) count += would_accept(c, item, value, at);
    return count;
}

RULE(any_of)
{
    (void)schema;
    if (json_array_size(rule) == 1) return accepts(c, json_array_get(rule, 0), value, at);
    return count_accepting(c, rule, value, at, 1) > 0 || refuse(c, at, "it fits none of the alternatives (anyOf)");
}

RULE(one_of)
{
    size_t count = count_accepting(c, rule, value, at, 2);
    (void)schema;
    return count == 1 || refuse(c, at, "it fits %s of the alternatives (oneOf)", count ? "more than one" : "none");
}

RULE(not )
{
    (void)schema;
    return !would_accept(c, rule, value, at) || refuse(c, at, "it is what is excluded (not)");
}

RULE(if)
{
    const json_t *next = json_object_get(schema, would_accept(c, rule, value, at) ? "then" : "else");
    return !next || accepts(c, next, value, at);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static bool compare(check *c, const json_t *value, const step *at, bool fits, const char *how, const json_t *limit)
{
    return !json_is_number(value) || fits || refuse(c, at, "it must be %s %.15Lg", how, aard__schema_number(limit));
}

RULE(minimum)
{
    (void)schema;
    return compare(c, value, at, aard__schema_number(value) >= aard__schema_number(rule), "at least", rule);
}

RULE(maximum)
{
    (void)schema;
    return compare(c, value, at, aard__schema_number(value) <= aard__schema_number(rule), "at most", rule);
}

RULE(exclusive_minimum)
{
    (void)schema;
    return compare(c, value, at, aard__schema_number(value) > aard__schema_number(rule), "more than", rule);
}

RULE(exclusive_maximum)
{
    (void)schema;
    return compare(c, value, at, aard__schema_number(value) < aard__schema_number(rule), "less than", rule);
}

/* 0.0075 is a multiple of 0.0001, though neither is what it says in binary. */
static bool is_multiple(long double number, long double of)
{
    if (fmodl(number, of) == 0) return true;
    long double times = number / of;
    return fabsl(times) < 9e18L && fabsl(times - roundl(times)) <= fabsl(times) * 1e-15L;
}

RULE(multiple_of)
{
    (void)schema;
    return compare(c, value, at, is_multiple(aard__schema_number(value), aard__schema_number(rule)), "a multiple of",
                   rule);
}

/* ---- strings ------------------------------------------------------------------------------------------------------ */

static size_t characters(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value), count = 0;
    for (size_t i = 0; i < len; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* A count of the value's: whether it is within a limit. */
static bool within(check *c, const step *at, size_t count, const json_t *limit, bool most, const char *what)
{
    long double number = aard__schema_number(limit);
    if (most ? (long double)count <= number : (long double)count >= number) return true;
    return refuse(c, at, "it has %zu %s; it may have %s %.15Lg", count, what, most ? "at most" : "no less than",
                  number);
}

RULE(min_length)
{
    (void)schema;
    return !json_is_string(value) || within(c, at, characters(value), rule, false, "characters");
}

RULE(max_length)
{
    (void)schema;
    return !json_is_string(value) || within(c, at, characters(value), rule, true, "characters");
}

/* Nothing is accepted where it takes too long to find out. */
static bool matches(check *c, const char *pattern, const char *text, size_t len, const step *at)
{
    bool found = false;
    c->work += (unsigned)(len / 16);
    if (!has_work(c, at) || !aard__schema_pattern_find(pattern, text, len, &found)) give_up(c, at);
    return found;
}

RULE(pattern)
{
    (void)schema;
    if (!json_is_string(value)) return true;
    return matches(c, json_string_value(rule), json_string_value(value), json_string_length(value), at) ||
           refuse(c, at, "it must match the pattern '%s'", json_string_value(rule));
}

/* ---- arrays ------------------------------------------------------------------------------------------------------- */

RULE(min_items)
{
    (void)schema;
    return !json_is_array(value) || within(c, at, json_array_size(value), rule, false, "items");
}

RULE(max_items)
{
    (void)schema;
    return !json_is_array(value) || within(c, at, json_array_size(value), rule, true, "items");
}

/* Items from `first` to before `end`, each by its own schema of a list, or all by one. */
static bool items_fit(check *c, const json_t *schemas, const json_t *value, size_t first, size_t end, const step *at)
{
    for (size_t i = first; i < end; i++) {
        const json_t *schema = json_is_array(schemas) ? json_array_get(schemas, i) : schemas;
        if (!accepts(c, schema, json_array_get(value, i), &(step){at, NULL, i})) return false;
    }
    return true;
}

RULE(prefix_items)
{
    size_t count = json_array_size(value), listed = json_array_size(rule);
    (void)schema;
    return items_fit(c, rule, value, 0, count < listed ? count : listed, at);
}

RULE(items)
{
    size_t first = json_array_size(json_object_get(schema, "prefixItems"));
    return items_fit(c, rule, value, first, json_array_size(value), at);
}

RULE(contains)
{
    size_t i, count = 0;
    const json_t *item, *least = json_object_get(schema, "minContains"), *most = json_object_get(schema, "maxContains");
    if (!json_is_array(value)) return true;
    json_array_foreach(writable(value), i, item) count += would_accept(c, rule, item, &(step){at, NULL, i});
    long double number = (long double)count;
    if (number >= (least ? aard__schema_number(least) : 1) && (!most || number <= aard__schema_number(most)))
        return true;
    return refuse(c, at, "%zu of its items are of the kind that it must contain, which is too %s", count,
                  most && number > aard__schema_number(most) ? "many" : "few");
}

RULE(unique_items)
{
    size_t count = json_is_true(rule) ? json_array_size(value) : 0;
    (void)schema;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (aard__schema_equal(json_array_get(value, i), json_array_get(value, j), &c->work))
                return refuse(c, at, "its items %zu and %zu are the same", j, i);
    return !c->given_up;
}

/* ---- objects ------------------------------------------------------------------------------------------------------ */

RULE(min_properties)
{
    (void)schema;
    return !json_is_object(value) || within(c, at, json_object_size(value), rule, false, "properties");
}

RULE(max_properties)
{
    (void)schema;
    return !json_is_object(value) || within(c, at, json_object_size(value), rule, true, "properties");
}

static bool has_all(check *c, const json_t *names, const json_t *value, const step *at)
{
    size_t i;
    const json_t *name;
    json_array_foreach(writable(names), i, name) if (!json_object_get(value, json_string_value(name))) return refuse(
        c, at, "'%s' is missing", json_string_value(name));
    return true;
}

RULE(required)
{
    (void)schema;
    return !json_is_object(value) || has_all(c, rule, value, at);
}

RULE(properties)
{
    const char *key;
    json_t *item;
    (void)schema;
    json_object_foreach(writable(rule), key, item)
    {
        const json_t *member = json_object_get(value, key);
        if (member && !accepts(c, item, member, &(step){at, key, 0})) return false;
    }
    return true;
}

RULE(pattern_properties)
{
    const char *pattern, *key;
    json_t *below, *item;
    (void)schema;
    json_object_foreach(writable(rule), pattern, below)
    {
        json_object_foreach(writable(value), key, item)
        {
            if (matches(c, pattern, key, strlen(key), at) && !accepts(c, below, item, &(step){at, key, 0}))
                return false;
        }
    }
    return true;
}

static bool is_listed(check *c, const json_t *schema, const char *key, const step *at)
{
    const char *pattern;
    json_t *below;
    if (json_object_get(json_object_get(schema, "properties"), key)) return true;
    json_object_foreach(json_object_get(schema, "patternProperties"), pattern,
                        below) if (matches(c, pattern, key, strlen(key), at)) return true;
    return false;
}

RULE(additional_properties)
{
    const char *key;
    json_t *item;
    json_object_foreach(writable(value), key, item)
    {
        if (is_listed(c, schema, key, at)) continue;
        if (json_is_false(rule)) return refuse(c, at, "there is no '%s'", key);
        if (!accepts(c, rule, item, &(step){at, key, 0})) return false;
    }
    return true;
}

RULE(property_names)
{
    const char *key;
    json_t *item;
    bool accepted = true;
    (void)schema;
    json_object_foreach(writable(value), key, item)
    {
        json_t *name = json_string(key);
        accepted = name && accepted && would_accept(c, rule, name, at);
        json_decref(name);
        if (!accepted) return refuse(c, at, "the name '%s' is not allowed", key);
    }
    return true;
}

RULE(dependent_required)
{
    const char *key;
    json_t *names;
    (void)schema;
    json_object_foreach(writable(rule), key,
                        names) if (json_object_get(value, key) && !has_all(c, names, value, at)) return false;
    return true;
}

RULE(dependent_schemas)
{
    const char *key;
    json_t *item;
    (void)schema;
    json_object_foreach(writable(rule), key,
                        item) if (json_object_get(value, key) && !accepts(c, item, value, at)) return false;
    return true;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

typedef struct rule {
    const char *name;
    bool (*check)(check *c, const json_t *schema, const json_t *rule, const json_t *value, const step *at);
} rule;

#define check_beside NULL
static const rule rules[] = {/* in the order of their names */
#define RULE_OF(name, form, check) {name, check_##check},
                             AARD__SCHEMA_KEYWORDS(RULE_OF)
#undef RULE_OF
};

static int by_name(const void *name, const void *of) { return strcmp(name, ((const rule *)of)->name); }

static bool keeps(check *c, const json_t *schema, const char *name, const json_t *given, const json_t *value,
                  const step *at)
{
    const rule *found = bsearch(name, rules, sizeof rules / sizeof *rules, sizeof *rules, by_name);
    return !found || !found->check || found->check(c, schema, given, value, at);
}

static bool accepts(check *c, const json_t *schema, const json_t *value, const step *at)
{
    const char *name;
    json_t *given;
    bool accepted = true;
    if (!has_work(c, at)) return false;
    if (json_is_true(schema)) return true;
    if (json_is_false(schema)) return refuse(c, at, "it is not allowed");
    if (c->depth == MOST_DEPTH) return give_up(c, at);
    c->depth++;
    json_object_foreach(writable(schema), name, given) accepted = accepted && keeps(c, schema, name, given, value, at);
    c->depth--;
    return accepted;
}

bool aard__schema_accepts(const aard__schema *schema, const json_t *value, aard__buf *why)
{
    check c = {.root = aard__schema_root(schema), .why = why};
    bool accepted = accepts(&c, c.root, value, NULL);
    return accepted && has_work(&c, NULL); /* where it was used up, what seemed different may be equal */
}
