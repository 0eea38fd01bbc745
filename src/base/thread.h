/* Threads that are the library's own: they take none of the host's signals. */
#ifndef AARD_BASE_THREAD_H
#define AARD_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a thread that is to be joined, or detached; 0 or what errno would say. */
int aard__thread_start(pthread_t *out, void *(*run)(void *user), void *user);

/* A condition whose timed waits go by aard__clock_monotonic. */
void aard__cond_init(pthread_cond_t *cond);

/* Whether this process was forked off from the one that called aard__forks_watch: the threads of that one are not in it. */
void aard__forks_watch(void); /* once */
bool aard__forked(void);

/* The error for what can't be done then. */
aard_error *aard__error_forked(void);

#ifdef __cplusplus
}
#endif

#endif
