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

#endif
