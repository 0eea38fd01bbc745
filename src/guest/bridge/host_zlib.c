/* Compressed data, a piece at a time.  What zlib remembers between two pieces is in an ArrayBuffer of the guest's: it counts
 * as the guest's memory, and goes when that goes.  The guest's code never sees it. */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "guest/bridge/host.h"

#define ALIGN 16

/* zlib asks for its memory at the beginning, and for a window later; nothing is given back before the end. */
typedef struct arena {
    z_stream stream;
    size_t used, size;
    bool compresses, begun;
} arena;

/* What deflateInit2 and inflateInit2 take at most, with what is around it. */
#define ROOM_TO_COMPRESS (sizeof(arena) + ((size_t)1 << 17) + ((size_t)1 << 17) + ((size_t)1 << 15))
#define ROOM_TO_DECOMPRESS (sizeof(arena) + ((size_t)1 << 16))

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    arena *a = opaque;
    size_t want = ((size_t)items * size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (want > a->size - a->used) return NULL;
    void *at = (char *)a + a->used;
    a->used += want;
    return at;
}

static void give_back(voidpf opaque, voidpf at)
{
    (void)opaque;
    (void)at;
}

static arena *arena_of(aard__frame *frame)
{
    uint8_t *data;
    size_t len;
    if (!aard__frame_bytes(frame, 0, &data, &len) || len < sizeof(arena) || (uintptr_t)data % ALIGN) return NULL;
    return (arena *)(void *)data;
}

/* zlibSize(compresses) -> bytes that an ArrayBuffer for one stream must have */
static void host_size(aard__frame *frame, void *user)
{
    (void)user;
    aard__frame_return_number(frame, (double)(aard__frame_bool(frame, 0) ? ROOM_TO_COMPRESS : ROOM_TO_DECOMPRESS));
}

/* zlibBegin(state, compresses, format): 0 is zlib's own, 1 raw, 2 gzip */
static void host_begin(aard__frame *frame, void *user)
{
    (void)user;
    static const int bits[] = {MAX_WBITS, -MAX_WBITS, MAX_WBITS + 16};
    arena *a = arena_of(frame);
    double format = aard__frame_number(frame, 2);
    bool compresses = aard__frame_bool(frame, 1);
    int status = Z_MEM_ERROR;
    if (a && format >= 0 && format <= 2) {
        *a = (arena){.used = (sizeof *a + ALIGN - 1) & ~(size_t)(ALIGN - 1),
                     .size = compresses ? ROOM_TO_COMPRESS : ROOM_TO_DECOMPRESS,
                     .compresses = compresses};
        a->stream = (z_stream){.zalloc = take, .zfree = give_back, .opaque = a};
        int wbits = bits[(int)format];
        status = compresses ? deflateInit2(&a->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY)
                            : inflateInit2(&a->stream, wbits);
        a->begun = status == Z_OK;
    }
    if (status != Z_OK) aard__frame_throw(frame, "Error", "zlib can't begin");
}

/* So much is worked on before somebody looks whether the call was ended. */
#define SLICE ((size_t)1 << 20)

static int work(arena *a, bool finish)
{
    return a->compresses ? deflate(&a->stream, finish ? Z_FINISH : Z_NO_FLUSH) : inflate(&a->stream, Z_NO_FLUSH);
}

/* zlibRun(state, input, at, output, finish, counts) -> 0, 1: that was the end, -1: the data is damaged; counts become the
 * bytes that were taken and given */
static void host_run(aard__frame *frame, void *user)
{
    (void)user;
    arena *a = arena_of(frame);
    uint8_t *input, *output, *counts;
    size_t input_len, output_len, counts_len;
    double at = aard__frame_number(frame, 2);
    bool fits = a && a->begun && aard__frame_bytes(frame, 1, &input, &input_len) &&
                aard__frame_bytes(frame, 3, &output, &output_len) &&
                aard__frame_bytes(frame, 5, &counts, &counts_len) && counts_len >= 2 * sizeof(double) && at >= 0 &&
                at <= (double)input_len;
    if (!fits) {
        aard__frame_throw(frame, "Error", "zlib is not called as it should be");
        return;
    }
    size_t left = input_len - (size_t)at, step = left < SLICE ? left : SLICE;
    if (output_len > SLICE) output_len = SLICE;
    a->stream.next_in = input + (size_t)at;
    a->stream.avail_in = (uInt)step;
    a->stream.next_out = output;
    a->stream.avail_out = (uInt)output_len;
    int status = work(a, aard__frame_bool(frame, 4) && step == left);
    double moved[2] = {(double)(step - a->stream.avail_in), (double)(output_len - a->stream.avail_out)};
    memcpy(counts, moved, sizeof moved);
    aard__frame_return_number(frame, status == Z_STREAM_END ? 1 : status == Z_OK || status == Z_BUF_ERROR ? 0 : -1);
}

const aard__host_entry aard__host_zlib[] = {
    {"zlibSize", host_size}, {"zlibBegin", host_begin}, {"zlibRun", host_run}, {NULL, NULL}};
