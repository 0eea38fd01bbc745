#include "prelink/glue.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "prelink/string_set.h"
#include "prelink/symbols.h"

typedef struct piece {
    const char *data;
    size_t len;
} piece;

/* `var _X=Module["_X"]=wasmExports["X"];` or, for an object in memory, `var _X=Module["_X"]=1234;` */
typedef struct statement {
    piece all, variable, property, export; /* no export for an object */
    double address;
} statement;

enum { MOST_NAMES = 5 }; /* of one function */

struct aard__glue {
    piece text;
    statement *statements;
    size_t count, capacity;
    aard__string_set names, uses; /* in the rest of the text: all names, and the exports taken by name */
};

static aard_error *unexpected(const char *what)
{
    return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "pyodide.asm.js can't be prelinked: %s", what);
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static bool in_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$'; }

/* What stands at the front of `rest` moves out of it. */
static bool take(piece *rest, const char *text)
{
    size_t len = strlen(text);
    if (rest->len < len || memcmp(rest->data, text, len) != 0) return false;
    rest->data += len;
    rest->len -= len;
    return true;
}

static piece take_name(piece *rest)
{
    piece name = {rest->data, 0};
    while (name.len < rest->len && in_name(name.data[name.len])) name.len++;
    rest->data += name.len;
    rest->len -= name.len;
    return name;
}

static bool take_number(piece *rest, double *out)
{
    char digits[32], *end;
    size_t len = 0;
    while (len < rest->len && len < sizeof digits - 1 &&
           (isdigit((unsigned char)rest->data[len]) || rest->data[len] == 'e'))
        len++;
    memcpy(digits, rest->data, len);
    digits[len] = '\0';
    *out = strtod(digits, &end);
    rest->data += len;
    rest->len -= len;
    return len && end == digits + len;
}

static bool read_statement(piece rest, statement *out)
{
    statement s = {.all = rest};
    if (!take(&rest, "var ")) return false;
    s.variable = take_name(&rest);
    if (!take(&rest, "=Module[\"")) return false;
    s.property = take_name(&rest);
    if (!take(&rest, "\"]=")) return false;
    if (take(&rest, "wasmExports[\"")) {
        s.export = take_name(&rest);
        if (!s.export.len || !take(&rest, "\"];")) return false;
    } else if (!take_number(&rest, &s.address) || !take(&rest, ";")) {
        return false;
    }
    s.all.len = (size_t)(rest.data - s.all.data);
    *out = s;
    return s.variable.len && s.property.len;
}

static bool add_statement(aard__glue *glue, const statement *s)
{
    if (glue->count == glue->capacity) {
        size_t capacity = glue->capacity ? 2 * glue->capacity : 256;
        statement *more = aard__realloc(glue->statements, capacity * sizeof *more);
        if (!more) return false;
        glue->statements = more;
        glue->capacity = capacity;
    }
    glue->statements[glue->count++] = *s;
    return true;
}

/* A name that is not part of such a statement; `wasmExports["X"]` and `wasmExports.X` use an export. */
static bool read_word(aard__glue *glue, piece *rest)
{
    piece word = take_name(rest), after = *rest;
    if (!aard__string_set_add(&glue->names, word.data, word.len)) return false;
    if (word.len != strlen("wasmExports") || memcmp(word.data, "wasmExports", word.len) != 0) return true;
    if (!take(&after, "[\"") && !take(&after, ".")) return true;
    piece name = take_name(&after);
    return !name.len || aard__string_set_add(&glue->uses, name.data, name.len);
}

static bool read_all(aard__glue *glue)
{
    piece rest = glue->text;
    statement s;
    while (rest.len) {
        if (!in_name(*rest.data)) {
            rest.data++;
            rest.len--;
        } else if (read_statement(rest, &s)) {
            if (!add_statement(glue, &s)) return false;
            rest.data += s.all.len;
            rest.len -= s.all.len;
        } else if (!read_word(glue, &rest)) {
            return false;
        }
    }
    return true;
}

static bool needed(const aard__glue *glue, const statement *s)
{
    return aard__string_set_have(&glue->names, s->variable.data, s->variable.len) ||
           aard__string_set_have(&glue->names, s->property.data, s->property.len);
}

aard_error *aard__glue_read(const char *text, size_t len, aard__glue **out)
{
    aard__glue *glue = aard__calloc(1, sizeof *glue);
    if (!glue) return aard__error_no_memory();
    glue->text = (piece){text, len};
    bool done = read_all(glue);
    for (size_t i = 0; done && i < glue->count; i++) {
        const statement *s = &glue->statements[i];
        if (s->export.len && needed(glue, s)) done = aard__string_set_add(&glue->uses, s->export.data, s->export.len);
    }
    aard_error *error = done ? NULL : aard__error_no_memory();
    if (!error && aard__string_set_have(&glue->names, "prelink", strlen("prelink")))
        error = unexpected("it has a 'prelink' of its own");
    if (error)
        aard__glue_free(glue);
    else
        *out = glue;
    return error;
}

void aard__glue_free(aard__glue *glue)
{
    if (!glue) return;
    aard__free(glue->statements);
    aard__string_set_free(&glue->names);
    aard__string_set_free(&glue->uses);
    aard__free(glue);
}

bool aard__glue_uses_export(const aard__glue *glue, const char *name, size_t len)
{
    return aard__string_set_have(&glue->uses, name, len);
}

/* The text behind `_name` and `mark`, where that stands first; a piece without data where it does not. */
static piece behind(const aard__glue *glue, piece name, const char *mark)
{
    aard__buf text = AARD__BUF_INIT;
    aard__buf_putc(&text, '_');
    aard__buf_append(&text, name.data, name.len);
    aard__buf_puts(&text, mark);
    const char *at = glue->text.data, *end = at + glue->text.len;
    while (!text.failed && (at = memmem(at, (size_t)(end - at), text.data, text.len)) && at > glue->text.data &&
           in_name(at[-1]))
        at++;
    piece found = {NULL, 0};
    if (at && !text.failed) found = (piece){at + text.len, (size_t)(end - at) - text.len};
    aard__buf_free(&text);
    return found;
}

bool aard__glue_signature(const aard__glue *glue, const char *name, size_t len, const char **out, size_t *out_len)
{
    piece known = {name, len};
    for (int names = 0; names < MOST_NAMES; names++) {
        piece found = behind(glue, known, ".sig=\"");
        const char *quote = found.data ? memchr(found.data, '"', found.len) : NULL;
        if (quote) {
            *out = found.data;
            *out_len = (size_t)(quote - found.data);
            return true;
        }
        found = behind(glue, known, "=_"); /* another name of a function */
        known = take_name(&found);
        if (!known.len || !take(&found, ";")) return false;
    }
    return false;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* A part of the text that something else takes the place of. */
typedef struct edit {
    piece old, new;
} edit;

typedef struct edits {
    edit *list;
    size_t count;
    char table[48];
} edits;

/* An object of WebAssembly, which no snapshot of V8's can hold, is made when prelink.resume() is called; until then the
 * variable, the property of Module and the import are undefined. */
#define LATER_TEXT(type, variable, import)                                                                             \
    "var " variable ";prelink.later(\"" type "\",made=>" variable "=Module[\"" variable "\"]=wasmImports[\"" import    \
    "\"]=made,"
#define LATER(type, variable, import)                                                                                  \
    {                                                                                                                  \
        "var " variable "=new WebAssembly." type "(", LATER_TEXT(type, variable, import)                               \
    }
#define LATER_GLOBAL(variable, import, value)                                                                          \
    LATER_TEXT("Global", variable, import) "{value:\"i32\",mutable:false}," value ")"

/* Each text stands there once; NULL asks only for its being there. */
static const char *const replacements[][2] = {
    {"{initMemory();if(Module[\"preloadPlugins\"])",
     "{prelink.memory(()=>{initMemory();wasmImports[\"memory\"]=wasmMemory});if(Module[\"preloadPlugins\"])"},
    LATER("Table", "wasmTable", "__indirect_function_table"),
    LATER("Tag", "___c_longjmp", "__c_longjmp"),
    LATER("Tag", "___cpp_exception", "__cpp_exception"),
    LATER("Global", "___stack_pointer", "__stack_pointer"),
    {"Gr=WebAssembly.Exception,Vr=a(t=>t instanceof Gr,", "Vr=a(t=>t instanceof WebAssembly.Exception,"},
    /* Of what atomic waiting needs, and of how the engine's stack switching is looked for: neither is there. */
    {"var canConstructWasm=true;", "var canConstructWasm=false;"},
    {"new Int32Array(new WebAssembly.Memory({shared:!0,initial:1,maximum:1}).buffer)", "null"},
    {"try{new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0]))}catch(e){canConstructWasm=false}", ""},
    {"var ___memory_base=new WebAssembly.Global({value:\"i32\",mutable:false},1024)",
     LATER_GLOBAL("___memory_base", "__memory_base", "1024")},
    {"var ___table_base=new WebAssembly.Global({value:\"i32\",mutable:false},1)",
     LATER_GLOBAL("___table_base", "__table_base", "1")},
    {"rtn=GOT[symName]=new WebAssembly.Global({value:\"i32\",mutable:true})",
     "rtn=GOT[symName]=prelink.global(symName)"},
    {"GOT[symName]||=new WebAssembly.Global({value:\"i32\",mutable:true});", "GOT[symName]||=prelink.global(symName);"},
    {"var functionsInTableMap;", "var functionsInTableMap=prelink.functions;"},
    {"wasmExports=relocateExports(wasmExports,1024);", "prelink.start(wasmExports,wasmImports,Module,wasmTable);"},
    {"mergeLibSymbols(wasmExports,\"main\");", ""},
    {"var reportUndefinedSymbols=()=>{", "var reportUndefinedSymbols=()=>{prelink.wrap(GOT);"},
    {"if(!lib.exports.hasOwnProperty(symbol)||",
     "if(lib.exports[symbol]===undefined||!lib.exports.hasOwnProperty(symbol)||"},
    /* Where libraries of packages go is decided in embedded/python/libraries.js. */
    {"var getMemory=size=>{if(runtimeInitialized){return _calloc(size,1)}",
     "var getMemory=size=>{if(runtimeInitialized){return Module.placeLibrary(size,_calloc)}"},
    {"var findLibraryFS=(libName,rpath)=>{if(!runtimeInitialized){return undefined}",
     "var findLibraryFS=(libName,rpath)=>{if(!runtimeInitialized){return undefined}"
     "if(Module.replayed){return Module.replayed(libName)}"},
    {"var applyRelocs=moduleExports[\"__wasm_apply_data_relocs\"];if(applyRelocs){",
     "var applyRelocs=moduleExports[\"__wasm_apply_data_relocs\"];if(applyRelocs&&!Module.replayed){"},
    {"var init=moduleExports[\"__wasm_call_ctors\"];if(init){",
     "var init=moduleExports[\"__wasm_call_ctors\"];if(init&&!Module.replayed){"},
};
enum { REPLACEMENTS = sizeof replacements / sizeof replacements[0] };

static const char *find(piece text, const char *what) { return memmem(text.data, text.len, what, strlen(what)); }

static aard_error *replace(const aard__glue *glue, const char *old, piece new, edits *to)
{
    const char *at = find(glue->text, old);
    size_t len = strlen(old);
    if (!at || find((piece){at + 1, glue->text.len - (size_t)(at + 1 - glue->text.data)}, old))
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH,
                           "pyodide.asm.js can't be prelinked: it does not have '%s' exactly once", old);
    to->list[to->count++] = (edit){{at, len}, new};
    return NULL;
}

/* The symbol table answers for these from now on; but the glue may know objects that it does not. */
static bool droppable(const aard__glue *glue, const statement *s, const aard__glue_changes *changes)
{
    aard__symbol symbol;
    if (needed(glue, s) || s->property.data[0] != '_') return false;
    if (s->export.len)
        return s->export.len == s->property.len - 1 && !memcmp(s->export.data, s->property.data + 1, s->export.len);
    return aard__symbols_find(changes->symbols, changes->symbols_len, s->property.data + 1, s->property.len - 1,
                              &symbol) &&
           !symbol.function && (double)symbol.value == s->address;
}

static int by_place(const void *a, const void *b)
{
    const char *x = ((const edit *)a)->old.data, *y = ((const edit *)b)->old.data;
    return (x > y) - (x < y);
}

static aard_error *apply(const aard__glue *glue, edits *all, aard__buf *out)
{
    const char *at = glue->text.data, *end = at + glue->text.len;
    qsort(all->list, all->count, sizeof *all->list, by_place);
    for (size_t i = 0; i < all->count; i++) {
        const edit *e = &all->list[i];
        if (e->old.data < at) return unexpected("two places to change overlap");
        aard__buf_append(out, at, (size_t)(e->old.data - at));
        aard__buf_append(out, e->new.data, e->new.len);
        at = e->old.data + e->old.len;
    }
    aard__buf_append(out, at, (size_t)(end - at));
    return out->failed ? aard__error_no_memory() : NULL;
}

static aard_error *collect(const aard__glue *glue, const aard__glue_changes *changes, piece start, edits *all)
{
    char table[48];
    snprintf(table, sizeof table, "initial:%u,element:\"anyfunc\"", (unsigned)changes->table_size);
    snprintf(all->table, sizeof all->table, "initial:%u,element:\"anyfunc\"", (unsigned)changes->new_table_size);
    AARD__TRY(replace(glue, "var Module=moduleArg;", start, all));
    AARD__TRY(replace(glue, table, (piece){all->table, strlen(all->table)}, all));
    for (size_t i = 0; i < REPLACEMENTS; i++) {
        const char *new = replacements[i][1];
        AARD__TRY(replace(glue, replacements[i][0], (piece){new, new ? strlen(new) : 0}, all));
        if (!new) all->count--;
    }
    for (size_t i = 0; i < glue->count; i++)
        if (droppable(glue, &glue->statements[i], changes))
            all->list[all->count++] = (edit){glue->statements[i].all, {NULL, 0}};
    return NULL;
}

aard_error *aard__glue_write(const aard__glue *glue, const aard__glue_changes *changes, aard__buf *out)
{
    aard__buf start = AARD__BUF_INIT;
    aard__buf_puts(&start, "var Module=moduleArg;const prelink=(");
    aard__buf_append(&start, changes->linker, changes->linker_len);
    aard__buf_puts(&start, ")(Module[\"prelink\"]);delete Module[\"prelink\"];");
    edits all = {.list = aard__malloc((glue->count + REPLACEMENTS + 2) * sizeof *all.list)};
    aard_error *error = start.failed || !all.list ? aard__error_no_memory() : NULL;
    if (!error) error = collect(glue, changes, (piece){start.data, start.len}, &all);
    if (!error) error = apply(glue, &all, out);
    aard__free(all.list);
    aard__buf_free(&start);
    return error;
}
