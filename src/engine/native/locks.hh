// How many locks of V8's and of ICU's the calling thread holds, things that are being made once included.
#ifndef AARD_ENGINE_NATIVE_LOCKS_HH
#define AARD_ENGINE_NATIVE_LOCKS_HH

#include <atomic>

namespace aard {

extern thread_local std::atomic<int> locks_held __attribute__((tls_model("initial-exec")));
void count_locks(); // once they are redirected

} // namespace aard

#endif
