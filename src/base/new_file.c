#include "base/new_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

/* Long enough that nobody else's file is taken for one of these. */
#define MARK ".aardvark-tmp-"
#define DIGITS 6
#define SUFFIX (sizeof MARK - 1 + DIGITS)
#define TRIES 100
#define CHUNK (64u << 10)

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

/* ---- what others left --------------------------------------------------------------------------------------- */

static bool is_leftover(const char *entry, const char *name)
{
    size_t len = strlen(entry), name_len = name ? strlen(name) : 0;
    if (len < SUFFIX || memcmp(entry + len - SUFFIX, MARK, sizeof MARK - 1) != 0) return false;
    return !name || (len - SUFFIX == name_len && !memcmp(entry, name, name_len));
}

/* Of this user's own making: in a directory of all, a name says nothing. */
static bool is_own(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
}

static void sweep(DIR *dir, const char *name)
{
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_leftover(entry->d_name, name)) continue;
        int fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (fd < 0) continue;
        if (is_own(fd) && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0); /* its writer is gone */
        close(fd);
    }
    closedir(dir);
}

void aard__new_file_sweep(const char *path, const char *name) { sweep(opendir(path), name); }

/* ---- where it goes ------------------------------------------------------------------------------------------ */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int open_directory(const char *path)
{
    size_t len = (size_t)(name_of(path) - path);
    char *dir = len ? aard__memdup0(path, len) : aard__strdup(".");
    int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (!dir) errno = ENOMEM;
    int saved = errno;
    aard__free(dir);
    errno = saved;
    return fd;
}

static aard_error *cannot_write(const char *path, int reason)
{
    return reason == ENOMEM ? aard__error_no_memory()
                            : aard__error_errno(AARD_ERR_IO, reason, "cannot write '%s'", path);
}

/* The path that links lead to, which has to be the file that the kernel was willing to follow them to. */
static aard_error *follow_links(aard__new_file *file, const struct stat *st)
{
    struct stat found;
    char *real = realpath(file->path, NULL);
    if (!real) return cannot_write(file->path, errno);
    aard__free(file->target);
    file->target = aard__strdup(real);
    free(real);
    if (!file->target) return aard__error_no_memory();
    if (lstat(file->target, &found) == 0 && found.st_dev == st->st_dev && found.st_ino == st->st_ino) return NULL;
    return aard__error(AARD_ERR_IO, "cannot write '%s': the link was changed meanwhile", file->path);
}

/* In a directory of all, as /tmp, a link of somebody else's leads where they want it to: the kernel's rule, which it can be
 * told not to keep. */
static bool is_planted(const aard__new_file *file, const struct stat *link)
{
    struct stat st;
    if (link->st_uid == geteuid()) return false;
    int dir = open_directory(file->path);
    bool planted = dir < 0 || fstat(dir, &st) < 0 ||
                   ((st.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) && st.st_uid != link->st_uid);
    if (dir >= 0) close(dir);
    return planted;
}

/* Looks at what is there. */
static aard_error *look(aard__new_file *file, bool *through)
{
    struct stat st, own;
    bool link = lstat(file->path, &own) == 0 && S_ISLNK(own.st_mode);
    if (link && is_planted(file, &own)) return cannot_write(file->path, EACCES);
    int fd = open(file->path, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && link)
        return aard__error(AARD_ERR_IO, "cannot write '%s': it is a dangling link; remove it", file->path);
    if (fd < 0) return errno == ENOENT ? NULL : cannot_write(file->path, errno);
    int failed = fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    close(fd);
    if (failed) return cannot_write(file->path, failed);
    *through = !S_ISREG(st.st_mode);
    if (*through) return NULL;
    file->keeps_mode = file->mode == AARD__MODE_PUBLIC && st.st_uid == geteuid(); /* else anybody could say how open */
    if (file->keeps_mode) file->mode = st.st_mode & 0777;
    return link ? follow_links(file, &st) : NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static bool make_name(char *temporary, size_t len)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t chance[DIGITS];
    if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance) return false;
    memcpy(temporary + len, MARK, sizeof MARK - 1);
    for (size_t i = 0; i < DIGITS; i++) temporary[len + sizeof MARK - 1 + i] = digits[chance[i] % 32];
    temporary[len + SUFFIX] = '\0';
    return true;
}

/* The kernel takes the umask's bits off; until the end nobody else can open it, and hold its lock.  A sweep may find the
 * file before it is locked: then it is gone, and another one is made. */
static int make_locked(aard__new_file *file)
{
    size_t len = strlen(name_of(file->target));
    for (int i = 0; i < TRIES && make_name(file->temporary, len); i++) {
        struct stat st;
        int fd = openat(file->dir, file->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        file->keeps_mode ? 0600 : file->mode);
        if (fd < 0 && errno == EEXIST) continue;
        if (fd < 0) return -1;
        if (fstat(fd, &st) == 0 && fchmod(fd, 0600) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (!file->keeps_mode) file->mode = st.st_mode & 0777;
            if (fstat(fd, &st) == 0 && st.st_nlink) return fd;
        }
        int saved = errno;
        unlinkat(file->dir, file->temporary, 0);
        close(fd);
        errno = saved;
    }
    return -1;
}

static aard_error *start(aard__new_file *file)
{
    bool through = false;
    AARD__TRY(look(file, &through));
    if (through) {
        file->fd = memfd_create("aardvark-output", MFD_CLOEXEC);
        return file->fd < 0 ? cannot_write(file->path, errno) : NULL;
    }
    file->dir = open_directory(file->target);
    if (file->dir < 0) return cannot_write(file->path, errno);
    sweep(fdopendir(openat(file->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), name_of(file->target));
    file->temporary = aard__calloc(1, strlen(name_of(file->target)) + SUFFIX + 1);
    if (!file->temporary) return aard__error_no_memory();
    strcpy(file->temporary, name_of(file->target));
    file->fd = make_locked(file);
    if (file->fd >= 0) return NULL;
    file->temporary[0] = '\0';
    return aard__error_errno(AARD_ERR_IO, errno, "cannot write beside '%s'", file->path);
}

aard_error *aard__new_file_open(const char *path, mode_t mode, aard__new_file *out)
{
    aard__new_file file = {.fd = -1, .dir = -1, .path = aard__strdup(path), .target = aard__strdup(path), .mode = mode};
    aard_error *error = file.path && file.target ? start(&file) : aard__error_no_memory();
    if (error)
        aard__new_file_drop(&file);
    else
        *out = file;
    return error;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static int copy(int from, int to, char *chunk)
{
    for (off_t at = 0;;) {
        ssize_t n = pread(from, chunk, CHUNK, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : 0;
        at += n;
        for (const char *bytes = chunk; n;) {
            ssize_t done = write(to, bytes, (size_t)n);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) return errno;
            bytes += done;
            n -= done;
        }
    }
}

/* To a device or a FIFO.  A reader that goes away is an error, not the end of the process. */
static int write_through(const aard__new_file *file)
{
    struct stat st;
    sigset_t pipe, before, pending;
    const struct timespec now = {0, 0};
    char *chunk = aard__malloc(CHUNK);
    if (!chunk) return ENOMEM;
    int failed = 0, to = open(file->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (to < 0 || fstat(to, &st) < 0)
        failed = errno;
    else if (S_ISREG(st.st_mode))
        failed = EEXIST; /* it has taken the place of what was there */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    if (!failed) failed = copy(file->fd, to, chunk);
    if (failed == EPIPE && !sigismember(&pending, SIGPIPE)) sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (to >= 0 && close(to) < 0 && !failed) failed = errno;
    aard__free(chunk);
    return failed;
}

static int put_in_place(aard__new_file *file)
{
    if (fchmod(file->fd, file->mode) < 0 || fsync(file->fd) < 0 ||
        renameat(file->dir, file->temporary, file->dir, name_of(file->target)) < 0)
        return errno;
    file->temporary[0] = '\0';
    return 0;
}

aard_error *aard__new_file_commit(aard__new_file *file)
{
    int failed = file->dir < 0 ? write_through(file) : put_in_place(file);
    aard_error *error = failed ? cannot_write(file->path, failed) : NULL;
    aard__new_file_drop(file);
    return error;
}

void aard__new_file_drop(aard__new_file *file)
{
    if (file->path) { /* all zero otherwise */
        if (file->temporary && file->temporary[0]) unlinkat(file->dir, file->temporary, 0);
        if (file->fd >= 0) close(file->fd);
        if (file->dir >= 0) close(file->dir);
    }
    aard__free(file->path);
    aard__free(file->target);
    aard__free(file->temporary);
    *file = (aard__new_file){.fd = -1, .dir = -1};
}
