/* Images of a guest's memory: captured once, written to a file, mapped copy-on-write by any number of guests.
 *
 * An image on disk is a header, text that says what else the guest needs (JSON, opaque here) and the memory from a page
 * boundary on, zero pages left out as holes.  The digest in the header covers all of it, and the key it was made for. */
#ifndef AARD_WARM_IMAGE_H
#define AARD_WARM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct aard__image aard__image;

/* Writes an image, whole or not at all. */
aard_error *aard__image_write(const char *path, const char *key, const char *text, size_t text_len, const void *memory,
                              size_t memory_len);

/* Opens and checks an image.  Errors: not_found; distribution_mismatch (made for another key), distribution_corrupt
 * (torn, truncated or altered), io, no_memory. */
aard_error *aard__image_open(const char *path, const char *key, aard__image **out);
void aard__image_free(aard__image *image);

const char *aard__image_text(const aard__image *image, size_t *len);
size_t aard__image_memory_len(const aard__image *image); /* a multiple of the page size */

/* Maps the image's memory privately over [at, at + memory_len), which must be page-aligned and mapped.  Any number of
 * times, any thread; the mapping outlives the image. */
aard_error *aard__image_map(const aard__image *image, void *at);

#endif
