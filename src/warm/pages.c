#include "warm/pages.h"

#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "warm/page_scan.h"

/* A page that stays as it was for so many resets in a row goes back to the image, where looking at it costs nothing. */
#define RESETS_UNTIL_COLD 32
/* When a call has written more pages than this for the first time, those are let go instead of put back: most such calls
 * are alone in what they touch. */
#define MANY_NEW_PAGES 256

struct aard__pages {
    const uint8_t *base; /* the image's memory */
    size_t base_pages;
    const uint8_t *memory; /* where it was at the checkpoint; NULL = there is none */
    size_t page_count;     /* of the memory at the checkpoint */
    uint8_t *kept;         /* the pages that differed from the image at the checkpoint, one after the other */
    uint32_t *kept_at;     /* by page: 1 + its place among the kept, 0 = as in the image */
    uint8_t *idle;         /* by page: resets since it was last found changed */
    uint8_t *known;        /* by page: 1 where a call has changed it before */
    aard__page_scan scan;
    size_t own, restored, kept_count;
};

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
    aard__free(pages->kept);
    aard__free(pages->kept_at);
    aard__free(pages->idle);
    aard__free(pages->known);
    pages->kept = pages->idle = pages->known = NULL;
    pages->kept_at = NULL;
    pages->memory = NULL;
}

void aard__pages_free(aard__pages *pages)
{
    if (!pages) return;
    forget(pages);
    aard__page_scan_free(&pages->scan);
    aard__free(pages);
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

static size_t count_differing(const aard__pages *pages, const uint8_t *memory)
{
    size_t count = 0;
    for (size_t i = 0; i < pages->scan.count; i++)
        for (size_t page = pages->scan.runs[i].first, n = pages->scan.runs[i].count; n; n--, page++)
            if (memcmp(memory + page * AARD__PAGE, base_of(pages, page), AARD__PAGE) != 0) count++;
    return count;
}

static void keep_differing(aard__pages *pages, const uint8_t *memory)
{
    uint32_t count = 0;
    for (size_t i = 0; i < pages->scan.count; i++)
        for (size_t page = pages->scan.runs[i].first, n = pages->scan.runs[i].count; n; n--, page++) {
            const uint8_t *now = memory + page * AARD__PAGE;
            if (memcmp(now, base_of(pages, page), AARD__PAGE) == 0) continue;
            memcpy(pages->kept + (size_t)count * AARD__PAGE, now, AARD__PAGE);
            pages->kept_at[page] = ++count;
        }
}

aard_error *aard__pages_checkpoint(aard__pages *pages, uint8_t *memory, size_t len)
{
    forget(pages);
    AARD__TRY(aard__page_scan_run(&pages->scan, memory, len));
    size_t count = count_differing(pages, memory), page_count = len / AARD__PAGE;
    pages->kept = aard__malloc(count * AARD__PAGE);
    pages->kept_at = aard__calloc(page_count, sizeof *pages->kept_at);
    pages->idle = aard__calloc(page_count, 1);
    pages->known = aard__calloc(page_count, 1);
    if (!pages->kept || !pages->kept_at || !pages->idle || !pages->known) {
        forget(pages);
        return aard__error_no_memory();
    }
    pages->page_count = page_count;
    pages->kept_count = count;
    keep_differing(pages, memory);
    pages->memory = memory;
    return NULL;
}

/* Gives pages back to the kernel: they are the image's again, or zero. */
static bool drop(uint8_t *memory, size_t first, size_t count)
{
    return madvise(memory + first * AARD__PAGE, count * AARD__PAGE, MADV_DONTNEED) == 0;
}

/* A page behind what there was at the checkpoint, or one that is new among too many. */
static bool is_to_drop(const aard__pages *pages, size_t page, bool many_new)
{
    if (page >= pages->page_count) return true;
    return many_new && !pages->known[page] && !pages->kept_at[page];
}

static bool put_back(aard__pages *pages, uint8_t *memory, size_t page)
{
    uint8_t *now = memory + page * AARD__PAGE;
    const uint8_t *before = expected(pages, page);
    if (memcmp(now, before, AARD__PAGE) != 0) {
        memcpy(now, before, AARD__PAGE);
        pages->idle[page] = 0;
        pages->known[page] = 1;
        pages->restored++;
        return true;
    }
    if (pages->kept_at[page] || ++pages->idle[page] < RESETS_UNTIL_COLD) return true;
    pages->idle[page] = 0;
    pages->known[page] = 0;
    return drop(memory, page, 1);
}

static bool reset_run(aard__pages *pages, uint8_t *memory, aard__page_run run, bool many_new)
{
    size_t page = run.first, end = run.first + run.count;
    while (page < end) {
        size_t stop = page;
        while (stop < end && is_to_drop(pages, stop, many_new)) stop++;
        if (stop > page) {
            for (size_t i = page; i < stop && i < pages->page_count; i++) pages->known[i] = 1;
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
            if (page < pages->page_count && !pages->known[page] && !pages->kept_at[page]) count++;
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
    return ok ? NULL : aard__error(AARD_ERR_ENGINE, "the guest's memory could not be put back");
}

void aard__pages_counts(const aard__pages *pages, size_t *own, size_t *restored)
{
    *own = pages->own;
    *restored = pages->restored;
}

size_t aard__pages_kept(const aard__pages *pages) { return pages->kept_count; }
