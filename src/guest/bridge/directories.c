/* The host functions behind the host directories that are mounted for a guest. */
#include "guest/bridge/directories.h"

#include <errno.h>
#include <string.h>

#include "guest/directory.h"
#include "guest/guest.h"
#include "settings/config.h"

/* ---- what a call is about ------------------------------------------------------------------------------------------- */

/* errno as Emscripten's C library has it, which is WASI's. */
static int guest_errno(int error)
{
    static const struct {
        int host, guest;
    } known[] = {{EACCES, 2},   {EAGAIN, 6},        {EBADF, 8},   {EBUSY, 10},  {EEXIST, 20},  {EFBIG, 22},
                 {EINTR, 27},   {EINVAL, 28},       {EIO, 29},    {EISDIR, 31}, {ELOOP, 32},   {EMFILE, 33},
                 {ENFILE, 41},  {ENAMETOOLONG, 37}, {ENOENT, 44}, {ENOMEM, 48}, {ENOSPC, 51},  {EDQUOT, 51},
                 {ENOTDIR, 54}, {ENOTEMPTY, 55},    {EPERM, 63},  {EROFS, 69},  {ETXTBSY, 74}, {EXDEV, 75}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].host == error) return known[i].guest;
    return 29;
}

typedef struct request {
    aard__guest *guest;
    aard__directory directory;
    aard__buf path;
} request;

aard__file_rules aard__guest_file_rules(const aard__guest *guest)
{
    return aard__bundle_file_rules(&guest->io.file_rules, guest->bundle);
}

static aard__directory directory_of(aard__guest *guest, aard__mount *mount)
{
    return (aard__directory){mount, aard__guest_file_rules(guest), &guest->call.ledger};
}

/* The first two arguments: the mount's number and a path. */
static bool take_request(const aard__frame *frame, void *user, request *r)
{
    *r = (request){.guest = user, .path = AARD__BUF_INIT};
    double number = aard__frame_number(frame, 0);
    if (!r->guest->config || !(number >= 0 && number < (double)r->guest->config->hooks.mounts.count)) return false;
    r->directory = directory_of(r->guest, r->guest->config->hooks.mounts.list[(size_t)number]);
    return aard__frame_string(frame, 1, &r->path) && !r->path.failed;
}

/* The first argument: an open file's number. */
static aard__open_file *take_file(const aard__frame *frame, aard__guest *guest)
{
    double number = aard__frame_number(frame, 0);
    if (!(number >= 0 && number < (double)guest->io.open_files.count)) return NULL;
    aard__open_file *file = &guest->io.open_files.list[(size_t)number];
    return file->fd < 0 ? NULL : file;
}

/* Ends a call with 0 or what went wrong. */
static void return_errno(aard__frame *frame, int error)
{
    aard__frame_return_number(frame, error ? -guest_errno(error) : 0);
}

static void answer(aard__frame *frame, request *r, int error)
{
    aard__buf_free(&r->path);
    return_errno(frame, error);
}

/* ---- host functions: each gives minus an errno of the guest where it fails ------------------------------------------- */

/* mounts() -> JSON text: [place, whether it may be written at all] of each mount */
static void host_mounts(aard__frame *frame, void *user)
{
    const aard_isolate_config *config = ((aard__guest *)user)->config;
    aard__buf text = AARD__BUF_INIT;
    aard__buf_putc(&text, '[');
    for (size_t i = 0; config && i < config->hooks.mounts.count; i++) {
        const char *place = aard__mount_place(config->hooks.mounts.list[i]);
        aard__buf_puts(&text, i ? ",[" : "[");
        aard__buf_json_string(&text, place, strlen(place));
        aard__buf_puts(&text,
                       aard__mount_mode(config->hooks.mounts.list[i]) == AARD_FILESYSTEM_READ ? ",false]" : ",true]");
    }
    aard__buf_putc(&text, ']');
    if (text.failed)
        aard__frame_throw(frame, "Error", "out of memory");
    else
        aard__frame_return_utf8(frame, text.data, text.len);
    aard__buf_free(&text);
}

/* mayWrite(mount, path) -> 0 where the mount may be written */
static void host_may_write(aard__frame *frame, void *user)
{
    request r;
    bool known = take_request(frame, user, &r);
    answer(frame, &r, known ? aard__directory_may_write(&r.directory, r.path.data, r.path.len) : EINVAL);
}

static double milliseconds(const struct timespec *time)
{
    return (double)time->tv_sec * 1e3 + (double)(time->tv_nsec / 1000000);
}

/* stat(mount, path, Float64Array(6)): directory, size, three times, number of links */
static void host_stat(aard__frame *frame, void *user)
{
    request r;
    struct stat seen;
    uint8_t *into;
    size_t room;
    int error = EINVAL;
    if (take_request(frame, user, &r) && aard__frame_bytes(frame, 2, &into, &room) && room >= 6 * sizeof(double)) {
        error = aard__mount_stat(r.directory.mount, r.path.data, r.path.len, &seen);
        if (!error) {
            double values[6] = {S_ISDIR(seen.st_mode),       (double)seen.st_size,        milliseconds(&seen.st_atim),
                                milliseconds(&seen.st_mtim), milliseconds(&seen.st_ctim), (double)seen.st_nlink};
            memcpy(into, values, sizeof values);
        }
    }
    answer(frame, &r, error);
}

/* list(mount, path) -> JSON text: [name, is directory] of each entry */
static void host_list(aard__frame *frame, void *user)
{
    request r;
    aard__buf text = AARD__BUF_INIT;
    int error = EINVAL;
    if (take_request(frame, user, &r)) error = aard__mount_list(r.directory.mount, r.path.data, r.path.len, &text);
    answer(frame, &r, error);
    if (!error) aard__frame_return_utf8(frame, text.data, text.len);
    aard__buf_free(&text);
}

/* open(mount, path, write) -> the open file's number */
static void host_open(aard__frame *frame, void *user)
{
    request r;
    int error = EINVAL;
    aard__open_file file;
    if (take_request(frame, user, &r))
        error = aard__directory_open(&r.directory, r.path.data, r.path.len, aard__frame_bool(frame, 2), &file);
    aard__open_files *files = &r.guest->io.open_files;
    aard__open_file *place = error ? NULL : aard__open_files_place(files, r.directory.rules.handles);
    if (!error && !place) {
        aard__open_file_close(&file);
        error = EMFILE;
    }
    answer(frame, &r, error);
    if (error) return;
    *place = file;
    aard__frame_return_number(frame, (double)(place - files->list));
}

/* close(file) */
static void host_close(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__open_file *file = take_file(frame, guest);
    if (!file) return;
    guest->io.open_files.lost = guest->io.open_files.lost || file->kept;
    aard__open_file_close(file);
}

/* size(file) */
static void host_size(aard__frame *frame, void *user)
{
    const aard__open_file *file = take_file(frame, user);
    uint64_t size;
    bool known = file && !aard__mount_size(file->mount, file->fd, &size);
    aard__frame_return_number(frame, known ? (double)size : -guest_errno(EBADF));
}

/* The part of a guest's memory that (bytes, at, length) mean, and a position; false where they mean none. */
static bool take_span(const aard__frame *frame, uint8_t **data, size_t *len, uint64_t *position)
{
    size_t room;
    double at = aard__frame_number(frame, 2), length = aard__frame_number(frame, 3);
    double where = aard__frame_number(frame, 4);
    if (!aard__frame_bytes(frame, 1, data, &room) || !(at >= 0 && at <= (double)room) ||
        !(length >= 0 && length <= (double)room - at) || !(where >= 0 && where <= 0x1p53))
        return false;
    *data += (size_t)at;
    *len = (size_t)length;
    *position = (uint64_t)where;
    return true;
}

/* So many bytes are moved before somebody looks whether the call was ended. */
#define SLICE ((size_t)16 << 20)

static int read_slices(aard__frame *frame, const aard__open_file *file, uint8_t *data, size_t len, uint64_t position,
                       size_t *done)
{
    size_t step, got;
    *done = 0;
    do {
        step = len - *done < SLICE ? len - *done : SLICE;
        int error = aard__mount_read(file->mount, file->fd, data + *done, step, position + *done, &got);
        if (error) return *done ? 0 : error;
        *done += got;
    } while (got == step && *done < len && !aard__frame_ended(frame));
    return 0;
}

/* read(file, bytes, at, length, position) -> how many bytes */
static void host_read(aard__frame *frame, void *user)
{
    const aard__open_file *file = take_file(frame, user);
    uint8_t *data;
    size_t len, done;
    uint64_t position;
    int error = EBADF;
    if (file && take_span(frame, &data, &len, &position)) error = read_slices(frame, file, data, len, position, &done);
    aard__frame_return_number(frame, error ? -guest_errno(error) : (double)done);
}

/* As aard__directory_write, in slices. */
static int write_slices(aard__frame *frame, const aard__directory *directory, const aard__open_file *file,
                        const uint8_t *data, size_t len, uint64_t position, size_t *written)
{
    size_t step, done;
    *written = 0;
    do {
        step = len - *written < SLICE ? len - *written : SLICE;
        int error = aard__directory_write(directory, file, data + *written, step, position + *written, &done);
        if (error) return *written ? 0 : error; /* the next write gets it */
        *written += done;
    } while (done == step && *written < len && !aard__frame_ended(frame));
    return 0;
}

/* write(file, bytes, at, length, position) -> how many bytes */
static void host_write_file(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    const aard__open_file *file = take_file(frame, guest);
    uint8_t *data;
    size_t len, written = 0;
    uint64_t position;
    int error = EBADF;
    if (file && take_span(frame, &data, &len, &position)) {
        const aard__directory directory = directory_of(guest, file->mount);
        error = write_slices(frame, &directory, file, data, len, position, &written);
    }
    guest->call.bytes_written += written;
    aard__frame_return_number(frame, error ? -guest_errno(error) : (double)written);
}

/* truncate(file, size) */
static void host_truncate(aard__frame *frame, void *user)
{
    const aard__open_file *file = take_file(frame, user);
    double size = aard__frame_number(frame, 1);
    int error = file ? EINVAL : EBADF;
    if (file && size >= 0 && size <= 0x1p53) {
        const aard__directory directory = directory_of(user, file->mount);
        error = aard__directory_truncate(&directory, file, (uint64_t)size);
    }
    return_errno(frame, error);
}

/* make(mount, path, directory) */
static void host_make(aard__frame *frame, void *user)
{
    request r;
    int error = EINVAL;
    if (take_request(frame, user, &r))
        error = aard__directory_make(&r.directory, r.path.data, r.path.len, aard__frame_bool(frame, 2));
    answer(frame, &r, error);
}

/* remove(mount, path, directory) */
static void host_remove(aard__frame *frame, void *user)
{
    request r;
    int error = EINVAL;
    if (take_request(frame, user, &r))
        error = aard__directory_remove(&r.directory, r.path.data, r.path.len, aard__frame_bool(frame, 2));
    answer(frame, &r, error);
}

/* rename(mount, from, to) */
static void host_rename(aard__frame *frame, void *user)
{
    request r;
    aard__buf to = AARD__BUF_INIT;
    int error = EINVAL;
    if (take_request(frame, user, &r) && aard__frame_string(frame, 2, &to) && !to.failed)
        error = aard__directory_rename(&r.directory, r.path.data, r.path.len, to.data, to.len);
    answer(frame, &r, error);
    aard__buf_free(&to);
}

const aard__host_entry aard__host_directories[] = {
    {"mounts", host_mounts},         {"mountMayWrite", host_may_write},
    {"mountStat", host_stat},        {"mountList", host_list},
    {"mountOpen", host_open},        {"mountClose", host_close},
    {"mountSize", host_size},        {"mountRead", host_read},
    {"mountWrite", host_write_file}, {"mountTruncate", host_truncate},
    {"mountMake", host_make},        {"mountRemove", host_remove},
    {"mountRename", host_rename},    {NULL, NULL},
};
