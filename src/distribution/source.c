#include "distribution/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "distribution/manifest.h"

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);
    return len > tail && strcmp(name + len - tail, suffix) == 0;
}

bool aard__source_wants(const aard__source *source, const char *name)
{
    for (size_t i = 0; i < aard__line_count; i++)
        if ((!source->line || source->line == &aard__lines[i]) && aard__pins_find(aard__lines[i].pins, name))
            return true;
    return source->packages && aard__dist_name_valid(name) &&
           (ends_with(name, ".whl") || ends_with(name, ".zip") || ends_with(name, ".tar"));
}

void aard__source_report(const aard__source *source, const char *step, uint64_t done, uint64_t total)
{
    if (source->progress) source->progress(source->user, step, done, total);
}

/* ---- directories ------------------------------------------------------------------------------------------ */

typedef struct copying {
    const aard__source *source;
    uint64_t done, total;
} copying;

static void tick(void *user, size_t len)
{
    copying *c = user;
    c->done += len;
    aard__source_report(c->source, "copying", c->done, c->total);
}

/* Links are followed: whoever names a directory of theirs may have built it from links. */
static aard_error *copy_one(copying *c, DIR *dir, const char *path, const char *name)
{
    struct stat st;
    int fd = openat(dirfd(dir), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return aard__error_errno(AARD_ERR_IO, errno, "cannot open '%s/%s'", path, name);
    aard_error *error = NULL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        error = aard__error(AARD_ERR_STAGE_SOURCE, "'%s/%s' is not a regular file", path, name);
    else
        error = aard__file_set_copy(c->source->set, name, fd, path, tick, c);
    close(fd);
    return error;
}

static uint64_t wanted_bytes(const aard__source *source, DIR *dir)
{
    uint64_t total = 0;
    struct stat st;
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (aard__source_wants(source, entry->d_name) && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0)
            total += (uint64_t)st.st_size;
    return total;
}

static aard_error *copy_all(const aard__source *source, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) return aard__error_errno(AARD_ERR_IO, errno, "cannot list '%s'", path);
    copying c = {.source = source, .total = wanted_bytes(source, dir)};
    aard_error *error = NULL;
    rewinddir(dir);
    for (struct dirent *entry; !error && (entry = readdir(dir));)
        if (aard__source_wants(source, entry->d_name)) error = copy_one(&c, dir, path, entry->d_name);
    closedir(dir);
    return error;
}

aard_error *aard__source_directory(const aard__source *source, const char *path)
{
    static const char *const folders[] = {".", "pyodide", "package"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *folder = i ? aard__path_join(path, folders[i]) : aard__strdup(path);
        char *wasm = folder ? aard__path_join(folder, AARD__FILE_WASM) : NULL;
        aard_error *error = wasm ? NULL : aard__error_no_memory();
        bool found = wasm && access(wasm, F_OK) == 0;
        if (found) error = copy_all(source, folder);
        aard__free(wasm);
        aard__free(folder);
        if (found || error) return error;
    }
    return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' holds no Pyodide: there is no '%s' in it", path, AARD__FILE_WASM);
}
