// Garbage of realms that come and go, collected between two calls.
#include <unistd.h>

#include "engine/vm.hh"

namespace {

constexpr size_t kTidyFrom = size_t(17) << 19; // bytes: V8 itself begins at some 8.9 MiB (vm.cc)
constexpr double kMostTidying = 0.1;           // seconds, where other threads hardly come to run

// Goes on with marking that is under way, to the end of the collection.  Each turn waits a little for the threads that mark along.
bool finish_marking(aard__vm *vm)
{
    double end = aard::platform()->MonotonicallyIncreasingTime() + kMostTidying;
    while (!vm->isolate->IdleNotificationDeadline(end)) {
        if (aard::platform()->MonotonicallyIncreasingTime() >= end) return false;
        usleep(50);
    }
    return true;
}

} // namespace

extern "C" void aard__vm_tidy(aard__vm *vm)
{
    aard__heap heap;
    aard__vm_heap(vm, &heap);
    bool begin = heap.used > kTidyFrom && heap.used / 3 * 2 > vm->tidied;
    if (begin) vm->isolate->MemoryPressureNotification(v8::MemoryPressureLevel::kModerate); // V8 begins to mark then
    bool finished = finish_marking(vm); // else the next time goes on
    if (begin) vm->isolate->MemoryPressureNotification(v8::MemoryPressureLevel::kNone);
    if (begin && finished) aard__vm_heap(vm, &heap);
    if (finished && (begin || heap.used < vm->tidied)) vm->tidied = heap.used;
}
