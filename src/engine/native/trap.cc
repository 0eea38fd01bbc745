// Faults of guests: at the end of their stack (force.cc), and of WebAssembly code.  V8 leaves out the check before each access to
// a guest's memory, and puts the memory between pages that can't be touched: an access outside of it is a SIGSEGV, which has
// to become an exception of the guest's.
#include "engine/native/trap.hh"

#include <sys/resource.h>
#include <v8.h>

#include <atomic>
#include <new>

#include "base/process.h"

namespace v8 {
V8_EXPORT bool TryHandleWebAssemblyTrapPosix(int signal, siginfo_t *info,
                                             void *context); // v8-wasm-trap-handler-posix.h
}

namespace {

// The host's handlers, the one that gets what is not ours first.  A host changes them rarely: what was is kept, since
// a thread may be in the middle of reading it.
struct Handler {
    struct sigaction action;
    const Handler *older;
};

std::atomic<const Handler *> before{nullptr};
std::atomic<bool> installed{false};
thread_local bool handed_on;
bool (*stack_ended)(const siginfo_t *info, const void *context);

void on_fault(int signal, siginfo_t *info, void *context)
{
    if (v8::TryHandleWebAssemblyTrapPosix(signal, info, context) || stack_ended(info, context)) return;
    const struct sigaction *next = &before.load()->action;
    // A handler of the host's that came after ours has put ours back, and sends the signal again to have the process ended.
    bool again = handed_on && info->si_code <= 0;
    handed_on = true;
    if (!again && next->sa_flags & SA_SIGINFO) {
        next->sa_sigaction(signal, info, context);
    } else if (!again && next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN) {
        next->sa_handler(signal);
    } else { // the process ends as it would without us: by the same instruction, or by the same signal, sent again
        std::signal(signal, SIG_DFL);
        if (info->si_code <= 0) std::raise(signal);
    }
}

bool is_ours(const struct sigaction &action) { return action.sa_flags & SA_SIGINFO && action.sa_sigaction == on_fault; }

bool is_same(const struct sigaction &one, const struct sigaction &other)
{
    return one.sa_flags == other.sa_flags && one.sa_handler == other.sa_handler;
}

// What is there goes behind ours.
bool put_first(const struct sigaction &now)
{
    const Handler *known = before.load();
    if (!known || !is_same(known->action, now)) {
        auto *copy = new (std::nothrow) Handler{now, known};
        if (!copy) return false;
        before.store(copy);
    }
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    return !sigaction(SIGSEGV, &action, nullptr);
}

} // namespace

namespace aard {

bool handle_faults(bool (*ended)(const siginfo_t *info, const void *context))
{
    stack_ended = ended;
    struct sigaction now;
    if (!sigaction(SIGSEGV, nullptr, &now)) installed = put_first(now);
    return installed;
}

bool handle_traps()
{
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) || space.rlim_cur != RLIM_INFINITY) return false; // a guest takes 10 GiB of it
    return v8::V8::EnableWebAssemblyTrapHandler(false);
}

void keep_faults()
{
    struct sigaction now;
    handed_on = false;
    if (installed && !sigaction(SIGSEGV, nullptr, &now) && !is_ours(now)) put_first(now);
}

} // namespace aard

AARD__PROCESS_KEEPS(trap, "the handler of SIGSEGV, and the one before", "before installed stack_ended");
