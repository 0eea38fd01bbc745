/* Verification: every listed file has its hash, and nothing else is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "distribution/distribution.h"

#define CHUNK (256u << 10)

static aard_error *differs(const char *dir, const char *name, const char *how)
{
    return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "'%s/%s' %s: stage the distribution again", dir, name, how);
}

static aard_error *hash_file(int fd, const char *dir, const char *name, char *chunk, uint64_t *size,
                             char hex[AARD__HASH_HEX])
{
    aard__hasher hasher;
    uint8_t hash[AARD__HASH_BYTES];
    aard__hash_start(&hasher);
    for (*size = 0;;) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return aard__error_errno(AARD_ERR_IO, errno, "cannot read '%s/%s'", dir, name);
        if (n == 0) break;
        aard__hash_add(&hasher, chunk, (size_t)n);
        *size += (uint64_t)n;
    }
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, hex);
    return NULL;
}

static aard_error *verify_file(int dirfd, const char *dir, const aard__dist_file *file, char *chunk)
{
    struct stat st;
    int fd = openat(dirfd, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return differs(dir, file->name, "is missing");
    if (fd < 0) return aard__error_errno(AARD_ERR_IO, errno, "cannot open '%s/%s'", dir, file->name);
    aard_error *error = NULL;
    uint64_t size = 0;
    char hex[AARD__HASH_HEX] = "";
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) error = differs(dir, file->name, "is not a regular file");
    if (!error) error = hash_file(fd, dir, file->name, chunk, &size, hex);
    if (!error && size != file->size) error = differs(dir, file->name, "has another size than it was staged with");
    if (!error && strcmp(hex, file->blake2b) != 0)
        error = differs(dir, file->name, "has other contents than it was staged with");
    close(fd);
    return error;
}

/* The manifest on disk must still be the one that was read when the distribution was opened. */
static aard_error *verify_manifest(const char *dir, const aard__dist_manifest *manifest)
{
    char *text = NULL, *path = aard__path_join(dir, AARD__DIST_MANIFEST);
    size_t len = 0;
    aard__buf expected = AARD__BUF_INIT;
    aard__dist_manifest_write(manifest, &expected);
    aard_error *error = !path || expected.failed ? aard__error_no_memory()
                                                 : aard__file_read_trusted(path, AARD__DIST_MANIFEST_MAX, &text, &len);
    if (!error && (len != expected.len || memcmp(text, expected.data, len) != 0))
        error = differs(dir, AARD__DIST_MANIFEST, "was altered since the distribution was opened");
    aard__buf_free(&expected);
    aard__free(text);
    aard__free(path);
    return error;
}

/* The first name in byte order that is there without being listed, so that the same tree gives the same message. */
static aard_error *verify_nothing_else(DIR *dir, const char *path, const aard__dist_manifest *manifest)
{
    char first[NAME_MAX + 1] = "";
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, AARD__DIST_MANIFEST) == 0 ||
            strcmp(name, AARD__DIST_CACHE) == 0 || strcmp(name, AARD__DIST_CACHE_NEW) == 0 ||
            aard__dist_manifest_find(manifest, name))
            continue;
        if (!first[0] || strcmp(name, first) < 0) strcpy(first, name);
    }
    return first[0] ? aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                                  "'%s/%s' is not part of the distribution: remove it, or stage the distribution again",
                                  path, first)
                    : NULL;
}

/* A full distribution has the file of every package in its lock. */
static aard_error *verify_variant(const aard_distribution *distribution)
{
    if (aard_distribution_variant(distribution) != AARD_VARIANT_FULL) return NULL;
    const void *text = NULL;
    size_t len = 0;
    aard__lock *lock = NULL;
    AARD__TRY(aard__distribution_file(distribution, AARD__FILE_LOCK, &text, &len));
    AARD__TRY(aard__lock_parse(text, len, AARD__FILE_LOCK, AARD_ERR_DISTRIBUTION_CORRUPT, &lock));
    aard_error *error = NULL;
    for (size_t i = 0; i < lock->count && !error; i++) {
        const aard__package *package = &lock->packages[i];
        if (!aard__dist_manifest_find(aard__distribution_manifest(distribution), package->file_name) &&
            !aard__lock_optional(package))
            error = differs(aard_distribution_dir(distribution), package->file_name,
                            "is in the lock file of this full distribution and is not listed");
    }
    aard__lock_free(lock);
    return error;
}

aard_error *aard_distribution_verify(const aard_distribution *distribution)
{
    AARD__NEED(distribution);
    const aard__dist_manifest *manifest = aard__distribution_manifest(distribution);
    const char *path = aard_distribution_dir(distribution);
    AARD__TRY(aard__hash_start_library());
    DIR *dir = opendir(path);
    if (!dir) return aard__error_errno(AARD_ERR_IO, errno, "cannot list '%s'", path);
    char *chunk = aard__malloc(CHUNK);
    aard_error *error = chunk ? NULL : aard__error_no_memory();
    for (size_t i = 0; i < manifest->count && !error; i++)
        error = verify_file(dirfd(dir), path, &manifest->files[i], chunk);
    if (!error) error = verify_nothing_else(dir, path, manifest);
    if (!error) error = verify_manifest(path, manifest);
    if (!error) error = verify_variant(distribution);
    aard__free(chunk);
    closedir(dir);
    return error;
}
