// Leads calls that V8's library and ICU's make through their tables of addresses somewhere else.
#include "engine/native/redirect.hh"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/process.h"

namespace {

auto &wanted = *new std::vector<aard::Redirection>;

struct List {
    const aard::Redirection *all;
    size_t count;
    std::unordered_map<std::string_view, size_t> places; // by name
};

struct Library {
    uintptr_t base, relro_start, relro_end;
    const ElfW(Sym) * symbols;
    const char *names;
    const uint32_t *hash;
    bool now;                      // its addresses are all known already
    std::vector<uint32_t> numbers; // of the list's symbols; 0 = it has none
    uint64_t seen;                 // their lowest six bits, so that most others are passed over at once
};

// In a table of symbols those that the library asks others for come first; the others are found by their hash.
uint32_t find_defined(const Library &library, const char *name)
{
    uint32_t hash = 5381;
    for (const char *at = name; *at; at++) hash = hash * 33 + static_cast<unsigned char>(*at);
    uint32_t buckets = library.hash[0], first = library.hash[1], blooms = library.hash[2];
    const uint32_t *bucket = library.hash + 4 + blooms * (sizeof(ElfW(Addr)) / 4), *chain = bucket + buckets;
    uint32_t number = bucket[hash % buckets];
    if (number < first) return 0;
    for (;; number++) {
        uint32_t here = chain[number - first];
        if ((here | 1) == (hash | 1) && !strcmp(library.names + library.symbols[number].st_name, name)) return number;
        if (here & 1) return 0;
    }
}

void find_symbols(Library &library, const List &list)
{
    library.numbers.assign(list.count, 0);
    for (uint32_t number = 1; number < library.hash[1]; number++) {
        auto found = list.places.find(library.names + library.symbols[number].st_name);
        if (found != list.places.end()) library.numbers[found->second] = number;
    }
    for (size_t i = 0; i < list.count; i++)
        if (!library.numbers[i]) library.numbers[i] = find_defined(library, list.all[i].name);
    for (uint32_t number : library.numbers) library.seen |= UINT64_C(1) << number % 64;
}

const aard::Redirection *find(const Library &library, const List &list, uint32_t number)
{
    if (!number || !(library.seen >> number % 64 & 1)) return nullptr;
    for (size_t i = 0; i < list.count; i++)
        if (library.numbers[i] == number) return &list.all[i];
    return nullptr;
}

void redirect_table(const Library &library, const List &list, const ElfW(Rela) * table, size_t count)
{
#if defined(__x86_64__)
    constexpr unsigned kSlot = R_X86_64_JUMP_SLOT, kAddress = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
    constexpr unsigned kSlot = R_AARCH64_JUMP_SLOT, kAddress = R_AARCH64_GLOB_DAT;
#endif
    for (size_t i = 0; i < count; i++) {
        auto type = ELF64_R_TYPE(table[i].r_info);
        if (type != kSlot && type != kAddress) continue;
        const aard::Redirection *one = find(library, list, static_cast<uint32_t>(ELF64_R_SYM(table[i].r_info)));
        if (!one) continue;
        auto *slot = reinterpret_cast<void **>(library.base + table[i].r_offset);
        if (one->before) {
            if (!library.now || !*slot || *slot == one->to) continue;
            *one->before = *slot;
        }
        __atomic_store_n(slot, one->to, __ATOMIC_RELEASE);
    }
}

uintptr_t pointer(const Library &library, const ElfW(Dyn) & entry)
{
    return entry.d_un.d_ptr < library.base ? entry.d_un.d_ptr + library.base : entry.d_un.d_ptr;
}

// The loader has made the tables read-only, all of them in one piece.
bool protect(const Library &library, int protection)
{
    size_t size = library.relro_end - library.relro_start;
    return !size || !mprotect(reinterpret_cast<void *>(library.relro_start), size, protection);
}

int redirect_library(dl_phdr_info *info, size_t, void *user)
{
    const List &list = *static_cast<const List *>(user);
    const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
    if (strncmp(name, "libnode.", 8) && strncmp(name, "libicuuc.", 9) && strncmp(name, "libicui18n.", 11)) return 0;
    Library library = {};
    library.base = info->dlpi_addr;
    const ElfW(Dyn) *dynamic = nullptr;
    auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &part = info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part.p_vaddr;
        if (part.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn) *>(start);
        if (part.p_type != PT_GNU_RELRO) continue;
        library.relro_start = start & ~(page - 1);
        library.relro_end = (start + part.p_memsz) & ~(page - 1);
    }
    const ElfW(Rela) *slots = nullptr, *others = nullptr;
    size_t slots_size = 0, others_size = 0, relative = 0; // those that name no symbol come first
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        switch (dynamic->d_tag) {
        case DT_SYMTAB: library.symbols = reinterpret_cast<const ElfW(Sym) *>(pointer(library, *dynamic)); break;
        case DT_STRTAB: library.names = reinterpret_cast<const char *>(pointer(library, *dynamic)); break;
        case DT_GNU_HASH: library.hash = reinterpret_cast<const uint32_t *>(pointer(library, *dynamic)); break;
        case DT_JMPREL: slots = reinterpret_cast<const ElfW(Rela) *>(pointer(library, *dynamic)); break;
        case DT_PLTRELSZ: slots_size = dynamic->d_un.d_val; break;
        case DT_RELA: others = reinterpret_cast<const ElfW(Rela) *>(pointer(library, *dynamic)); break;
        case DT_RELASZ: others_size = dynamic->d_un.d_val; break;
        case DT_RELACOUNT: relative = dynamic->d_un.d_val; break;
        case DT_FLAGS: library.now = library.now || (dynamic->d_un.d_val & DF_BIND_NOW); break;
        case DT_FLAGS_1: library.now = library.now || (dynamic->d_un.d_val & DF_1_NOW); break;
        default: break;
        }
    }
    if (!library.symbols || !library.names || !library.hash) return 0;
    size_t others_count = others_size / sizeof *others;
    if (relative > others_count || !protect(library, PROT_READ | PROT_WRITE)) return 0;
    find_symbols(library, list);
    redirect_table(library, list, slots, slots_size / sizeof *slots);
    redirect_table(library, list, others + relative, others_count - relative);
    protect(library, PROT_READ);
    return 0;
}

} // namespace

namespace aard {

void redirect(const Redirection *all, size_t count) { wanted.insert(wanted.end(), all, all + count); }

void redirect_now()
{
    List list = {wanted.data(), wanted.size(), {}};
    for (size_t i = 0; i < list.count; i++) list.places[list.all[i].name] = i;
    dl_iterate_phdr(redirect_library, &list);
}

} // namespace aard

AARD__PROCESS_KEEPS(redirect, "which calls are led elsewhere", "wanted");
