#include "base/new_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* Long enough that nobody else's file is taken for one of these. */
#define MARK ".aardvark-tmp-"
#define SUFFIX MARK "XXXXXX"

bool aard__write_at(int fd, const void *data, size_t len, size_t at)
{
    const char *bytes = data;
    while (len) {
        ssize_t n = pwrite(fd, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return false;
        bytes += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return true;
}

static bool is_leftover(const char *entry, const char *name)
{
    size_t len = strlen(entry), suffix = sizeof SUFFIX - 1, name_len = name ? strlen(name) : 0;
    if (len < suffix || memcmp(entry + len - suffix, MARK, sizeof MARK - 1) != 0) return false;
    return !name || (len - suffix == name_len && !memcmp(entry, name, name_len));
}

void aard__new_file_sweep(const char *path, const char *name)
{
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_leftover(entry->d_name, name)) continue;
        int fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(dir), entry->d_name, 0); /* its writer is gone */
        close(fd);
    }
    closedir(dir);
}

static void sweep_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    char *dir = aard__memdup0(slash ? path : ".", len ? len : 1); /* "/name" has the root's slash */
    if (dir) aard__new_file_sweep(dir, slash ? slash + 1 : path);
    aard__free(dir);
}

/* A sweep may find the file before it is locked: then it is gone, and another one is made. */
static int make_locked(char *temporary, size_t path_len)
{
    for (;;) {
        struct stat st;
        memcpy(temporary + path_len, SUFFIX, sizeof SUFFIX);
        int fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0 || (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink)) return fd;
        close(fd);
    }
}

aard_error *aard__new_file_open(const char *path, aard__new_file *out)
{
    size_t len = strlen(path);
    aard__new_file file = {.fd = -1, .path = aard__strdup(path), .temporary = aard__malloc(len + sizeof SUFFIX)};
    if (!file.path || !file.temporary) {
        aard__new_file_drop(&file);
        return aard__error_no_memory();
    }
    sweep_beside(path);
    memcpy(file.temporary, path, len);
    file.fd = make_locked(file.temporary, len);
    if (file.fd < 0) {
        aard_error *error = aard__error_errno(AARD_ERR_IO, errno, "cannot write beside '%s'", path);
        file.temporary[0] = '\0';
        aard__new_file_drop(&file);
        return error;
    }
    *out = file;
    return NULL;
}

aard_error *aard__new_file_commit(aard__new_file *file)
{
    aard_error *error = NULL;
    if (fchmod(file->fd, 0644) == 0 && fsync(file->fd) == 0 && rename(file->temporary, file->path) == 0)
        file->temporary[0] = '\0';
    else
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot write '%s'", file->path);
    aard__new_file_drop(file);
    return error;
}

void aard__new_file_drop(aard__new_file *file)
{
    if (file->temporary && file->temporary[0]) unlink(file->temporary);
    if (file->temporary && file->fd >= 0) close(file->fd);
    aard__free(file->path);
    aard__free(file->temporary);
    *file = (aard__new_file){.fd = -1};
}
