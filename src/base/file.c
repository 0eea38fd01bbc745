#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/new_file.h"
#include "base/trust.h"

aard_error *aard__file_open(const char *path, int *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return aard__error_errno(errno == ENOENT || errno == ENOTDIR ? AARD_ERR_NOT_FOUND : AARD_ERR_IO, errno,
                                 "cannot open '%s'", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return aard__error(AARD_ERR_IO, "cannot read '%s': it is not a regular file", path);
    }
    *out = fd;
    return NULL;
}

/* `fd` is taken. */
static aard_error *read_all(int fd, const char *path, size_t max, char **data, size_t *len)
{
    struct stat st;
    aard_error *error = NULL;
    char *buffer = NULL;
    size_t size = 0, got = 0;
    if (fstat(fd, &st) < 0) {
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot read '%s'", path);
        goto done;
    }
    size = (size_t)st.st_size;
    if (max && size > max) {
        error = aard__error(AARD_ERR_IO, "'%s' has %zu bytes, more than the %zu that are read here", path, size, max);
        goto done;
    }
    buffer = size < SIZE_MAX ? aard__malloc(size + 1) : NULL;
    if (!buffer) {
        error = aard__error_no_memory();
        goto done;
    }
    while (got < size) {
        ssize_t n = read(fd, buffer + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            error = aard__error_errno(AARD_ERR_IO, errno, "cannot read '%s'", path);
            goto done;
        }
        if (n == 0) break; /* it shrank while we read */
        got += (size_t)n;
    }
    buffer[got] = '\0';
    *data = buffer;
    *len = got;
    buffer = NULL;
done:
    aard__free(buffer);
    close(fd);
    return error;
}

aard_error *aard__file_read(const char *path, size_t max, char **data, size_t *len)
{
    int fd = -1;
    AARD__TRY(aard__file_open(path, &fd));
    return read_all(fd, path, max, data, len);
}

aard_error *aard__file_read_trusted(const char *path, size_t max, char **data, size_t *len)
{
    int fd = -1;
    AARD__TRY(aard__trusted_open(path, &fd));
    return read_all(fd, path, max, data, len);
}

aard_error *aard__file_write_atomic(const char *path, mode_t mode, const void *data, size_t len)
{
    aard__new_file file;
    AARD__TRY(aard__new_file_open(path, mode, &file));
    if (aard__write_at(file.fd, data, len, 0)) return aard__new_file_commit(&file);
    aard_error *error = aard__error_errno(AARD_ERR_IO, errno, "cannot write '%s'", path);
    aard__new_file_drop(&file);
    return error;
}

aard_error *aard__file_map(const char *path, const void **data, size_t *len)
{
    int fd = -1;
    struct stat st;
    AARD__TRY(aard__trusted_open(path, &fd));
    void *map = NULL;
    bool ok = fstat(fd, &st) == 0;
    if (ok && st.st_size) map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int saved = errno;
    close(fd);
    if (!ok || map == MAP_FAILED) return aard__error_errno(AARD_ERR_IO, saved, "cannot map '%s'", path);
    *data = map;
    *len = (size_t)st.st_size;
    return NULL;
}

int aard__fd_above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), why = errno;
    close(fd);
    errno = why;
    return above;
}

char *aard__path_join(const char *dir, const char *name)
{
    size_t a = strlen(dir), b = strlen(name);
    bool slash = a && dir[a - 1] == '/';
    char *path = aard__malloc(a + b + 2);
    if (!path) return NULL;
    memcpy(path, dir, a);
    if (!slash) path[a++] = '/';
    memcpy(path + a, name, b + 1);
    return path;
}

aard_error *aard__dir_make(const char *path)
{
    char *copy = aard__strdup(path);
    if (!copy) return aard__error_no_memory();
    aard_error *error = NULL;
    for (char *at = copy + (*copy != '\0');; at++) { /* not from the first byte: that may be the root's slash */
        if (*at && *at != '/') continue;
        char saved = *at;
        *at = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST) {
            error = aard__error_errno(AARD_ERR_IO, errno, "cannot make the directory '%s'", copy);
            break;
        }
        *at = saved;
        if (!saved) break;
    }
    struct stat st;
    if (!error && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
        error = aard__error(AARD_ERR_IO, "'%s' exists and is not a directory", path);
    aard__free(copy);
    return error;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

aard_error *aard__dir_remove(const char *path)
{
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        return aard__error_errno(AARD_ERR_IO, errno, "cannot remove '%s'", path);
    return NULL;
}
