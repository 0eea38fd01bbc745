/* The mounts of a guest whose host is another process: whatever is asked of one goes there. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "process/files.h"
#include "process/message.h"

/* Gives the errno of the answer; an answer of 0 has to be ended. */
static int ask(aard__mount *mount, const aard__file_call *call, aard__file_reply *reply, aard__frame *frame)
{
    aard__buf body = AARD__BUF_INIT;
    aard__file_call_pack(call, &body);
    if (!aard__host_ask(aard__mount_remote_user(mount), AARD__FILE_CALL, AARD__FILE_REPLY, &body, frame)) return EIO;
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__file_reply_unpack(&in, reply);
    int error = !aard__unpacker_done(&in) || reply->error > INT_MAX ? EIO : (int)reply->error;
    if (error) aard__frame_end(frame);
    return error;
}

/* Where there is nothing in the answer but a number; `number` may be NULL. */
static int ask_number(aard__mount *mount, const aard__file_call *call, uint64_t *number)
{
    aard__file_reply reply;
    aard__frame frame;
    int error = ask(mount, call, &reply, &frame);
    if (error) return error;
    if (number) *number = reply.number;
    aard__frame_end(&frame);
    return 0;
}

static aard__file_call on_path(const aard__mount *mount, aard__file_op op, const char *path, size_t len, bool flag)
{
    return (aard__file_call){
        .op = op, .target = aard__mount_remote_number(mount), .flag = flag, .path = path, .path_len = len};
}

static aard__file_call on_file(aard__file_op op, int file)
{
    return (aard__file_call){.op = op, .target = (uint32_t)file};
}

static int may_write(aard__mount *mount, const char *path, size_t len)
{
    const aard__file_call call = on_path(mount, AARD__FILE_MAY_WRITE, path, len, false);
    return ask_number(mount, &call, NULL);
}

static int stat_path(aard__mount *mount, const char *path, size_t len, struct stat *out)
{
    const aard__file_call call = on_path(mount, AARD__FILE_STAT, path, len, false);
    aard__file_reply reply;
    aard__frame frame;
    int error = ask(mount, &call, &reply, &frame);
    if (error) return error;
    aard__unpacker in = aard__unpacker_of(reply.data.data, reply.data.len);
    struct stat seen;
    aard__file_facts_unpack(&in, &seen);
    error = aard__unpacker_done(&in) ? 0 : EIO;
    if (!error) *out = seen;
    aard__frame_end(&frame);
    return error;
}

static int list(aard__mount *mount, const char *path, size_t len, aard__buf *out)
{
    const aard__file_call call = on_path(mount, AARD__FILE_LIST, path, len, false);
    aard__file_reply reply;
    aard__frame frame;
    int error = ask(mount, &call, &reply, &frame);
    if (error) return error;
    aard__buf_append(out, reply.data.data, reply.data.len);
    aard__frame_end(&frame);
    return out->failed ? ENOMEM : 0;
}

static int open_file(aard__mount *mount, const char *path, size_t len, bool write, int *file)
{
    const aard__file_call call = on_path(mount, AARD__FILE_OPEN, path, len, write);
    uint64_t number;
    int error = ask_number(mount, &call, &number);
    if (!error && number > INT_MAX) error = EIO;
    if (!error) *file = (int)number;
    return error;
}

static void close_file(aard__mount *mount, int file)
{
    const aard__file_call call = on_file(AARD__FILE_CLOSE, file);
    ask_number(mount, &call, NULL);
}

static int size_of(aard__mount *mount, int file, uint64_t *out)
{
    const aard__file_call call = on_file(AARD__FILE_SIZE, file);
    return ask_number(mount, &call, out);
}

static int read_file(aard__mount *mount, int file, void *data, size_t len, uint64_t position, size_t *got)
{
    aard__file_call call = on_file(AARD__FILE_READ, file);
    call.position = position;
    call.size = len < AARD__FILE_PART ? len : AARD__FILE_PART;
    aard__file_reply reply;
    aard__frame frame;
    int error = ask(mount, &call, &reply, &frame);
    if (error) return error;
    if (reply.data.len > len) error = EIO;
    if (!error && reply.data.len) memcpy(data, reply.data.data, reply.data.len);
    if (!error) *got = reply.data.len;
    aard__frame_end(&frame);
    return error;
}

static int write_file(aard__mount *mount, const aard__file_rules *rules, int file, const void *data, size_t len,
                      uint64_t position, size_t *written)
{
    (void)rules;
    aard__file_call call = on_file(AARD__FILE_WRITE, file);
    call.position = position;
    call.data = data;
    call.data_len = len;
    uint64_t number;
    int error = ask_number(mount, &call, &number);
    if (!error && number > len) error = EIO;
    if (!error) *written = (size_t)number;
    return error;
}

static int truncate_file(aard__mount *mount, const aard__file_rules *rules, int file, uint64_t size)
{
    (void)rules;
    aard__file_call call = on_file(AARD__FILE_TRUNCATE, file);
    call.size = size;
    return ask_number(mount, &call, NULL);
}

static int make(aard__mount *mount, const aard__file_rules *rules, const char *path, size_t len, bool directory)
{
    (void)rules;
    const aard__file_call call = on_path(mount, AARD__FILE_MAKE, path, len, directory);
    return ask_number(mount, &call, NULL);
}

static int remove_path(aard__mount *mount, const char *path, size_t len, bool directory)
{
    const aard__file_call call = on_path(mount, AARD__FILE_REMOVE, path, len, directory);
    return ask_number(mount, &call, NULL);
}

static int rename_path(aard__mount *mount, const char *from, size_t from_len, const char *to, size_t to_len)
{
    aard__file_call call = on_path(mount, AARD__FILE_RENAME, from, from_len, false);
    call.data = to;
    call.data_len = to_len;
    return ask_number(mount, &call, NULL);
}

static const aard__mount_ops ops = {.may_write = may_write,
                                    .stat = stat_path,
                                    .list = list,
                                    .open = open_file,
                                    .close = close_file,
                                    .size = size_of,
                                    .read = read_file,
                                    .write = write_file,
                                    .truncate = truncate_file,
                                    .make = make,
                                    .remove = remove_path,
                                    .rename = rename_path};

aard_error *aard__remote_mount_new(const char *place, aard_filesystem_mode mode, uint32_t number, aard__host_link *host,
                                   aard__mount **out)
{
    return aard__mount_new_remote(place, mode, &ops, host, number, out);
}
