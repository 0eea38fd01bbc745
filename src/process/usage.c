#include "process/usage.h"

#include <time.h>

#include "base/clock.h"
#include "base/resident.h"
#include "guest/guest.h"

/* Code, stacks, pages of files that the template has not looked at, what is freed and not yet given back. */
#define BESIDES ((uint64_t)96 << 20)

static uint64_t plus(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

uint64_t aard__memory_most_kib(const aard__settings *settings)
{
    const aard__memory_limits asked = {settings->heap_limit, settings->engine_heap_limit, settings->buffer_limit};
    bool own_memory = settings->language != AARD_LANGUAGE_JAVASCRIPT;
    aard__memory_limits most = aard__guest_memory_limits(own_memory, &asked, settings->file_rules.bytes);
    if (!most.heap || !most.buffers || (own_memory && !most.engine)) return 0;
    return plus(plus(most.heap, most.engine), plus(most.buffers, BESIDES)) / 1024;
}

enum { LOOK_MS = 50 };

static uint64_t cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return 0;
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void aard__usage_begin(aard__usage *usage, pid_t pid, uint64_t most_cpu, uint64_t most_kib)
{
    bool limited = most_cpu || most_kib;
    *usage = (aard__usage){.next = limited ? aard__clock_later(aard__clock_monotonic(), LOOK_MS) : UINT64_MAX,
                           .pid = pid,
                           .most_cpu = most_cpu,
                           .cpu_start = most_cpu ? cpu_of(pid) : 0,
                           .most_kib = most_kib};
}

static bool over_cpu(const aard__usage *usage)
{
    uint64_t used = usage->most_cpu ? cpu_of(usage->pid) : 0;
    return used > usage->cpu_start && used - usage->cpu_start > usage->most_cpu;
}

const char *aard__usage_look(aard__usage *usage, uint64_t now, aard_failure_kind *kind)
{
    if (now < usage->next) return NULL;
    usage->next = aard__clock_later(now, LOOK_MS);
    if (over_cpu(usage)) {
        *kind = AARD_FAILURE_CPU_LIMIT_EXCEEDED;
        return "the call used more processor time than its limit";
    }
    if (!usage->most_kib || aard__resident_kib_of(usage->pid) <= usage->most_kib) return NULL;
    *kind = AARD_FAILURE_HEAP_LIMIT_EXCEEDED;
    return "the guest's process grew beyond all that its limits allow";
}
