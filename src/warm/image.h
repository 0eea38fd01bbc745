/* Images of a guest's memory: captured once, kept in memory or in a file, mapped copy-on-write by any number of guests.
 *
 * Both kinds have one form: a header, the key (what the image was made for), text that says what else the guest needs
 * (JSON, opaque here) and the memory from a page boundary on, zero pages left out as holes.  The checksum in a file's
 * header covers all of it.
 *
 * A key is lines of "name=value", each ended by a newline.  Whoever opens an image says which lines it must have; others
 * may be there besides. */
#ifndef AARD_WARM_IMAGE_H
#define AARD_WARM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/hash.h"

typedef struct aard__image aard__image;

/* What an image is made of.  Everything is borrowed. */
typedef struct aard__image_parts {
    const char *key; /* NUL-terminated */
    const char *text;
    size_t text_len;
    const void *memory;
    size_t memory_len; /* a multiple of the page size */
} aard__image_parts;

/* Copies the parts into an image in memory, which nobody can change.  Errors: io, no_memory. */
aard_error *aard__image_from_memory(const aard__image_parts *parts, aard__image **out);

/* Writes an image to a file, whole or not at all (base/new_file.h). */
aard_error *aard__image_save(const aard__image *image, const char *path, mode_t mode, const aard__signing_key *key);

/* Writes an image to the empty file `fd`; signed where there is a `key`. */
aard_error *aard__image_write(const aard__image *image, int fd, const aard__signing_key *key);

/* Opens and checks a file, which nobody else may be able to write (base/trust.h).  `wanted` is the lines that its key must
 * have; where `key` is not NULL it must have signed the file.  Errors: not_found, untrusted, warm_signature; warm_mismatch (the message names the first line that differs), warm_corrupt (torn,
 * truncated or altered), io, no_memory. */
aard_error *aard__image_open(const char *path, const char *wanted, const aard__signing_key *key, aard__image **out);
/* The same of a file that is open, and nobody can change; takes the descriptor, also on an error.  `name` is for messages. */
aard_error *aard__image_open_file(int fd, const char *name, const char *wanted, const aard__signing_key *key,
                                  aard__image **out);
void aard__image_free(aard__image *image);

bool aard__image_is_signed(const aard__image *image); /* the file that it was opened from, by whomever */

bool aard__image_is_file(const aard__image *image); /* opened, not made in memory */
const char *aard__image_text(const aard__image *image, size_t *len);
const char *aard__image_key(const aard__image *image); /* NUL-terminated */
size_t aard__image_memory_len(const aard__image *image);
size_t aard__image_len(const aard__image *image); /* of the file, holes included */

/* The value of line `name` of a key, *len bytes long; NULL where there is none.  With `after` (a value found before) the
 * next line of that name. */
const char *aard__key_find(const char *key, const char *name, const char *after, size_t *len);

/* Maps the image's memory privately over [at, at + memory_len), which must be page-aligned and mapped.  Any number of
 * times, any thread; the mapping outlives the image. */
aard_error *aard__image_map(const aard__image *image, void *at);

/* The image's memory, read-only, as long as the image. */
const uint8_t *aard__image_memory(const aard__image *image);

#endif
