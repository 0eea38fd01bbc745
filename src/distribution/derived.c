#include "distribution/derived.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/log.h"
#include "base/new_file.h"
#include "distribution/distribution.h"

static const char magic[8] = "AARDDRV3";

/* In front of the data; host byte order, since compiled code does not travel anyway. */
typedef struct header {
    char magic[8];
    uint64_t len;
    uint8_t sum[AARD__CHECKSUM_BYTES]; /* over fingerprint, key and data */
} header;

static void sum_of(const aard_distribution *distribution, const char *key, const void *data, size_t len,
                   uint8_t out[AARD__CHECKSUM_BYTES])
{
    const char *fingerprint = aard_distribution_fingerprint(distribution);
    aard__checksummer summer;
    aard__checksum_start(&summer);
    aard__checksum_add_sized(&summer, fingerprint, strlen(fingerprint));
    aard__checksum_add_sized(&summer, key, strlen(key));
    aard__checksum_add_sized(&summer, data, len);
    aard__checksum_end(&summer, out);
}

aard_error *aard__derived_path(const aard_distribution *distribution, const char *name, bool make, char **out)
{
    char *dir = aard__path_join(aard_distribution_dir(distribution), aard__distribution_cache(distribution));
    if (!dir) return aard__error_no_memory();
    aard_error *error = make ? aard__dir_make(dir) : NULL;
    char *path = error ? NULL : aard__path_join(dir, name);
    aard__free(dir);
    if (error) return error;
    if (!path) return aard__error_no_memory();
    *out = path;
    return NULL;
}

bool aard__derived_map(const aard_distribution *distribution, const char *name, aard__derived *out)
{
    char *path;
    const void *map = NULL;
    size_t map_len;
    aard_error *error = aard__derived_path(distribution, name, false, &path);
    if (!error) {
        error = aard__file_map(path, &map, &map_len);
        aard__free(path);
    }
    if (error) {
        bool absent = aard_error_get_code(error) == AARD_ERR_NOT_FOUND;
        aard__log_error(absent ? AARD_LOG_DEBUG : AARD_LOG_WARNING, error,
                        "a file of the distribution's cache is not used");
        return false;
    }
    header head;
    bool whole = map && map_len >= sizeof head;
    if (whole) {
        memcpy(&head, map, sizeof head);
        whole = !memcmp(head.magic, magic, sizeof magic) && head.len == map_len - sizeof head;
    }
    if (!whole) {
        if (map) munmap((void *)map, map_len);
        return false;
    }
    *out = (aard__derived){(const uint8_t *)map + sizeof head, head.len, (void *)map, map_len, {0}};
    memcpy(out->sum, head.sum, sizeof head.sum);
    return true;
}

bool aard__derived_check(const aard_distribution *distribution, const char *key, const aard__derived *derived)
{
    uint8_t sum[AARD__CHECKSUM_BYTES];
    sum_of(distribution, key, derived->data, derived->len, sum);
    return !memcmp(sum, derived->sum, sizeof sum);
}

bool aard__derived_open(const aard_distribution *distribution, const char *name, const char *key, aard__derived *out)
{
    aard__derived derived;
    if (!aard__derived_map(distribution, name, &derived)) return false;
    if (!aard__derived_check(distribution, key, &derived)) {
        aard__derived_close(&derived);
        return false;
    }
    *out = derived;
    return true;
}

void aard__derived_rest(const aard__derived *derived)
{
    if (derived->map) madvise(derived->map, derived->map_len, MADV_DONTNEED);
}

void aard__derived_close(aard__derived *derived)
{
    if (derived->map) munmap(derived->map, derived->map_len);
    *derived = (aard__derived){0};
}

aard_error *aard__derived_write(const aard_distribution *distribution, const char *name, const char *key,
                                const void *data, size_t len)
{
    char *path;
    header head = {.len = len};
    aard__buf file = AARD__BUF_INIT;
    memcpy(head.magic, magic, sizeof magic);
    sum_of(distribution, key, data, len, head.sum);
    aard__buf_append(&file, &head, sizeof head);
    aard__buf_append(&file, data, len);
    aard_error *error = file.failed ? aard__error_no_memory() : NULL;
    if (!error) error = aard__derived_path(distribution, name, true, &path);
    if (!error) {
        error = aard__file_write_atomic(path, AARD__MODE_RUN, file.data, file.len);
        aard__free(path);
    }
    aard__buf_free(&file);
    return error;
}

aard_error *aard__derived_renew(aard_distribution *distribution)
{
    char *dir = aard__path_join(aard_distribution_dir(distribution), AARD__DIST_CACHE_NEW);
    if (!dir) return aard__error_no_memory();
    aard_error *error = aard__dir_remove(dir); /* of one that was killed */
    if (!error) error = aard__dir_make(dir);
    if (!error) aard__distribution_set_cache(distribution, AARD__DIST_CACHE_NEW);
    aard__free(dir);
    return error;
}

/* Both change places, so that there is a whole one at every moment, where the file system can do that. */
static int put_in_place(const char *made, const char *dir)
{
    if (renameat2(AT_FDCWD, made, AT_FDCWD, dir, RENAME_EXCHANGE) == 0) return 0;
    if (errno != ENOENT && errno != EINVAL && errno != ENOSYS) return errno;
    if (errno != ENOENT) aard_error_free(aard__dir_remove(dir));
    return rename(made, dir) < 0 ? errno : 0;
}

aard_error *aard__derived_renewed(aard_distribution *distribution, aard_error *error)
{
    char *dir = aard__path_join(aard_distribution_dir(distribution), AARD__DIST_CACHE);
    char *made = aard__path_join(aard_distribution_dir(distribution), AARD__DIST_CACHE_NEW);
    if (!error && (!dir || !made)) error = aard__error_no_memory();
    int failed = error ? 0 : put_in_place(made, dir);
    if (failed) error = aard__error_errno(AARD_ERR_IO, failed, "cannot move the new cache to '%s'", dir);
    if (made) aard_error_free(aard__dir_remove(made)); /* the old one, or what has failed */
    aard__distribution_set_cache(distribution, AARD__DIST_CACHE);
    aard__free(dir);
    aard__free(made);
    return error;
}
