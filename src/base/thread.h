/* Threads that are the library's own: they take none of the host's signals. */
#ifndef AARD_BASE_THREAD_H
#define AARD_BASE_THREAD_H

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a thread that is to be joined, or detached; 0 or what errno would say. */
int aard__thread_start(pthread_t *out, void *(*run)(void *user), void *user);

/* A condition whose timed waits go by aard__clock_monotonic. */
void aard__cond_init(pthread_cond_t *cond);

#ifdef __cplusplus
}
#endif

#endif
