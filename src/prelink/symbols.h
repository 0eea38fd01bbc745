/* The symbols of a prelinked executable: where each function stands in the table and each object in memory.
 *
 * A table of them is one run of bytes, sorted by name, that is looked into where it lies. */
#ifndef AARD_PRELINK_SYMBOLS_H
#define AARD_PRELINK_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct aard__symbol {
    const char *name;
    size_t name_len;
    uint32_t value; /* a function's slot, an object's address */
    bool function;
} aard__symbol;

/* Sorts `symbols` and appends their table. */
void aard__symbols_write(aard__symbol *symbols, size_t count, aard__buf *out);

/* Looks `name` up in a table of `len` bytes; false where it is not in it, or the table is damaged there. */
bool aard__symbols_find(const void *table, size_t len, const char *name, size_t name_len, aard__symbol *out);

#endif
