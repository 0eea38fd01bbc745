/* The one place all C memory of the library comes from: the host's allocator (aardvark/hooks.h), else the C library's.
 * Fault-injection tests stand before it. */
#ifndef AARD_BASE_ALLOC_H
#define AARD_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* NULL when memory is out; a size of 0 gives a pointer that may be freed. */
void *aard__malloc(size_t size);
void *aard__calloc(size_t count, size_t size);
void *aard__realloc(void *ptr, size_t size); /* on failure `ptr` stays valid */
void aard__free(void *ptr);

char *aard__strdup(const char *text);
char *aard__memdup0(const void *data, size_t len); /* copy with a NUL behind it */

bool aard__alloc_used(void); /* something has been allocated: the host's allocator can't come any more */

/* Makes `hook` decide whether the next allocation succeeds (false = fail it); NULL ends that.  Tests only; set while no
 * other thread allocates. */
void aard__alloc_set_hook(int (*hook)(size_t size));

#endif
