#include "base/thread.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>

int aard__thread_start(pthread_t *out, void *(*run)(void *user), void *user)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread has its maker's mask */
    int failed = pthread_create(out, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static atomic_bool forked;

static void in_child(void) { atomic_store(&forked, true); }

void aard__forks_watch(void) { pthread_atfork(NULL, NULL, in_child); }

bool aard__forked(void) { return atomic_load_explicit(&forked, memory_order_relaxed); }

aard_error *aard__error_forked(void)
{
    return aard__error(AARD_ERR_FORKED, "this process was forked off from one with isolates, whose threads it does not have; "
                                        "make isolates after the fork, or start another program");
}

void aard__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}
