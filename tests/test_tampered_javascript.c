/* JavaScript guests that freeze, replace or delete what JavaScript itself consists of.  What carries their calls has built-ins
 * of its own: calls after that still work, or say truthfully why not; and a reset brings everything back.
 * test-timeout: 300 */
#include "isolate_support.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* What every call gives to a guest that has tampered with nothing: its outcome as JSON has all of the parts. */
typedef struct check {
    const char *name, *entrypoint, *code, *input; /* without an entrypoint, inline code */
    const char *parts[4];
} check;

static const check checks[] = {
    {"a value",
     "main:echo",
     NULL,
     "{\"a\":[1,2.5,{\"b\":\"\u00e4\"}],\"value\":null}",
     {"\"value\":{\"a\":[1,2.5,{\"b\":\"\u00e4\"}],\"value\":null}"}},
    {"a value that takes the long way",
     "main:long_way",
     NULL,
     "{}",
     {"\"value\":{\"big\":12345678901234567890,\"list\":[null,[7]]}"}},
    {"a promise", "main:later", NULL, "[1,\"x\"]", {"\"value\":[1,\"x\"]"}},
    {"a timer", "main:timed", NULL, "5", {"\"value\":6"}},
    {"an exception", "main:raise", NULL, "1", {"\"type\":\"TypeError\"", "\"value\":\"no: 1\""}},
    {"a rejection", "main:reject", NULL, "1", {"\"type\":\"Mine\"", "\"value\":\"not: 1\""}},
    {"bytes", "main:bytes", NULL, "1", {"\"buffers\":[{\"id\":\"result\"", "\"format\":\"bytes\""}},
    {"what is no JSON",
     "main:map",
     NULL,
     "1",
     {"the result can't become JSON: at $.deep[0][\\\"a b\\\"], Map is not a JSON type"}},
    {"an input that is no JSON", "main:echo", NULL, "{", {"the input is not JSON: "}},
    {"an export within an object", "main:inside.echo", NULL, "3", {"\"value\":3"}},
    {"a name that is not exported", "main:absent", NULL, "3", {"module '/app/main.mjs' has no export 'absent'"}},
    {"another module", "other:echo", NULL, "4", {"\"value\":[4]"}},
    {"inline code", NULL, "1 + 1", NULL, {"\"value\":2"}},
    {"inline code's input", NULL, "[__aardvarkInput.a]", "{\"a\":\"b\"}", {"\"value\":[\"b\"]"}},
    {"inline code without an input", NULL, "typeof __aardvarkInput", NULL, {"\"value\":\"undefined\""}},
    {"inline code that awaits", NULL, "const got = await (async () => 8)(); got", NULL, {"\"value\":8"}},
    {"an inline exception", NULL, "null.x", NULL, {"\"type\":\"TypeError\"", "Cannot read properties of null"}},
    {"a syntax error", NULL, "let let", NULL, {"\"type\":\"SyntaxError\""}},
    {"something shown", NULL, "new Uint8Array(2)", NULL, {"Uint8Array(2) [ 0, 0 ]"}},
    {"output", NULL, "console.log('out', [1, { a: 2 }], 3n); 1", NULL, {"out [ 1, { a: 2 } ] 3n\\n", "\"value\":1"}},
};

static const char main_source[] =
    "export const echo = (input) => input;\n"
    "export const long_way = () => ({ big: 12345678901234567890n, list: [undefined, [7]] });\n"
    "export const later = async (input) => { await null; return input };\n"
    "const wait = setTimeout, Later = Promise, Wrong = TypeError;\n"
    "export const timed = async (input) => { let at; const due = new Later((r) => { at = r }); wait(at, 1); await due;\n"
    "  return input + 1 };\n"
    "export const raise = (input) => { throw new Wrong('no: ' + input) };\n"
    "class Mine extends Error { constructor(text) { super(text) } }\n"
    "export const reject = async (input) => { await null; throw new Mine('not: ' + input) };\n"
    "const Bytes = Uint8Array, kept = new Map();\n"
    "export const bytes = (input) => new Bytes(3);\n"
    "export const map = () => ({ deep: [{ 'a b': kept }] });\n"
    "export const inside = { echo };\n"
    "export const tamper = () => { %s\n};\n";
static const char other_source[] = "export const echo = (input) => [input];\n";

/* What JavaScript says of each await then. */
#define NO_CONSTRUCTOR "The .constructor property is not an object"

/* What a guest does.  `but` names checks that can't go as usual for reasons of the guest's own, and what they have then. */
typedef struct row {
    const char *code;
    struct {
        const char *check, *part;
    } but[12];
} row;

static const row rows[] = {
    {"Object.freeze(globalThis);", {{0}}},
    {"Object.preventExtensions(globalThis); for (const k of ['JSON', 'Promise', 'Error']) delete globalThis[k];",
     {{0}}},
    {"for (const k of Object.getOwnPropertyNames(globalThis)) { const v = globalThis[k];"
     "  try { if (v?.prototype) Object.freeze(v.prototype); Object.freeze(v) } catch {} } Object.freeze(globalThis);",
     {{0}}},
    {"delete globalThis.JSON;", {{0}}},
    {"JSON.parse = JSON.stringify = null;", {{0}}},
    {"Promise.prototype.then = function () { throw new Error('then') };", {{0}}},
    {"Promise.prototype.then = null; delete Promise.prototype.catch;", {{0}}},
    {"Promise.prototype.constructor = null; Promise.resolve = null; Promise[Symbol.species] = null;",
     {{"a promise", NO_CONSTRUCTOR},
      {"a timer", NO_CONSTRUCTOR},
      {"a rejection", NO_CONSTRUCTOR},
      {"inline code that awaits", NO_CONSTRUCTOR}}},
    {"delete Array.prototype[Symbol.iterator];", {{0}}},
    {"Array.prototype[Symbol.iterator] = function* () { yield 'wrong' };", {{0}}},
    {"delete Map.prototype[Symbol.iterator]; Map.prototype.get = Map.prototype.set = Set.prototype.has ="
     "  Set.prototype.add = WeakMap.prototype.get = null;",
     {{0}}},
    {"Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null;", {{0}}},
    {"Reflect.apply = Reflect.ownKeys = Object.keys = Object.getPrototypeOf = Object.defineProperty = null;", {{0}}},
    {"for (const k of ['push', 'join', 'slice', 'map', 'forEach', 'pop']) Array.prototype[k] = null;", {{0}}},
    {"for (const k of ['split', 'slice', 'includes', 'indexOf', 'endsWith', 'toLowerCase', 'charCodeAt'])"
     "  String.prototype[k] = null;",
     {{0}}},
    {"RegExp.prototype.exec = RegExp.prototype.test = RegExp.prototype[Symbol.replace] = () => { throw 'exec' };",
     {{0}}},
    {"for (const k of ['value', 'get', 'set', 'name', 'message', 'stack', 'cause', 'kind', 'type'])"
     "  Object.defineProperty(Object.prototype, k, { set(v) { throw new Error('set ' + k) }, configurable: true });",
     {{0}}},
    {"for (const k of ['base', 'size', 'items', 'fields', 'isError', 'brackets', 'skipIndices', 'depth', 'quoted'])"
     "  Object.defineProperty(Object.prototype, k, { get() { return 'polluted' }, configurable: true });",
     {{0}}},
    {"for (const k of ['writable', 'enumerable', 'configurable'])"
     "  Object.defineProperty(Object.prototype, k, { get() { return true }, configurable: true }); Object.prototype.get ="
     "  Object.prototype.value = 5;",
     {{0}}},
    {"for (const k of [0, 1, 2, 3]) for (const on of [Object.prototype, Array.prototype])"
     "  Object.defineProperty(on, k, { get() { return 'index' }, set(v) { throw new Error('index') }, configurable: true });",
     {{0}}},
    {"Object.defineProperty(Object.prototype, 'then', { get() { throw new Error('no then') }, configurable: true });",
     {{"a value", "no then"},
      {"a value that takes the long way", "no then"},
      {"a promise", "no then"},
      {"bytes", "no then"},
      {"what is no JSON", "no then"},
      {"another module", "no then"},
      {"inline code's input", "no then"},
      {"inline code that awaits", "no then"},
      {"something shown", "no then"}}},
    {"Array.prototype.toJSON = Object.prototype.toJSON = () => 'told';",
     {{"a value", "\"told\""},
      {"a value that takes the long way", "\"told\""},
      {"what is no JSON", "\"told\""},
      {"a promise", "\"told\""},
      {"another module", "\"told\""},
      {"inline code's input", "\"told\""},
      {"something shown", "\"told\""}}},
    {"Object.freeze(Error); Object.freeze(Error.prototype); Object.freeze(TypeError.prototype);", {{0}}},
    {"Error.prepareStackTrace = () => { throw new Error('prepare') };", {{0}}},
    {"Error.prepareStackTrace = () => ({ no: 'text' }); Error.stackTraceLimit = 'none';", {{0}}},
    {"delete Error.captureStackTrace; delete globalThis.Error; delete globalThis.TypeError; delete globalThis.Set;"
     "delete globalThis.Map; delete globalThis.Uint8Array.prototype; delete globalThis.aardvark;",
     {{0}}},
    {"globalThis.setTimeout = globalThis.queueMicrotask = globalThis.module = globalThis.exports = null;", {{0}}},
    {"Object.defineProperty(globalThis, '__aardvarkInput', { value: 1, configurable: false });",
     {{"inline code's input",
       "inline code can't be given its input: the guest has put '__aardvarkInput' onto the global object"},
      {"inline code without an input", "\"value\":\"number\""}}},
    {"Object.defineProperty(globalThis, '__aardvarkInput', { get() { throw 1 }, set() { throw 2 }, configurable: true });",
     {{0}}},
    {"delete globalThis.__aardvarkInput; Object.freeze(globalThis);",
     {{"inline code's input", "inline code can't be given its input: the guest has frozen the global object"}}},
    {"Object.setPrototypeOf(Object.prototype.__proto__ ?? Object.getPrototypeOf(globalThis), null);", {{0}}},
    {"for (const k of Object.getOwnPropertyNames(globalThis))"
     "  if (k !== 'console' && k !== 'Uint8Array') try { globalThis[k] = null } catch {}",
     {{0}}},
    {"for (const k of Object.getOwnPropertyNames(globalThis)) { const on = globalThis[k]?.prototype; if (k !== 'Object' && on)"
     "  for (const m of Reflect.ownKeys(on)) if (m !== 'constructor') try { delete on[m] } catch {} }",
     {{0}}},
};

static aard_isolate *isolate_for(const char *code)
{
    static char source[sizeof main_source + 2048];
    snprintf(source, sizeof source, main_source, code);
    const char *const files[][2] = {{"main.mjs", source}, {"other.mjs", other_source}, {NULL, NULL}};
    return boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
}

static const char *exception_to(const row *one, const check *what)
{
    for (size_t i = 0; one && i < COUNT(one->but) && one->but[i].check; i++)
        if (!strcmp(one->but[i].check, what->name)) return one->but[i].part;
    return NULL;
}

static bool has_all(const char *text, const check *what)
{
    for (size_t i = 0; i < COUNT(what->parts) && what->parts[i]; i++)
        if (!strstr(text, what->parts[i])) return false;
    return true;
}

/* Counts the checks that don't hold, and prints them. */
static int differing(aard_isolate *isolate, const row *one, const char *when, const char *code)
{
    int wrong = 0;
    for (size_t i = 0; i < COUNT(checks); i++) {
        const check *what = &checks[i];
        aard_call *given = limited_to(3000);
        if (what->input) aard_call_set_input_json(given, what->input, strlen(what->input));
        aard_outcome *outcome = what->entrypoint ? call_with(isolate, what->entrypoint, given)
                                                 : exec_with(isolate, what->code, given);
        char *text;
        size_t len;
        assert_ok(aard_outcome_json(outcome, &text, &len));
        const char *instead = exception_to(one, what);
        if (instead ? !strstr(text, instead) : !has_all(text, what)) {
            print_error("%s, %s\n  %s: %.400s\n", code, when, what->name, text);
            wrong++;
        }
        aard_string_free(text);
        aard_outcome_free(outcome);
        aard_call_free(given);
    }
    return wrong;
}

static void test_checks_hold_for_a_guest_that_tampers_with_nothing(void **state)
{
    (void)state;
    aard_isolate *isolate = isolate_for("return 1");
    assert_int_equal(differing(isolate, NULL, "untouched", "nothing"), 0);
    aard_isolate_free(isolate);
}

static void test_calls_after_tampering(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_isolate *isolate = isolate_for(rows[i].code);
        aard_outcome_free(call(isolate, "main:tamper", "1"));
        wrong += differing(isolate, &rows[i], "by a handler", rows[i].code);
        assert_ok(aard_isolate_reset(isolate));
        wrong += differing(isolate, NULL, "after a reset", rows[i].code);
        char code[2048];
        snprintf(code, sizeof code, "{ %s }", rows[i].code);
        aard_outcome_free(exec(isolate, code));
        wrong += differing(isolate, &rows[i], "by inline code", rows[i].code);
        aard_isolate_free(isolate);
    }
    assert_int_equal(wrong, 0);
}

/* Scripts take their `module` from the global object, and are run once. */
static void test_scripts_after_the_global_object_is_frozen(void **state)
{
    (void)state;
    const char *const files[][2] = {
        {"one.js", "module.exports = { echo: (x) => x, freeze: () => Object.isFrozen(Object.freeze(globalThis)) }"},
        {"two.js", "function echo(x) { return [x] }"},
        {NULL, NULL},
    };
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    value_is(call(isolate, "one:freeze", "1"), "true");
    value_is(call(isolate, "one:echo", "2"), "2");
    failure_is(call(isolate, "two:echo", "3"), AARD_FAILURE_ADAPTER_ERROR, "script '/app/two.js' can't run",
               "the guest has frozen the global object", "reset the isolate", NULL);
    value_is(call(isolate, "one:echo", "4"), "4");
    assert_ok(aard_isolate_reset(isolate));
    value_is(call(isolate, "two:echo", "5"), "[5]");
    aard_outcome_free(exec(isolate, "Object.defineProperty(globalThis, 'exports', { get() {}, configurable: false })"));
    failure_is(call(isolate, "one:echo", "6"), AARD_FAILURE_ADAPTER_ERROR, "script '/app/one.js' can't run",
               "the guest has put 'exports' onto the global object that can't be replaced", NULL);
    value_is(call(isolate, "two:echo", "7"), "[7]");
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks_hold_for_a_guest_that_tampers_with_nothing),
        cmocka_unit_test(test_calls_after_tampering),
        cmocka_unit_test(test_scripts_after_the_global_object_is_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
