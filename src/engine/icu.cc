// ICU's defaults, and what it allocates for V8: formatters, collators, and a copy of each string that a guest has segmented.  V8 counts none of it.
// ICU is told to take its memory here.  It is malloc's all the same, so that what a host had ICU allocate before can be freed
// here, and the other way round.
#include <malloc.h>
#include <unicode/ucal.h>
#include <unicode/uclean.h>
#include <unicode/uloc.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "base/process.h"
#include "engine/vm.hh"

namespace {

using aard::entered;

// Between two steps of the script.  Most of it may be garbage, of which V8 does not know how large it is.
void look(v8::Isolate *isolate, void *)
{
    aard__vm *vm = aard::vm_of(isolate);
    isolate->LowMemoryNotification();
    vm->icu_asked = false;
    if (vm->icu_used > vm->icu_max - vm->icu_max / 8 && !vm->heap_full.exchange(true)) aard__vm_terminate(vm);
}

// Nothing can be done about it right here: ICU may hold a lock.
void count(size_t bytes)
{
    if (!entered) return;
    entered->icu_used += bytes;
    if (entered->icu_used <= entered->icu_max || entered->icu_asked || aard::running != entered) return;
    entered->icu_asked = true;
    entered->isolate->RequestInterrupt(look, nullptr);
}

void discount(void *data)
{
    if (!entered || !data) return;
    size_t bytes = malloc_usable_size(data);
    // Some of what it has is shared, and let go of by another than it was made for.
    entered->icu_used -= bytes < entered->icu_used ? bytes : entered->icu_used;
}

// A script that calls nothing but builtins is looked at only after thousands of them.  Where ICU takes that much at once it
// copies a string, for V8 and under no lock.
constexpr size_t kCopy = 1 << 20;

void make_room(size_t size)
{
    if (size < kCopy || !entered || aard::running != entered) return;
    if (entered->icu_used + size > 2 * entered->icu_max) aard::out_of_memory();
}

// Such copies belong to the run that they are made for: where it is left, and its vm is gone, they are nobody's.
std::mutex copies_lock;
std::map<void *, aard__vm *> copies;

void note(void *data, size_t size)
{
    if (!data || size < kCopy || !entered || aard::running != entered) return;
    std::lock_guard<std::mutex> hold(copies_lock);
    copies[data] = entered;
}

void forget(void *data)
{
    if (!data || malloc_usable_size(data) < kCopy) return;
    std::lock_guard<std::mutex> hold(copies_lock);
    copies.erase(data);
}

void *U_CALLCONV allocate(const void *, size_t size)
{
    make_room(size);
    void *data = malloc(size);
    if (data) count(malloc_usable_size(data));
    note(data, size);
    return data;
}

void *U_CALLCONV reallocate(const void *, void *old, size_t size)
{
    make_room(size);
    size_t before = old ? malloc_usable_size(old) : 0;
    forget(old);
    void *data = realloc(old, size);
    note(data ? data : old, data ? size : before);
    if (!data || !entered) return data;
    entered->icu_used -= before < entered->icu_used ? before : entered->icu_used;
    count(malloc_usable_size(data));
    return data;
}

void U_CALLCONV release(const void *, void *data)
{
    discount(data);
    forget(data);
    free(data);
}

} // namespace

namespace aard {

// V8 asks ICU for the zone of dates and for the language of what Intl writes, once an isolate, and ICU would look at the
// machine and the environment.  V8 has no other way to say what they are, and ICU has one default for a process.
void place_icu()
{
    UErrorCode status = U_ZERO_ERROR;
    ucal_setDefaultTimeZone(u"UTC", &status);
    status = U_ZERO_ERROR;
    uloc_setDefault("en_US", &status);
}

void free_copies(const aard__vm *vm)
{
    std::lock_guard<std::mutex> hold(copies_lock);
    for (auto at = copies.begin(); at != copies.end();) {
        if (at->second != vm) {
            ++at;
            continue;
        }
        if (vm->abandoned) free(at->first);
        at = copies.erase(at);
    }
}

void count_icu()
{
    UErrorCode status = U_ZERO_ERROR;
    u_setMemoryFunctions(nullptr, allocate, reallocate, release, &status);
}

} // namespace aard

AARD__PROCESS_KEEPS(icu, "ICU: its memory functions, zone and language; copies of strings", "copies copies_lock");
