#include "callbacks/stubs_impl.h"

#include <string.h>

enum { MOST_REFERENCES = 20 }; /* one behind the other */

const json_t *aard__stub_schema(const json_t *root, const json_t *schema)
{
    for (int i = 0; i < MOST_REFERENCES; i++) {
        const char *reference = json_string_value(json_object_get(schema, "$ref"));
        if (!reference || !schema) return schema;
        schema = aard__schema_find(root, reference);
    }
    return NULL;
}

const json_t *aard__stub_alternatives(const json_t *schema)
{
    const json_t *any = json_object_get(schema, "anyOf");
    return any ? any : json_object_get(schema, "oneOf");
}

json_t *aard__stub_values(const json_t *schema)
{
    json_t *value = json_object_get(schema, "const");
    if (value) return json_pack("[O]", value);
    value = json_object_get(schema, "enum");
    return json_array_size(value) ? json_incref(value) : NULL;
}

bool aard__stub_is_required(const json_t *schema, const char *name)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(schema, "required"), i,
                       item) if (!strcmp(json_string_value(item), name)) return true;
    return false;
}

bool aard__stub_is_open(const json_t *schema)
{
    const json_t *others = json_object_get(schema, "additionalProperties");
    if (others) return !json_is_false(others);
    return !json_object_size(json_object_get(schema, "properties"));
}

void aard__stub_lines(const char *text, const char *lead, void (*escape)(aard__buf *out, const char *at),
                      aard__buf *out)
{
    bool begins = true;
    for (; *text; text++) {
        if (begins && *text != '\n') aard__buf_puts(out, lead);
        begins = *text == '\n';
        if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t') escape(out, text);
    }
    if (!begins) aard__buf_putc(out, '\n');
}
