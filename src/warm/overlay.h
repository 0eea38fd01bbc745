/* Overlays: the files of a set of packages, unpacked once into one read-only file that all guests read in place.
 *
 * On disk: a header, the key (what the overlay was made of), an index of names in bytewise order, and the files' bytes.
 * The digest in the header covers all of it, and what is opened is checked whole: names, offsets and lengths as if an
 * enemy had written them. */
#ifndef AARD_WARM_OVERLAY_H
#define AARD_WARM_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

typedef struct aard__overlay aard__overlay;

/* A file that goes into an overlay; the name is relative, with "/" between its parts.  Everything is borrowed. */
typedef struct aard__overlay_item {
    const char *name;
    size_t name_len;
    const uint8_t *data;
    size_t len;
    uint64_t tag; /* whoever writes one may have use for it */
} aard__overlay_item;

/* Writes an overlay of `items` (which it sorts) to the empty file `fd`.  Errors: invalid_argument (names that can't be
 * together), io, no_memory. */
aard_error *aard__overlay_write(int fd, const char *key, aard__overlay_item *items, size_t count);

/* The same where the contents come piece by piece: `fill` is called for each item in the order of their names, and puts the
 * item's `len` bytes into the sink.  Errors: also what `fill` gives. */
typedef struct aard__overlay_sink aard__overlay_sink;
typedef aard_error *(*aard__overlay_fill)(void *user, const aard__overlay_item *item, aard__overlay_sink *sink);
aard_error *aard__overlay_write_from(int fd, const char *key, aard__overlay_item *items, size_t count,
                                     aard__overlay_fill fill, void *user);
aard_error *aard__overlay_put(aard__overlay_sink *sink, const void *data, size_t len);

/* Opens and checks the overlay in `fd`, which stays the caller's; `where` names it in messages.  `wanted` is the key it
 * must have.  One owner.  Errors: warm_corrupt, warm_mismatch, io, no_memory. */
aard_error *aard__overlay_open(int fd, const char *where, const char *wanted, aard__overlay **out);

/* The same check of bytes, which are borrowed; with `wanted` NULL of any key. */
aard_error *aard__overlay_check(const void *data, size_t len, const char *where, const char *wanted);

aard__overlay *aard__overlay_retain(aard__overlay *overlay); /* any thread */
void aard__overlay_free(aard__overlay *overlay);             /* one owner less; any thread; NULL is fine */

/* Whether nobody but the caller, who is an owner, has it: then nobody will, but by the caller. */
bool aard__overlay_has_one_owner(const aard__overlay *overlay);

const char *aard__overlay_key(const aard__overlay *overlay);
const char *aard__overlay_digest(const aard__overlay *overlay); /* lowercase hex */
size_t aard__overlay_count(const aard__overlay *overlay);

/* File `index` (< count); the pointers live as long as the overlay.  The name has no NUL behind it. */
aard__overlay_item aard__overlay_file(const aard__overlay *overlay, size_t index);

#endif
