/* Functions that prelinking adds to an executable: a small module in object form, as `wat2wasm --relocatable` writes it
 * (tool conventions, "WebAssembly Object File Linking").  It may import the executable's memory and what functions it
 * exports; its own exports become symbols.  A function that it exports by the name of one of the executable's takes the place
 * of that one everywhere; what the addition imports by that name is the one that was there. */
#ifndef AARD_PRELINK_ADDITION_H
#define AARD_PRELINK_ADDITION_H

#include "prelink/wasm.h"

typedef struct aard__addition {
    aard__reader types, functions, code; /* behind their counts */
    uint32_t type_count, function_count; /* defined ones */
    aard__wasm_export *imports;          /* functions, by their numbers in the executable */
    uint32_t imported_count;
    struct {
        uint32_t index;    /* in the executable */
        aard__reader body; /* with its size before it */
    } * defined;           /* functions */
    size_t *calls;         /* where in `code` a function's number stands */
    uint32_t call_count;
    aard__wasm_export *exports; /* functions, by their numbers in the executable */
    uint32_t export_count;
} aard__addition;

/* Reads the module; its bytes and the layout's must outlive the addition.  Errors: distribution_mismatch, no_memory. */
aard_error *aard__addition_read(const void *data, size_t len, const aard__wasm_layout *into, aard__addition *out);
void aard__addition_free(aard__addition *addition);

/* Whether the function takes the place of one of the executable's. */
bool aard__addition_replaces(const aard__addition *addition, const aard__wasm_layout *into, uint32_t index);

/* Writes section `id` of the executable, `old`, with what is added to it; false where nothing is added to such a one. */
bool aard__addition_write(const aard__addition *addition, const aard__wasm_layout *into, int id, aard__reader old,
                          aard__buf *out);

#endif
