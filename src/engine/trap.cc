// Faults of WebAssembly code.  V8 leaves out the check before each access to a guest's memory, and puts the memory between
// pages that can't be touched: an access outside of it is a SIGSEGV, which has to become an exception of the guest's.
#include <sys/resource.h>

#include <csignal>

#include "engine/vm.hh"

namespace v8 {
V8_EXPORT bool TryHandleWebAssemblyTrapPosix(int signal, siginfo_t *info,
                                             void *context); // v8-wasm-trap-handler-posix.h
}

namespace {

struct sigaction before; // the host's

void on_fault(int signal, siginfo_t *info, void *context)
{
    if (v8::TryHandleWebAssemblyTrapPosix(signal, info, context)) return;
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(signal);
    } else { // the process ends as it would without us: by the same instruction, or by the same signal, sent again
        std::signal(signal, SIG_DFL);
        if (info->si_code <= 0) std::raise(signal);
    }
}

} // namespace

namespace aard {

bool handle_traps()
{
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) || space.rlim_cur != RLIM_INFINITY) return false; // a guest takes 10 GiB of it
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, nullptr, &before) || !v8::V8::EnableWebAssemblyTrapHandler(false)) return false;
    return !sigaction(SIGSEGV, &action, nullptr);
}

} // namespace aard
