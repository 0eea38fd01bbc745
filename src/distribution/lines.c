/* The lines of Pyodide that this library runs.  One more is a row here, its pins (pyodide-stage/update-pins.py), and a folder
 * of src/embedded. */
#include "distribution/line.h"

const aard__line aard__lines[] = {
    {
        .pins = &aard__pins_0_29,
        .glue = AARD__FILE_GLUE,
        .embedded = "python",
        /* Modules/_randommodule.c of 3.13: reference count, type, then the place in the state and the state itself. */
        .random = {.index = 8, .state = 12, .words = 624},
    },
};
const size_t aard__line_count = sizeof aard__lines / sizeof *aard__lines;
