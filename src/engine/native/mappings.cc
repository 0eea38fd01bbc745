#include "engine/native/mappings.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <vector>

#include "base/process.h"
#include "engine/native/redirect.hh"

namespace {

constexpr long kOfVm = 64;       // what an isolate has when it is new: Python's 32, with room for what it comes to
constexpr long kSlack = 4096;    // what those that live may still need
constexpr long kCountEvery = 64; // isolates; a count takes a millisecond for each few thousand mappings

std::mutex mappings_lock;
long most = -1, counted = -1, made_since;

long read_most()
{
    long value = 65530; // the kernel's default
    if (FILE *file = std::fopen("/proc/sys/vm/max_map_count", "re")) {
        if (std::fscanf(file, "%ld", &value) != 1) value = 65530;
        std::fclose(file);
    }
    return value;
}

// 0 where it can't be told, as in a child that is hardened and has but one guest.
long count()
{
    char part[16384];
    long lines = 0;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && (got = read(fd, part, sizeof part)) > 0;) lines += std::count(part, part + got, '\n');
    if (fd >= 0) close(fd);
    return lines;
}

// As V8 has it.
struct Range {
    uintptr_t start, end;
};
using FindRanges = std::vector<Range>(uintptr_t from, uintptr_t to, size_t size, size_t alignment);

FindRanges *find_ranges;
std::atomic<bool> none_left;

// Where V8 may put a new isolate's code near its own, so that calls are short: there is room for some tens of isolates, and it
// keeps in mind itself which of their places are free again.  It reads all mappings for that, which takes as long as ten
// isolates' starts where a few thousand are alive.
std::vector<Range> find_ranges_once(uintptr_t from, uintptr_t to, size_t size, size_t alignment)
{
    if (none_left.load(std::memory_order_relaxed)) return {};
    std::vector<Range> found = find_ranges(from, to, size, alignment);
    if (found.empty()) none_left.store(true, std::memory_order_relaxed);
    return found;
}

const aard::Redirection redirections[] = {
    {"_ZN2v84base2OS25GetFreeMemoryRangesWithinEmmmm", aard::address(find_ranges_once), aard::place_of(&find_ranges)}};

} // namespace

AARD__PROCESS_KEEPS(code_ranges, "whether there is room for isolates' code near V8's: in children it is the same",
                    "find_ranges none_left redirections");
AARD__PROCESS_KEEPS(mappings, "how many mappings there were when they were last counted",
                    "counted made_since mappings_lock most");

void aard::spare_mappings() { redirect(redirections, sizeof redirections / sizeof *redirections); }

aard_error *aard::check_mappings()
{
    std::lock_guard<std::mutex> hold(mappings_lock);
    if (most < 0) most = read_most();
    made_since++;
    if (counted < 0 || made_since >= kCountEvery || counted + made_since * kOfVm + kSlack > most) {
        counted = count();
        made_since = 1;
    }
    if (counted + made_since * kOfVm + kSlack <= most) return nullptr;
    return aard__error(
        AARD_ERR_ENGINE,
        "the process has %ld memory mappings, and the system allows it %ld (sysctl vm.max_map_count), of "
        "which an isolate needs some and leaves %ld for those that live; raise that number, free isolates, or "
        "have them in more processes (isolation 'process')",
        counted, most, kSlack);
}
