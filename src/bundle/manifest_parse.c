#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/utf8.h"
#include "bundle/entry_name.h"
#include "bundle/manifest.h"
#include "bundle/manifest_text.h"
#include "policy/host_pattern.h"

/* A key by its full path; `key` is the last part of it. */
typedef struct place {
    const char *path, *key;
} place;

#define PLACE(parent, name) ((place){parent name, name})

/* ---- messages --------------------------------------------------------------------------------------------- */

/* A value as a message shows it: a string in quotes, anything long cut. */
static void show_value(char out[AARD__NAME_SHOWN], const json_t *value)
{
    char text[AARD__NAME_SHOWN / 2];
    switch (json_typeof(value)) {
    case JSON_OBJECT: strcpy(out, "an object"); break;
    case JSON_ARRAY: strcpy(out, "a list"); break;
    case JSON_STRING:
        aard__name_show(text, sizeof text, json_string_value(value), json_string_length(value));
        snprintf(out, AARD__NAME_SHOWN, "\"%s\"", text);
        break;
    case JSON_INTEGER: snprintf(out, AARD__NAME_SHOWN, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL: snprintf(out, AARD__NAME_SHOWN, "%g", json_real_value(value)); break;
    case JSON_TRUE: strcpy(out, "true"); break;
    case JSON_FALSE: strcpy(out, "false"); break;
    case JSON_NULL: strcpy(out, "null"); break;
    }
}

static aard_error *refuse(aard_error_code code, const char *path, const json_t *value, const char *rule)
{
    char shown[AARD__NAME_SHOWN];
    show_value(shown, value);
    return aard__error(code, AARD__MANIFEST_NAME ": '%s' is %s; %s", path, shown, rule);
}

/* ---- values ----------------------------------------------------------------------------------------------- */

static bool known(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0) return true;
    return false;
}

/* `path` is the object's own, with a dot behind it; "" for the root.  `keys` ends with NULL. */
static aard_error *check_keys(json_t *object, const char *path, const char *const *keys)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (known(key, keys)) continue;
        char shown[AARD__NAME_SHOWN], list[160] = "";
        aard__name_show(shown, sizeof shown, key, strlen(key));
        for (size_t i = 0, at = 0; keys[i] && at < sizeof list; i++)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", keys[i]);
        return aard__error(AARD_ERR_MANIFEST_UNKNOWN_KEY,
                           AARD__MANIFEST_NAME ": '%s%s' is not a known key; known "
                                               "there: %s",
                           path, shown, list);
    }
    return NULL;
}

/* The value of an optional key; NULL where it is absent or null. */
static json_t *get(json_t *object, place at)
{
    json_t *value = json_object_get(object, at.key);
    return value && !json_is_null(value) ? value : NULL;
}

static aard_error *get_object(json_t *parent, place at, json_t **out)
{
    *out = get(parent, at);
    if (*out && !json_is_object(*out)) return refuse(AARD_ERR_MANIFEST_TYPE, at.path, *out, "give an object");
    return NULL;
}

static aard_error *get_positive(json_t *object, place at, aard_error_code code, uint64_t *out)
{
    json_t *value = get(object, at);
    if (!value) return NULL;
    if (!json_is_integer(value)) return refuse(AARD_ERR_MANIFEST_TYPE, at.path, value, "give an integer above 0");
    if (json_integer_value(value) <= 0)
        return refuse(code, at.path, value, "give an integer above 0, or leave the key out");
    *out = (uint64_t)json_integer_value(value);
    return NULL;
}

static aard_error *canonical(const char *path, json_t *value, aard_error_code code, aard__text_rule *rule, char **out)
{
    if (!json_is_string(value)) return refuse(AARD_ERR_MANIFEST_TYPE, path, value, "give a string");
    char *text = NULL;
    const char *wrong = rule(json_string_value(value), json_string_length(value), &text);
    if (wrong) {
        char shown[AARD__NAME_SHOWN];
        show_value(shown, value);
        return aard__error(code, AARD__MANIFEST_NAME ": '%s' (%s) %s", path, shown, wrong);
    }
    if (!text) return aard__error_no_memory();
    *out = text;
    return NULL;
}

static aard_error *get_text(json_t *object, place at, aard_error_code code, aard__text_rule *rule, char **out)
{
    json_t *value = get(object, at);
    return value ? canonical(at.path, value, code, rule, out) : NULL;
}

static bool contains(const aard__strings *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++)
        if (strcmp(strings->items[i], text) == 0) return true;
    return false;
}

static aard_error *get_list(json_t *object, place at, aard_error_code code, aard__text_rule *rule, aard__strings *out)
{
    json_t *list = get(object, at);
    if (!list) return NULL;
    if (!json_is_array(list)) return refuse(AARD_ERR_MANIFEST_TYPE, at.path, list, "give a list of strings");
    size_t count = json_array_size(list);
    if (count > AARD__MANIFEST_MAX_LIST)
        return aard__error(code, AARD__MANIFEST_NAME ": '%s' has %zu entries; give at most %d", at.path, count,
                           AARD__MANIFEST_MAX_LIST);
    out->items = aard__calloc(count, sizeof *out->items);
    if (!out->items) return aard__error_no_memory();
    for (size_t i = 0; i < count; i++) {
        char path[96], *text = NULL;
        snprintf(path, sizeof path, "%s[%zu]", at.path, i);
        AARD__TRY(canonical(path, json_array_get(list, i), code, rule, &text));
        if (contains(out, text))
            aard__free(text);
        else
            out->items[out->count++] = text;
    }
    return NULL;
}

/* ---- sections --------------------------------------------------------------------------------------------- */

static aard_error *read_pyodide(aard_manifest *manifest, json_t *runtime)
{
    static const char *const keys[] = {"version", "profile", "preloadImports", NULL};
    json_t *pyodide;
    AARD__TRY(get_object(runtime, PLACE("runtime.", "pyodide"), &pyodide));
    if (!pyodide) return NULL;
    if (manifest->language == AARD_LANGUAGE_JAVASCRIPT)
        return refuse(AARD_ERR_MANIFEST_LANGUAGE, "runtime.pyodide", pyodide,
                      "'runtime.language' is \"javascript\", which has no Pyodide; leave the key out");
    AARD__TRY(check_keys(pyodide, "runtime.pyodide.", keys));
    AARD__TRY(get_text(pyodide, PLACE("runtime.pyodide.", "version"), AARD_ERR_MANIFEST_PYODIDE_VERSION,
                       aard__text_plain, &manifest->pyodide_version));
    if (manifest->pyodide_version && strcmp(manifest->pyodide_version, AARD__MANIFEST_PYODIDE_VERSION) != 0)
        return refuse(AARD_ERR_MANIFEST_PYODIDE_VERSION, "runtime.pyodide.version", json_object_get(pyodide, "version"),
                      "this Aardvark runs \"" AARD__MANIFEST_PYODIDE_VERSION "\": give that, or leave the key out");
    AARD__TRY(get_text(pyodide, PLACE("runtime.pyodide.", "profile"), AARD_ERR_MANIFEST_PROFILE, aard__text_profile,
                       &manifest->pyodide_profile));
    return get_list(pyodide, PLACE("runtime.pyodide.", "preloadImports"), AARD_ERR_MANIFEST_PRELOAD_IMPORTS,
                    aard__text_module, &manifest->preload_imports);
}

static aard_error *read_runtime(aard_manifest *manifest, json_t *root)
{
    static const char *const keys[] = {"language", "pyodide", NULL};
    json_t *runtime;
    AARD__TRY(get_object(root, PLACE("", "runtime"), &runtime));
    if (!runtime) return NULL;
    AARD__TRY(check_keys(runtime, "runtime.", keys));
    json_t *language = get(runtime, PLACE("runtime.", "language"));
    if (language && !json_is_string(language))
        return refuse(AARD_ERR_MANIFEST_TYPE, "runtime.language", language, "give \"python\" or \"javascript\"");
    if (language && strcmp(json_string_value(language), "javascript") == 0)
        manifest->language = AARD_LANGUAGE_JAVASCRIPT;
    else if (language && strcmp(json_string_value(language), "python") != 0)
        return refuse(AARD_ERR_MANIFEST_LANGUAGE, "runtime.language", language, "give \"python\" or \"javascript\"");
    return read_pyodide(manifest, runtime);
}

static aard_error *read_cpu(aard_manifest *manifest, json_t *resources)
{
    static const char *const keys[] = {"defaultLimitMs", NULL};
    json_t *cpu;
    AARD__TRY(get_object(resources, PLACE("resources.", "cpu"), &cpu));
    if (!cpu) return NULL;
    AARD__TRY(check_keys(cpu, "resources.cpu.", keys));
    return get_positive(cpu, PLACE("resources.cpu.", "defaultLimitMs"), AARD_ERR_MANIFEST_CPU, &manifest->cpu_limit_ms);
}

static aard_error *read_network(aard_manifest *manifest, json_t *resources)
{
    static const char *const keys[] = {"allow", "httpsOnly", "maxRequestBytes", "maxResponseBytes", "timeoutMs", NULL};
    json_t *network;
    AARD__TRY(get_object(resources, PLACE("resources.", "network"), &network));
    if (!network) return NULL;
    AARD__TRY(check_keys(network, "resources.network.", keys));
    json_t *https = get(network, PLACE("resources.network.", "httpsOnly"));
    if (https && !json_is_boolean(https))
        return refuse(AARD_ERR_MANIFEST_TYPE, "resources.network.httpsOnly", https, "give true or false");
    manifest->https_only = !json_is_false(https);
    manifest->has_network = get(network, PLACE("resources.network.", "allow")) != NULL;
    AARD__TRY(get_list(network, PLACE("resources.network.", "allow"), AARD_ERR_MANIFEST_NETWORK,
                       aard__host_pattern_read, &manifest->allow_hosts));
    AARD__TRY(get_positive(network, PLACE("resources.network.", "maxRequestBytes"), AARD_ERR_MANIFEST_NETWORK,
                           &manifest->max_request_bytes));
    AARD__TRY(get_positive(network, PLACE("resources.network.", "maxResponseBytes"), AARD_ERR_MANIFEST_NETWORK,
                           &manifest->max_response_bytes));
    return get_positive(network, PLACE("resources.network.", "timeoutMs"), AARD_ERR_MANIFEST_NETWORK,
                        &manifest->network_timeout_ms);
}

static aard_error *read_filesystem(aard_manifest *manifest, json_t *resources)
{
    static const char *const keys[] = {"mode", "quotaBytes", NULL};
    json_t *filesystem;
    AARD__TRY(get_object(resources, PLACE("resources.", "filesystem"), &filesystem));
    if (!filesystem) return NULL;
    AARD__TRY(check_keys(filesystem, "resources.filesystem.", keys));
    json_t *mode = get(filesystem, PLACE("resources.filesystem.", "mode"));
    if (mode && !json_is_string(mode))
        return refuse(AARD_ERR_MANIFEST_TYPE, "resources.filesystem.mode", mode, "give \"read\" or \"readWrite\"");
    if (mode && strcmp(json_string_value(mode), "readWrite") == 0)
        manifest->filesystem_mode = AARD_FILESYSTEM_READ_WRITE;
    else if (mode && strcmp(json_string_value(mode), "read") != 0)
        return refuse(AARD_ERR_MANIFEST_FILESYSTEM, "resources.filesystem.mode", mode,
                      "give \"read\" or \"readWrite\"");
    return get_positive(filesystem, PLACE("resources.filesystem.", "quotaBytes"), AARD_ERR_MANIFEST_FILESYSTEM,
                        &manifest->filesystem_quota_bytes);
}

static aard_error *read_resources(aard_manifest *manifest, json_t *root)
{
    static const char *const keys[] = {"cpu", "network", "filesystem", "hostCapabilities", NULL};
    json_t *resources;
    AARD__TRY(get_object(root, PLACE("", "resources"), &resources));
    if (!resources) return NULL;
    AARD__TRY(check_keys(resources, "resources.", keys));
    AARD__TRY(read_cpu(manifest, resources));
    AARD__TRY(read_network(manifest, resources));
    AARD__TRY(read_filesystem(manifest, resources));
    return get_list(resources, PLACE("resources.", "hostCapabilities"), AARD_ERR_MANIFEST_CAPABILITIES,
                    aard__text_capability, &manifest->capabilities);
}

static aard_error *require(json_t *root, const char *key, const char *example)
{
    if (json_object_get(root, key)) return NULL;
    return aard__error(AARD_ERR_MANIFEST_MISSING_KEY, AARD__MANIFEST_NAME ": '%s' is missing; add \"%s\": \"%s\"", key,
                       key, example);
}

static aard_error *read_schema_version(json_t *root)
{
    AARD__TRY(require(root, "schemaVersion", "1.0"));
    json_t *value = json_object_get(root, "schemaVersion");
    if (!json_is_string(value))
        return refuse(AARD_ERR_MANIFEST_TYPE, "schemaVersion", value, "give the string \"1.0\"");
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    aard__text_trim(&text, &len);
    if (len != 3 || memcmp(text, "1.0", 3) != 0)
        return refuse(AARD_ERR_MANIFEST_SCHEMA_VERSION, "schemaVersion", value, "this Aardvark reads \"1.0\"");
    return NULL;
}

static aard_error *read_root(aard_manifest *manifest, json_t *root)
{
    static const char *const keys[] = {"schemaVersion", "entrypoint", "packages", "runtime", "resources", NULL};
    if (!json_is_object(root))
        return aard__error(AARD_ERR_MANIFEST_TYPE, AARD__MANIFEST_NAME ": it is not a JSON object; begin it with '{'");
    AARD__TRY(read_schema_version(root));
    AARD__TRY(check_keys(root, "", keys));
    AARD__TRY(require(root, "entrypoint", "main:handler"));
    AARD__TRY(canonical("entrypoint", json_object_get(root, "entrypoint"), AARD_ERR_MANIFEST_ENTRYPOINT,
                        aard__text_entrypoint, &manifest->entrypoint));
    AARD__TRY(read_runtime(manifest, root));
    AARD__TRY(
        get_list(root, PLACE("", "packages"), AARD_ERR_MANIFEST_PACKAGES, aard__text_package, &manifest->packages));
    if (manifest->language == AARD_LANGUAGE_JAVASCRIPT && manifest->packages.count)
        return refuse(AARD_ERR_MANIFEST_PACKAGES, "packages", json_object_get(root, "packages"),
                      "'runtime.language' is \"javascript\", whose bundles hold all they need; leave the key out");
    return read_resources(manifest, root);
}

/* ---- the text --------------------------------------------------------------------------------------------- */

/* The parser calls itself for each level, on a stack whose size is the host's business. */
static bool too_deep(const char *data, size_t len)
{
    size_t depth = 0;
    bool string = false;
    for (size_t i = 0; i < len; i++) {
        if (string && data[i] == '\\')
            i++;
        else if (data[i] == '"')
            string = !string;
        else if (!string && (data[i] == '{' || data[i] == '['))
            depth++;
        else if (!string && (data[i] == '}' || data[i] == ']') && depth)
            depth--;
        if (depth > AARD__MANIFEST_MAX_DEPTH) return true;
    }
    return false;
}

static aard_error *check_text(const char *data, size_t len)
{
    if (len > AARD__MANIFEST_MAX_BYTES)
        return aard__error(AARD_ERR_MANIFEST_TOO_LARGE, AARD__MANIFEST_NAME ": it is too large (%zu bytes, limit %zu)",
                           len, AARD__MANIFEST_MAX_BYTES);
    if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        return aard__error(AARD_ERR_MANIFEST_ENCODING,
                           AARD__MANIFEST_NAME ": it begins with a byte order mark; save it as UTF-8 without one");
    if (!aard__utf8_valid(data, len))
        return aard__error(AARD_ERR_MANIFEST_ENCODING, AARD__MANIFEST_NAME ": it is not UTF-8; save it as UTF-8");
    if (too_deep(data, len))
        return aard__error(AARD_ERR_MANIFEST_SYNTAX,
                           AARD__MANIFEST_NAME ": it nests more than %d levels; no key needs "
                                               "that many",
                           AARD__MANIFEST_MAX_DEPTH);
    return NULL;
}

static aard_error *parse_text(const char *data, size_t len, json_t **out)
{
    AARD__TRY(check_text(data, len));
    json_error_t error;
    *out = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (*out) return NULL;
    aard_error_code code = AARD_ERR_MANIFEST_SYNTAX;
    switch (json_error_code(&error)) {
    case json_error_out_of_memory: return aard__error_no_memory();
    case json_error_duplicate_key: code = AARD_ERR_MANIFEST_DUPLICATE_KEY; break;
    default: break;
    }
    char text[AARD__NAME_SHOWN];
    aard__name_show(text, sizeof text, error.text, strlen(error.text));
    return aard__error(code, AARD__MANIFEST_NAME ": line %d, column %d: %s", error.line, error.column, text);
}

aard_error *aard__manifest_parse(const char *data, size_t len, aard_manifest **out)
{
    json_t *root = NULL;
    AARD__TRY(parse_text(data, len, &root));
    aard_manifest *manifest = aard__calloc(1, sizeof *manifest);
    aard_error *error = NULL;
    if (manifest) {
        manifest->https_only = true;
        error = read_root(manifest, root);
    } else {
        error = aard__error_no_memory();
    }
    json_decref(root);
    if (error) {
        aard__manifest_free(manifest);
        return error;
    }
    *out = manifest;
    return NULL;
}
