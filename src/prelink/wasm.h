/* WebAssembly modules as bytes: what prelinking has to know of one.
 *
 * The bytes are taken for hostile: every length, count and index is checked against what is really there. */
#ifndef AARD_PRELINK_WASM_H
#define AARD_PRELINK_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Reads bytes one after the other; after the first that is not there or not right, `bad` stays and everything is 0. */
typedef struct aard__reader {
    const uint8_t *at, *end;
    bool bad;
} aard__reader;

uint8_t aard__read_u8(aard__reader *reader);
uint32_t aard__read_u32(aard__reader *reader);                  /* LEB128 */
int32_t aard__read_s32(aard__reader *reader);                   /* LEB128 */
const char *aard__read_name(aard__reader *reader, size_t *len); /* length and bytes */
aard__reader aard__read_part(aard__reader *reader, size_t len); /* the next `len` bytes */
uint32_t aard__read_count(aard__reader *reader);                /* of things of at least one byte each */

void aard__write_u32(aard__buf *out, uint32_t value);
void aard__write_s32(aard__buf *out, int32_t value);

enum {
    AARD__WASM_FUNCTION = 0,
    AARD__WASM_TABLE = 1,
    AARD__WASM_MEMORY = 2,
    AARD__WASM_GLOBAL = 3,
    AARD__WASM_TAG = 4
};
enum {
    AARD__WASM_TYPES = 1,
    AARD__WASM_IMPORTS = 2,
    AARD__WASM_FUNCTIONS = 3,
    AARD__WASM_TABLES = 4,
    AARD__WASM_GLOBALS = 6,
    AARD__WASM_EXPORTS = 7,
    AARD__WASM_ELEMENTS = 9,
    AARD__WASM_CODE = 10,
    AARD__WASM_DATA = 11,
    AARD__WASM_DATA_COUNT = 12,
    AARD__WASM_LAST_SECTION = 13
};

enum { AARD__WASM_PREAMBLE = 8 }; /* bytes before the first section */
extern const uint8_t aard__wasm_preamble[AARD__WASM_PREAMBLE];

typedef struct aard__wasm_export {
    const char *name; /* in the module's bytes */
    size_t name_len;
    uint8_t kind;
    uint32_t index;
} aard__wasm_export;

typedef struct aard__wasm_name {
    const char *name; /* in the module's bytes */
    size_t len;
} aard__wasm_name;

typedef struct aard__wasm_section {
    const uint8_t *data; /* NULL where there is none */
    size_t len;
} aard__wasm_section;

/* An executable in Emscripten's form for dynamic linking (-sMAIN_MODULE). */
typedef struct aard__wasm_layout {
    const uint8_t *data;
    size_t len;
    aard__wasm_section sections[AARD__WASM_LAST_SECTION + 1];
    uint32_t types;
    uint32_t functions, imported_functions;
    uint32_t globals, imported_globals;
    uint32_t tables, imported_tables;
    uint32_t table_base; /* index of the imported global __table_base */
    size_t table_min_at; /* where in the imports section the imported table's smallest size stands */
    size_t table_min_len;
    struct {
        bool constant; /* an i32 that is never written, and its value */
        int32_t value;
    } * defined_globals;
    aard__wasm_name *pointers; /* functions whose table slots it imports, from "GOT.func" */
    uint32_t pointer_count;
    aard__wasm_export *exports;
    uint32_t export_count;
    const uint8_t *segment; /* the element segment: from its number of functions to its end */
    size_t segment_len;
    uint32_t *elements; /* the functions in it */
    uint32_t element_count;
    bool has_data; /* one data segment, which a module can be written without */
} aard__wasm_layout;

/* Reads a module; its bytes must outlive the layout.  Errors: distribution_mismatch (with what is not as expected),
 * no_memory. */
aard_error *aard__wasm_layout_read(const void *data, size_t len, aard__wasm_layout *out);
void aard__wasm_layout_free(aard__wasm_layout *layout);

/* The error for a module of another form than is known. */
aard_error *aard__wasm_unexpected(const char *what);

bool aard__wasm_name_is(const char *name, size_t len, const char *text);

/* The first export of that name; NULL where there is none. */
const aard__wasm_export *aard__wasm_find_export(const aard__wasm_layout *layout, const char *name, size_t len);

#endif
