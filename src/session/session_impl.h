/* The inside of a session: what the files of this room share. */
#ifndef AARD_SESSION_SESSION_IMPL_H
#define AARD_SESSION_SESSION_IMPL_H

#include <aardvark/session.h>
#include <aardvark/warm.h>
#include <pthread.h>

#include "base/error.h"
#include "session/message.h"

typedef struct aard__session_request aard__session_request;
typedef struct aard__session_asked aard__session_asked; /* of the client, which has not answered yet */

/* The answers of a batch, until the last one is there; under the session's lock. */
typedef struct aard__batch {
    size_t left;
    aard__buf answers;
} aard__batch;

/* What a client can ask.  Of `run`: errors become the request's error, `result` is JSON text. */
typedef struct aard__session_method {
    const char *name;
    aard_error *(*run)(aard__session_request *request, const aard__json *values, aard__buf *result);
    aard__rpc_param params[AARD__RPC_PARAMS_MOST];
} aard__session_method;

struct aard__session_request {
    aard__session_request *next;
    aard_session *session;
    char *text;    /* of its own, in which the rest is */
    aard__json id; /* empty of a notification */
    aard__json params;
    const aard__session_method *method;
    aard__batch *batch; /* NULL = it is answered alone */
    aard_cancel_handle *cancel;
    aard__buf partial[2]; /* the beginning of a character that the guest has written to each stream */
    aard__buf invalid;    /* what is wrong with its params; empty = nothing */
};

struct aard_session {
    /* The worker's: */
    aard_isolate_config *config, *restored; /* `restored`: with the state that was restored last; NULL = none */
    aard_bundle *bundle;                    /* retained; may be NULL */
    aard_isolate *isolate;                  /* NULL until it is needed */
    aard_handler *handler;                  /* of the last `call`; may be NULL */
    char *entrypoint;                       /* of that; NULL = the manifest's */
    bool initialized;

    /* The feeding thread's: */
    aard__buf line;
    bool skipping; /* a line that is too long */

    pthread_t thread;
    pthread_mutex_t send_lock;
    aard_session_send send;
    void *user;
    aard_finalizer finalizer;
    bool deaf; /* under send_lock: nobody reads any more */

    pthread_mutex_t lock; /* of the rest: */
    pthread_cond_t some, none;
    aard__session_request *first, **last, *running;
    size_t waiting;
    bool ending;
    bool mute; /* the client can't answer any more */
    aard__session_asked *asked;
    uint64_t asked_count; /* the worker's */
};

/* ---- answers.c: any thread */

void aard__session_answer(aard__session_request *request, const aard__buf *result);
void aard__session_refuse(aard__session_request *request, int code, const char *message, const char *name);
/* The same where there is no request; `batch` may be NULL. */
void aard__session_reject(aard_session *session, aard__batch *batch, aard__json id, int code, const char *message);
void aard__session_notify_output(aard__session_request *request, const char *stream, const char *text, size_t len);
/* One line, as it stands; frees it. */
void aard__session_send_line(aard_session *session, aard__buf *line);
/* One answer less is waited for. */
void aard__session_batch_done(aard_session *session, aard__batch *batch);

/* ---- callbacks.c */

/* Registers what `initialize` lists.  Errors: invalid_argument, no_memory; or the request is invalid. */
aard_error *aard__session_add_callbacks(aard__session_request *request, aard__json list);
void aard__session_take_response(aard_session *session, const aard__rpc_message *m);
/* Nobody answers those that are open any more. */
void aard__session_drop_invocations(aard_session *session);

/* ---- cancel.c */

/* The request of that id, under way or not; NULL where there is none.  Within the lock. */
aard__session_request *aard__session_find(const aard_session *session, aard__json id);
bool aard__session_cancel(aard_session *session, aard__json id); /* false where no such request waits */
void aard__session_cancel_all(aard_session *session);

/* ---- queue.c */

/* Takes the request, or refuses it. */
void aard__session_enqueue(aard_session *session, aard__session_request *request);
void *aard__session_work(void *session); /* the thread */
void aard__session_request_free(aard__session_request *request);

/* ---- methods.c */

extern const aard__session_method *const aard__session_methods[]; /* up to a NULL */
const aard__session_method *aard__session_find_method(aard__json name);

/* ---- isolates.c */

/* The isolate, made where there is none. */
aard_error *aard__session_need_isolate(aard_session *session);
aard_error *aard__session_need_distribution(aard_isolate_config *config);
/* Lets go of it. */
void aard__session_drop_isolate(aard_session *session);

/* ---- params.c */

/* wall_ms, cpu_ms, result_bytes; 0 = not given.  False, and said to be invalid, where one of them is. */
bool aard__session_limits(aard__session_request *request, aard__json limits, uint64_t out[3]);
/* The same for a call. */
bool aard__session_read_limits(aard__session_request *request, aard__json limits, aard_call *call);
/* An outcome that is a success with this value (JSON text, moved out of; NULL = null). */
aard_error *aard__session_done(const aard__session_request *request, aard__buf *value, aard__buf *result);
/* Says what is wrong with the request's params; gives NULL. */
aard_error *aard__session_invalid(aard__session_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A param as text that ends with NUL; NULL, and said to be invalid, where there is one inside. */
char *aard__session_text(aard__session_request *request, const char *name, aard__json value);
/* Base64 of a param; false, and said to be invalid, where it is none. */
bool aard__session_bytes(aard__session_request *request, const char *name, aard__json value, aard__buf *out);
void aard__session_put_base64(aard__buf *out, const char *data, size_t len);

/* ---- execute.c, files.c, state.c: methods */

extern const aard__session_method aard__session_execute, aard__session_call;
extern const aard__session_method aard__session_files[4];
extern const aard__session_method aard__session_capture, aard__session_restore;

/* ---- output.c */

/* The stream callback of a session's isolate; `user` is the session. */
void aard__session_output(const aard_call_context *context, void *user, aard_stream stream, const char *data,
                          size_t len);
void aard__session_flush_output(aard__session_request *request);

#endif
