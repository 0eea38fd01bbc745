#include "distribution/workshop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define PREFIX ".tmp-"
#define RANDOM_DIGITS 16

static aard_error *take_lock(const char *home, void (*waiting)(void *user), void *user, int *out)
{
    char *path = aard__path_join(home, ".lock");
    if (!path) return aard__error_no_memory();
    aard_error *error = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot open '%s'", path);
        goto done;
    }
    int failed = flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
    if (failed == EWOULDBLOCK) {
        if (waiting) waiting(user);
        do failed = flock(fd, LOCK_EX) < 0 ? errno : 0;
        while (failed == EINTR);
    }
    if (failed) {
        close(fd);
        error = aard__error_errno(AARD_ERR_IO, failed, "cannot lock '%s'", path);
        goto done;
    }
    *out = fd;
done:
    aard__free(path);
    return error;
}

static bool is_temporary(const char *name)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) return false;
    name += strlen(PREFIX);
    size_t pid = strspn(name, "0123456789");
    if (!pid || name[pid] != '-') return false;
    name += pid + 1;
    return strlen(name) == RANDOM_DIGITS && strspn(name, "0123456789abcdef") == RANDOM_DIGITS;
}

/* What dead stagings left.  That some of it can't be removed is no reason not to stage. */
static void sweep(const char *home)
{
    DIR *dir = opendir(home);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_temporary(entry->d_name)) continue;
        char *path = aard__path_join(home, entry->d_name);
        if (path) aard_error_free(aard__dir_remove(path));
        aard__free(path);
    }
    closedir(dir);
}

static aard_error *make_directories(aard__workshop *w)
{
    uint64_t chance;
    char name[64];
    if (getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        return aard__error_errno(AARD_ERR_IO, errno, "cannot get random bytes");
    snprintf(name, sizeof name, PREFIX "%ld-%016llx", (long)getpid(), (unsigned long long)chance);
    char *root = aard__path_join(w->home, name);
    if (!root) return aard__error_no_memory();
    if (mkdir(root, 0700) < 0) {
        aard_error *error = aard__error_errno(AARD_ERR_IO, errno, "cannot make the directory '%s'", root);
        aard__free(root);
        return error;
    }
    w->root = root;
    w->product = aard__path_join(root, "product");
    w->scratch = aard__path_join(root, "scratch");
    if (!w->product || !w->scratch) return aard__error_no_memory();
    AARD__TRY(aard__dir_make(w->scratch));
    AARD__TRY(aard__dir_make(w->product));
    w->dir = open(w->product, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return w->dir < 0 ? aard__error_errno(AARD_ERR_IO, errno, "cannot open '%s'", w->product) : NULL;
}

aard_error *aard__workshop_open(const char *home, void (*waiting)(void *user), void *user, aard__workshop *out)
{
    aard__workshop w = {.lock = -1, .dir = -1};
    AARD__TRY(aard__dir_make(home));
    w.home = aard__strdup(home);
    aard_error *error = w.home ? take_lock(home, waiting, user, &w.lock) : aard__error_no_memory();
    if (!error) {
        sweep(home);
        error = make_directories(&w);
    }
    if (error)
        aard__workshop_close(&w);
    else
        *out = w;
    return error;
}

static aard_error *sync_directory(const char *path, int fd)
{
    return fsync(fd) < 0 ? aard__error_errno(AARD_ERR_IO, errno, "cannot write '%s'", path) : NULL;
}

/* Moves the product to `target`.  Something may be there: then both change places, and where the file system can't do
 * that, the old one goes aside first, so that a kill in between leaves none rather than a mixture. */
static int exchange(const aard__workshop *w, const char *target, const char *aside)
{
    struct stat st;
    if (lstat(target, &st) < 0) return errno == ENOENT ? rename(w->product, target) : -1;
    if (renameat2(AT_FDCWD, w->product, AT_FDCWD, target, RENAME_EXCHANGE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return rename(target, aside) < 0 ? -1 : rename(w->product, target);
}

aard_error *aard__workshop_publish(aard__workshop *w, const char *name)
{
    aard_error *error = sync_directory(w->product, w->dir);
    if (error) return error;
    char *target = aard__path_join(w->home, name), *aside = aard__path_join(w->root, "aside");
    int home = open(w->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!target || !aside)
        error = aard__error_no_memory();
    else if (home < 0 || exchange(w, target, aside) < 0)
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot put the distribution at '%s'", target);
    else
        error = sync_directory(w->home, home);
    if (home >= 0) close(home);
    aard__free(target);
    aard__free(aside);
    return error;
}

void aard__workshop_close(aard__workshop *w)
{
    if (w->dir >= 0) close(w->dir);
    if (w->root) aard_error_free(aard__dir_remove(w->root));
    if (w->lock >= 0) close(w->lock);
    aard__free(w->root);
    aard__free(w->product);
    aard__free(w->scratch);
    aard__free(w->home);
    *w = (aard__workshop){.lock = -1, .dir = -1};
}
