// Leaving a run that V8 can't end: a builtin that neither calls anything, nor allocates, nor looks whether it was ended; and
// one that has used up its stack.  A signal interrupts it, and the run is left from there if nothing is held.
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/process.h"
#include "engine/native/sanitizers.hh"
#include "engine/vm.hh"

namespace {

struct Range {
    uintptr_t start, end;
};

Range code; // V8's

constexpr size_t kMostLibraries = 8;
Range others[kMostLibraries]; // ICU's, which V8 hands whole strings to, and the C library's, which both do
size_t others_count;

bool holds(const Range &range, uintptr_t at) { return at >= range.start && at < range.end; }

bool is_other(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return !strncmp(name, "libicu", 6) || !strncmp(name, "libc.so", 7);
}

int find_code(dl_phdr_info *info, size_t, void *)
{
    auto here = reinterpret_cast<uintptr_t>(&v8::V8::GetVersion);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &part = info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part.p_vaddr;
        if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
        Range range = {start, start + part.p_memsz};
        if (holds(range, here)) code = range;
        if (is_other(info->dlpi_name) && others_count < kMostLibraries) others[others_count++] = range;
    }
    return 0;
}

struct Place {
    uintptr_t at, stack;
};

Place place(const void *context)
{
    auto *from = static_cast<const ucontext_t *>(context);
#if defined(__x86_64__)
    return {static_cast<uintptr_t>(from->uc_mcontext.gregs[REG_RIP]),
            static_cast<uintptr_t>(from->uc_mcontext.gregs[REG_RSP])};
#elif defined(__aarch64__)
    return {from->uc_mcontext.pc, from->uc_mcontext.sp};
#else
    (void)from;
    return {0, 0};
#endif
}

bool in_others(uintptr_t at)
{
    for (size_t i = 0; i < others_count; i++)
        if (holds(others[i], at)) return true;
    return false;
}

// Code that V8 has made, and the builtins that were made so when V8 was built: it calls into C++ for whatever needs a lock, and
// for whatever is not done in one step.
bool in_made_code(v8::Isolate *isolate, uintptr_t at)
{
    constexpr size_t kMostPages = v8::Isolate::kMinCodePagesBufferSize;
    v8::MemoryRange pages[kMostPages];
    size_t count = std::min(isolate->CopyCodePages(kMostPages, pages), kMostPages); // may be called here
    for (size_t i = 0; i < count; i++)
        if (at - reinterpret_cast<uintptr_t>(pages[i].start) < pages[i].length_in_bytes) return true;
    return false;
}

// In C++ a run is left only after this has been tried for so long, of processor time: most of what takes long there comes to an
// end, and the script with it, so that nothing is lost.  ICU has moments in which others wait for
// it that nothing tells of, such as the first use of some of its data: where as many signals in a row have found it at work
// it has functions that take for ever, since a builtin that called it again and again would have been met in V8's code.
constexpr uint64_t kReading = 50 * 1000000, kInEngine = 250 * 1000000, kInOthers = 500 * 1000000;
constexpr unsigned kSeenInOthers = 50;

bool has_lasted(aard__vm *vm, uintptr_t at)
{
    bool there = in_others(at);
    vm->seen_in_others = there ? vm->seen_in_others + 1 : 0;
    uint64_t lasted = aard__clock_thread_cpu() - vm->forced_at;
    if (vm->reading) return (there || holds(code, at)) && lasted > kReading;
    if (there) return vm->seen_in_others >= kSeenInOthers && lasted > kInOthers;
    return holds(code, at) && lasted > kInEngine;
}

[[noreturn]] void leave(aard__vm *vm, const void *context)
{
    vm->abandoned = true;
    pthread_sigmask(SIG_SETMASK, &static_cast<const ucontext_t *>(context)->uc_sigmask, nullptr);
    vm->run->leave();
}

// Of a run under way, wherever it is: the next signal may find it in a better place.
void on_signal(int, siginfo_t *, void *context)
{
    aard__vm *vm = aard::running;
    if (vm) vm->signalled.store(false);
    if (!vm || !vm->forced.load() || !vm->ended.load() || vm->collecting) return;
    Place here = place(context);
    if (!vm->run->has(here.stack) || !aard::holds_nothing(vm)) return;
    if (!vm->forced_at) vm->forced_at = aard__clock_thread_cpu();
    bool made = in_made_code(vm->isolate, here.at);
    if (!made && !has_lasted(vm, here.at)) return;
    vm->unfreeable = (!made && !vm->reading) || vm->tasks;
    leave(vm, context);
}

int the_signal;
pthread_once_t once = PTHREAD_ONCE_INIT;

// The highest that nobody uses.
void install()
{
#ifdef AARD_TSAN
    return; // it delivers signals elsewhere than where they come
#endif
    if (!code.end) return;
    for (int number = SIGRTMAX; number >= SIGRTMIN; number--) {
        struct sigaction now;
        if (sigaction(number, nullptr, &now) || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours = {};
        ours.sa_sigaction = on_signal;
        ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        if (sigaction(number, &ours, nullptr) == 0) the_signal = number;
        return;
    }
}

// ---- stacks for signals --------------------------------------------------------------------------------------------------

constexpr size_t kSignalStack = 64 * 1024;
pthread_key_t signal_stack_key;
bool has_key;

void free_signal_stack(void *mine)
{
    stack_t now;
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    if (!sigaltstack(nullptr, &now) && now.ss_sp == mine) sigaltstack(&none, nullptr);
    munmap(mine, kSignalStack);
}

} // namespace

namespace aard {

void find_engine()
{
    dl_iterate_phdr(find_code, nullptr);
    has_key = !pthread_key_create(&signal_stack_key, free_signal_stack);
}

// A thread that has such a stack keeps its own; another gets one until it ends.  Looked at before each run: a host may take its
// stack away between two.
stack_t prepare_thread()
{
    stack_t now = {}, ours = {};
    if (!has_key || sigaltstack(nullptr, &now) || !(now.ss_flags & SS_DISABLE)) return now;
    void *kept = pthread_getspecific(signal_stack_key), *made = kept;
    if (!kept) made = mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) return now;
    ours.ss_sp = made;
    ours.ss_size = kSignalStack;
    if (!sigaltstack(&ours, nullptr)) {
        if (kept || !pthread_setspecific(signal_stack_key, made)) return ours;
        sigaltstack(&now, nullptr);
    }
    if (!kept) munmap(made, kSignalStack);
    return now;
}

// A run that a signal handler has left never came back from it: of a stack with SS_AUTODISARM the thread has none then.
void keep_signal_stack(const stack_t &before)
{
    stack_t now;
    if (!sigaltstack(nullptr, &now) && now.ss_flags & SS_DISABLE) sigaltstack(&before, nullptr);
}

// V8 and ICU have recursions that never look how deep they are.  At first there is more stack, and the run is left where it
// next takes memory, so that its vm can be freed.  At the end of that it is left as it is.
bool stack_ended(const siginfo_t *info, const void *context)
{
    aard__vm *vm = aard::running;
    auto at = reinterpret_cast<uintptr_t>(info->si_addr);
    if (!vm || info->si_code <= 0 || !vm->run->has(at) || at >= vm->run->floor()) return false;
    if (vm->run->extend(at)) {
        vm->overflowed = true;
        return true;
    }
    if (vm->collecting || !holds_nothing(vm) || !holds(code, place(context).at)) return false;
    vm->heap_full.store(true);
    vm->unfreeable = true;
    leave(vm, context);
}

} // namespace aard

extern "C" void aard__vm_force(aard__vm *vm)
{
    pthread_once(&once, install);
    pthread_t thread = vm->thread.load();
    if (!the_signal || !thread) return;
    vm->forced.store(true);
    // A thread that waits for a processor would be sent a lot of them, which all come at once then.
    if (!vm->signalled.exchange(true)) pthread_kill(thread, the_signal);
}

AARD__PROCESS_KEEPS(forces, "the real-time signal, and where V8's code is",
                    "code has_key once others others_count signal_stack_key the_signal");
