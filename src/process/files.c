/* What goes through the frames of files. */
#include "process/files.h"

void aard__file_call_pack(const aard__file_call *call, aard__buf *out)
{
    aard__pack_u8(out, (uint8_t)call->op);
    aard__pack_u32(out, call->target);
    aard__pack_bool(out, call->flag);
    aard__pack_u64(out, call->position);
    aard__pack_u64(out, call->size);
    aard__pack_span(out, call->path, call->path_len);
    aard__pack_span(out, call->data, call->data_len);
}

void aard__file_call_unpack(aard__unpacker *in, aard__file_call *out)
{
    out->op = (aard__file_op)aard__unpack_choice(in, AARD__FILE_OP_COUNT);
    out->target = aard__unpack_u32(in);
    out->flag = aard__unpack_bool(in);
    out->position = aard__unpack_u64(in);
    out->size = aard__unpack_u64(in);
    out->path = aard__unpack_span(in, 0, &out->path_len);
    out->data = aard__unpack_span(in, 0, &out->data_len);
}

void aard__file_reply_pack(const aard__file_reply *reply, aard__buf *out)
{
    aard__pack_u32(out, reply->error);
    aard__pack_u64(out, reply->number);
    aard__pack_span(out, reply->data.data, reply->data.len);
}

void aard__file_reply_unpack(aard__unpacker *in, aard__file_reply *out)
{
    out->error = aard__unpack_u32(in);
    out->number = aard__unpack_u64(in);
    out->data = AARD__BUF_INIT;
    out->data.data = (char *)(uintptr_t)aard__unpack_span(in, 0, &out->data.len);
}

static void pack_time(const struct timespec *time, aard__buf *out)
{
    aard__pack_i64(out, time->tv_sec);
    aard__pack_i64(out, time->tv_nsec);
}

static void unpack_time(aard__unpacker *in, struct timespec *out)
{
    out->tv_sec = aard__unpack_i64(in);
    out->tv_nsec = aard__unpack_i64(in);
}

void aard__file_facts_pack(const struct stat *seen, aard__buf *out)
{
    aard__pack_u32(out, seen->st_mode);
    aard__pack_i64(out, seen->st_size);
    aard__pack_u64(out, seen->st_nlink);
    pack_time(&seen->st_atim, out);
    pack_time(&seen->st_mtim, out);
    pack_time(&seen->st_ctim, out);
}

void aard__file_facts_unpack(aard__unpacker *in, struct stat *out)
{
    *out = (struct stat){.st_mode = aard__unpack_u32(in)};
    out->st_size = aard__unpack_i64(in);
    out->st_nlink = aard__unpack_u64(in);
    unpack_time(in, &out->st_atim);
    unpack_time(in, &out->st_mtim);
    unpack_time(in, &out->st_ctim);
}
