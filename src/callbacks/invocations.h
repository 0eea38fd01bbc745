/* The invocations of one call: begun by its guest, answered by the host from any thread, taken by the guest.
 *
 * All functions belong to the thread that makes the call.  What the host holds of an invocation may outlive all of this:
 * once the call has ended, its answers are dropped. */
#ifndef AARD_CALLBACKS_INVOCATIONS_H
#define AARD_CALLBACKS_INVOCATIONS_H

#include "callbacks/callbacks.h"
#include "outcome/ledger.h"

typedef struct aard__invocations aard__invocations;

typedef struct aard__invocations_options {
    const aard__callbacks *callbacks; /* all pointers outlive the call */
    const aard__callback_limits *limits;
    const aard_call_context *context;
    aard__ledger *ledger;
    void (*wake)(void *user); /* an answer has come: on the thread of who gave it, quick; never after the end */
    void *user;
} aard__invocations_options;

/* Errors: no_memory. */
aard_error *aard__invocations_new(const aard__invocations_options *options, aard__invocations **out);
/* The call has ended: what is under way is over.  NULL is fine. */
void aard__invocations_end(aard__invocations *invocations);

typedef struct aard__invocation_answer {
    uint32_t id;
    bool failed;
    aard__buf type; /* of an error */
    aard__buf text; /* JSON, or an error's message */
} aard__invocation_answer;

/* Answers with a failure of another process, whose texts have a length. */
void aard__invocation_fail_as(aard_invocation *invocation, const aard__invocation_answer *failed);

void aard__invocation_answer_free(aard__invocation_answer *answer);

typedef struct aard__invocation_start {
    uint32_t id;      /* 0 = the next one; else above all before */
    const char *name; /* all are borrowed */
    size_t name_len;
    const char *arguments;
    size_t len;
} aard__invocation_start;

/* Begins one and calls the host's function.  Its number; 0 where memory is out.  What is refused (an unknown name, arguments
 * that don't fit, a limit) is answered at once. */
uint32_t aard__invocations_start(aard__invocations *invocations, const aard__invocation_start *what);

/* The host's function has not returned: it threw.  The number that aard__invocations_start has not given. */
uint32_t aard__invocations_threw(aard__invocations *invocations);

/* Whether there is an answer to number `id` (0 = any) to be taken. */
bool aard__invocations_ready(aard__invocations *invocations, uint32_t id);
/* Whether the guest waits for any, or has one to take. */
bool aard__invocations_busy(const aard__invocations *invocations);
/* The answer of number `id` (0 = any, the oldest first), moved into `*out`; false while there is none. */
bool aard__invocations_take(aard__invocations *invocations, uint32_t id, aard__invocation_answer *out);
/* Whether the guest may still get an answer to that number. */
bool aard__invocations_has(const aard__invocations *invocations, uint32_t id);
/* The guest does not want it any more.  Of none: nothing. */
void aard__invocations_drop(aard__invocations *invocations, uint32_t id);

/* Answers those whose time is over; when the next one's is, by aard__clock_monotonic, UINT64_MAX = never. */
uint64_t aard__invocations_expire(aard__invocations *invocations, uint64_t now);

/* How many there were, and for how many nanoseconds the host had any to answer. */
void aard__invocations_measure(const aard__invocations *invocations, uint64_t *count, uint64_t *ns);

#endif
