// The handler of SIGSEGV.
#ifndef AARD_ENGINE_NATIVE_TRAP_HH
#define AARD_ENGINE_NATIVE_TRAP_HH

#include <csignal>

namespace aard {

// Once, before any guest runs; false where it can't be installed.  `stack_ended` tells, in the handler, whether that was a run's stack
// that ended, and the run goes on or has been left.
bool handle_faults(bool (*stack_ended)(const siginfo_t *info, const void *context));
// Then, before V8 is initialized: compiled code does without bounds checks from then on; false where it can't.
bool handle_traps();
void keep_faults(); // puts our handler before one that the host has installed since

} // namespace aard

#endif
