// The threads that V8's background work is done on: compiling better code, parts of collections.  One, as V8's own platform
// would have it, but started when there is something to do, and ended before a template forks.
#ifndef AARD_ENGINE_WORKERS_HH
#define AARD_ENGINE_WORKERS_HH

#include <v8-platform.h>

#include <memory>

#include "engine/native/watch.h"

namespace aard {

// 0 where the process is to have none: whoever waits for such work does it.
int worker_count();
void set_worker_count(int count); // before V8 starts

void work_later(std::unique_ptr<v8::Task> task, double seconds = 0);

// At the end of the process: what has not begun is dropped.
void end_workers();

} // namespace aard

#endif
