/* Names of bundle entries: which are refused, and how they are shown. */
#ifndef AARD_BUNDLE_ENTRY_NAME_H
#define AARD_BUNDLE_ENTRY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AARD__NAME_MAX 1024          /* bytes of a whole name */
#define AARD__NAME_COMPONENT_MAX 255 /* bytes between two slashes, as on the host's own filesystems */
#define AARD__NAME_DEPTH_MAX 64      /* components */
#define AARD__NAME_SHOWN 256         /* enough room for aard__name_show in most cases */

/* Writes a name for a message into `size` (at least 8) bytes: NUL-terminated UTF-8, with control characters and broken
 * bytes as \xNN, and cut where it is too long. */
void aard__name_show(char *out, size_t size, const char *name, size_t len);

/* Refuses names that are no plain relative path.  A directory's trailing slash is allowed. */
aard_error *aard__name_check(const char *name, size_t len);

/* Whether all readers take the name for the same: its bytes are ASCII, or marked as UTF-8 (`flagged`), or its extra fields
 * have it in UTF-8; and these never have another.  Others read bytes without a mark as code page 437. */
aard_error *aard__name_check_encoding(const char *name, size_t len, bool flagged, const uint8_t *extra,
                                      size_t extra_len);

/* Bytewise; a name sorts before those it is the beginning of. */
int aard__name_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
