#include "base/resident.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"

static atomic_int statm = -1;
static atomic_uint_fast64_t read_at, resident;

static int open_statm(void) { return open("/proc/self/statm", O_RDONLY | O_CLOEXEC); }

/* One from before a fork tells of the parent.  At once: a child that is hardened can't open any. */
static void renew(void)
{
    int before = atomic_load(&statm);
    if (before >= 0) close(before);
    if (before >= 0) atomic_store(&statm, open_statm());
    atomic_store(&read_at, 0);
}

static int get_statm(void) { return atomic_load(&statm); }

AARD__PROCESS_STATE(resident, "descriptor of /proc/self/statm, and what it said last", "statm read_at resident",
                    AARD__FORK_REOPEN, NULL, renew, get_statm);

enum { RESIDENT = 1, DATA = 5 }; /* figures of a statm, which count pages */

static uint64_t read_figure(int fd, int index)
{
    char text[128];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = '\0';
    const char *at = text;
    for (int i = 0; at && i < index; i++) at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) * (uint64_t)(sysconf(_SC_PAGESIZE) / 1024) : 0;
}

static uint64_t read_kib(void)
{
    int fd = atomic_load(&statm);
    if (fd < 0) {
        int opened = open_statm(), none = -1;
        if (opened < 0) return 0;
        if (!atomic_compare_exchange_strong(&statm, &none, opened)) {
            close(opened);
            opened = none;
        }
        fd = opened;
    }
    return read_figure(fd, RESIDENT);
}

uint64_t aard__resident_kib(void)
{
    uint64_t now = aard__clock_monotonic(), last = atomic_load(&read_at);
    if (last && now - last < 1000000) return atomic_load(&resident);
    atomic_store(&resident, read_kib());
    atomic_store(&read_at, now);
    return atomic_load(&resident);
}

static uint64_t read_of(const char *path, int index)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    uint64_t kib = read_figure(fd, index);
    close(fd);
    return kib;
}

uint64_t aard__resident_kib_of(pid_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    return read_of(path, RESIDENT);
}

uint64_t aard__data_kib(void) { return read_of("/proc/self/statm", DATA); }
