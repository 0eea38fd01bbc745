#include "distribution/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FILES_MAX 20000

static const char *const variants[] = {"core", "full"};
static const char *const origins[] = {"pinned", "custom", "edited"};

const char *aard__variant_name(aard_variant variant) { return variants[variant]; }

bool aard__dist_name_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > 200 || name[0] == '.') return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !strchr("._+-!", c)) return false;
    }
    return strcmp(name, AARD__DIST_MANIFEST) != 0 && strcmp(name, AARD__DIST_CACHE) != 0;
}

static bool hash_valid(const char *hex)
{
    return strlen(hex) == AARD__HASH_HEX - 1 && strspn(hex, "0123456789abcdef") == AARD__HASH_HEX - 1;
}

aard_error *aard__dist_manifest_new(const char *pyodide_version, aard__dist_manifest **out)
{
    aard__dist_manifest *manifest = aard__calloc(1, sizeof *manifest);
    if (!manifest) return aard__error_no_memory();
    manifest->layout = AARD__DIST_LAYOUT;
    manifest->pyodide_version = aard__strdup(pyodide_version);
    if (!manifest->pyodide_version) {
        aard__dist_manifest_free(manifest);
        return aard__error_no_memory();
    }
    *out = manifest;
    return NULL;
}

void aard__dist_manifest_free(aard__dist_manifest *manifest)
{
    if (!manifest) return;
    for (size_t i = 0; i < manifest->count; i++) aard__free(manifest->files[i].name);
    aard__free(manifest->files);
    aard__free(manifest->pyodide_version);
    aard__free(manifest);
}

aard_error *aard__dist_manifest_add(aard__dist_manifest *manifest, const char *name, uint64_t size, const char *blake2b)
{
    if (manifest->count == manifest->cap) {
        size_t cap = manifest->cap ? 2 * manifest->cap : 16;
        aard__dist_file *files = aard__realloc(manifest->files, cap * sizeof *files);
        if (!files) return aard__error_no_memory();
        manifest->files = files;
        manifest->cap = cap;
    }
    aard__dist_file *file = &manifest->files[manifest->count];
    file->name = aard__strdup(name);
    if (!file->name) return aard__error_no_memory();
    file->size = size;
    memcpy(file->blake2b, blake2b, AARD__HASH_HEX);
    manifest->count++;
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const aard__dist_file *)a)->name, ((const aard__dist_file *)b)->name);
}

void aard__dist_manifest_seal(aard__dist_manifest *manifest)
{
    if (manifest->count) qsort(manifest->files, manifest->count, sizeof *manifest->files, by_name);
    aard__hasher hasher;
    uint8_t hash[AARD__HASH_BYTES];
    char layout[16];
    int layout_len = snprintf(layout, sizeof layout, "%d", manifest->layout);
    aard__hash_start(&hasher);
    for (size_t i = 0; i < manifest->count; i++) {
        const aard__dist_file *file = &manifest->files[i];
        aard__hash_add_sized(&hasher, file->name, strlen(file->name));
        sodium_hex2bin(hash, sizeof hash, file->blake2b, AARD__HASH_HEX - 1, NULL, NULL, NULL);
        aard__hash_add_sized(&hasher, hash, sizeof hash);
    }
    aard__hash_add_sized(&hasher, manifest->pyodide_version, strlen(manifest->pyodide_version));
    aard__hash_add_sized(&hasher, layout, (size_t)layout_len);
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, manifest->fingerprint);
}

static void write_member(aard__buf *out, const char *name, const char *value)
{
    aard__buf_printf(out, "  \"%s\": ", name);
    aard__buf_json_string(out, value, strlen(value));
    aard__buf_puts(out, ",\n");
}

void aard__dist_manifest_write(const aard__dist_manifest *manifest, aard__buf *out)
{
    aard__buf_printf(out, "{\n  \"layout\": %d,\n", manifest->layout);
    write_member(out, "pyodide_version", manifest->pyodide_version);
    write_member(out, "variant", variants[manifest->variant]);
    write_member(out, "lock", origins[manifest->lock]);
    write_member(out, "fingerprint", manifest->fingerprint);
    aard__buf_puts(out, "  \"files\": {");
    for (size_t i = 0; i < manifest->count; i++) {
        const aard__dist_file *file = &manifest->files[i];
        aard__buf_printf(out, "%s\n    \"%s\": {\"size\": %" PRIu64 ", \"blake2b\": \"%s\"}", i ? "," : "", file->name,
                         file->size, file->blake2b);
    }
    aard__buf_puts(out, "\n  }\n}\n");
}

static int position(const char *const *names, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static aard_error *read_files(json_t *files, const char *path, aard__dist_manifest *manifest)
{
    if (!json_is_object(files) || json_object_size(files) > FILES_MAX)
        return aard__error(AARD_ERR_DISTRIBUTION_INVALID, "'%s' has no valid \"files\": stage it again", path);
    const char *name;
    json_t *file;
    json_object_foreach(files, name, file)
    {
        const char *blake2b = NULL;
        json_int_t size = -1;
        if (json_unpack(file, "{s:I, s:s}", "size", &size, "blake2b", &blake2b) < 0 || size < 0 ||
            !hash_valid(blake2b) || !aard__dist_name_valid(name))
            return aard__error(AARD_ERR_DISTRIBUTION_INVALID,
                               "'%s' has an invalid entry \"%s\" among its files: stage it again", path, name);
        AARD__TRY(aard__dist_manifest_add(manifest, name, (uint64_t)size, blake2b));
    }
    return NULL;
}

/* Manifests of other layouts need not have anything else in common with this one's. */
static aard_error *check_layout(json_t *root, const char *path)
{
    int layout = -1;
    const char *version = NULL;
    if (json_unpack(root, "{s:i}", "layout", &layout) == 0 && layout == AARD__DIST_LAYOUT) return NULL;
    if (layout >= 0)
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH,
                           "'%s' has layout %d, and this library (aardvark %s) reads layout %d: stage it again", path,
                           layout, aard_version(), AARD__DIST_LAYOUT);
    if (json_unpack(root, "{s:s}", "adapter_version", &version) == 0) /* they had the library's version instead */
        return aard__error(
            AARD_ERR_DISTRIBUTION_MISMATCH,
            "'%s' was staged by aardvark %s, and this library (aardvark %s) reads layout %d: stage it again", path,
            version, aard_version(), AARD__DIST_LAYOUT);
    return aard__error(AARD_ERR_DISTRIBUTION_INVALID, "'%s' is not a distribution manifest: stage it again", path);
}

static aard_error *read_root(json_t *root, const char *path, aard__dist_manifest **out)
{
    const char *version = NULL, *variant = NULL, *lock = NULL, *fingerprint = NULL;
    json_t *files = NULL;
    AARD__TRY(check_layout(root, path));
    if (json_unpack(root, "{s:s, s:s, s:s, s:s, s:o}", "pyodide_version", &version, "variant", &variant, "lock", &lock,
                    "fingerprint", &fingerprint, "files", &files) < 0 ||
        position(variants, 2, variant) < 0 || position(origins, 3, lock) < 0 || !hash_valid(fingerprint))
        return aard__error(AARD_ERR_DISTRIBUTION_INVALID,
                           "'%s' is not a complete distribution manifest: stage it again", path);
    aard__dist_manifest *manifest = NULL;
    AARD__TRY(aard__dist_manifest_new(version, &manifest));
    manifest->variant = (aard_variant)position(variants, 2, variant);
    manifest->lock = (aard__lock_origin)position(origins, 3, lock);
    aard_error *error = read_files(files, path, manifest);
    if (error) {
        aard__dist_manifest_free(manifest);
        return error;
    }
    aard__dist_manifest_seal(manifest);
    *out = manifest;
    return NULL;
}

aard_error *aard__dist_manifest_parse(const char *text, size_t len, const char *path, aard__dist_manifest **out)
{
    aard__dist_manifest *manifest = NULL;
    aard__buf again = AARD__BUF_INIT;
    json_error_t where;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return aard__error(AARD_ERR_DISTRIBUTION_INVALID, "'%s' is not JSON (line %d: %s): stage it again", path,
                           where.line, where.text);
    aard_error *error = read_root(root, path, &manifest);
    if (error) goto done;

    /* The fingerprint in it was just computed anew, so equal text means that it fits the hashes, too. */
    aard__dist_manifest_write(manifest, &again);
    if (again.failed)
        error = aard__error_no_memory();
    else if (again.len != len || memcmp(again.data, text, len) != 0)
        error = aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                            "'%s' was altered: its fingerprint or its form does not match its files; stage it again",
                            path);
    if (error) goto done;
    *out = manifest;
    manifest = NULL;
done:
    aard__buf_free(&again);
    aard__dist_manifest_free(manifest);
    json_decref(root);
    return error;
}

const aard__dist_file *aard__dist_manifest_find(const aard__dist_manifest *manifest, const char *name)
{
    if (!manifest->count) return NULL;
    aard__dist_file key = {.name = (char *)name};
    return bsearch(&key, manifest->files, manifest->count, sizeof key, by_name);
}
