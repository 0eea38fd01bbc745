/* Emscripten's JavaScript around a module, as text that is known in some places and taken as it is in all others. */
#ifndef AARD_PRELINK_GLUE_H
#define AARD_PRELINK_GLUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct aard__glue aard__glue;

/* Reads the glue; its text must outlive the result.  Errors: distribution_mismatch, no_memory. */
aard_error *aard__glue_read(const char *text, size_t len, aard__glue **out);
void aard__glue_free(aard__glue *glue); /* NULL is fine */

/* Whether the glue itself uses the export `name`. */
bool aard__glue_uses_export(const aard__glue *glue, const char *name, size_t len);

/* The types of a function that the glue imports into the module, in Emscripten's letters: its text says `_name.sig="…"`, or
 * `_name=_other` and that of the other. */
bool aard__glue_signature(const aard__glue *glue, const char *name, size_t len, const char **out, size_t *out_len);

typedef struct aard__glue_changes {
    uint32_t table_size, new_table_size;
    const char *linker; /* JavaScript: an expression */
    size_t linker_len;
    const void *symbols; /* a table of them (prelink/symbols.h) */
    size_t symbols_len;
} aard__glue_changes;

/* Appends the glue for the prelinked module.  Errors: distribution_mismatch, with the text that is not there once. */
aard_error *aard__glue_write(const aard__glue *glue, const aard__glue_changes *changes, aard__buf *out);

#endif
