#include "warm/page_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"
#include "warm/pages.h"

/* Linux 6.7's PAGEMAP_SCAN (include/uapi/linux/fs.h), which older headers do not have. */
typedef struct scan_request {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
} scan_request;

typedef struct scan_region {
    uint64_t start, end, categories;
} scan_region;

#define SCAN_IOCTL _IOWR('f', 16, scan_request)
#define IS_FILE (UINT64_C(1) << 2)
#define IS_PRESENT (UINT64_C(1) << 3)
#define IS_SWAPPED (UINT64_C(1) << 4)
#define REGIONS 256

/* Bits of an entry of /proc/self/pagemap. */
#define ENTRY_FILE (UINT64_C(1) << 61)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRIES ((size_t)4096)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pagemap = -1;
static atomic_bool plainly;

void aard__pages_scan_plainly(bool wanted) { atomic_store(&plainly, wanted); }

static aard_error *open_pagemap(int *out)
{
    aard_error *error = NULL;
    pthread_mutex_lock(&lock);
    if (pagemap < 0) pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0) error = aard__error_errno(AARD_ERR_IO, errno, "cannot open '/proc/self/pagemap'");
    *out = pagemap;
    pthread_mutex_unlock(&lock);
    return error;
}

/* One from before a fork shows the parent's pages.  At once: a child that is hardened can't open any. */
static void reopen_pagemap(void)
{
    if (pagemap < 0) return;
    close(pagemap);
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

static int get_pagemap(void) { return pagemap; }

AARD__PROCESS_STATE(pagemap, "descriptor of /proc/self/pagemap", "lock pagemap plainly", AARD__FORK_REOPEN, NULL,
                    reopen_pagemap, get_pagemap);

static aard_error *add(aard__page_scan *scan, size_t first, size_t count)
{
    aard__page_run *last = scan->count ? &scan->runs[scan->count - 1] : NULL;
    if (last && last->first + last->count == first) {
        last->count += count;
        return NULL;
    }
    if (scan->count == scan->room) {
        size_t room = scan->room ? scan->room * 2 : 64;
        aard__page_run *runs = aard__realloc(scan->runs, room * sizeof *runs);
        if (!runs) return aard__error_no_memory();
        scan->runs = runs;
        scan->room = room;
    }
    scan->runs[scan->count++] = (aard__page_run){first, count};
    return NULL;
}

/* False where the kernel has no such call. */
static bool scan_quickly(int fd, aard__page_scan *scan, const uint8_t *memory, size_t len, aard_error **error)
{
    scan_region regions[REGIONS];
    uint64_t start = (uintptr_t)memory, end = start + len;
    while (start < end && !*error) {
        scan_request request = {.size = sizeof request,
                                .start = start,
                                .end = end,
                                .vec = (uintptr_t)regions,
                                .vec_len = REGIONS,
                                .category_inverted = IS_FILE,
                                .category_mask = IS_FILE,
                                .category_anyof_mask = IS_PRESENT | IS_SWAPPED,
                                .return_mask = IS_FILE};
        long found = ioctl(fd, SCAN_IOCTL, &request);
        if (found < 0 && errno == EINTR) continue;
        if (found < 0) return false;
        for (long i = 0; i < found && !*error; i++)
            *error = add(scan, (size_t)(regions[i].start - (uintptr_t)memory) / AARD__PAGE,
                         (size_t)(regions[i].end - regions[i].start) / AARD__PAGE);
        if (request.walk_end <= start) return false;
        start = request.walk_end;
    }
    return true;
}

static aard_error *scan_plainly(int fd, aard__page_scan *scan, const uint8_t *memory, size_t len)
{
    if (!scan->entries && !(scan->entries = aard__malloc(ENTRIES * sizeof *scan->entries)))
        return aard__error_no_memory();
    size_t total = len / AARD__PAGE, first = (uintptr_t)memory / AARD__PAGE;
    for (size_t done = 0; done < total;) {
        size_t wanted = total - done < ENTRIES ? total - done : ENTRIES;
        ssize_t got = pread(fd, scan->entries, wanted * 8, (off_t)((first + done) * 8));
        if (got < 0 && errno == EINTR) continue;
        if (got < 8) return aard__error_errno(AARD_ERR_IO, got < 0 ? errno : EIO, "cannot read '/proc/self/pagemap'");
        size_t count = (size_t)got / 8;
        for (size_t i = 0; i < count; i++) {
            uint64_t entry = scan->entries[i];
            if (!(entry & (ENTRY_PRESENT | ENTRY_SWAPPED)) || (entry & ENTRY_FILE)) continue;
            AARD__TRY(add(scan, done + i, 1));
        }
        done += count;
    }
    return NULL;
}

aard_error *aard__page_scan_run(aard__page_scan *scan, const uint8_t *memory, size_t len)
{
    int fd;
    AARD__TRY(open_pagemap(&fd));
    aard_error *error = NULL;
    scan->count = 0;
    if (!atomic_load(&plainly)) {
        if (scan_quickly(fd, scan, memory, len, &error)) return error;
        atomic_store(&plainly, true);
        scan->count = 0;
    }
    return scan_plainly(fd, scan, memory, len);
}

void aard__page_scan_free(aard__page_scan *scan)
{
    aard__free(scan->runs);
    aard__free(scan->entries);
    *scan = (aard__page_scan){0};
}
