/* Bytes in a memfd that nobody can change any more. */
#ifndef AARD_BASE_SEALED_H
#define AARD_BASE_SEALED_H

#include <stdbool.h>
#include <stddef.h>

/* The descriptor of a copy; -1 and errno on failure. */
int aard__sealed_new(const void *data, size_t len);

/* Seals what has been written to a memfd; false and errno on failure. */
bool aard__seal(int fd);
/* Whether nobody can change it, as the next wants it. */
bool aard__is_sealed(int fd);

/* Maps `len` (above 0) bytes to be read; `*map` is for munmap.  False and errno EPERM where the descriptor is anything but the
 * memfd of that very length that is sealed against being changed, shrunk or extended: what is read here once must read as
 * the same ever after, and never be missing.  False and another errno where the system can't map it. */
bool aard__sealed_map(int fd, size_t len, void **map);

#endif
