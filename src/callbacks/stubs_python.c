/* Stubs of callbacks for Python: a .pyi file.  Objects in arguments are classes of their own, in front of the functions. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "callbacks/stubs_impl.h"

typedef struct writer {
    const json_t *root;
    aard__buf *classes;
    const char *prefix; /* of their names */
    unsigned count;     /* of those that there are */
    unsigned depth;
} writer;

static void write_type(writer *w, const json_t *given, const char *name, aard__buf *out);

static void escape(aard__buf *out, const char *at)
{
    if (*at == '"' || *at == '\\') aard__buf_putc(out, '\\');
    aard__buf_putc(out, *at);
}

/* Whether it can be an argument, or a member of a class. */
static bool is_name(const char *key)
{
    for (const char *at = key; *at; at++)
        if (*at != '_' && !isalnum((unsigned char)*at)) return false;
    return *key && !isdigit((unsigned char)*key) && !aard__callback_is_python_word(key);
}

static void put_camel(aard__buf *out, const char *text)
{
    bool up = true;
    for (; *text; text++) {
        if (isalnum((unsigned char)*text)) aard__buf_putc(out, (char)(up ? toupper((unsigned char)*text) : *text));
        up = !isalnum((unsigned char)*text);
    }
}

static bool all_names(const json_t *properties)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)properties, key, member) if (!is_name(key)) return false;
    return json_object_size(properties) > 0;
}

/* A class for it, and its name. */
static void write_object(writer *w, const json_t *schema, const char *name, aard__buf *out)
{
    const char *key;
    json_t *member, *properties = json_object_get(schema, "properties");
    aard__buf made = AARD__BUF_INIT, title = AARD__BUF_INIT;
    if (!all_names(properties)) {
        aard__buf_puts(out, "dict[str, Any]");
        return;
    }
    put_camel(&title, w->prefix);
    put_camel(&title, name);
    if (w->count++) aard__buf_printf(&title, "%u", w->count);
    aard__buf_puts(&made, "class ");
    aard__buf_append(&made, title.data, title.len);
    aard__buf_puts(&made, "(TypedDict):\n");
    json_object_foreach(properties, key, member)
    {
        bool required = aard__stub_is_required(schema, key);
        aard__buf_printf(&made, "    %s: %s", key, required ? "" : "NotRequired[");
        write_type(w, member, key, &made);
        aard__buf_puts(&made, required ? "\n" : "]\n");
    }
    aard__buf_puts(&made, "\n");
    aard__buf_append(w->classes, made.data, made.len);
    aard__buf_append(out, title.data, title.len);
    aard__buf_free(&made);
    aard__buf_free(&title);
}

static void write_array(writer *w, const json_t *schema, const char *name, aard__buf *out)
{
    const json_t *items = json_object_get(schema, "items");
    aard__buf_puts(out, "list[");
    if (items)
        write_type(w, items, name, out);
    else
        aard__buf_puts(out, "Any");
    aard__buf_putc(out, ']');
}

static void write_named(writer *w, const json_t *schema, const char *type, const char *name, aard__buf *out)
{
    static const char *const names[][2] = {
        {"string", "str"}, {"integer", "int"}, {"number", "float"}, {"boolean", "bool"}, {"null", "None"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(type, names[i][0])) aard__buf_puts(out, names[i][1]);
    if (!strcmp(type, "object")) write_object(w, schema, name, out);
    if (!strcmp(type, "array")) write_array(w, schema, name, out);
}

/* Literal[…] holds strings, integers, booleans and None. */
static bool are_literal(const json_t *values)
{
    size_t i;
    const json_t *value;
    json_array_foreach((json_t *)(uintptr_t)values, i,
                       value) if (json_is_real(value) || json_is_object(value) || json_is_array(value)) return false;
    return true;
}

static void write_values(const json_t *values, aard__buf *out)
{
    size_t i;
    const json_t *value;
    if (!are_literal(values)) {
        aard__buf_puts(out, "Any");
        return;
    }
    aard__buf_puts(out, "Literal[");
    json_array_foreach((json_t *)(uintptr_t)values, i, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        const char *shown = json_is_true(value)    ? "True"
                            : json_is_false(value) ? "False"
                            : json_is_null(value)  ? "None"
                            : text                 ? text
                                                   : "None";
        aard__buf_printf(out, "%s%s", i ? ", " : "", shown);
        free(text);
    }
    aard__buf_putc(out, ']');
}

static void write_union(writer *w, const json_t *schemas, const char *name, aard__buf *out)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)schemas, i, item)
    {
        aard__buf_puts(out, i ? " | " : "");
        write_type(w, item, name, out);
    }
}

static void write_types(writer *w, const json_t *schema, const json_t *types, const char *name, aard__buf *out)
{
    size_t i;
    const json_t *type;
    json_array_foreach((json_t *)(uintptr_t)types, i, type)
    {
        aard__buf_puts(out, i ? " | " : "");
        write_named(w, schema, json_string_value(type), name, out);
    }
}

static void write_schema(writer *w, const json_t *schema, const char *name, aard__buf *out)
{
    const json_t *type = json_object_get(schema, "type"), *alternatives = aard__stub_alternatives(schema);
    json_t *values = aard__stub_values(schema);
    if (values)
        write_values(values, out);
    else if (json_is_string(type))
        write_named(w, schema, json_string_value(type), name, out);
    else if (type)
        write_types(w, schema, type, name, out);
    else if (alternatives)
        write_union(w, alternatives, name, out);
    else if (json_object_get(schema, "properties"))
        write_object(w, schema, name, out);
    else
        aard__buf_puts(out, "Any");
    json_decref(values);
}

static void write_type(writer *w, const json_t *given, const char *name, aard__buf *out)
{
    const json_t *schema = aard__stub_schema(w->root, given);
    if (!schema || w->depth == AARD__STUB_DEPTH) {
        aard__buf_puts(out, "Any");
        return;
    }
    w->depth++;
    write_schema(w, schema, name, out);
    w->depth--;
}

static void write_arguments(writer *w, const json_t *schema, aard__buf *out)
{
    const char *key, *between = "*, ";
    json_t *member;
    bool open = aard__stub_is_open(schema);
    json_object_foreach(json_object_get(schema, "properties"), key, member)
    {
        open = open || !is_name(key);
        if (!is_name(key)) continue;
        aard__buf_printf(out, "%s%s: ", between, key);
        write_type(w, member, key, out);
        if (!aard__stub_is_required(schema, key)) aard__buf_puts(out, " = ...");
        between = ", ";
    }
    if (open) aard__buf_printf(out, "%s**others: Any", *between == '*' ? "" : ", ");
}

static void write_docstring(const aard__callback *callback, const json_t *schema, aard__buf *out)
{
    const char *key;
    json_t *member;
    aard__buf text = AARD__BUF_INIT;
    aard__buf_printf(&text, "%s\n", callback->description);
    json_object_foreach(json_object_get(schema, "properties"), key, member)
    {
        const char *description = json_string_value(json_object_get(member, "description"));
        if (description) aard__buf_printf(&text, "%s: %s\n", key, description);
    }
    char *lines = aard__buf_take(&text, NULL);
    aard__buf_puts(out, "    \"\"\"\n");
    aard__stub_lines(lines ? lines : "", "    ", escape, out);
    aard__buf_puts(out, "    \"\"\"\n\n");
    aard__free(lines);
}

static void write_function(const aard__callback *callback, aard__buf *classes, aard__buf *out)
{
    const json_t *root = callback->schema ? aard__schema_root(callback->schema) : NULL;
    const json_t *schema = aard__stub_schema(root, root);
    writer w = {.root = root, .classes = classes, .prefix = callback->name};
    aard__buf_printf(out, "async def %s(", callback->name);
    write_arguments(&w, schema, out);
    aard__buf_puts(out, ") -> Any:\n");
    write_docstring(callback, schema, out);
}

static const char head[] =
    "from typing import Any, Literal, NotRequired, TypedDict\n\n"
    "# Each function NAME below also has NAME.sync(...), which gives the value without `await`.\n"
    "class CallbackError(Exception):\n"
    "    type: str\n"
    "    callback: str | None\n\n"
    "async def invoke(name: str, /, **arguments: Any) -> Any: ...\n"
    "def invoke_sync(name: str, /, **arguments: Any) -> Any: ...\n"
    "def list_callbacks() -> list[dict[str, Any]]: ...\n\n";

void aard__stubs_python(const aard__callbacks *callbacks, aard__buf *out)
{
    aard__buf classes = AARD__BUF_INIT, functions = AARD__BUF_INIT;
    for (size_t i = 0; i < callbacks->count; i++) write_function(callbacks->list[i], &classes, &functions);
    if (callbacks->count) aard__buf_puts(out, head);
    aard__buf_append(out, classes.data, classes.len);
    aard__buf_append(out, functions.data, functions.len);
    aard__buf_putc(out, '\n');
    out->failed = out->failed || classes.failed || functions.failed;
    aard__buf_free(&classes);
    aard__buf_free(&functions);
}
