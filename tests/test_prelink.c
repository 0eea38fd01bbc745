/* Prelinking: what becomes of small modules and glue texts, and that nothing malformed gets through.  test-quick */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prelink/prelink.h"
#include "prelink/symbols.h"
#include "prelink/wasm.h"

/* ---- a module and its glue ------------------------------------------------------------------------------------- */

#define NAME(len, text) len text

/* Two functions; `kept` is used by the glue, `dropped` is not; `object` is at 1024 + 300; the table holds `dropped`. */
static const char imports[] = "\x04" NAME("\x03", "env") NAME("\x0c", "__table_base") "\x03\x7f\x00" NAME("\x03", "env")
    NAME("\x19", "__indirect_function_table") "\x01\x70\x00\x01" NAME("\x03", "env")
        NAME("\x01", "f") "\x00\x00" NAME("\x08", "GOT.func") NAME("\x01", "g") "\x03\x7f\x01";
static const char globals[] = "\x02\x7f\x00\x41\xac\x02\x0b\x7f\x01\x41\x00\x0b";
static const char exports[] = "\x04" NAME("\x04", "kept") "\x00\x01" NAME("\x07", "dropped") "\x00\x02" NAME(
    "\x06", "object") "\x03\x02" NAME("\x10", "__main_argc_argv") "\x00\x00";
static const char elements[] = "\x01\x00\x23\x00\x0b\x01\x02";
static const char code[] = "\x02\x02\x00\x0b\x02\x00\x0b";
static const char data[] = "\x01\x00\x41\x00\x0b\x03xyz";

typedef struct part {
    uint8_t id;
    const char *bytes;
    size_t len;
} part;

#define PART(id, bytes)                                                                                                \
    {                                                                                                                  \
        id, bytes, sizeof bytes - 1                                                                                    \
    }

static const part parts[] = {
    PART(1, "\x01\x60\x00\x00"), PART(2, imports), PART(3, "\x02\x00\x00"), PART(6, globals), PART(7, exports),
    PART(9, elements),           PART(12, "\x01"), PART(10, code),          PART(11, data),
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static const char linker[] = "/* linker */";

static const char glue_text[] =
    "var _createModule=(moduleArg)=>{var Module=moduleArg;{initMemory();if(Module[\"preloadPlugins\"]);}"
    "var ___c_longjmp=new WebAssembly.Tag({});var ___cpp_exception=new WebAssembly.Tag({});"
    "var ___stack_pointer=new WebAssembly.Global({value:\"i32\",mutable:true},9);Gr=WebAssembly.Exception,"
    "Vr=a(t=>t instanceof Gr,1);new Int32Array(new WebAssembly.Memory({shared:!0,initial:1,maximum:1}).buffer);"
    "var canConstructWasm=true;"
    "function _f_g(){};_f_g.sig=\"v\";function _h(a,b){};_h.sig=\"vii\";var _e_g=_f_g;var _g=_i;var _i=_h;"
    "try{new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0]))}catch(e){canConstructWasm=false}"
    "var ___memory_base=new WebAssembly.Global({value:\"i32\",mutable:false},1024);"
    "var ___table_base=new WebAssembly.Global({value:\"i32\",mutable:false},1);"
    "get(){rtn=GOT[symName]=new WebAssembly.Global({value:\"i32\",mutable:true})}"
    "GOT[symName]||=new WebAssembly.Global({value:\"i32\",mutable:true});"
    "var wasmTable=new WebAssembly.Table({initial:2,element:\"anyfunc\"});var functionsInTableMap;"
    "wasmExports=relocateExports(wasmExports,1024);mergeLibSymbols(wasmExports,\"main\");"
    "var reportUndefinedSymbols=()=>{};if(!lib.exports.hasOwnProperty(symbol)||x){}"
    "var getMemory=size=>{if(runtimeInitialized){return _calloc(size,1)}};"
    "var findLibraryFS=(libName,rpath)=>{if(!runtimeInitialized){return undefined}};"
    "var applyRelocs=moduleExports[\"__wasm_apply_data_relocs\"];if(applyRelocs){}"
    "var init=moduleExports[\"__wasm_call_ctors\"];if(init){}"
    "var _kept=Module[\"_kept\"]=wasmExports[\"kept\"];var _dropped=Module[\"_dropped\"]=wasmExports[\"dropped\"];"
    "var _object=Module[\"_object\"]=1324;var _other=Module[\"_other\"]=1324;_kept()};";

static void put_part(aard__buf *out, uint8_t id, const char *bytes, size_t len)
{
    aard__buf_putc(out, (char)id);
    aard__write_u32(out, (uint32_t)len);
    aard__buf_append(out, bytes, len);
}

/* The module with part `changed` (none: -1) replaced. */
static aard__buf module_with(int changed, const char *bytes, size_t len)
{
    aard__buf out = AARD__BUF_INIT;
    aard__buf_append(&out, "\0asm\1\0\0\0", 8);
    for (int i = 0; i < PARTS; i++) {
        bool other = parts[i].id == changed;
        put_part(&out, parts[i].id, other ? bytes : parts[i].bytes, other ? len : parts[i].len);
    }
    return out;
}

static aard_error *prelink(const void *wasm, size_t len, const char *glue, aard__prelinked *out)
{
    aard__prelink_input input = {wasm, len, glue, strlen(glue), linker, sizeof linker - 1, NULL, 0};
    return aard__prelink(&input, out);
}

static void refused(aard_error *error, const char *why)
{
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), AARD_ERR_DISTRIBUTION_MISMATCH);
    if (!strstr(aard_error_message(error), why)) fail_msg("'%s' does not say '%s'", aard_error_message(error), why);
    aard_error_free(error);
}

static bool contains(const aard__buf *buf, const void *what, size_t len)
{
    return memmem(buf->data, buf->len, what, len) != NULL;
}
#define HAS(buf, text) contains(buf, text, sizeof(text) - 1)

/* ---- what it makes --------------------------------------------------------------------------------------------- */

static aard__prelinked made;

static int make(void **state)
{
    (void)state;
    aard__buf wasm = module_with(-1, NULL, 0);
    aard_error *error = prelink(wasm.data, wasm.len, glue_text, &made);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    aard__buf_free(&wasm);
    return error != NULL;
}

static int unmake(void **state)
{
    (void)state;
    aard__prelinked_free(&made);
    return 0;
}

static void test_exports_that_nothing_names_go(void **state)
{
    (void)state;
    assert_true(HAS(&made.wasm, "\x07\x08\x01\x04kept\x00\x01"));
    assert_false(HAS(&made.wasm, "dropped"));
    assert_false(HAS(&made.wasm, "object"));
}

/* `dropped` has slot 1 already; `kept` and main follow behind the table that was. */
static void test_every_function_has_a_slot(void **state)
{
    (void)state;
    assert_true(HAS(&made.wasm, "\x02\x00\x23\x00\x0b\x01\x02\x00\x41\x02\x0b\x03\x01\x00\x03"));
    assert_true(HAS(&made.wasm, "__indirect_function_table\x01\x70\x00\x06"));
    assert_true(HAS(&made.glue, "initial:6,element:\"anyfunc\""));
}

static void symbol_is(const char *name, bool function, uint32_t value)
{
    aard__symbol symbol;
    if (!aard__symbols_find(made.symbols.data, made.symbols.len, name, strlen(name), &symbol))
        fail_msg("no symbol '%s'", name);
    assert_int_equal(symbol.function, function);
    assert_int_equal(symbol.value, value);
}

static void test_symbols_are_found_by_name(void **state)
{
    (void)state;
    aard__symbol symbol;
    symbol_is("kept", true, 2);
    symbol_is("dropped", true, 1);
    symbol_is("main", true, 3);
    symbol_is("__main_argc_argv", true, 3);
    symbol_is("object", false, 1324);
    symbol_is("js g", true, 4);
    symbol_is("js ", true, 5);
    static const char *const absent[] = {"", "kep", "keptt", "zzz", "_", "a"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_false(aard__symbols_find(made.symbols.data, made.symbols.len, absent[i], strlen(absent[i]), &symbol));
}

/* It has `g`, which JavaScript gives as another name of another name of `h`, put into its place in the table, and calls it with its own parameters. */
static void test_a_function_of_javascript_has_a_thunk(void **state)
{
    (void)state;
    static const char types[] = "\x01\x0d\x03\x60\x00\x00\x60\x02\x7f\x7f\x00\x60\x01\x7f\x00";
    static const char body[] = "\x12\x00\x41\x04\x41\x05\x11\x02\x00\x20\x00\x20\x01\x41\x04\x11\x01\x00\x0b";
    assert_true(HAS(&made.bare, types));
    assert_true(HAS(&made.bare, "\x03\x04\x03\x00\x00\x01"));
    assert_true(HAS(&made.bare, body));
}

static void test_data_stays_in_one_of_the_two_modules(void **state)
{
    (void)state;
    assert_true(HAS(&made.wasm, "xyz"));
    assert_false(HAS(&made.bare, "xyz"));
    assert_true(HAS(&made.bare, "\x0b\x03\x01\x01\x00"));
    assert_true(HAS(&made.bare, "\x0c\x01\x01"));
    assert_true(HAS(&made.bare, "\x0a\x1a\x03\x02\x00\x0b\x02\x00\x0b\x12"));
}

static void test_the_glue_asks_the_linker(void **state)
{
    (void)state;
    assert_true(HAS(&made.glue, "const prelink=(/* linker */)(Module[\"prelink\"]);"));
    assert_true(HAS(&made.glue, "prelink.start(wasmExports,wasmImports,Module,wasmTable);var reportUndefined"));
    assert_true(HAS(&made.glue, "{prelink.wrap(GOT);}"));
    assert_true(HAS(&made.glue, "var ___c_longjmp;prelink.later(\"Tag\",made=>___c_longjmp=Module[\"___c_longjmp\"]="
                                "wasmImports[\"__c_longjmp\"]=made,{});"));
    assert_false(HAS(&made.glue, "=new WebAssembly")); /* nothing of it before prelink.resume() */
    assert_true(HAS(&made.glue, "var _kept=Module[\"_kept\"]=wasmExports[\"kept\"];"));
    assert_false(HAS(&made.glue, "_dropped"));
    assert_false(HAS(&made.glue, "_object"));
    assert_true(HAS(&made.glue, "var _other=Module[\"_other\"]=1324;")); /* the module does not have it */
    assert_false(HAS(&made.glue, "relocateExports"));
}

/* ---- what it refuses ------------------------------------------------------------------------------------------- */

static void test_a_module_cut_anywhere_is_refused(void **state)
{
    (void)state;
    aard__buf wasm = module_with(-1, NULL, 0);
    for (size_t len = 0; len < wasm.len; len++) {
        char *copy = malloc(len + 1); /* of its own, so that a sanitizer sees what is read behind it */
        memcpy(copy, wasm.data, len);
        aard__prelinked none = {0};
        refused(prelink(copy, len, glue_text, &none), "");
        free(copy);
    }
    aard__buf_free(&wasm);
}

/* Any byte altered: refused, or a module of which the same is true again. */
static void test_altered_bytes_do_no_harm(void **state)
{
    (void)state;
    aard__buf wasm = module_with(-1, NULL, 0);
    for (size_t i = 0; i < wasm.len; i++) {
        char before = wasm.data[i];
        for (int value = 0; value < 256; value++) {
            aard__prelinked out = {0};
            wasm.data[i] = (char)value;
            aard_error *error = prelink(wasm.data, wasm.len, glue_text, &out);
            if (error && aard_error_get_code(error) != AARD_ERR_DISTRIBUTION_MISMATCH)
                fail_msg("byte %zu: %s", i, aard_error_message(error));
            if (!error) assert_true(out.bare.len && out.glue.len);
            aard_error_free(error);
            aard__prelinked_free(&out);
        }
        wasm.data[i] = before;
    }
    aard__buf_free(&wasm);
}

static void test_malformed_sections_are_refused(void **state)
{
    (void)state;
    static const struct {
        int id;
        const char *bytes;
        size_t len;
        const char *why;
    } cases[] = {
        {2, "\xff\xff\xff\xff\x0f", 5, "imports"},
        {2, "\x00", 1, "function table"},
        {2,
         "\x01\x03"
         "env\xff\xff\xff\xff\x0f",
         10, "imports"},
        {2, "\x01\x00\x00\x09", 4, "imports"},
        {3, "\xff\xff\x03", 3, "functions"},
        {6, "\x01\x7f\x00\x41\x00", 5, "globals"},
        {6, "\x01\x7f\x02\x41\x00\x0b", 6, "globals"},
        {6, "\x01\x7f\x00\x41\xff\xff\xff\xff\xff\x0f\x0b", 11, "globals"},
        {6, "\x01\x7f\x00\x10\x00\x0b", 6, "globals"},
        {6, "\x01\x7f\x01\x41\x05\x0b", 6, "not the address"},
        {6, "\x01\x7f\x00\x41\x7f\x0b", 6, "not the address"},
        {7,
         "\x01\x01"
         "f\x00\x03",
         5, "exports"},
        {7,
         "\x01\x01"
         "f\x09\x00",
         5, "exports"},
        {7,
         "\x01\x01"
         "g\x03\x09",
         5, "exports"},
        {7,
         "\x01\x01"
         "g\x03\x00",
         5, "not the address"},
        {7,
         "\x01\x04"
         "main\x00\x00",
         8, "'main'"},
        {7,
         "\x01\x04"
         "kept\x03\x01",
         8, "not the address"},
        {9, "\x02\x00\x23\x00\x0b\x00", 6, "table"},
        {9, "\x01\x00\x41\x01\x0b\x01\x02", 7, "table"},
        {9, "\x01\x00\x23\x01\x0b\x01\x02", 7, "table"},
        {9, "\x01\x00\x23\x00\x0b\x01\x03", 7, "table"},
        {9, "\x01\x00\x23\x00\x0b\x02\x02", 7, "table"},
        {9, "\x01\x00\x23\x00\x0b\x01\x02\x00", 8, "table"},
        {11, "\x02\x00\x41\x00\x0b\x00\x00\x41\x00\x0b\x00", 11, "data"},
        {11, "\x01\x00\x41\x00\x0b\x7f", 6, "data"},
        {12, "\x02", 1, "data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        aard__prelinked none = {0};
        aard__buf wasm = module_with(cases[i].id, cases[i].bytes, cases[i].len);
        aard_error *error = prelink(wasm.data, wasm.len, glue_text, &none);
        if (!error) fail_msg("case %zu was taken", i);
        refused(error, cases[i].why);
        aard__buf_free(&wasm);
    }
}

static void test_a_section_twice_or_of_no_known_kind_is_refused(void **state)
{
    (void)state;
    static const uint8_t ids[] = {11, 14, 255};
    for (size_t i = 0; i < sizeof ids; i++) {
        aard__prelinked none = {0};
        aard__buf wasm = module_with(-1, NULL, 0);
        put_part(&wasm, ids[i], data, sizeof data - 1);
        refused(prelink(wasm.data, wasm.len, glue_text, &none), ids[i] == 11 ? "two sections" : "unknown");
        aard__buf_free(&wasm);
    }
}

/* Each text that is to be replaced must be there, and only once. */
static void test_other_glue_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "var Module=moduleArg;",
        "mutable:false},1024)",
        "mutable:false},1);",
        "rtn=GOT[symName]=",
        "GOT[symName]||=",
        "initial:2,",
        "var functionsInTableMap;",
        "relocateExports(wasmExports,1024)",
        "mergeLibSymbols(wasmExports,\"main\")",
        "var reportUndefinedSymbols=()=>{",
        "if(!lib.exports.hasOwnProperty(symbol)||",
        "{initMemory();",
        "var ___c_longjmp=",
        "var ___cpp_exception=",
        "var ___stack_pointer=",
        "var wasmTable=",
        "Gr=WebAssembly.",
        "new Int32Array(new",
        "var canConstructWasm=true;",
        "try{new WebAssembly.Module(",
        "return _calloc(size,1)",
        "var findLibraryFS=(libName,rpath)=>{",
        "if(applyRelocs){",
        "if(init){",
    };
    aard__buf wasm = module_with(-1, NULL, 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        aard__prelinked none = {0};
        char *missing = strdup(glue_text), *place = strstr(missing, texts[i]);
        assert_non_null(place);
        place[strlen(texts[i]) - 2] ^= 1;
        refused(prelink(wasm.data, wasm.len, missing, &none), "exactly once");
        free(missing);
    }
    char twice[2 * sizeof glue_text];
    snprintf(twice, sizeof twice, "%s%s", glue_text, glue_text);
    aard__prelinked none = {0};
    refused(prelink(wasm.data, wasm.len, twice, &none), "exactly once");
    snprintf(twice, sizeof twice, "%svar prelink;", glue_text);
    refused(prelink(wasm.data, wasm.len, twice, &none), "'prelink'");
    aard__buf_free(&wasm);
}

static void test_damaged_symbols_are_not_found(void **state)
{
    (void)state;
    aard__symbol symbol;
    size_t len = made.symbols.len;
    char *copy = malloc(len);
    memcpy(copy, made.symbols.data, len);
    for (size_t cut = 0; cut < len; cut++) {
        char *front = malloc(cut + 1);
        memcpy(front, copy, cut);
        assert_false(aard__symbols_find(front, cut, "kept", 4, &symbol));
        free(front);
    }
    for (size_t i = 0; i < len; i++) { /* found or not, never outside */
        copy[i] = (char)(copy[i] ^ 0xff);
        if (aard__symbols_find(copy, len, "kept", 4, &symbol)) assert_memory_equal(symbol.name, "kept", 4);
        copy[i] = (char)(copy[i] ^ 0xff);
    }
    free(copy);
}

static void test_numbers_come_back_as_they_were_written(void **state)
{
    (void)state;
    static const int32_t numbers[] = {0,   1,    -1,   63,      64,         -64,       -65,      127,
                                      128, 8191, 8192, 1 << 20, -(1 << 20), INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        aard__buf buf = AARD__BUF_INIT;
        aard__write_s32(&buf, numbers[i]);
        aard__write_u32(&buf, (uint32_t)numbers[i]);
        aard__reader reader = {(const uint8_t *)buf.data, (const uint8_t *)buf.data + buf.len, false};
        assert_int_equal(aard__read_s32(&reader), numbers[i]);
        assert_int_equal(aard__read_u32(&reader), (uint32_t)numbers[i]);
        assert_true(!reader.bad && reader.at == reader.end);
        assert_int_equal(aard__read_u8(&reader), 0);
        assert_true(reader.bad);
        aard__buf_free(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exports_that_nothing_names_go),
        cmocka_unit_test(test_every_function_has_a_slot),
        cmocka_unit_test(test_symbols_are_found_by_name),
        cmocka_unit_test(test_a_function_of_javascript_has_a_thunk),
        cmocka_unit_test(test_data_stays_in_one_of_the_two_modules),
        cmocka_unit_test(test_the_glue_asks_the_linker),
        cmocka_unit_test(test_a_module_cut_anywhere_is_refused),
        cmocka_unit_test(test_altered_bytes_do_no_harm),
        cmocka_unit_test(test_malformed_sections_are_refused),
        cmocka_unit_test(test_a_section_twice_or_of_no_known_kind_is_refused),
        cmocka_unit_test(test_other_glue_is_refused),
        cmocka_unit_test(test_damaged_symbols_are_not_found),
        cmocka_unit_test(test_numbers_come_back_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
