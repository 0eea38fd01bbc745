// Vms: making, entering and ending them, and a run of work in one.
#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"
#include "engine/native/sanitizers.hh"
#include "engine/vm.hh"

namespace {

constexpr unsigned kMaxUnfreeable = 64;
constexpr size_t kMostOfIcu = size_t(1) << 30; // where the heap has no limit
constexpr size_t kSmallHeap = 8 * 1024 * 1024;
constexpr size_t kHostReserve = 256 * 1024;    // left below V8's limit for host functions and V8's own C++
constexpr size_t kStackMost = 7 * 1024 * 1024; // what a guest may use at most, however large the thread's stack is

// The lowest address of the calling thread's stack; asked once a thread, because the kernel is slow to say.
uintptr_t stack_floor()
{
    static thread_local uintptr_t floor = 0;
    if (!floor) {
        pthread_attr_t attributes;
        void *low = nullptr;
        size_t size = 0;
        if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
            pthread_attr_getstack(&attributes, &low, &size);
            pthread_attr_destroy(&attributes);
        }
        floor = reinterpret_cast<uintptr_t>(low) | 1;
    }
    return floor;
}

void on_rejection(v8::PromiseRejectMessage message)
{
    v8::Local<v8::Promise> promise = message.GetPromise();
    v8::Isolate *isolate = promise->GetIsolate();
    v8::HandleScope handles(isolate);
    v8::Local<v8::Context> context;
    if (!promise->GetCreationContext().ToLocal(&context)) return;
    aard__realm *realm = aard::realm_of(context);
    if (!realm) return;
    if (message.GetEvent() == v8::kPromiseRejectWithNoHandler) {
        realm->rejections.push_back(
            {v8::Global<v8::Promise>(isolate, promise), v8::Global<v8::Value>(isolate, message.GetValue())});
    } else if (message.GetEvent() == v8::kPromiseHandlerAddedAfterReject) {
        auto &list = realm->rejections;
        list.erase(std::remove_if(list.begin(), list.end(),
                                  [&](const aard__rejection &one) { return one.promise == promise; }),
                   list.end());
    }
}

void refused(v8::Local<v8::Context> context, bool wasm)
{
    aard__vm *vm = aard::vm_of(context->GetIsolate());
    if (vm->code_refused) vm->code_refused(vm->user, wasm);
}

bool allow_wasm_codegen(v8::Local<v8::Context> context, v8::Local<v8::String>)
{
    aard__realm *realm = aard::realm_of(context);
    bool allowed = realm && realm->codegen;
    if (!allowed) refused(context, true);
    return allowed;
}

// Asked only where the context does not allow it.
v8::ModifyCodeGenerationFromStringsResult refuse_codegen(v8::Local<v8::Context> context, v8::Local<v8::Value> source,
                                                         bool)
{
    // What is no string is no code: eval() gives it back.
    if (source->IsString()) refused(context, false);
    return {!source->IsString(), {}};
}

void interrupt(v8::Isolate *isolate, void *)
{
    aard__vm *vm = aard::vm_of(isolate);
    if (auto *interrupted = vm->interrupted.exchange(nullptr)) interrupted(vm->user);
}

// V8 would allow 1 MB from wherever it is first entered: too little for deep Python, too much for a small thread.
void limit_stack(aard__vm *vm)
{
    uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    uintptr_t floor = std::max(stack_floor() + kHostReserve, here - kStackMost);
    vm->isolate->SetStackLimit(std::min(floor, here - kHostReserve / 4));
}

} // namespace

namespace aard {

void prepare_isolate(aard__vm *vm)
{
    vm->isolate->SetData(0, vm);
    vm->isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    vm->isolate->SetAllowAtomicsWait(false);
    vm->isolate->SetCaptureStackTraceForUncaughtExceptions(false);
    vm->isolate->SetPromiseRejectCallback(on_rejection);
    vm->isolate->SetAllowWasmCodeGenerationCallback(allow_wasm_codegen);
    vm->isolate->SetModifyCodeGenerationFromStringsCallback(refuse_codegen);
    vm->isolate->SetHostImportModuleDynamicallyCallback(aard::import_dynamically);
    vm->isolate->SetWasmStreamingCallback(aard::wasm_streaming);
}

} // namespace aard

extern "C" {

aard_error *aard__vm_new(const aard__vm_options *options, aard__vm **out)
{
    if (aard_error *error = aard::start_engine()) return error;
    if (aard::unfreeable_count.load() >= kMaxUnfreeable)
        return aard__error(AARD_ERR_ENGINE,
                           "%u guests of this process could not be freed, which is the limit; restart it",
                           kMaxUnfreeable);
    auto *vm = new (std::nothrow) aard__vm;
    if (!vm) return aard__error_no_memory();
    vm->user = options->user;
    vm->code_refused = options->code_refused;
    vm->buffers = std::make_unique<aard::Buffers>(options->buffers_max);
    if (options->memories_apart) vm->own_memories = std::make_unique<aard::Buffers>(options->memories_max);
    vm->memories = options->memories_apart ? vm->own_memories.get() : vm->buffers.get();
    v8::Isolate::CreateParams params;
    params.array_buffer_allocator = vm->buffers.get();
    vm->deep = options->deep_stack;
    vm->heap_max = options->js_heap_max;
    vm->icu_max = options->js_heap_max ? options->js_heap_max : kMostOfIcu;
    if (options->js_heap_max) params.constraints.ConfigureDefaultsFromHeapSize(0, options->js_heap_max);
    vm->number = options->realm;
    // Realms that are gone are garbage: V8 would first look for it at a size that is far beyond such a vm's.
    if (options->renewed) params.constraints.set_initial_old_generation_size_in_bytes(kSmallHeap);
    vm->isolate = aard::new_isolate(params, options->snapshot, &vm->from_snapshot);
    aard::prepare_isolate(vm);
    aard::limit_memory(vm);
    aard::list_vm(vm);
    *out = vm;
    return nullptr;
}

bool aard__vm_free(aard__vm *vm)
{
    if (!vm) return true;
    if (vm->unfreeable) return false; // threads of V8's may be at work on it
    if (vm->abandoned) {
        for (aard__ref *ref : vm->refs) delete ref;
        for (aard__realm *realm : vm->realms) delete realm;
    } else {
        aard__vm_enter(vm);
        while (!vm->refs.empty()) aard__ref_free(vm->refs.back());
        while (!vm->realms.empty()) aard__realm_free(vm->realms.back());
        aard__vm_leave(vm);
    }
    aard::let_nobody_wait(vm->isolate);
    v8::platform::NotifyIsolateShutdown(aard::platform(), vm->isolate);
    vm->isolate->Dispose();
    aard::forget_waits(vm->isolate);
    if (vm->abandoned) aard::free_segments(vm);
    aard::free_copies(vm);
    aard::Run::give_back(vm->left);
    aard::forget_memories(vm);
    aard::delist_vm(vm);
    aard::isolate_is_gone();
    for (aard__buf &one : vm->scratch) aard__buf_free(&one);
    delete vm;
    return true;
}

void *aard__vm_user(aard__vm *vm) { return vm->user; }

bool aard__vm_copies(const aard__vm *vm) { return vm->from_snapshot; }

void aard__vm_copy_no_more(aard__vm *vm) { vm->from_snapshot = false; }

void aard__vm_enter(aard__vm *vm)
{
    auto *locker = new v8::Locker(vm->isolate);
    vm->isolate->Enter();
    if (vm->lockers.empty()) limit_stack(vm);
    vm->lockers.push_back(locker);
    vm->before.push_back(aard::entered);
    aard::entered = vm;
}

void aard__vm_leave(aard__vm *vm)
{
    v8::Locker *locker = vm->lockers.back();
    vm->lockers.pop_back();
    aard::entered = vm->before.back();
    vm->before.pop_back();
    vm->isolate->Exit();
    delete locker;
}

aard_error *aard__vm_run(aard__vm *vm, void (*work)(void *user), void *user, bool *finished)
{
    aard::Run run(work, user);
    if (!run.take_stack(vm->deep)) return aard__error_no_memory();
    aard::keep_faults();
    stack_t signals = aard::prepare_thread();
    aard__vm *entered = aard::entered;
    int held = aard::locks_held.load(std::memory_order_relaxed);
    aard__vm_enter(vm);
    vm->isolate->SetStackLimit(run.floor() + aard::kStackReserve);
    aard__vm *outer = aard::running;
    vm->run = &run;
    vm->locks_before = aard::locks_held.load(std::memory_order_relaxed);
    vm->thread.store(pthread_self());
    vm->forced.store(false);
    vm->signalled.store(false);
    aard::running = vm;
    vm->seen_ended = vm->overflowed = false;
    vm->tasks = vm->reading = 0;
    vm->ran_on = 0;
    vm->seen_in_others = 0;
    vm->forced_at = 0;
    alignas(v8::HandleScope) unsigned char room[sizeof(v8::HandleScope)];
    auto *handles = ::new (static_cast<void *>(room)) v8::HandleScope(vm->isolate);
    *finished = run.start();
    if (!vm->unfreeable) handles->~HandleScope(); // gives back what a run that was left has not
    vm->run = nullptr;
    aard::running = outer;
    if (*finished) {
        aard::keep_segments(vm);
        if (vm->lockers.size() > 1) limit_stack(vm);
    } else {
        aard::keep_signal_stack(signals);
        aard::locks_held.store(vm->locks_before, std::memory_order_relaxed);
        aard::abandoned_count++;
        if (vm->unfreeable) aard::unfreeable_count++;
        if (vm->unfreeable) aard::let_nobody_wait(vm->isolate);
    }
    aard::Stack stack = run.take_away_stack();
    if (*finished)
        aard::Run::give_back(stack);
    else
        vm->left = stack;
    if (!vm->unfreeable) {
        aard__vm_leave(vm);
    } else {
        vm->isolate->Exit(); // the thread is somebody else's; the lock is held for ever
        aard::locks_held.store(held, std::memory_order_relaxed);
    }
    aard::entered = entered;
    return nullptr;
}

void aard__vm_call_host(aard__vm *vm, void (*host)(void *user), void *user)
{
    if (aard::running != vm) return host(user);
    aard::running = nullptr;
    vm->run->call_host(host, user);
    vm->signalled.store(false); // one that came meanwhile found no run
    aard::running = vm;
}

void aard__vm_interrupt(aard__vm *vm, void (*interrupted)(void *user))
{
    vm->interrupted.store(interrupted);
    vm->isolate->RequestInterrupt(interrupt, nullptr);
}

void aard__vm_interrupt_cancel(aard__vm *vm) { vm->interrupted.store(nullptr); }

bool aard__vm_heap_full(const aard__vm *vm) { return vm->heap_full.load(); }

bool aard__vm_stack_ended(const aard__vm *vm) { return vm->abandoned && vm->overflowed; }

bool aard__vm_buffer_refused(aard__vm *vm) { return vm->buffers->refused(); }

aard__abandoned aard__engine_abandoned(void) { return {aard::abandoned_count.load(), aard::unfreeable_count.load()}; }

void aard__vm_terminate(aard__vm *vm)
{
    vm->ended.store(true);
    vm->isolate->TerminateExecution();
    vm->told.store(true);
}

void aard__vm_terminate_cancel(aard__vm *vm)
{
    vm->ended.store(false);
    vm->told.store(false);
    vm->forced.store(false);
    vm->isolate->CancelTerminateExecution();
}

bool aard__vm_terminating(aard__vm *vm) { return vm->ended.load(); }

bool aard__vm_pump(aard__vm *vm)
{
    v8::HandleScope handles(vm->isolate);
    if (vm->ahead) {
        vm->ahead->microtasks->PerformCheckpoint(vm->isolate);
        return false;
    }
    vm->tasks++;
    while (!vm->ended.load() && v8::platform::PumpMessageLoop(aard::platform(), vm->isolate)) {
    }
    vm->tasks--;
    for (size_t i = 0; i < vm->realms.size() && !vm->ended.load(); i++)
        vm->realms[i]->microtasks->PerformCheckpoint(vm->isolate);
    return vm->isolate->HasPendingBackgroundTasks();
}

void aard__vm_begin_ahead(aard__vm *vm, aard__realm *realm, bool (*harmless)(const aard__host_entry *entry))
{
    vm->ahead = realm;
    vm->harmless = harmless;
    vm->spoilt = false;
}

bool aard__vm_end_ahead(aard__vm *vm)
{
    vm->ahead = nullptr;
    if (vm->spoilt && !vm->ended.load()) vm->isolate->CancelTerminateExecution();
    return !vm->spoilt;
}

void aard__vm_heap(aard__vm *vm, aard__heap *out)
{
    v8::HeapStatistics statistics;
    vm->isolate->GetHeapStatistics(&statistics);
    out->used = statistics.used_heap_size();
    out->total = statistics.total_heap_size();
    out->limit = statistics.heap_size_limit();
    out->external = statistics.external_memory();
}

void aard__vm_collect(aard__vm *vm) { vm->isolate->LowMemoryNotification(); }

} // extern "C"
