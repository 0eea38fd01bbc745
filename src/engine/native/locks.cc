// What the calling thread holds of V8's and ICU's locks.  A run must not be left while it holds one: the next that needs it,
// in whatever isolate, would wait for ever.  Neither library says what it holds, so their calls of pthread_mutex_lock and the
// like, which go through their tables of addresses, are led here.  Only theirs: what the host calls stays as it is.
#include <pthread.h>
#include <unicode/uvernum.h>

#include <cstdlib>
#include <new>

#include "base/process.h"
#include "engine/native/locks.hh"
#include "engine/native/redirect.hh"

extern "C" {
int __cxa_guard_acquire(void *guard);
void __cxa_guard_release(void *guard) noexcept;
void __cxa_guard_abort(void *guard) noexcept;
}

namespace aard {

thread_local std::atomic<int> locks_held __attribute__((tls_model("initial-exec"))){0};

} // namespace aard

namespace {

// Only the thread itself changes it, and its own signals read it.
void more() { aard::locks_held.store(aard::locks_held.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
void less() { aard::locks_held.store(aard::locks_held.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed); }

// Counted from before it is taken until after it has been given back: a signal may come at any point.
template <typename Lock, int (*take)(Lock *)> int taking(Lock *lock)
{
    more();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    int failed = take(lock);
    if (failed) less();
    return failed;
}

template <typename Lock, int (*give)(Lock *)> int giving(Lock *lock)
{
    int failed = give(lock);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!failed) less();
    return failed;
}

// What is made once for the process counts as a lock while it is made: others wait for it.
int once(pthread_once_t *control, void (*make)(void))
{
    more();
    int failed = pthread_once(control, make);
    less();
    return failed;
}

int guard_acquire(void *guard)
{
    more();
    int mine = __cxa_guard_acquire(guard);
    if (!mine) less();
    return mine;
}

void guard_release(void *guard)
{
    __cxa_guard_release(guard);
    less();
}

void guard_abort(void *guard)
{
    __cxa_guard_abort(guard);
    less();
}

// The C library has locks of its own: while memory is taken or given back one may be held.
void *take_memory(size_t size)
{
    more();
    void *data = malloc(size);
    less();
    return data;
}

void *take_zeros(size_t count, size_t size)
{
    more();
    void *data = calloc(count, size);
    less();
    return data;
}

void *retake_memory(void *old, size_t size)
{
    more();
    void *data = realloc(old, size);
    less();
    return data;
}

void give_memory(void *data)
{
    more();
    free(data);
    less();
}

void *make_new(size_t size)
{
    more();
    void *data = operator new(size);
    less();
    return data;
}

void *try_new(size_t size, const std::nothrow_t &)
{
    more();
    void *data = operator new(size, std::nothrow);
    less();
    return data;
}

void *make_news(size_t size)
{
    more();
    void *data = operator new[](size);
    less();
    return data;
}

void *try_news(size_t size, const std::nothrow_t &)
{
    more();
    void *data = operator new[](size, std::nothrow);
    less();
    return data;
}

void make_old(void *data)
{
    more();
    operator delete(data);
    less();
}

void make_olds(void *data)
{
    more();
    operator delete[](data);
    less();
}

// What only the libraries themselves have; what each was before.
void (*call_once_before)(void *once, void *make);
void (*metadata_lock_before)(void *lock), (*metadata_unlock_before)(void *lock);
bool (*pre_init_before)(void *once);
void (*post_init_before)(void *once);
void (*cache_get_before)(const void *cache, const void *key, const void **out, const void *context, int *status);

// v8::base::CallOnceImpl(std::atomic<uint8_t> *, std::function<void()>): the function comes by reference.
void call_once(void *flag, void *make)
{
    more();
    call_once_before(flag, make);
    less();
}

// v8::internal::trap_handler::MetadataLock, which spins.
void metadata_lock(void *lock)
{
    more();
    metadata_lock_before(lock);
}

void metadata_unlock(void *lock)
{
    metadata_unlock_before(lock);
    less();
}

// icu::umtx_initOnce: no lock is held while something is made, and others wait all the same.
bool pre_init(void *flag)
{
    more();
    bool mine = pre_init_before(flag);
    if (!mine) less();
    return mine;
}

void post_init(void *flag)
{
    post_init_before(flag);
    less();
}

// icu::UnifiedCache::_get: others wait for an entry that is being made.
void cache_get(const void *cache, const void *key, const void **out, const void *context, int *status)
{
    more();
    cache_get_before(cache, key, out, context, status);
    less();
}

const aard::Redirection redirections[] = {
    {"pthread_mutex_lock", aard::address(taking<pthread_mutex_t, pthread_mutex_lock>), nullptr},
    {"pthread_mutex_trylock", aard::address(taking<pthread_mutex_t, pthread_mutex_trylock>), nullptr},
    {"pthread_mutex_unlock", aard::address(giving<pthread_mutex_t, pthread_mutex_unlock>), nullptr},
    {"pthread_rwlock_rdlock", aard::address(taking<pthread_rwlock_t, pthread_rwlock_rdlock>), nullptr},
    {"pthread_rwlock_tryrdlock", aard::address(taking<pthread_rwlock_t, pthread_rwlock_tryrdlock>), nullptr},
    {"pthread_rwlock_wrlock", aard::address(taking<pthread_rwlock_t, pthread_rwlock_wrlock>), nullptr},
    {"pthread_rwlock_trywrlock", aard::address(taking<pthread_rwlock_t, pthread_rwlock_trywrlock>), nullptr},
    {"pthread_rwlock_unlock", aard::address(giving<pthread_rwlock_t, pthread_rwlock_unlock>), nullptr},
    {"pthread_once", aard::address(once), nullptr},
    {"malloc", aard::address(take_memory), nullptr},
    {"calloc", aard::address(take_zeros), nullptr},
    {"realloc", aard::address(retake_memory), nullptr},
    {"free", aard::address(give_memory), nullptr},
    {"_Znwm", aard::address(make_new), nullptr},
    {"_Znam", aard::address(make_news), nullptr},
    {"_ZnwmRKSt9nothrow_t", aard::address(try_new), nullptr},
    {"_ZnamRKSt9nothrow_t", aard::address(try_news), nullptr},
    {"_ZdlPv", aard::address(make_old), nullptr},
    {"_ZdlPvm", aard::address(make_old), nullptr},
    {"_ZdaPv", aard::address(make_olds), nullptr},
    {"_ZdaPvm", aard::address(make_olds), nullptr},
    {"__cxa_guard_acquire", aard::address(guard_acquire), nullptr},
    {"__cxa_guard_release", aard::address(guard_release), nullptr},
    {"__cxa_guard_abort", aard::address(guard_abort), nullptr},
    {"_ZN2v84base12CallOnceImplEPSt6atomicIhESt8functionIFvvEE", aard::address(call_once),
     aard::place_of(&call_once_before)},
    {"_ZN2v88internal12trap_handler12MetadataLockC1Ev", aard::address(metadata_lock),
     aard::place_of(&metadata_lock_before)},
    {"_ZN2v88internal12trap_handler12MetadataLockD1Ev", aard::address(metadata_unlock),
     aard::place_of(&metadata_unlock_before)},
    {"_ZN6icu_" U_ICU_VERSION_SHORT "20umtx_initImplPreInitERNS_9UInitOnceE", aard::address(pre_init),
     aard::place_of(&pre_init_before)},
    {"_ZN6icu_" U_ICU_VERSION_SHORT "21umtx_initImplPostInitERNS_9UInitOnceE", aard::address(post_init),
     aard::place_of(&post_init_before)},
    {"_ZNK6icu_" U_ICU_VERSION_SHORT "12UnifiedCache4_getERKNS_12CacheKeyBaseERPKNS_12SharedObjectEPKvR10UErrorCode",
     aard::address(cache_get), aard::place_of(&cache_get_before)},
};

} // namespace

namespace aard {

void count_locks() { redirect(redirections, sizeof redirections / sizeof *redirections); }

} // namespace aard

AARD__PROCESS_KEEPS(locks, "what calls of V8 and ICU for locks went to before",
                    "cache_get_before call_once_before metadata_lock_before metadata_unlock_before "
                    "post_init_before pre_init_before redirections");
