/* JavaScript isolates: handlers and modules, values, buffers, inline code, exceptions. */
#include "isolate_support.h"

static aard_isolate *guest;

static int set_up(void **state)
{
    (void)state;
    guest = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_from("javascript"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(guest);
    return 0;
}

/* No call of a test may cost the isolate. */
static int same_guest(void **state)
{
    (void)state;
    aard_outcome *outcome = call(guest, "main:echo", "1");
    uint64_t generation = aard_outcome_diagnostics(outcome)->reset_generation;
    value_is(outcome, "1");
    return generation == 2 ? 0 : -1; /* the boot, and the bundle */
}

/* ---- handlers and modules -------------------------------------------------------------------------------------- */

static void test_handlers_of_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *input, *value;
    } rows[] = {
        {NULL, "{\"a\":[1,null]}", "{\"a\":[1,null]}"},
        {"main:echo", NULL, "null"},
        {"main:noParameter", "[1]", "[[1]]"},
        {"main:noParameter", NULL, "[\"nothing\"]"},
        {"main:withDefault", "1", "[1]"},
        {"main:withDefault", NULL, "[7]"},
        {"main:variadic", "1", "[1]"},
        {"main:quick", "1", "1"},
        {"main:sleepy", "1", "{\"value\":1,\"slept\":true}"},
        {"main:manyTicks", "1000", "1000"},
        {"main:thenable", "1", "[1]"},
        {"main:promised", "1", "1"},
        {"main:later", "1", "[\"late\",[1,1]]"},
        {"main:imported", "1", "[[1,1],\"nested\",\"first\",0]"},
        {"main:counting", "1", "1"},
        {"main:counting", "1", "2"},
        {"main:generatorResult", "1", "[1,2]"},
        {"main:holder.method", "1", "[\"holder\",1]"},
        {"main:holder.deep.fn", "1", "1"},
        {"main:Service.own", "1", "[\"Service\",1]"},
        {"main:ownThis", "1", "true"},
        {"main:default", "1", "\"default\""},
        {"main.js:echo", "1", "1"},
        {"lib.twice:twice", "1", "[1,1]"},
        {"lib/twice.js:twice", "1", "[1,1]"},
        {"lib.names:name.toUpperCase", NULL, "\"NESTED\""},
        {"waits:state", NULL, "\"ready\""},
        {"waits:state", NULL, "\"ready\""},
        {"cycle-a:both", NULL, "\"aba\""},
        {"cycle-b:b", NULL, "\"ba\""},
        {"script:handler", "1", "[\"declared\",1,1]"},
        {"script:handler", "1", "[\"declared\",1,2]"}, /* it ran once */
        {"script:awaited", "1", "{\"awaited\":1}"},
        {"common:handler", "1", "[\"common\",1]"},
        {"common:other", "1", "\"other\""},
        {"whole:default", "1", "[\"whole\",1]"},
        {"common:handler", "2", "[\"common\",2]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(guest, rows[i].entrypoint, rows[i].input), rows[i].value);
}

static void test_handlers_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *texts[3];
    } rows[] = {
        {"absent:echo", {"no module 'absent'", NULL}},
        {"../main:echo", {"no module", NULL}},
        {"main:absent", {"'absent'", "main.js", NULL}},
        {"main:holder.absent", {"'holder.absent'", NULL}},
        {"main:absent.more", {"'absent.more'", NULL}},
        {"main:constant", {"'constant'", "not callable", "number"}},
        {"main:holder", {"'holder'", "not callable", NULL}},
        {"script:absent", {"'absent'", "script.js", NULL}},
        {"script:declared", {"'declared'", NULL}},
    };
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < COUNT(rows); i++)
            failure_is(call(guest, rows[i].entrypoint, "1"), AARD_FAILURE_ADAPTER_ERROR, rows[i].texts[0],
                       rows[i].texts[1], rows[i].texts[2], NULL);
}

static void test_modules_that_do_not_load(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *type, *texts[3];
    } rows[] = {
        {"broken:x", "SyntaxError", {"/app/broken.js:2:18", "export const y = ;", NULL}},
        {"needs-broken:x", "SyntaxError", {"/app/broken.js:2:18", "export const y = ;", NULL}},
        {"needs-missing:x", "TypeError", {"./absent.js", "/app/needs-missing.js", NULL}},
        {"needs-bare:x", "TypeError", {"'left-pad'", "bare specifier", NULL}},
        {"leaves:x", "TypeError", {"../../etc/passwd", NULL}},
        {"needs-name:x", "SyntaxError", {"absent", "/app/needs-name.js:1", NULL}},
        {"throws:x", "Error", {"at import", "/app/throws.js:2:7", NULL}},
    };
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < COUNT(rows); i++)
            exception_is(call(guest, rows[i].entrypoint, "1"), rows[i].type, NULL, rows[i].texts[0], rows[i].texts[1],
                         rows[i].texts[2], NULL);
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static void test_values_come_back_equal(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9007199254740991",
        "0.1",
        "1e-7",
        "1.7976931348623157e+308",
        "5e-324",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\n\\t\\r\\b\\f\"",
        "\"\\u0000\\u001f\"",
        "\"\x7f\"",
        "\"äöü€\"",
        "\"😀𝒳\"",
        "\"\\ud800\"",
        "\"a\\udfffb\"",
        "\"\xe2\x80\xa8\"",
        "[]",
        "{}",
        "[[],{},[[]]]",
        "{\"\":{\"\":[]}}",
        "{\"b\":1,\"a\":2}",
        "{\"ä\":\"\\u0001\"}",
        "[1,1.5,true,null,\"1\"]",
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(guest, "main:echo", rows[i]), rows[i]);
    value_is(call(guest, "main:echo", " [ 1 , { \"a\" : \"\\u00e4\\/\" } ]\r\n\t"), "[1,{\"a\":\"ä/\"}]");
    value_is(call(guest, "main:echo", "[1E2,1e-2,1.0]"), "[100,0.01,1]");
}

static void test_javascript_values_become_json(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"undefined", "null"},
        {"[undefined, , 1]", "[null,null,1]"},
        {"({ a: undefined })", "{\"a\":null}"},
        {"2n ** 200n", "1606938044258990275541962092341162602522202993782792835301376"},
        {"({ big: -(2n ** 64n), list: [1n] })", "{\"big\":-18446744073709551616,\"list\":[1]}"},
        {"-0", "0"},
        {"({ [1]: 1, a: 2 })", "{\"1\":1,\"a\":2}"},
        {"new Date(0)", "\"1970-01-01T00:00:00.000Z\""},
        {"[new Date(0)]", "[\"1970-01-01T00:00:00.000Z\"]"},
        {"({ toJSON: (key) => ({ key }) })", "{\"key\":\"\"}"},
        {"({ inner: { toJSON: (key) => key } })", "{\"inner\":\"inner\"}"},
        {"Object.create(null)", "{}"},
        {"new (class Point { x = 1; #y = 2; })()", "{\"x\":1}"},
        {"new URL('https://example.org/a b')", "\"https://example.org/a%20b\""},
        {"['\\ud83d' + '\\ude00' + '\\ud800']", "[\"😀\\ud800\"]"},
        {"(() => { const a = [1]; return [a, a] })()", "[[1],[1]]"},
        {"({ get a() { return 1 } })", "{\"a\":1}"},
        {"[1, 2, 3].map(String)", "[\"1\",\"2\",\"3\"]"},
        {"Object.assign([1], { extra: 1 })", "[1]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(exec(guest, rows[i][0]), rows[i][1]);
}

static void test_values_that_json_can_not_hold(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *texts[2];
    } rows[] = {
        {"NaN", {"at $,", "NaN"}},
        {"({ k: [1, -Infinity] })", {"at $.k[1],", "-Infinity"}},
        {"({ a: [1, new Set([2])] })", {"at $.a[1],", "Set"}},
        {"({ 'with space': new Map() })", {"at $[\"with space\"],", "Map"}},
        {"[() => 1]", {"at $[0],", "function"}},
        {"class A {}", {"at $,", "function"}},
        {"[[Symbol('s')]]", {"at $[0][0],", "symbol"}},
        {"({ a: /x/ })", {"at $.a,", "RegExp"}},
        {"[new Error('e')]", {"at $[0],", "Error"}},
        {"({ a: new Uint8Array(1) })", {"at $.a,", "Uint8Array"}},
        {"[new ArrayBuffer(1)]", {"at $[0],", "ArrayBuffer"}},
        {"[Promise.resolve(1)]", {"at $[0],", "Promise"}},
        {"[new WeakMap()]", {"at $[0],", "WeakMap"}},
        {"[(function* () {})()]", {"at $[0],", "Generator"}},
        {"[new Headers({ a: 'b' })]", {"at $[0],", "Headers"}},
        {"({ r: new Response('text') })", {"at $.r,", "Response"}},
        {"[new (class Hidden { #x = 1; get x() { return this.#x; } })()]", {"at $[0],", "Hidden"}},
        {"[new String('boxed')]", {"at $[0],", "String"}},
        {"(() => { const a = [0]; a.push({ k: a }); return a })()", {"at $[1].k,", "contains itself"}},
        {"(() => { const o = {}; o.me = o; return o })()", {"at $.me,", "contains itself"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char source[256];
        snprintf(source, sizeof source, "export default () => (%s);", rows[i].expression);
        const char *const files[][2] = {{"value.js", source}, {NULL, NULL}};
        aard_isolate *other = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
        failure_is(call(other, "value:default", NULL), AARD_FAILURE_ADAPTER_ERROR, "can't become JSON",
                   rows[i].texts[0], rows[i].texts[1], NULL);
        aard_isolate_free(other);
    }
}

static void test_deep_nesting(void **state)
{
    (void)state;
    enum { DEPTH = 5000 };
    char *text = malloc(2 * DEPTH + 3);
    memset(text, '[', DEPTH + 1);
    memset(text + DEPTH + 1, ']', DEPTH + 1);
    text[2 * DEPTH + 2] = '\0';
    value_is(call(guest, "main:nestedTo", "5000"), text);
    value_is(call(guest, "main:depthOf", text), "5000");
    value_is(call(guest, "main:echo", text), text);
    free(text);
    failure_is(call(guest, "main:nestedTo", "1000000"), AARD_FAILURE_ADAPTER_ERROR, "nested too deeply", NULL);
}

static void test_10_mib_come_back_whole(void **state)
{
    (void)state;
    size_t len = 10 << 20;
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++) text[i] = (char)('a' + i % 23);
    text[0] = text[len - 1] = '"';
    memcpy(text + 1000, "äö😀", 8);
    text[len] = '\0';
    value_is_of(call(guest, "main:echo", text), text, len);
    free(text);
}

static void test_inputs_that_are_no_json(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "[1,]",
        "nul",
        "NaN",
        "'a'",
        "01",
        "1 2",
        "\"",
        "\"\n\"",
        "{a:1}",
        "\xef\xbb\xbf[]",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\"\xc3",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        failure_is(call(guest, "main:noParameter", rows[i]), AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON", NULL);
    value_is(call(guest, "main:noParameter", NULL), "[\"nothing\"]");
}

/* ---- buffers --------------------------------------------------------------------------------------------------- */

static void test_typed_arrays_come_back_as_buffers(void **state)
{
    (void)state;
    static const double doubles[] = {1.5, -2};
    static const uint16_t words[] = {2, 3};
    static const struct {
        const char *entrypoint, *metadata;
        const void *bytes;
        size_t len;
    } rows[] = {
        {"main:bytes", "{\"format\":\"bytes\"}", "\0\1\xff", 3},
        {"main:noBytes", "{\"format\":\"bytes\"}", NULL, 0},
        {"main:typed", "{\"format\":\"Float64Array\"}", doubles, sizeof doubles},
        {"main:shifted", "{\"format\":\"Uint16Array\"}", words, sizeof words},
        {"main:view", "{\"format\":\"DataView\"}", "\2\3", 2},
        {"main:buffer", "{\"format\":\"ArrayBuffer\"}", "\1\2\3", 3},
        {"main:big64", "{\"format\":\"BigInt64Array\"}", "\xff\xff\xff\xff\xff\xff\xff\xff", 8},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *id, *metadata;
        const uint8_t *data;
        size_t len;
        aard_outcome *outcome = call(guest, rows[i].entrypoint, NULL);
        assert_success(outcome);
        assert_int_equal(aard_outcome_buffer_count(outcome), 1);
        aard_outcome_buffer(outcome, 0, &id, &data, &len, &metadata);
        assert_string_equal(id, "result");
        assert_string_equal(metadata, rows[i].metadata);
        assert_int_equal(len, rows[i].len);
        if (len) assert_memory_equal(data, rows[i].bytes, len);
        value_is(outcome, "null");
    }
    size_t len = 0;
    aard_outcome *outcome = call(guest, "main:largeBuffer", NULL);
    aard_outcome_buffer(outcome, 0, NULL, NULL, &len, NULL);
    assert_int_equal(len, 10485760);
    value_is(outcome, "null");
    exception_is(call(guest, "main:detached", NULL), "TypeError", NULL, NULL);
}

/* ---- inline code ----------------------------------------------------------------------------------------------- */

static void test_inline_code_gives_its_last_expression(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1 + 1", "2"},
        {"const x = 5; let y = 1; var z = 2; function f() { return x + y + z }", "null"},
        {"f()", "8"},
        {"y = 10; x + y", "15"},
        {"", "null"},
        {"// nothing", "null"},
        {"if (true) { 'block' }", "\"block\""},
        {"({ a: 1 })", "{\"a\":1}"},
        {"[1, 2].map((n) => n * 2)", "[2,4]"},
        {"await Promise.resolve(3)", "3"},
        {"Promise.resolve([4])", "[4]"},
        {"const a = await Promise.resolve(1);\nconst b = await Promise.resolve(2);\na + b", "3"},
        {"await new Promise((resolve) => setTimeout(() => resolve('slept'), 5))", "\"slept\""},
        {"for (let i = 0; i < 3; i++) await null;\n'done'", "\"done\""},
        {"await null; ({ a: 1 })", "{\"a\":1}"},
        {"'ä😀'", "\"ä😀\""},
        {"typeof process + typeof require + typeof Deno", "\"undefinedundefinedundefined\""},
        {"globalThis.kept = 6; kept", "6"},
        {"kept", "6"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(exec(guest, rows[i][0]), rows[i][1]);
}

/* What the continuation of a timer's promise queues comes before timers that were there. */
static void test_later_timers_do_not_keep_earlier_ones_waiting(void **state)
{
    (void)state;
    double start = now_ms();
    value_is(
        exec(
            guest,
            "setTimeout(() => {}, 60000);\nfor (let i = 0; i < 5; i++) await new Promise((r) => setTimeout(r, 1));\n"
            "await new Promise((r) => queueMicrotask(() => setTimeout(() => queueMicrotask(() => setTimeout(r, 1)), 1)));\n"
            "'soon'"),
        "\"soon\"");
    assert_true(now_ms() - start < 30000);
}

static void test_inline_values_without_json_are_inspected(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"new Set([1, 2])", "Set"},
        {"NaN", "NaN"},
        {"(function named() {})", "named"},
        {"Symbol('mark')", "mark"},
        {"new Map([[1, 2]])", "Map"},
        {"new Uint8Array([7])", "7"},
        {"[1, () => 2]", "1"},
        {"(() => { const o = {}; o.o = o; return o })()", "o"},
        {"new Proxy({}, { ownKeys() { throw 1 } })", ""},
        {"({ get a() { throw new Error('no') } })", "a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) repr_has(exec(guest, rows[i][0]), rows[i][1]);
}

static void test_inline_code_that_fails(void **state)
{
    (void)state;
    exception_is(exec(guest, "const q = 1;\nq q\n"), "SyntaxError", NULL, "<exec>:2:3", "q q", NULL);
    exception_is(exec(guest, "\nfunction g() {\n  return absent;\n}\ng()"), "ReferenceError", "absent is not defined",
                 "at g (<exec>:3:3)", "<exec>:5:1", NULL);
    exception_is(exec(guest, "await null;\nabsent2"), "ReferenceError", "absent2 is not defined", "<exec>:2", NULL);
    exception_is(exec(guest, "await Promise.reject(new TypeError('late'))"), "TypeError", "late", "<exec>:1", NULL);
    exception_is(exec(guest, "const await q = 1"), "SyntaxError", NULL, "<exec>:1", NULL);
    exception_is(exec(guest, "eval('1')"), "EvalError", NULL, NULL);
    exception_is(exec(guest, "new Function('return 1')"), "EvalError", NULL, NULL);
    exception_is(exec(guest, "var runs = (globalThis.runs ?? 0) + 1; throw new SyntaxError('await')"), "SyntaxError",
                 "await", "<exec>:1", NULL);
    value_is(exec(guest, "runs"), "1"); /* that it looks like a missing await is no reason to run it again */
    aard_outcome *outcome = NULL;
    assert_ok(aard_isolate_exec(guest, "\nnull.x", 7, "my file.js", NULL, &outcome));
    exception_is(check_form(outcome), "TypeError", NULL, "my file.js:2:6", NULL);
}

static void test_inline_code_gets_an_input(void **state)
{
    (void)state;
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_input_json(what, "{\"a\":\"ä\"}", 10);
    value_is(exec_with(guest, "__aardvarkInput", what), "{\"a\":\"ä\"}");
    aard_call_set_input_json(what, "{", 1);
    failure_is(exec_with(guest, "console.log('ran')", what), AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON", NULL);
    aard_call_free(what);
    value_is(exec(guest, "__aardvarkInput"), "null");
}

/* ---- exceptions ------------------------------------------------------------------------------------------------ */

static void test_a_traceback_is_the_guests_own(void **state)
{
    (void)state;
    static const char wanted[] = "TypeError: Cannot read properties of undefined (reading 'field')\n"
                                 "    at inner (/app/raising.js:2:39)\n"
                                 "    at plain (/app/raising.js:5:10)";
    size_t len;
    aard_outcome *outcome = call(guest, "raising:plain", "{}");
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_JAVASCRIPT_EXCEPTION);
    const char *traceback = aard_outcome_exception_traceback(outcome, &len);
    assert_text(traceback, len, wanted);
    exception_is(outcome, "TypeError", "Cannot read properties of undefined (reading 'field')", NULL);
    exception_is(call(guest, "raising:rejected", "1"), "RangeError", "no 1", "/app/raising.js:9:9", NULL);
    exception_is(call(guest, "raising:custom", "1"), "Custom", "own", "/app/raising.js:17:9", NULL);
    exception_is(call(guest, "raising:caused", "1"), "Error", "outer", "/app/raising.js:20", NULL);
    exception_is(call(guest, "raising:aggregate", "1"), "AggregateError", NULL, NULL);
    exception_is(call(guest, "raising:recurse", "1"), "RangeError", "Maximum call stack size exceeded", "raising.js",
                 NULL);
}

static void test_whatever_is_thrown_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *type, *value;
    } rows[] = {
        {"\"string\"", "Error", "text"},
        {"\"number\"", "Error", "42"},
        {"\"nan\"", "Error", "NaN"},
        {"\"undefined\"", "Error", "undefined"},
        {"\"null\"", "Error", "null"},
        {"\"symbol\"", "Error", "Symbol(mark)"},
        {"\"bigint\"", "Error", "12n"},
        {"\"object\"", "Object", "{ a: 1 }"},
        {"\"bare\"", "Error", NULL},
        {"\"array\"", "Array", "[ 1, 2 ]"},
        {"\"function\"", "Function", "[Function: named]"},
        {"\"like\"", "Like", "an error"},
        {"\"name\"", "Error", NULL},
        {"\"message\"", "Error", NULL},
        {"\"stack\"", "Error", NULL},
        {"\"numbers\"", "1", "2"},
        {"\"objects\"", "[object Object]", NULL},
        {"\"proxy\"", "Error", NULL},
        {"\"revoked\"", "Error", NULL},
        {"\"surrogate\"", "Error", NULL},
        {"\"long\"", "Error", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        exception_is(call(guest, "raising:thrown", rows[i].kind), rows[i].type, rows[i].value, NULL);
}

/* The traceback is what node's console shows; the type is the class that was thrown, or the name that an error was given. */
static void test_what_is_thrown_is_shown_whole(void **state)
{
    (void)state;
    static const struct {
        const char *code, *type, *value, *traceback;
    } rows[] = {
        {"throw {code: 5, message: 'plain'}", "Object", "plain", "{ code: 5, message: 'plain' }"},
        {"throw null", "Error", "null", "null"},
        {"throw undefined", "Error", "undefined", "undefined"},
        {"throw 'text'", "Error", "text", "text"},
        {"throw Symbol('s')", "Error", "Symbol(s)", "Symbol(s)"},
        {"function Oops(m) { this.message = m } throw new Oops('x')", "Oops", "x", "Oops { message: 'x' }"},
        {"{ class A extends TypeError {} throw new A('sub') }", "A", "sub", "A: sub\n    at <exec>:1:38"},
        {"throw new Error('outer', {cause: new TypeError('inner')})", "Error", "outer",
         "Error: outer\n    at <exec>:1:7 {\n  [cause]: TypeError: inner\n      at <exec>:1:34\n}"},
        {"throw new AggregateError([new Error('a'), 5], 'many')", "AggregateError", "many",
         "AggregateError: many\n    at <exec>:1:7 {\n  [errors]: [\n    Error: a\n        at <exec>:1:27,\n    5\n  ]\n}"},
        {"throw Object.assign(new Error('f'), {code: 7, extra: {a: [1]}})", "Error", "f",
         "Error: f\n    at <exec>:1:21 {\n  code: 7,\n  extra: { a: [ 1 ] }\n}"},
        {"await 1; throw Object.assign(new Error('late'), {code: 7})", "Error", "late",
         "Error: late\n    at <exec>:1:30 {\n  code: 7\n}"},
        {"throw new Proxy({}, {get() { throw 1 }, getPrototypeOf() { throw 2 }, has() { throw 3 }})", "Error",
         "[Object that throws when looked at]", "[Object that throws when looked at]"},
        {"throw {get message() { throw 1 }, get name() { throw 2 }}", "Object", "{ message: [Getter], name: [Getter] }",
         "{ message: [Getter], name: [Getter] }"},
        {"await 1; throw new DOMException('m', 'AbortError')", "AbortError", "m", "AbortError: m\n    at <exec>:1:16"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec(guest, rows[i].code);
        size_t len;
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_JAVASCRIPT_EXCEPTION);
        const char *traceback = aard_outcome_exception_traceback(outcome, &len);
        assert_text(traceback, len, rows[i].traceback);
        exception_is(outcome, rows[i].type, rows[i].value, NULL);
    }
}

static void test_hostile_results_are_the_guests_exceptions(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"thenGetter\"", "then"}, {"\"thenThrows\"", "called"}, {"\"getter\"", "b"},
        {"\"toJSON\"", "toJSON"},   {"\"proxy\"", "keys"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        exception_is(call(guest, "raising:hostile", rows[i][0]), "Error", rows[i][1], "raising.js", NULL);
    value_is(call(guest, "raising:hostile", "\"tagGetter\""), "{}");
    exception_is(call(guest, "raising:hostile", "\"revoked\""), "TypeError", NULL, NULL);
    aard_outcome *outcome = call(guest, "raising:hostile", "\"toJSONProxy\"");
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_JAVASCRIPT_EXCEPTION);
    aard_outcome_free(outcome);
    outcome = call(guest, "raising:hostile", "\"length\"");
    assert_false(aard_outcome_is_success(outcome));
    aard_outcome_free(outcome);
}

static void test_what_nobody_caught_is_written_to_stderr(void **state)
{
    (void)state;
    size_t len;
    aard_outcome *outcome = call(guest, "raising:loose", "1");
    const char *text = aard_outcome_stderr(outcome, &len);
    assert_contains(text, "in a timer");
    assert_contains(text, "unhandled");
    value_is(outcome, "\"went on\"");
}

#define IN_GUEST(test) cmocka_unit_test_teardown(test, same_guest)

/* Small plain values do not take the way that others do. */
static void test_values_are_written_as_json_stringify_does(void **state)
{
    (void)state;
    static const char *const values[] = {
        "''",
        "'plain'",
        "'\"'",
        "'\\\\'",
        "'\\x7f'",
        "'\\u20ac'",
        "'\\xe9'",
        "'\\u2028'",
        "'a\\0b'",
        "Array.from({ length: 40 }, (_, i) => 'x'.repeat(i) + '\\n' + 'y'.repeat(9))",
        "Array.from({ length: 16 }, (_, i) => 'x'.repeat(i) + '\"')",
        "0",
        "-0",
        "[-0]",
        "0.1",
        "1e21",
        "2 ** 31",
        "-(2 ** 31)",
        "2 ** 53",
        "[1.5, -7, 1e-7]",
        "true",
        "[false, null]",
        "[]",
        "({})",
        "[[]]",
        "[[[]]]",
        "[[[[1]]]]",
        "({ a: { b: { c: { d: 1 } } } })",
        "Array.from({ length: 16 }, (_, i) => i)",
        "Array.from({ length: 17 }, (_, i) => i)",
        "Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, i]))",
        "Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]))",
        "({ b: 1, 2: 'two', 1: 'one', a: 2 })",
        "({ 'with \"quotes\"': 1, 'caf\\xe9': 2, '\\u20ac': 3, '': 4 })",
        "({ ['__proto__']: 1, a: 2 })",
        "Object.assign(Object.create(null), { x: 1 })",
        "({ get a() { return [1] } })",
        "Object.defineProperty({ a: 1 }, 'hidden', { value: 2 })",
        "({ [Symbol('s')]: 1, a: 2 })",
        "Object.assign([1, 2], { extra: 3 })",
        "({ s: 'x'.repeat(5000), n: [1, { deep: 'y' }] })",
        "new Proxy({ a: 1 }, {})",
        "new Proxy([1, 2], {})",
    };
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    for (size_t i = 0; i < COUNT(values); i++) {
        char code[600];
        snprintf(code, sizeof code, "new TextEncoder().encode(JSON.stringify(%s)).length", values[i]);
        aard_outcome *outcome = exec(isolate, code);
        double len = atof(aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
        snprintf(code, sizeof code, "globalThis.text = JSON.stringify(%s); globalThis.value = %s; value", values[i],
                 values[i]);
        outcome = exec(isolate, code);
        assert_success(outcome);
        size_t have_len;
        const char *have = aard_outcome_value_json(outcome, &have_len);
        if ((double)have_len != len) fail_msg("%s became %s", values[i], have);
        aard_call *what;
        assert_ok(aard_call_new(&what));
        aard_call_set_input_json(what, have, have_len);
        value_is(exec_with(isolate,
                           "JSON.stringify(__aardvarkInput) === text || [JSON.stringify(__aardvarkInput), text]", what),
                 "true");
        aard_call_free(what);
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_GUEST(test_handlers_of_every_shape),
        IN_GUEST(test_handlers_that_are_not_there),
        IN_GUEST(test_modules_that_do_not_load),
        IN_GUEST(test_values_come_back_equal),
        IN_GUEST(test_javascript_values_become_json),
        IN_GUEST(test_values_that_json_can_not_hold),
        IN_GUEST(test_deep_nesting),
        IN_GUEST(test_10_mib_come_back_whole),
        IN_GUEST(test_inputs_that_are_no_json),
        IN_GUEST(test_typed_arrays_come_back_as_buffers),
        IN_GUEST(test_inline_code_gives_its_last_expression),
        IN_GUEST(test_later_timers_do_not_keep_earlier_ones_waiting),
        IN_GUEST(test_inline_values_without_json_are_inspected),
        IN_GUEST(test_inline_code_that_fails),
        IN_GUEST(test_inline_code_gets_an_input),
        IN_GUEST(test_a_traceback_is_the_guests_own),
        IN_GUEST(test_whatever_is_thrown_is_told),
        IN_GUEST(test_what_is_thrown_is_shown_whole),
        IN_GUEST(test_hostile_results_are_the_guests_exceptions),
        IN_GUEST(test_what_nobody_caught_is_written_to_stderr),
        cmocka_unit_test(test_values_are_written_as_json_stringify_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
