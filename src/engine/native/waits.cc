// V8's threads, which all isolates share, may wait for a guest: one that compiles and finds no room waits until the guest's own
// thread has collected garbage.  A guest that was left never does, nor does one that is being freed, and V8 waits for the
// compilation before it tells anybody that there is nothing to wait for.  So that is told here.
#include "engine/native/waits.hh"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/process.h"
#include "engine/native/redirect.hh"

namespace {

// v8::internal::CollectionBarrier, as far as it is known here; a heap is a part of its isolate.
struct Barrier {
    const void *heap;
};

constexpr size_t kIsolateMost = 256 * 1024; // no isolate is larger

bool (*await_before)(Barrier *barrier, void *local_heap);
void (*shut_down_before)(Barrier *barrier); // nobody waits at it from then on

std::mutex lock;
auto &waiting = *new std::vector<Barrier *>;
auto &gone = *new std::vector<const v8::Isolate *>;

bool is_of(const Barrier *barrier, const v8::Isolate *isolate)
{
    return reinterpret_cast<uintptr_t>(barrier->heap) - reinterpret_cast<uintptr_t>(isolate) < kIsolateMost;
}

bool await(Barrier *barrier, void *local_heap)
{
    bool in_vain;
    {
        std::lock_guard<std::mutex> hold(lock);
        in_vain = std::any_of(gone.begin(), gone.end(), [&](const auto *one) { return is_of(barrier, one); });
        if (!in_vain) waiting.push_back(barrier);
    }
    if (in_vain) {
        if (shut_down_before) shut_down_before(barrier);
        return await_before(barrier, local_heap);
    }
    bool collected = await_before(barrier, local_heap);
    std::lock_guard<std::mutex> hold(lock);
    waiting.erase(std::find(waiting.begin(), waiting.end(), barrier));
    return collected;
}

void shut_down(Barrier *barrier) { shut_down_before(barrier); }

const aard::Redirection redirections[] = {
    {"_ZN2v88internal17CollectionBarrier25AwaitCollectionBackgroundEPNS0_9LocalHeapE", aard::address(await),
     aard::place_of(&await_before)},
    {"_ZN2v88internal17CollectionBarrier23NotifyShutdownRequestedEv", aard::address(shut_down),
     aard::place_of(&shut_down_before)},
};

} // namespace

namespace aard {

void watch_waits() { redirect(redirections, sizeof redirections / sizeof *redirections); }

void let_nobody_wait(const v8::Isolate *isolate)
{
    std::lock_guard<std::mutex> hold(lock);
    gone.push_back(isolate);
    for (Barrier *barrier : waiting)
        if (is_of(barrier, isolate) && shut_down_before) shut_down_before(barrier);
}

void forget_waits(const v8::Isolate *isolate)
{
    std::lock_guard<std::mutex> hold(lock);
    gone.erase(std::remove(gone.begin(), gone.end(), isolate), gone.end());
}

} // namespace aard

AARD__PROCESS_KEEPS(waits, "who waits for which isolate",
                    "await_before gone lock redirections shut_down_before waiting");
