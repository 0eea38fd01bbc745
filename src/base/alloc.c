#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hooks.h"
#include "base/process.h"

static int (*alloc_hook)(size_t size);
static atomic_bool used;

bool aard__alloc_used(void) { return atomic_load_explicit(&used, memory_order_relaxed); }

void aard__alloc_set_hook(int (*hook)(size_t size)) { alloc_hook = hook; }

static bool allowed(size_t size)
{
    if (!atomic_load_explicit(&used, memory_order_relaxed)) atomic_store_explicit(&used, true, memory_order_relaxed);
    return !alloc_hook || alloc_hook(size);
}

static void *allocate(size_t size)
{
    return aard__hooks.allocate ? aard__hooks.allocate(aard__hooks.user, size ? size : 1) : malloc(size ? size : 1);
}

void *aard__malloc(size_t size) { return allowed(size) ? allocate(size) : NULL; }

void *aard__calloc(size_t count, size_t size)
{
    if ((size && count > SIZE_MAX / size) || !allowed(count * size)) return NULL;
    if (!aard__hooks.allocate) return calloc(count ? count : 1, size ? size : 1);
    void *block = allocate(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *aard__realloc(void *ptr, size_t size)
{
    if (!allowed(size)) return NULL;
    if (!aard__hooks.allocate) return realloc(ptr, size ? size : 1);
    return ptr ? aard__hooks.reallocate(aard__hooks.user, ptr, size ? size : 1) : allocate(size);
}

void aard__free(void *ptr)
{
    if (!aard__hooks.allocate)
        free(ptr);
    else if (ptr)
        aard__hooks.release(aard__hooks.user, ptr);
}

char *aard__memdup0(const void *data, size_t len)
{
    if (len == SIZE_MAX) return NULL;
    char *copy = aard__malloc(len + 1);
    if (!copy) return NULL;
    if (len) memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *aard__strdup(const char *text) { return aard__memdup0(text, strlen(text)); }

AARD__PROCESS_KEEPS(allocation, "the allocator", "alloc_hook used");
