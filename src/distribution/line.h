/* Lines of Pyodide: all that differs between the releases that this library runs is a row of the table in lines.c.  Who has
 * a distribution in hand asks it for its line (aard__distribution_line). */
#ifndef AARD_DISTRIBUTION_LINE_H
#define AARD_DISTRIBUTION_LINE_H

#include <stddef.h>

#include "distribution/pins.h"

typedef struct aard__line {
    const aard__pins *pins;
    const char *glue;     /* which of the pinned files is Emscripten's JavaScript */
    const char *embedded; /* the folder of src/embedded with what runs in its guests */
    struct {
        size_t index, state, words; /* places in CPython's RandomObject on wasm32, and how long the state is */
    } random;
} aard__line;

extern const aard__line aard__lines[]; /* the first is what is staged by default */
extern const size_t aard__line_count;

/* The line of a release ("0.29.4"); NULL for one that this library does not run. */
const aard__line *aard__line_of(const char *pyodide_version);

/* The releases, for messages: "0.29.4 or 314.0.7". */
enum { AARD__LINE_VERSIONS = 128 };
const char *aard__line_versions(char out[AARD__LINE_VERSIONS]);

#endif
