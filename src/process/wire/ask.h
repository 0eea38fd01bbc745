/* What a child asks its host: one frame there, one back. */
#ifndef AARD_PROCESS_ASK_H
#define AARD_PROCESS_ASK_H

#include "base/buf.h"
#include "process/wire/frame.h"

/* The child's way to its host.  Of a template's remote mounts and network it is filled in after the fork. */
typedef struct aard__host_link {
    aard__channel *channel; /* NULL = there is no host to be asked */
    uint64_t asked;         /* frames; the number of the latest */
} aard__host_link;

/* Sends `body` (freed in any case) as a frame of type `call` and waits for its answer, of type `reply` and with its number; it
 * has to be ended (aard__frame_end).  False where there is none: the host is gone, or was refused. */
bool aard__host_ask(aard__host_link *host, uint16_t call, uint16_t reply, aard__buf *body, aard__frame *out);

#endif
