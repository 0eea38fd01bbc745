/* Overlays of packages: unpacked from the distribution's archives once, kept in the catalog, shared in the process. */
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/sealed.h"
#include "bundle/archive.h"
#include "bundle/entry_rules.h"
#include "distribution/distribution.h"
#include "guest/python/packages.h"
#include "warm/catalog.h"

/* All packages together unpack to this much at most, in bytes and in files; where no catalog takes that, it is memory. */
#define UNPACKED_MAX ((uint64_t)2 << 30)
#define IN_MEMORY_MAX ((uint64_t)1 << 30)
#define FILES_MAX 200000

#define LOOK_EACH 1024   /* files, between two looks whether there is time left */
#define WAIT_NS 10000000 /* between two looks whether to go on waiting */

/* ---- making one --------------------------------------------------------------------------------------------- */

typedef struct making {
    const char *key;
    const aard__packages_rules *rules;
    aard__archive **archives; /* by the rules of bundles: regular files with plain names */
    size_t archive_count;
    aard__overlay_item *items; /* their names are owned; the tag is the archive's number and the entry's */
    size_t count;
    uint64_t bytes;
    aard__overlay_sink *sink; /* of the entry that is being unpacked */
    bool content_failed;      /* what went wrong is no fault of where it is written to */
} making;

static aard_error *stopped(void)
{
    return aard__error(AARD_ERR_GUEST_BOOT, "the packages were not unpacked in time; raise the start-up limit");
}

static bool is_stopped(const aard__packages_rules *rules) { return rules->stopped && rules->stopped(rules->user); }

/* The lock's hash is checked here, where the package is used: staging is long ago. */
static aard_error *check_archive(const aard__package *package, const making *m, const unsigned char *data, size_t len)
{
    enum { SLICE = 1 << 20 };
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t at = 0; at < len; at += SLICE) {
        if (is_stopped(m->rules)) return stopped();
        crypto_hash_sha256_update(&state, data + at, len - at < SLICE ? len - at : SLICE);
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (!strcmp(hex, package->sha256)) return NULL;
    return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                       "the package file '%s' is not the one its lock file names; stage the distribution again",
                       package->file_name);
}

static aard_error *open_archive(const aard_distribution *distribution, const aard__package *package, const making *m,
                                aard__archive **out)
{
    const void *data;
    size_t len;
    AARD__TRY(aard__distribution_file(distribution, package->file_name, &data, &len));
    AARD__TRY(check_archive(package, m, data, len));
    aard_error *error = aard__archive_open(data, len, FILES_MAX - m->count, UNPACKED_MAX - m->bytes, out);
    return error ? aard__error_prefix(error, "package '%s'", package->name) : NULL;
}

/* Where the files of a package go: Python's modules in one tree, libraries that only they use in another. */
static const char *tree_of(const aard__package *package)
{
    return !strcmp(package->install_dir, "dynlib") ? "lib/" : "site/";
}

static aard_error *add_files(making *m, const char *tree)
{
    const aard__zip_directory *directory = aard__archive_directory(m->archives[m->archive_count - 1]);
    size_t tree_len = strlen(tree);
    aard__overlay_item *items = aard__realloc(m->items, (m->count + directory->count + 1) * sizeof *items);
    if (!items) return aard__error_no_memory();
    m->items = items;
    for (size_t i = 0; i < directory->count; i++) {
        const aard__zip_entry *entry = &directory->entries[i];
        if (i % LOOK_EACH == 0 && is_stopped(m->rules)) return stopped();
        if (aard__entry_is_directory(entry)) continue;
        char *whole = aard__malloc(tree_len + entry->name_len + 1);
        if (!whole) return aard__error_no_memory();
        memcpy(whole, tree, tree_len);
        memcpy(whole + tree_len, entry->name, entry->name_len);
        whole[tree_len + entry->name_len] = '\0';
        items[m->count++] = (aard__overlay_item){.name = whole,
                                                 .name_len = tree_len + entry->name_len,
                                                 .len = (size_t)entry->unpacked,
                                                 .tag = (uint64_t)(m->archive_count - 1) << 32 | i};
        m->bytes += entry->unpacked;
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
    int order = strcmp(left->name, right->name); /* with a NUL behind them here */
    return order ? order : left->tag < right->tag ? -1 : left->tag > right->tag;
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
        if (!error) error = open_archive(distribution, package, m, &m->archives[m->archive_count]);
        if (!error) m->archive_count++;
        if (!error) error = add_files(m, tree_of(package));
        aard__package_list_free(&list);
        aard__free(name);
        AARD__TRY(error);
    }
    return NULL;
}

static void end_making(making *m)
{
    for (size_t i = 0; i < m->archive_count; i++) aard__archive_free(m->archives[i]);
    aard__free(m->archives);
    for (size_t i = 0; i < m->count; i++) aard__free((char *)m->items[i].name);
    aard__free(m->items);
}

static aard_error *take(void *user, const void *data, size_t len)
{
    making *m = user;
    if (is_stopped(m->rules)) return stopped();
    aard_error *error = aard__overlay_put(m->sink, data, len);
    m->content_failed = !error;
    return error;
}

static aard_error *fill(void *user, const aard__overlay_item *item, aard__overlay_sink *sink)
{
    making *m = user;
    m->sink = sink;
    m->content_failed = true; /* unless it turns out to be the sink */
    aard_error *error = aard__archive_unpack(m->archives[item->tag >> 32], (size_t)(item->tag & UINT32_MAX), take, m);
    if (!error) m->content_failed = false;
    return error;
}

static aard_error *write_overlay(void *user, int fd)
{
    making *m = user;
    return aard__overlay_write_from(fd, m->key, m->items, m->count, fill, m);
}

/* ---- finding one -------------------------------------------------------------------------------------------- */

static aard_error *open_entry(aard_catalog *catalog, const char *path, const char *key, aard__overlay **out)
{
    int fd = aard__catalog_open_entry(catalog, path);
    if (fd < 0) return NULL;
    aard_error *error = aard__overlay_open(fd, path, key, out);
    if (error && aard_error_get_code(error) == AARD_ERR_WARM_CORRUPT) aard__catalog_discard(catalog, path, fd);
    aard__log_error(AARD_LOG_WARNING, error, "packages are unpacked again");
    close(fd);
    return NULL;
}

/* In memory, for a catalog that can't be written to. */
static aard_error *make_in_memory(making *m, aard__overlay **out)
{
    uint64_t most = m->rules->memory_bytes ? m->rules->memory_bytes : IN_MEMORY_MAX;
    if (m->bytes > most)
        return aard__error(
            AARD_ERR_BUNDLE_TOO_LARGE,
            "the packages unpack to %llu MiB, there is no catalog to unpack them to, and the isolate may "
            "have %llu MiB of memory; let the catalog be written, or raise the heap limit",
            (unsigned long long)(m->bytes >> 20), (unsigned long long)(most >> 20));
    int fd = memfd_create("aardvark-overlay", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return aard__error(AARD_ERR_IO, "packages can't be unpacked in memory");
    aard_error *error = write_overlay(m, fd);
    if (!error) aard__seal(fd);
    if (!error) error = aard__overlay_open(fd, "in memory", m->key, out);
    close(fd);
    return error;
}

/* Through the catalog, where there is room in it.  Whatever is wrong with it only costs time. */
static aard_error *make_in_catalog(making *m, aard_catalog *catalog, const char *path, aard__overlay **out)
{
    bool fits = m->bytes <= aard_catalog_max_bytes(catalog);
    aard_error *error = fits ? aard__catalog_add(catalog, path, write_overlay, m) : NULL;
    if (error && (m->content_failed || is_stopped(m->rules))) return error;
    if (fits && !error) aard__log(AARD_LOG_INFO, "packages were unpacked to '%s'", path);
    aard__log_error(AARD_LOG_WARNING, error, "packages are unpacked in memory: the catalog can't be written to");
    return open_entry(catalog, path, m->key, out);
}

static aard_error *make(const aard_distribution *distribution, making *m, aard_catalog *catalog, const char *path,
                        aard__overlay **out)
{
    AARD__TRY(collect(distribution, m));
    if (is_stopped(m->rules)) return stopped();
    if (m->count) qsort(m->items, m->count, sizeof *m->items, by_name);
    drop_duplicates(m);
    if (path) AARD__TRY(make_in_catalog(m, catalog, path, out));
    return *out ? NULL : make_in_memory(m, out);
}

static aard_error *find_or_make(const aard_distribution *distribution, const char *key,
                                const aard__packages_rules *rules, aard__overlay **out)
{
    aard_catalog *catalog = aard_catalog_retain(rules->catalog);
    char *path = NULL;
    making m = {.key = key, .rules = rules};
    aard_error *error = catalog ? NULL : aard_catalog_open(NULL, 0, &catalog);
    if (!error) error = aard__catalog_path(catalog, AARD__CATALOG_OVERLAY, key, &path);
    if (!error) error = open_entry(catalog, path, key, out);
    aard__log_error(AARD_LOG_WARNING, error, "packages are unpacked without a catalog");
    error = *out ? NULL : make(distribution, &m, catalog, path, out);
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

static aard_error *share(const aard_distribution *distribution, const char *key, const aard__packages_rules *rules,
                         aard__overlay **out)
{
    shared_overlay *one = overlays;
    while (one && strcmp(aard__overlay_key(one->overlay), key) != 0) one = one->next;
    if (!one) {
        aard__overlay *overlay = NULL;
        AARD__TRY(find_or_make(distribution, key, rules, &overlay));
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

/* A second guest that wants the same packages had better wait, for as long as it may. */
static bool take_lock(const aard__packages_rules *rules)
{
    for (;;) {
        uint64_t until = aard__clock_monotonic() + WAIT_NS;
        struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
        if (pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &at) == 0) return true;
        if (is_stopped(rules)) return false;
    }
}

aard_error *aard__packages_overlay(const aard_distribution *distribution, const char *lines,
                                   const aard__packages_rules *rules, aard__overlay **out)
{
    static const aard__packages_rules none = {0};
    if (!rules) rules = &none;
    if (!take_lock(rules)) return stopped();
    aard_error *error = share(distribution, lines, rules, out);
    pthread_mutex_unlock(&mutex);
    return error;
}

size_t aard_overlays_release(void)
{
    size_t count = 0;
    pthread_mutex_lock(&mutex);
    for (shared_overlay **at = &overlays; *at;) {
        shared_overlay *one = *at;
        if (!aard__overlay_has_one_owner(one->overlay)) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        aard__overlay_free(one->overlay);
        aard__free(one);
        count++;
    }
    pthread_mutex_unlock(&mutex);
    return count;
}

AARD__PROCESS_KEEPS(overlays, "unpacked packages that guests share", "mutex overlays");
