#include "callbacks/callbacks.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"

enum { MOST_CALLBACKS = 10000, LEAST_CALLBACK = 3 * 4 }; /* in number; in bytes */

const aard__callback_limits aard__callback_defaults = {
    .count = 10000,
    .in_flight = 256,
    .timeout_ms = UINT64_MAX,
    .argument_bytes = (uint64_t)1 << 20,
    .result_bytes = (uint64_t)16 << 20,
};

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* Words of the languages that no function can be called by, and what guests have anyway. */
static const char *const python_words[] = {
    "False",  "None",     "True", "and",    "as",   "assert",  "async",  "await",  "break", "class",  "continue", "def",
    "del",    "elif",     "else", "except", "for",  "finally", "from",   "global", "if",    "import", "in",       "is",
    "lambda", "nonlocal", "not",  "or",     "pass", "raise",   "return", "try",    "while", "with",   "yield",
};
static const char *const other_words[] = {
    "arguments", "case",  "catch",  "const",       "debugger",   "default",        "delete",        "do",
    "enum",      "eval",  "export", "extends",     "false",      "function",       "implements",    "instanceof",
    "interface", "let",   "new",    "null",        "package",    "private",        "protected",     "public",
    "static",    "super", "switch", "this",        "throw",      "true",           "typeof",        "undefined",
    "var",       "void",  "invoke", "invoke_sync", "invokeSync", "list_callbacks", "listCallbacks",
};

static bool is_among(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(words[i], name)) return true;
    return false;
}

bool aard__callback_is_python_word(const char *name)
{
    return is_among(name, python_words, sizeof python_words / sizeof *python_words);
}

static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != '_' && !isalnum((unsigned char)text[i])) return false;
    return len && len <= AARD__CALLBACK_NAME && !isdigit((unsigned char)text[0]);
}

bool aard__callback_type_valid(const char *type, size_t len) { return is_word(type, len); }

static aard_error *check_name(const char *name)
{
    if (!is_word(name, strlen(name)) || !strncmp(name, "__", 2))
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "'%s' is not a valid name of a callback; give up to %d letters, digits and underscores, not "
                           "beginning with a digit or two underscores",
                           name, AARD__CALLBACK_NAME);
    if (!aard__callback_is_python_word(name) && !is_among(name, other_words, sizeof other_words / sizeof *other_words))
        return NULL;
    return aard__error(AARD_ERR_INVALID_ARGUMENT,
                       "'%s' can't be the name of a callback: Python or JavaScript has it as a word of its own", name);
}

/* ---- one ---------------------------------------------------------------------------------------------------------- */

static void free_parts(aard__callback *callback)
{
    aard__schema_free(callback->schema);
    aard__free(callback->description);
    aard__free(callback->schema_text);
    aard__free(callback);
}

void aard__callback_retain(aard__callback *callback) { aard__user_retain(&callback->user); }

void aard__callback_release(aard__callback *callback)
{
    if (aard__user_release(&callback->user)) free_parts(callback);
}

/* The arguments are an object: a schema of something else would accept nothing. */
static aard_error *check_root(const aard__schema *schema)
{
    const json_t *type = json_object_get(aard__schema_root(schema), "type");
    if (!type || (json_is_string(type) && !strcmp(json_string_value(type), "object"))) return NULL;
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "the schema's type is not \"object\", which arguments are");
}

static aard_error *read_schema(aard__callback *callback, const aard__callback_options *options)
{
    if (!options->schema) return NULL;
    callback->schema_text = aard__strdup(options->schema);
    if (!callback->schema_text) return aard__error_no_memory();
    if (options->unchecked) return NULL;
    AARD__TRY(aard__schema_new(options->schema, strlen(options->schema), &callback->schema));
    return check_root(callback->schema);
}

static aard_error *fill(aard__callback *callback, const aard__callback_options *options)
{
    AARD__TRY(check_name(options->name));
    memcpy(callback->name, options->name, strlen(options->name) + 1);
    callback->call = options->call;
    callback->description = aard__strdup(options->description ? options->description : "");
    if (!callback->description) return aard__error_no_memory();
    aard_error *error = read_schema(callback, options);
    return error ? aard__error_prefix(error, "the callback '%s'", options->name) : NULL;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static aard_error *put(aard__callbacks *callbacks, aard__callback *made)
{
    for (size_t i = 0; i < callbacks->count; i++) {
        if (strcmp(callbacks->list[i]->name, made->name) != 0) continue;
        aard__callback_release(callbacks->list[i]);
        callbacks->list[i] = made;
        return NULL;
    }
    if (callbacks->count == MOST_CALLBACKS)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "there are %d callbacks, and can't be more", MOST_CALLBACKS);
    aard__callback **list = aard__realloc(callbacks->list, (callbacks->count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    callbacks->list = list;
    list[callbacks->count++] = made;
    return NULL;
}

aard_error *aard__callbacks_add(aard__callbacks *callbacks, const aard__callback_options *options, void *user,
                                aard_finalizer finalizer)
{
    aard__callback *made = aard__calloc(1, sizeof *made);
    aard_error *error = made ? fill(made, options) : aard__error_no_memory();
    if (!error) error = put(callbacks, made);
    if (!error) {
        aard__user_init(&made->user, user, finalizer);
        return NULL;
    }
    if (made) free_parts(made);
    if (finalizer) finalizer(user);
    return error;
}

aard_error *aard__callbacks_copy(const aard__callbacks *from, aard__callbacks *out)
{
    if (!from->count) return NULL;
    aard__callback **list = aard__calloc(from->count, sizeof *list);
    if (!list) return aard__error_no_memory();
    for (size_t i = 0; i < from->count; i++) aard__callback_retain(list[i] = from->list[i]);
    *out = (aard__callbacks){list, from->count};
    return NULL;
}

void aard__callbacks_free(aard__callbacks *callbacks)
{
    for (size_t i = 0; i < callbacks->count; i++) aard__callback_release(callbacks->list[i]);
    aard__free(callbacks->list);
    *callbacks = (aard__callbacks){NULL, 0};
}

aard__callback *aard__callbacks_find(const aard__callbacks *callbacks, const char *name, size_t len)
{
    for (size_t i = 0; i < callbacks->count; i++) {
        const char *known = callbacks->list[i]->name;
        if (!strncmp(known, name, len) && !known[len]) return callbacks->list[i];
    }
    return NULL;
}

void aard__callbacks_json(const aard__callbacks *callbacks, aard__buf *out)
{
    aard__buf_putc(out, '[');
    for (size_t i = 0; i < callbacks->count; i++) {
        const aard__callback *callback = callbacks->list[i];
        aard__buf_printf(out, "%s{\"name\":\"%s\",\"description\":", i ? "," : "", callback->name);
        aard__buf_json_string(out, callback->description, strlen(callback->description));
        aard__buf_printf(out, ",\"schema\":");
        aard__buf_puts(out, callback->schema_text ? callback->schema_text : "{\"type\":\"object\"}");
        aard__buf_putc(out, '}');
    }
    aard__buf_putc(out, ']');
}

void aard__callbacks_pack(const aard__callbacks *callbacks, aard__buf *out)
{
    aard__pack_u32(out, (uint32_t)callbacks->count);
    for (size_t i = 0; i < callbacks->count; i++) {
        aard__pack_text(out, callbacks->list[i]->name);
        aard__pack_text(out, callbacks->list[i]->description);
        aard__pack_text(out, callbacks->list[i]->schema_text);
    }
}

static void unpack_one(aard__unpacker *in, aard__callbacks *out)
{
    char *name = aard__unpack_some_text(in, AARD__CALLBACK_NAME);
    char *description = aard__unpack_some_text(in, 0), *schema = aard__unpack_text(in, 0);
    if (in->ok) {
        const aard__callback_options options = {
            .name = name, .description = description, .schema = schema, .unchecked = true};
        aard_error *error = aard__callbacks_add(out, &options, NULL, NULL);
        if (error) aard__unpacker_fail(in);
        aard_error_free(error);
    }
    aard__free(name);
    aard__free(description);
    aard__free(schema);
}

void aard__callbacks_unpack(aard__unpacker *in, aard__callbacks *out)
{
    for (size_t left = aard__unpack_count(in, MOST_CALLBACKS, LEAST_CALLBACK); left && in->ok; left--)
        unpack_one(in, out);
}
