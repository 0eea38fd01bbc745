/* Directories of this process's file system. */
#include "base/process.h"
#include "policy/mount_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"

enum { LONGEST_PATH = 4095, TRIES = 16 };

/* A file that guests have open; `removed` by one of them, and so taking room until it is closed. */
typedef struct opened {
    dev_t device;
    ino_t inode;
    size_t uses;
    bool removed;
} opened;

typedef struct local {
    aard__mount base;
    int fd;
    pthread_mutex_t lock;  /* over what follows, and what it is changed with */
    uint64_t bytes, files; /* added by guests */
    opened *opened;
    size_t opened_count;
    char place[];
} local;

static const aard__mount_ops local_ops;

static local *local_of(aard__mount *mount) { return (local *)mount; }

static atomic_bool walk_only;

void aard__mount_walk(bool walk) { atomic_store(&walk_only, walk); }

/* ---- life ----------------------------------------------------------------------------------------------------------- */

/* What a path's components are: names, none of them special.  "" has none. */
static bool plain(const char *path, size_t len)
{
    if (len > LONGEST_PATH || memchr(path, '\0', len)) return false;
    for (size_t at = 0; at < len || (len && at == len);) {
        const char *slash = at < len ? memchr(path + at, '/', len - at) : NULL;
        size_t size = slash ? (size_t)(slash - path) - at : len - at;
        if (!size || (size == 1 && path[at] == '.') || (size == 2 && path[at] == '.' && path[at + 1] == '.'))
            return false;
        at += size + 1;
    }
    return true;
}

/* Not where something else is, nor where the guest's own files are. */
static bool free_place(const char *path)
{
    static const char *const taken[] = {"/app", "/dev", "/home", "/lib", "/proc", "/session", "/tmp", "/usr"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        size_t len = strlen(taken[i]);
        if (!strncmp(path, taken[i], len) && (!path[len] || path[len] == '/')) return false;
    }
    return path[0] == '/' && path[1] && plain(path + 1, strlen(path + 1)) && aard__utf8_valid(path, strlen(path));
}

/* A path as it is meant: slashes count once, and none at its end. */
static void put_place(const char *path, char *out)
{
    char *at = out;
    for (; *path; path++)
        if (*path != '/' || at == out || at[-1] != '/') *at++ = *path;
    if (at > out + 1 && at[-1] == '/') at--;
    *at = '\0';
}

static aard_error *new_mount(const char *host_dir, const char *guest_path, aard_filesystem_mode mode, aard__mount **out)
{
    if (!free_place(guest_path))
        return aard__error(
            AARD_ERR_INVALID_ARGUMENT,
            "'%s' is not a path where a directory can be mounted; give an absolute path outside of /app, /session and the "
            "guest's system, such as /data",
            guest_path);
    size_t size = strlen(guest_path) + 1;
    local *mount = aard__calloc(1, sizeof *mount + size);
    if (!mount) return aard__error_no_memory();
    mount->fd = open(host_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mount->fd < 0) {
        aard_error *error = aard__error(errno == ENOENT || errno == ENOTDIR ? AARD_ERR_NOT_FOUND : AARD_ERR_IO,
                                        "the directory '%s' can't be mounted: %s", host_dir, strerror(errno));
        aard__free(mount);
        return error;
    }
    pthread_mutex_init(&mount->lock, NULL);
    memcpy(mount->place, guest_path, size);
    aard__mount_init(&mount->base, &local_ops, mount->place, mode);
    *out = &mount->base;
    return NULL;
}

aard_error *aard__mount_new(const char *host_dir, const char *guest_path, aard_filesystem_mode mode, aard__mount **out)
{
    char *place = aard__strdup(guest_path);
    if (!place) return aard__error_no_memory();
    put_place(guest_path, place);
    aard_error *error = new_mount(host_dir, place, mode, out);
    aard__free(place);
    return error;
}

static void end_local(aard__mount *base)
{
    local *mount = local_of(base);
    close(mount->fd);
    pthread_mutex_destroy(&mount->lock);
    aard__free(mount->opened);
    aard__free(mount);
}

/* ---- paths ---------------------------------------------------------------------------------------------------------- */

/* One component after the other; the last one with `flags`. */
static int walk_down(int root, char *path, int flags)
{
    int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), result = 0;
    if (at < 0) return errno;
    for (char *name = path; name;) {
        char *slash = strchr(name, '/');
        if (slash) *slash = '\0';
        int next = openat(at, name,
                          slash ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC : flags | O_NOFOLLOW | O_CLOEXEC);
        result = next < 0 ? errno : 0;
        close(at);
        if (result) return result;
        at = next;
        name = slash ? slash + 1 : NULL;
    }
    return -at - 1;
}

/* Gives a descriptor, or an errno. */
static int look_up(const local *mount, const char *path, size_t len, int flags, int *fd)
{
    char copy[LONGEST_PATH + 1];
    if (!plain(path, len)) return EINVAL;
    memcpy(copy, len ? path : ".", len ? len : 1);
    copy[len ? len : 1] = '\0';
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long found = -1;
    int error = ENOSYS;
    /* The kernel asks to try again where somebody moves directories meanwhile. */
    for (int i = 0; i < TRIES && !atomic_load(&walk_only); i++) {
        found = syscall(SYS_openat2, mount->fd, copy, &how, sizeof how);
        error = found < 0 ? errno : 0;
        if (error != EAGAIN) break;
    }
    if (error == ENOSYS || error == EPERM) { /* a sandbox around the host may know less than its kernel */
        int walked = walk_down(mount->fd, copy, flags);
        error = walked < 0 ? 0 : walked;
        found = -walked - 1;
    }
    if (error) return error == ELOOP ? ENOENT : error;
    *fd = (int)found;
    return 0;
}

/* The directory that a path's last name is in. */
static int look_up_parent(const local *mount, const char *path, size_t len, char name[NAME_MAX + 1], int *fd)
{
    if (!len || !plain(path, len)) return len ? EINVAL : EBUSY;
    const char *slash = memrchr(path, '/', len);
    size_t start = slash ? (size_t)(slash - path) + 1 : 0;
    if (len - start > NAME_MAX) return ENAMETOOLONG;
    memcpy(name, path + start, len - start);
    name[len - start] = '\0';
    return look_up(mount, path, start ? start - 1 : 0, O_PATH | O_DIRECTORY, fd);
}

static bool shown(mode_t mode) { return S_ISREG(mode) || S_ISDIR(mode); }

/* ---- looking -------------------------------------------------------------------------------------------------------- */

static int stat_local(aard__mount *base, const char *path, size_t len, struct stat *out)
{
    local *mount = local_of(base);
    int fd, error = look_up(mount, path, len, O_PATH, &fd);
    if (error) return error;
    struct stat seen;
    error = fstat(fd, &seen) ? errno : shown(seen.st_mode) ? 0 : ENOENT;
    close(fd);
    if (!error) *out = seen;
    return error;
}

static void put_entry(DIR *dir, const struct dirent *entry, aard__buf *out, bool first)
{
    aard__buf_puts(out, first ? "[" : ",[");
    aard__buf_json_string(out, entry->d_name, strlen(entry->d_name));
    bool directory = entry->d_type == DT_DIR;
    struct stat seen;
    if (entry->d_type == DT_UNKNOWN)
        directory = !fstatat(dirfd(dir), entry->d_name, &seen, AT_SYMLINK_NOFOLLOW) && S_ISDIR(seen.st_mode);
    aard__buf_puts(out, directory ? ",true]" : ",false]");
}

static bool listed(DIR *dir, const struct dirent *entry)
{
    const char *name = entry->d_name;
    struct stat seen;
    if (!strcmp(name, ".") || !strcmp(name, "..") || !aard__utf8_valid(name, strlen(name))) return false;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_REG || entry->d_type == DT_DIR;
    return !fstatat(dirfd(dir), name, &seen, AT_SYMLINK_NOFOLLOW) && shown(seen.st_mode);
}

static int list_local(aard__mount *base, const char *path, size_t len, aard__buf *out)
{
    local *mount = local_of(base);
    int fd, error = look_up(mount, path, len, O_RDONLY | O_DIRECTORY | O_NONBLOCK, &fd);
    if (error) return error;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        error = errno;
        close(fd);
        return error;
    }
    bool first = true;
    aard__buf_putc(out, '[');
    for (const struct dirent *entry; (errno = 0, entry = readdir(dir));) {
        if (!listed(dir, entry)) continue;
        put_entry(dir, entry, out, first);
        first = false;
    }
    error = errno ? errno : out->failed ? ENOMEM : 0;
    aard__buf_putc(out, ']');
    closedir(dir);
    return error;
}

/* ---- limits --------------------------------------------------------------------------------------------------------- */

/* As much of `amount` as there is room for is taken. */
static uint64_t charge(uint64_t *used, uint64_t limit, uint64_t amount)
{
    uint64_t room = *used < limit ? limit - *used : 0, taken = amount < room ? amount : room;
    *used += taken;
    return taken;
}

/* What was there before any guest came gives no more room than there was. */
static void give_back(uint64_t *used, uint64_t amount) { *used -= amount < *used ? amount : *used; }

static opened *find_opened(const local *mount, const struct stat *file)
{
    for (size_t i = 0; i < mount->opened_count; i++)
        if (mount->opened[i].device == file->st_dev && mount->opened[i].inode == file->st_ino) return &mount->opened[i];
    return NULL;
}

/* A name of `file` is gone. */
static void let_go(local *mount, const struct stat *file)
{
    bool last = !S_ISDIR(file->st_mode) && file->st_nlink == 1;
    opened *held = last ? find_opened(mount, file) : NULL;
    if (held) {
        held->removed = true;
        return;
    }
    give_back(&mount->files, 1);
    if (last) give_back(&mount->bytes, (uint64_t)file->st_size);
}

/* ---- open files ----------------------------------------------------------------------------------------------------- */

static int enter(local *mount, int fd)
{
    struct stat seen;
    if (fstat(fd, &seen)) return errno;
    if (!S_ISREG(seen.st_mode) || !seen.st_nlink) return ENOENT; /* what is gone has given its room back */
    opened *known = find_opened(mount, &seen);
    if (known) {
        known->uses++;
        return 0;
    }
    opened *list = aard__realloc(mount->opened, (mount->opened_count + 1) * sizeof *list);
    if (!list) return ENOMEM;
    mount->opened = list;
    list[mount->opened_count++] = (opened){seen.st_dev, seen.st_ino, 1, false};
    return 0;
}

static int open_local(aard__mount *base, const char *path, size_t len, bool write, int *fd)
{
    local *mount = local_of(base);
    struct stat seen;
    int found, error = stat_local(base, path, len, &seen); /* opening a device may do something already */
    if (error) return error;
    if (S_ISDIR(seen.st_mode)) return EISDIR;
    error = look_up(mount, path, len, (write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY, &found);
    if (error) return error;
    pthread_mutex_lock(&mount->lock);
    error = enter(mount, found);
    pthread_mutex_unlock(&mount->lock);
    if (error)
        close(found);
    else
        *fd = found;
    return error;
}

static void close_local(aard__mount *base, int fd)
{
    local *mount = local_of(base);
    struct stat seen;
    pthread_mutex_lock(&mount->lock);
    opened *known = fstat(fd, &seen) ? NULL : find_opened(mount, &seen);
    if (known && --known->uses == 0) {
        if (known->removed) {
            give_back(&mount->files, 1);
            give_back(&mount->bytes, (uint64_t)seen.st_size);
        }
        *known = mount->opened[--mount->opened_count];
    }
    pthread_mutex_unlock(&mount->lock);
    close(fd);
}

/* ---- changing ------------------------------------------------------------------------------------------------------- */

static int make_local(aard__mount *base, const aard__file_rules *rules, const char *path, size_t len, bool directory)
{
    local *mount = local_of(base);
    char name[NAME_MAX + 1];
    int parent, error = look_up_parent(mount, path, len, name, &parent);
    if (error) return error;
    pthread_mutex_lock(&mount->lock);
    if (!charge(&mount->files, rules->files, 1)) {
        error = EDQUOT;
    } else if (directory) {
        error = mkdirat(parent, name, 0777) ? errno : 0;
    } else {
        int made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        error = made < 0 ? errno : 0;
        if (made >= 0) close(made);
    }
    if (error && error != EDQUOT) give_back(&mount->files, 1);
    pthread_mutex_unlock(&mount->lock);
    close(parent);
    return error;
}

static int remove_local(aard__mount *base, const char *path, size_t len, bool directory)
{
    local *mount = local_of(base);
    char name[NAME_MAX + 1];
    struct stat seen;
    int parent, error = look_up_parent(mount, path, len, name, &parent);
    if (error) return error;
    pthread_mutex_lock(&mount->lock);
    if (fstatat(parent, name, &seen, AT_SYMLINK_NOFOLLOW) || !shown(seen.st_mode))
        error = ENOENT;
    else if (unlinkat(parent, name, directory ? AT_REMOVEDIR : 0))
        error = errno;
    else
        let_go(mount, &seen);
    pthread_mutex_unlock(&mount->lock);
    close(parent);
    return error;
}

/* What is not shown is not put away by what takes its name. */
static int move(local *mount, int old_parent, const char *old_name, int new_parent, const char *new_name)
{
    struct stat seen, there;
    if (fstatat(old_parent, old_name, &seen, AT_SYMLINK_NOFOLLOW) || !shown(seen.st_mode)) return ENOENT;
    bool taken = !fstatat(new_parent, new_name, &there, AT_SYMLINK_NOFOLLOW);
    if (taken && !shown(there.st_mode)) return EEXIST;
    if (renameat(old_parent, old_name, new_parent, new_name)) return errno;
    bool same = taken && seen.st_dev == there.st_dev && seen.st_ino == there.st_ino;
    if (taken && !same) let_go(mount, &there);
    return 0;
}

static int rename_local(aard__mount *base, const char *from, size_t from_len, const char *to, size_t to_len)
{
    local *mount = local_of(base);
    char old_name[NAME_MAX + 1], new_name[NAME_MAX + 1];
    int old_parent, new_parent, error = look_up_parent(mount, from, from_len, old_name, &old_parent);
    if (error) return error;
    error = look_up_parent(mount, to, to_len, new_name, &new_parent);
    if (!error) {
        pthread_mutex_lock(&mount->lock);
        error = move(mount, old_parent, old_name, new_parent, new_name);
        pthread_mutex_unlock(&mount->lock);
        close(new_parent);
    }
    close(old_parent);
    return error;
}

static int resize(local *mount, const aard__file_rules *rules, int fd, uint64_t size)
{
    struct stat seen;
    if (fstat(fd, &seen)) return errno;
    uint64_t before = (uint64_t)seen.st_size, growth = size > before ? size - before : 0;
    uint64_t taken = growth ? charge(&mount->bytes, rules->bytes, growth) : 0;
    int error = taken < growth ? EDQUOT : size > INT64_MAX ? EFBIG : ftruncate(fd, (off_t)size) ? errno : 0;
    if (error)
        give_back(&mount->bytes, taken);
    else if (size < before)
        give_back(&mount->bytes, before - size);
    return error;
}

static int truncate_local(aard__mount *base, const aard__file_rules *rules, int fd, uint64_t size)
{
    local *mount = local_of(base);
    pthread_mutex_lock(&mount->lock);
    int error = resize(mount, rules, fd, size);
    pthread_mutex_unlock(&mount->lock);
    return error;
}

static int put(local *mount, const aard__file_rules *rules, int fd, const void *data, size_t len, uint64_t position,
               size_t *written)
{
    struct stat seen;
    if (position > INT64_MAX || len > INT64_MAX - position) return EFBIG;
    if (fstat(fd, &seen)) return errno;
    uint64_t before = (uint64_t)seen.st_size, end = position + len, growth = end > before ? end - before : 0;
    uint64_t taken = growth ? charge(&mount->bytes, rules->bytes, growth) : 0;
    if (taken < growth) {
        if (before + taken <= position && len) {
            give_back(&mount->bytes, taken);
            return EDQUOT;
        }
        len = (size_t)(before + taken - position);
    }
    ssize_t done = pwrite(fd, data, len, (off_t)position);
    int error = done < 0 ? errno : 0;
    uint64_t reached = done > 0 ? position + (uint64_t)done : before;
    uint64_t grown = reached > before ? reached - before : 0;
    if (grown < taken) give_back(&mount->bytes, taken - grown);
    if (!error) *written = (size_t)done;
    return error;
}

static int write_local(aard__mount *base, const aard__file_rules *rules, int fd, const void *data, size_t len,
                       uint64_t position, size_t *written)
{
    local *mount = local_of(base);
    pthread_mutex_lock(&mount->lock);
    int error = put(mount, rules, fd, data, len, position, written);
    pthread_mutex_unlock(&mount->lock);
    return error;
}

/* ---- open files, by their descriptors --------------------------------------------------------------------------- */

static int size_local(aard__mount *mount, int file, uint64_t *out)
{
    struct stat seen;
    (void)mount;
    if (fstat(file, &seen)) return errno;
    *out = (uint64_t)seen.st_size;
    return 0;
}

static int read_local(aard__mount *mount, int file, void *data, size_t len, uint64_t position, size_t *got)
{
    (void)mount;
    ssize_t done = pread(file, data, len, (off_t)position);
    if (done < 0) return errno;
    *got = (size_t)done;
    return 0;
}

static const aard__mount_ops local_ops = {.end = end_local,
                                          .stat = stat_local,
                                          .list = list_local,
                                          .open = open_local,
                                          .close = close_local,
                                          .size = size_local,
                                          .read = read_local,
                                          .write = write_local,
                                          .truncate = truncate_local,
                                          .make = make_local,
                                          .remove = remove_local,
                                          .rename = rename_local};

AARD__PROCESS_KEEPS(openat2, "whether the kernel has openat2", "walk_only");
