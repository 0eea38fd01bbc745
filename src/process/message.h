/* What goes through the sockets between a host, its templates and their children: the types of frames, and their bodies.
 *
 *     host ── SETUP, RESOLVE, FORK, STATUS ──> template ── READY, RESOLVED, STATUS_IS, ERROR ──> host
 *     host ── REQUEST, HOST_REPLY, FILE_REPLY, NET_REPLY, CALLBACK_REPLY ──> child
 *     child ── HELLO, OUTPUT, HOST_CALL, FILE_CALL, NET_CALL, CALLBACK_CALL, RESPONSE, ERROR ──> host
 *
 * Children run what guests are: nothing that comes from one is believed before it is checked.  Bodies are packed
 * (base/pack.h); unpacking gives pointers into the body where nothing has to be copied. */
#ifndef AARD_PROCESS_MESSAGE_H
#define AARD_PROCESS_MESSAGE_H

#include "base/pack.h"
#include "process/wire/frame.h"
#include "settings/pack.h"
#include "worker/request.h"

#define AARD__MESSAGE_SMALL ((uint32_t)4096)
#define AARD__MESSAGE_LARGE ((uint32_t)1 << 31) /* limits of their own hold for what is in there */

/* X(constant, direction, most bytes, descriptors): TEMPLATE and CHILD are what those receive, HOST what the host does. */
#define AARD__MESSAGE_MAP(X)                                                                                           \
    X(AARD__SETUP, TEMPLATE, AARD__MESSAGE_LARGE, 3)       /* what the guest is; bundle, warm state, lifeline */       \
    X(AARD__RESOLVE_ALL, TEMPLATE, AARD__MESSAGE_LARGE, 0) /* a handler that all children know from now on */          \
    X(AARD__FORK, TEMPLATE, AARD__MESSAGE_SMALL, 1)        /* the child's socket */                                    \
    X(AARD__STATUS, TEMPLATE, AARD__MESSAGE_SMALL, 0)      /* how did the child of this pid end? */                    \
    X(AARD__READY, HOST, AARD__MESSAGE_SMALL, 0)           /* the answer to SETUP */                                   \
    X(AARD__RESOLVED, HOST, AARD__MESSAGE_SMALL, 0)        /* the handler's number */                                  \
    X(AARD__STATUS_IS, HOST, AARD__MESSAGE_SMALL, 0)       /* as of waitpid */                                         \
    X(AARD__HELLO, HOST, AARD__MESSAGE_SMALL, 0)           /* the first of a child */                                  \
    X(AARD__REQUEST, CHILD, AARD__MESSAGE_LARGE, 0)                                                                    \
    X(AARD__RESPONSE, HOST, AARD__MESSAGE_LARGE, 1) /* a warm state, where one was asked for */                        \
    X(AARD__OUTPUT, HOST, AARD__MESSAGE_LARGE, 0)                                                                      \
    X(AARD__HOST_CALL, HOST, AARD__MESSAGE_LARGE, 0)                                                                   \
    X(AARD__HOST_REPLY, CHILD, AARD__MESSAGE_LARGE, 0)                                                                 \
    X(AARD__FILE_CALL, HOST, AARD__MESSAGE_LARGE, 0) /* files.h */                                                     \
    X(AARD__FILE_REPLY, CHILD, AARD__MESSAGE_LARGE, 0)                                                                 \
    X(AARD__NET_CALL, HOST, AARD__MESSAGE_LARGE, 0) /* network.h */                                                    \
    X(AARD__NET_REPLY, CHILD, AARD__MESSAGE_LARGE, 0)                                                                  \
    X(AARD__CALLBACK_CALL, HOST, AARD__MESSAGE_LARGE, 0) /* callbacks.h */                                             \
    X(AARD__CALLBACK_REPLY, CHILD, AARD__MESSAGE_LARGE, 0)                                                             \
    X(AARD__ERROR, HOST, AARD__MESSAGE_LARGE, 0)

typedef enum aard__message {
#define AARD__MESSAGE_ENUM(constant, direction, most, descriptors) constant,
    AARD__MESSAGE_MAP(AARD__MESSAGE_ENUM)
#undef AARD__MESSAGE_ENUM
        AARD__MESSAGES
} aard__message;

extern const aard__frame_rules aard__host_rules, aard__template_rules, aard__child_rules;

/* ---- bodies: each is packed into an empty buffer, and unpacked from a frame */

/* What a guest is.  `settings` and `served` are of the configuration. */
typedef struct aard__setup {
    const aard_isolate_config *config; /* packed */
    aard__settings settings;           /* unpacked: */
    aard__served served;
    char *distribution, *fingerprint; /* a directory, and what it has to be; NULL for JavaScript */
    char *catalog;                    /* its directory; NULL for JavaScript */
    uint64_t catalog_max_bytes;
    bool has_bundle, has_warm, has_lifeline; /* they come along as descriptors, in this order */
} aard__setup;

void aard__setup_pack(const aard__setup *setup, aard__buf *out);
/* Errors: engine, no_memory. */
aard_error *aard__setup_unpack(const aard__frame *frame, aard__setup *out);
void aard__setup_free(aard__setup *setup); /* what unpacking made */

/* `cancellable`: SIGUSR1 with the frame's number as its value cancels the call. */
void aard__request_pack(const aard__request *request, bool cancellable, aard__buf *out);

/* A request with what it points to; the rest is in the frame. */
typedef struct aard__received_request {
    aard__request request;
    aard_call call;
    aard__file_request file;
    bool cancellable;
    char *name, *entrypoint, *path;
} aard__received_request;

/* Errors: engine, no_memory. */
aard_error *aard__request_unpack(const aard__frame *frame, aard__received_request *out);
void aard__received_request_free(aard__received_request *received);

/* `whole`: the guest is as guests are between calls. */
void aard__error_pack(const aard_error *error, bool whole, aard__buf *out);
/* The error of the body; one that says that it is malformed where it is.  `whole` may be NULL. */
aard_error *aard__error_unpack(const aard__frame *frame, bool *whole);

#endif
