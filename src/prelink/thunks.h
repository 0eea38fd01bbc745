/* Functions in the module that stand in its table for functions of JavaScript.
 *
 * C takes the address of a few hundred functions that JavaScript gives.  For each the engine would have to compile a
 * wrapper, whenever the module starts, though hardly any is called so.  A thunk has its type and its place in the table;
 * when it is called, it has the function behind the last thunk put the real one there ("js ", called with the place),
 * and calls that. */
#ifndef AARD_PRELINK_THUNKS_H
#define AARD_PRELINK_THUNKS_H

#include "prelink/glue.h"
#include "prelink/wasm.h"

typedef struct aard__thunk {
    char *name; /* "js " and the name that it is imported by */
    uint32_t type;
    uint32_t parameters;
} aard__thunk;

typedef struct aard__thunks {
    aard__thunk *list;
    uint32_t count;
    uint32_t place;    /* of the first in the table */
    uint32_t put_type; /* of the function that puts the real one there */
    aard__reader old;  /* the module's own types */
    uint32_t old_count;
    uint32_t first_added; /* the number of the first type in `added` */
    uint32_t added_count;
    aard__buf added;
} aard__thunks;

/* Finds out which functions there are; those whose type the glue does not tell are left out.  `more_types` are added to the
 * module before theirs.  Errors: distribution_mismatch, no_memory. */
aard_error *aard__thunks_find(const aard__wasm_layout *layout, const aard__glue *glue, uint32_t more_types,
                              aard__thunks *out);
void aard__thunks_free(aard__thunks *thunks); /* fine on one that is all zero */

/* Adds what belongs there to section `id`, whose bytes are in `section`. */
void aard__thunks_write(const aard__thunks *thunks, int id, aard__buf *section);

#endif
