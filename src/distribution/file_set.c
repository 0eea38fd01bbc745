#include "distribution/file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define FILES_MAX 10000
#define FILE_BYTES_MAX (UINT64_C(1) << 30)
#define TOTAL_BYTES_MAX (UINT64_C(8) << 30)
#define CHUNK (256u << 10)

void aard__file_set_init(aard__file_set *set, int dir) { *set = (aard__file_set){.dir = dir, .fd = -1}; }

void aard__file_set_free(aard__file_set *set)
{
    if (set->fd >= 0) close(set->fd);
    for (size_t i = 0; i < set->count; i++) aard__free(set->files[i].name);
    if (set->fd >= 0) aard__free(set->files[set->count].name);
    aard__free(set->files);
    aard__file_set_init(set, -1);
}

static aard_error *cannot_write(const aard__file_set *set, int reason)
{
    return aard__error_errno(AARD_ERR_IO, reason, "cannot write '%s' of the new distribution",
                             set->files[set->count].name);
}

aard_error *aard__file_set_begin(aard__file_set *set, const char *name)
{
    if (aard__file_set_find(set, name))
        return aard__error(AARD_ERR_STAGE_SOURCE, "there are two files named '%s'", name);
    if (set->count == FILES_MAX) return aard__error(AARD_ERR_STAGE_SOURCE, "there are more than %d files", FILES_MAX);
    if (set->count == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : 16;
        aard__set_file *files = aard__realloc(set->files, cap * sizeof *files);
        if (!files) return aard__error_no_memory();
        set->files = files;
        set->cap = cap;
    }
    aard__set_file *file = &set->files[set->count];
    *file = (aard__set_file){.name = aard__strdup(name)};
    if (!file->name) return aard__error_no_memory();
    set->fd = openat(set->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (set->fd < 0) {
        aard_error *error = cannot_write(set, errno);
        aard__free(file->name);
        return error;
    }
    crypto_hash_sha256_init(&set->sha256);
    aard__hash_start(&set->blake2b);
    return NULL;
}

aard_error *aard__file_set_write(aard__file_set *set, const void *data, size_t len)
{
    aard__set_file *file = &set->files[set->count];
    if (len > FILE_BYTES_MAX - file->size || len > TOTAL_BYTES_MAX - set->total)
        return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' is larger than any file of a Pyodide release", file->name);
    crypto_hash_sha256_update(&set->sha256, data, len);
    aard__hash_add(&set->blake2b, data, len);
    file->size += len;
    set->total += len;
    for (const char *at = data; len;) {
        ssize_t n = write(set->fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_write(set, errno);
        at += n;
        len -= (size_t)n;
    }
    return NULL;
}

aard_error *aard__file_set_end(aard__file_set *set)
{
    aard__set_file *file = &set->files[set->count];
    int failed = fsync(set->fd) < 0 ? errno : 0;
    if (close(set->fd) < 0 && !failed) failed = errno;
    aard_error *error = failed ? cannot_write(set, failed) : NULL;
    set->fd = -1;
    if (error) {
        aard__free(file->name);
        return error;
    }
    uint8_t hash[AARD__HASH_BYTES];
    crypto_hash_sha256_final(&set->sha256, hash);
    sodium_bin2hex(file->sha256, sizeof file->sha256, hash, sizeof hash);
    aard__hash_end(&set->blake2b, hash);
    aard__hash_hex(hash, file->blake2b);
    set->count++;
    return NULL;
}

aard_error *aard__file_set_put(aard__file_set *set, const char *name, const void *data, size_t len)
{
    AARD__TRY(aard__file_set_begin(set, name));
    AARD__TRY(aard__file_set_write(set, data, len));
    return aard__file_set_end(set);
}

aard_error *aard__file_set_copy(aard__file_set *set, const char *name, int fd, const char *from,
                                void (*tick)(void *user, size_t len), void *user)
{
    AARD__TRY(aard__file_set_begin(set, name));
    char *chunk = aard__malloc(CHUNK);
    aard_error *error = chunk ? NULL : aard__error_no_memory();
    while (!error) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = aard__error_errno(AARD_ERR_IO, errno, "cannot read '%s'", from);
        if (n <= 0) break;
        error = aard__file_set_write(set, chunk, (size_t)n);
        if (tick) tick(user, (size_t)n);
    }
    aard__free(chunk);
    return error ? error : aard__file_set_end(set);
}

static size_t position(const aard__file_set *set, const char *name)
{
    size_t i = 0;
    while (i < set->count && strcmp(set->files[i].name, name) != 0) i++;
    return i;
}

const aard__set_file *aard__file_set_find(const aard__file_set *set, const char *name)
{
    size_t i = position(set, name);
    return i < set->count ? &set->files[i] : NULL;
}

aard_error *aard__file_set_drop(aard__file_set *set, const char *name)
{
    size_t i = position(set, name);
    if (i == set->count) return NULL;
    if (unlinkat(set->dir, name, 0) < 0)
        return aard__error_errno(AARD_ERR_IO, errno, "cannot remove '%s' of the new distribution", name);
    set->total -= set->files[i].size;
    aard__free(set->files[i].name);
    set->files[i] = set->files[--set->count];
    return NULL;
}
