#include "engine/native/stack.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/process.h"
#include "engine/native/sanitizers.hh"

// aard__stack_switch(save, to): keeps what a called function must keep on the stack at hand, its place in *save, and goes
// on where another stack was left; a new one begins with aard__stack_begin, which calls r12/x19 with r13/x20.
extern "C" void aard__stack_switch(void **save, void *to);
extern "C" void aard__stack_begin(void);

#if defined(__x86_64__)
asm(R"(
    .text
    .globl aard__stack_switch
    .hidden aard__stack_switch
    .type aard__stack_switch, @function
    .p2align 4
aard__stack_switch:
    .cfi_startproc
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size aard__stack_switch, . - aard__stack_switch

    .globl aard__stack_begin
    .hidden aard__stack_begin
    .type aard__stack_begin, @function
    .p2align 4
aard__stack_begin:
    .cfi_startproc
    .cfi_undefined rip
    endbr64
    movq %r13, %rdi
    callq *%r12
    ud2
    .cfi_endproc
    .size aard__stack_begin, . - aard__stack_begin
)");
#elif defined(__aarch64__)
asm(R"(
    .text
    .globl aard__stack_switch
    .hidden aard__stack_switch
    .type aard__stack_switch, %function
    .p2align 4
aard__stack_switch:
    .cfi_startproc
    hint #34
    sub sp, sp, #176
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mrs x2, fpcr
    str x2, [sp, #160]
    mov x2, sp
    str x2, [x0]
    mov sp, x1
    ldr x2, [sp, #160]
    msr fpcr, x2
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    ret
    .cfi_endproc
    .size aard__stack_switch, . - aard__stack_switch

    .globl aard__stack_begin
    .hidden aard__stack_begin
    .type aard__stack_begin, %function
    .p2align 4
aard__stack_begin:
    .cfi_startproc
    .cfi_undefined x30
    hint #36
    mov x0, x20
    blr x19
    brk #1
    .cfi_endproc
    .size aard__stack_begin, . - aard__stack_begin
)");
#else
#error "switching stacks is written for x86-64 and AArch64 only"
#endif

namespace {

// Where a new stack goes on: at `begin`, which is called with `user`.
void *prepare(const aard::Stack &stack, void (*begin)(void *), void *user)
{
    char *top = stack.top();
#if defined(__x86_64__)
    void **at = reinterpret_cast<void **>(top - 128);
    uint32_t mxcsr;
    uint16_t word;
    asm volatile("stmxcsr %0" : "=m"(mxcsr));
    asm volatile("fnstcw %0" : "=m"(word));
    memset(at, 0, 128);
    memcpy(at, &mxcsr, sizeof mxcsr);
    memcpy(reinterpret_cast<char *>(at) + 4, &word, sizeof word);
    at[3] = user; // r13; the order is that of the pops
    at[4] = reinterpret_cast<void *>(begin);
    at[7] = reinterpret_cast<void *>(aard__stack_begin);
    return at;
#elif defined(__aarch64__)
    void **at = reinterpret_cast<void **>(top - 176);
    memset(at, 0, 176);
    at[0] = reinterpret_cast<void *>(begin);
    at[1] = user;
    at[11] = reinterpret_cast<void *>(aard__stack_begin);
    uint64_t fpcr;
    asm volatile("mrs %0, fpcr" : "=r"(fpcr));
    memcpy(at + 20, &fpcr, sizeof fpcr);
    return at;
#endif
}

// ---- stacks that are free: the last one given back is the first to go, still warm ----------------------------------------

constexpr size_t kMostFree = 64;
constexpr size_t kDeep = 512 * 1024; // what a usual call never needs

std::mutex pool_lock;
struct {
    char *free[kMostFree];
    size_t count;
} pools[2]; // of either size

constexpr size_t kBelow = aard::kStackExtension + aard::kStackGuard;

auto &pool_of(size_t size) { return pools[size == aard::kDeepStackSize]; }

char *take(size_t size)
{
    {
        std::lock_guard<std::mutex> hold(pool_lock);
        auto &pool = pool_of(size);
        if (pool.count) return pool.free[--pool.count];
    }
    void *made = mmap(nullptr, size + kBelow, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1,
                      0);
    if (made == MAP_FAILED) return nullptr;
    char *floor = static_cast<char *>(made) + kBelow;
    if (!mprotect(floor, size, PROT_READ | PROT_WRITE)) return floor;
    munmap(made, size + kBelow);
    return nullptr;
}

void unmap(const aard::Stack &stack) { munmap(stack.floor - kBelow, stack.size + kBelow); }

// A guest that went deep must not make the process keep all of its stack.
void trim(const aard::Stack &stack)
{
    static const char zeros[256] = {};
    const char *mark = stack.top() - kDeep;
    bool deep = false;
    for (size_t back = 0; back < 4 && !deep; back++) deep = memcmp(mark - back * 1024, zeros, sizeof zeros) != 0;
    if (deep) madvise(stack.floor, stack.size - kDeep / 2, MADV_DONTNEED);
}

void give_back(const aard::Stack &stack)
{
#ifdef AARD_ASAN
    __asan_unpoison_memory_region(stack.floor, stack.size); // frames that were left took nothing back
#endif
    if (stack.extended) return unmap(stack);
    trim(stack);
    {
        std::lock_guard<std::mutex> hold(pool_lock);
        auto &pool = pool_of(stack.size);
        if (pool.count < kMostFree) {
            pool.free[pool.count++] = stack.floor;
            return;
        }
    }
    unmap(stack);
}

} // namespace

namespace aard {

bool Run::take_stack(bool deep)
{
    size_t size = deep ? kDeepStackSize : kStackSize;
    stack_ = {take(size), size, false};
    return stack_.floor != nullptr;
}

Stack Run::take_away_stack()
{
    Stack stack = stack_;
    stack_ = {};
    return stack;
}

void Run::give_back(Stack stack)
{
    if (stack.floor) ::give_back(stack);
}

bool Run::extend(uintptr_t at)
{
    if (stack_.extended || floor() - at > kStackExtension) return false;
    stack_.extended = true;
    return !mprotect(stack_.floor - kStackExtension, kStackExtension, PROT_READ | PROT_WRITE);
}

void Run::enter(void *user)
{
    auto *run = static_cast<Run *>(user);
#ifdef AARD_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &run->host_bottom_, &run->host_size_);
#endif
    run->work_(run->user_);
    run->over_ = true;
    run->to_host();
    abort(); // nobody goes on with a run that is over
}

// From the guest's stack to the host's.
void Run::to_host()
{
#ifdef AARD_ASAN
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(over_ || left_ ? nullptr : &fake, host_bottom_, host_size_);
#endif
#ifdef AARD_TSAN
    __tsan_switch_to_fiber(host_fiber_, 0);
#endif
    aard__stack_switch(&guest_at_, host_at_);
#ifdef AARD_ASAN
    __sanitizer_finish_switch_fiber(fake, &host_bottom_, &host_size_);
#endif
}

void Run::to_guest()
{
#ifdef AARD_ASAN
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, stack_.floor, stack_.size);
#endif
#ifdef AARD_TSAN
    __tsan_switch_to_fiber(guest_fiber_, 0);
#endif
    aard__stack_switch(&host_at_, guest_at_);
#ifdef AARD_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

bool Run::start()
{
#ifdef AARD_TSAN
    host_fiber_ = __tsan_get_current_fiber();
    guest_fiber_ = __tsan_create_fiber(0);
#endif
    guest_at_ = prepare(stack_, enter, this);
    for (;;) {
        to_guest();
        if (over_ || left_) break;
        host_(host_user_);
    }
#ifdef AARD_TSAN
    __tsan_destroy_fiber(guest_fiber_);
#endif
    return !left_;
}

void Run::call_host(void (*host)(void *), void *user)
{
    host_ = host;
    host_user_ = user;
    to_host();
}

void Run::leave()
{
    left_ = true;
    to_host();
    abort();
}

} // namespace aard

AARD__PROCESS_KEEPS(stacks, "stacks that are free", "pool_lock pools");
