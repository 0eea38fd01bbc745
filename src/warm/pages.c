#include "warm/pages.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/new_file.h"
#include "base/process.h"
#include "warm/page_scan.h"

/* A page that stays as it was for so many resets in a row goes back to the image, where looking at it costs nothing.  To let
 * go of it and to take it anew stops all threads of the process for a moment, so a page that calls write to and leave as it
 * was is let go after eight times as many resets the next time, and in the end no more. */
#define RESETS_UNTIL_COLD 32
#define COLD_SHIFT 3
#define RETURNS_MOST 3
/* Copies of so few pages cost less to compare at each reset than to map; and an isolate that is reset once may be reset no
 * more. */
#define FEW_KEPT 128
#define RESETS_UNTIL_MAPPED 16
/* When a call has written more pages than this for the first time, those are let go instead of put back: most such calls
 * are alone in what they touch. */
#define MANY_NEW_PAGES 256
/* Every mapping makes a scan slower, so gaps between kept pages are filled until there are no more runs than this. */
#define RUNS_WANTED 24
#define GAP_MAX 16
/* Every run is a mapping of its own, of which the kernel allows a process 65 530 (vm.max_map_count). */
#define MAPPINGS_MAX 20000

typedef struct page_state {
    uint16_t idle;   /* resets since it was last found changed */
    uint8_t returns; /* how often it was let go since the checkpoint */
    bool known;      /* a call has changed it before */
} page_state;

struct aard__pages {
    const uint8_t *base; /* the image's memory */
    size_t base_pages;
    const uint8_t *memory; /* where it was at the checkpoint; NULL = there is none */
    size_t page_count;     /* of the memory at the checkpoint */
    uint8_t *kept;         /* the pages that were not as in the image at the checkpoint, one after the other */
    size_t kept_count, mappings;
    bool mapped;        /* they are a file's, which lies under the memory */
    uint32_t *kept_at;  /* by page: 1 + its place among the kept, 0 = as in the image */
    page_state *states; /* by page */
    size_t resets;      /* since the checkpoint */
    aard__page_scan scan;
    size_t own, restored;
};

static atomic_size_t all_mappings;

aard_error *aard__pages_new(const aard__image *image, aard__pages **out)
{
    aard__pages *pages = aard__calloc(1, sizeof *pages);
    if (!pages) return aard__error_no_memory();
    if (image) {
        pages->base = aard__image_memory(image);
        pages->base_pages = aard__image_memory_len(image) / AARD__PAGE;
    }
    *out = pages;
    return NULL;
}

static void forget(aard__pages *pages)
{
    if (pages->kept) munmap(pages->kept, pages->kept_count * AARD__PAGE);
    atomic_fetch_sub(&all_mappings, pages->mappings);
    aard__free(pages->kept_at);
    aard__free(pages->states);
    pages->kept = NULL;
    pages->states = NULL;
    pages->kept_at = NULL;
    pages->kept_count = pages->mappings = pages->resets = 0;
    pages->mapped = false;
    pages->memory = NULL;
}

void aard__pages_free(aard__pages *pages)
{
    if (!pages) return;
    forget(pages);
    aard__page_scan_free(&pages->scan);
    aard__free(pages);
}

/* Gives pages back to the kernel: they are the image's again, or zero. */
static bool drop(uint8_t *memory, size_t first, size_t count)
{
    return madvise(memory + first * AARD__PAGE, count * AARD__PAGE, MADV_DONTNEED) == 0;
}

static const uint8_t zero_page[AARD__PAGE];

static const uint8_t *base_of(const aard__pages *pages, size_t page)
{
    return page < pages->base_pages ? pages->base + page * AARD__PAGE : zero_page;
}

static const uint8_t *expected(const aard__pages *pages, size_t page)
{
    uint32_t at = page < pages->page_count ? pages->kept_at[page] : 0;
    return at ? pages->kept + (size_t)(at - 1) * AARD__PAGE : base_of(pages, page);
}

/* ---- the checkpoint ------------------------------------------------------------------------------------------ */

/* Marks what is to be kept: own pages that are not as in the image, and what the checkpoint before may have put in
 * place of the image. */
static uint32_t *mark(const aard__pages *pages, const uint8_t *memory, size_t page_count)
{
    uint32_t *marks = aard__calloc(page_count + 1, sizeof *marks);
    if (!marks) return NULL;
    for (size_t i = 0; i < pages->scan.count; i++)
        for (size_t page = pages->scan.runs[i].first, n = pages->scan.runs[i].count; n; n--, page++)
            marks[page] = memcmp(memory + page * AARD__PAGE, base_of(pages, page), AARD__PAGE) != 0;
    for (size_t page = 0; page < pages->page_count; page++)
        if (pages->kept_at[page]) marks[page] = 1;
    return marks;
}

static size_t count_runs(const uint32_t *marks, size_t page_count)
{
    size_t runs = 0;
    for (size_t page = 0; page < page_count; page++) runs += marks[page] && (!page || !marks[page - 1]);
    return runs;
}

/* Marks the pages of every gap that is no longer than `gap`. */
static void fill_gaps(uint32_t *marks, size_t page_count, size_t gap)
{
    for (size_t page = 0, last = SIZE_MAX; page < page_count; page++) {
        if (!marks[page]) continue;
        if (last != SIZE_MAX && page - last - 1 <= gap)
            while (++last < page) marks[last] = 1;
        last = page;
    }
}

/* Turns marks into places; gives how many. */
static uint32_t number(uint32_t *marks, size_t page_count)
{
    uint32_t count = 0;
    for (size_t page = 0; page < page_count; page++)
        if (marks[page]) marks[page] = ++count;
    return count;
}

/* Puts the file's pages, which hold the same, under the memory: those that no call changes then cost a reset nothing. */
static bool map_kept(aard__pages *pages, uint8_t *memory, const uint32_t *places, size_t page_count, int fd)
{
    size_t runs = count_runs(places, page_count);
    if (atomic_fetch_add(&all_mappings, 2 * runs) >= MAPPINGS_MAX) {
        atomic_fetch_sub(&all_mappings, 2 * runs);
        return false;
    }
    pages->mappings = 2 * runs;
    for (size_t page = 0; page < page_count;) {
        size_t end = page;
        while (end < page_count && places[end]) end++;
        if (end == page) {
            page++;
            continue;
        }
        void *at = mmap(memory + page * AARD__PAGE, (end - page) * AARD__PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_FIXED, fd, (off_t)((size_t)(places[page] - 1) * AARD__PAGE));
        if (at == MAP_FAILED) return false;
        page = end;
    }
    return true;
}

/* Copies the pages that have places to where `kept` is. */
static void copy_kept(uint8_t *kept, const uint8_t *memory, const uint32_t *places, size_t page_count)
{
    for (size_t page = 0; page < page_count; page++)
        if (places[page])
            memcpy(kept + (size_t)(places[page] - 1) * AARD__PAGE, memory + page * AARD__PAGE, AARD__PAGE);
}

/* Writes the pages that have places to a file: the kernel fills fresh pages faster so than through a mapping. */
static bool write_kept(int fd, const uint8_t *memory, const uint32_t *places, size_t page_count)
{
    for (size_t page = 0, end; page < page_count; page = end + 1) {
        for (end = page; end < page_count && places[end];) end++;
        if (end > page && !aard__write_at(fd, memory + page * AARD__PAGE, (end - page) * AARD__PAGE,
                                          (size_t)(places[page] - 1) * AARD__PAGE))
            return false;
    }
    return true;
}

/* Turns the copies into a file that lies under the memory, which has just been put back.  Where that can't be, they stay
 * copies. */
static void settle(aard__pages *pages, uint8_t *memory)
{
    uint32_t *places = aard__calloc(pages->page_count + 1, sizeof *places);
    if (!places) return;
    memcpy(places, pages->kept_at, pages->page_count * sizeof *places);
    for (size_t gap = 4; gap <= GAP_MAX && count_runs(places, pages->page_count) > RUNS_WANTED; gap *= 2)
        fill_gaps(places, pages->page_count, gap);
    size_t count = number(places, pages->page_count);
    uint8_t *kept = MAP_FAILED;
    int fd = memfd_create("aardvark-checkpoint", MFD_CLOEXEC);
    if (fd >= 0 && write_kept(fd, memory, places, pages->page_count))
        kept = mmap(NULL, count * AARD__PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (kept != MAP_FAILED) {
        munmap(pages->kept, pages->kept_count * AARD__PAGE);
        aard__free(pages->kept_at);
        pages->kept = kept;
        pages->kept_at = places;
        pages->kept_count = count;
        pages->mapped = map_kept(pages, memory, places, pages->page_count, fd);
        /* What was touched so far is mapped as well, and would make every scan longer. */
        if (pages->mapped) drop(memory, 0, pages->page_count);
    } else {
        aard__free(places);
    }
    if (fd >= 0) close(fd);
}

/* Lets go of own pages that are as in the image: the first reset need not look at them. */
static void drop_equal(const aard__pages *pages, uint8_t *memory)
{
    for (size_t i = 0; i < pages->scan.count; i++) {
        size_t page = pages->scan.runs[i].first, end = page + pages->scan.runs[i].count;
        while (page < end) {
            size_t stop = page;
            while (stop < end && !pages->kept_at[stop]) stop++;
            if (stop > page && !drop(memory, page, stop - page)) return; /* they stay, and are compared */
            page = stop + 1;
        }
    }
}

aard_error *aard__pages_checkpoint(aard__pages *pages, uint8_t *memory, size_t len)
{
    size_t page_count = len / AARD__PAGE;
    AARD__TRY(aard__page_scan_run(&pages->scan, memory, len));
    if (page_count < pages->page_count) return aard__error(AARD_ERR_ENGINE, "the guest's memory has moved");
    uint32_t *places = mark(pages, memory, page_count);
    page_state *states = aard__calloc(page_count, sizeof *states);
    size_t count = places ? number(places, page_count) : 0;
    uint8_t *kept = count ? mmap(NULL, count * AARD__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                          : NULL;
    if (!places || !states || kept == MAP_FAILED) {
        aard__free(places);
        aard__free(states);
        if (kept && kept != MAP_FAILED) munmap(kept, count * AARD__PAGE);
        return aard__error_no_memory();
    }
    copy_kept(kept, memory, places, page_count);
    forget(pages);
    pages->kept = kept;
    pages->kept_count = count;
    pages->kept_at = places;
    pages->states = states;
    pages->page_count = page_count;
    pages->memory = memory;
    drop_equal(pages, memory);
    return NULL;
}

/* ---- the reset ----------------------------------------------------------------------------------------------- */

/* Whether what lies under the page is what it was at the checkpoint. */
static bool has_floor(const aard__pages *pages, size_t page) { return pages->mapped || !pages->kept_at[page]; }

/* A page behind what there was at the checkpoint, or one that is new among too many. */
static bool is_to_drop(const aard__pages *pages, size_t page, bool many_new)
{
    if (page >= pages->page_count) return true;
    return many_new && !pages->states[page].known && has_floor(pages, page);
}

static bool put_back(aard__pages *pages, uint8_t *memory, size_t page)
{
    uint8_t *now = memory + page * AARD__PAGE;
    const uint8_t *before = expected(pages, page);
    page_state *state = &pages->states[page];
    if (memcmp(now, before, AARD__PAGE) != 0) {
        memcpy(now, before, AARD__PAGE);
        state->idle = 0;
        state->known = true;
        pages->restored++;
        return true;
    }
    if (!has_floor(pages, page) || state->returns == RETURNS_MOST ||
        ++state->idle < RESETS_UNTIL_COLD << COLD_SHIFT * state->returns)
        return true;
    state->idle = 0;
    state->known = false;
    state->returns++;
    return drop(memory, page, 1);
}

static bool reset_run(aard__pages *pages, uint8_t *memory, aard__page_run run, bool many_new)
{
    size_t page = run.first, end = run.first + run.count;
    while (page < end) {
        size_t stop = page;
        while (stop < end && is_to_drop(pages, stop, many_new)) stop++;
        if (stop > page) {
            for (size_t i = page; i < stop && i < pages->page_count; i++) pages->states[i].known = true;
            pages->restored += stop - page;
            if (!drop(memory, page, stop - page)) return false;
            page = stop;
        } else if (!put_back(pages, memory, page++)) {
            return false;
        }
    }
    return true;
}

static bool has_many_new(const aard__pages *pages)
{
    size_t count = 0;
    for (size_t i = 0; i < pages->scan.count; i++)
        for (size_t page = pages->scan.runs[i].first, n = pages->scan.runs[i].count; n; n--, page++)
            if (page < pages->page_count && !pages->states[page].known && has_floor(pages, page)) count++;
    return count > MANY_NEW_PAGES;
}

aard_error *aard__pages_reset(aard__pages *pages, uint8_t *memory, size_t len)
{
    if (!pages->memory || pages->memory != memory || len / AARD__PAGE < pages->page_count)
        return aard__error(AARD_ERR_ENGINE, "the guest's memory has moved");
    AARD__TRY(aard__page_scan_run(&pages->scan, memory, len));
    pages->own = pages->restored = 0;
    bool many_new = has_many_new(pages), ok = true;
    for (size_t i = 0; i < pages->scan.count && ok; i++) {
        pages->own += pages->scan.runs[i].count;
        ok = reset_run(pages, memory, pages->scan.runs[i], many_new);
    }
    if (!ok) return aard__error(AARD_ERR_ENGINE, "the guest's memory could not be put back");
    if (++pages->resets == RESETS_UNTIL_MAPPED && pages->kept_count > FEW_KEPT) settle(pages, memory);
    return NULL;
}

void aard__pages_counts(const aard__pages *pages, size_t *own, size_t *restored)
{
    *own = pages->own;
    *restored = pages->restored;
}

size_t aard__pages_kept(const aard__pages *pages) { return pages->kept_count; }

AARD__PROCESS_KEEPS(mappings, "how many mappings checkpoints have", "all_mappings");
