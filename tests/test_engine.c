/* The engine room: V8 as C sees it.  tests/test_engine_threads.c has what needs more than one thread.  test-quick */
#include "engine_support.h"

static fixture f;

static int set_up(void **state)
{
    (void)state;
    open_fixture(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_fixture(&f);
    return 0;
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static void test_scripts_give_their_last_value(void **state)
{
    (void)state;
    assert_int_equal(run(&f, "undefined")->value.kind, AARD__UNDEFINED);
    assert_int_equal(run(&f, "null")->value.kind, AARD__NULL);
    assert_int_equal(run(&f, "")->value.kind, AARD__UNDEFINED);
    assert_true(run(&f, "1 === 1")->value.boolean);
    assert_int_equal(run(&f, "1 === 2")->value.kind, AARD__BOOL);
    assert_float_equal(run(&f, "-1.5e300")->value.number, -1.5e300, 0);
    assert_true(run(&f, "NaN")->value.number != f.result.value.number);
    string_is(run(&f, "'abc'"), TEXT("abc"));
    string_is(run(&f, "''"), TEXT(""));
    assert_int_equal(run(&f, "({})")->value.kind, AARD__UNDEFINED); /* an object, and nobody wants it */
    assert_int_equal(run(&f, "12n")->value.kind, AARD__UNDEFINED);
    aard__source source = {.name = "object", .data = "({ a: 5 })", .len = 10};
    aard__realm_run(f.realm, &source, true, &f.result);
    assert_int_equal(f.result.value.kind, AARD__REF);
    aard__ref *object = f.result.value.ref;
    aard__ref_get(f.realm, object, "a", &f.result);
    assert_float_equal(f.result.value.number, 5, 0);
    aard__ref_get(f.realm, object, "absent", &f.result);
    assert_int_equal(f.result.value.kind, AARD__UNDEFINED);
    aard__ref_free(object);
    aard__ref_free(NULL);
}

static void test_strings_of_every_kind_cross_the_border(void **state)
{
    (void)state;
    string_is(run(&f, "'\\xe4\\xff'"), TEXT("äÿ"));
    string_is(run(&f, "'\\u20ac\\u{1f600}'"), TEXT("€😀"));
    string_is(run(&f, "'a\\0b'"), TEXT("a\0b"));
    string_is(run(&f, "'\\ud800'"), TEXT("\xef\xbf\xbd"));
    string_is(run(&f, "'x\\udc00y\\ud83d'"), TEXT("x\xef\xbf\xbdy\xef\xbf\xbd"));
    string_is(run(&f, "'\\ud83d' + '\\ude00'"), TEXT("😀"));
    string_is(run(&f, "'äöü 😀'"), TEXT("äöü 😀"));
    static const char *const units[] = {"x", "\\xe4", "\\u20ac", "\\u{1f600}"};
    for (size_t i = 0; i < 4; i++) { /* more than 1 MiB of each */
        char code[128];
        snprintf(code, sizeof code, "'%s'.repeat(1100000)", units[i]);
        run(&f, code);
        assert_int_equal(f.result.value.kind, AARD__STRING);
        assert_int_equal(f.result.value.len, (i + 1) * 1100000);
    }
    /* And back in. */
    aard__ref *length = function(&f, "(s) => s.length + ':' + s.codePointAt(0).toString(16)");
    static const struct {
        const char *text;
        size_t len;
        const char *told;
    } rows[] = {{TEXT("a\0b"), "3:61"},
                {TEXT("ä"), "1:e4"},
                {TEXT("€"), "1:20ac"},
                {TEXT("😀"), "2:1f600"},
                {TEXT("\xff"), "1:fffd"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard__value argument = AARD__VALUE_STRING(rows[i].text, rows[i].len);
        aard__ref_call(f.realm, length, &argument, 1, false, &f.result);
        string_is(&f.result, rows[i].told, strlen(rows[i].told));
    }
    aard__ref_free(length);
}

static void test_values_go_in_as_arguments(void **state)
{
    (void)state;
    aard__ref *show = function(
        &f, "(...a) => a.map((x) => x instanceof Uint8Array ? `bytes ${x}` : `${typeof x} ${x}`).join()");
    aard__ref *object = function(&f, "() => 1");
    aard__value arguments[] = {{.kind = AARD__UNDEFINED},  {.kind = AARD__NULL},      AARD__VALUE_BOOL(true),
                               AARD__VALUE_NUMBER(-0.5),   AARD__VALUE_STRING("", 0), AARD__VALUE_BYTES("\1\xff", 2),
                               AARD__VALUE_BYTES(NULL, 0), AARD__VALUE_REF(object)};
    aard__ref_call(f.realm, show, arguments, 8, false, &f.result);
    string_is(&f.result, TEXT("undefined undefined,object null,boolean true,number -0.5,string ,bytes 1,255,bytes ,"
                              "function () => 1"));
    aard__ref_call(f.realm, show, NULL, 0, false, &f.result);
    string_is(&f.result, TEXT(""));
    aard__ref_free(object);
    aard__ref_free(show);
    aard__ref *this_of = function(&f, "function () { 'use strict'; return this === undefined }");
    aard__ref_call(f.realm, this_of, NULL, 0, false, &f.result);
    assert_true(f.result.value.boolean);
    aard__ref_free(this_of);
}

/* ---- exceptions ------------------------------------------------------------------------------------------------ */

static void test_what_is_thrown_is_told(void **state)
{
    (void)state;
    threw(run(&f, "throw new RangeError('far')"), "RangeError", "far", "at test:1:7");
    threw(run(&f, "\n\n  null.x"), "TypeError", "Cannot read properties of null (reading 'x')", "at test:3:8");
    threw(run(&f, "absent"), "ReferenceError", "absent is not defined", "at test:1:1");
    threw(run(&f, "throw 'text'"), "", "text", "");
    threw(run(&f, "throw undefined"), "", "undefined", "");
    threw(run(&f, "throw 5n"), "", "5", "");
    threw(run(&f, "throw Symbol('s')"), "", "Symbol(s)", "");
    threw(run(&f, "throw { name: 'N', message: 'M', stack: 'S' }"), "N", "M", "S");
    threw(run(&f, "throw { name: 1, message: {} }"), "", "#<Object>", "");
    threw(run(&f, "throw { get name() { throw 1 }, get message() { throw 2 } }"), "", "#<Object>", "");
    threw(run(&f, "throw new Proxy({}, { get() { throw 1 } })"), "", NULL, "");
    threw(run(&f, "(function f() { f() })()"), "RangeError", "Maximum call stack size exceeded", "at f (test:1");
    threw(run(&f, "'x'.repeat(2 ** 30)"), "RangeError", NULL, "");
    string_is(run(&f, "'and on it goes'"), TEXT("and on it goes"));
}

static void test_a_syntax_error_has_its_place(void **state)
{
    (void)state;
    threw(run(&f, "let a = 1;\nlet b = = 2;"), "SyntaxError", "Unexpected token '='", "at test:2:9");
    assert_non_null(strstr(text_of(&f.result.thrown_stack), "let b = = 2;"));
    threw(run(&f, "function ("), "SyntaxError", NULL, "at test:1");
    threw(run(&f, "'\n'"), "SyntaxError", NULL, "at test:1");
    threw(run(&f, "await 1"), "SyntaxError", NULL, "at test:1");
}

/* ---- host functions -------------------------------------------------------------------------------------------- */

static aard__ref *kept;

static void host_types(aard__frame *frame, void *user)
{
    aard__buf text = AARD__BUF_INIT, out = AARD__BUF_INIT;
    uint8_t *bytes;
    size_t len;
    assert_ptr_equal(user, &f);
    for (size_t i = 0; i < aard__frame_count(frame); i++) {
        double number = aard__frame_number(frame, i);
        if (aard__frame_is_undefined(frame, i)) aard__buf_puts(&out, "undefined ");
        if (aard__frame_bool(frame, i)) aard__buf_puts(&out, "truthy ");
        if (number == number) aard__buf_printf(&out, "number %g ", number);
        aard__buf_clear(&text);
        if (aard__frame_string(frame, i, &text))
            aard__buf_printf(&out, "string %.*s ", (int)text.len, text.data ? text.data : "");
        if (aard__frame_bytes(frame, i, &bytes, &len)) {
            aard__buf_printf(&out, "bytes %zu ", len);
            if (len) bytes[0]++;
        }
        aard__buf_putc(&out, '|');
    }
    assert_true(aard__frame_is_undefined(frame, 1000)); /* beyond the last */
    assert_false(aard__frame_bool(frame, 1000));
    assert_false(aard__frame_threw(frame));
    aard__frame_return_utf8(frame, out.data ? out.data : "", out.len);
    aard__buf_free(&out);
    aard__buf_free(&text);
}

static void host_give(aard__frame *frame, void *user)
{
    static const uint16_t wide[] = {0x20ac, 0xd83d, 0xde00, 0xd800};
    (void)user;
    switch ((int)aard__frame_number(frame, 0)) {
    case 0: aard__frame_return_bool(frame, true); break;
    case 1: aard__frame_return_number(frame, 2.5); break;
    case 2: aard__frame_return_null(frame); break;
    case 3: aard__frame_return_utf8(frame, "ä€😀", 9); break;
    case 4: aard__frame_return_latin1(frame, (const uint8_t *)"\xe4\0z", 3); break;
    case 5: aard__frame_return_utf16(frame, wide, 4); break;
    case 6: aard__frame_return_array_buffer(frame, "\1\2\3", 3); break;
    case 7: aard__frame_return_array_buffer(frame, NULL, 0); break;
    case 8: aard__frame_return_ref(frame, kept); break;
    case 9: aard__frame_throw(frame, "TypeError", "from the host"); break;
    case 10: aard__frame_throw(frame, "RangeError", "too far"); break;
    case 11:
        aard__frame_throw(frame, "Other", "plain");
        assert_true(aard__frame_threw(frame));
        break;
    case 12: aard__frame_return_utf8(frame, "", 0); break;
    case 13: aard__frame_return_utf8(frame, "x", (size_t)1 << 32); break; /* refused before it is read */
    default: break;
    }
}

static void host_keep(aard__frame *frame, void *user)
{
    (void)user;
    aard__ref_free(kept);
    kept = aard__frame_ref(frame, 0);
}

static const aard__host_entry own_host[] = {
    {"types", host_types}, {"give", host_give}, {"keep", host_keep}, {NULL, NULL}};
static const aard__host_entry *const tables[] = {aard__engine_host, own_host, NULL};

/* Makes the host functions the global `host`. */
static void give_host(void)
{
    aard__ref *set = function(&f, "(host) => { globalThis.host = host }"),
              *host = aard__realm_host_object(f.realm, tables);
    assert_non_null(host);
    aard__value argument = AARD__VALUE_REF(host);
    aard__ref_call(f.realm, set, &argument, 1, false, &f.result);
    assert_int_equal(f.result.status, AARD__OK);
    aard__ref_free(host);
    aard__ref_free(set);
}

static void test_host_functions_read_their_arguments(void **state)
{
    (void)state;
    give_host();
    string_is(run(&f, "host.types()"), TEXT(""));
    string_is(
        run(&f, "host.types(undefined, null, 0, 1, NaN, '', 'ä', true, {}, Symbol.iterator, 5n)"),
        TEXT("undefined ||number 0 |truthy number 1 ||string  |truthy string ä |truthy |truthy |truthy |truthy |"));
    string_is(run(&f,
                  "const a = new Uint8Array([7, 8]); host.types(a, a.buffer, a.subarray(1), new DataView(a.buffer, 2), "
                  "new Float64Array(1)) + a"),
              TEXT("truthy bytes 2 |truthy bytes 2 |truthy bytes 1 |truthy bytes 0 |truthy bytes 8 |9,9"));
    string_is(run(&f, "`${Object.getPrototypeOf(host)}${Object.keys(host).length}`"), TEXT("null8"));
    threw(run(&f, "new host.types()"), "TypeError", NULL, "test:1");
}

static void test_host_functions_give_values_of_every_kind(void **state)
{
    (void)state;
    give_host();
    string_is(run(&f, "[0, 1, 2, 3, 4, 5].map((n) => { const v = host.give(n); return typeof v === 'string' "
                      "? [...v].map((c) => c.codePointAt(0).toString(16)).join('.') : `${v}` }).join()"),
              TEXT("true,2.5,null,e4.20ac.1f600,e4.0.7a,20ac.1f600.d800"));
    string_is(
        run(&f,
            "`${new Uint8Array(host.give(6))}:${host.give(7).byteLength}:${host.give(12).length}:${host.give(99)}`"),
        TEXT("1,2,3:0:0:undefined"));
    assert_true(run(&f, "const mine = { x: 1 }; host.keep(mine); host.give(8) === mine")->value.boolean);
    threw(run(&f, "host.give(9)"), "TypeError", "from the host", "test:1");
    threw(run(&f, "host.give(10)"), "RangeError", "too far", "test:1");
    threw(run(&f, "host.give(11)"), "Error", "plain", "test:1");
    threw(run(&f, "host.give(13)"), "RangeError", "a string is longer than the engine can hold", "test:1");
    string_is(run(&f, "try { host.give(9) } catch (error) { error.message }"), TEXT("from the host"));
    aard__ref_free(kept);
    kept = NULL;
}

static void test_structured_clones(void **state)
{
    (void)state;
    give_host();
    string_is(
        run(&f,
            "const cyclic = { list: [1, 2n, new Date(5), /x/g, new Map([[1, new Set([2])]])] }; cyclic.self = cyclic; "
            "const copy = host.structuredClone(cyclic); [copy !== cyclic, copy.self === copy, copy.list[1], "
            "+copy.list[2], copy.list[3], copy.list[4].get(1).has(2)].join()"),
        TEXT("true,true,2,5,/x/g,true"));
    string_is(run(&f, "const b = new Uint8Array([1, 2, 3]); const moved = host.structuredClone({ b }, [b.buffer]); "
                      "`${moved.b}:${b.length}:${b.buffer.byteLength}`"),
              TEXT("1,2,3:0:0"));
    static const char *const refused[] = {"() => 1", "Symbol()", "({ f() {} })", "globalThis.host.keep",
                                          "new WeakMap()"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        char code[128];
        snprintf(code, sizeof code, "host.structuredClone(%s)", refused[i]);
        threw(run(&f, code), "DataCloneError", NULL, "");
    }
    threw(run(&f, "const two = new ArrayBuffer(1); host.structuredClone(two, [two, two])"), "DataCloneError", NULL, "");
    threw(run(&f, "host.structuredClone(1, [{}])"), "DataCloneError", NULL, "");
    threw(run(&f, "host.structuredClone({ get x() { throw new RangeError('mine') } })"), "RangeError", "mine", "");
    threw(run(&f, "host.structuredClone(1, Object.defineProperty([1], 0, { get() { throw new Error('list') } }))"),
          "Error", "list", "");
}

static void test_text_is_encoded(void **state)
{
    (void)state;
    give_host();
    string_is(run(&f, "`${new Uint8Array(host.encode('aä€😀\\ud800'))}`"),
              TEXT("97,195,164,226,130,172,240,159,152,128,239,191,189"));
    string_is(
        run(&f, "const into = new Uint8Array(5), counts = new Float64Array(2); host.encodeInto('aä€x', into, counts); "
                "`${into}:${counts}`"),
        TEXT("97,195,164,0,0:2,3"));
    string_is(run(&f, "`${host.encode(5)}${host.encodeInto('a', into, new Uint8Array(3))}`"),
              TEXT("undefinedundefined"));
}

/* ---- promises -------------------------------------------------------------------------------------------------- */

static void test_promises_settle(void **state)
{
    (void)state;
    aard__ref *promise = object(&f, "Promise.resolve().then(() => 'done')");
    assert_false(aard__promise_settled(f.realm, promise, false, &f.result));
    aard__vm_pump(f.vm);
    assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
    string_is(&f.result, TEXT("done"));
    aard__ref_free(promise);
    promise = object(&f, "Promise.reject(new TypeError('no'))");
    assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
    threw(&f.result, "TypeError", "no", "test:1");
    assert_false(aard__realm_next_rejection(f.realm, &f.result)); /* it was taken care of */
    aard__ref_free(promise);
    promise = object(&f, "({ no: 'promise' })");
    assert_true(aard__promise_settled(f.realm, promise, true, &f.result));
    assert_int_equal(f.result.value.kind, AARD__REF);
    aard__ref_free(f.result.value.ref);
    aard__ref_free(promise);
    promise = object(&f, "new Promise(() => {})");
    aard__vm_pump(f.vm);
    assert_false(aard__promise_settled(f.realm, promise, false, &f.result));
    aard__ref_free(promise);
}

static void test_rejections_that_nothing_handles(void **state)
{
    (void)state;
    run(&f, "Promise.reject(new Error('first')); Promise.reject('second'); Promise.reject(3).catch(() => {}); "
            "const later = Promise.reject('later'); 1");
    run(&f, "later.catch(() => {})");
    aard__vm_pump(f.vm);
    assert_true(aard__realm_next_rejection(f.realm, &f.result));
    threw(&f.result, "Error", "first", "test:1");
    assert_true(aard__realm_next_rejection(f.realm, &f.result));
    threw(&f.result, "", "second", "");
    assert_false(aard__realm_next_rejection(f.realm, &f.result));
}

/* ---- bytes, heap, realms --------------------------------------------------------------------------------------- */

static void test_the_bytes_behind_a_ref(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        long len; /* negative: none */
    } rows[] = {{"new Uint8Array([1, 2, 3])", 3},
                {"new Uint8Array([0, 1, 2]).subarray(1)", 2},
                {"new ArrayBuffer(5)", 5},
                {"new DataView(new ArrayBuffer(5), 4)", 1},
                {"new WebAssembly.Memory({ initial: 1 })", 65536},
                {"({})", -1},
                {"[1]", -1},
                {"new Float64Array(2)", 16},
                {"new Uint8Array(0)", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t *data = NULL;
        size_t len = 0;
        aard__ref *ref = object(&f, rows[i].code);
        assert_int_equal(aard__ref_bytes(ref, &data, &len), rows[i].len >= 0);
        if (rows[i].len >= 0) assert_int_equal(len, rows[i].len);
        if (i < 2) assert_int_equal(data[0], 1);
        aard__ref_free(ref);
    }
    aard__heap heap;
    aard__vm_heap(f.vm, &heap);
    assert_true(heap.used > 100000 && heap.used <= heap.total && heap.total <= heap.limit);
    assert_ptr_equal(aard__vm_user(f.vm), &f);
}

static void test_realms_know_nothing_of_each_other(void **state)
{
    (void)state;
    aard__realm *other = NULL, *first = f.realm;
    assert_null(aard__realm_new(f.vm, &other));
    run(&f, "globalThis.mark = 1; Object.prototype.touched = 1; Promise.reject('mine')");
    f.realm = other;
    string_is(run(&f, "typeof mark + typeof {}.touched"), TEXT("undefinedundefined"));
    assert_false(aard__realm_next_rejection(other, &f.result));
    assert_true(aard__realm_next_rejection(first, &f.result));
    aard__ref *global = aard__realm_global(other);
    aard__ref_get(other, global, "Object", &f.result);
    assert_int_equal(f.result.value.kind, AARD__REF);
    aard__ref_free(f.result.value.ref);
    aard__ref_free(global);
    f.realm = first;
    aard__realm_free(other);
    aard__realm_free(NULL);
    string_is(run(&f, "typeof mark"), TEXT("number"));
}

static void test_code_from_strings_is_a_switch(void **state)
{
    (void)state;
    static const char *const rows[] = {"eval('1 + 1')", "new Function('return 2')()", "(0, eval)('2')",
                                       "(() => {}).constructor('return 2')()",
                                       "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) && 2"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard__realm_allow_codegen(f.realm, true);
        assert_float_equal(run(&f, rows[i])->value.number, 2, 0);
        aard__realm_allow_codegen(f.realm, false);
        assert_int_equal(run(&f, rows[i])->status, AARD__THREW);
        threw(&f.result, i < 4 ? "EvalError" : "CompileError", NULL, "test:1");
    }
    string_is(run(&f, "typeof SharedArrayBuffer"), TEXT("undefined"));
    threw(
        run(&f,
            "Atomics.wait(new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer), 0, 0)"),
        "RangeError", NULL, "");
}

/* ---- code cache ------------------------------------------------------------------------------------------------ */

static void test_code_is_cached(void **state)
{
    (void)state;
    static const char text[] =
        "(function (n) { function fib(k) { return k < 2 ? k : fib(k - 1) + fib(k - 2) } return fib(n) })(12)";
    aard__buf cache = AARD__BUF_INIT;
    aard__source source = {
        .name = "cached", .data = text, .len = sizeof text - 1, .lasting = true, .make_cache = &cache};
    aard__realm_run(f.realm, &source, false, &f.result);
    assert_float_equal(f.result.value.number, 144, 0);
    assert_true(cache.len > 100);
    source.make_cache = NULL;
    source.cache = cache.data;
    source.cache_len = cache.len;
    close_fixture(&f);
    open_fixture(&f);
    for (size_t damage = 0; damage < 3;
         damage++) { /* whole, altered, cut off: a cache that is no good costs time only */
        if (damage == 1) cache.data[cache.len / 2] ^= 1;
        if (damage == 2) source.cache_len = cache.len / 2;
        aard__realm_run(f.realm, &source, false, &f.result);
        assert_int_equal(f.result.status, AARD__OK);
        assert_float_equal(f.result.value.number, 144, 0);
    }
    aard__buf_free(&cache);
}

/* ---- WebAssembly ----------------------------------------------------------------------------------------------- */

/* (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
static const uint8_t adder[] = {0,    'a', 's',  'm', 1, 0, 0, 0,    1, 7,    1, 0x60, 2,   0x7f,
                                0x7f, 1,   0x7f, 3,   2, 1, 0, 7,    7, 1,    3, 'a',  'd', 'd',
                                0,    0,   10,   9,   1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b};

static void adds(fixture *at, aard__wasm *wasm)
{
    aard__ref *module = aard__wasm_module(at->realm, wasm);
    assert_non_null(module);
    aard__ref *use = function(at, "(module) => new WebAssembly.Instance(module).exports.add(40, 2)");
    aard__value argument = AARD__VALUE_REF(module);
    aard__ref_call(at->realm, use, &argument, 1, false, &at->result);
    assert_float_equal(at->result.value.number, 42, 0);
    aard__ref_free(use);
    aard__ref_free(module);
}

static void test_wasm_is_compiled_shared_and_cached(void **state)
{
    (void)state;
    aard__wasm *wasm = NULL, *cached = NULL;
    aard__buf code = AARD__BUF_INIT;
    bool hit = true;
    assert_null(aard__wasm_compile(f.realm, adder, sizeof adder, NULL, 0, &wasm, &hit));
    assert_false(hit);
    adds(&f, wasm);
    fixture other;
    aard__vm_leave(f.vm);
    open_fixture(&other);
    adds(&other, wasm); /* another vm's, with the same code */
    close_fixture(&other);
    aard__vm_enter(f.vm);
    assert_false(aard__engine_record_code(true)); /* there is a vm */
    aard__wasm_free(wasm);
    close_fixture(&f);
    assert_true(aard__engine_record_code(true));
    open_fixture(&f);
    assert_null(aard__wasm_compile(f.realm, adder, sizeof adder, NULL, 0, &wasm, NULL));
    adds(&f, wasm);
    assert_true(aard__engine_record_code(false));
    assert_null(aard__wasm_serialize(wasm, &code));
    assert_true(code.len > 0);
    aard__wasm_free(wasm);
    aard__realm_allow_codegen(f.realm, false); /* the host's modules are not the guest's */
    assert_null(aard__wasm_compile(f.realm, adder, sizeof adder, code.data, code.len, &cached, &hit));
    assert_true(hit);
    aard__realm_allow_codegen(f.realm, true);
    adds(&f, cached);
    aard__wasm_free(cached);
    for (size_t damage = 0; damage < 3; damage++) { /* stale: compiled anew */
        cached = NULL;
        if (damage == 0) code.data[8] ^= 1;
        if (damage == 1) code.len = 3;
        hit = true;
        assert_null(aard__wasm_compile(f.realm, adder, sizeof adder, damage == 2 ? "nonsense" : code.data,
                                       damage == 2 ? 8 : code.len, &cached, &hit));
        assert_false(hit);
        adds(&f, cached);
        aard__wasm_free(cached);
    }
    aard__wasm_free(NULL);
    aard__buf_free(&code);
}

static void test_wasm_that_is_none(void **state)
{
    (void)state;
    aard__wasm *wasm = NULL;
    for (size_t len = 0; len < sizeof adder; len++) {
        if (len == 8 || len == 17) continue; /* a module of nothing, and one of a type */
        for (size_t cached = 0; cached < 2; cached++) {
            aard_error *error = aard__wasm_compile(f.realm, adder, len, cached ? "x" : NULL, cached, &wasm, NULL);
            assert_non_null(error);
            assert_int_equal(aard_error_get_code(error), AARD_ERR_ENGINE);
            assert_null(wasm);
            aard_error_free(error);
        }
    }
    string_is(run(&f, "'sound'"), TEXT("sound"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scripts_give_their_last_value),
        TEST(test_strings_of_every_kind_cross_the_border),
        TEST(test_values_go_in_as_arguments),
        TEST(test_what_is_thrown_is_told),
        TEST(test_a_syntax_error_has_its_place),
        TEST(test_host_functions_read_their_arguments),
        TEST(test_host_functions_give_values_of_every_kind),
        TEST(test_structured_clones),
        TEST(test_text_is_encoded),
        TEST(test_promises_settle),
        TEST(test_rejections_that_nothing_handles),
        TEST(test_the_bytes_behind_a_ref),
        TEST(test_realms_know_nothing_of_each_other),
        TEST(test_code_from_strings_is_a_switch),
        TEST(test_code_is_cached),
        TEST(test_wasm_is_compiled_shared_and_cached),
        TEST(test_wasm_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
