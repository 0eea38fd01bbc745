/* The host's side of its directories: the child says what it wants, and is believed nothing but that. */
#include <errno.h>

#include "process/files.h"

/* ---- of mounts -------------------------------------------------------------------------------------------------- */

static int open_file(aard__file_server *server, const aard__directory *directory, const aard__file_call *call,
                     uint64_t *number)
{
    aard__open_file file;
    int error = aard__directory_open(directory, call->path, call->path_len, call->flag, &file);
    if (error) return error;
    aard__open_file *place = aard__open_files_place(&server->open, server->rules.handles);
    if (!place) {
        aard__open_file_close(&file);
        return EMFILE;
    }
    *place = file;
    *number = (uint64_t)(place - server->open.list);
    return 0;
}

static int stat_path(const aard__directory *directory, const aard__file_call *call, aard__buf *out)
{
    struct stat seen;
    int error = aard__mount_stat(directory->mount, call->path, call->path_len, &seen);
    if (!error) aard__file_facts_pack(&seen, out);
    return error;
}

static int serve_mount(aard__file_server *server, const aard__file_call *call, aard__file_reply *reply)
{
    const char *path = call->path;
    size_t len = call->path_len;
    if (call->target >= server->mounts->count) return EINVAL;
    const aard__directory directory = {server->mounts->list[call->target], server->rules, server->ledger};
    switch (call->op) {
    case AARD__FILE_MAY_WRITE: return aard__directory_may_write(&directory, path, len);
    case AARD__FILE_STAT: return stat_path(&directory, call, &reply->data);
    case AARD__FILE_LIST: return aard__mount_list(directory.mount, path, len, &reply->data);
    case AARD__FILE_OPEN: return open_file(server, &directory, call, &reply->number);
    case AARD__FILE_MAKE: return aard__directory_make(&directory, path, len, call->flag);
    case AARD__FILE_REMOVE: return aard__directory_remove(&directory, path, len, call->flag);
    case AARD__FILE_RENAME: return aard__directory_rename(&directory, path, len, call->data, call->data_len);
    default: return EINVAL;
    }
}

/* ---- of open files ---------------------------------------------------------------------------------------------- */

static int read_part(const aard__open_file *file, const aard__file_call *call, aard__buf *out)
{
    size_t len = call->size < AARD__FILE_PART ? (size_t)call->size : AARD__FILE_PART, got;
    if (call->position > INT64_MAX) return EINVAL;
    if (!len) return 0;
    if (!aard__buf_reserve(out, len)) return ENOMEM;
    int error = aard__mount_read(file->mount, file->fd, out->data, len, call->position, &got);
    if (!error) out->len = got;
    return error;
}

static int write_part(const aard__directory *directory, const aard__open_file *file, const aard__file_call *call,
                      uint64_t *number)
{
    size_t written;
    int error = aard__directory_write(directory, file, call->data, call->data_len, call->position, &written);
    if (!error) *number = written;
    return error;
}

static int serve_file(aard__file_server *server, const aard__file_call *call, aard__file_reply *reply)
{
    if (call->target >= server->open.count || server->open.list[call->target].fd < 0) return EBADF;
    aard__open_file *file = &server->open.list[call->target];
    const aard__directory directory = {file->mount, server->rules, server->ledger};
    switch (call->op) {
    case AARD__FILE_CLOSE: aard__open_file_close(file); return 0;
    case AARD__FILE_SIZE: return aard__mount_size(file->mount, file->fd, &reply->number);
    case AARD__FILE_READ: return read_part(file, call, &reply->data);
    case AARD__FILE_WRITE: return write_part(&directory, file, call, &reply->number);
    case AARD__FILE_TRUNCATE: return aard__directory_truncate(&directory, file, call->size);
    default: return EINVAL;
    }
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static bool is_of_mount(aard__file_op op)
{
    enum { mount = true, file = false };
    static const bool list[AARD__FILE_OP_COUNT] = {
#define OF(constant, target) [constant] = target,
        AARD__FILE_OPS(OF)
#undef OF
    };
    return list[op];
}

bool aard__file_serve(aard__file_server *server, const aard__frame *frame, aard__buf *reply)
{
    aard__file_call call;
    aard__file_reply answer = {.data = AARD__BUF_INIT};
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__file_call_unpack(&in, &call);
    if (!aard__unpacker_done(&in)) return false;
    int error = is_of_mount(call.op) ? serve_mount(server, &call, &answer) : serve_file(server, &call, &answer);
    if (!error && answer.data.failed) error = ENOMEM;
    if (error) answer.data.len = 0;
    answer.error = (uint32_t)error;
    aard__file_reply_pack(&answer, reply);
    aard__buf_free(&answer.data);
    return true;
}

void aard__file_server_end(aard__file_server *server) { aard__open_files_free(&server->open); }
