// Looks where V8 takes none.  Some of its builtins go through what a guest claims to have 2^53 of, and ask for one after the
// other; ICU takes the square of a string's length, or more.  A run that was told to end, and has not, is left there.
#include <string.h>
#include <unicode/uvernum.h>

#include "base/process.h"
#include "engine/native/redirect.hh"
#include "engine/vm.hh"

namespace {

using Word = uint64_t; // what a register holds: arguments and results go through here as they are
using Call = Word (*)(Word, Word, Word, Word, Word, Word);

// Before what may run code of the guest V8 has everything in order: that code may do anything, and throw.
void look(bool more = false)
{
    aard__vm *vm = aard::running;
    if (!vm || !(vm->forced.load(std::memory_order_relaxed) || (more && vm->heap_full.load() && !vm->tasks)) ||
        !vm->ended.load() || vm->collecting || !aard::holds_nothing(vm))
        return;
    vm->abandoned = true;
    vm->unfreeable = vm->tasks > 0;
    vm->run->leave();
}

template <Call *before> Word looking(Word a, Word b, Word c, Word d, Word e, Word f)
{
    look();
    return (*before)(a, b, c, d, e, f);
}

// Where a builtin has taken a thousand values more, and keeps them all until its end: beside the heap, which counts none of it.
Call extend;

Word extending(Word isolate, Word b, Word c, Word d, Word e, Word f)
{
    look(true);
    return extend(isolate, b, c, d, e, f);
}

// What a run in there has of its vm it only reads, and it runs none of the guest's code: a signal may leave it at once, and the
// vm can be freed.
template <Call *before> Word reading(Word a, Word b, Word c, Word d, Word e, Word f)
{
    aard__vm *vm = aard::running;
    if (!vm) return (*before)(a, b, c, d, e, f);
    vm->reading++;
    Word result = (*before)(a, b, c, d, e, f);
    vm->reading--;
    return result;
}

bool runs_nothing(Word handle)
{
    v8::Local<v8::Value> value;
    static_assert(sizeof value == sizeof handle, "a handle is a pointer");
    memcpy(static_cast<void *>(&value), &handle, sizeof handle);
    return value->IsUndefined() || value->IsString() || value->IsNumber();
}

Call find_element, find_named, get_property, has_property, set_property, normalize, compare, index_of, last_index_of;
Call search_narrow, search_wide, search_narrow_in_wide, search_wide_in_narrow;

// The form is made a string first.
Word normalizing(Word isolate, Word string, Word form, Word d, Word e, Word f)
{
    return (runs_nothing(form) ? reading<&normalize> : normalize)(isolate, string, form, d, e, f);
}

Word searching(Word isolate, Word text, Word what, Word from, Word e, Word f)
{
    bool reads = runs_nothing(text) && runs_nothing(what) && runs_nothing(from);
    return (reads ? reading<&last_index_of> : last_index_of)(isolate, text, what, from, e, f);
}

#ifdef __x86_64__
Call canonicalize;

// A list of locales is gone through first.
Word canonicalizing(Word result, Word isolate, Word locales, Word d, Word e, Word f)
{
    return (runs_nothing(locales) ? reading<&canonicalize> : canonicalize)(result, isolate, locales, d, e, f);
}
#endif

// Guests have no memory that another thread could change: threads of WebAssembly are not offered, and what is shared between
// isolates would outlive a guest that was left.  V8 has no switch for it in all of its versions.
struct Pages { // is returned as V8's std::unique_ptr is
    void *store;
    ~Pages() {}
};
Pages (*allocate_10)(void *isolate, size_t pages, size_t most, uint8_t shared);
Pages (*allocate_11)(void *isolate, size_t pages, size_t most, uint32_t kind, uint8_t shared);

Pages allocate_10_unshared(void *isolate, size_t pages, size_t most, uint8_t shared)
{
    if (shared) return {nullptr};
    return allocate_10(isolate, pages, most, shared);
}

Pages allocate_11_unshared(void *isolate, size_t pages, size_t most, uint32_t kind, uint8_t shared)
{
    if (shared) return {nullptr};
    return allocate_11(isolate, pages, most, kind, shared);
}

using aard::address;
using aard::place_of;

const aard::Redirection redirections[] = {
    {"_ZN2v88internal11HandleScope6ExtendEPNS0_7IsolateE", address(extending), place_of(&extend)},
    {"_ZN2v88internal14LookupIterator5StartILb1EEEvv", address(looking<&find_element>), place_of(&find_element)},
    {"_ZN2v88internal14LookupIterator5StartILb0EEEvv", address(looking<&find_named>), place_of(&find_named)},
    {"_ZN2v88internal6Object11GetPropertyEPNS0_14LookupIteratorEb", address(looking<&get_property>),
     place_of(&get_property)},
    {"_ZN2v88internal10JSReceiver11HasPropertyEPNS0_14LookupIteratorE", address(looking<&has_property>),
     place_of(&has_property)},
    {"_ZN2v88internal6Object11SetPropertyEPNS0_14LookupIteratorENS0_6HandleIS1_EENS0_11StoreOriginENS_5MaybeINS0_"
     "11ShouldThrowEEE",
     address(looking<&set_property>), place_of(&set_property)},
    {"_ZN2v88internal4Intl9NormalizeEPNS0_7IsolateENS0_6HandleINS0_6StringEEENS4_INS0_6ObjectEEE", address(normalizing),
     place_of(&normalize)},
    {"_ZN2v88internal4Intl14CompareStringsEPNS0_7IsolateERKN6icu_" U_ICU_VERSION_SHORT
     "8CollatorENS0_6HandleINS0_6StringEEESA_NS1_"
     "21CompareStringsOptionsE",
     address(reading<&compare>), place_of(&compare)},
    {"_ZN2v88internal6String7IndexOfEPNS0_7IsolateENS0_6HandleIS1_EES5_i", address(reading<&index_of>),
     place_of(&index_of)},
    {"_ZN2v88internal6String11LastIndexOfEPNS0_7IsolateENS0_6HandleINS0_6ObjectEEES6_S6_", address(searching),
     place_of(&last_index_of)},
    {"_ZN2v88internal15SearchStringRawIKhS2_EElPNS0_7IsolateEPKT_iPKT0_ii", address(reading<&search_narrow>),
     place_of(&search_narrow)},
    {"_ZN2v88internal15SearchStringRawIKtS2_EElPNS0_7IsolateEPKT_iPKT0_ii", address(reading<&search_wide>),
     place_of(&search_wide)},
    {"_ZN2v88internal15SearchStringRawIKtKhEElPNS0_7IsolateEPKT_iPKT0_ii", address(reading<&search_narrow_in_wide>),
     place_of(&search_narrow_in_wide)},
    {"_ZN2v88internal15SearchStringRawIKhKtEElPNS0_7IsolateEPKT_iPKT0_ii", address(reading<&search_wide_in_narrow>),
     place_of(&search_wide_in_narrow)},
#ifdef __x86_64__ // elsewhere the place for a result that large does not come as an argument
    {"_ZN2v88internal4Intl22CanonicalizeLocaleListB5cxx11EPNS0_7IsolateENS0_6HandleINS0_6ObjectEEEb",
     address(canonicalizing), place_of(&canonicalize)},
#endif
    {"_ZN2v88internal12BackingStore18AllocateWasmMemoryEPNS0_7IsolateEmmNS0_10SharedFlagE",
     address(allocate_10_unshared), place_of(&allocate_10)},
    {"_ZN2v88internal12BackingStore18AllocateWasmMemoryEPNS0_7IsolateEmmNS0_14WasmMemoryFlagENS0_10SharedFlagE",
     address(allocate_11_unshared), place_of(&allocate_11)},
};

} // namespace

namespace aard {

void add_looks() { redirect(redirections, sizeof redirections / sizeof *redirections); }

} // namespace aard

AARD__PROCESS_KEEPS(looks, "what calls of V8 within itself went to before",
                    "allocate_10 allocate_11 canonicalize compare extend find_element find_named get_property "
                    "has_property index_of last_index_of normalize redirections search_narrow "
                    "search_narrow_in_wide search_wide search_wide_in_narrow set_property");
