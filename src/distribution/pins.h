/* What is known of the one Pyodide release that this library runs: the size and the hashes of its files. */
#ifndef AARD_DISTRIBUTION_PINS_H
#define AARD_DISTRIBUTION_PINS_H

#include <stdint.h>

#define AARD__PINNED_FILES 4

/* The files of a release that every distribution has. */
#define AARD__FILE_LOCK "pyodide-lock.json"
#define AARD__FILE_GLUE "pyodide.asm.js"
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

extern const aard__pins aard__pinned;

#endif
