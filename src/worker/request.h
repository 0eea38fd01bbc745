/* A request: everything that an isolate is asked, as plain data that could as well come out of a frame.
 *
 * Handlers are numbers here.  What happens while a request runs (output, calls of host functions) goes to the callbacks
 * of the configuration, on the thread that makes the request. */
#ifndef AARD_WORKER_REQUEST_H
#define AARD_WORKER_REQUEST_H

#include <aardvark/warm.h>

#include "guest/session_files.h"
#include "settings/config.h"

/* X(constant, name): what can be asked. */
#define AARD__VERB_MAP(X)                                                                                              \
    X(AARD__LOAD_BUNDLE, "load_bundle")     /* `bundle` */                                                             \
    X(AARD__RESOLVE, "resolve")             /* `entrypoint` → response.handler */                                    \
    X(AARD__RELEASE, "release")             /* `handlers` */                                                           \
    X(AARD__INVOKE, "invoke")               /* `handler`, `call` → response.outcome */                               \
    X(AARD__EXECUTE, "execute")             /* `source`, `name`, `call` → response.outcome */                        \
    X(AARD__CLEAR, "clear")                 /* → response.outcome; names of inline code */                           \
    X(AARD__RESET, "reset")                 /* a full reset, now */                                                    \
    X(AARD__CHECKPOINT, "checkpoint")       /* what full resets go back to from now on */                              \
    X(AARD__PREPARE_RESET, "prepare_reset") /* what the next reset would have to do */                                 \
    X(AARD__CAPTURE, "capture")             /* → response.warm */                                                    \
    X(AARD__FILES, "files")                 /* `file` → response.bytes */

typedef enum aard__verb {
#define AARD__VERB_ENUM(constant, name) constant,
    AARD__VERB_MAP(AARD__VERB_ENUM)
#undef AARD__VERB_ENUM
} aard__verb;

/* All borrowed until the request has been answered; what the verb does not name is not looked at. */
typedef struct aard__request {
    aard__verb verb;
    aard_bundle *bundle;
    const char *entrypoint; /* NULL = the manifest's */
    uint32_t handler;
    const uint32_t *handlers;
    size_t handler_count;
    const char *source, *name; /* `name`: NULL = "<exec>" */
    size_t source_len;
    const aard_call *call; /* NULL = nothing of its own */
    const aard__file_request *file;
} aard__request;

/* Of the asker, who frees what is in it.  Untouched on an error. */
typedef struct aard__response {
    aard_outcome *outcome;
    aard_warm_state *warm;
    uint32_t handler;
    aard__buf bytes;
} aard__response;

#endif
