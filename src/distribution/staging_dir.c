#include "distribution/staging_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/trust.h"
#include "distribution/manifest.h"
#include "distribution/source.h"

#define PREFIX ".tmp-"
#define RANDOM_DIGITS 16

static aard_error *take_lock(const char *home, const aard__staging_dir_wait *wait, int *out)
{
    char *path = aard__path_join(home, ".lock");
    if (!path) return aard__error_no_memory();
    aard_error *error = aard__file_lock(path, wait->timeout_ms, wait->waiting, wait->user, out);
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
        struct stat st;
        if (!is_temporary(entry->d_name)) continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid != geteuid()) continue;
        char *path = aard__path_join(home, entry->d_name);
        if (path) aard_error_free(aard__dir_remove(path));
        aard__free(path);
    }
    closedir(dir);
}

static aard_error *make_directories(aard__staging_dir *w)
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

/* What is staged here will be run from here. */
static aard_error *make_home(const char *home)
{
    int fd = -1;
    AARD__TRY(aard__dir_make(home));
    AARD__TRY(aard__trusted_open_dir(home, &fd));
    close(fd);
    return NULL;
}

aard_error *aard__staging_dir_open(const char *home, const aard__staging_dir_wait *wait, aard__staging_dir *out)
{
    aard__staging_dir w = {.lock = -1, .dir = -1};
    AARD__TRY(make_home(home));
    w.home = aard__strdup(home);
    aard_error *error = w.home ? take_lock(home, wait, &w.lock) : aard__error_no_memory();
    if (!error) {
        sweep(home);
        error = make_directories(&w);
    }
    if (error)
        aard__staging_dir_close(&w);
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
static int exchange(const aard__staging_dir *w, const char *target, const char *aside)
{
    struct stat st;
    if (lstat(target, &st) < 0) return errno == ENOENT ? rename(w->product, target) : -1;
    if (renameat2(AT_FDCWD, w->product, AT_FDCWD, target, RENAME_EXCHANGE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return rename(target, aside) < 0 ? -1 : rename(w->product, target);
}

static bool belongs(const char *name)
{
    const aard__source any = {.packages = true};
    return !strcmp(name, AARD__DIST_MANIFEST) || !strcmp(name, AARD__DIST_CACHE) ||
           !strcmp(name, AARD__DIST_CACHE_NEW) || aard__source_wants(&any, name);
}

/* What stands there may be removed where a staging has made it: a distribution, damaged or not, with nothing else in it. */
static aard_error *check_replaceable(const char *home, const char *name)
{
    char *target = aard__path_join(home, name);
    if (!target) return aard__error_no_memory();
    bool any = false, manifest = false;
    char other[NAME_MAX + 1] = "";
    aard_error *error = NULL;
    int fd = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            error = aard__error_errno(
                AARD_ERR_IO, errno,
                "'%s' is in the way and is not a distribution: move it away, or stage with --force, which "
                "removes it",
                target);
        aard__free(target);
        return error;
    }
    DIR *dir = fdopendir(fd);
    if (!dir) close(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        any = true;
        manifest = manifest || !strcmp(entry->d_name, AARD__DIST_MANIFEST);
        if (!belongs(entry->d_name) && (!other[0] || strcmp(entry->d_name, other) < 0)) strcpy(other, entry->d_name);
    }
    if (!dir)
        error = aard__error_no_memory();
    else if (other[0] || (any && !manifest))
        error = aard__error(
            AARD_ERR_IO,
            "'%s' is in the way and is not a distribution of this library%s%s%s: move it away, or stage with --force, "
            "which removes it",
            target, other[0] ? " (there is '" : "", other, other[0] ? "' in it)" : "");
    if (dir) closedir(dir);
    aard__free(target);
    return error;
}

aard_error *aard__staging_dir_publish(aard__staging_dir *w, const char *name, bool force)
{
    aard_error *error = force ? NULL : check_replaceable(w->home, name);
    if (!error) error = sync_directory(w->product, w->dir);
    if (error) return error;
    char *target = aard__path_join(w->home, name), *aside = aard__path_join(w->root, "aside");
    int home = open(w->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!target || !aside)
        error = aard__error_no_memory();
    else if (home < 0 || exchange(w, target, aside) < 0)
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot move the distribution to '%s'", target);
    else
        error = sync_directory(w->home, home);
    if (home >= 0) close(home);
    aard__free(target);
    aard__free(aside);
    return error;
}

void aard__staging_dir_close(aard__staging_dir *w)
{
    if (w->dir >= 0) close(w->dir);
    if (w->root) aard_error_free(aard__dir_remove(w->root));
    if (w->lock >= 0) close(w->lock);
    aard__free(w->root);
    aard__free(w->product);
    aard__free(w->scratch);
    aard__free(w->home);
    *w = (aard__staging_dir){.lock = -1, .dir = -1};
}
