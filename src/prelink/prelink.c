#include "prelink/prelink.h"

#include <string.h>

#include "base/alloc.h"
#include "prelink/addition.h"
#include "prelink/glue.h"
#include "prelink/rewrite.h"
#include "prelink/symbols.h"
#include "prelink/thunks.h"
#include "prelink/wasm.h"

enum { MEMORY_BASE = 1024, TABLE_BASE = 1 }; /* what the glue passes to the module */

static const char main_name[] = "__main_argc_argv", main_alias[] = "main"; /* one function, whichever is exported */

typedef struct plan {
    aard__wasm_layout layout;
    aard__addition addition;
    aard__glue *glue;
    uint32_t *slots; /* of each function; 0 = none */
    uint32_t *extra; /* functions that get a slot */
    uint32_t extra_count, table_size;
    aard__thunks thunks;
    bool *keep;
    aard__symbol *symbols;
    size_t symbol_count;
} plan;

static void free_plan(plan *p)
{
    aard__wasm_layout_free(&p->layout);
    aard__addition_free(&p->addition);
    aard__thunks_free(&p->thunks);
    aard__glue_free(p->glue);
    aard__free(p->slots);
    aard__free(p->extra);
    aard__free(p->keep);
    aard__free(p->symbols);
}

static bool allocate(plan *p)
{
    size_t exports = (size_t)p->layout.export_count + p->addition.export_count, all = exports + p->thunks.count;
    size_t functions = (size_t)p->layout.functions + p->addition.function_count;
    p->slots = aard__calloc(functions + 1, sizeof *p->slots);
    p->extra = aard__calloc(all + 1, sizeof *p->extra);
    p->keep = aard__calloc(exports + 1, sizeof *p->keep);
    p->symbols = aard__calloc(all + 3, sizeof *p->symbols);
    return p->slots && p->extra && p->keep && p->symbols;
}

static uint32_t slot_of(plan *p, uint32_t function)
{
    if (!p->slots[function]) {
        p->slots[function] = p->table_size + p->extra_count;
        p->extra[p->extra_count++] = function;
    }
    return p->slots[function];
}

static void add_symbol(plan *p, const char *name, size_t len, uint32_t value, bool function)
{
    p->symbols[p->symbol_count++] = (aard__symbol){name, len, value, function};
}

static aard_error *place_function(plan *p, const aard__wasm_export *e)
{
    uint32_t slot = slot_of(p, e->index);
    add_symbol(p, e->name, e->name_len, slot, true);
    if (aard__wasm_name_is(e->name, e->name_len, main_alias))
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "pyodide.asm.wasm exports 'main'");
    if (aard__wasm_name_is(e->name, e->name_len, main_name)) add_symbol(p, main_alias, strlen(main_alias), slot, true);
    return NULL;
}

static aard_error *place_object(plan *p, const aard__wasm_export *e)
{
    const aard__wasm_layout *layout = &p->layout;
    uint32_t index = e->index - layout->imported_globals; /* wraps for an imported one */
    bool known = index < layout->globals - layout->imported_globals && layout->defined_globals[index].constant &&
                 layout->defined_globals[index].value >= 0 &&
                 layout->defined_globals[index].value <= INT32_MAX - MEMORY_BASE;
    if (!known || aard__glue_uses_export(p->glue, e->name, e->name_len))
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH,
                           "pyodide.asm.wasm can't be prelinked: its global '%.*s' is not the address of an object",
                           (int)(e->name_len < 100 ? e->name_len : 100), e->name);
    add_symbol(p, e->name, e->name_len, (uint32_t)layout->defined_globals[index].value + MEMORY_BASE, false);
    return NULL;
}

/* The last place in the table is empty: what puts the real functions there comes from JavaScript. */
static void place_thunks(plan *p)
{
    aard__thunks *s = &p->thunks;
    s->place = p->table_size + p->extra_count;
    for (uint32_t i = 0; i < s->count; i++) {
        p->extra[p->extra_count++] = p->layout.functions + p->addition.function_count + i;
        add_symbol(p, s->list[i].name, strlen(s->list[i].name), s->place + i, true);
    }
    add_symbol(p, "js ", 3, s->place + s->count, true);
}

static aard_error *make_plan(const aard__prelink_input *input, plan *p)
{
    AARD__TRY(aard__wasm_layout_read(input->wasm, input->wasm_len, &p->layout));
    AARD__TRY(aard__glue_read(input->glue, input->glue_len, &p->glue));
    if (input->addition) AARD__TRY(aard__addition_read(input->addition, input->addition_len, &p->layout, &p->addition));
    AARD__TRY(aard__thunks_find(&p->layout, p->glue, p->addition.type_count, &p->thunks));
    if (!allocate(p)) return aard__error_no_memory();
    const aard__wasm_layout *layout = &p->layout;
    p->table_size = TABLE_BASE + layout->element_count;
    for (uint32_t i = layout->element_count; i-- > 0;) p->slots[layout->elements[i]] = TABLE_BASE + i;
    for (uint32_t i = 0; i < layout->export_count; i++) {
        const aard__wasm_export *e = &layout->exports[i];
        p->keep[i] = e->kind != AARD__WASM_GLOBAL;
        if (e->kind == AARD__WASM_FUNCTION) {
            p->keep[i] = aard__glue_uses_export(p->glue, e->name, e->name_len);
            AARD__TRY(place_function(p, e));
        } else if (e->kind == AARD__WASM_GLOBAL) {
            AARD__TRY(place_object(p, e));
        }
    }
    for (uint32_t i = 0; i < p->addition.export_count; i++)
        if (!aard__addition_replaces(&p->addition, layout, p->addition.exports[i].index))
            AARD__TRY(place_function(p, &p->addition.exports[i]));
    place_thunks(p);
    return NULL;
}

static aard_error *write_all(const aard__prelink_input *input, plan *p, aard__prelinked *made)
{
    aard__symbols_write(p->symbols, p->symbol_count, &made->symbols);
    aard__wasm_changes changes = {.addition = &p->addition,
                                  .keep_export = p->keep,
                                  .extra = p->extra,
                                  .extra_count = p->extra_count,
                                  .extra_at = p->table_size,
                                  .table_size = p->table_size + p->extra_count + 1,
                                  .thunks = &p->thunks};
    aard__wasm_write(&p->layout, &changes, &made->wasm);
    changes.without_data = true;
    aard__wasm_write(&p->layout, &changes, &made->bare);
    if (made->symbols.failed || made->wasm.failed || made->bare.failed) return aard__error_no_memory();
    aard__glue_changes glue = {.table_size = p->table_size,
                               .new_table_size = changes.table_size,
                               .linker = input->linker,
                               .linker_len = input->linker_len,
                               .symbols = made->symbols.data,
                               .symbols_len = made->symbols.len};
    return aard__glue_write(p->glue, &glue, &made->glue);
}

aard_error *aard__prelink(const aard__prelink_input *input, aard__prelinked *out)
{
    plan p = {0};
    aard__prelinked made = {0};
    aard_error *error = make_plan(input, &p);
    if (!error) error = write_all(input, &p, &made);
    free_plan(&p);
    if (error)
        aard__prelinked_free(&made);
    else
        *out = made;
    return error;
}

void aard__prelinked_free(aard__prelinked *prelinked)
{
    aard__buf_free(&prelinked->wasm);
    aard__buf_free(&prelinked->bare);
    aard__buf_free(&prelinked->glue);
    aard__buf_free(&prelinked->symbols);
}
