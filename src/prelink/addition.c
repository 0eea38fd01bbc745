#include "prelink/addition.h"

#include <string.h>

#include "base/alloc.h"

enum { NUMBER_LEN = 5 };      /* of a function in code that is to be linked, whatever its value */
enum { FUNCTION_NUMBER = 0 }; /* R_WASM_FUNCTION_INDEX_LEB */

typedef struct sections {
    aard__reader part[AARD__WASM_LAST_SECTION + 1];
    uint32_t number[AARD__WASM_LAST_SECTION + 1]; /* which one it is in the file */
    aard__reader relocations;
} sections;

static aard_error *damaged(const char *what)
{
    return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "the functions that prelinking adds are damaged: %s", what);
}

static bool split(const void *data, size_t len, sections *out)
{
    aard__reader module = {data, (const uint8_t *)data + len, false};
    aard__read_part(&module, 8);
    for (uint32_t number = 0; module.at < module.end && !module.bad; number++) {
        size_t name_len;
        uint8_t id = aard__read_u8(&module);
        aard__reader body = aard__read_part(&module, aard__read_u32(&module));
        if (id > AARD__WASM_LAST_SECTION) return false;
        if (id) {
            out->part[id] = body;
            out->number[id] = number;
            continue;
        }
        const char *name = aard__read_name(&body, &name_len);
        if (!body.bad && aard__wasm_name_is(name, name_len, "reloc.Code")) out->relocations = body;
    }
    return !module.bad;
}

static bool find_function(const aard__wasm_layout *layout, const aard__wasm_export *wanted, uint32_t *out)
{
    const aard__wasm_export *found = aard__wasm_find_export(layout, wanted->name, wanted->name_len);
    bool function = found && found->kind == AARD__WASM_FUNCTION;
    if (function) *out = found->index;
    return function;
}

static aard_error *read_imports(aard__reader reader, aard__addition *a)
{
    uint32_t count = aard__read_count(&reader);
    if (count && !(a->imports = aard__calloc(count, sizeof *a->imports))) return aard__error_no_memory();
    for (; count && !reader.bad; count--) {
        size_t from_len, len;
        aard__read_name(&reader, &from_len);
        const char *name = aard__read_name(&reader, &len);
        switch (aard__read_u8(&reader)) {
        case AARD__WASM_FUNCTION:
            aard__read_u32(&reader);
            a->imports[a->imported_count++] = (aard__wasm_export){.name = name, .name_len = len};
            break;
        case AARD__WASM_MEMORY:
            if (aard__read_u8(&reader) != 0) reader.bad = true;
            aard__read_u32(&reader);
            break;
        default: reader.bad = true;
        }
    }
    return reader.bad ? damaged("its imports") : NULL;
}

/* Behind the executable's functions, or in place of one. */
static aard_error *read_exports(aard__reader reader, const aard__wasm_layout *into, aard__addition *a)
{
    uint32_t count = aard__read_count(&reader);
    if (count && !(a->exports = aard__calloc(count, sizeof *a->exports))) return aard__error_no_memory();
    for (; a->export_count < count && !reader.bad; a->export_count++) {
        aard__wasm_export *e = &a->exports[a->export_count];
        e->name = aard__read_name(&reader, &e->name_len);
        e->kind = aard__read_u8(&reader);
        uint32_t index = aard__read_u32(&reader) - a->imported_count, there; /* wraps for an imported one */
        if (reader.bad || e->kind != AARD__WASM_FUNCTION || index >= a->function_count) return damaged("its exports");
        if (find_function(into, e, &there)) {
            if (there < into->imported_functions)
                return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "pyodide.asm.wasm imports what it exports as '%.*s'",
                                   (int)(e->name_len < 100 ? e->name_len : 100), e->name);
            a->defined[index].index = there;
        }
        e->index = a->defined[index].index;
    }
    return reader.bad ? damaged("its exports") : NULL;
}

static aard_error *resolve_imports(const aard__wasm_layout *into, aard__addition *a)
{
    for (uint32_t i = 0; i < a->imported_count; i++) {
        aard__wasm_export *wanted = &a->imports[i];
        if (!find_function(into, wanted, &wanted->index))
            return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "pyodide.asm.wasm does not export '%.*s'",
                               (int)(wanted->name_len < 100 ? wanted->name_len : 100), wanted->name);
        for (uint32_t k = 0; k < a->function_count; k++) /* what was there has moved to the end */
            if (a->defined[k].index == wanted->index) {
                wanted->index = into->functions + k;
                break;
            }
    }
    return NULL;
}

static aard_error *read_bodies(const aard__wasm_layout *into, aard__addition *a)
{
    aard__reader code = a->code;
    if (a->function_count && !(a->defined = aard__calloc(a->function_count, sizeof *a->defined)))
        return aard__error_no_memory();
    for (uint32_t i = 0; i < a->function_count; i++) {
        const uint8_t *start = code.at;
        aard__read_part(&code, aard__read_u32(&code));
        a->defined[i].index = into->functions + i;
        a->defined[i].body = (aard__reader){start, code.at, false};
    }
    return code.bad || code.at != code.end ? damaged("its functions") : NULL;
}

/* `head` is the length of the code section's own count. */
static aard_error *read_calls(const sections *s, size_t head, aard__addition *a)
{
    aard__reader reader = s->relocations;
    size_t code_len = (size_t)(a->code.end - a->code.at);
    if (aard__read_u32(&reader) != s->number[AARD__WASM_CODE]) return damaged("its calls");
    uint32_t count = aard__read_count(&reader);
    if (count && !(a->calls = aard__calloc(count, sizeof *a->calls))) return aard__error_no_memory();
    for (; a->call_count < count && !reader.bad; a->call_count++) {
        uint8_t kind = aard__read_u8(&reader);
        size_t at = aard__read_u32(&reader);
        aard__read_u32(&reader); /* its symbol: the number in the code says the same */
        if (kind != FUNCTION_NUMBER || at < head || code_len < NUMBER_LEN || at - head > code_len - NUMBER_LEN)
            return damaged("its calls");
        aard__reader number = {a->code.at + at - head, a->code.at + at - head + NUMBER_LEN, false};
        uint32_t function = aard__read_u32(&number);
        if (number.bad || number.at != number.end || function >= a->imported_count + a->function_count)
            return damaged("its calls");
        a->calls[a->call_count] = at - head;
    }
    return reader.bad ? damaged("its calls") : NULL;
}

aard_error *aard__addition_read(const void *data, size_t len, const aard__wasm_layout *into, aard__addition *out)
{
    sections s = {0};
    aard__addition a = {0};
    aard_error *error = split(data, len, &s) ? NULL : damaged("its sections");
    if (!error) error = read_imports(s.part[AARD__WASM_IMPORTS], &a);
    if (!error) {
        a.types = s.part[AARD__WASM_TYPES];
        a.functions = s.part[AARD__WASM_FUNCTIONS];
        a.code = s.part[AARD__WASM_CODE];
        const uint8_t *start = a.code.at;
        a.type_count = aard__read_count(&a.types);
        a.function_count = aard__read_count(&a.functions);
        bool right = aard__read_count(&a.code) == a.function_count;
        if (a.types.bad || a.functions.bad || a.code.bad || !right) error = damaged("its functions");
        if (!error) error = read_bodies(into, &a);
        if (!error) error = read_exports(s.part[AARD__WASM_EXPORTS], into, &a);
        if (!error) error = resolve_imports(into, &a);
        if (!error) error = read_calls(&s, (size_t)(a.code.at - start), &a);
    }
    if (error)
        aard__addition_free(&a);
    else
        *out = a;
    return error;
}

void aard__addition_free(aard__addition *addition)
{
    aard__free(addition->imports);
    aard__free(addition->defined);
    aard__free(addition->calls);
    aard__free(addition->exports);
    *addition = (aard__addition){0};
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static void write_number(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < NUMBER_LEN; i++, value >>= 7)
        at[i] = (uint8_t)((value & 0x7f) | (i < NUMBER_LEN - 1 ? 0x80 : 0));
}

/* The code as it is in the executable. */
static bool link_code(const aard__addition *a, aard__buf *out)
{
    aard__buf_append(out, a->code.at, (size_t)(a->code.end - a->code.at));
    for (uint32_t i = 0; i < a->call_count && !out->failed; i++) {
        uint8_t *at = (uint8_t *)out->data + a->calls[i];
        aard__reader number = {at, at + NUMBER_LEN, false};
        uint32_t function = aard__read_u32(&number);
        write_number(at, function < a->imported_count ? a->imports[function].index
                                                      : a->defined[function - a->imported_count].index);
    }
    return !out->failed;
}

/* Bodies that are replaced and what replaces them change places. */
static void write_code(const aard__addition *a, const aard__wasm_layout *into, aard__reader old, aard__buf *out)
{
    aard__buf linked = AARD__BUF_INIT;
    aard__reader *moved = a->function_count ? aard__calloc(a->function_count, sizeof *moved) : NULL;
    if ((a->function_count && !moved) || !link_code(a, &linked)) out->failed = true;
    for (uint32_t index = into->imported_functions; index < into->functions && !out->failed; index++) {
        const uint8_t *start = old.at;
        uint32_t k = 0;
        aard__read_part(&old, aard__read_u32(&old));
        while (k < a->function_count && a->defined[k].index != index) k++;
        if (k == a->function_count) {
            aard__buf_append(out, start, (size_t)(old.at - start));
            continue;
        }
        const aard__reader *body = &a->defined[k].body;
        moved[k] = (aard__reader){start, old.at, false};
        aard__buf_append(out, linked.data + (body->at - a->code.at), (size_t)(body->end - body->at));
    }
    for (uint32_t k = 0; k < a->function_count && !out->failed; k++) {
        const aard__reader *body = &a->defined[k].body;
        if (moved[k].at)
            aard__buf_append(out, moved[k].at, (size_t)(moved[k].end - moved[k].at));
        else
            aard__buf_append(out, linked.data + (body->at - a->code.at), (size_t)(body->end - body->at));
    }
    aard__free(moved);
    aard__buf_free(&linked);
}

bool aard__addition_replaces(const aard__addition *addition, const aard__wasm_layout *into, uint32_t index)
{
    for (uint32_t k = 0; k < addition->function_count; k++)
        if (addition->defined[k].index == index) return index < into->functions;
    return false;
}

bool aard__addition_write(const aard__addition *addition, const aard__wasm_layout *into, int id, aard__reader old,
                          aard__buf *out)
{
    if (id != AARD__WASM_TYPES && id != AARD__WASM_FUNCTIONS && id != AARD__WASM_CODE) return false;
    uint32_t count = aard__read_u32(&old);
    aard__write_u32(out, count + (id == AARD__WASM_TYPES ? addition->type_count : addition->function_count));
    if (id != AARD__WASM_CODE) aard__buf_append(out, old.at, (size_t)(old.end - old.at));
    if (id == AARD__WASM_TYPES) {
        aard__buf_append(out, addition->types.at, (size_t)(addition->types.end - addition->types.at));
    } else if (id == AARD__WASM_FUNCTIONS) {
        aard__reader types = addition->functions;
        for (uint32_t i = 0; i < addition->function_count; i++)
            aard__write_u32(out, into->types + aard__read_u32(&types));
    } else {
        write_code(addition, into, old, out);
    }
    return true;
}
