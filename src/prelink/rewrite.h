/* Writing a module anew: what changes in it. */
#ifndef AARD_PRELINK_REWRITE_H
#define AARD_PRELINK_REWRITE_H

#include "prelink/addition.h"
#include "prelink/thunks.h"
#include "prelink/wasm.h"

#define AARD__WASM_TABLE_EXPORT "aardvark table " /* and its number */

typedef struct aard__wasm_changes {
    const aard__addition *addition; /* functions to add; may be NULL */
    const bool *keep_export;        /* by the export's number; its own tables become exports besides */
    const uint32_t *extra;          /* functions that get a table slot behind the element segment's */
    uint32_t extra_count;
    uint32_t extra_at;          /* the slot of the first */
    uint32_t table_size;        /* the smallest that holds everything */
    const aard__thunks *thunks; /* and more, behind those; may be NULL */
    bool without_data;
} aard__wasm_changes;

void aard__wasm_write(const aard__wasm_layout *layout, const aard__wasm_changes *changes, aard__buf *out);

#endif
