// What V8 gets its pages from: memories of WebAssembly, and large objects.
//
// Memories of WebAssembly.  V8 asks neither its allocator of buffers for them nor counts them as heap: it reserves pages, and
// makes some accessible.  So they are counted where V8 gets its pages.
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "base/process.h"
#include "engine/vm.hh"

namespace {

constexpr size_t kWasmPage = 64 * 1024;  // nothing else of V8's is aligned so
constexpr size_t kMostMemories = 64;     // of one vm: each reserves up to 10 GiB of the process's addresses
constexpr size_t kHeapPage = 256 * 1024; // V8's own
constexpr size_t kLarge = 1024 * 1024;   // what is one object and not many

struct Reservation {
    aard__vm *vm;
    size_t length, accessible;
};

std::mutex lock; // V8 frees memories on threads of its own
std::map<uintptr_t, Reservation> reservations;

AARD__PROCESS_KEEPS(memories, "WebAssembly memories of all vms", "lock reservations");

class Counted : public v8::PageAllocator {
  public:
    explicit Counted(v8::PageAllocator *inner) : inner_(inner) {}
    size_t AllocatePageSize() override { return inner_->AllocatePageSize(); }
    size_t CommitPageSize() override { return inner_->CommitPageSize(); }
    void SetRandomMmapSeed(int64_t seed) override { inner_->SetRandomMmapSeed(seed); }
    void *GetRandomMmapAddr() override { return inner_->GetRandomMmapAddr(); }
    bool ReleasePages(void *address, size_t length, size_t new_length) override
    {
        return inner_->ReleasePages(address, length, new_length);
    }
#if V8_MAJOR_VERSION > 10
    bool RecommitPages(void *address, size_t length, Permission permissions) override
    {
        return inner_->RecommitPages(address, length, permissions);
    }
#endif
    bool DiscardSystemPages(void *address, size_t size) override { return inner_->DiscardSystemPages(address, size); }
    bool DecommitPages(void *address, size_t size) override { return inner_->DecommitPages(address, size); }
    bool ReserveForSharedMemoryMapping(void *address, size_t size) override
    {
        return inner_->ReserveForSharedMemoryMapping(address, size);
    }
    std::unique_ptr<SharedMemory> AllocateSharedPages(size_t length, const void *original) override
    {
        return inner_->AllocateSharedPages(length, original);
    }
    bool CanAllocateSharedPages() override { return inner_->CanAllocateSharedPages(); }

    void *AllocatePages(void *address, size_t length, size_t alignment, Permission permissions) override
    {
        aard__vm *vm = aard::running;
        if (vm && alignment == kHeapPage && length >= kLarge && !fits(vm, length)) aard::out_of_memory();
        bool counts = vm && alignment == kWasmPage && permissions == kNoAccess;
        if (!counts) return allocate(address, length, alignment, permissions);
        std::lock_guard<std::mutex> hold(lock);
        if (vm->wasm_memories == kMostMemories) return nullptr;
        void *pages = allocate(address, length, alignment, permissions);
        if (!pages) return nullptr;
        vm->wasm_memories++;
        reservations[reinterpret_cast<uintptr_t>(pages)] = {vm, length, 0};
        return pages;
    }

    bool SetPermissions(void *address, size_t length, Permission permissions) override
    {
        if (permissions == kReadWrite && !take(reinterpret_cast<uintptr_t>(address), length)) return false;
        return inner_->SetPermissions(address, length, permissions);
    }

    bool FreePages(void *address, size_t length) override
    {
        {
            std::lock_guard<std::mutex> hold(lock);
            auto found = reservations.find(reinterpret_cast<uintptr_t>(address));
            if (found != reservations.end()) {
                const Reservation &one = found->second;
                if (one.vm) one.vm->wasm_memories--;
                if (one.vm) one.vm->memories->give(one.accessible);
                reservations.erase(found);
            }
        }
        return inner_->FreePages(address, length);
    }

  private:
    // V8 takes its pages out of what a forked child gets; a template's children live on them.
    void *allocate(void *address, size_t length, size_t alignment, Permission permissions)
    {
        void *pages = inner_->AllocatePages(address, length, alignment, permissions);
        if (!pages || !aard__process_is_template() || !madvise(pages, length, MADV_DOFORK)) return pages;
        inner_->FreePages(pages, length);
        return nullptr;
    }

    // V8 takes the first young object for granted, however large it is; and a heap that is full has room for what V8 is in
    // the middle of, not for a string of a gigabyte.  (Where it gets nothing V8 tells the host's stderr before it gives up.)
    static bool fits(const aard__vm *vm, size_t length)
    {
        if (!vm->heap_max || vm->collecting) return true;
        return length <= vm->heap_max + kLarge && !vm->heap_full.load();
    }

    // Whether so much from there on may be accessible; what is no such memory may.
    static bool take(uintptr_t address, size_t length)
    {
        std::lock_guard<std::mutex> hold(lock);
        auto found = reservations.upper_bound(address);
        if (found == reservations.begin()) return true;
        --found;
        Reservation &one = found->second;
        size_t offset = address - found->first, most = one.accessible;
        if (offset >= one.length || !one.vm) return true;
        // V8 makes the whole of a memory accessible, from its start, each time it grows.
        if (length <= most) return true;
        if (!one.vm->memories->take(length - most)) return false;
        one.accessible = length;
        return true;
    }

    v8::PageAllocator *inner_;
};

} // namespace

namespace aard {

v8::PageAllocator *counted(v8::PageAllocator *inner) { return new Counted(inner); }

void forget_memories(const aard__vm *vm)
{
    std::lock_guard<std::mutex> hold(lock);
    for (auto &entry : reservations)
        if (entry.second.vm == vm) entry.second.vm = nullptr;
}

} // namespace aard
