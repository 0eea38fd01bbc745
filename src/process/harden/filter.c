#include "process/harden/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/harden/program_calls.h"
#include "process/harden/system_calls.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter is written for x86-64 and AArch64 only"
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define PAGEMAP_SCAN 0xc0606610u /* Linux 6.7's; older headers do not have it */
/* What the C library's threads are made with. */
#define THREAD                                                                                                         \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS |                 \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* Of an argument: those of its bits that are in `mask` are `value`.  The kernel takes them all as ints, but for pointers (POINTER),
 * and clone's flags, of which the upper half has none.  X(name, argument, mask, value) */
#define POINTER 0x100
#define FORK (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)
#define CONDITIONS(X)                                                                                                  \
    X(ALWAYS, 0, 0, 0)                                                                                                 \
    X(IS_UNKNOWN, 0, 0, 0)                                                                                             \
    X(REFUSED, 0, 0, 0)                                                                                                \
    X(FAILS, 0, 0, 0)                                                                                                  \
    X(ASKS, 2 | POINTER, UINT32_MAX, 0)                                                                                \
    X(IS_PLAIN_MEMFD, 1, ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL), 0)                                      \
    X(SEALS, 1, UINT32_MAX, F_ADD_SEALS)                                                                               \
    X(ASKS_SEALS, 1, UINT32_MAX, F_GET_SEALS)                                                                          \
    X(DUPLICATES, 1, UINT32_MAX, F_DUPFD_CLOEXEC)                                                                      \
    X(OF_DESCRIPTOR, 3, UINT32_MAX, AT_EMPTY_PATH)                                                                     \
    X(SCANS_PAGES, 1, UINT32_MAX, PAGEMAP_SCAN)                                                                        \
    X(ASKS_TERMINAL, 1, UINT32_MAX, TCGETS)                                                                            \
    X(ASKS_WINDOW, 1, UINT32_MAX, TIOCGWINSZ)                                                                          \
    X(ASKS_FLAGS, 1, UINT32_MAX, F_GETFL)                                                                              \
    X(READS, 2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY), O_RDONLY)                       \
    X(IS_FORK, 0, UINT32_MAX, FORK)                                                                                    \
    X(OF_WATCHDOG, 2, ~31, 32)                                                                                         \
    X(LAST_OF_WATCHDOG, 2, UINT32_MAX, 64)                                                                             \
    X(ABORTS, 2, UINT32_MAX, SIGABRT)                                                                                  \
    X(SETS_DEATH, 0, UINT32_MAX, PR_SET_PDEATHSIG)                                                                     \
    X(SETS_DUMPABLE, 0, UINT32_MAX, PR_SET_DUMPABLE)                                                                   \
    X(SETS_SIGNAL, 1, UINT32_MAX, F_SETSIG)                                                                            \
    X(SETS_OWNER, 1, UINT32_MAX, F_SETOWN)                                                                             \
    X(SETS_FLAGS, 1, UINT32_MAX, F_SETFL)                                                                              \
    X(IS_THREAD, 0, UINT32_MAX, THREAD)                                                                                \
    X(TO_ITSELF, 0, UINT32_MAX, 0) /* the process's number, which each child puts there */

typedef enum condition {
#define X(name, argument, mask, value) name,
    CONDITIONS(X)
#undef X
} condition;

static const struct {
    const char *name;
    uint32_t argument, mask, value;
} conditions[] = {
#define X(name, argument, mask, value) {#name, argument, (uint32_t)(mask), (uint32_t)(value)},
    CONDITIONS(X)
#undef X
};

typedef struct call {
    const char *name;
    int number;
    condition condition;
    const char *reason;
} call;

#define X(name, condition, reason) {#name, __NR_##name, condition, reason},
static const call calls[] = {AARD__SYSTEM_CALL_MAP(X)}, of_template[] = {AARD__TEMPLATE_CALL_MAP(X)},
                  of_program[] = {AARD__PROGRAM_CALL_MAP(X) AARD__OLD_PROGRAM_CALL_MAP(X)},
                  of_opener[] = {AARD__OPENER_CALL_MAP(X) AARD__OLD_OPENER_CALL_MAP(X)};
#undef X
enum { FIRST_OF_X32 = 0x40000000 }; /* numbers of another way to call the same kernel */

enum { CALLS = sizeof calls / sizeof *calls };

bool aard__system_call_at(size_t index, aard__system_call *out)
{
    if (index >= CALLS) return false;
    *out = (aard__system_call){calls[index].name, conditions[calls[index].condition].name, calls[index].reason,
                               calls[index].number};
    return true;
}

/* ---- the program --------------------------------------------------------------------------------------------- */

#define NUMBER_AT offsetof(struct seccomp_data, nr)
#define ARCHITECTURE_AT offsetof(struct seccomp_data, arch)
#define ARGUMENT_AT(i)                                                                                                 \
    (offsetof(struct seccomp_data, args) + 8 * (i)) /* the low half: both machines are little-endian */

static void add(aard__filter *filter, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    filter->code[filter->count++] = (struct sock_filter){code, yes, no, k};
}

static void load(aard__filter *filter, size_t at) { add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0); }

/* Goes on where it is, else passes over `skip`. */
static void need(aard__filter *filter, uint32_t value, uint8_t skip)
{
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

static void end(aard__filter *filter, uint32_t action) { add(filter, BPF_RET | BPF_K, action, 0, 0); }

static uint32_t action_of(condition which)
{
    if (which == IS_UNKNOWN) return SECCOMP_RET_ERRNO | ENOSYS;
    if (which == REFUSED) return SECCOMP_RET_ERRNO | EPERM;
    return which == FAILS ? SECCOMP_RET_ERRNO | EACCES : SECCOMP_RET_ALLOW;
}

static void add_call(aard__filter *filter, const call *row)
{
    condition which = row->condition;
    uint32_t number = (uint32_t)row->number, argument = conditions[which].argument & 7;
    if (!conditions[which].mask) {
        need(filter, number, 1);
        end(filter, action_of(which));
        return;
    }
    bool pointer = conditions[which].argument & POINTER;
    need(filter, number, pointer ? 7 : 5);
    if (pointer) {
        load(filter, ARGUMENT_AT(argument) + 4);
        need(filter, 0, 4);
    }
    load(filter, ARGUMENT_AT(argument));
    add(filter, BPF_ALU | BPF_AND | BPF_K, conditions[which].mask, 0, 0);
    if (which == TO_ITSELF) filter->own_pid = filter->count;
    need(filter, conditions[which].value, 1);
    end(filter, action_of(which));
    load(filter, NUMBER_AT);
}

#define KIND(rows, children, otherwise)                                                                                \
    {                                                                                                                  \
        rows, sizeof rows / sizeof *rows, children, otherwise                                                          \
    }
static const struct {
    const call *rows; /* before those of children, where there are any: the first that fits decides */
    size_t count;
    bool children;
    uint32_t otherwise;
} kinds[] = {
    [AARD__FILTER_OF_CHILDREN] = {NULL, 0, true, SECCOMP_RET_KILL_PROCESS},
    [AARD__FILTER_OF_TEMPLATES] = KIND(of_template, true, SECCOMP_RET_ERRNO | EPERM),
    [AARD__FILTER_OF_PROGRAMS] = KIND(of_program, true, SECCOMP_RET_ERRNO | EPERM),
    [AARD__FILTER_OF_OPENERS] = KIND(of_opener, false, SECCOMP_RET_ALLOW),
};

void aard__filter_make(aard__filter *filter, aard__filter_kind kind)
{
    filter->count = filter->own_pid = 0;
    load(filter, ARCHITECTURE_AT);
    need(filter, ARCHITECTURE, 1);
    add(filter, BPF_JMP | BPF_JA, 1, 0, 0);
    end(filter, SECCOMP_RET_KILL_PROCESS);
    load(filter, NUMBER_AT);
    add(filter, BPF_JMP | BPF_JGE | BPF_K, FIRST_OF_X32, 0, 1);
    end(filter, kind == AARD__FILTER_OF_CHILDREN ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < kinds[kind].count; i++) add_call(filter, &kinds[kind].rows[i]);
    for (size_t i = 0; kinds[kind].children && i < CALLS; i++) add_call(filter, &calls[i]);
    end(filter, kinds[kind].otherwise);
}

bool aard__filter_available(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return !syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

static bool install(aard__filter *filter, unsigned flags)
{
    if (filter->own_pid) filter->code[filter->own_pid].k = (uint32_t)getpid();
    struct sock_fprog program = {(unsigned short)filter->count, filter->code};
    return !syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

bool aard__filter_install(aard__filter *filter) { return install(filter, 0); }

bool aard__filter_install_everywhere(aard__filter *filter)
{
    errno = EBUSY; /* for a thread with a filter of its own, whose number is what is given then */
    return install(filter, SECCOMP_FILTER_FLAG_TSYNC);
}
