/* Which Pyodide a Python guest runs: the distribution's own files, or what prelinking made of them.
 *
 * Function pointers are in images and in compiled code: both fit one layout only, and their keys say which. */
#ifndef AARD_GUEST_PYTHON_PYTHON_LAYOUT_H
#define AARD_GUEST_PYTHON_PYTHON_LAYOUT_H

#include "distribution/derived.h"
#include "prelink/prelink.h"
#include "warm/image.h"

#define AARD__BASE_IMAGE "base.image"
#define AARD__PRELINKED_WASM "pyodide.asm.wasm.prelinked"
#define AARD__PRELINKED_GLUE "pyodide.asm.js.prelinked"
#define AARD__PRELINKED_SYMBOLS "pyodide.asm.symbols"

typedef struct aard__python_layout {
    aard__derived wasm, glue, symbols; /* all zero where not prelinked */
    char name[AARD__HASH_HEX];         /* "plain", or what tells this prelinking from all others */
} aard__python_layout;

/* The prelinked files where all are whole and fit each other, else the plain layout. */
void aard__python_layout_open(const aard_distribution *distribution, aard__python_layout *out);

/* The two halves of that: mapping the three files, and checking one of them; nothing in it counts before. */
bool aard__python_layout_map(const aard_distribution *distribution, aard__python_layout *out);
bool aard__python_layout_check(const aard_distribution *distribution, const aard__derived *file);

void aard__python_layout_plain(aard__python_layout *out);
void aard__python_layout_close(aard__python_layout *layout); /* fine on one that is all zero */
bool aard__python_layout_prelinked(const aard__python_layout *layout);

/* Prelinks the distribution's files.  Errors: distribution_mismatch, as aard__prelink; of reading them; no_memory. */
aard_error *aard__python_prelink(const aard_distribution *distribution, aard__prelinked *out);
aard_error *aard__python_layout_write(const aard_distribution *distribution, const aard__prelinked *prelinked);

/* What compiled code depends on besides the distribution.  New memory (aard__free); NULL when memory is out. */
char *aard__python_code_key(const aard__python_layout *layout);

/* The same for a start-up snapshot. */
char *aard__python_snapshot_key(const aard__python_layout *layout);

/* What every image depends on, as lines of its key: the distribution, the name of the layout, and the guest files that
 * are in it.  New memory (aard__free). */
char *aard__python_image_key(const aard_distribution *distribution, const char *layout);

/* The distribution's base image where there is one that fits, else NULL; the caller's. */
aard__image *aard__python_open_image(const aard_distribution *distribution, const aard__python_layout *layout);

#endif
