#include <aardvark/bundle.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/new_file.h"
#include "bundle/entry_name.h"
#include "bundle/limits.h"
#include "bundle/unpack.h"

#define DOS_1980_01_01 0x21 /* the first day a ZIP archive can name */
#define MODE_REGULAR_0644 (UINT32_C(0100644) << 16)

/* The files found so far; `path` is where the walk is, relative to the bundle's root, with a slash behind it. */
typedef struct walker {
    aard__bundle_file *files;
    size_t count, cap;
    uint64_t bytes;
    aard__buf path;
    struct stat skip; /* the archive of an earlier run, when it lies inside the tree */
    bool has_skip;
} walker;

static aard_error *refuse(const walker *walk, aard_error_code code, const char *rule)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, walk->path.data, walk->path.len);
    return aard__error(code, "entry '%s': %s", name, rule);
}

static aard_error *refuse_errno(const walker *walk, int errnum)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, walk->path.data, walk->path.len);
    return aard__error_errno(AARD_ERR_IO, errnum, "entry '%s': cannot read it", name);
}

static aard_error *read_all(const walker *walk, int fd, uint8_t *data, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, data + got, len - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse_errno(walk, errno);
        if (n == 0) return refuse(walk, AARD_ERR_IO, "it became shorter while it was read; pack again");
        got += (size_t)n;
    }
    return NULL;
}

static bool grow(walker *walk)
{
    if (walk->count < walk->cap) return true;
    size_t cap = walk->cap ? walk->cap * 2 : 64;
    aard__bundle_file *files = aard__realloc(walk->files, cap * sizeof *files);
    if (!files) return false;
    walk->files = files;
    walk->cap = cap;
    return true;
}

static aard_error *add_file(walker *walk, int fd, const struct stat *st)
{
    if (walk->count == AARD__BUNDLE_MAX_ENTRIES)
        return refuse(walk, AARD_ERR_BUNDLE_TOO_MANY_ENTRIES, "with it the bundle has more than 10000 entries");
    if ((uint64_t)st->st_size > AARD__BUNDLE_MAX_UNPACKED - walk->bytes)
        return refuse(walk, AARD_ERR_BUNDLE_TOO_LARGE, "with it the bundle unpacks to more than 512 MiB");
    if (!grow(walk)) return aard__error_no_memory();
    aard__bundle_file file = {
        .name = aard__memdup0(walk->path.data, walk->path.len),
        .data = aard__malloc((size_t)st->st_size + 1),
        .name_len = walk->path.len,
        .data_len = (size_t)st->st_size,
    };
    aard_error *error = file.name && file.data ? read_all(walk, fd, file.data, file.data_len) : aard__error_no_memory();
    if (error) {
        aard__free(file.name);
        aard__free(file.data);
        return error;
    }
    walk->files[walk->count++] = file;
    walk->bytes += file.data_len;
    return NULL;
}

static aard_error *add_directory(walker *walk, int fd);

/* Opens without following links, then asks what was opened: nothing can be swapped in between. */
static aard_error *add_child(walker *walk, int parent, const char *name)
{
    struct stat st;
    AARD__TRY(aard__name_check(walk->path.data, walk->path.len));
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP)
        return refuse(walk, AARD_ERR_BUNDLE_SYMLINK, "it is a symbolic link; put the file itself there");
    if (fd < 0 && errno == ENXIO)
        return refuse(walk, AARD_ERR_BUNDLE_FILE_TYPE, "it is a socket; a bundle holds regular files and directories");
    if (fd < 0) return refuse_errno(walk, errno);
    aard_error *error = NULL;
    if (fstat(fd, &st) < 0) {
        error = refuse_errno(walk, errno);
    } else if (S_ISDIR(st.st_mode)) {
        return add_directory(walk, fd);
    } else if (!S_ISREG(st.st_mode)) {
        error = refuse(walk, AARD_ERR_BUNDLE_FILE_TYPE,
                       "it is a device or a pipe; a bundle holds regular files and directories");
    } else if (!walk->has_skip || st.st_dev != walk->skip.st_dev || st.st_ino != walk->skip.st_ino) {
        error = add_file(walk, fd, &st);
    }
    close(fd);
    return error;
}

static aard_error *add_children(walker *walk, DIR *dir)
{
    size_t base = walk->path.len;
    for (;;) {
        errno = 0;
        const struct dirent *child = readdir(dir);
        if (!child) return errno ? refuse_errno(walk, errno) : NULL;
        if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0) continue;
        aard__buf_puts(&walk->path, child->d_name);
        if (walk->path.failed) return aard__error_no_memory();
        AARD__TRY(add_child(walk, dirfd(dir), child->d_name));
        walk->path.len = base;
    }
}

/* Takes `fd`.  The depth is bounded by the rules for names. */
static aard_error *add_directory(walker *walk, int fd)
{
    if (walk->path.len) aard__buf_putc(&walk->path, '/');
    DIR *dir = walk->path.failed ? NULL : fdopendir(fd);
    if (!dir) {
        close(fd);
        return aard__error_no_memory();
    }
    aard_error *error = add_children(walk, dir);
    closedir(dir);
    return error;
}

static int by_name(const void *a, const void *b)
{
    const aard__bundle_file *left = a, *right = b;
    return aard__name_compare(left->name, left->name_len, right->name, right->name_len);
}

static aard_error *refuse_zip(zip_error_t *error)
{
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return aard__error_no_memory();
    return aard__error(AARD_ERR_IO, "libzip cannot make the archive: %s", zip_error_strerror(error));
}

/* Everything that could differ between two runs is fixed: time, mode, method. */
static aard_error *add_entry(zip_t *zip, const aard__bundle_file *file)
{
    zip_source_t *source = zip_source_buffer(zip, file->data, file->data_len, 0);
    if (!source) return refuse_zip(zip_get_error(zip));
    zip_int64_t index = zip_file_add(zip, file->name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return refuse_zip(zip_get_error(zip));
    }
    zip_uint64_t at = (zip_uint64_t)index;
    if (zip_set_file_compression(zip, at, file->data_len ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) < 0 ||
        zip_file_set_dostime(zip, at, 0, DOS_1980_01_01, 0) < 0 ||
        zip_file_set_external_attributes(zip, at, 0, ZIP_OPSYS_UNIX, MODE_REGULAR_0644) < 0)
        return refuse_zip(zip_get_error(zip));
    return NULL;
}

/* Reads back what libzip has written to a source in memory. */
static aard_error *read_source(zip_source_t *source, char **out, size_t *len)
{
    zip_stat_t st;
    if (zip_source_stat(source, &st) < 0 || !(st.valid & ZIP_STAT_SIZE) || zip_source_open(source) < 0)
        return refuse_zip(zip_source_error(source));
    char *data = aard__malloc((size_t)st.size);
    aard_error *error = data ? NULL : aard__error_no_memory();
    if (!error && zip_source_read(source, data, st.size) != (zip_int64_t)st.size)
        error = refuse_zip(zip_source_error(source));
    zip_source_close(source);
    if (error) {
        aard__free(data);
        return error;
    }
    *out = data;
    *len = (size_t)st.size;
    return NULL;
}

static aard_error *make_archive(const walker *walk, char **out, size_t *len)
{
    zip_error_t zip_error;
    zip_error_init(&zip_error);
    aard_error *error = NULL;
    zip_t *zip = NULL;
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &zip_error);
    if (source) zip_source_keep(source); /* it outlives the archive */
    if (source) zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &zip_error);
    if (!zip) {
        error = refuse_zip(&zip_error);
        if (source) zip_source_free(source);
        goto done;
    }
    for (size_t i = 0; i < walk->count && !error; i++) error = add_entry(zip, &walk->files[i]);
    if (!error && zip_close(zip) < 0) error = refuse_zip(zip_get_error(zip));
    if (error)
        zip_discard(zip);
    else
        error = read_source(source, out, len);
done:
    if (source) zip_source_free(source);
    zip_error_fini(&zip_error);
    return error;
}

static aard_error *open_root(const char *dir, int *out)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return aard__error_errno(errno == ENOENT || errno == ENOTDIR ? AARD_ERR_NOT_FOUND : AARD_ERR_IO, errno,
                                 "cannot pack '%s'", dir);
    *out = fd;
    return NULL;
}

aard_error *aard_bundle_pack(const char *dir, const char *path)
{
    AARD__NEED(dir);
    AARD__NEED(path);
    int fd = -1;
    AARD__TRY(open_root(dir, &fd));
    walker walk = {.path = AARD__BUF_INIT};
    walk.has_skip = stat(path, &walk.skip) == 0;
    char *data = NULL;
    size_t len = 0;
    aard_bundle *bundle = NULL;
    aard_error *error = add_directory(&walk, fd);
    if (!error && !walk.count) error = aard__error(AARD_ERR_NOT_FOUND, "there are no files in it");
    if (!error) {
        qsort(walk.files, walk.count, sizeof *walk.files, by_name);
        error = make_archive(&walk, &data, &len);
    }
    if (!error) error = aard_bundle_from_bytes(data, len, NULL, &bundle);
    if (error)
        error = aard__error_prefix(error, "cannot pack '%s'", dir);
    else
        error = aard__file_write_atomic(path, AARD__MODE_PUBLIC, data, len);
    aard_bundle_free(bundle);
    aard__free(data);
    aard__bundle_files_free(walk.files, walk.count);
    aard__buf_free(&walk.path);
    return error;
}
