/* Stubs of callbacks for JavaScript: TypeScript's declarations. */
#include <string.h>

#include "base/alloc.h"
#include "callbacks/stubs_impl.h"

typedef struct writer {
    const json_t *root;
    aard__buf *out;
    unsigned depth;
} writer;

static void write_type(writer *w, const json_t *given);

static void escape(aard__buf *out, const char *at)
{
    aard__buf_puts(out, at[0] == '*' && at[1] == '/' ? "*\\" : (char[2]){*at, 0});
}

static void write_key(writer *w, const char *key)
{
    size_t plain = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");
    if (*key && !key[plain] && !(*key >= '0' && *key <= '9'))
        aard__buf_puts(w->out, key);
    else
        aard__buf_json_string(w->out, key, strlen(key));
}

static void write_object(writer *w, const json_t *schema)
{
    const char *key;
    json_t *member;
    const char *between = "";
    aard__buf_puts(w->out, "{ ");
    json_object_foreach(json_object_get(schema, "properties"), key, member)
    {
        aard__buf_puts(w->out, between);
        write_key(w, key);
        aard__buf_puts(w->out, aard__stub_is_required(schema, key) ? ": " : "?: ");
        write_type(w, member);
        between = "; ";
    }
    if (aard__stub_is_open(schema)) aard__buf_printf(w->out, "%s[key: string]: unknown", between);
    aard__buf_puts(w->out, " }");
}

static void write_array(writer *w, const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");
    aard__buf_puts(w->out, "Array<");
    if (items)
        write_type(w, items);
    else
        aard__buf_puts(w->out, "unknown");
    aard__buf_putc(w->out, '>');
}

static void write_named(writer *w, const json_t *schema, const char *type)
{
    if (!strcmp(type, "object"))
        write_object(w, schema);
    else if (!strcmp(type, "array"))
        write_array(w, schema);
    else
        aard__buf_puts(w->out, !strcmp(type, "integer") ? "number" : type);
}

static void write_values(writer *w, const json_t *values)
{
    size_t i;
    const json_t *value;
    json_array_foreach((json_t *)(uintptr_t)values, i, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        bool plain = !json_is_object(value) && !json_is_array(value);
        aard__buf_printf(w->out, "%s%s", i ? " | " : "", plain && text ? text : "unknown");
        free(text);
    }
}

static void write_union(writer *w, const json_t *schemas)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)schemas, i, item)
    {
        aard__buf_puts(w->out, i ? " | " : "");
        write_type(w, item);
    }
}

static void write_types(writer *w, const json_t *schema, const json_t *types)
{
    size_t i;
    const json_t *type;
    json_array_foreach((json_t *)(uintptr_t)types, i, type)
    {
        aard__buf_puts(w->out, i ? " | " : "");
        write_named(w, schema, json_string_value(type));
    }
}

static void write_schema(writer *w, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type"), *alternatives = aard__stub_alternatives(schema);
    json_t *values = aard__stub_values(schema);
    if (values)
        write_values(w, values);
    else if (json_is_string(type))
        write_named(w, schema, json_string_value(type));
    else if (type)
        write_types(w, schema, type);
    else if (alternatives)
        write_union(w, alternatives);
    else if (json_object_get(schema, "properties"))
        write_object(w, schema);
    else
        aard__buf_puts(w->out, "unknown");
    json_decref(values);
}

static void write_type(writer *w, const json_t *given)
{
    const json_t *schema = aard__stub_schema(w->root, given);
    if (!schema || w->depth == AARD__STUB_DEPTH) {
        aard__buf_puts(w->out, "unknown");
        return;
    }
    w->depth++;
    write_schema(w, schema);
    w->depth--;
}

static void write_comment(const aard__callback *callback, const json_t *schema, aard__buf *out)
{
    const char *key;
    json_t *member;
    aard__buf_puts(out, "/**\n");
    aard__stub_lines(callback->description, " * ", escape, out);
    json_object_foreach(json_object_get(schema, "properties"), key, member)
    {
        const char *description = json_string_value(json_object_get(member, "description"));
        if (!description) continue;
        aard__buf line = AARD__BUF_INIT;
        aard__buf_printf(&line, "%s: %s", key, description);
        char *text = aard__buf_take(&line, NULL);
        aard__stub_lines(text ? text : "", " * ", escape, out);
        aard__free(text);
    }
    aard__buf_puts(out, " */\n");
}

static void write_function(const aard__callback *callback, aard__buf *out)
{
    const json_t *root = callback->schema ? aard__schema_root(callback->schema) : NULL;
    const json_t *schema = aard__stub_schema(root, root);
    writer w = {.root = root, .out = out};
    write_comment(callback, schema, out);
    aard__buf_printf(out, "declare const %s: Callback<", callback->name);
    write_object(&w, schema);
    aard__buf_puts(out, ">;\n\n");
}

static const char head[] =
    "/** A function of the host: await what it gives, or take the value of `sync` at once. */\n"
    "interface Callback<Arguments> {\n"
    "  (given: Arguments): Promise<any>;\n"
    "  sync(given: Arguments): any;\n"
    "}\n"
    "declare function invoke(name: string, given?: object): Promise<any>;\n"
    "declare function invokeSync(name: string, given?: object): any;\n"
    "declare function listCallbacks(): { name: string; description: string; schema: object }[];\n\n";

void aard__stubs_javascript(const aard__callbacks *callbacks, aard__buf *out)
{
    if (callbacks->count) aard__buf_puts(out, head);
    for (size_t i = 0; i < callbacks->count; i++) write_function(callbacks->list[i], out);
    aard__buf_putc(out, '\n');
}
