#include "distribution/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define FILES_MAX 10000
#define FILE_BYTES_MAX (UINT64_C(1) << 30)
#define TOTAL_BYTES_MAX (UINT64_C(8) << 30)
#define CHUNK (256u << 10)

void aard__intake_init(aard__intake *intake, int dir) { *intake = (aard__intake){.dir = dir, .fd = -1}; }

void aard__intake_free(aard__intake *intake)
{
    if (intake->fd >= 0) close(intake->fd);
    for (size_t i = 0; i < intake->count; i++) aard__free(intake->files[i].name);
    if (intake->fd >= 0) aard__free(intake->files[intake->count].name);
    aard__free(intake->files);
    aard__intake_init(intake, -1);
}

static aard_error *cannot_write(const aard__intake *intake, int reason)
{
    return aard__error_errno(AARD_ERR_IO, reason, "cannot write '%s' of the new distribution",
                             intake->files[intake->count].name);
}

aard_error *aard__intake_begin(aard__intake *intake, const char *name)
{
    if (aard__intake_find(intake, name))
        return aard__error(AARD_ERR_STAGE_SOURCE, "there are two files named '%s'", name);
    if (intake->count == FILES_MAX)
        return aard__error(AARD_ERR_STAGE_SOURCE, "there are more than %d files", FILES_MAX);
    if (intake->count == intake->cap) {
        size_t cap = intake->cap ? 2 * intake->cap : 16;
        aard__taken *files = aard__realloc(intake->files, cap * sizeof *files);
        if (!files) return aard__error_no_memory();
        intake->files = files;
        intake->cap = cap;
    }
    aard__taken *file = &intake->files[intake->count];
    *file = (aard__taken){.name = aard__strdup(name)};
    if (!file->name) return aard__error_no_memory();
    intake->fd = openat(intake->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (intake->fd < 0) {
        aard_error *error = cannot_write(intake, errno);
        aard__free(file->name);
        return error;
    }
    crypto_hash_sha256_init(&intake->sha256);
    aard__hash_start(&intake->blake2b);
    return NULL;
}

aard_error *aard__intake_write(aard__intake *intake, const void *data, size_t len)
{
    aard__taken *file = &intake->files[intake->count];
    if (len > FILE_BYTES_MAX - file->size || len > TOTAL_BYTES_MAX - intake->total)
        return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' is larger than any file of a Pyodide release", file->name);
    crypto_hash_sha256_update(&intake->sha256, data, len);
    aard__hash_add(&intake->blake2b, data, len);
    file->size += len;
    intake->total += len;
    for (const char *at = data; len;) {
        ssize_t n = write(intake->fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_write(intake, errno);
        at += n;
        len -= (size_t)n;
    }
    return NULL;
}

aard_error *aard__intake_end(aard__intake *intake)
{
    aard__taken *file = &intake->files[intake->count];
    int failed = fsync(intake->fd) < 0 ? errno : 0;
    if (close(intake->fd) < 0 && !failed) failed = errno;
    aard_error *error = failed ? cannot_write(intake, failed) : NULL;
    intake->fd = -1;
    if (error) {
        aard__free(file->name);
        return error;
    }
    uint8_t hash[AARD__HASH_BYTES];
    crypto_hash_sha256_final(&intake->sha256, hash);
    sodium_bin2hex(file->sha256, sizeof file->sha256, hash, sizeof hash);
    aard__hash_end(&intake->blake2b, hash);
    aard__hash_hex(hash, file->blake2b);
    intake->count++;
    return NULL;
}

aard_error *aard__intake_put(aard__intake *intake, const char *name, const void *data, size_t len)
{
    AARD__TRY(aard__intake_begin(intake, name));
    AARD__TRY(aard__intake_write(intake, data, len));
    return aard__intake_end(intake);
}

aard_error *aard__intake_copy(aard__intake *intake, const char *name, int fd, const char *from,
                              void (*tick)(void *user, size_t len), void *user)
{
    AARD__TRY(aard__intake_begin(intake, name));
    char *chunk = aard__malloc(CHUNK);
    aard_error *error = chunk ? NULL : aard__error_no_memory();
    while (!error) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = aard__error_errno(AARD_ERR_IO, errno, "cannot read '%s'", from);
        if (n <= 0) break;
        error = aard__intake_write(intake, chunk, (size_t)n);
        if (tick) tick(user, (size_t)n);
    }
    aard__free(chunk);
    return error ? error : aard__intake_end(intake);
}

static size_t position(const aard__intake *intake, const char *name)
{
    size_t i = 0;
    while (i < intake->count && strcmp(intake->files[i].name, name) != 0) i++;
    return i;
}

const aard__taken *aard__intake_find(const aard__intake *intake, const char *name)
{
    size_t i = position(intake, name);
    return i < intake->count ? &intake->files[i] : NULL;
}

aard_error *aard__intake_drop(aard__intake *intake, const char *name)
{
    size_t i = position(intake, name);
    if (i == intake->count) return NULL;
    if (unlinkat(intake->dir, name, 0) < 0)
        return aard__error_errno(AARD_ERR_IO, errno, "cannot remove '%s' of the new distribution", name);
    intake->total -= intake->files[i].size;
    aard__free(intake->files[i].name);
    intake->files[i] = intake->files[--intake->count];
    return NULL;
}
