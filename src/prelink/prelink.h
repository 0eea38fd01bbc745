/* Prelinking: Emscripten's dynamic-linking start, done once instead of at every start.
 *
 * An executable that other modules may be linked to at run time exports all its functions and objects, and its glue turns
 * each into a JavaScript object and a table slot whenever it starts.  A prelinked one exports only what the glue itself
 * uses; everything else has a fixed slot or address, which a table of symbols tells to whoever asks by name. */
#ifndef AARD_PRELINK_PRELINK_H
#define AARD_PRELINK_PRELINK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct aard__prelink_input {
    const void *wasm;
    size_t wasm_len;
    const char *glue;
    size_t glue_len;
    const char
        *linker; /* the JavaScript that takes the place of the glue's own start (src/embedded/python/prelink.js) */
    size_t linker_len;
    const void *addition; /* functions to add to the module (prelink/addition.h); NULL = none */
    size_t addition_len;
} aard__prelink_input;

typedef struct aard__prelinked {
    aard__buf wasm;
    aard__buf bare; /* the same module without its data: for starts whose memory comes from an image */
    aard__buf glue;
    aard__buf symbols; /* prelink/symbols.h */
} aard__prelinked;

/* Errors: distribution_mismatch (the files are not of the form that is known: what differs), no_memory. */
aard_error *aard__prelink(const aard__prelink_input *input, aard__prelinked *out);
void aard__prelinked_free(aard__prelinked *prelinked);

#endif
