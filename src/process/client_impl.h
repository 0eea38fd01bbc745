/* The inside of a client: what the files of it share. */
#ifndef AARD_PROCESS_CLIENT_IMPL_H
#define AARD_PROCESS_CLIENT_IMPL_H

#include <pthread.h>

#include "guest/streams.h"
#include "process/ahead.h"
#include "process/client.h"
#include "process/files.h"
#include "process/harden/report.h"
#include "process/message.h"
#include "process/network.h"
#include "process/template.h"

/* One child, from the frame that asks for it on. */
typedef struct aard__remote {
    aard__channel *channel;           /* NULL = there is none */
    uint32_t known;                   /* handlers that it knows */
    pid_t pid;                        /* once it has said hello, as the kernel says; 0 before */
    int pidfd;                        /* -1 before */
    aard__hardening_report hardening; /* as it has said */
    uint64_t id;                      /* of the last request */
} aard__remote;

typedef struct aard__client_handler {
    char *entrypoint;
    uint32_t number; /* in the template and its children */
    size_t uses;     /* how many of the host's handlers it is */
} aard__client_handler;

struct aard__client {
    pthread_mutex_t lock;        /* of all of it: held by a request, and while a child is forked ahead between two */
    aard__ahead next;            /* which that is */
    aard_isolate_config *config; /* borrowed */
    aard__template *template;
    aard_bundle *bundle;            /* retained; may be NULL */
    aard__client_handler *handlers; /* by their numbers in requests */
    uint32_t handler_count;
    aard__remote child, standby;
    aard__file_server files;          /* of the child: what it has open */
    aard__net_server net;             /* of the call under way, and what outlives one */
    uint64_t id, generation;          /* the generation counts children and their resets */
    aard__hardening_report hardening; /* of the last child */
    bool used;                        /* a call was made since the child was clean */
    aard_reset_mode reset_mode;       /* how the guest was made clean since the last call, and how long it took */
    double reset_ms;
    int wake; /* an eventfd by which a cancel handle ends the wait; -1 until there is one */
};

/* ---- remote.c */

/* Forks a child.  Errors: as aard__template_fork. */
aard_error *aard__remote_fork(aard__template *template, bool ahead, aard__remote *out);
/* Kills the child; NULL-like remotes are fine. */
void aard__remote_end(aard__remote *remote);
void aard__remote_kill(aard__remote *remote);
/* Waits for the child's hello, where it has not come yet.  Errors: engine, and why it could not be forked. */
aard_error *aard__remote_await_hello(aard__remote *remote, aard__template *template);
/* Tells the child of the handlers up to `number` that it does not know.  Errors: engine. */
aard_error *aard__remote_teach(aard__remote *remote, aard__template *template, uint32_t number);
/* Sends a request; its answer has the id `remote->id`.  LATE where the child does not take it, which it has to at once. */
aard__frame_result aard__remote_send(aard__remote *remote, const aard__request *request, bool cancellable);
/* Cancels the request under way. */
void aard__remote_cancel(const aard__remote *remote);
/* What became of a child that has closed its channel, for people; it is killed where it has not ended. */
void aard__remote_how(aard__remote *remote, aard__template *template, aard__buf *out);

/* ---- remote_call.c */

/* Ends the child, and what it had of the host. */
void aard__client_end_child(aard__client *client);

/* Makes the call with the child that is there.  `*out` is NULL where that had ended before, and nothing of a guest is lost with it:
 * another child is as good.  Errors: the call was never made. */
aard_error *aard__client_call(aard__client *client, const aard__request *request, aard_outcome **out);

#endif
