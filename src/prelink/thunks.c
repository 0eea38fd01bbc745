#include "prelink/thunks.h"

#include <string.h>

#include "base/alloc.h"

static const char prefix[] = "js ";

enum { MOST_PARAMETERS = 60 };

/* ---- types ----------------------------------------------------------------------------------------------------- */

/* Emscripten's letters: what is given back, then the parameters; false for a letter that has no type of its own. */
static bool encode_type(const char *signature, size_t len, aard__buf *out)
{
    static const char letters[] = "ipjfde";
    static const char codes[] = {0x7f, 0x7f, 0x7e, 0x7d, 0x7c, 0x6f};
    aard__buf_clear(out);
    if (!len || len - 1 > MOST_PARAMETERS) return false;
    aard__buf_putc(out, 0x60);
    aard__buf_putc(out, (char)(len - 1));
    for (size_t i = 1; i <= len; i++) {
        char letter = signature[i < len ? i : 0];
        const char *known = letter ? strchr(letters, letter) : NULL;
        if (i == len) aard__buf_putc(out, letter != 'v');
        if (i == len && letter == 'v') break;
        if (!known) return false;
        aard__buf_putc(out, codes[known - letters]);
    }
    return !out->failed;
}

/* The next type of the section as bytes. */
static aard__reader read_type(aard__reader *reader)
{
    aard__reader whole = *reader;
    if (aard__read_u8(reader) != 0x60) reader->bad = true;
    aard__read_part(reader, aard__read_u32(reader));
    aard__read_part(reader, aard__read_u32(reader));
    whole.end = reader->at;
    whole.bad = reader->bad;
    return whole;
}

/* Looks for a type among the next `count`. */
static bool is_among(aard__reader types, uint32_t count, const aard__buf *type, uint32_t *out)
{
    for (*out = 0; *out < count; ++*out) {
        aard__reader one = read_type(&types);
        if (one.bad) return false;
        if ((size_t)(one.end - one.at) == type->len && !memcmp(one.at, type->data, type->len)) return true;
    }
    return false;
}

/* The number of a type, which is added where there is none like it. */
static bool find_type(aard__thunks *s, const aard__buf *type, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)s->added.data;
    if (is_among(s->old, s->old_count, type, out)) return true;
    bool known = is_among((aard__reader){bytes, bytes + s->added.len, false}, s->added_count, type, out);
    if (!known) aard__buf_append(&s->added, type->data, type->len);
    if (!known) s->added_count++;
    *out += s->first_added;
    return !s->added.failed;
}

static aard_error *read_types(const aard__wasm_layout *layout, aard__thunks *s)
{
    const aard__wasm_section *types = &layout->sections[AARD__WASM_TYPES];
    aard__reader reader = {types->data, types->data ? types->data + types->len : NULL, false};
    s->old_count = aard__read_count(&reader);
    s->old = reader;
    for (uint32_t i = 0; i < s->old_count && !reader.bad; i++) read_type(&reader);
    return reader.bad || reader.at != reader.end ? aard__wasm_unexpected("its types are not all functions'") : NULL;
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

static aard_error *add(aard__thunks *s, const aard__glue *glue, const aard__wasm_name *name, aard__buf *type)
{
    const char *signature;
    size_t len;
    if (!aard__glue_signature(glue, name->name, name->len, &signature, &len) || !encode_type(signature, len, type))
        return type->failed ? aard__error_no_memory() : NULL;
    aard__thunk *one = &s->list[s->count];
    *one = (aard__thunk){.parameters = (uint32_t)len - 1};
    if (!find_type(s, type, &one->type) || !(one->name = aard__malloc(sizeof prefix + name->len)))
        return aard__error_no_memory();
    memcpy(one->name, prefix, sizeof prefix - 1);
    memcpy(one->name + sizeof prefix - 1, name->name, name->len);
    one->name[sizeof prefix - 1 + name->len] = '\0';
    s->count++;
    return NULL;
}

aard_error *aard__thunks_find(const aard__wasm_layout *layout, const aard__glue *glue, uint32_t more_types,
                              aard__thunks *out)
{
    aard__thunks s = {.list = aard__calloc((size_t)layout->pointer_count + 1, sizeof *s.list)};
    aard__buf type = AARD__BUF_INIT;
    aard_error *error = s.list ? read_types(layout, &s) : aard__error_no_memory();
    s.first_added = s.old_count + more_types;
    for (uint32_t i = 0; i < layout->pointer_count && !error; i++) {
        const aard__wasm_name *name = &layout->pointers[i];
        if (!aard__wasm_find_export(layout, name->name, name->len)) error = add(&s, glue, name, &type);
    }
    if (!error && (!encode_type("vi", 2, &type) || !find_type(&s, &type, &s.put_type))) error = aard__error_no_memory();
    aard__buf_free(&type);
    if (error)
        aard__thunks_free(&s);
    else
        *out = s;
    return error;
}

void aard__thunks_free(aard__thunks *thunks)
{
    for (uint32_t i = 0; i < thunks->count; i++) aard__free(thunks->list[i].name);
    aard__free(thunks->list);
    aard__buf_free(&thunks->added);
    *thunks = (aard__thunks){0};
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void write_call(uint32_t place, uint32_t type, aard__buf *out)
{
    aard__buf_putc(out, 0x41); /* i32.const */
    aard__write_s32(out, (int32_t)place);
    aard__buf_putc(out, 0x11); /* call_indirect */
    aard__write_u32(out, type);
    aard__buf_putc(out, 0);
}

static void write_code(const aard__thunks *thunks, aard__buf *out)
{
    aard__buf body = AARD__BUF_INIT;
    for (uint32_t i = 0; i < thunks->count; i++) {
        const aard__thunk *one = &thunks->list[i];
        aard__buf_clear(&body);
        aard__buf_putc(&body, 0); /* locals */
        aard__buf_putc(&body, 0x41);
        aard__write_s32(&body, (int32_t)(thunks->place + i));
        write_call(thunks->place + thunks->count, thunks->put_type, &body);
        for (uint32_t k = 0; k < one->parameters; k++) {
            aard__buf_putc(&body, 0x20); /* local.get */
            aard__write_u32(&body, k);
        }
        write_call(thunks->place + i, one->type, &body);
        aard__buf_putc(&body, 0x0b);
        aard__write_u32(out, (uint32_t)body.len);
        aard__buf_append(out, body.data, body.len);
    }
    out->failed = out->failed || body.failed;
    aard__buf_free(&body);
}

void aard__thunks_write(const aard__thunks *thunks, int id, aard__buf *section)
{
    if (id != AARD__WASM_TYPES && id != AARD__WASM_FUNCTIONS && id != AARD__WASM_CODE) return;
    const uint8_t *bytes = (const uint8_t *)section->data;
    aard__reader old = {bytes, bytes + section->len, false};
    aard__buf grown = AARD__BUF_INIT;
    uint32_t count = aard__read_u32(&old);
    aard__write_u32(&grown, count + (id == AARD__WASM_TYPES ? thunks->added_count : thunks->count));
    aard__buf_append(&grown, old.at, (size_t)(old.end - old.at));
    if (id == AARD__WASM_TYPES)
        aard__buf_append(&grown, thunks->added.data, thunks->added.len);
    else if (id == AARD__WASM_FUNCTIONS)
        for (uint32_t i = 0; i < thunks->count; i++) aard__write_u32(&grown, thunks->list[i].type);
    else
        write_code(thunks, &grown);
    grown.failed = grown.failed || section->failed;
    aard__buf_free(section);
    *section = grown;
}
