/* Resets of JavaScript isolates: what a call leaves behind, the next one never sees.  test-timeout: 300 */
#include "isolate_support.h"

#include <unistd.h>

#include "bundle/code.h"

/* `leave` leaves something behind; `look` gives `clean` where it is not there, after a reset; and something else, or output,
 * without one, which shows that looking works. */
typedef struct attempt {
    const char *name, *leave, *look, *clean;
} attempt;

#define LATER "await new Promise((r) => setTimeout(r, 30)); 'waited'"
/* Enough memory for collections to come by. */
#define MEMORY "(() => { const kept = []; for (let i = 0; i < 250; i++) kept.push(new Array(20000).fill(i)) })();"
#define COLLECTIONS MEMORY "await new Promise((r) => setTimeout(r, 5));" MEMORY LATER

static const attempt attempts[] = {
    {"a global", "globalThis.left = 1", "typeof left", "\"undefined\""},
    {"a var", "var left = 1", "typeof left", "\"undefined\""},
    {"let and const", "let left = 1; const alsoLeft = 2", "typeof left + typeof alsoLeft", "\"undefinedundefined\""},
    {"a function", "function left() {}", "typeof left", "\"undefined\""},
    {"a class", "class Left {}", "typeof Left", "\"undefined\""},
    {"a name that stays declared", "var again = 1; 1", "let again = 2; again", "2"},
    {"a property of the global object that can't be deleted", "Object.defineProperty(globalThis, 'left', { value: 1 })",
     "'left' in globalThis", "false"},
    {"a symbol's property", "globalThis[Symbol.for('left')] = 1", "Symbol.for('left') in globalThis", "false"},
    {"Symbol.prototype", "Symbol.prototype.left = 1", "Symbol.for('left').left ?? null", "null"},
    {"Object.prototype", "Object.prototype.left = 1", "({}).left ?? null", "null"},
    {"a getter on Object.prototype",
     "Object.defineProperty(Object.prototype, 'left', { get() { console.log('LEFT'); return 1; } })",
     "({}).left ?? null", "null"},
    {"a then on Object.prototype", "Object.prototype.then = function (f) { console.log('LEFT'); f(7); }; 1",
     "await Promise.resolve({ a: 1 })", "{\"a\":1}"},
    {"a toJSON on Object.prototype", "Object.prototype.toJSON = () => 'LEFT'; 1", "({ a: [1] })", "{\"a\":[1]}"},
    {"every built-in and its prototype",
     "for (const name of Object.getOwnPropertyNames(globalThis)) { const it = globalThis[name];"
     "  for (const one of [it, it?.prototype]) try { one.left = 1 } catch {} } 1",
     "Object.getOwnPropertyNames(globalThis).filter((name) => { const it = globalThis[name];"
     "  return Object(it).left !== undefined || Object(it?.prototype).left !== undefined })",
     "[]"},
    {"prototypes without a name",
     "for (const one of [[][Symbol.iterator](), new Map()[Symbol.iterator](), ''[Symbol.iterator](),"
     "  'a'.matchAll(/a/g), (function* () {})(), (async function* () {})(), async () => {}, function* () {}])"
     "  Object.getPrototypeOf(one).left = 1; 1",
     "[[][Symbol.iterator](), new Map()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g),"
     " (function* () {})(), (async function* () {})(), async () => {}, function* () {}]"
     ".filter((one) => one.left !== undefined).length",
     "0"},
    {"every prototype frozen",
     "for (const name of Object.getOwnPropertyNames(globalThis)) {"
     "  const p = globalThis[name]?.prototype; if (p) Object.freeze(p) } 1",
     "Array.prototype.mine = 1; Map.prototype.mine = 2; [].mine + new Map().mine", "3"},
    {"the global object frozen", "Object.preventExtensions(globalThis); 1", "globalThis.mine = 1; mine", "1"},
    {"a built-in deleted", "delete globalThis.Map; delete globalThis.URL; delete globalThis.console; 1",
     "[typeof Map, typeof URL, typeof console]", "[\"function\",\"function\",\"object\"]"},
    {"the prototype of the global object",
     "Object.setPrototypeOf(Object.getPrototypeOf(globalThis), new Proxy({}, { get() { return 'LEFT' } })); 1",
     "globalThis.unheardOf ?? null", "null"},
    {"console.log replaced", "console.log = () => { throw new Error('LEFT') }; 1", "console.log('said'); 1", "1"},
    {"console groups", "console.group(); 1", "console.warn('x'); 1", "1"},
    {"console counters", "console.count('c'); console.count('c')", "console.count('c'); 1", "1"},
    {"JSON replaced", "JSON.stringify = () => '\"LEFT\"'; JSON.parse = () => 'LEFT'; 1",
     "JSON.stringify(JSON.parse('[1]'))", "\"[1]\""},
    {"Date replaced", "Date.now = () => 7; Date.prototype.getTime = () => 7; 1",
     "Date.now() > 7 && new Date().getTime() > 7", "true"},
    {"Math.random replaced", "Math.random = () => 7; 1", "Math.random() < 1", "true"},
    {"crypto replaced", "Object.getPrototypeOf(crypto).getRandomValues = () => 'LEFT'; 1",
     "crypto.getRandomValues(new Uint8Array(2)).length", "2"},
    {"Promise.prototype.then replaced",
     "Promise.prototype.then = function () { console.log('LEFT'); return 'LEFT' }; 1",
     "Promise.resolve(1).then((x) => x + 1)", "2"},
    {"Promise itself replaced", "globalThis.Promise = class { constructor() { throw 'LEFT' } }; 1",
     "new Promise((r) => r(3))", "3"},
    {"Function.prototype.call and apply", "Function.prototype.call = Function.prototype.apply = () => 'LEFT'; 1",
     "[(() => 1).call(), (() => 2).apply()]", "[1,2]"},
    {"Reflect and Proxy", "Reflect.get = () => 'LEFT'; globalThis.Proxy = class {}; 1",
     "Reflect.get(new Proxy({ a: 1 }, {}), 'a')", "1"},
    {"the iterator of arrays", "Array.prototype[Symbol.iterator] = function* () { yield 'LEFT' }; 1", "[...[1, 2]]",
     "[1,2]"},
    {"next of array iterators", "Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true }); 1",
     "[...[1, 2]]", "[1,2]"},
    {"an array species", "Array.prototype.constructor = { [Symbol.species]: class { length = 'LEFT' } }; 1",
     "[1, 2].map((x) => x + 1)", "[2,3]"},
    {"Error.prepareStackTrace", "Error.prepareStackTrace = () => 'LEFT'; 1", "new Error('m').stack.includes('LEFT')",
     "false"},
    {"Error.stackTraceLimit", "Error.stackTraceLimit = 0; 1", "Error.stackTraceLimit", "10"},
    {"RegExp's last match", "/(secret)/.test('a secret'); 1", "[RegExp.$1, RegExp.input, RegExp['$&']]",
     "[\"\",\"\",\"\"]"},
    {"RegExp.prototype.exec", "RegExp.prototype.exec = () => null; 1", "/a/.test('a')", "true"},
    {"Intl", "Intl.left = 1; Intl.NumberFormat.prototype.format = () => 'LEFT'; 1",
     "[Intl.left ?? null, Intl.NumberFormat.prototype.hasOwnProperty('format') && new Intl.NumberFormat('en').format(1)]",
     "[null,\"1\"]"},
    {"WebAssembly", "WebAssembly.left = 1; 1", "WebAssembly.left ?? null", "null"},
    {"classes that are made late",
     "URL.left = TextEncoder.left = AbortSignal.left = MessageChannel.left = EventTarget.left = 1",
     "[URL, TextEncoder, AbortSignal, MessageChannel, EventTarget].filter((c) => c.left).length", "0"},
    {"structuredClone replaced", "globalThis.structuredClone = () => 'LEFT'; 1", "structuredClone([1])", "[1]"},
    {"setTimeout replaced", "globalThis.setTimeout = (f) => f('LEFT'); 1", "await new Promise((r) => setTimeout(r, 1))",
     "null"},
    {"performance", "performance.left = 1; performance.now = () => 'LEFT'; 1",
     "[performance.left ?? null, typeof performance.now()]", "[null,\"number\"]"},
    {"navigator", "Object.getPrototypeOf(navigator).left = 1; 1", "navigator.left ?? null", "null"},
    {"the age of the guest", "const until = performance.now() + 400; while (performance.now() < until); 1",
     "performance.now() < 400", "true"},
    {"a timer", "setTimeout(() => console.log('LEFT'), 10); 1", LATER, "\"waited\""},
    {"an interval", "setInterval(() => console.log('LEFT'), 3); 1", LATER, "\"waited\""},
    {"the next timer's number", "setTimeout(() => {}, 0); setTimeout(() => {}, 0); 1",
     "const id = setTimeout(() => {}, 0); clearTimeout(id); id", "1"},
    {"a half-finished await", "(async () => { await new Promise((r) => setTimeout(r, 10)); console.log('LEFT') })(); 1",
     LATER, "\"waited\""},
    {"an endless chain of timers", "(function again() { console.log('LEFT'); setTimeout(again, 5) })(); 1", LATER,
     "\"waited\""},
    {"a rejection to come", "setTimeout(() => { Promise.reject(new Error('LEFT')) }, 5); 1", LATER, "\"waited\""},
    {"an exception to come", "setTimeout(() => { throw new Error('LEFT') }, 5); 1", LATER, "\"waited\""},
    {"a message under way",
     "const { port1, port2 } = new MessageChannel(); port2.onmessage = (e) => console.log(e.data);"
     "port1.postMessage('LEFT'); 1",
     LATER, "\"waited\""},
    {"a signal's timeout", "AbortSignal.timeout(10).onabort = () => console.log('LEFT'); 1", LATER, "\"waited\""},
    {"a FinalizationRegistry",
     "globalThis.registry = new FinalizationRegistry((held) => console.log(held));"
     "for (let i = 0; i < 50; i++) registry.register({ i }, 'LEFT'); 1",
     COLLECTIONS, "\"waited\""},
    {"a WeakRef", "globalThis.left = new WeakRef({ secret: 1 }); 1", "typeof left", "\"undefined\""},
    {"a proxy in the way of everything",
     "globalThis.Object = new Proxy(Object, { get(t, k) { console.log('LEFT'); return t[k] } }); 1",
     "Object.keys({ a: 1 })", "[\"a\"]"},
    {"the input",
     "Object.defineProperty(globalThis, '__aardvarkInput', { get() { return 'LEFT' }, configurable: false }); 1",
     "typeof __aardvarkInput", "\"undefined\""},
    {"module and exports", "globalThis.module = { exports: { left: 1 } }; globalThis.exports = 1",
     "[typeof module, typeof exports]", "[\"undefined\",\"undefined\"]"},
    {"an accessor in place of a global",
     "Object.defineProperty(globalThis, 'later', { set(v) { console.log('LEFT') }, get() { return 'LEFT' } }); 1",
     "globalThis.later = 2; later", "2"},
    {"Symbol.hasInstance and toPrimitive",
     "Object.defineProperty(Function.prototype, Symbol.toPrimitive, { value: () => 'LEFT' }); 1", "`${() => 1}`",
     "\"() => 1\""},
    {"a label that code caches may keep",
     "(() => { const seen = (globalThis.seen ||= []); seen.push(1); return seen })()",
     "(() => { const seen = (globalThis.seen ||= []); seen.push(1); return seen })()", "[1]"},
    {"the strings of a template", "globalThis.f = (s) => s; globalThis.first = (() => f`a`)(); 1", "typeof first",
     "\"undefined\""},
    {"an uncaught exception", "globalThis.left = 1; throw new Error('thrown')", "typeof left", "\"undefined\""},
    {"a stack overflow", "globalThis.left = 1; (function f() { f() })()", "typeof left", "\"undefined\""},
};

/* What the guest wrote is no part of the next call, except for what the row itself says. */
static bool is_clean(const aard_outcome *outcome, const attempt *a)
{
    size_t len = 0, out_len, err_len;
    const char *value = aard_outcome_value_json(outcome, &len);
    const char *out = aard_outcome_stdout(outcome, &out_len), *err = aard_outcome_stderr(outcome, &err_len);
    if (!strcmp(a->name, "console.log replaced")) out_len -= !strcmp(out, "said\n") ? out_len : 0;
    if (!strcmp(a->name, "console groups")) err_len -= !strcmp(err, "x\n") ? err_len : 0;
    if (!strcmp(a->name, "console counters")) out_len -= !strcmp(out, "c: 1\n") ? out_len : 0;
    return value && len == strlen(a->clean) && !memcmp(value, a->clean, len) && !out_len && !err_len;
}

static void show(const char *when, const attempt *a, const aard_outcome *outcome)
{
    const char *value = aard_outcome_value_json(outcome, NULL), *failure = aard_outcome_failure_message(outcome);
    print_error("%s, %s: %s; stdout '%s', stderr '%s'\n", a->name, when,
                value     ? value
                : failure ? failure
                          : "",
                aard_outcome_stdout(outcome, NULL), aard_outcome_stderr(outcome, NULL));
}

typedef enum way { RESET, SPARE, CLEANUP } way;

static void try_all(way by)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    if (by == CLEANUP) aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate *isolate = boot(config, NULL);
    size_t failed = 0;
    for (size_t i = 0; i < COUNT(attempts); i++) {
        if (by == SPARE) assert_ok(aard_isolate_prepare_reset(isolate)); /* made before, by the same V8 */
        aard_outcome_free(exec(isolate, attempts[i].leave));
        if (by != CLEANUP) assert_ok(aard_isolate_reset(isolate));
        aard_outcome *outcome = exec(isolate, attempts[i].look);
        const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
        if (d->reset_mode != expected_reset(AARD_RESET_NEW_REALM) &&
            d->reset_mode != expected_reset(AARD_RESET_NEW_ISOLATE))
            failed++;
        if (!is_clean(outcome, &attempts[i])) {
            show("after a reset", &attempts[i], outcome);
            failed++;
        }
        aard_outcome_free(outcome);
        if (by != CLEANUP) assert_ok(aard_isolate_reset(isolate));
    }
    aard_isolate_free(isolate);
    assert_int_equal(failed, 0);
}

static void test_nothing_is_left_after_a_reset(void **state)
{
    (void)state;
    assert_true(COUNT(attempts) >= 60);
    try_all(RESET);
}

static void test_nothing_is_left_where_the_next_realm_was_there_already(void **state)
{
    (void)state;
    try_all(SPARE);
}

static void test_nothing_is_left_by_a_full_cleanup(void **state)
{
    (void)state;
    try_all(CLEANUP);
}

static void test_without_a_reset_each_of_them_is_seen(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < COUNT(attempts); i++) {
        aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
        aard_outcome_free(exec(isolate, attempts[i].leave));
        aard_outcome *outcome = exec(isolate, attempts[i].look);
        if (is_clean(outcome, &attempts[i])) {
            show("without a reset", &attempts[i], outcome);
            failed++;
        }
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    assert_int_equal(failed, 0);
}

/* ---- bundles ---------------------------------------------------------------------------------------------------- */

static const char *const module_files[][2] = {
    {"main.js", "import { shared } from './lib.js';\n"
                "let calls = 0; globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;\n"
                "export class Service { static state = []; }\n"
                "export async function handler(x) {\n"
                "  calls++; shared.list.push(x); Service.state.push(x);\n"
                "  const late = await import('./late.js'); late.count.n++;\n"
                "  return [calls, shared.list.length, Service.state.length, late.count.n, globalThis.evaluated];\n"
                "}\n"
                "export function buffer() { return new Uint8Array([1, 2, 3]); }\n"
                "export function boom() { throw new Error('boom'); }\n"},
    {"lib.js", "export const shared = { list: [] };\n"},
    {"late.js", "export const count = { n: 0 };\n"},
    {"classic.js", "var calls = 0; function handler(x) { return [++calls, x, typeof module.exports.left]; }\n"
                   "module.exports.handler = (x) => { module.exports.left = 1; return handler(x); };\n"},
    {NULL, NULL},
};

static void test_modules_are_evaluated_anew(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(module_files));
    aard_handler *module, *classic, *buffer, *boom;
    assert_ok(aard_handler_new(isolate, "main:handler", &module));
    assert_ok(aard_handler_new(isolate, "classic:handler", &classic));
    assert_ok(aard_handler_new(isolate, "main:buffer", &buffer));
    assert_ok(aard_handler_new(isolate, "main:boom", &boom));
    for (int i = 0; i < 50; i++) {
        value_is(invoke(module, "7"), "[1,1,1,1,1]");
        value_is(invoke(module, "8"), "[2,2,2,2,1]");
        value_is(invoke(classic, "1"), "[1,1,\"number\"]");
        aard_outcome *outcome = invoke(buffer, "1");
        assert_int_equal(aard_outcome_buffer_count(outcome), 1);
        aard_outcome_free(outcome);
        exception_is(invoke(boom, "1"), "Error", "boom", "main.js:10", NULL);
        if (i % 3) assert_ok(aard_isolate_prepare_reset(isolate));
        assert_ok(aard_isolate_reset(isolate));
    }
    aard_handler_free(module); /* before it was looked up again */
    value_is(invoke(classic, "1"), "[1,1,\"number\"]");
    assert_ok(aard_isolate_reset(isolate));
    aard_handler_free(classic);
    aard_handler_free(buffer);
    aard_handler_free(boom);
    aard_isolate_free(isolate);
}

static void test_another_bundle_finds_nothing_of_the_one_before(void **state)
{
    (void)state;
    static const char *const other_files[][2] = {
        {"main.js", "export function handler() { return [typeof evaluated, typeof left]; }\n"}, {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(module_files));
    value_is(call(isolate, "main:handler", "1"), "[1,1,1,1,1]");
    value_is(exec(isolate, "globalThis.left = 1; setInterval(() => console.log('LEFT'), 1); 1"), "1");
    aard_bundle *other = bundle_of(other_files);
    assert_ok(aard_isolate_load_bundle(isolate, other));
    aard_bundle_free(other);
    aard_outcome *outcome = call(isolate, "main:handler", NULL);
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_NEW_REALM));
    value_is(outcome, "[\"undefined\",\"undefined\"]");
    aard_isolate_free(isolate);
}

/* Guests that load a file after the first take its compiled code; it is right for them, and for no other file. */
/* ---- a module evaluated ahead of need ----------------------------------------------------------------------------- */

/* What a module may do while it is evaluated; a handler that tells of it is put behind. */
static const char *const evaluations[] = {
    "let n = 0; const told = () => ++n;",
    "globalThis.n = (globalThis.n ?? 0) + 1; const told = () => n;",
    "Array.prototype.extra = 1; const told = () => [].extra;",
    "console.log('evaluated'); const told = () => 1;",
    "console.error('evaluated'); const told = () => 1;",
    "const told = () => typeof performance.timeOrigin; performance.now();",
    "let n = 0; setTimeout(() => n++, 0); const told = () => n;",
    "let n = 0; setTimeout(() => { n++; console.log('late'); }, 1); const told = async () => { while (!n) "
    "await new Promise((go) => setTimeout(go, 1)); return n; };",
    "let n = 0; queueMicrotask(() => n++); const told = () => n;",
    "let n = 0; Promise.resolve().then(() => n++).then(() => n++); const told = () => n;",
    "const n = await Promise.resolve(3); const told = () => n;",
    "const n = await new Promise((go) => setTimeout(go, 1, 4)); const told = () => n;",
    "let n; try { eval('n = 1'); } catch (e) { n = e.name; } const told = () => n;",
    "let n; try { new Function('return 1'); } catch (e) { n = e.name; } const told = () => n;",
    "let n; try { await import('https://a.example/x.js'); } catch (e) { n = e.name; } const told = () => n;",
    "let n; await fetch('https://a.example/').catch((e) => { n = e.name; }); const told = () => n;",
    "Promise.reject(new Error('unhandled')); const told = () => 1;",
    "const told = () => 1; throw new TypeError('not today');",
    "const told = () => 1; null.x;",
    "import('./other.js').then((m) => { globalThis.other = m.name; }); const told = () => globalThis.other;",
    "import { name } from './other.js'; const told = () => name;",
    "const { port1, port2 } = new MessageChannel(); let n = 0; port2.onmessage = () => n++; port1.postMessage(1);"
    "const told = () => n;",
    "const bytes = new TextEncoder().encode('äb'); const told = () => [...bytes];",
    "const url = new URL('https://a.example/ä?b#c'); const told = () => url.href;",
    "const copy = structuredClone({ a: [1, new Map([[1, 2]])] }); const told = () => copy.a[1].get(1);",
    "const id = crypto.randomUUID(); const told = () => id.length;",
    "let n = 0; try { const f = () => f(); f(); } catch (e) { n = e.name; } const told = () => n;",
    "let n = []; const r = new FinalizationRegistry(() => n.push(1)); r.register({}, 1); const told = () => n;",
    "const told = () => 1; new Promise(() => {}); await 0;",
    "let n; try { await WebAssembly.compile(new Uint8Array(8)); } catch (e) { n = e.name; } const told = () => n;",
    "Object.freeze(Object.prototype); const told = () => Object.isFrozen({}.__proto__);",
    "performance.mark?.('x'); const told = () => performance.getEntries?.().length ?? 0;",
    "const told = () => globalThis[Symbol.for('again')] = (globalThis[Symbol.for('again')] ?? 0) + 1;",
};

static char *told(aard_outcome *outcome)
{
    size_t value_len = 0, out_len, err_len;
    const char *value = aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, &value_len) : "";
    const char *out = aard_outcome_stdout(outcome, &out_len), *err = aard_outcome_stderr(outcome, &err_len);
    const char *failure = aard_outcome_failure_message(outcome);
    char *text;
    assert_true(asprintf(&text, "%.*s|%.*s|%.*s|%s|%zu violations", (int)value_len, value, (int)out_len, out,
                         (int)err_len, err, failure ? failure : "", aard_outcome_violation_count(outcome)) >= 0);
    aard_outcome_free(outcome);
    return text;
}

static void test_a_module_evaluated_ahead_is_as_one_evaluated_by_its_call(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < COUNT(evaluations); i++) {
        char main[1000];
        snprintf(main, sizeof main, "%s export const f = () => told();", evaluations[i]);
        const char *const files[][2] = {
            {"main.js", main}, {"other.js", "export const name = 'other'; globalThis.seen = 1;"}, {NULL, NULL}};
        aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
        aard_handler *handler;
        assert_ok(aard_handler_new(isolate, "main:f", &handler));
        char *usual = told(invoke(handler, "1"));
        for (int k = 0; k < 4; k++) {
            assert_ok(aard_isolate_prepare_reset(isolate)); /* of a used guest, and of one that is clean */
            if (k == 2) assert_ok(aard_isolate_prepare_reset(isolate));
            assert_ok(aard_isolate_reset(isolate));
            if (k == 3) assert_ok(aard_isolate_prepare_reset(isolate));
            aard_outcome *outcome = invoke(handler, "1");
            assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_NEW_REALM));
            char *now = told(outcome);
            if (strcmp(usual, now)) {
                print_error("%s\n  usual: %s\n  ahead: %s\n", evaluations[i], usual, now);
                failed++;
            }
            free(now);
        }
        free(usual);
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
    assert_int_equal(failed, 0);
}

/* The clock alone tells. */
static void test_a_module_is_evaluated_ahead(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.js", "const then = Date.now(); export const f = () => Date.now() - then >= 30;"}, {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    aard_handler *handler;
    assert_ok(aard_handler_new(isolate, "main:f", &handler));
    value_is(invoke(handler, "1"), "false");
    for (int i = 0; i < 3; i++) {
        assert_ok(aard_isolate_prepare_reset(isolate));
        usleep(40000);
        assert_ok(aard_isolate_reset(isolate));
        value_is(invoke(handler, "1"), "true");
    }
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

static void test_a_module_evaluated_ahead_is_there_for_its_handler_alone(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.js", "globalThis.seen = (globalThis.seen ?? '') + 'main '; export const f = () => seen;"},
        {"other.js", "globalThis.seen = (globalThis.seen ?? '') + 'other '; export const f = () => seen;"},
        {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    aard_handler *handler, *other;
    assert_ok(aard_handler_new(isolate, "main:f", &handler));
    assert_ok(aard_handler_new(isolate, "other:f", &other));
    for (int i = 0; i < 6; i++) {
        value_is(invoke(handler, "1"), "\"main \"");
        assert_ok(aard_isolate_prepare_reset(isolate));
        value_is(exec(isolate, "seen"), "\"main \""); /* the guest that is there goes on */
        value_is(invoke(handler, "1"), "\"main \"");
        assert_ok(aard_isolate_prepare_reset(isolate));
        assert_ok(aard_isolate_reset(isolate));
        if (i % 2) assert_ok(aard_isolate_prepare_reset(isolate));
        if (i % 3 == 0) value_is(exec(isolate, "typeof seen"), "\"undefined\"");
        if (i % 3 == 1) value_is(invoke(other, "1"), "\"other \"");
        assert_ok(aard_isolate_reset(isolate));
    }
    value_is(invoke(handler, "1"), "\"main \"");
    assert_ok(aard_isolate_prepare_reset(isolate));
    aard_handler_free(handler);
    assert_ok(aard_isolate_reset(isolate));
    value_is(invoke(other, "1"), "\"other \"");
    assert_ok(aard_isolate_prepare_reset(isolate));
    aard_bundle *second = bundle_of((const char *const[][2]){
        {"other.js", "globalThis.seen = (globalThis.seen ?? '') + 'second '; export const f = () => seen;"},
        {NULL, NULL}});
    assert_ok(aard_isolate_load_bundle(isolate, second));
    aard_bundle_free(second);
    value_is(invoke(other, "1"), "\"second \"");
    aard_handler_free(other);
    aard_isolate_free(isolate);
}

/* It has a limit of its own, and the guest that is there goes on. */
static void test_a_module_that_is_slow_only_ahead_harms_nobody(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.js",
                                            "if (crypto.getRandomValues(new Uint8Array(1))[0] < 128) for (;;);\n"
                                            "let n = 0; export const f = () => ++n;"},
                                           {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_wall_limit_ms(config, 200);
    aard_isolate *isolate = boot(config, bundle_of(files));
    aard_handler *handler;
    assert_ok(aard_handler_new(isolate, "main:f", &handler));
    aard_outcome *outcome = NULL;
    do {
        aard_outcome_free(outcome);
        outcome = invoke(handler, "1");
    } while (!aard_outcome_is_success(outcome));
    value_is(outcome, "1");
    for (int i = 2; i < 10; i++) {
        assert_ok(aard_isolate_prepare_reset(isolate));
        char want[8];
        snprintf(want, sizeof want, "%d", i);
        value_is(invoke(handler, "1"), want);
    }
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

static void test_code_is_kept_with_the_bundle(void **state)
{
    (void)state;
    char text[6000], other[6000];
    memset(text, ' ', sizeof text); /* as long as each other: V8 tells code for another source by the length alone */
    snprintf(text, 1000, "export function handler(x) { if (x === 2) throw new Error('two'); return ['text', x] }\n//");
    memcpy(other, text, sizeof other);
    snprintf(other, 1000, "export function handler(x) { if (x === 2) throw new Error('too'); return ['othr', x] }\n//");
    text[strlen(text)] = other[strlen(other)] = ' ';
    text[sizeof text - 1] = other[sizeof other - 1] = '\0';
    const char *const files[][2] = {{"main.js", text}, {NULL, NULL}}, *const others[][2] = {{"main.js", other},
                                                                                            {NULL, NULL}};
    aard_bundle *bundle = bundle_of(files), *second = bundle_of(others);
    size_t index, len;
    assert_true(aard_bundle_find(bundle, "main.js", 7, &index));
    assert_null(aard__bundle_code(bundle, index, &len));
    for (int i = 0; i < 4; i++) {
        aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), aard_bundle_retain(bundle));
        value_is(call(isolate, "main:handler", "1"), "[\"text\",1]");
        exception_is(call(isolate, "main:handler", "2"), "Error", "two", "main.js:1:", NULL);
        if (i % 2) assert_ok(aard_isolate_reset(isolate));
        assert_ok(aard_isolate_load_bundle(isolate, second));
        value_is(call(isolate, "main:handler", "1"), "[\"othr\",1]");
        exception_is(call(isolate, "main:handler", "2"), "Error", "too", "main.js:1:", NULL);
        assert_ok(aard_isolate_load_bundle(isolate, bundle));
        value_is(call(isolate, "main:handler", "1"), "[\"text\",1]");
        aard_isolate_free(isolate);
        assert_non_null(aard__bundle_code(bundle, index, &len));
        assert_non_null(aard__bundle_code(second, index, &len));
    }
    aard_bundle_free(bundle);
    aard_bundle_free(second);
    bundle = bundle_of(files); /* code that is none costs time only */
    memset(other, 'x', sizeof other);
    aard__bundle_keep_code(bundle, index, other, sizeof other);
    aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), bundle);
    value_is(call(isolate, "main:handler", "1"), "[\"text\",1]");
    aard_isolate_free(isolate);
}

/* ---- calls that were cut off ------------------------------------------------------------------------------------- */

static void test_a_reset_after_a_termination_anywhere(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "globalThis.left = 1; for (;;);",
        "globalThis.left = 1; await null; for (;;);",
        "globalThis.left = 1; (function again() { Promise.resolve().then(again) })(); 1",
        "globalThis.left = 1; setTimeout(function again() { setTimeout(again, 0); console.log('LEFT'); }, 0);"
        "await new Promise(() => {})",
        "globalThis.left = 1; class A { static { for (;;); } }",
        "globalThis.left = 1; [3, 1, 2].sort(() => { for (;;); })",
        "globalThis.left = 1; 'aaa'.replace(/a/g, () => { for (;;); })",
        "globalThis.left = 1; JSON.parse('[1]', () => { for (;;); })",
        "globalThis.left = 1; structuredClone({ get a() { for (;;); } })",
        "globalThis.left = 1; console.log('%s', { toString() { for (;;); } })",
        "globalThis.left = 1; new URL({ toString() { for (;;); } })",
        "globalThis.left = 1; Reflect.construct(class extends Map { constructor() { super(); for (;;); } }, [])",
        "globalThis.left = 1; function* g() { try { yield 1 } finally { for (;;); } } for (const x of g()) break;",
        "globalThis.left = 1; new FinalizationRegistry(() => {}).register({}, 1); for (;;) new Array(10000);",
        "globalThis.left = new FinalizationRegistry((held) => console.log(held));"
        "for (let i = 0; i < 50; i++) left.register({ i }, 'LEFT');" /* collected, but no more told */
        "(() => { const kept = []; for (let i = 0; i < 70; i++) kept.push(new Array(20000).fill(i)) })(); for (;;);",
        "globalThis.left = 1; /^(a+)+$/.test('a'.repeat(40) + 'b')",
        "globalThis.left = 1; Error.prepareStackTrace = () => { for (;;); }; new Error('x').stack",
        "globalThis.left = 1; setInterval(() => {}, 0); (async () => { for (;;) await null })()",
    };
    static const char *const spinning[][2] = {{"spin.js", "export const a = 1; for (;;);"},
                                              {"main.js", "export const handler = (x) => [x, typeof left];"},
                                              {NULL, NULL}};
    for (int cleanup = 0; cleanup < 2; cleanup++) {
        aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
        if (cleanup) aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
        aard_isolate *isolate = boot(config, bundle_of(spinning));
        aard_handler *handler;
        aard_call *limited = limited_to(120);
        assert_ok(aard_handler_new(isolate, "main:handler", &handler));
        for (size_t i = 0; i < COUNT(rows); i++) {
            aard_outcome *cut = exec_with(isolate, rows[i], limited);
            if (aard_outcome_failure_kind(cut) != AARD_FAILURE_TIMEOUT_EXCEEDED) print_error("%s\n", rows[i]);
            failure_is(cut, AARD_FAILURE_TIMEOUT_EXCEEDED, "120 ms", NULL);
            if (!cleanup && i % 3 == 0) assert_ok(aard_isolate_prepare_reset(isolate));
            if (!cleanup && i % 3 == 1) assert_ok(aard_isolate_reset(isolate));
            aard_outcome *outcome = invoke(handler, "5");
            /* a loop that V8 does not end by itself takes the isolate with it */
            aard_reset_mode mode = aard_outcome_diagnostics(outcome)->reset_mode;
            assert_true(mode == expected_reset(AARD_RESET_NEW_REALM) ||
                        (mode == expected_reset(AARD_RESET_NEW_ISOLATE) && strstr(rows[i], "new Array")));
            assert_string_equal(aard_outcome_stdout(outcome, NULL), "");
            value_is(outcome, "[5,\"undefined\"]");
            streams_are(exec(isolate, LATER), "", "");
        }
        aard_call_set_input_json(limited, "1", 1);
        failure_is(call_with(isolate, "spin:a", limited), AARD_FAILURE_TIMEOUT_EXCEEDED, "120 ms",
                   NULL); /* its module never ends */
        aard_call_free(limited);
        value_is(invoke(handler, "5"), "[5,\"undefined\"]");
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
}

/* ---- what is told ------------------------------------------------------------------------------------------------- */

static void test_the_next_call_tells_how(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_outcome *outcome = exec(isolate, "1");
    aard_diagnostics first = *aard_outcome_diagnostics(outcome);
    assert_int_equal(first.reset_mode, AARD_RESET_NONE);
    assert_true(first.reset_ms == 0);
    aard_outcome_free(outcome);
    assert_ok(aard_isolate_reset(isolate));
    outcome = exec(isolate, "1");
    aard_diagnostics second = *aard_outcome_diagnostics(outcome);
    assert_int_equal(second.reset_mode, expected_reset(AARD_RESET_NEW_REALM));
    assert_true(second.reset_ms > 0);
    assert_int_equal(second.reset_generation, first.reset_generation + 1);
    aard_outcome_free(outcome);
    outcome = exec(isolate, "1");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NONE);
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_generation, second.reset_generation);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
}

static void test_a_cleanup_is_part_of_its_call(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate *isolate = boot(config, NULL);
    aard_outcome_free(exec(isolate, "1"));
    for (int i = 0; i < 5; i++) {
        aard_outcome *outcome = exec(isolate, "1");
        const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
        assert_int_equal(d->reset_mode, expected_reset(AARD_RESET_NEW_REALM));
        assert_true(d->reset_ms > 0 && d->cleanup_ms > 0);
        assert_true(d->wall_ms >= d->cleanup_ms);
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

static void test_buffers_go_with_their_call(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_SHARED_BUFFERS);
    aard_isolate *isolate = boot(config, bundle_of(module_files));
    aard_handler *handler, *buffer;
    assert_ok(aard_handler_new(isolate, "main:handler", &handler));
    assert_ok(aard_handler_new(isolate, "main:buffer", &buffer));
    for (int i = 1; i < 4; i++) {
        aard_outcome *outcome = invoke(buffer, "1");
        assert_int_equal(aard_outcome_buffer_count(outcome), 1);
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NONE);
        aard_outcome_free(outcome);
        outcome = invoke(handler, "1"); /* everything else stays */
        assert_int_equal(aard_outcome_buffer_count(outcome), 0);
        char want[64];
        snprintf(want, sizeof want, "[%d,%d,%d,%d,1]", i, i, i, i);
        value_is(outcome, want);
    }
    aard_handler_free(handler);
    aard_handler_free(buffer);
    aard_isolate_free(isolate);
}

/* ---- many ---------------------------------------------------------------------------------------------------------- */

/* The median of `count` resets with a call, in milliseconds. */
static double resets(aard_isolate *isolate, aard_handler *handler, size_t count)
{
    double *took = malloc(count * sizeof *took);
    assert_non_null(took);
    for (size_t i = 0; i < count; i++) {
        double start = now_ms();
        assert_ok(aard_isolate_reset(isolate));
        value_is(invoke(handler, "7"), "[1,1,1,1,1]");
        took[i] = now_ms() - start;
        aard_outcome_free(exec(isolate, "globalThis.left = new Array(1000).fill(Symbol.for('left'));"
                                        "setInterval(() => left, 1); new Promise(() => {}); 1"));
    }
    double usual = median(took, count);
    free(took);
    return usual;
}

static void test_many_resets_cost_no_more_than_few(void **state)
{
    (void)state;
    size_t count = soak_count(1000, 10000);
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(module_files));
    aard_handler *handler;
    assert_ok(aard_handler_new(isolate, "main:handler", &handler));
    resets(isolate, handler, count / 5);
    long before = resident_kib();
    double first = resets(isolate, handler, count / 5), last = 0;
    for (size_t done = 0; done < count; done += count / 5) last = resets(isolate, handler, count / 5);
    long grown = resident_kib() - before;
    print_message("%zu resets: %.3f ms at first, %.3f at last; %+ld KiB\n", count, first, last, grown);
#ifndef __SANITIZE_ADDRESS__ /* it keeps what was freed for a while */
    if (grown > 12 * 1024) fail_msg("%ld KiB more after %zu resets", grown, count);
#endif
    if (last > (exact_times() ? 3 * first + 1 : 20 * first + 20))
        fail_msg("a reset with its call took %.3f ms at first and %.3f at last", first, last);
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

/* Symbols of Symbol.for belong to all realms of a vm and stay: they say nothing, but they need memory. */
static void test_what_only_grows_is_given_up_in_the_end(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), NULL);
    int new_isolates = 0;
    for (int i = 0; i < 40; i++) {
        char code[200];
        snprintf(code, sizeof code,
                 "for (let i = 0; i < 10000; i++) Symbol.for('a rather long name of a symbol %d ' + i); 1", i);
        aard_outcome *outcome = exec(isolate, code);
        new_isolates += aard_outcome_diagnostics(outcome)->reset_mode == AARD_RESET_NEW_ISOLATE;
        value_is(outcome, "1");
        assert_ok(aard_isolate_reset(isolate));
    }
    assert_in_range(new_isolates, 1, 10);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left_after_a_reset),
        cmocka_unit_test(test_nothing_is_left_where_the_next_realm_was_there_already),
        cmocka_unit_test(test_nothing_is_left_by_a_full_cleanup),
        cmocka_unit_test(test_without_a_reset_each_of_them_is_seen),
        cmocka_unit_test(test_modules_are_evaluated_anew),
        cmocka_unit_test(test_a_module_evaluated_ahead_is_as_one_evaluated_by_its_call),
        cmocka_unit_test(test_a_module_is_evaluated_ahead),
        cmocka_unit_test(test_a_module_evaluated_ahead_is_there_for_its_handler_alone),
        cmocka_unit_test(test_a_module_that_is_slow_only_ahead_harms_nobody),
        cmocka_unit_test(test_code_is_kept_with_the_bundle),
        cmocka_unit_test(test_another_bundle_finds_nothing_of_the_one_before),
        cmocka_unit_test(test_a_reset_after_a_termination_anywhere),
        cmocka_unit_test(test_the_next_call_tells_how),
        cmocka_unit_test(test_a_cleanup_is_part_of_its_call),
        cmocka_unit_test(test_buffers_go_with_their_call),
        cmocka_unit_test(test_many_resets_cost_no_more_than_few),
        cmocka_unit_test(test_what_only_grows_is_given_up_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
