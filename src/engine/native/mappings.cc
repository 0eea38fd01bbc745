#include "engine/native/mappings.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

#include "base/process.h"

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

} // namespace

AARD__PROCESS_KEEPS(mappings, "how many mappings there were when they were last counted",
                    "counted made_since mappings_lock most");

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
