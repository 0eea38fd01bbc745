#include "distribution/lock.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bundle/manifest_text.h"
#include "distribution/manifest.h"

#define PACKAGES_MAX 10000

bool aard__package_key(const char *name, size_t len, char out[AARD__PACKAGE_NAME_MAX + 1])
{
    if (!len || len > AARD__PACKAGE_NAME_MAX) return false;
    aard__text_package_key(name, len, out);
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const aard__package *)a)->key, ((const aard__package *)b)->key);
}

static int by_file_name(const void *a, const void *b)
{
    return strcmp((*(const aard__package *const *)a)->file_name, (*(const aard__package *const *)b)->file_name);
}

/* Whether `key` is the normal form of something that may be a package's name. */
static bool key_valid(const char *key)
{
    char again[AARD__PACKAGE_NAME_MAX + 1];
    return aard__package_key(key, strlen(key), again) && strcmp(again, key) == 0;
}

static bool depends_valid(json_t *depends)
{
    size_t i;
    json_t *name;
    if (!json_is_array(depends)) return false;
    json_array_foreach(depends, i, name)
    {
        if (!json_is_string(name) || json_string_length(name) > AARD__PACKAGE_NAME_MAX) return false;
    }
    return true;
}

static bool read_package(const char *key, json_t *entry, aard__package *package)
{
    package->key = key;
    if (json_unpack(entry, "{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", &package->name, "version", &package->version,
                    "file_name", &package->file_name, "sha256", &package->sha256, "install_dir", &package->install_dir,
                    "package_type", &package->package_type, "depends", &package->depends) < 0)
        return false;
    return key_valid(key) && aard__dist_name_valid(package->file_name) && depends_valid(package->depends) &&
           strlen(package->sha256) == 64 && strspn(package->sha256, "0123456789abcdef") == 64;
}

/* No two packages may share a file: each would have to have the other's hash. */
static aard_error *check_file_names(const aard__lock *lock, const char *where, aard_error_code code)
{
    const aard__package **sorted = aard__malloc(lock->count * sizeof(*sorted));
    if (!sorted) return aard__error_no_memory();
    for (size_t i = 0; i < lock->count; i++) sorted[i] = &lock->packages[i];
    if (lock->count) qsort(sorted, lock->count, sizeof(*sorted), by_file_name);
    aard_error *error = NULL;
    for (size_t i = 1; i < lock->count && !error; i++)
        if (strcmp(sorted[i - 1]->file_name, sorted[i]->file_name) == 0)
            error = aard__error(code, "%s: the packages '%s' and '%s' have the same file '%s'", where,
                                sorted[i - 1]->key, sorted[i]->key, sorted[i]->file_name);
    aard__free(sorted);
    return error;
}

static aard_error *read_packages(json_t *packages, const char *where, aard_error_code code, aard__lock *lock)
{
    size_t count = json_object_size(packages);
    if (count > PACKAGES_MAX)
        return aard__error(code, "%s: it names %zu packages, more than %d", where, count, PACKAGES_MAX);
    lock->packages = aard__calloc(count, sizeof *lock->packages);
    if (!lock->packages) return aard__error_no_memory();
    const char *key;
    json_t *entry;
    json_object_foreach(packages, key, entry)
    {
        if (!read_package(key, entry, &lock->packages[lock->count]))
            return aard__error(code, "%s: the entry of the package '%.200s' is malformed", where, key);
        lock->count++;
    }
    if (lock->count) qsort(lock->packages, lock->count, sizeof *lock->packages, by_key);
    return check_file_names(lock, where, code);
}

aard_error *aard__lock_parse(const char *text, size_t len, const char *where, aard_error_code code, aard__lock **out)
{
    json_error_t at;
    json_t *packages = NULL;
    aard__lock *lock = aard__calloc(1, sizeof *lock);
    if (!lock) return aard__error_no_memory();
    aard_error *error = NULL;
    lock->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
    if (!lock->root) {
        error = aard__error(code, "%s: it is not JSON (line %d: %s)", where, at.line, at.text);
        goto fail;
    }
    if (json_unpack(lock->root, "{s:{s:s, s:s, s:s}, s:o}", "info", "python", &lock->python, "abi_version",
                    &lock->abi_version, "platform", &lock->platform, "packages", &packages) < 0 ||
        !json_is_object(packages)) {
        error = aard__error(
            code, "%s: it is not a lock file of Pyodide (\"info\" or \"packages\" is not as it should be)", where);
        goto fail;
    }
    error = read_packages(packages, where, code, lock);
    if (error) goto fail;
    *out = lock;
    return NULL;
fail:
    aard__lock_free(lock);
    return error;
}

void aard__lock_free(aard__lock *lock)
{
    if (!lock) return;
    aard__free(lock->packages);
    json_decref(lock->root);
    aard__free(lock);
}

const aard__package *aard__lock_find(const aard__lock *lock, const char *name)
{
    char key[AARD__PACKAGE_NAME_MAX + 1];
    if (!lock->count || !aard__package_key(name, strlen(name), key)) return NULL;
    aard__package wanted = {.key = key};
    return bsearch(&wanted, lock->packages, lock->count, sizeof wanted, by_key);
}

bool aard__lock_optional(const aard__package *package)
{
    static const char suffix[] = "-tests.tar";
    size_t len = strlen(package->file_name), tail = sizeof suffix - 1;
    return len > tail && strcmp(package->file_name + len - tail, suffix) == 0;
}
