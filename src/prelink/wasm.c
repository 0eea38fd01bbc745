#include "prelink/wasm.h"

#include <string.h>

#include "base/alloc.h"

const uint8_t aard__wasm_preamble[AARD__WASM_PREAMBLE] = {0, 'a', 's', 'm', 1, 0, 0, 0};

aard_error *aard__wasm_unexpected(const char *what)
{
    return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "pyodide.asm.wasm can't be prelinked: %s", what);
}

bool aard__wasm_name_is(const char *name, size_t len, const char *text)
{
    return len == strlen(text) && !memcmp(name, text, len);
}

static aard__reader section(const aard__wasm_layout *layout, int id)
{
    const aard__wasm_section *s = &layout->sections[id];
    return (aard__reader){s->data, s->data ? s->data + s->len : NULL, false};
}

/* ---- sections ------------------------------------------------------------------------------------------------ */

static aard_error *read_sections(aard__wasm_layout *layout)
{
    aard__reader module = {layout->data, layout->data + layout->len, false};
    aard__reader head = aard__read_part(&module, sizeof aard__wasm_preamble);
    if (head.bad || memcmp(head.at, aard__wasm_preamble, sizeof aard__wasm_preamble) != 0)
        return aard__wasm_unexpected("it is not a WebAssembly module");
    while (module.at < module.end && !module.bad) {
        uint8_t id = aard__read_u8(&module);
        aard__reader body = aard__read_part(&module, aard__read_u32(&module));
        if (module.bad) break;
        if (id == 0) continue;
        if (id > AARD__WASM_LAST_SECTION) return aard__wasm_unexpected("it has a section of an unknown kind");
        if (layout->sections[id].data) return aard__wasm_unexpected("it has two sections of one kind");
        layout->sections[id] = (aard__wasm_section){body.at, (size_t)(body.end - body.at)};
    }
    return module.bad ? aard__wasm_unexpected("it ends inside a section") : NULL;
}

static void skip_limits(aard__reader *reader, uint32_t *min)
{
    uint8_t flags = aard__read_u8(reader);
    if (flags > 1) reader->bad = true;
    *min = aard__read_u32(reader);
    if (flags & 1) aard__read_u32(reader);
}

static void read_table_import(aard__wasm_layout *layout, aard__reader *reader, bool is_main)
{
    aard__read_u8(reader); /* the type of its elements */
    aard__reader limits = *reader;
    uint32_t min;
    skip_limits(reader, &min);
    if (!is_main || reader->bad) return;
    aard__read_u8(&limits);
    layout->table_min_at = (size_t)(limits.at - layout->sections[AARD__WASM_IMPORTS].data);
    aard__read_u32(&limits);
    layout->table_min_len = (size_t)(limits.at - layout->sections[AARD__WASM_IMPORTS].data) - layout->table_min_at;
}

static aard_error *read_imports(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_IMPORTS);
    bool has_table_base = false;
    uint32_t count = aard__read_count(&reader);
    if (!(layout->pointers = aard__calloc((size_t)count + 1, sizeof *layout->pointers))) return aard__error_no_memory();
    for (uint32_t left = count; left && !reader.bad; left--) {
        size_t from_len, len;
        uint32_t min;
        const char *from = aard__read_name(&reader, &from_len), *name = aard__read_name(&reader, &len);
        bool env = aard__wasm_name_is(from, from_len, "env");
        switch (aard__read_u8(&reader)) {
        case AARD__WASM_FUNCTION:
            layout->imported_functions++;
            aard__read_u32(&reader);
            break;
        case AARD__WASM_TABLE:
            layout->imported_tables++;
            read_table_import(layout, &reader, env && aard__wasm_name_is(name, len, "__indirect_function_table"));
            break;
        case AARD__WASM_MEMORY: skip_limits(&reader, &min); break;
        case AARD__WASM_GLOBAL:
            if (env && aard__wasm_name_is(name, len, "__table_base")) {
                layout->table_base = layout->imported_globals;
                has_table_base = true;
            }
            if (aard__wasm_name_is(from, from_len, "GOT.func"))
                layout->pointers[layout->pointer_count++] = (aard__wasm_name){name, len};
            layout->imported_globals++;
            aard__read_u8(&reader);
            if (aard__read_u8(&reader) > 1) reader.bad = true;
            break;
        case AARD__WASM_TAG:
            aard__read_u8(&reader);
            aard__read_u32(&reader);
            break;
        default: reader.bad = true;
        }
    }
    if (reader.bad || reader.at != reader.end) return aard__wasm_unexpected("its imports are damaged");
    if (!has_table_base || !layout->table_min_len)
        return aard__wasm_unexpected("it does not import its function table");
    return NULL;
}

static aard_error *count_functions(aard__wasm_layout *layout)
{
    aard__reader types = section(layout, AARD__WASM_TYPES), reader = section(layout, AARD__WASM_FUNCTIONS);
    aard__reader code = section(layout, AARD__WASM_CODE);
    uint32_t defined = aard__read_count(&reader);
    layout->types = aard__read_count(&types);
    if (reader.bad || types.bad || aard__read_count(&code) != defined || code.bad)
        return aard__wasm_unexpected("its functions are damaged");
    layout->functions = layout->imported_functions + defined;
    return NULL;
}

static aard_error *count_tables(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_TABLES);
    if (!reader.at) return NULL;
    uint32_t count = aard__read_count(&reader), min;
    for (uint32_t i = 0; i < count && !reader.bad; i++) {
        aard__read_u8(&reader);
        skip_limits(&reader, &min);
    }
    if (reader.bad || reader.at != reader.end) return aard__wasm_unexpected("its tables are damaged");
    layout->tables = layout->imported_tables + count;
    return NULL;
}

/* A constant expression of one instruction; *value where it is i32.const. */
static bool read_constant(aard__reader *reader, int32_t *value)
{
    uint8_t op = aard__read_u8(reader);
    switch (op) {
    case 0x41: *value = aard__read_s32(reader); break;
    case 0x42:
        for (int i = 0; aard__read_u8(reader) >= 0x80;)
            if (++i == 10) reader->bad = true;
        break;
    case 0x43: aard__read_part(reader, 4); break;
    case 0x44: aard__read_part(reader, 8); break;
    case 0x23: /* global.get */
    case 0xd2: /* ref.func */ aard__read_u32(reader); break;
    case 0xd0: aard__read_u8(reader); break;
    default: reader->bad = true;
    }
    if (aard__read_u8(reader) != 0x0b) reader->bad = true;
    return op == 0x41;
}

static aard_error *read_globals(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_GLOBALS);
    uint32_t count = aard__read_count(&reader);
    if (count && !(layout->defined_globals = aard__calloc(count, sizeof *layout->defined_globals)))
        return aard__error_no_memory();
    for (uint32_t i = 0; i < count && !reader.bad; i++) {
        uint8_t type = aard__read_u8(&reader), mutable = aard__read_u8(&reader);
        bool i32 = read_constant(&reader, &layout->defined_globals[i].value);
        layout->defined_globals[i].constant = i32 && type == 0x7f && mutable == 0;
        if (mutable > 1) reader.bad = true;
    }
    if (reader.bad || reader.at != reader.end) return aard__wasm_unexpected("its globals are damaged");
    layout->globals = layout->imported_globals + count;
    return NULL;
}

static aard_error *read_exports(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_EXPORTS);
    uint32_t count = aard__read_count(&reader);
    if (count && !(layout->exports = aard__calloc(count, sizeof *layout->exports))) return aard__error_no_memory();
    for (; layout->export_count < count && !reader.bad; layout->export_count++) {
        aard__wasm_export *e = &layout->exports[layout->export_count];
        e->name = aard__read_name(&reader, &e->name_len);
        e->kind = aard__read_u8(&reader);
        e->index = aard__read_u32(&reader);
        if ((e->kind == AARD__WASM_FUNCTION && e->index >= layout->functions) ||
            (e->kind == AARD__WASM_GLOBAL && e->index >= layout->globals) || e->kind > AARD__WASM_TAG)
            reader.bad = true;
    }
    return reader.bad || reader.at != reader.end ? aard__wasm_unexpected("its exports are damaged") : NULL;
}

static aard_error *read_elements(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_ELEMENTS);
    bool right = aard__read_u32(&reader) == 1 && aard__read_u32(&reader) == 0 && aard__read_u8(&reader) == 0x23 &&
                 aard__read_u32(&reader) == layout->table_base && aard__read_u8(&reader) == 0x0b;
    if (reader.bad || !right)
        return aard__wasm_unexpected("its function table is not filled in the one way that is known");
    layout->segment = reader.at;
    layout->segment_len = (size_t)(reader.end - reader.at);
    layout->element_count = aard__read_count(&reader);
    if (layout->element_count && !(layout->elements = aard__calloc(layout->element_count, sizeof *layout->elements)))
        return aard__error_no_memory();
    for (uint32_t i = 0; i < layout->element_count && !reader.bad; i++)
        if ((layout->elements[i] = aard__read_u32(&reader)) >= layout->functions) reader.bad = true;
    return reader.bad || reader.at != reader.end ? aard__wasm_unexpected("its function table is damaged") : NULL;
}

static aard_error *read_data(aard__wasm_layout *layout)
{
    aard__reader reader = section(layout, AARD__WASM_DATA), count = section(layout, AARD__WASM_DATA_COUNT);
    int32_t offset;
    bool one = aard__read_u32(&reader) == 1 && aard__read_u32(&reader) == 0;
    if (one) read_constant(&reader, &offset);
    aard__reader bytes = aard__read_part(&reader, aard__read_u32(&reader));
    layout->has_data = one && !bytes.bad && reader.at == reader.end && (!count.at || aard__read_u32(&count) == 1);
    return layout->has_data ? NULL : aard__wasm_unexpected("it does not have exactly one data segment");
}

aard_error *aard__wasm_layout_read(const void *data, size_t len, aard__wasm_layout *out)
{
    aard__wasm_layout layout = {.data = data, .len = len};
    aard_error *error = read_sections(&layout);
    if (!error) error = read_imports(&layout);
    if (!error) error = count_functions(&layout);
    if (!error) error = count_tables(&layout);
    if (!error) error = read_globals(&layout);
    if (!error) error = read_exports(&layout);
    if (!error) error = read_elements(&layout);
    if (!error) error = read_data(&layout);
    if (error)
        aard__wasm_layout_free(&layout);
    else
        *out = layout;
    return error;
}

void aard__wasm_layout_free(aard__wasm_layout *layout)
{
    aard__free(layout->defined_globals);
    aard__free(layout->pointers);
    aard__free(layout->exports);
    aard__free(layout->elements);
    *layout = (aard__wasm_layout){0};
}

const aard__wasm_export *aard__wasm_find_export(const aard__wasm_layout *layout, const char *name, size_t len)
{
    for (uint32_t i = 0; i < layout->export_count; i++) {
        const aard__wasm_export *e = &layout->exports[i];
        if (e->name_len == len && !memcmp(e->name, name, len)) return e;
    }
    return NULL;
}
