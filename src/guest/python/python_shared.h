/* What all Python guests of a distribution share in a process: Pyodide's code and the image they start from.
 *
 * All of it is read from the distribution's cache directory where that holds something that fits; without it guests
 * start all the same, slower. */
#ifndef AARD_GUEST_PYTHON_PYTHON_SHARED_H
#define AARD_GUEST_PYTHON_PYTHON_SHARED_H

#include "distribution/derived.h"
#include "guest/guest.h"
#include "guest/python/python_layout.h"
#include "warm/image.h"

#define AARD__DERIVED_WASM "pyodide.asm.wasm.code"
#define AARD__DERIVED_GLUE "pyodide.asm.js.code"
#define AARD__DERIVED_SNAPSHOT "base.snapshot"

typedef struct aard__python_shared {
    aard__wasm *wasm;
    aard__content glue;       /* Pyodide's JavaScript, prelinked or not */
    aard__content symbols;    /* of prelinked code; none otherwise */
    aard__derived glue_code;  /* all zero where there is none */
    aard__image *image;       /* NULL where there is none */
    aard__snapshot *snapshot; /* for guests that have an image and no JavaScript; NULL where there is none */
    const char *layout;       /* the name of the layout of all that */
} aard__python_shared;

/* Finds or makes it; lives as long as the process, or until forgotten.  The guest's vm is entered. */
aard_error *aard__python_share(aard__guest *guest, const aard__python_shared **out);

/* The same without the code: for a realm that will run none. */
aard_error *aard__python_share_files(aard__guest *guest, const aard__python_shared **out);

/* Begins to open it, because `guest`, which has no vm yet, will need it soon.  Gives the snapshot that the guest's vm can
 * start from, or NULL; aard__python_share may find out later that it does not go with the rest. */
const aard__snapshot *aard__python_expect(const aard__guest *guest);

/* The name of the layout that guests of this process run, for keys of images; it lives as long as what is shared. */
aard_error *aard__python_layout_name(aard_distribution *distribution, const char **out);

/* Drops what is shared for `distribution`; no guest of it may be alive. */
void aard__python_forget(const aard_distribution *distribution);

/* For whoever prepares the distribution: the code of what is shared. */
aard_error *aard__python_serialize(const aard_distribution *distribution, aard__buf *out);

#endif
