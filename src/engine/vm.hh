// What the files of the engine room share.  Nothing of this leaves the room.
#ifndef AARD_ENGINE_VM_HH
#define AARD_ENGINE_VM_HH

#include <libplatform/libplatform.h>
#include <pthread.h>
#include <signal.h>
#include <v8.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/native/locks.hh"
#include "engine/native/stack.hh"
#include "engine/native/trap.hh"
#include "engine/native/waits.hh"

namespace aard {

// What ArrayBuffers are made of, up to a limit.  V8 frees some of them on threads of its own.
class Buffers : public v8::ArrayBuffer::Allocator {
  public:
    explicit Buffers(size_t most) : most_(most) {}
    void *Allocate(size_t length) override;
    void *AllocateUninitialized(size_t length) override;
    void Free(void *data, size_t length) override;
    bool refused() { return refused_.exchange(false); }
    void refuse() { refused_.store(true); }
    // For memory that is allocated elsewhere.
    bool take(size_t length);
    void give(size_t length);

  private:
    const size_t most_;
    std::atomic<size_t> used_{0};
    std::atomic<bool> refused_{false};
};

struct Segment; // of V8's zones

} // namespace aard

struct aard__vm {
    v8::Isolate *isolate = nullptr;
    std::unique_ptr<aard::Buffers> buffers, own_memories;
    aard::Buffers *memories = nullptr; // what memories of WebAssembly are counted by
    size_t wasm_memories = 0;          // how many there are
    size_t heap_max = 0;               // bytes of its heap; 0 = V8's own limit
    std::deque<aard__buf> scratch;     // of the host functions under way
    void *user = nullptr;
    void (*code_refused)(void *user, bool wasm) = nullptr;
    std::atomic<bool> ended{false}; // V8 itself forgets a termination once the script that ran is gone
    std::atomic<void (*)(void *)> interrupted{nullptr};
    std::atomic<bool> heap_full{false};
    std::atomic<bool> told{false}; // V8 has been, of the termination
    std::atomic<bool> forced{false};
    std::atomic<bool> signalled{false}; // a signal is on its way to the run
    std::atomic<pthread_t> thread{0};   // of the run under way; 0 before the first
    bool abandoned = false,
         unfreeable = false; // left mid-execution; and where its disposal would wait, or fall over something
    bool deep = false;       // its runs get deep stacks
    aard::Run *run = nullptr;
    aard::Stack left = {};     // the one that an abandoned vm was left on: V8 may look at it until the vm is gone
    int locks_before = 0;      // held by the thread when the run began
    int reading = 0;           // functions under way that change nothing of the vm's (looks.cc)
    int tasks = 0;             // of V8's own that are under way, which the vm's disposal waits for
    bool overflowed = false;   // more than the stack has been used, and the run goes on only until it can be left
    size_t tidied = 0;         // bytes in use when its garbage was last collected between two calls
    int collecting = 0;        // collections of garbage under way
    uint64_t collected_at = 0; // when the last one ended
    uint64_t ran_on = 0;       // for so long the script has run since it was seen to be ended, in ns
    bool seen_ended = false;   // by a collection
    size_t icu_used = 0, icu_max = 0; // bytes of ICU's
    bool icu_asked = false;           // somebody will look whether that is too much
    size_t segments_size = 0;
    unsigned seen_in_others = 0;       // by as many signals in a row that were to end the run
    uint64_t forced_at = 0;            // the thread's clock at the first of them
    aard::Segment *segments = nullptr; // that the run has allocated
    std::vector<v8::Locker *> lockers; // one per nested enter, innermost last
    std::vector<aard__vm *> before;    // what the thread had entered then
    aard__realm *ahead = nullptr;      // the realm that work is done in ahead of need
    bool (*harmless)(const aard__host_entry *entry) = nullptr;
    bool spoilt = false; // that work asked for more
    bool from_snapshot = false;
    size_t number = 0; // of the snapshot's realm that its realms are copies of
    std::vector<aard__realm *> realms;
    std::vector<aard__ref *> refs;                       // all that are alive, so that the vm can outlive none of them
    aard__vm *previous_vm = nullptr, *next_vm = nullptr; // of the process (renew.cc)
};

struct aard__module {
    v8::Global<v8::Module> module;
    std::string name;
    const char *source = nullptr;
    bool code_wanted = false;
};

struct aard__rejection {
    v8::Global<v8::Promise> promise;
    v8::Global<v8::Value> value;
};

struct aard__realm {
    aard__vm *vm;
    std::unique_ptr<v8::MicrotaskQueue> microtasks;
    v8::Global<v8::Context> context;
    v8::Global<v8::Function> compile_streaming; // as V8 made it, before any guest could replace it
    v8::Global<v8::Function> random;            // Math.random, while it is watched, and what it would give at first
    double first_random = 0;
    bool codegen = true;
    aard__module_find find = nullptr;
    const aard__module_code *code = nullptr;
    std::map<std::string, std::unique_ptr<aard__module>> modules;
    std::vector<aard__rejection> rejections;
};

struct aard__ref {
    aard__vm *vm;
    size_t index; // in vm->refs
    v8::Global<v8::Value> value;
};

struct aard__script {
    aard__vm *vm;
    v8::Global<v8::UnboundScript> script;
};

struct aard__frame {
    const v8::FunctionCallbackInfo<v8::Value> &info;
    v8::Isolate *isolate;
    bool threw;
};

struct aard__wasm {
    v8::CompiledWasmModule module;
};

namespace aard {

// Of a context's embedder data.
constexpr int kRealmSlot = 1, kPartsSlot = 2;

v8::Platform *platform();

const char *flags(); // V8's, as they were set

// What every new isolate gets, however it was made.
void prepare_isolate(aard__vm *vm);

// memory.cc: the platform as V8 sees it, limits on an isolate's memory, and what is done when it has none.
v8::Platform *watched(v8::Platform *platform);
void limit_memory(aard__vm *vm);
void out_of_memory();                // leaves the run under way, if there is one that can be left here
void *allocate_for_run(size_t size); // what stays of the run under way when that is left is freed with its vm
void free_for_run(void *data);
void free_segments(aard__vm *vm);                     // of a abandoned vm that has been disposed of
void keep_segments(aard__vm *vm);                     // of a run that came to its end
v8::PageAllocator *counted(v8::PageAllocator *inner); // wasm_memory.cc
void forget_memories(const aard__vm *vm);
extern std::atomic<uint64_t> abandoned_count, unfreeable_count;

// The vm whose run the calling thread is in, on the run's stack; null elsewhere.
extern thread_local aard__vm *running __attribute__((tls_model("initial-exec")));

// The vm that the calling thread has entered last, whether it runs something or not.
extern thread_local aard__vm *entered;

void count_icu();                     // icu.cc
void free_copies(const aard__vm *vm); // of strings, that ICU has made; the vm has been disposed of
void place_icu();

void add_looks(); // looks.cc

// renew.cc: the vms of the process, for the children of a template.
void list_vm(aard__vm *vm);
void delist_vm(aard__vm *vm);
bool can_renew(); // whether this build of V8 lets itself be made anew

// Whether the run under way could be left here without taking anything along that others wait for.
inline bool holds_nothing(const aard__vm *vm) { return locks_held.load(std::memory_order_relaxed) == vm->locks_before; }

// force.cc
void find_engine();       // once, before any run
stack_t prepare_thread(); // the calling one, for signals while a guest's stack is used up; gives its stack for them
void keep_signal_stack(const stack_t &before); // after a run that was left

// From the handler of SIGSEGV: whether that was a run's stack that ended, and the run goes on or has been left.
bool stack_ended(const siginfo_t *info, const void *context);

// Around the making of a snapshot, which is a vm too; false while all vms are made from another than V8's own.
bool begin_snapshot();
void end_snapshot();

// start.cc: starts V8 where that has not been done, or says why an isolate can't be made.  Then, the isolate, and whether that has
// come from the snapshot that was wanted: all of a process come from one.  And that it has been disposed of.
aard_error *start_engine();
v8::Isolate *new_isolate(v8::Isolate::CreateParams &params, const aard__snapshot *wanted, bool *from_wanted);
void isolate_is_gone();

void use_snapshot(const aard__snapshot *snapshot, v8::Isolate::CreateParams &params);

// The function behind every host function.
void call_host(const v8::FunctionCallbackInfo<v8::Value> &info);

// Text that V8 reads in place: always the same resource for the same text, so that snapshots can refer to it.
v8::String::ExternalOneByteStringResource *lasting_source(const char *data, size_t len);

inline aard__vm *vm_of(v8::Isolate *isolate) { return static_cast<aard__vm *>(isolate->GetData(0)); }

// The realm a context belongs to; null for a context that is none of ours.
aard__realm *realm_of(v8::Local<v8::Context> context);

v8::Local<v8::String> string(v8::Isolate *isolate, const char *text);
v8::MaybeLocal<v8::String> string(v8::Isolate *isolate, const char *text, size_t len);

aard__ref *make_ref(aard__vm *vm, v8::Local<v8::Value> value);

// So many units of a string are converted before somebody looks whether the call was ended.
constexpr int kSlice = 1 << 18;

// Appends units as UTF-8, lone surrogates as U+FFFD.  With `lead`, one at the end waits in it for what comes next.
void append_units(const uint16_t *units, int count, aard__buf *out, uint16_t *lead = nullptr);

// Appends a string's UTF-8, of a call that is ended meanwhile some of it; of one that is longer than `most` units, about as many bytes of its beginning.
void append_utf8(v8::Isolate *isolate, v8::Local<v8::String> string, aard__buf *out, int most = INT32_MAX);

void clear(aard__result *result);
// Starts an entry; false where the vm has been ended, which no code of the guest may outlive.
bool begin(aard__realm *realm, aard__result *result);
void take_value(aard__realm *realm, v8::Local<v8::Value> value, bool want_ref, aard__result *result);
void take_exception(aard__realm *realm, v8::Local<v8::Value> exception, aard__result *result);
// Fills `result` from what `catcher` caught.
void take_caught(aard__realm *realm, v8::TryCatch &catcher, aard__result *result);
// The same of `source`, which V8 was given under another name and with something behind it.
void take_caught_in(aard__realm *realm, v8::TryCatch &catcher, const aard__source *source, aard__result *result);

// Gives the code of the realm's modules to whoever keeps it.
void put_module_code(aard__realm *realm);

v8::Local<v8::Value> to_local(aard__realm *realm, const aard__value &value);

// Callbacks that V8 calls on its own.
v8::MaybeLocal<v8::Promise> import_dynamically(v8::Local<v8::Context> context, v8::Local<v8::Data> options,
                                               v8::Local<v8::Value> referrer, v8::Local<v8::String> specifier,
                                               v8::Local<v8::FixedArray> assertions);
void wasm_streaming(const v8::FunctionCallbackInfo<v8::Value> &info);

// Scopes that nearly every entry needs.
struct Entry {
    v8::Isolate *isolate;
    v8::HandleScope handles;
    v8::Local<v8::Context> context;
    v8::Context::Scope scope;
    explicit Entry(aard__realm *realm)
        : isolate(realm->vm->isolate), handles(isolate), context(realm->context.Get(isolate)), scope(context)
    {
    }
};

} // namespace aard

#endif
