#include "distribution/distribution.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/trust.h"

/* What is read on demand; the lock is held while something is. */
typedef struct loaded {
    pthread_mutex_t mutex;
    aard__lock *lock;
    struct {
        const void *data;
        bool mapped;
    } files[]; /* by position in the manifest */
} loaded;

struct aard_distribution {
    atomic_size_t owners;
    char *dir;
    const char *_Atomic cache;
    aard__dist_manifest *manifest;
    const aard__line *line;
    loaded *loaded;
    bool has_key;
    aard__signing_key key;
};

static aard_error *file_path(const char *dir, const char *name, char **out)
{
    *out = aard__path_join(dir, name);
    return *out ? NULL : aard__error_no_memory();
}

static aard_error *check_size(const char *dir, const aard__dist_file *file)
{
    char *path;
    struct stat st;
    AARD__TRY(file_path(dir, file->name, &path));
    aard_error *error = NULL;
    int failed = stat(path, &st) < 0 ? errno : 0;
    if (failed == ENOENT || failed == ENOTDIR)
        error = aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "'%s' is missing: stage the distribution again", path);
    else if (failed)
        error = aard__error_errno(AARD_ERR_IO, failed, "cannot look at '%s'", path);
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != file->size)
        error = aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                            "'%s' does not have the %llu bytes that it was staged with: stage the distribution again",
                            path, (unsigned long long)file->size);
    aard__free(path);
    return error;
}

/* Versions that fit, and the release's own files with the release's own hashes. */
static aard_error *check_release(const char *dir, const aard__dist_manifest *manifest, const aard__line **out)
{
    char versions[AARD__LINE_VERSIONS];
    const aard__line *line = aard__line_of(manifest->pyodide_version);
    if (!line)
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH,
                           "'%s' holds Pyodide %s, and this library runs %s: stage that version", dir,
                           manifest->pyodide_version, aard__line_versions(versions));
    for (size_t i = 0; i < AARD__PINNED_FILES; i++) {
        const aard__pinned_file *pin = &line->pins->files[i];
        const aard__dist_file *file = aard__dist_manifest_find(manifest, pin->name);
        if (!file)
            return aard__error(AARD_ERR_DISTRIBUTION_INVALID, "'%s' does not list '%s': stage it again", dir,
                               pin->name);
        bool any_lock = manifest->lock != AARD__LOCK_PINNED && strcmp(pin->name, AARD__FILE_LOCK) == 0;
        if (!any_lock && strcmp(file->blake2b, pin->blake2b) != 0)
            return aard__error(AARD_ERR_DISTRIBUTION_INVALID,
                               "'%s' lists a '%s' that is not Pyodide %s's: stage it again", dir, pin->name,
                               line->pins->version);
    }
    *out = line;
    return NULL;
}

static aard_error *read_manifest(const char *dir, aard__dist_manifest **out)
{
    char *path, *text = NULL;
    size_t len = 0;
    AARD__TRY(file_path(dir, AARD__DIST_MANIFEST, &path));
    aard_error *error = aard__file_read_trusted(path, AARD__DIST_MANIFEST_MAX, &text, &len);
    if (error && aard_error_get_code(error) == AARD_ERR_NOT_FOUND) {
        aard_error_free(error);
        error = aard__error(AARD_ERR_DISTRIBUTION_NOT_FOUND,
                            "there is no distribution in '%s' (no '%s'): run `aardvark assets stage`", dir,
                            AARD__DIST_MANIFEST);
    }
    if (!error) error = aard__dist_manifest_parse(text, len, path, out);
    aard__free(text);
    aard__free(path);
    return error;
}

static loaded *new_loaded(size_t files)
{
    loaded *l = aard__calloc(1, sizeof *l + files * sizeof l->files[0]);
    if (l && pthread_mutex_init(&l->mutex, NULL) != 0) {
        aard__free(l);
        l = NULL;
    }
    return l;
}

/* What is in a distribution and its cache is run: who can add to one of these directories is in the process. */
static aard_error *check_trust(const char *dir)
{
    char *cache = aard__path_join(dir, AARD__DIST_CACHE);
    int fd = -1;
    if (!cache) return aard__error_no_memory();
    aard_error *error = aard__trusted_open_dir(dir, &fd);
    if (!error) {
        close(fd);
        error = aard__trusted_open_dir(cache, &fd);
        if (!error) close(fd);
    }
    if (error && aard_error_get_code(error) == AARD_ERR_NOT_FOUND) {
        aard_error_free(error);
        error = NULL; /* reading the manifest says what is missing; there may be no cache */
    }
    aard__free(cache);
    return error;
}

aard_error *aard__distribution_open_dir(const char *dir, aard_distribution **out)
{
    aard__dist_manifest *manifest = NULL;
    aard_distribution *distribution = NULL;
    const aard__line *line = NULL;
    aard_error *error = check_trust(dir);
    if (!error) error = read_manifest(dir, &manifest);
    if (!error) error = check_release(dir, manifest, &line);
    for (size_t i = 0; !error && i < manifest->count; i++) error = check_size(dir, &manifest->files[i]);
    if (error) goto fail;

    distribution = aard__calloc(1, sizeof *distribution);
    if (distribution) {
        distribution->dir = aard__strdup(dir);
        distribution->loaded = new_loaded(manifest->count);
    }
    if (!distribution || !distribution->dir || !distribution->loaded) {
        error = aard__error_no_memory();
        goto fail;
    }
    atomic_init(&distribution->owners, 1);
    atomic_init(&distribution->cache, AARD__DIST_CACHE);
    distribution->manifest = manifest;
    distribution->line = line;
    *out = distribution;
    return NULL;
fail:
    if (distribution) {
        aard__free(distribution->dir);
        aard__free(distribution->loaded);
        aard__free(distribution);
    }
    aard__dist_manifest_free(manifest);
    return error;
}

aard_distribution *aard_distribution_retain(aard_distribution *distribution)
{
    if (distribution) atomic_fetch_add_explicit(&distribution->owners, 1, memory_order_relaxed);
    return distribution;
}

void aard_distribution_free(aard_distribution *distribution)
{
    if (!distribution || atomic_fetch_sub_explicit(&distribution->owners, 1, memory_order_acq_rel) != 1) return;
    loaded *l = distribution->loaded;
    for (size_t i = 0; i < distribution->manifest->count; i++)
        if (l->files[i].data) munmap((void *)l->files[i].data, distribution->manifest->files[i].size);
    aard__lock_free(l->lock);
    pthread_mutex_destroy(&l->mutex);
    aard__free(l);
    aard__dist_manifest_free(distribution->manifest);
    aard__free(distribution->dir);
    aard__free(distribution);
}

aard_error *aard_distribution_set_key(aard_distribution *distribution, const void *key, size_t len)
{
    AARD__NEED(distribution);
    if (key && len < crypto_generichash_KEYBYTES_MIN)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "a key of %zu bytes is too short: it needs at least %d", len,
                           crypto_generichash_KEYBYTES_MIN);
    distribution->has_key = key != NULL;
    if (key) aard__hash(key, len, distribution->key.bytes);
    return NULL;
}

const aard__signing_key *aard__distribution_key(const aard_distribution *distribution)
{
    return distribution->has_key ? &distribution->key : NULL;
}

const char *aard_distribution_dir(const aard_distribution *distribution)
{
    return distribution ? distribution->dir : NULL;
}

const char *aard_distribution_pyodide_version(const aard_distribution *distribution)
{
    return distribution ? distribution->manifest->pyodide_version : NULL;
}

aard_variant aard_distribution_variant(const aard_distribution *distribution)
{
    return distribution ? distribution->manifest->variant : (aard_variant)0;
}

const char *aard_distribution_fingerprint(const aard_distribution *distribution)
{
    return distribution ? distribution->manifest->fingerprint : NULL;
}

const char *aard__distribution_cache(const aard_distribution *distribution) { return distribution->cache; }

void aard__distribution_set_cache(aard_distribution *distribution, const char *name) { distribution->cache = name; }

const aard__line *aard__distribution_line(const aard_distribution *distribution) { return distribution->line; }

const aard__dist_manifest *aard__distribution_manifest(const aard_distribution *distribution)
{
    return distribution ? distribution->manifest : NULL;
}

static aard_error *map_file(const char *dir, const aard__dist_file *file, const void **out)
{
    char *path;
    const void *data = NULL;
    size_t len = 0;
    AARD__TRY(file_path(dir, file->name, &path));
    aard_error *error = aard__file_map(path, &data, &len);
    if (!error && len != file->size) {
        if (len) munmap((void *)data, len);
        error = aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                            "'%s' has %zu bytes and was staged with %llu: stage the distribution again", path, len,
                            (unsigned long long)file->size);
    }
    if (!error) *out = data;
    aard__free(path);
    return error;
}

static aard_error *file_locked(const aard_distribution *distribution, const char *name, const void **data, size_t *len)
{
    const aard__dist_file *file = aard__dist_manifest_find(distribution->manifest, name);
    if (!file)
        return aard__error(AARD_ERR_DISTRIBUTION_NOT_FOUND, "the distribution in '%s' has no file '%s'",
                           distribution->dir, name);
    size_t i = (size_t)(file - distribution->manifest->files);
    loaded *l = distribution->loaded;
    if (!l->files[i].mapped) AARD__TRY(map_file(distribution->dir, file, &l->files[i].data));
    l->files[i].mapped = true;
    *data = l->files[i].data;
    *len = (size_t)file->size;
    return NULL;
}

aard_error *aard__distribution_file(const aard_distribution *distribution, const char *name, const void **data,
                                    size_t *len)
{
    pthread_mutex_lock(&distribution->loaded->mutex);
    aard_error *error = file_locked(distribution, name, data, len);
    pthread_mutex_unlock(&distribution->loaded->mutex);
    return error;
}

static aard_error *load_lock(const aard_distribution *distribution, const aard__lock **out)
{
    loaded *l = distribution->loaded;
    aard_error *error = NULL;
    pthread_mutex_lock(&l->mutex);
    if (!l->lock) {
        const void *text = NULL;
        size_t len = 0;
        char *path = aard__path_join(distribution->dir, AARD__FILE_LOCK);
        error = path ? file_locked(distribution, AARD__FILE_LOCK, &text, &len) : aard__error_no_memory();
        if (!error) error = aard__lock_parse(text, len, path, AARD_ERR_DISTRIBUTION_CORRUPT, &l->lock);
        aard__free(path);
    }
    if (!error) *out = l->lock;
    pthread_mutex_unlock(&l->mutex);
    return error;
}

/* A core distribution's lock names all packages of the release, and the files of next to none are there. */
static aard_error *check_present(void *user, const aard__package *package, const char *needed_by)
{
    const aard_distribution *distribution = user;
    if (aard__dist_manifest_find(distribution->manifest, package->file_name)) return NULL;
    bool core = distribution->manifest->variant == AARD_VARIANT_CORE;
    return aard__error(
        AARD_ERR_PACKAGE_NOT_FOUND, "the package '%s'%s%s%s is not in the %s distribution '%s': %s", package->name,
        needed_by ? ", which '" : "", needed_by ? needed_by : "", needed_by ? "' needs," : "",
        aard__variant_name(distribution->manifest->variant), distribution->dir,
        core ? "stage the full variant, or stage with a wheel of it added" : "stage with a wheel of it added");
}

aard_error *aard__distribution_resolve(const aard_distribution *distribution, const char *const *names, size_t count,
                                       aard__package_list *out)
{
    const aard__lock *lock = NULL;
    AARD__TRY(load_lock(distribution, &lock));
    return aard__lock_resolve(lock, names, count, check_present, (void *)distribution, out);
}

/* ---- what packages there are ------------------------------------------------------------------------------------- */

static bool is_there(const aard_distribution *distribution, const aard__package *package)
{
    return aard__dist_manifest_find(distribution->manifest, package->file_name) != NULL;
}

/* The lock; NULL where it can't be read. */
static const aard__lock *lock_of(const aard_distribution *distribution)
{
    const aard__lock *lock = NULL;
    aard_error_free(load_lock(distribution, &lock));
    return lock;
}

size_t aard_distribution_package_count(const aard_distribution *distribution)
{
    const aard__lock *lock = distribution ? lock_of(distribution) : NULL;
    size_t count = 0;
    for (size_t i = 0; lock && i < lock->count; i++) count += is_there(distribution, &lock->packages[i]);
    return count;
}

const char *aard_distribution_package(const aard_distribution *distribution, size_t index, const char **version)
{
    const aard__lock *lock = distribution ? lock_of(distribution) : NULL;
    for (size_t i = 0; lock && i < lock->count; i++) {
        if (!is_there(distribution, &lock->packages[i]) || index--) continue;
        if (version) *version = lock->packages[i].version;
        return lock->packages[i].name;
    }
    if (version) *version = NULL;
    return NULL;
}

const aard__package *aard__distribution_provider(const aard_distribution *distribution, const char *module,
                                                 size_t module_len, bool *there)
{
    const aard__lock *lock = lock_of(distribution);
    json_t *packages = lock ? json_object_get(lock->root, "packages") : NULL, *import;
    for (size_t i = 0, k; lock && i < lock->count; i++) {
        const aard__package *package = &lock->packages[i];
        json_array_foreach(json_object_get(json_object_get(packages, package->key), "imports"), k, import)
        {
            if (json_string_length(import) != module_len || memcmp(json_string_value(import), module, module_len))
                continue;
            *there = is_there(distribution, package);
            return package;
        }
    }
    return NULL;
}
