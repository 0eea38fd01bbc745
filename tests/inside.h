/* A look inside an isolate, for the few tests that need it. */
#ifndef AARD_TESTS_INSIDE_H
#define AARD_TESTS_INSIDE_H

#include "isolate/in_thread.h"
#include "isolate/isolate_impl.h"
#include "worker/worker_impl.h"

static inline aard__worker *worker_of(const aard_isolate *isolate) { return aard__in_thread_worker(isolate->executor); }

#endif
