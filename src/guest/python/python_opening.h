/* Opening what Python guests start from.
 *
 * Every byte of it is hashed before it is used, which takes longer than all else that can be done meanwhile: so it is begun
 * early, on threads of its own. */
#ifndef AARD_GUEST_PYTHON_PYTHON_OPENING_H
#define AARD_GUEST_PYTHON_PYTHON_OPENING_H

#include "guest/python/python_layout.h"

typedef struct aard__python_opening aard__python_opening;

typedef struct aard__python_opened {
    aard__python_layout layout;
    aard__derived wasm_code, glue_code; /* all zero where there is none that fits */
    aard__image *image;                 /* NULL where there is none that fits */
    bool whole;                         /* what is prelinked could be opened, so that it is this */
} aard__python_opened;

/* Begins; NULL when memory is out. */
aard__python_opening *aard__python_opening_start(aard_distribution *distribution);

/* The layout that it tries first, from the beginning; nothing in it has been checked yet. */
const aard__python_layout *aard__python_opening_layout(const aard__python_opening *opening);

/* Waits for the end, and ends the opening.  What is given is whole and fits together: an image fits one layout only, and
 * without one only the distribution's own files can start. */
void aard__python_opening_finish(aard__python_opening *opening, aard__python_opened *out);

#endif
