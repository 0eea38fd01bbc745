/* The host's side of a guest in another process: requests go to a child of a template, one at a time.
 *
 * A child serves until it has to be replaced: by a full reset, because it broke or overran its limits, because the host loads
 * another bundle.  The next one is forked ahead of need.  What a child says is checked; one that says what it must not, is
 * late or floods is killed, and that is the call's outcome (`engine_crashed`, or the limit's), never the host's trouble. */
#ifndef AARD_PROCESS_CLIENT_H
#define AARD_PROCESS_CLIENT_H

#include "process/harden/report.h"
#include "worker/request.h"

typedef struct aard__client aard__client;

/* `config` is borrowed for as long as the client lives.  Errors: as aard_isolate_new. */
aard_error *aard__client_new(aard_isolate_config *config, uint64_t id, aard__client **out);
void aard__client_free(aard__client *client); /* NULL is fine */

/* Of the child that was there last. */
const aard__hardening_report *aard__client_hardening(const aard__client *client);

/* As aard__worker_request. */
aard_error *aard__client_request(aard__client *client, const aard__request *request, aard__response *response);

#endif
