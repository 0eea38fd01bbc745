/* Hardening: what a child of a template gives up before it runs a guest, so that a hole in the engine opens nothing.
 *
 * A template takes once what children inherit and what they need (aard__hardening_take), between its boot and its first fork;
 * each child does the rest (aard__harden_child), right after the fork.  What the system does not permit is left out, and
 * told: a host that demands a measure looks whether it is in force. */
#ifndef AARD_PROCESS_HARDEN_H
#define AARD_PROCESS_HARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/harden/report.h"

typedef struct aard__hardening aard__hardening;

/* Once, in a template with one thread.  `wanted` is a set of measures; `open_files` how many descriptors a child may have
 * (0 = 64).  *out is never freed.  Errors: busy (a call is under way), no_memory; a measure that can't be had is none. */
aard_error *aard__hardening_take(uint32_t wanted, uint32_t open_files, aard__hardening **out);

/* Once, behind that, in a template that will run code of a bundle: from now on it reads files below `readable` (up to a NULL)
 * and /proc, makes children, and nothing else.  Children have that as well, beside their own.  Errors: busy, engine. */
aard_error *aard__harden_template(aard__hardening *hardening, const char *const *readable);

/* Once, in a program that serves one guest in a thread, for good and all threads: it opens nothing any more; a program that
 * `opens` files and sockets for its guest keeps what that takes.  What can't be had is left out, and told. */
void aard__harden_program(bool opens, aard__hardening_report *out);

/* Before the first fork: children may have so much more of private memory, touched or not, than the template has now.  A large
 * measure, as stacks and tables count whole: their host looks at what is touched. */
void aard__hardening_limit_data(aard__hardening *hardening, uint64_t kib);

/* What its children will have. */
const aard__hardening_report *aard__hardening_of(const aard__hardening *hardening);

/* Once, in a child, before it reads anything of anybody.  `socket` is the only descriptor of the caller's that stays.
 * Errors: engine (one of the measures failed, which one is told: the child has to end). */
aard_error *aard__harden_child(aard__hardening *hardening, int socket);

#endif
