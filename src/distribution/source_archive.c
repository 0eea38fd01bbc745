#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "distribution/libarchive.h"
#include "distribution/source.h"

#define CHUNK (256u << 10)
#define ENTRIES_MAX 50000
#define TOP_MAX 100

typedef struct unpacking {
    const aard__libarchive *lib;
    const aard__source *source;
    struct archive *archive;
    const char *path;
    int fd;
    uint64_t size; /* of the archive */
    char top[TOP_MAX + 1];
    char chunk[CHUNK];
} unpacking;

static aard_error *refused(const unpacking *u, const char *entry, const char *why)
{
    return aard__error(AARD_ERR_STAGE_SOURCE, "'%s': its entry '%.200s' %s, which no archive of Pyodide has", u->path,
                       entry, why);
}

static aard_error *broken(const unpacking *u)
{
    const char *text = u->lib->error_string(u->archive);
    return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' cannot be read as a .tar.bz2 or .tar.gz archive (%s): get it again",
                       u->path, text ? text : "it is damaged");
}

/* Splits "top/name"; `*name` becomes NULL for what is neither in the top folder itself nor leads out of it. */
static aard_error *split(unpacking *u, const char *entry, const char **name)
{
    const char *at = entry;
    *name = NULL;
    while (strncmp(at, "./", 2) == 0) at += 2;
    if (*at == '/') return refused(u, entry, "has an absolute name");
    for (const char *part = at; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2])) return refused(u, entry, "leads elsewhere");
    }
    const char *slash = strchr(at, '/');
    if (!slash) return NULL;
    size_t len = (size_t)(slash - at);
    if (len == 0 || len > TOP_MAX) return refused(u, entry, "has an improper name");
    if (!u->top[0]) memcpy(u->top, at, len);
    if (strlen(u->top) != len || memcmp(u->top, at, len) != 0) return refused(u, entry, "is in a second top folder");
    if (!strchr(slash + 1, '/')) *name = slash + 1;
    return NULL;
}

/* The set knows names, not where they are from. */
static aard_error *within(const unpacking *u, aard_error *error)
{
    return error ? aard__error_prefix(error, "'%s'", u->path) : NULL;
}

static aard_error *take_entry(unpacking *u, const char *name)
{
    aard__file_set *set = u->source->set;
    AARD__TRY(within(u, aard__file_set_begin(set, name)));
    for (;;) {
        la_ssize_t n = u->lib->read_data(u->archive, u->chunk, sizeof u->chunk);
        if (n == ARCHIVE_RETRY) continue;
        if (n < 0) return broken(u);
        if (n == 0) break;
        AARD__TRY(within(u, aard__file_set_write(set, u->chunk, (size_t)n)));
        aard__source_report(u->source, "unpacking", (uint64_t)u->lib->filter_bytes(u->archive, -1), u->size);
    }
    return aard__file_set_end(set);
}

static aard_error *look_at(unpacking *u, struct archive_entry *entry)
{
    const char *full = u->lib->entry_pathname(entry), *name = NULL;
    if (!full) full = u->lib->entry_pathname_utf8(entry);
    if (!full) return refused(u, "?", "has a name that is not text");
    AARD__TRY(split(u, full, &name));
    if (u->lib->entry_hardlink(entry)) return refused(u, full, "is a hard link");
    mode_t type = u->lib->entry_filetype(entry);
    if (type == AE_IFDIR) return NULL;
    if (type == AE_IFLNK) return refused(u, full, "is a symbolic link");
    if (type != AE_IFREG) return refused(u, full, "is a special file");
    return name && aard__source_wants(u->source, name) ? take_entry(u, name) : NULL;
}

static aard_error *unpack(unpacking *u)
{
    u->lib->read_support_filter_bzip2(u->archive);
    u->lib->read_support_filter_gzip(u->archive);
    u->lib->read_support_format_tar(u->archive);
    if (u->lib->read_open_fd(u->archive, u->fd, CHUNK) != ARCHIVE_OK) return broken(u);
    for (size_t entries = 0;; entries++) {
        struct archive_entry *entry;
        int status = u->lib->read_next_header(u->archive, &entry);
        if (status == ARCHIVE_RETRY) continue;
        if (status == ARCHIVE_EOF) return NULL;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return broken(u);
        if (entries == ENTRIES_MAX)
            return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' has more than %d entries, which no archive of Pyodide has",
                               u->path, ENTRIES_MAX);
        AARD__TRY(look_at(u, entry));
    }
}

aard_error *aard__source_archive(const aard__source *source, const char *path)
{
    struct stat st;
    int fd = -1;
    const aard__libarchive *lib;
    AARD__TRY(aard__libarchive_load(&lib));
    AARD__TRY(aard__file_open(path, &fd));
    unpacking *u = aard__calloc(1, sizeof *u);
    if (!u || fstat(fd, &st) < 0) {
        aard_error *error = u ? aard__error_errno(AARD_ERR_IO, errno, "cannot look at '%s'", path)
                              : aard__error_no_memory();
        aard__free(u);
        close(fd);
        return error;
    }
    u->lib = lib;
    u->fd = fd;
    u->source = source;
    u->path = path;
    u->size = (uint64_t)st.st_size;
    u->archive = u->lib->read_new();
    aard_error *error = u->archive ? unpack(u) : aard__error_no_memory();
    if (u->archive) u->lib->read_free(u->archive);
    close(fd);
    aard__free(u);
    return error;
}
