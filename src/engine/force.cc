// Leaving a run that V8 can't end: a builtin that neither calls anything, nor allocates, nor looks whether it was ended.
// A signal interrupts it, and the run is left from there.
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "engine/sanitizers.hh"
#include "engine/vm.hh"

namespace {

struct Range {
    uintptr_t start, end;
};

Range code; // V8's

constexpr size_t kMostLibraries = 4;
Range unicode[kMostLibraries]; // ICU's, which V8 hands whole strings to
size_t unicode_count;

bool holds(const Range &range, uintptr_t at) { return at >= range.start && at < range.end; }

bool is_unicode(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !strncmp(slash ? slash + 1 : path, "libicu", 6);
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
        if (is_unicode(info->dlpi_name) && unicode_count < kMostLibraries) unicode[unicode_count++] = range;
    }
    return 0;
}

uintptr_t place(const void *context)
{
    auto *at = static_cast<const ucontext_t *>(context);
#if defined(__x86_64__)
    return static_cast<uintptr_t>(at->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return at->uc_mcontext.pc;
#else
    (void)at;
    return 0;
#endif
}

bool in_unicode(uintptr_t at)
{
    for (size_t i = 0; i < unicode_count; i++)
        if (holds(unicode[i], at)) return true;
    return false;
}

// ICU has locks, which it holds for moments only, and functions that take the square of a string's length.  Where as many
// signals in a row have found it at work it is in such a function: a builtin that called it again and again would have been
// met in V8's code.
constexpr unsigned kInUnicode = 50;

// On the stack of the run, if it is one.  In V8's own code nothing of the C library's is under way, whose locks would stay
// taken; elsewhere the next signal finds it in a better place.
void on_signal(int, siginfo_t *, void *context)
{
    aard__vm *vm = aard::running;
    if (!vm || !vm->forced.load() || !vm->ended.load() || vm->collecting || !vm->run->is_on_stack()) return;
    uintptr_t at = place(context);
    if (!holds(code, at) && (!in_unicode(at) || ++vm->seen_in_unicode < kInUnicode)) return;
    vm->lost = vm->beyond_help = true;
    vm->run->leave();
}

int the_signal;
pthread_once_t once = PTHREAD_ONCE_INIT;

// The highest that nobody uses.  It is not blocked while it is handled: the handler does not return.
void install()
{
#ifdef AARD_TSAN
    return; // it delivers signals elsewhere than where they come
#endif
    dl_iterate_phdr(find_code, nullptr);
    if (!code.end) return;
    for (int number = SIGRTMAX; number >= SIGRTMIN; number--) {
        struct sigaction now;
        if (sigaction(number, nullptr, &now) || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours = {};
        ours.sa_sigaction = on_signal;
        ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
        if (sigaction(number, &ours, nullptr) == 0) the_signal = number;
        return;
    }
}

} // namespace

extern "C" void aard__vm_force(aard__vm *vm)
{
    pthread_once(&once, install);
    pthread_t thread = vm->thread.load();
    if (!the_signal || !thread) return;
    vm->forced.store(true);
    pthread_kill(thread, the_signal);
}
