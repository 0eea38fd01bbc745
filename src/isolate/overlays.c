/* Overlays of packages: unpacked from the distribution's archives once, kept in the catalog, shared in the process. */
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "distribution/distribution.h"
#include "isolate/packages.h"
#include "warm/catalog.h"

/* An archive unpacks to this much at most, in bytes and in files. */
#define UNPACKED_MAX ((uint64_t)4 << 30)
#define FILES_MAX 200000

/* ---- making one --------------------------------------------------------------------------------------------- */

typedef struct making {
    const char *key;
    aard_bundle **archives; /* opened as bundles, whose rules fit: regular files with plain names */
    size_t archive_count;
    aard__overlay_item *items; /* their names are owned */
    size_t count;
} making;

/* The lock's hash is checked here, where the package is used: staging is long ago. */
static aard_error *check_archive(const aard__package *package, const void *data, size_t len)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, data, len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (!strcmp(hex, package->sha256)) return NULL;
    return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                       "the package file '%s' is not the one its lock file names; stage the distribution again",
                       package->file_name);
}

static aard_error *open_archive(const aard_distribution *distribution, const aard__package *package, aard_bundle **out)
{
    const void *data;
    size_t len;
    const aard_bundle_limits limits = {sizeof limits, FILES_MAX, UNPACKED_MAX};
    AARD__TRY(aard__distribution_file(distribution, package->file_name, &data, &len));
    AARD__TRY(check_archive(package, data, len));
    aard_error *error = aard_bundle_from_bytes(data, len, &limits, out);
    return error ? aard__error_prefix(error, "package '%s'", package->name) : NULL;
}

/* Where the files of a package go: Python's modules in one tree, libraries that only they use in another. */
static const char *tree_of(const aard__package *package)
{
    return !strcmp(package->install_dir, "dynlib") ? "lib/" : "site/";
}

static aard_error *add_files(making *m, const aard_bundle *archive, const char *tree)
{
    size_t more = aard_bundle_entry_count(archive), tree_len = strlen(tree);
    aard__overlay_item *items = aard__realloc(m->items, (m->count + more + 1) * sizeof *items);
    if (!items) return aard__error_no_memory();
    m->items = items;
    for (size_t i = 0; i < more; i++) {
        const char *name;
        size_t name_len, len;
        const uint8_t *data;
        aard_bundle_entry(archive, i, &name, &name_len, &data, &len);
        char *whole = aard__malloc(tree_len + name_len + 1);
        if (!whole) return aard__error_no_memory();
        memcpy(whole, tree, tree_len);
        memcpy(whole + tree_len, name, name_len + 1);
        items[m->count++] = (aard__overlay_item){whole, tree_len + name_len, data, len};
    }
    return NULL;
}

/* Two packages may bring the same file (a licence, a namespace's __init__): it is there once, as the first has it. */
static void drop_duplicates(making *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        const aard__overlay_item *one = &m->items[i], *last = kept ? &m->items[kept - 1] : NULL;
        if (last && last->name_len == one->name_len && !memcmp(last->name, one->name, one->name_len))
            aard__free((char *)one->name);
        else
            m->items[kept++] = *one;
    }
    m->count = kept;
}

static int by_name(const void *a, const void *b)
{
    const aard__overlay_item *left = a, *right = b;
    return strcmp(left->name, right->name); /* with a NUL behind them here */
}

static aard_error *collect(const aard_distribution *distribution, making *m)
{
    size_t want = 0, len;
    for (const char *at = NULL; (at = aard__key_find(m->key, "package", at, &len));) want++;
    m->archives = aard__calloc(want + 1, sizeof *m->archives);
    if (!m->archives) return aard__error_no_memory();
    for (const char *at = NULL; (at = aard__key_find(m->key, "package", at, &len));) {
        char *name = aard__memdup0(at, strcspn(at, " \n"));
        aard__package_list list = {0};
        if (!name) return aard__error_no_memory();
        aard_error *error = aard__distribution_resolve(distribution, (const char *const *)&name, 1, &list);
        const aard__package *package = error ? NULL : list.items[list.count - 1]; /* behind what it needs */
        aard_bundle **archive = &m->archives[m->archive_count];
        if (!error) error = open_archive(distribution, package, archive);
        if (!error) m->archive_count++;
        if (!error) error = add_files(m, *archive, tree_of(package));
        aard__package_list_free(&list);
        aard__free(name);
        AARD__TRY(error);
    }
    return NULL;
}

static void end_making(making *m)
{
    for (size_t i = 0; i < m->archive_count; i++) aard_bundle_free(m->archives[i]);
    aard__free(m->archives);
    for (size_t i = 0; i < m->count; i++) aard__free((char *)m->items[i].name);
    aard__free(m->items);
}

static aard_error *write_overlay(void *user, int fd)
{
    making *m = user;
    return aard__overlay_write(fd, m->key, m->items, m->count);
}

/* ---- finding one -------------------------------------------------------------------------------------------- */

static aard_error *open_entry(aard_catalog *catalog, const char *path, const char *key, aard__overlay **out)
{
    int fd = aard__catalog_open_entry(catalog, path);
    if (fd < 0) return NULL;
    aard_error *error = aard__overlay_open(fd, path, key, out);
    if (error && aard_error_get_code(error) == AARD_ERR_WARM_CORRUPT) aard__catalog_discard(catalog, path, fd);
    aard_error_free(error);
    close(fd);
    return NULL;
}

/* In memory, for a catalog that can't be written to. */
static aard_error *make_in_memory(making *m, aard__overlay **out)
{
    int fd = memfd_create("aardvark-overlay", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return aard__error(AARD_ERR_IO, "packages can't be unpacked in memory");
    aard_error *error = write_overlay(m, fd);
    if (!error) fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    if (!error) error = aard__overlay_open(fd, "in memory", m->key, out);
    close(fd);
    return error;
}

/* Whatever is wrong with the catalog only costs time. */
static aard_error *find_or_make(const aard_distribution *distribution, const char *key, aard__overlay **out)
{
    aard_catalog *catalog = NULL;
    char *path = NULL;
    making m = {.key = key};
    aard_error *error = aard_catalog_open(NULL, 0, &catalog);
    if (!error) error = aard__catalog_path(catalog, AARD__CATALOG_OVERLAY, key, &path);
    if (!error) error = open_entry(catalog, path, key, out);
    aard_error_free(error);
    error = NULL;
    if (*out) goto done;
    error = collect(distribution, &m);
    if (error) goto done;
    if (m.count) qsort(m.items, m.count, sizeof *m.items, by_name);
    drop_duplicates(&m);
    if (path) {
        aard_error_free(aard__catalog_add(catalog, path, write_overlay, &m));
        aard_error_free(open_entry(catalog, path, key, out));
    }
    if (!*out) error = make_in_memory(&m, out);
done:
    end_making(&m);
    aard__free(path);
    aard_catalog_free(catalog);
    return error;
}

/* ---- one for the process ------------------------------------------------------------------------------------ */

typedef struct shared_overlay {
    struct shared_overlay *next;
    aard__overlay *overlay; /* one owner's share: what was used once is used again */
} shared_overlay;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static shared_overlay *overlays;

static aard_error *share(const aard_distribution *distribution, const char *key, aard__overlay **out)
{
    shared_overlay *one = overlays;
    while (one && strcmp(aard__overlay_key(one->overlay), key) != 0) one = one->next;
    if (!one) {
        aard__overlay *overlay = NULL;
        AARD__TRY(find_or_make(distribution, key, &overlay));
        one = aard__calloc(1, sizeof *one);
        if (!one) {
            aard__overlay_free(overlay);
            return aard__error_no_memory();
        }
        *one = (shared_overlay){overlays, overlay};
        overlays = one;
    }
    *out = aard__overlay_retain(one->overlay);
    return NULL;
}

aard_error *aard__packages_overlay(const aard_distribution *distribution, const char *lines, aard__overlay **out)
{
    pthread_mutex_lock(&mutex); /* a second guest that wants the same packages had better wait */
    aard_error *error = share(distribution, lines, out);
    pthread_mutex_unlock(&mutex);
    return error;
}
