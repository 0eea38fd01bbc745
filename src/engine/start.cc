// The process: V8 is started once, with flags that stay; what all isolates of it share.
#include <malloc.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <aardvark/engine.h>

#include "base/error.h"
#include "base/process.h"
#include "base/structure.h"
#include "engine/native/mappings.hh"
#include "engine/native/redirect.hh"
#include "engine/native/sanitizers.hh"
#include "engine/native/workers.hh"
#include "engine/vm.hh"

namespace {

// In a process that was forked off there are no threads to wait for: its end would never come.
struct PlatformOwner {
    std::unique_ptr<v8::Platform> platform;
    ~PlatformOwner()
    {
        if (aard__forked())
            (void)platform.release();
        else if (platform)
            aard::end_workers();
    }
};
PlatformOwner owner;
std::unique_ptr<v8::Platform> &the_platform = owner.platform;
char code_key[256];
uint32_t version_tag;                 // V8's version, flags and the CPU's features, as compiled code knows them
std::atomic<int> vms{0}, most_vms{0}; // and the most of them since memory was last given back

// Fixed for the life of the process: compiled code depends on them, and no guest may ever choose one.  Snapshots are part
// of libraries: a checksum for each new vm finds nothing that the libraries' code would not suffer from too.
// "use asm" makes WebAssembly without asking whether code may be made; without it, it is a string like any other.
#if V8_MAJOR_VERSION > 10
#define V8_FLAGS                                                                                                       \
    "--no-harmony-sharedarraybuffer --no-validate-asm --no-verify-snapshot-checksum --no-freeze-flags-after-init"
const char recording[] = "--no-liftoff --no-wasm-tier-up";
const char usual[] = "--liftoff --wasm-tier-up --wasm-dynamic-tiering";
#else
#define V8_FLAGS "--no-harmony-sharedarraybuffer --no-validate-asm --no-verify-snapshot-checksum"
const char recording[] = "--no-liftoff --no-wasm-tier-up --wasm-lazy-compilation";
const char usual[] = "--liftoff --wasm-tier-up --wasm-dynamic-tiering --no-wasm-lazy-compilation";
#endif

std::atomic<bool> want_traps{true}, single_threaded{false}, has_started{false};

const char *v8_flags() { return single_threaded ? V8_FLAGS " --single-threaded" : V8_FLAGS; }

bool fill_random(unsigned char *out, size_t len)
{
    randombytes_buf(out, len);
    return true;
}

void start()
{
    has_started = true;
    aard__forks_watch();
    aard::count_icu();
    aard::place_icu();
    aard::count_locks();
    aard::add_looks();
    aard::watch_waits();
    aard::spare_mappings();
    aard::redirect_now();
    aard::find_engine();
    v8::V8::SetFlagsFromString(v8_flags(), strlen(v8_flags()));
    v8::V8::SetEntropySource(fill_random); // V8's own is a file, which a hardened process can't open
    aard::set_worker_count(single_threaded ? 0 : 1);
    the_platform = v8::platform::NewSingleThreadedDefaultPlatform(); // its threads are ours (workers.cc)
    v8::V8::InitializePlatform(aard::watched(the_platform.get()));
    const char *traps = want_traps && aard::handle_faults(aard::stack_ended) && aard::handle_traps() ? "; traps" : "";
    v8::V8::Initialize();
    version_tag = v8::ScriptCompiler::CachedDataVersionTag();
    snprintf(code_key, sizeof code_key, "v8 %s; tag %08x; %s%s", v8::V8::GetVersion(), version_tag, v8_flags(), traps);
}

// V8 shares its read-only heap between isolates and lets go of it with the last one: in a process that makes one isolate
// after the other, an idle isolate keeps it.  The first pays nothing for it.
std::mutex anchor_lock;
v8::Isolate *anchor;
bool had_vm;

const aard__snapshot *current; // what all vms that there are, and the anchor, were made from

// Every isolate is made here: those of one process must agree on their snapshot, for the heap that they share.
v8::Isolate *make_isolate(v8::Isolate::CreateParams &params)
{
    if (current) aard::use_snapshot(current, params);
    return v8::Isolate::New(params);
}

// Under the lock.
void hold_read_only_heap()
{
    static v8::ArrayBuffer::Allocator *const allocator = v8::ArrayBuffer::Allocator::NewDefaultAllocator();
    if (vms++ == 0 && had_vm && !anchor) {
        v8::Isolate::CreateParams params;
        params.array_buffer_allocator = allocator;
#ifdef AARD_ASAN
        __lsan_disable(); // it stays until the end, and what V8 knows it by is no memory that a leak checker looks at
#endif
        anchor = make_isolate(params);
#ifdef AARD_ASAN
        __lsan_enable();
#endif
    }
    had_vm = true;
}

// For what isolates take in when they are made.  Under the lock; false while there is a vm.
bool release_read_only_heap()
{
    if (vms.load() > 0) return false;
    if (anchor) {
        v8::platform::NotifyIsolateShutdown(the_platform.get(), anchor);
        anchor->Dispose();
    }
    anchor = nullptr;
    return true;
}

pthread_once_t started = PTHREAD_ONCE_INIT;

// V8 aborts the process where it gets no address space for its code, its threads and the first of its heap.
aard_error *check_space()
{
    constexpr size_t kCode = size_t(V8_MAJOR_VERSION > 10 ? 512 : 128) << 20; // that each isolate reserves for its code
    constexpr size_t kStart = kCode + (size_t(256) << 20), kVm = kCode + (size_t(192) << 20);
    size_t need = has_started ? kVm : kStart;
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) || space.rlim_cur == RLIM_INFINITY) return nullptr;
    void *room = mmap(nullptr, need, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return aard__error(
            AARD_ERR_ENGINE,
            "the process may have %zu MiB of address space (RLIMIT_AS, ulimit -v), of which too little is left: "
            "an isolate needs %zu MiB; raise the limit, or limit memory by a cgroup",
            static_cast<size_t>(space.rlim_cur) >> 20, need >> 20);
    munmap(room, need);
    return nullptr;
}

} // namespace

namespace aard {

v8::Platform *platform() { return the_platform.get(); }

const char *flags() { return v8_flags(); }

bool begin_snapshot()
{
    std::lock_guard<std::mutex> hold(anchor_lock);
    if (current) return false;
    vms++;
    return true;
}

void end_snapshot() { vms--; }

aard_error *start_engine()
{
    aard_error *error = aard__forked() ? aard__error_forked() : check_space();
    if (!error) error = check_mappings();
    return error ? error : aard__engine_start();
}

v8::Isolate *new_isolate(v8::Isolate::CreateParams &params, const aard__snapshot *wanted, bool *from_wanted)
{
    {
        std::lock_guard<std::mutex> hold(anchor_lock);
        hold_read_only_heap();
        *from_wanted = current && current == wanted;
    }
    for (int now = vms.load(), before = most_vms.load(); now > before;)
        if (most_vms.compare_exchange_weak(before, now)) break;
    return make_isolate(params); // `current` stays while there is a vm
}

// What many isolates took of malloc's memory stays with it, in pieces, unless it is told: not worth the time for a few.
void isolate_is_gone()
{
    constexpr int kMany = 32;
    int left = --vms, before = most_vms.load();
    if (before < kMany || left > before / 2) return;
    most_vms = left;
    malloc_trim(0);
}

} // namespace aard

extern "C" {

const char *aard_v8_version(void) { return v8::V8::GetVersion(); }

aard_error *aard_engine_set_fault_handler(bool on)
{
    if (has_started)
        return aard__error(AARD_ERR_BUSY, "the engine has started already; decide about its fault handler before");
    want_traps = on;
    return nullptr;
}

aard_error *aard_engine_start(const aard_engine_options *options)
{
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> hold(one_at_a_time);
    aard_engine_options known = {};
    const char *wrong = options ? aard__structure_read(options, &known, sizeof known) : nullptr;
    if (!wrong && (known.threads < AARD_ENGINE_BACKGROUND_THREAD || known.threads > AARD_ENGINE_SINGLE_THREADED))
        wrong = "threads is not one of aard_engine_threads";
    if (!wrong && (known.faults < AARD_ENGINE_FAULTS_AS_SET || known.faults > AARD_ENGINE_FAULTS_LEFT))
        wrong = "faults is not one of aard_engine_faults";
    if (wrong) return aard__error_argument(__func__, wrong);
    if (!options) return aard::start_engine();
    bool single = known.threads == AARD_ENGINE_SINGLE_THREADED;
    bool traps = known.faults ? known.faults == AARD_ENGINE_FAULTS_HANDLED : want_traps.load();
    if (has_started && (single != single_threaded || traps != want_traps))
        return aard__error(AARD_ERR_BUSY, "the engine has started with other options already; start it before");
    single_threaded = single;
    want_traps = traps;
    return aard::start_engine();
}

aard_error *aard__engine_start(void)
{
    if (aard__forked()) return aard__error_forked();
    pthread_once(&started, start);
    return nullptr;
}

aard_error *aard__engine_start_template(void)
{
    if (has_started)
        return aard__error(AARD_ERR_BUSY, "the engine has started already; a process becomes a template before");
    if (!aard::can_renew())
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "this build of V8 gives no way to renew its random numbers after a fork");
    mallopt(M_ARENA_MAX, 1); // threads come and go; what they leave in arenas of their own would be every child's
    aard__process_become_template();
    return aard__engine_start();
}

const char *aard__engine_code_key(void)
{
    aard__engine_start();
    return code_key;
}

bool aard__engine_record_code(bool on)
{
    aard__engine_start();
    std::lock_guard<std::mutex> hold(anchor_lock);
    if (on && !release_read_only_heap()) return false;
    if (on)
        v8::V8::SetFlagsFromString(recording, sizeof recording - 1);
    else
        v8::V8::SetFlagsFromString(usual, sizeof usual - 1);
    // The flags' hash is part of compiled code: with the defaults back in place it must be every other process's again.
    return on || v8::ScriptCompiler::CachedDataVersionTag() == version_tag;
}

bool aard__engine_idle(void) { return vms.load() == 0; }

bool aard__engine_use_snapshot(const aard__snapshot *snapshot)
{
    aard__engine_start();
    std::lock_guard<std::mutex> hold(anchor_lock);
    if (current == snapshot) return true;
    if (!release_read_only_heap()) return false;
    current = snapshot;
    return true;
}

} // extern "C"

AARD__PROCESS_KEEPS(engine, "V8: flags, platform, the heap that its isolates share",
                    "allocator anchor anchor_lock code_key current had_vm has_started most_vms one_at_a_time owner "
                    "single_threaded started version_tag vms want_traps");
