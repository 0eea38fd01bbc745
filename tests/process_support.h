/* What the tests of guests in processes share: which processes there are, and calls that go on meanwhile. */
#ifndef AARD_TESTS_PROCESS_SUPPORT_H
#define AARD_TESTS_PROCESS_SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "isolate_support.h"

aard_isolate_config *process_config(aard_language language, aard_cleanup cleanup);

/* Processes whose parent is `parent`, those that are zombies apart; at most `most`. */
size_t children_of(pid_t parent, pid_t *list, size_t most);
size_t zombies_of(pid_t parent);
/* The templates of this process have `count` children in all, once they are as many: those in `list`. */
void guests_are_at(test_place here, pid_t *list, size_t count);
#define guests_are(list, count) guests_are_at(HERE, list, count)
pid_t the_guest(void);    /* there is one */
pid_t the_busy_one(void); /* of those that there are */
pid_t the_template(void); /* that has it */

/* Whether the process is gone, or a zombie, within that time. */
bool ends_within(pid_t pid, double ms);
void kill_and_wait(pid_t pid);
size_t descriptors(void); /* that are open */

/* A call in a thread of its own, which goes on once the guest has written something. */
typedef struct running {
    aard_isolate *isolate;
    const char *code;
    const aard_call *call;
    aard_outcome *outcome;
    pthread_t thread;
} running;

/* For the configuration of the isolate: counts what guests write. */
void count_output(aard_isolate_config *config);
void begin_call(running *run, aard_isolate *isolate, const char *code, const aard_call *call); /* waits for output */
aard_outcome *end_call(running *run);

/* The test program runs itself with an argument: gives its exit status as waitpid does, or its pid with `pid`. */
int run_as(const char *role, pid_t *pid);

#endif
