/* The guest's side of an isolate: owns a guest, replaces it when it is broken, and answers requests, one at a time. */
#ifndef AARD_WORKER_WORKER_H
#define AARD_WORKER_WORKER_H

#include "budget/budget.h"
#include "guest/guest.h"
#include "settings/config.h"
#include "worker/request.h"

typedef struct aard__worker aard__worker;

/* Boots a guest.  `config` is borrowed for as long as the worker lives.  Errors: as aard_isolate_new. */
aard_error *aard__worker_new(aard_isolate_config *config, uint64_t id, aard__worker **out);
void aard__worker_free(aard__worker *worker); /* NULL is fine */

/* Answers one request.  Errors: what was asked has not been done (the functions of aardvark/isolate.h list why). */
aard_error *aard__worker_request(aard__worker *worker, const aard__request *request, aard__response *response);

/* Whether there is a guest that the last call has left as guests are between calls: else the next begins with a reset. */
bool aard__worker_is_whole(const aard__worker *worker);

/* Whether its guest has mounts, or may make requests: files and sockets are opened for it. */
bool aard__worker_needs_outside(const aard__worker *worker);

/* Whether an isolate of `config` can be asked for a checkpoint.  Errors: unsupported (it has none). */
aard_error *aard__worker_has_checkpoints(const aard_isolate_config *config);

/* ---- warm_up.c: for a guest that others are copied from */

/* Has the guest been through a call, of which nothing stays, so that the first of somebody's finds everything in place.
 * Errors: those of a reset. */
aard_error *aard__worker_warm_up(aard__worker *worker);

/* Imports the module of a handler ahead of its first call.  An import that fails, writes something, is refused something, or of
 * which `fine` says no, has not happened: the first call does it.  Errors: there is no guest any more. */
aard_error *aard__worker_prepare_handler(aard__worker *worker, uint32_t number, bool (*fine)(void *user), void *user);

#endif
