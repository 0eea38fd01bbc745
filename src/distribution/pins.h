/* What is known of the releases of Pyodide that this library runs (line.h): the size and the hashes of their files. */
#ifndef AARD_DISTRIBUTION_PINS_H
#define AARD_DISTRIBUTION_PINS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AARD__PINNED_FILES 4

/* The files of a release that every distribution has. */
#define AARD__FILE_LOCK "pyodide-lock.json"
#define AARD__FILE_GLUE "pyodide.asm.js" /* of 0.29; aard__line has the others' */
#define AARD__FILE_WASM "pyodide.asm.wasm"
#define AARD__FILE_STDLIB "python_stdlib.zip"

typedef struct aard__pinned_file {
    const char *name;
    uint64_t size;
    const char *sha256, *blake2b; /* lowercase hex */
} aard__pinned_file;

typedef struct aard__pins {
    const char *version;                         /* of Pyodide */
    const char *python;                          /* "3.13.2" */
    const char *abi_version;                     /* "2025_0" */
    const char *platform;                        /* "emscripten_4_0_9" */
    const char *npm_sha512;                      /* of the npm tarball */
    aard__pinned_file files[AARD__PINNED_FILES]; /* in name order */
} aard__pins;

/* The pinned file of that name; NULL where there is none. */
static inline const aard__pinned_file *aard__pins_find(const aard__pins *pins, const char *name)
{
    for (int i = 0; i < AARD__PINNED_FILES; i++)
        if (!strcmp(pins->files[i].name, name)) return &pins->files[i];
    return NULL;
}

extern const aard__pins aard__pins_0_29;

#endif
