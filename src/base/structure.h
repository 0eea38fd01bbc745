/* Structures that a caller fills: each begins with its size, as of the caller's headers (include/aardvark.h). */
#ifndef AARD_BASE_STRUCTURE_H
#define AARD_BASE_STRUCTURE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Copies `*given` into the `size` bytes at `out`; members that the caller did not have yet become 0.  NULL, or what is wrong:
 * no size, or a member set that this version does not have. */
const char *aard__structure_read(const void *given, void *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
