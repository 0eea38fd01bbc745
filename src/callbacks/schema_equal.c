/* Whether JSON values are equal. */
#include <string.h>

#include "callbacks/schema_impl.h"

long double aard__schema_number(const json_t *value)
{
    return json_is_integer(value) ? (long double)json_integer_value(value) : (long double)json_real_value(value);
}

static bool equal_arrays(const json_t *a, const json_t *b, unsigned *work)
{
    size_t i;
    const json_t *item;
    if (json_array_size(a) != json_array_size(b)) return false;
    json_array_foreach((json_t *)(uintptr_t)a, i,
                       item) if (!aard__schema_equal(item, json_array_get(b, i), work)) return false;
    return true;
}

static bool equal_objects(const json_t *a, const json_t *b, unsigned *work)
{
    const char *key;
    json_t *item;
    if (json_object_size(a) != json_object_size(b)) return false;
    json_object_foreach((json_t *)(uintptr_t)a, key, item)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !aard__schema_equal(item, other, work)) return false;
    }
    return true;
}

bool aard__schema_equal(const json_t *a, const json_t *b, unsigned *work)
{
    if (*work >= AARD__SCHEMA_WORK) return false;
    ++*work;
    if (json_is_number(a) && json_is_number(b)) return aard__schema_number(a) == aard__schema_number(b);
    if (json_typeof(a) != json_typeof(b)) return false;
    switch (json_typeof(a)) {
    case JSON_STRING:
        return json_string_length(a) == json_string_length(b) &&
               !memcmp(json_string_value(a), json_string_value(b), json_string_length(a));
    case JSON_ARRAY: return equal_arrays(a, b, work);
    case JSON_OBJECT: return equal_objects(a, b, work);
    default: return true;
    }
}
