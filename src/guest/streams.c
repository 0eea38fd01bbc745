#include "guest/streams.h"

#include <string.h>

/* Drops the oldest bytes so that `keep` are left, and the rest of a UTF-8 sequence that the cut would split. */
static void drop_oldest(aard__buf *buf, uint64_t *dropped, size_t keep)
{
    size_t cut = buf->len - keep, most = cut + 3;
    while (cut < buf->len && cut < most && ((unsigned char)buf->data[cut] & 0xc0) == 0x80) cut++;
    memmove(buf->data, buf->data + cut, buf->len - cut);
    buf->len -= cut;
    *dropped += cut;
}

typedef struct delivery {
    aard__streams *streams;
    aard_stream stream;
    const void *data;
    size_t len;
} delivery;

static void call_back(void *user)
{
    const delivery *d = user;
    d->streams->callback(d->streams->context, d->streams->user, d->stream, d->data, d->len);
}

static void deliver(void *user)
{
    delivery *d = user;
    if (!aard__call_guarded(call_back, d)) d->streams->call->threw = true;
}

void aard__streams_write(aard__streams *streams, aard_stream stream, const void *data, size_t len)
{
    if (!streams->call->capture || !len) return;
    if (streams->callback) {
        delivery d = {streams, stream, data, len};
        if (streams->vm)
            aard__vm_call_host(streams->vm, deliver, &d);
        else
            deliver(&d);
    }
    aard__buf *buf = &streams->kept[stream - 1];
    uint64_t *dropped = &streams->dropped[stream - 1];
    const char *bytes = data;
    if (len > streams->limit && len - streams->limit > 3) { /* three more, to see what a cut would split */
        size_t skip = len - streams->limit - 3;
        *dropped += skip;
        bytes += skip;
        len -= skip;
    }
    size_t before = buf->len;
    aard__buf_append(buf, bytes, len);
    if (buf->failed) { /* output is the one thing that may be lost, as long as the loss is counted */
        *dropped += len;
        buf->failed = false;
        buf->len = before;
    }
    /* Trimming moves everything that is kept: wait until it is worth it. */
    if (buf->len / 2 > streams->limit) drop_oldest(buf, dropped, streams->limit);
}

void aard__streams_take(aard__streams *streams, aard_stream stream, aard__buf *out, uint64_t *dropped)
{
    aard__buf *buf = &streams->kept[stream - 1];
    if (buf->len > streams->limit) drop_oldest(buf, &streams->dropped[stream - 1], streams->limit);
    aard__buf_putc(buf, '\0');
    if (buf->failed) { /* without room for the NUL there is no text */
        streams->dropped[stream - 1] += buf->len;
        aard__buf_free(buf);
    } else {
        buf->len--;
    }
    *out = *buf;
    *buf = AARD__BUF_INIT;
    *dropped = streams->dropped[stream - 1];
    streams->dropped[stream - 1] = 0;
}

void aard__streams_free(aard__streams *streams)
{
    aard__buf_free(&streams->kept[0]);
    aard__buf_free(&streams->kept[1]);
}
