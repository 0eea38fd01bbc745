/* The pages of a guest's memory that were written, and what they held at a checkpoint.
 *
 * A guest's memory is an image mapped privately (or nothing, for a guest that started from nothing), and zero behind it.
 * The kernel knows which pages have become the guest's own (Linux, Documentation/admin-guide/mm/pagemap.rst); only these
 * are compared and put back, which makes a reset cost what the call before it wrote. */
#ifndef AARD_WARM_PAGES_H
#define AARD_WARM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "warm/image.h"

typedef struct aard__pages aard__pages;

/* `image` (may be NULL) is what is mapped at the start of the memory; it outlives the pages. */
aard_error *aard__pages_new(const aard__image *image, aard__pages **out);
void aard__pages_free(aard__pages *pages);

/* Remembers what `memory` holds now.  Errors: no_memory, io (no /proc, or one that does not tell); there is no checkpoint
 * then. */
aard_error *aard__pages_checkpoint(aard__pages *pages, uint8_t *memory, size_t len);

/* Puts the memory back to the checkpoint.  A memory that has grown stays so, zeroed from its old end on.
 * Errors: as above, and engine where the memory has moved or there is no checkpoint; the memory is then in no certain state. */
aard_error *aard__pages_reset(aard__pages *pages, uint8_t *memory, size_t len);

/* Pages that the last reset found to be the guest's own, and those it put back. */
void aard__pages_counts(const aard__pages *pages, size_t *own, size_t *restored);

/* Pages that the checkpoint holds because they were not as in the image. */
size_t aard__pages_kept(const aard__pages *pages);

/* Takes the kernel's older interface even where the newer one is there; for tests. */
void aard__pages_scan_plainly(bool plainly);

#endif
