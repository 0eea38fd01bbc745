#include "warm/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/hash.h"
#include "base/home.h"
#include "base/log.h"
#include "base/new_file.h"
#include "base/trust.h"
#include "warm/image.h"
#include "warm/overlay.h"

#define DEFAULT_QUOTA ((uint64_t)2 << 30)
#define LOCK_NAME ".lock"
#define LOCK_MS 10000

struct aard_catalog {
    atomic_size_t owners;
    char *dir;
    uint64_t quota;
};

static const char *const suffixes[] = {[AARD__CATALOG_STATE] = ".warm", [AARD__CATALOG_OVERLAY] = ".overlay"};

/* ---- life --------------------------------------------------------------------------------------------------- */

/* What is in it holds guests' memory, and is run: it is nobody else's to read or to write. */
static aard_error *make_dir(const char *dir)
{
    int fd = -1;
    size_t len = strlen(dir);
    while (len && dir[len - 1] == '/') len--;
    while (len && dir[len - 1] != '/') len--;
    char *parent = len ? aard__memdup0(dir, len) : NULL;
    if (len && !parent) return aard__error_no_memory();
    aard_error *error = parent ? aard__dir_make(parent) : NULL;
    aard__free(parent);
    if (!error && mkdir(dir, 0700) < 0 && errno != EEXIST)
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot make the directory '%s'", dir);
    if (!error) error = aard__dir_make(dir); /* says so where it is none */
    if (!error) error = aard__trusted_open_dir(dir, &fd);
    if (fd >= 0) close(fd);
    return error;
}

aard_error *aard_catalog_open(const char *dir, uint64_t max_bytes, aard_catalog **out)
{
    AARD__NEED(out);
    aard_catalog *catalog = aard__calloc(1, sizeof *catalog);
    if (!catalog) return aard__error_no_memory();
    atomic_init(&catalog->owners, 1);
    catalog->quota = max_bytes ? max_bytes : DEFAULT_QUOTA;
    aard_error *error = NULL;
    if (!dir)
        error = aard__home("catalog", &catalog->dir);
    else if (!(catalog->dir = aard__strdup(dir)))
        error = aard__error_no_memory();
    if (!error) error = make_dir(catalog->dir);
    if (error) {
        aard_catalog_free(catalog);
        return error;
    }
    *out = catalog;
    return NULL;
}

aard_catalog *aard_catalog_retain(aard_catalog *catalog)
{
    if (catalog) atomic_fetch_add_explicit(&catalog->owners, 1, memory_order_relaxed);
    return catalog;
}

void aard_catalog_free(aard_catalog *catalog)
{
    if (!catalog || atomic_fetch_sub_explicit(&catalog->owners, 1, memory_order_acq_rel) != 1) return;
    aard__free(catalog->dir);
    aard__free(catalog);
}

const char *aard_catalog_dir(const aard_catalog *catalog) { return catalog ? catalog->dir : NULL; }

uint64_t aard_catalog_max_bytes(const aard_catalog *catalog) { return catalog ? catalog->quota : 0; }

aard_error *aard__catalog_path(const aard_catalog *catalog, aard__catalog_kind kind, const char *key, char **out)
{
    uint8_t hash[AARD__HASH_BYTES];
    char hex[AARD__HASH_HEX];
    aard__buf path = AARD__BUF_INIT;
    aard__hash(key, strlen(key), hash);
    aard__hash_hex(hash, hex);
    aard__buf_printf(&path, "%s/%s%s", catalog->dir, hex, suffixes[kind]);
    char *made = aard__buf_take(&path, NULL);
    if (!made) return aard__error_no_memory();
    *out = made;
    return NULL;
}

/* ---- the lock ----------------------------------------------------------------------------------------------- */

/* Never held while a guest runs, only while files are counted, moved and removed: whoever holds it for longer than that is
 * not waited for. */
static aard_error *lock(const aard_catalog *catalog, int *out)
{
    char *path = aard__path_join(catalog->dir, LOCK_NAME);
    if (!path) return aard__error_no_memory();
    aard_error *error = aard__file_lock(path, LOCK_MS, NULL, NULL, out);
    aard__free(path);
    return error;
}

static void unlock(int fd)
{
    if (fd >= 0) close(fd);
}

/* ---- what is there ------------------------------------------------------------------------------------------ */

typedef struct entry {
    char name[2 * AARD__HASH_HEX];
    uint64_t bytes;
    struct timespec used;
} entry;

typedef struct listing {
    entry *items; /* least recently used first */
    size_t count, cap;
    uint64_t bytes;
} listing;

static bool is_entry(const char *name)
{
    size_t hex = strspn(name, "0123456789abcdef");
    if (hex != AARD__HASH_HEX - 1) return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (!strcmp(name + hex, suffixes[i])) return true;
    return false;
}

static int by_use(const void *a, const void *b)
{
    const struct timespec x = ((const entry *)a)->used, y = ((const entry *)b)->used;
    if (x.tv_sec != y.tv_sec) return x.tv_sec < y.tv_sec ? -1 : 1;
    return (x.tv_nsec > y.tv_nsec) - (x.tv_nsec < y.tv_nsec);
}

static aard_error *add_entry(listing *list, const char *name, const struct stat *st)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        entry *items = aard__realloc(list->items, cap * sizeof *items);
        if (!items) return aard__error_no_memory();
        list->items = items;
        list->cap = cap;
    }
    entry *one = &list->items[list->count++];
    snprintf(one->name, sizeof one->name, "%.*s", (int)sizeof one->name - 1, name);
    one->bytes = (uint64_t)st->st_blocks * 512;
    one->used = st->st_mtim;
    list->bytes += one->bytes;
    return NULL;
}

static aard_error *read_entries(const aard_catalog *catalog, listing *out)
{
    DIR *dir = opendir(catalog->dir);
    if (!dir) return aard__error_errno(AARD_ERR_IO, errno, "cannot list '%s'", catalog->dir);
    aard_error *error = NULL;
    for (struct dirent *item; !error && (item = readdir(dir));) {
        struct stat st;
        if (is_entry(item->d_name) && fstatat(dirfd(dir), item->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            error = add_entry(out, item->d_name, &st);
    }
    closedir(dir);
    if (out->count) qsort(out->items, out->count, sizeof *out->items, by_use);
    return error;
}

/* The least recently used go until `more` bytes fit. */
static aard_error *make_room(const aard_catalog *catalog, uint64_t more)
{
    listing list = {0};
    aard_error *error = read_entries(catalog, &list);
    uint64_t limit = catalog->quota > more ? catalog->quota - more : 0;
    for (size_t i = 0; !error && i < list.count && list.bytes > limit; i++) {
        char *path = aard__path_join(catalog->dir, list.items[i].name);
        if (!path) error = aard__error_no_memory();
        if (path && (unlink(path) == 0 || errno == ENOENT)) list.bytes -= list.items[i].bytes;
        aard__free(path);
    }
    aard__free(list.items);
    return error;
}

aard_error *aard_catalog_usage(const aard_catalog *catalog, uint64_t *entries, uint64_t *bytes)
{
    AARD__NEED(catalog);
    listing list = {0};
    aard_error *error = read_entries(catalog, &list);
    if (!error && entries) *entries = list.count;
    if (!error && bytes) *bytes = list.bytes;
    aard__free(list.items);
    return error;
}

/* A file is whole whatever it was made for. */
static aard_error *check_entry(const char *path)
{
    size_t len = strlen(path);
    if (!strcmp(path + len - strlen(suffixes[AARD__CATALOG_STATE]), suffixes[AARD__CATALOG_STATE])) {
        aard__image *image;
        AARD__TRY(aard__image_open(path, "", NULL, &image));
        aard__image_free(image);
        return NULL;
    }
    const void *data;
    AARD__TRY(aard__file_map(path, &data, &len));
    aard_error *error = aard__overlay_check(data, len, path, NULL);
    if (data) munmap((void *)data, len);
    return error;
}

aard_error *aard_catalog_prune(aard_catalog *catalog, size_t *removed)
{
    AARD__NEED(catalog);
    listing list = {0};
    size_t count = 0;
    aard__new_file_sweep(catalog->dir, NULL);
    aard_error *error = read_entries(catalog, &list);
    for (size_t i = 0; !error && i < list.count; i++) {
        char *path = aard__path_join(catalog->dir, list.items[i].name);
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) : -1;
        aard_error *bad = fd >= 0 ? check_entry(path) : NULL;
        if (bad && aard_error_get_code(bad) == AARD_ERR_WARM_CORRUPT) {
            aard__catalog_discard(catalog, path, fd);
            count++;
        }
        if (!path) error = aard__error_no_memory();
        if (fd >= 0) close(fd);
        aard_error_free(bad);
        aard__free(path);
    }
    aard__free(list.items);
    if (!error && removed) *removed = count;
    return error;
}

/* ---- entries ------------------------------------------------------------------------------------------------ */

int aard__catalog_open_entry(const aard_catalog *catalog, const char *path)
{
    (void)catalog;
    int fd = -1;
    aard_error *error = aard__trusted_open(path, &fd);
    if (error && aard_error_get_code(error) == AARD_ERR_NOT_FOUND)
        aard_error_free(error);
    else
        aard__log_error(AARD_LOG_WARNING, error, "an entry of the catalog is not used");
    if (fd >= 0) futimens(fd, NULL); /* a catalog that can't be written to has no order, and is used all the same */
    return fd;
}

aard_error *aard__catalog_add(aard_catalog *catalog, const char *path, aard__catalog_write write, void *user)
{
    aard__new_file file;
    struct stat st;
    AARD__TRY(aard__new_file_open(path, AARD__MODE_PRIVATE, &file));
    aard_error *error = write(user, file.fd);
    if (!error && fstat(file.fd, &st) < 0) error = aard__error_errno(AARD_ERR_IO, errno, "cannot write '%s'", path);
    uint64_t bytes = error ? 0 : (uint64_t)st.st_blocks * 512;
    if (error || bytes > catalog->quota) {
        aard__new_file_drop(&file);
        return error;
    }
    int locked = -1;
    error = lock(catalog, &locked);
    if (!error) {
        aard__new_file_sweep(catalog->dir, NULL);
        error = make_room(catalog, bytes);
    }
    if (!error)
        error = aard__new_file_commit(&file);
    else
        aard__new_file_drop(&file);
    unlock(locked);
    return error;
}

void aard__catalog_discard(aard_catalog *catalog, const char *path, int fd)
{
    struct stat bad, now;
    int locked = -1;
    aard_error *error = lock(catalog, &locked);
    if (!error && fstat(fd, &bad) == 0 && lstat(path, &now) == 0 && bad.st_dev == now.st_dev &&
        bad.st_ino == now.st_ino)
        unlink(path);
    unlock(locked);
    aard__log_error(AARD_LOG_WARNING, error, "the damaged '%s' stays in the catalog", path);
}
