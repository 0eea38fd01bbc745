/* What of a process's state is the process's as a whole, and what a fork does about it.
 *
 * Every variable that outlives a call and belongs to no object stands in one entry of the register, beside where it is
 * defined (AARD__PROCESS_STATE).  tests/test_process_state.sh compares the register with the objects of the build.
 *
 * Two kinds of processes fork:
 * - A host does, by accident or not.  Its child lacks the threads of the library, so that every function that needs them gives
 *   the error `forked` there.
 * - A template does (aard__process_become_template, before the engine starts): a process that has guests, and forks children
 *   in which they go on, by aard__process_fork.  Before the fork the threads of the library end; they start again where
 *   they are needed, in either process.  In the child each entry is made its own.
 *
 *     aard__engine_start_template();             // before anything else of the library
 *     aard_isolate_new(config, &isolate);        // boot, load, warm up with a call
 *     for (;;) {                                 // no call under way, one thread
 *         pid_t child;
 *         error = aard__process_fork(&child);
 *         if (!error && !child) {                // aard__process_generation() is one more here
 *             aard__process_harden(…);
 *             …calls, resets, captures, as in any process…
 *             _exit(0);
 *         }
 *     }
 *
 * A guest that was booted before the fork is made anew as far as it must be (random numbers, clocks) by the next entry into it,
 * so that an empty call in a child that waits takes that off the first real one. */
#ifndef AARD_BASE_PROCESS_H
#define AARD_BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a forked child does about it.  X(constant, name) */
#define AARD__FORK_RULES(X)                                                                                            \
    X(AARD__FORK_KEEP, "keep")       /* as it is: constant by then, or right in both */                                \
    X(AARD__FORK_RESET, "reset")     /* begins anew */                                                                 \
    X(AARD__FORK_REOPEN, "reopen")   /* is opened again: it would tell of the parent */                                \
    X(AARD__FORK_QUIESCE, "quiesce") /* ends before the fork, and starts again on demand in both */                    \
    X(AARD__FORK_FORBID, "forbid")   /* may not be there: no fork then */

typedef enum aard__fork_rule {
#define X(constant, name) constant,
    AARD__FORK_RULES(X)
#undef X
} aard__fork_rule;

typedef struct aard__process_state {
    const char *name;      /* what it is, for people */
    const char *variables; /* as in the source, separated by blanks */
    aard__fork_rule rule;
    aard_error *(*prepare)(void); /* before the fork; an error refuses it; may be NULL */
    void (*renew)(void);          /* in the child of a template; may be NULL */
    int (*descriptor)(void);      /* what it has open, or -1; NULL = nothing ever */
} aard__process_state;

/* Adds an entry: AARD__PROCESS_STATE(id, name, variables, rule, prepare, renew, descriptor).  At file scope, once a subject. */
#define AARD__PROCESS_STATE(id, ...)                                                                                   \
    static const aard__process_state aard__process_##id = {__VA_ARGS__};                                               \
    __attribute__((section("aard_process"),                                                                            \
                   used)) static const aard__process_state *const aard__process_entry_##id = &aard__process_##id

/* The same for what stays as it is. */
#define AARD__PROCESS_KEEPS(id, name, variables)                                                                       \
    AARD__PROCESS_STATE(id, name, variables, AARD__FORK_KEEP, NULL, NULL, NULL)

/* Entry `index` of the register; NULL beyond the last. */
const aard__process_state *aard__process_state_at(size_t index);

/* Whether this process was forked off, not by aard__process_fork, from one that called aard__forks_watch. */
void aard__forks_watch(void); /* a second time is fine */
bool aard__forked(void);

/* The error for what can't be done then. */
aard_error *aard__error_forked(void);

/* Opts in to aard__process_fork.  aard__engine_start_template calls it: what the engine has allocated before is not inherited. */
void aard__process_become_template(void);
bool aard__process_is_template(void);

/* Forks a template (or a child of one).  *child is 0 in the child.  By the thread that entered guests, no guest entered and no
 * other thread of the caller's alive.  Errors: unsupported (no template), busy (what may not be there), thread (fork failed);
 * there is no child then. */
aard_error *aard__process_fork(pid_t *child);

/* The first part of that: what would not survive a fork is ended, and the process has the caller's thread only.  Errors: busy. */
aard_error *aard__process_quiesce(void);

/* How many forks of that kind lie between this process and the one that started. */
unsigned aard__process_generation(void);

#ifdef __cplusplus
}
#endif

#endif
