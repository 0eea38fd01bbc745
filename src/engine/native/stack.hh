// Stacks that guests run on, so that a call can be left wherever it is: what stands on its stack stays as it is.
#ifndef AARD_ENGINE_STACK_HH
#define AARD_ENGINE_STACK_HH

#include <cstddef>
#include <cstdint>

namespace aard {

// Address space; memory only as far as it is used.  Below what V8 lets a guest use there is room for C++, V8's own first of
// all, some of which never looks how deep it is; what goes beyond that too is seen, and let go on until it can be left.
constexpr size_t kStackReserve = 2 << 20;
constexpr size_t kStackSize = (8 << 20) + kStackReserve;
constexpr size_t kDeepStackSize = (64 << 20) +
                                  kStackReserve; // of guests that are C code, which limits itself by other means
constexpr size_t kStackExtension = 48 << 20;     // below that, not accessible at first
constexpr size_t kStackGuard = 1 << 20;          // below that, never accessible; wider than any frame

struct Stack {
    char *floor; // null = none
    size_t size; // one of the two above
    bool extended;

    char *top() const { return floor + size; }
};

// One run of `work` on a stack that belongs to nobody else meanwhile.  Runs nest: a run's host work may start another.
class Run {
  public:
    Run(void (*work)(void *), void *user) : work_(work), user_(user) {}
    Run(const Run &) = delete;
    Run &operator=(const Run &) = delete;

    bool take_stack(bool deep); // false when there is no memory for one
    // On the stack of the run; gives false where that was left by leave().
    bool start();
    Stack take_away_stack();            // the run's is somebody else's then
    static void give_back(Stack stack); // for others to use

    bool has(uintptr_t at) const { return has(stack_, at); } // whether that is on the stack, or just below
    static bool has(const Stack &stack, uintptr_t at)
    {
        return at - reinterpret_cast<uintptr_t>(stack.floor) + kStackExtension + kStackGuard <
               stack.size + kStackExtension + kStackGuard;
    }
    uintptr_t floor() const { return reinterpret_cast<uintptr_t>(stack_.floor); }
    bool extend(uintptr_t at); // once, where `at` is in what it can be extended by; safe in a signal handler

    // From within the work: runs `host` on the stack of whoever started the run.
    void call_host(void (*host)(void *), void *user);
    // From within the work: ends the run here and now, for good.
    [[noreturn]] void leave();

  private:
    static void enter(void *run);
    void to_host();
    void to_guest();

    void (*work_)(void *);
    void *user_;
    void (*host_)(void *) = nullptr;
    void *host_user_ = nullptr;
    Stack stack_ = {};
    void *host_at_ = nullptr, *guest_at_ = nullptr; // where each of the two goes on
    bool over_ = false, left_ = false;
    void *host_fiber_ = nullptr, *guest_fiber_ = nullptr; // a sanitizer's notions of them
    const void *host_bottom_ = nullptr;
    size_t host_size_ = 0;
};

} // namespace aard

#endif
