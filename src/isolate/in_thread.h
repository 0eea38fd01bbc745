/* The worker behind an executor, for tests that look inside. */
#ifndef AARD_ISOLATE_IN_THREAD_H
#define AARD_ISOLATE_IN_THREAD_H

#include "isolate/executor.h"
#include "worker/worker.h"

/* NULL where the guest does not run in the host's threads. */
aard__worker *aard__in_thread_worker(const aard__executor *executor);

#endif
