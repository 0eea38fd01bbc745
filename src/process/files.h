/* Host directories of guests in other processes: a child's mounts ask (remote_files.c), its host checks, does and writes
 * down (serve_files.c).  What a call and its answer have in their frames is the same for all operations. */
#ifndef AARD_PROCESS_FILES_H
#define AARD_PROCESS_FILES_H

#include "base/pack.h"
#include "guest/directory.h"
#include "process/wire/ask.h"

/* X(constant, what `target` is): mounts and open files have numbers. */
#define AARD__FILE_OPS(X)                                                                                              \
    X(AARD__FILE_MAY_WRITE, mount) /* `path` */                                                                        \
    X(AARD__FILE_STAT, mount)      /* `path` -> aard__file_facts */                                                    \
    X(AARD__FILE_LIST, mount)      /* `path` -> JSON text */                                                           \
    X(AARD__FILE_OPEN, mount)      /* `path`, `flag`: to be written -> the file's number */                            \
    X(AARD__FILE_MAKE, mount)      /* `path`, `flag`: a directory */                                                   \
    X(AARD__FILE_REMOVE, mount)    /* the same */                                                                      \
    X(AARD__FILE_RENAME, mount)    /* `path`, `data`: the new path */                                                  \
    X(AARD__FILE_CLOSE, file)                                                                                          \
    X(AARD__FILE_SIZE, file)     /* -> bytes */                                                                        \
    X(AARD__FILE_READ, file)     /* `position`, `size`: of the part -> bytes */                                        \
    X(AARD__FILE_WRITE, file)    /* `position`, `data` -> how many bytes */                                            \
    X(AARD__FILE_TRUNCATE, file) /* `size` */

typedef enum aard__file_op {
#define AARD__FILE_OP_ENUM(constant, target) constant,
    AARD__FILE_OPS(AARD__FILE_OP_ENUM)
#undef AARD__FILE_OP_ENUM
        AARD__FILE_OP_COUNT
} aard__file_op;

enum { AARD__FILE_PART = 16 << 20 }; /* bytes that one call reads at most */

typedef struct aard__file_call {
    aard__file_op op;
    uint32_t target;
    bool flag;
    uint64_t position, size;
    const char *path, *data; /* spans */
    size_t path_len, data_len;
} aard__file_call;

typedef struct aard__file_reply {
    uint32_t error; /* an errno, or 0 */
    uint64_t number;
    aard__buf data; /* packed; unpacked it is borrowed from the frame */
} aard__file_reply;

void aard__file_call_pack(const aard__file_call *call, aard__buf *out);
void aard__file_call_unpack(aard__unpacker *in, aard__file_call *out); /* spans are borrowed */
void aard__file_reply_pack(const aard__file_reply *reply, aard__buf *out);
void aard__file_reply_unpack(aard__unpacker *in, aard__file_reply *out); /* not to be freed */

/* What stat gives, in the data of a reply. */
void aard__file_facts_pack(const struct stat *seen, aard__buf *out);
void aard__file_facts_unpack(aard__unpacker *in, struct stat *out);

/* ---- the child: a mount of `number` in the configuration of the host; `host` outlives it.  Errors: no_memory. */

aard_error *aard__remote_mount_new(const char *place, aard_filesystem_mode mode, uint32_t number, aard__host_link *host,
                                   aard__mount **out);

/* ---- the host */

typedef struct aard__file_server {
    const aard__mounts *mounts;
    aard__file_rules rules; /* by the configuration and the bundle */
    aard__ledger *ledger;
    aard__open_files open; /* empty at first */
} aard__file_server;

/* Answers a FILE_CALL into `reply`, which is empty.  False where the call is malformed. */
bool aard__file_serve(aard__file_server *server, const aard__frame *call, aard__buf *reply);
void aard__file_server_end(aard__file_server *server); /* closes what the child had open */

#endif
