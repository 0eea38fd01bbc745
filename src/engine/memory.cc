// What a vm may have of memory.  Where V8 finds that it can't go on it aborts the process; here the run is left instead.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "engine/native/workers.hh"
#include "engine/vm.hh"

namespace aard {

std::atomic<uint64_t> abandoned_count{0}, unfreeable_count{0};
thread_local aard__vm *running __attribute__((tls_model("initial-exec")));
thread_local aard__vm *entered;

// ---- buffers -----------------------------------------------------------------------------------------------------------

bool Buffers::take(size_t length)
{
    size_t used = used_.fetch_add(length) + length;
    if (!most_ || (used <= most_ && used >= length)) return true;
    give(length);
    refused_.store(true);
    return false;
}

void *Buffers::Allocate(size_t length)
{
    if (!take(length)) return nullptr;
    void *data = calloc(length ? length : 1, 1);
    if (!data) give(length);
    if (!data) refused_.store(true);
    return data;
}

void *Buffers::AllocateUninitialized(size_t length)
{
    if (!take(length)) return nullptr;
    void *data = malloc(length ? length : 1);
    if (!data) give(length);
    if (!data) refused_.store(true);
    return data;
}

void Buffers::give(size_t length) { used_.fetch_sub(length); }

void Buffers::Free(void *data, size_t length)
{
    if (data) give(length);
    free(data);
}

} // namespace aard

namespace {

// ---- leaving -----------------------------------------------------------------------------------------------------------

// The disposal of a vm waits for V8's tasks that are under way, which one that is left in the middle is for ever.
[[noreturn]] void leave(aard__vm *vm)
{
    vm->abandoned = true;
    vm->unfreeable = vm->collecting > 0 || vm->tasks > 0;
    vm->run->leave();
}

// A collection may be asked for with a lock held: the run is left at the next then.
bool may_leave(const aard__vm *vm) { return aard::running == vm && !vm->collecting && aard::holds_nothing(vm); }

// A script that has been ended stops at its next loop or call, except in loops that V8 has optimised for allocating, and in
// builtins, however long they take.  Whoever takes memory comes here, and can be left here.
// A task of V8's is let come to its end, which is near once the script has been ended, so that the vm can be freed.
constexpr uint64_t kPatience = 1000000, kPatienceWithTask = 20 * kPatience;

bool runs_on(aard__vm *vm, uint64_t patience)
{
    if (!vm->told.load()) return false;
    uint64_t now = aard__clock_thread_cpu(); // a thread that waits for a processor does not run on
    if (vm->seen_ended) vm->ran_on += now - vm->collected_at;
    vm->seen_ended = true;
    return vm->ran_on > patience;
}

void before_collection(v8::Isolate *, v8::GCType, v8::GCCallbackFlags, void *user)
{
    auto *vm = static_cast<aard__vm *>(user);
    bool over = vm->tasks ? runs_on(vm, kPatienceWithTask)
                          : vm->heap_full.load() || vm->overflowed || runs_on(vm, kPatience);
    if (over && may_leave(vm)) {
        if (vm->overflowed) vm->heap_full.store(true); // which is why it ends, whether or not it was ended besides
        leave(vm);
    }
    vm->collecting++;
}

void after_collection(v8::Isolate *, v8::GCType, v8::GCCallbackFlags, void *user)
{
    auto *vm = static_cast<aard__vm *>(user);
    vm->collecting--;
    if (vm->heap_full.load() && !vm->tasks && may_leave(vm)) leave(vm);
    if (vm->told.load()) vm->collected_at = aard__clock_thread_cpu();
}

// The run is left before or after the collection at hand; until then, and where there is no run, V8 needs some room.
constexpr size_t kSpare = size_t(4) << 30;

size_t near_heap_limit(void *user, size_t current, size_t)
{
    auto *vm = static_cast<aard__vm *>(user);
    if (vm->heap_full.exchange(true)) return current;
    aard__vm_terminate(vm);
    return current + kSpare;
}

// ---- the end of V8 -----------------------------------------------------------------------------------------------------

} // namespace

void aard::out_of_memory()
{
    aard__vm *vm = running;
    if (!vm) return; // V8 aborts
    vm->heap_full.store(true);
    if (holds_nothing(vm)) leave(vm);
}

namespace {

#if V8_MAJOR_VERSION > 10
void on_out_of_memory(const char *, const v8::OOMDetails &) { aard::out_of_memory(); }
#else
void on_out_of_memory(const char *, bool) { aard::out_of_memory(); }
#endif

// A call of V8's interface that it does not allow: it has looked before it did anything, so that only this run is lost.
// Without a run under way the host itself is wrong, and V8 would go on as if it had not looked.
void on_misuse(const char *where, const char *what)
{
    if (aard::running) leave(aard::running);
    if (aard__log_wanted(AARD_LOG_ERROR))
        aard__log(AARD_LOG_ERROR, "the engine was misused: %s: %s", where, what);
    else
        fprintf(stderr, "aardvark: %s: %s\n", where, what);
    abort();
}

// V8 calls this before it aborts over a check that failed.  An array beyond its limit is such a check, and does no harm to
// anything; after any other V8 is not to be trusted.  The message stands on the stack, between marks meant for dumps.
__attribute__((no_sanitize("address"))) void on_fatal_error()
{
    constexpr uintptr_t kMark = 0xdecade10;
    constexpr size_t kWords = 512;
    static const char size_error[] = "Fatal JavaScript invalid size error";
    auto *at = static_cast<uintptr_t *>(__builtin_frame_address(0));
    if (!aard::running) return;
    for (size_t i = 0; i < kWords; i++)
        if (at[i] == kMark && !memcmp(at + i + 1, size_error, sizeof size_error - 1)) aard::out_of_memory();
}

} // namespace

// ---- zones: what V8 allocates beside the heap while it parses and compiles ------------------------------------------------

namespace aard {

struct Segment {
    Segment *next, *previous;
    aard__vm *vm; // whose run it was allocated in; null for one of nobody's
    size_t size;
    bool zone; // V8's, not ours
    char unused[15];
};

// How one of V8's zones begins, in all versions that are known here.
struct ZoneSegment {
    const void *zone, *next;
    size_t size;
};

} // namespace aard

namespace {

using aard::Segment;
static_assert(sizeof(Segment) % 16 == 0, "what follows is aligned like malloc's");

std::mutex segments_lock; // V8's threads free what others have allocated

} // namespace

namespace aard {

static void *allocate_segment(size_t size, bool zone)
{
    if (size > SIZE_MAX - sizeof(Segment)) return nullptr;
    auto *segment = static_cast<Segment *>(malloc(sizeof(Segment) + size));
    if (!segment) return nullptr;
    segment->vm = aard::running;
    segment->zone = zone;
    if (aard::running) {
        std::lock_guard<std::mutex> hold(segments_lock);
        segment->previous = nullptr;
        segment->next = segment->vm->segments;
        if (segment->next) segment->next->previous = segment;
        segment->vm->segments = segment;
        segment->vm->segments_size += segment->size = size;
    }
    return segment + 1;
}

void *allocate_for_run(size_t size) { return allocate_segment(size, false); }

void free_for_run(void *data)
{
    if (!data) return;
    Segment *segment = static_cast<Segment *>(data) - 1;
    {
        std::lock_guard<std::mutex> hold(segments_lock);
        if (segment->vm) {
            if (segment->previous)
                segment->previous->next = segment->next;
            else
                segment->vm->segments = segment->next;
            if (segment->next) segment->next->previous = segment->previous;
            segment->vm->segments_size -= segment->size;
        }
    }
    free(segment);
}

} // namespace aard

namespace {

// A text's tree takes fifty times the text.
constexpr size_t kMostSegments = size_t(512) << 20;

void *allocate_zone(size_t size)
{
    aard__vm *vm = aard::running;
    if (vm && (vm->segments_size > kMostSegments || vm->overflowed)) aard::out_of_memory();
    return aard::allocate_segment(size, true);
}

class Zones : public v8::ZoneBackingAllocator {
  public:
    MallocFn GetMallocFn() const override { return allocate_zone; }
    FreeFn GetFreeFn() const override { return aard::free_for_run; }
};

// ---- the platform --------------------------------------------------------------------------------------------------------

class Watched : public v8::Platform {
  public:
    explicit Watched(v8::Platform *inner) : inner_(inner), pages_(aard::counted(inner->GetPageAllocator())) {}
    v8::PageAllocator *GetPageAllocator() override { return pages_; }
    v8::ZoneBackingAllocator *GetZoneBackingAllocator() override { return &zones_; }
    void OnCriticalMemoryPressure() override { inner_->OnCriticalMemoryPressure(); }
    int NumberOfWorkerThreads() override { return aard::worker_count(); }
    std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate *isolate) override
    {
        return inner_->GetForegroundTaskRunner(isolate);
    }
    void CallOnWorkerThread(std::unique_ptr<v8::Task> task) override { aard::work_later(std::move(task)); }
    void CallDelayedOnWorkerThread(std::unique_ptr<v8::Task> task, double seconds) override
    {
        aard::work_later(std::move(task), seconds);
    }
    bool IdleTasksEnabled(v8::Isolate *isolate) override { return inner_->IdleTasksEnabled(isolate); }
#if V8_MAJOR_VERSION > 10
    std::unique_ptr<v8::JobHandle> CreateJob(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> task) override
    {
        return v8::platform::NewDefaultJobHandle(this, priority, std::move(task),
                                                 static_cast<size_t>(aard::worker_count()));
    }
#else
    std::unique_ptr<v8::JobHandle> PostJob(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> task) override
    {
        return v8::platform::NewDefaultJobHandle(this, priority, std::move(task),
                                                 static_cast<size_t>(aard::worker_count()));
    }
#endif
    double MonotonicallyIncreasingTime() override { return inner_->MonotonicallyIncreasingTime(); }
    double CurrentClockTimeMillis() override { return inner_->CurrentClockTimeMillis(); }
    StackTracePrinter GetStackTracePrinter() override { return on_fatal_error; }
    v8::TracingController *GetTracingController() override { return inner_->GetTracingController(); }

  private:
    v8::Platform *inner_;
    v8::PageAllocator *pages_;
    Zones zones_;
};

} // namespace

namespace aard {

v8::Platform *watched(v8::Platform *platform) { return new Watched(platform); }

void limit_memory(aard__vm *vm)
{
    vm->isolate->SetOOMErrorHandler(on_out_of_memory);
    vm->isolate->SetFatalErrorHandler(on_misuse);
    vm->isolate->AddNearHeapLimitCallback(near_heap_limit, vm);
    vm->isolate->AddGCPrologueCallback(before_collection, vm);
    vm->isolate->AddGCEpilogueCallback(after_collection, vm);
}

void keep_segments(aard__vm *vm)
{
    if (!vm->segments) return;
    std::lock_guard<std::mutex> hold(segments_lock);
    for (Segment *segment = vm->segments; segment; segment = segment->next) segment->vm = nullptr;
    vm->segments = nullptr;
    vm->segments_size = 0;
}

// Whether nobody else can have it.  Some zones are the process's, made when the first run needed them: V8's cache of types,
// the types of WebAssembly.  The zone of what a run was in the middle of, which nobody is going to free, is on its stack.
static bool belongs_to_run(const Segment *segment, const Stack &stack)
{
    auto *start = reinterpret_cast<const ZoneSegment *>(segment + 1);
    return !segment->zone ||
           (start->size == segment->size && Run::has(stack, reinterpret_cast<uintptr_t>(start->zone)));
}

void free_segments(aard__vm *vm)
{
    std::lock_guard<std::mutex> hold(segments_lock);
    while (vm->segments) {
        Segment *segment = vm->segments;
        vm->segments = segment->next;
        segment->vm = nullptr;
        segment->next = segment->previous = nullptr;
        if (belongs_to_run(segment, vm->left)) free(segment);
    }
}

} // namespace aard

AARD__PROCESS_KEEPS(abandoned, "how many guests were abandoned; the lock of V8's zones",
                    "unfreeable_count abandoned_count segments_lock");
