/* Templates: processes that have booted a guest and fork children in which it goes on.
 *
 * There is one for all isolates that are alike in what shapes a boot (settings, distribution, warm state, bundle, names of
 * what the host serves).  It runs no call.  One that has crashed, hangs or was killed is started anew by the next fork.
 * All functions: any thread. */
#ifndef AARD_PROCESS_TEMPLATE_H
#define AARD_PROCESS_TEMPLATE_H

#include <sys/types.h>

#include "process/wire/frame.h"
#include "settings/config.h"

typedef struct aard__template aard__template;

/* The template for guests of `config` with `bundle` (may be NULL): one that runs already, or a new one.  Settings that are the
 * host's to act on (its cleanup) don't make another.  Errors: as aard_isolate_new and aard_isolate_load_bundle, and
 * aard__helper_start's. */
aard_error *aard__template_get(const aard_isolate_config *config, aard_bundle *bundle, aard__template **out);
void aard__template_release(aard__template *template); /* NULL is fine */

/* The number that the handler of `entrypoint` (NULL = the manifest's) has in children that are forked from now on; those that
 * were forked before have to be told (aard__template_entrypoint), in order.
 * Errors: entrypoint_missing, entrypoint_invalid, engine, no_memory. */
aard_error *aard__template_resolve(aard__template *template, const char *entrypoint, uint32_t *number);
/* The entrypoint of a number that was given; lives as long as the template. */
const char *aard__template_entrypoint(aard__template *template, uint32_t number);

/* A child that is being forked: it receives what is sent to it once it is there.  *known: how many handlers it knows.  `ahead`: it
 * is forked before there is a need for it, and goes through an empty call first.
 * Errors: busy (no file descriptor is left), thread (templates can't be started), engine, no_memory. */
aard_error *aard__template_fork(aard__template *template, bool ahead, aard__channel **out, uint32_t *known);

/* What the guests of a template that has a warm state start from; AARD_WARM_NONE for one that has none. */
aard_warm_source aard__template_warm_source(const aard__template *template);

/* How much memory its process had before it forked any. */
uint64_t aard__template_resident_kib(aard__template *template);

/* How long to wait for a child before its template is asked whether it is there. */
uint64_t aard__template_patience_ms(const aard__template *template);

/* How the child `pid`, which has ended, did so: as waitpid's status; -1 where that is not known.  A template that does not answer
 * is ended: 0 asks for that alone. */
int aard__template_status(aard__template *template, pid_t pid);

#endif
