#include "guest/directory.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

static void tell(const aard__directory *directory, aard_violation_kind kind, const char *reason, const char *path,
                 size_t len)
{
    aard__buf subject = AARD__BUF_INIT;
    aard__buf_printf(&subject, "%s%s", aard__mount_place(directory->mount), len ? "/" : "");
    aard__buf_append(&subject, path, len);
    aard__ledger_violation(directory->ledger, kind, reason, subject.data, subject.len);
    aard__buf_free(&subject);
}

/* Tells of an error that is a limit; gives it. */
static int within(const aard__directory *directory, int error, const char *limit, const char *path, size_t len)
{
    if (error == EDQUOT && !aard__mount_is_remote(directory->mount))
        tell(directory, AARD_VIOLATION_FILESYSTEM_QUOTA, limit, path, len);
    return error;
}

static bool is_writable(const aard__directory *directory)
{
    return aard__mount_mode(directory->mount) == AARD_FILESYSTEM_READ_WRITE &&
           directory->rules.mode == AARD_FILESYSTEM_READ_WRITE;
}

/* What changes something is refused here where it is checked here. */
static int check(const aard__directory *directory, const char *path, size_t len)
{
    if (aard__mount_is_remote(directory->mount) || is_writable(directory)) return 0;
    tell(directory, AARD_VIOLATION_FILESYSTEM_READ_ONLY, "mount_read_only", path, len);
    return EROFS;
}

/* Nor what changes a file that was opened to be read. */
static int check_file(const aard__directory *directory, const aard__open_file *file, int otherwise)
{
    int error = check(directory, file->path, strlen(file->path));
    if (error || file->write || aard__mount_is_remote(directory->mount)) return error;
    return otherwise;
}

int aard__directory_may_write(const aard__directory *directory, const char *path, size_t len)
{
    return aard__mount_is_remote(directory->mount) ? aard__mount_may_write(directory->mount, path, len)
                                                   : check(directory, path, len);
}

int aard__directory_open(const aard__directory *directory, const char *path, size_t len, bool write,
                         aard__open_file *out)
{
    int file, error = write ? check(directory, path, len) : 0;
    if (!error) error = aard__mount_open(directory->mount, path, len, write, &file);
    if (error) return error;
    char *copy = aard__memdup0(path ? path : "", len);
    if (!copy) {
        aard__mount_close(directory->mount, file);
        return EMFILE;
    }
    *out = (aard__open_file){file, directory->mount, write, false, copy};
    return 0;
}

int aard__directory_make(const aard__directory *directory, const char *path, size_t len, bool is_directory)
{
    int error = check(directory, path, len);
    if (!error) error = aard__mount_make(directory->mount, &directory->rules, path, len, is_directory);
    return within(directory, error, "files", path, len);
}

int aard__directory_remove(const aard__directory *directory, const char *path, size_t len, bool is_directory)
{
    int error = check(directory, path, len);
    return error ? error : aard__mount_remove(directory->mount, path, len, is_directory);
}

int aard__directory_rename(const aard__directory *directory, const char *from, size_t from_len, const char *to,
                           size_t to_len)
{
    int error = check(directory, from, from_len);
    return error ? error : aard__mount_rename(directory->mount, from, from_len, to, to_len);
}

int aard__directory_truncate(const aard__directory *directory, const aard__open_file *file, uint64_t size)
{
    int error = check_file(directory, file, EINVAL);
    if (!error) error = aard__mount_truncate(directory->mount, &directory->rules, file->fd, size);
    return within(directory, error, "bytes", file->path, strlen(file->path));
}

int aard__directory_write(const aard__directory *directory, const aard__open_file *file, const void *data, size_t len,
                          uint64_t position, size_t *written)
{
    int error = check_file(directory, file, EBADF);
    if (!error) error = aard__mount_write(directory->mount, &directory->rules, file->fd, data, len, position, written);
    return within(directory, error, "bytes", file->path, strlen(file->path));
}
