/* Inline JavaScript: every form of it, alone and one after the other, as consoles run it.  test-quick */
#include "one_guest.h"

typedef struct row {
    const char *code, *want; /* the value's JSON; NULL: another row looks at what came of it */
} row;

static void all_are(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aard_outcome *outcome = exec(guest, rows[i].code);
        size_t len;
        const char *json = aard_outcome_value_json(outcome, &len);
        bool success = aard_outcome_is_success(outcome);
        if (!success || (rows[i].want && (len != strlen(rows[i].want) || memcmp(json, rows[i].want, len))))
            fail_msg("%s\ngives %s, not %s", rows[i].code, success ? json : aard_outcome_failure_message(outcome),
                     rows[i].want);
        aard_outcome_free(outcome);
    }
}

static void test_await_in_every_position(void **state)
{
    (void)state;
    static const row rows[] = {
        {"await 5", "5"},
        {"(await 5)", "5"},
        {"await 5;", "5"},
        {"await 5 // comment", "5"},
        {"/* a */ await /* b */ 5 /* c */", "5"},
        {"await (1)", "1"},
        {"await [1, 2]", "[1,2]"},
        {"await {a: 1}.a", "1"},
        {"[await 1, await 2]", "[1,2]"},
        {"({a: await 1, [await 'b']: 2})", "{\"a\":1,\"b\":2}"},
        {"`${await 1}${await `${await 2}`}`", "\"12\""},
        {"await /re/.test('re')", "true"},
        {"(await 8) / 2 / 2", "2"},
        {"await 8 / 2 / await 2", "2"},
        {"await await 3", "3"},
        {"-await 3", "-3"},
        {"typeof await 3", "\"number\""},
        {"(await 1) ? await 2 : await 3", "2"},
        {"null ?? await 3", "3"},
        {"Math.max(await 1, ...await [2, 3])", "3"},
        {"new (await Array)(await 2).length", "2"},
        {"(() => 4)(await 1)", "4"},
        {"(await Math)?.max(1, 2)", "2"},
        {"String.raw`a${await 1}`", "\"a1\""},
        {"let a1 = await 1, b1 = await 2; a1 + b1", "3"},
        {"const {c1, ...d1} = await {c1: 1, x: 2}; [c1, d1]", "[1,{\"x\":2}]"},
        {"const [e1 = await 7] = []; e1", "7"},
        {"var f1 = await 1; f1", "1"},
        {"g1 = await 1", "1"},
        {"f1 += await 2", "3"},
        {"if (await true) { await 1; 'yes' } else 'no'", "\"yes\""},
        {"for (let i = await 0; i < await 3; i += await 1) i", "2"},
        {"for (const x of await [1, 2]) await x", "2"},
        {"for (const x in await {a: 1}) await x", "\"a\""},
        {"for await (const x of [Promise.resolve(1), 2]) x", "2"},
        {"for await (const x of (async function* () { yield 1; yield 9 })()) x", "9"},
        {"let n1 = 3; while (await n1 > 0) n1--; n1", "0"},
        {"do { await 3 } while (await false)", "3"},
        {"switch (await 1) { case await 1: await 5; 7 }", "7"},
        {"try { await Promise.reject(new Error('x')) } catch (e) { await e.message }", "\"x\""},
        {"try { 1 } finally { await 2 }", "1"},
        {"label: { await 1; break label }", "1"},
        {"outer: for (;;) { for (;;) { await 1; break outer } }", "1"},
        {"{ await 1; { await 2 } }", "2"},
        {"await null; ({a: 1})", "{\"a\":1}"},
        {"await null; {a: 1}", "1"},
        {"await null; function h1() { return 3 } h1()", "3"},
        {"h1()", "3"},
        {"await null\n\n\n3", "3"},
        {"await null\n;[1, 2].length", "2"},
        {"await null;;", "null"},
        {"'use strict'; await null; (function () { return this })()", "null"},
        {"let s1 = 'await'; s1", "\"await\""},
        {"/await/.source", "\"await\""},
        {"// await\n1", "1"},
        {"class K1 { await() { return 2 } } new K1().await()", "2"},
        {"({await: 1}).await", "1"},
        {"await import('./absent.js').catch((e) => e.constructor.name)", "\"TypeError\""},
        {"await new Promise((done) => setTimeout(() => done('slept'), 3))", "\"slept\""},
        {"await {then(done) { done(6) }}", "6"},
        {"await Promise.all([1, Promise.resolve(2)])", "[1,2]"},
        {"throw_ = 0; await (async () => { await null; throw_ = 1 })(); throw_", "1"},
        {"var arrow = async (x) => (await x) + 1; await arrow(1)", "2"},
        {"async function inner() { for await (const x of [1]) return x } await inner()", "1"},
        {"async function* many() { yield await 4 } (await many().next()).value", "4"},
        {"class K2 { static async s() { return await 8 } async #p() { return 9 } q() { return this.#p() } }\n"
         "[await K2.s(), await new K2().q()]",
         "[8,9]"},
        {"await null\n--> a comment of HTML's\n2", "2"},
        {"<!-- await\n2", "2"},
    };
    all_are(rows, COUNT(rows));
}

/* A function that awaits is no code that does: nothing of it may be changed. */
static void test_functions_that_await_are_left_alone(void **state)
{
    (void)state;
    static const row rows[] = {
        {"var left = async () => { await 1; return 2 }; left.toString()", "\"async () => { await 1; return 2 }\""},
        {"await null; (async x => await x).toString()", "\"async x => await x\""},
        {"const k = class { async m() { await 1 } }; k.toString()", "\"class { async m() { await 1 } }\""},
    };
    all_are(rows, COUNT(rows));
}

static void test_declarations_stay_and_may_be_made_again(void **state)
{
    (void)state;
    static const row rows[] = {
        {"let a = 1", "null"},
        {"let a = 2; a", "2"},
        {"let a", "null"},
        {"a", "null"},
        {"const b = 1", "null"},
        {"const b = await 2; b", "2"},
        {"b", "2"},
        {"class C { x = 1 }", "null"},
        {"class C { x = 2; static { this.y = 3 } }\n[new C().x, C.y]", "[2,3]"},
        {"function f() { return 1 }", "null"},
        {"function f() { return 2 }", "null"},
        {"await 0; function f() { return a1++ } var a1 = 3", "0"},
        {"f() + f()", "7"},
        {"let {d, e: [g]} = {d: 1, e: [2]}", "null"},
        {"let d = 5, g = 6; [d, g]", "[5,6]"},
        {"var v = 1", "null"},
        {"var v; v", "1"},
        {"await 1; var v = 2", "1"},
        {"globalThis.v", "2"},
        {"if (await 1) { let inner = 1; var outer = 2 }\n[typeof inner, outer]", "[\"undefined\",2]"},
        {"let count = 0; const more = () => ++count", "null"},
        {"more(); more(); count", "2"},
        {"let {a: aa = 4} = {}; aa", "4"},
        {"async function af() { return aa }", "null"},
        {"await af()", "4"},
        {"function* gf() { yield aa }", "null"},
        {"[...gf()]", "[4]"},
        {"let await_ = 1; await_", "1"},
        {"var await = 7", "null"}, /* a name in scripts */
        {"await", "7"},
    };
    all_are(rows, COUNT(rows));
}

static void test_a_declaration_that_failed_may_be_made_again(void **state)
{
    (void)state;
    exception_is(exec(guest, "const failing = (() => { throw new Error('no') })()"), "Error", "no", NULL);
    exception_is(exec(guest, "failing"), "ReferenceError", NULL, NULL);
    value_is(exec(guest, "const failing = 2; failing"), "2");
    exception_is(exec(guest, "const fixed = 1; fixed = 2"), "TypeError", NULL, NULL);
    value_is(exec(guest, "fixed"), "1");
}

static void test_values_of_statements(void **state)
{
    (void)state;
    static const row rows[] = {
        {"{a: 1}", "1"}, /* a block with a label, as everywhere */
        {"({a: 1})", "{\"a\":1}"},
        {"[{a: 1}]", "[{\"a\":1}]"},
        {"let s; if (1) 5; else 6", "5"},
        {"let t = 1; t;;", "1"},
        {"let u = 3; for (const i of [1, 2]) i * u", "6"},
        {"let w = 1; try { w } finally { 2 }", "1"},
        {"let x = 1", "null"},
        {"5; let y = 1", "5"},
        {"5; function z() {}", "5"},
        {"5; class Z {}", "5"},
        {"'use strict'; let strict = 1", "\"use strict\""},
        {"let p = 1; Promise.resolve(p)", "1"},
        {"let th = 1; ({then(done) { done(th + 1) }})", "2"},
        {"#!/usr/bin/env node\nlet bang = 4; bang", "4"},
        {"\xef\xbb\xbflet bom = 4; bom", "4"},
        {"\xef\xbb\xbf#!/usr/bin/env node\nlet bom2 = 5; bom2", "5"},
        {"let cr = 1\rcr", "1"},
        {"let ls = 1\xe2\x80\xa8ls", "1"},
        {"with ({in_: 1}) { let l = in_; l }", "1"},
        {"let un\\u0064er = 1; under", "1"},
        {"let \xc3\xa4 = 'ä'; \xc3\xa4", "\"ä\""},
        {"let o8 = 010; o8", "8"},
        {"let self = this === globalThis; self", "true"},
        {"let re = 4; re / 2 / 1", "2"},
        {"let t2 = `a${`b${1}`}`; t2", "\"ab1\""},
    };
    all_are(rows, COUNT(rows));
}

static void test_long_sources_have_values_too(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    char *code = malloc(LINES * 16 + 64), *at = code;
    at += sprintf(at, "let sum = 0;\n");
    for (int i = 0; i < LINES; i++) at += sprintf(at, "sum += 1; \n");
    strcpy(at, "await sum");
    value_is(exec(guest, code), "20000");
    free(code);
}

static void test_no_code_runs_twice(void **state)
{
    (void)state;
    static const row count[] = {{"runs", "1"}};
    static const char *const once[] = {
        "var runs = (globalThis.runs ?? 0) + 1; throw new SyntaxError('await is only valid')",
        "globalThis.runs += 1; await null; throw new SyntaxError('Unexpected token')",
        "globalThis.runs += 1; let again = null.x",
        "globalThis.runs += 1; const [a, b] = await 5",
    };
    for (size_t i = 0; i < COUNT(once); i++) {
        aard_outcome *outcome = exec(guest, once[i]);
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_JAVASCRIPT_EXCEPTION);
        aard_outcome_free(outcome);
        all_are(count, 1);
        value_is(exec(guest, "globalThis.runs = 0"), "0");
    }
    exception_is(exec(guest, "runs += 5; await 1; x +"), "SyntaxError", NULL, "<exec>:1:24", NULL);
    value_is(exec(guest, "runs"), "0");
}

static void test_what_does_not_parse_says_where(void **state)
{
    (void)state;
    exception_is(exec(guest, "await 1;\nlet q q\n"), "SyntaxError", NULL, "<exec>:2:7", "let q q", NULL);
    exception_is(exec(guest, "await 1;\nlet q = ("), "SyntaxError", NULL, "<exec>:2:10", "let q = (", NULL);
    exception_is(exec(guest, "await 1; `open"), "SyntaxError", NULL, "<exec>:1", NULL);
    exception_is(exec(guest, "await 1; /* open"), "SyntaxError", NULL, "<exec>:1", NULL);
    exception_is(exec(guest, "let q = 1; let q = 2"), "SyntaxError", NULL, "<exec>:1:16", NULL);
    exception_is(exec(guest, "await 1; return 2"), "SyntaxError", NULL, "<exec>:1:10", NULL);
    exception_is(exec(guest, "function f() { await 1 }"), "SyntaxError", NULL, "<exec>:1", NULL);
    static const char *const modules[] = {"import x from './m.js'", "import './m.js'; await 1", "export const y = 1",
                                          "import.meta.url", "export default 3"};
    for (size_t i = 0; i < COUNT(modules); i++)
        exception_is(exec(guest, modules[i]), "SyntaxError",
                     "import and export declarations and import.meta belong into modules of a bundle; inline code "
                     "imports by: const {name} = await import('./file.js')",
                     "<exec>", NULL);
}

static aard_outcome *named(const char *code, size_t len, const char *name)
{
    aard_outcome *outcome = NULL;
    assert_ok(aard_isolate_exec(guest, code, len, name, NULL, &outcome));
    return check_form(outcome);
}

static void test_tracebacks_have_the_name(void **state)
{
    (void)state;
    static const char code[] = "let n = 1;\nawait n;\nnull.x";
    static const char *const rows[][2] = {
        {"dir/file.js", "dir/file.js:3:6"},  {"my file's \"n\".js", "my%20file%27s%20%22n%22.js:3:6"},
        {"\xc3\xa4.js", "\xc3\xa4.js:3:6"},  {"a\xe2\x80\xa8throw 5//", "a%E2%80%A8throw%205//:3:6"},
        {"a\nthrow 5", "a%0Athrow%205:3:6"}, {"a\xc2\xa0z", "a%C2%A0z:3:6"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        exception_is(named(code, sizeof code - 1, rows[i][0]), "TypeError", NULL, rows[i][1], NULL);
}

static void test_source_that_is_not_utf_8_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        size_t len;
        const char *what;
    } rows[] = {
        {"'a\xff'", 4, "x.js is not UTF-8: byte 0xff at offset 2, in line 1"},
        {"let a = 1;\n\n'\xe4'", 15, "byte 0xe4 at offset 13, in line 3"},
        {"'\xed\xa0\x80'", 5, "byte 0xed at offset 1, in line 1"}, /* a surrogate */
        {"'\xc3", 2, "byte 0xc3 at offset 1, in line 1"},
        {"\xff\xfe\x31\x00", 4, "byte 0xff at offset 0, in line 1"}, /* UTF-16 */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        failure_is(named(rows[i].code, rows[i].len, "x.js"), AARD_FAILURE_ADAPTER_ERROR, rows[i].what, NULL);
    exception_is(named("let nul = 1\0; nul", 17, "x.js"), "SyntaxError", NULL, "x.js:1:12", NULL);
}

/* Relative imports of inline code are from the bundle's directory. */
static void test_modules_of_the_bundle(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"lib/a.js", "export const a = 1; export default 'd'; export * from './b.js'"},
        {"lib/b.js", "export const b = await Promise.resolve(2)"},
        {NULL, NULL}};
    aard_isolate *own = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files)), *before = guest;
    guest = own;
    static const row rows[] = {
        {"const {a, b, default: d} = await import('./lib/a.js'); [a, b, d]", "[1,2,\"d\"]"},
        {"[a, b, d]", "[1,2,\"d\"]"},
        {"(await import('/app/lib/b.js')).b", "2"},
        {"import('./lib/b.js').then((m) => m.b)", "2"},
        {"let late = () => import('./lib/b.js'); (await late()).b", "2"},
        {"await import('../lib/b.js').catch((e) => e.name)", "\"TypeError\""},
    };
    all_are(rows, COUNT(rows));
    guest = before;
    aard_isolate_free(own);
}

/* What guests can replace does not change what inline code gives. */
static void test_a_guest_that_meddles(void **state)
{
    (void)state;
    static const row rows[] = {
        {"Object.prototype['.repl_result'] = 'forged'; await 1", "1"},
        {"let m1 = 2; m1", "2"},
        {"Object.defineProperty(Object.prototype, 'then', {get() { return undefined }, configurable: true}); await 3",
         "3"},
        {"delete Object.prototype.then; delete Object.prototype['.repl_result']", "true"},
    };
    all_are(rows, COUNT(rows));
    exception_is(exec(guest,
                      "const kept = Object.getOwnPropertyDescriptor(Promise.prototype, 'constructor');\n"
                      "Object.defineProperty(Promise.prototype, 'constructor', {get() { throw new Error('mine') }, "
                      "configurable: true});\nawait new Promise((done) => setTimeout(done, 1))"),
                 "Error", "mine", NULL);
    exception_is(exec(guest, "Promise.resolve(5)"), "Error", "mine", NULL);
    value_is(exec(guest, "Object.defineProperty(Promise.prototype, 'constructor', kept); 1"), "1");
    exception_is(exec(guest, "await 1; throw {toString() { throw 1 }}"), "Object", NULL, NULL);
    exception_is(exec(guest, "let p9 = Promise.reject(new TypeError('mine')); await null; await p9"), "TypeError",
                 "mine", NULL);
    aard_outcome *outcome = exec(guest, "await 1; throw new Error('told once')");
    size_t len;
    aard_outcome_stderr(outcome, &len);
    assert_int_equal(len, 0); /* it is no rejection that nobody handles */
    exception_is(outcome, "Error", "told once", NULL);
    failure_is(exec(guest, "await new Promise(() => {})"), AARD_FAILURE_OTHER, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_await_in_every_position),
        FRESH(test_functions_that_await_are_left_alone),
        FRESH(test_declarations_stay_and_may_be_made_again),
        FRESH(test_a_declaration_that_failed_may_be_made_again),
        FRESH(test_values_of_statements),
        FRESH(test_long_sources_have_values_too),
        FRESH(test_no_code_runs_twice),
        FRESH(test_what_does_not_parse_says_where),
        FRESH(test_tracebacks_have_the_name),
        FRESH(test_source_that_is_not_utf_8_is_refused),
        FRESH(test_modules_of_the_bundle),
        FRESH(test_a_guest_that_meddles),
    };
    return cmocka_run_group_tests(tests, start_javascript, stop);
}
