/* What a guest writes: kept up to a limit (the last bytes of it), counted beyond, and handed on as it comes. */
#ifndef AARD_GUEST_STREAMS_H
#define AARD_GUEST_STREAMS_H

#include <aardvark/isolate.h>

#include "base/buf.h"
#include "engine/engine.h"

/* Of one call. */
typedef struct aard__stream_call {
    bool capture; /* else what is written is lost */
    bool threw;   /* the callback */
} aard__stream_call;

typedef struct aard__streams {
    size_t limit; /* bytes kept of each */
    aard__stream_call *call;
    aard_stream_callback callback;
    void *user;
    const aard_call_context *context; /* of its calls */
    aard__vm *vm;                     /* whose guest writes: the callback is not to run on its stack; may be NULL */
    aard__buf kept[2];                /* stdout, stderr */
    uint64_t dropped[2];
} aard__streams;

void aard__streams_write(aard__streams *streams, aard_stream stream, const void *data, size_t len);

/* Moves what was kept of `stream` into `out` and starts anew. */
void aard__streams_take(aard__streams *streams, aard_stream stream, aard__buf *out, uint64_t *dropped);

void aard__streams_free(aard__streams *streams);

#endif
