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

/* X(constant, name, what it does) */
#define AARD__HARDENING_MAP(X)                                                                                         \
    X(AARD__HARDEN_PRIVILEGES, "no_new_privileges", "no program that it could start has more rights")                  \
    X(AARD__HARDEN_LIMITS, "limits", "no core dumps, locked memory or message queues; few descriptors")                \
    X(AARD__HARDEN_PARENT, "parent_death", "ends with its host")                                                       \
    X(AARD__HARDEN_DESCRIPTORS, "descriptors", "none but its socket, /dev/null and what tells of its own memory")      \
    X(AARD__HARDEN_ENVIRONMENT, "environment", "no variables")                                                         \
    X(AARD__HARDEN_CAPABILITIES, "capabilities", "none of root's rights")                                              \
    X(AARD__HARDEN_DUMPABLE, "not_dumpable", "nobody of the same user traces it or reads its memory")                  \
    X(AARD__HARDEN_SECCOMP, "seccomp", "a system call that is not on the list ends it")                                \
    X(AARD__HARDEN_USER, "user_namespace", "it is no user of the machine's")                                           \
    X(AARD__HARDEN_NETWORK, "network_namespace", "no network, not even loopback")                                      \
    X(AARD__HARDEN_IPC, "ipc_namespace", "no shared memory or queues of others")                                       \
    X(AARD__HARDEN_UTS, "uts_namespace", "not the machine's name")                                                     \
    X(AARD__HARDEN_MOUNT, "mount_namespace", "the root directory is empty")                                            \
    X(AARD__HARDEN_LANDLOCK, "landlock", "no file, no TCP connection, no signal to others")

typedef enum aard__hardening_bit {
#define X(constant, name, text) constant##_BIT,
    AARD__HARDENING_MAP(X)
#undef X
        AARD__HARDENINGS
} aard__hardening_bit;

enum {
#define X(constant, name, text) constant = 1 << constant##_BIT,
    AARD__HARDENING_MAP(X)
#undef X
        AARD__HARDEN_ALL = (1 << AARD__HARDENINGS) - 1
};

const char *aard__hardening_name(size_t bit); /* NULL beyond the last */
const char *aard__hardening_text(size_t bit);

typedef struct aard__hardening aard__hardening;

/* Once, in a template with one thread.  `wanted` is a set of measures; `open_files` how many descriptors a child may have
 * (0 = 64).  *out is never freed.  Errors: busy (a call is under way), no_memory; a measure that can't be had is none. */
aard_error *aard__hardening_take(uint32_t wanted, uint32_t open_files, aard__hardening **out);

/* Once, behind that, in a template that will run code of a bundle: from now on it reads files below `readable` (up to a NULL)
 * and /proc, makes children, and nothing else.  Children have that as well, beside their own.  Errors: busy, engine. */
aard_error *aard__harden_template(aard__hardening *hardening, const char *const *readable);

/* What its children will have. */
uint32_t aard__hardening_measures(const aard__hardening *hardening);

/* Once, in a child, before it reads anything of anybody.  `socket` is the only descriptor of the caller's that stays.
 * Errors: engine (one of the measures failed, which one is told: the child has to end). */
aard_error *aard__harden_child(aard__hardening *hardening, int socket);

#endif
