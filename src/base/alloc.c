#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int (*alloc_hook)(size_t size);

void aard__alloc_set_hook(int (*hook)(size_t size)) { alloc_hook = hook; }

static int allowed(size_t size) { return !alloc_hook || alloc_hook(size); }

void *aard__malloc(size_t size) { return allowed(size) ? malloc(size ? size : 1) : NULL; }

void *aard__calloc(size_t count, size_t size)
{
    if ((size && count > SIZE_MAX / size) || !allowed(count * size)) return NULL;
    return calloc(count ? count : 1, size ? size : 1);
}

void *aard__realloc(void *ptr, size_t size) { return allowed(size) ? realloc(ptr, size ? size : 1) : NULL; }

void aard__free(void *ptr) { free(ptr); }

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
