/* A module is written section by section as it was read, with what the changes say in its place. */
#include "prelink/rewrite.h"

#include <stdio.h>

static void write_imports(const aard__wasm_layout *layout, uint32_t table_size, aard__buf *out)
{
    const aard__wasm_section *imports = &layout->sections[AARD__WASM_IMPORTS];
    size_t behind = layout->table_min_at + layout->table_min_len;
    aard__buf_append(out, imports->data, layout->table_min_at);
    aard__write_u32(out, table_size);
    aard__buf_append(out, imports->data + behind, imports->len - behind);
}

static void write_exports(const aard__wasm_layout *layout, const bool *keep, aard__buf *out)
{
    uint32_t count = 0;
    uint32_t tables = layout->tables ? layout->tables - layout->imported_tables : 0;
    for (uint32_t i = 0; i < layout->export_count; i++) count += keep[i];
    aard__write_u32(out, count + tables);
    for (uint32_t i = 0; i < layout->export_count; i++) {
        const aard__wasm_export *e = &layout->exports[i];
        if (!keep[i]) continue;
        aard__write_u32(out, (uint32_t)e->name_len);
        aard__buf_append(out, e->name, e->name_len);
        aard__buf_putc(out, (char)e->kind);
        aard__write_u32(out, e->index);
    }
    for (uint32_t i = 0; i < tables; i++) { /* for baseline.js, which compares them */
        char name[32];
        int len = snprintf(name, sizeof name, AARD__WASM_TABLE_EXPORT "%u", (unsigned)i);
        aard__write_u32(out, (uint32_t)len);
        aard__buf_append(out, name, (size_t)len);
        aard__buf_putc(out, AARD__WASM_TABLE);
        aard__write_u32(out, layout->imported_tables + i);
    }
}

static void write_elements(const aard__wasm_layout *layout, const aard__wasm_changes *changes, aard__buf *out)
{
    aard__write_u32(out, 2);
    aard__write_u32(out, 0);
    aard__buf_putc(out, 0x23);
    aard__write_u32(out, layout->table_base);
    aard__buf_putc(out, 0x0b);
    aard__buf_append(out, layout->segment, layout->segment_len);
    aard__write_u32(out, 0);
    aard__buf_putc(out, 0x41);
    aard__write_s32(out, (int32_t)changes->extra_at);
    aard__buf_putc(out, 0x0b);
    aard__write_u32(out, changes->extra_count);
    for (uint32_t i = 0; i < changes->extra_count; i++) aard__write_u32(out, changes->extra[i]);
}

void aard__wasm_write(const aard__wasm_layout *layout, const aard__wasm_changes *changes, aard__buf *out)
{
    static const char no_data[] = {1, 1, 0}; /* one passive segment without a byte */
    aard__reader module = {layout->data + sizeof aard__wasm_preamble, layout->data + layout->len, false};
    aard__buf body = AARD__BUF_INIT;
    aard__buf_append(out, aard__wasm_preamble, sizeof aard__wasm_preamble);
    while (module.at < module.end && !module.bad) {
        uint8_t id = aard__read_u8(&module);
        aard__reader old = aard__read_part(&module, aard__read_u32(&module));
        aard__buf_clear(&body);
        if (id == AARD__WASM_IMPORTS)
            write_imports(layout, changes->table_size, &body);
        else if (id == AARD__WASM_EXPORTS)
            write_exports(layout, changes->keep_export, &body);
        else if (id == AARD__WASM_ELEMENTS)
            write_elements(layout, changes, &body);
        else if (id == AARD__WASM_DATA && changes->without_data)
            aard__buf_append(&body, no_data, sizeof no_data);
        else if (!changes->addition || !aard__addition_write(changes->addition, layout, id, old, &body))
            aard__buf_append(&body, old.at, (size_t)(old.end - old.at));
        if (changes->thunks) aard__thunks_write(changes->thunks, id, &body);
        aard__buf_putc(out, (char)id);
        aard__write_u32(out, (uint32_t)body.len);
        aard__buf_append(out, body.data, body.len);
    }
    out->failed = out->failed || body.failed;
    aard__buf_free(&body);
}
