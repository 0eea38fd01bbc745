// Stacks that guests run on, so that a call can be left wherever it is: what stands on its stack stays as it is.
#ifndef AARD_ENGINE_STACK_HH
#define AARD_ENGINE_STACK_HH

#include <cstddef>
#include <cstdint>

namespace aard {

constexpr size_t kStackSize = 8 * 1024 * 1024; // address space; memory only as far as it is used

// One run of `work` on a stack that belongs to nobody else meanwhile.  Runs nest: a run's host work may start another.
class Run {
  public:
    Run(void (*work)(void *), void *user) : work_(work), user_(user) {}
    Run(const Run &) = delete;
    Run &operator=(const Run &) = delete;

    bool take_stack(); // false when there is no memory for one
    // On the stack of the run; gives false where that was left by leave().
    bool start();
    void give_back_stack(); // for others to use
    void drop_stack();      // for nobody

    bool is_on_stack() const // whether the caller is
    {
        return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - floor() < kStackSize;
    }
    uintptr_t floor() const { return reinterpret_cast<uintptr_t>(stack_); }

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
    char *stack_ = nullptr;
    void *host_at_ = nullptr, *guest_at_ = nullptr; // where each of the two goes on
    bool over_ = false, left_ = false;
    void *host_fiber_ = nullptr, *guest_fiber_ = nullptr; // a sanitizer's notions of them
    const void *host_bottom_ = nullptr;
    size_t host_size_ = 0;
};

} // namespace aard

#endif
