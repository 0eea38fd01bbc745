/* Guests that tamper with what carries their answers: the host lives, every outcome has its form, and a call ends within
 * its limit.  What such a guest answers is its own affair; that a guest after it is a sound one is not.
 * test-timeout: 300 */
#include "isolate_support.h"

#include <signal.h>

static aard_isolate *isolates[3]; /* Python, JavaScript, and Python with JavaScript */

/* A sound guest, whatever became of the old one. */
static void renew(size_t which)
{
    static const char *const names[] = {"python", "javascript", "python"};
    aard_isolate_free(isolates[which]);
    aard_isolate_config *config = config_of(which == 1 ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON);
    if (which == 2) assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    isolates[which] = boot(config, bundle_from(names[which]));
    value_is(call(isolates[which], "main:echo", "[1,\"ä\",{\"a\":null}]"), "[1,\"ä\",{\"a\":null}]");
}

/* The library's handler for faults of guests, which cmocka puts one of its own in place of for each test. */
static struct sigaction on_fault;

static void catch_faults(void) { assert_int_equal(sigaction(SIGSEGV, &on_fault, NULL), 0); }

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(isolates); i++) renew(i);
    sigaction(SIGSEGV, NULL, &on_fault);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(isolates); i++) aard_isolate_free(isolates[i]);
    return 0;
}

/* Most attacks end much sooner; what else would run for ever is ended then, and nothing of what is tested hangs on it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ATTACK_MS = 1100 };
#else
enum { ATTACK_MS = 250 };
#endif

/* Runs `code`, then calls of every kind; each outcome has been checked for its form by the time it is freed. */
static void attack(size_t which, const char *code)
{
    aard_isolate *isolate = isolates[which];
    static const char *const calls[][2] = {
        {"main:echo", "{\"a\":[1,2.5,\"x\",null]}"},
        {"main:quick", "{"},
        {"raising:plain", "{}"},
        {"main:bytes", "1"},
    };
    aard_call *what = limited_to(ATTACK_MS);
    aard_outcome_free(exec_with(isolate, code, what));
    for (size_t i = 0; i < COUNT(calls); i++) {
        aard_call_set_input_json(what, calls[i][1], strlen(calls[i][1]));
        aard_outcome_free(call_with(isolate, calls[i][0], what));
    }
    aard_outcome_free(exec_with(isolate, "nonsense (", what));
    aard_call_free(what);
    renew(which);
}

/* ---- Python ---------------------------------------------------------------------------------------------------- */

/* Finds the adapter's globals, as any guest can. */
#define FIND                                                                                                           \
    "import gc\n"                                                                                                      \
    "adapter = next(d for d in gc.get_objects() if isinstance(d, dict) and d.get('__name__') == 'aardvark_adapter')\n"

static void test_python_that_tampers_with_the_adapter(void **state)
{
    (void)state;
    catch_faults();
    static const char *const rows[] = {
        FIND "adapter['_dumps'] = lambda value: b'{not json'",
        FIND "adapter['_dumps'] = lambda value: b'\\xff\\xfe'",
        FIND "adapter['_dumps'] = lambda value: b'1,\"diagnostics\":{}}'",
        FIND "adapter['_dumps'] = lambda value: 5",
        FIND "adapter['_dumps'] = adapter['_fail'] = adapter['_tell'] = adapter['_finish'] = None",
        FIND "adapter['_State'].report = b'not json'\nadapter['_fail'] = lambda error: None",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'[]')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\": \"exception\"}')",
        FIND
        "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\":\"buffers\",\"buffers\":5}')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\":\"buffers\",\"buffers\":"
             "[{\"id\":\"\\\\u0000\\\\ud800\",\"metadata\":{\"\\\\ud800\":[1e999]}}]}')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\":\"buffers\",\"buffers\":["
             "{\"id\":\"x\",\"metadata\":1},{\"id\":\"x\",\"metadata\":\"m\"},{\"id\":\"\",\"metadata\":[]}]}')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\":\"adapter_error\","
             "\"message\":\"\\\\u0000\\\\u001b[2J\\\\n%s%n\"}')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'{\"kind\":\"exception\","
             "\"type\":\"T\",\"value\":\"\\\\ud800\",\"traceback\":\"\\\\\\\\ud800\\\\udc00\\\\ud800\"}')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', b'[' * 1000000)",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', 'a string')",
        FIND "adapter['_tell'] = lambda **f: setattr(adapter['_State'], 'report', None)",
        FIND "adapter['_encode_result'] = lambda value: (yield)",
        FIND "adapter['_end_call'] = adapter['_flush'] = lambda: 1 / 0",
        FIND "adapter['_encode_value'] = lambda value, level: ['x' * 10]",
        FIND "adapter['_State'].task = object()",
        FIND "adapter.clear()",
        FIND "for name in list(adapter): adapter[name] = adapter.get('nothing')",
        FIND "import types\nfor f in gc.get_objects():\n"
             "    if isinstance(f, types.FunctionType) and f.__globals__ is adapter:\n"
             "        f.__code__ = (lambda *a, **k: b'{').__code__.replace(co_freevars=f.__code__.co_freevars)",
    };
    for (size_t i = 0; i < COUNT(rows); i++) attack(0, rows[i]);
}

/* A report is read by the host, where no limit of the guest's holds: millions of parts would be gigabytes. */
static void test_a_report_of_millions_of_parts(void **state)
{
    (void)state;
    catch_faults();
    static const char code[] = FIND
        "adapter['_State'].report = b'{\"kind\":\"repr\",\"repr\":\"x\",\"y\":[' + b'[],' * 10 ** 7 + b'1]}'\n"
        "adapter['_finish'] = lambda *a: None\n1";
    aard_outcome *outcome = exec(isolates[0], code);
    failure_is(outcome, AARD_FAILURE_ADAPTER_ERROR, "tampered", NULL);
    assert_true(resident_kib() < (1 << 20));
    renew(0);
    /* Text may be long. */
    static const char quoted[] = "['[{,\"\\\\' * 10 ** 6, 1j]";
    outcome = exec(isolates[0], quoted);
    assert_success(outcome);
    size_t len;
    assert_non_null(aard_outcome_value_repr(outcome, &len));
    assert_true(len > 5000000);
    aard_outcome_free(outcome);
}

static void test_python_that_tampers_with_its_library(void **state)
{
    (void)state;
    catch_faults();
    static const char *const rows[] = {
        "import json\njson.dumps = json.loads = lambda *a, **k: '}{'",
        "import json.encoder\njson.encoder.c_make_encoder = json.encoder.encode_basestring = None",
        "import sys\nsys.stdout = sys.stderr = None",
        "import sys\nsys.stdout.close()\nsys.stderr.close()",
        "import sys\nsys.stdout.buffer.close()",
        "import sys\nsys.stdout = sys.stderr = type('S', (), {'__getattr__': lambda s, n: 1 / 0})()",
        "import builtins\nbuiltins.__import__ = None",
        "import builtins\nbuiltins.str = builtins.type = builtins.isinstance = builtins.len = lambda *a: 1 / 0",
        "import builtins\nfor n in list(vars(builtins)):\n    if n != '__import__': vars(builtins).pop(n)",
        "import builtins\nvars(builtins).clear()",
        "import asyncio\nasyncio.ensure_future = asyncio.Task = None",
        "import asyncio\nloop = asyncio.get_event_loop()\nloop.call_soon = loop.call_later = lambda *a, **k: None",
        "import asyncio\nasyncio.get_event_loop().close()",
        "import asyncio\nasyncio.set_event_loop(None)",
        "import sys\nsys.modules.clear()",
        "import sys\nsys.path.clear()\nsys.meta_path.clear()\nsys.path_hooks.clear()\nsys.path_importer_cache.clear()",
        "import importlib\nimportlib.import_module = lambda name: 5",
        "import inspect\ninspect.signature = inspect.isawaitable = lambda *a: 1 / 0",
        "import traceback\ntraceback.format_exception = lambda *a: [b'bytes', 5]",
        "import linecache\nlinecache.cache = None",
        "import sys\nsys.setrecursionlimit(60)",
        "import sys\nsys.setrecursionlimit(10**8)\ndef f(): f()\nf()",
        "import sys\nsys.set_int_max_str_digits(640)\n10**1000",
        "import sys\nsys.settrace(lambda *a: 1 / 0)\nsys.setprofile(lambda *a: 1 / 0)",
        "import gc\ngc.disable()\ngc.set_threshold(1)\ngc.callbacks.append(lambda *a: 1 / 0)\ngc.enable()",
        "import threading\nthreading.Thread(target=print).start()",
        "import os\nos._exit(3)",
        "import os\nos.abort()",
        "import os\nos.kill(os.getpid(), 9)",
        "import os\nos.close(0); os.close(1); os.close(2)",
        "import os\nos.chdir('/')\nos.rename('/lib', '/lib2')",
        "import ctypes\nctypes.string_at(0, 10)\nctypes.memset(0, 255, 1 << 20)",
        "import ctypes\nctypes.memset(id(None), 0, 64)\nNone",
        "class D:\n    def __del__(self):\n        while True: pass\nimport sys\nsys.keep = D()\ndel sys.keep",
        "import atexit, weakref\natexit.register(lambda: 1 / 0)\nraise SystemExit",
        "import faulthandler\nfaulthandler._sigsegv()",
    };
    for (size_t i = 0; i < COUNT(rows); i++) attack(0, rows[i]);
}

static void test_python_that_tampers_with_javascript(void **state)
{
    (void)state;
    catch_faults();
    static const char *const rows[] = {
        "import pyodide_js\npyodide_js._api.fatal_error(5)",
        "import js\njs.Object.prototype.toJSON = lambda *a: 1",
        "import js\njs.Uint8Array = js.JSON = js.Map = js.Promise = None",
        "from pyodide.code import run_js\nrun_js('Array.prototype.push = Array.prototype.pop = function () { return 7 }')",
        "from pyodide.code import run_js\nrun_js('for (;;);')",
        "from pyodide.code import run_js\nrun_js('Promise.prototype.then = () => 5')",
        "from pyodide.code import run_js\nrun_js('setTimeout(() => { for (;;); }, 0)')",
        "import pyodide_js\npyodide_js._module._PyBytes_AsString = None\npyodide_js._module.HEAPU8.fill(255)",
        "import pyodide_js\npyodide_js._module.HEAPU8.fill(0)",
        "import pyodide_js\npyodide_js._module.wasmMemory.grow(1)\npyodide_js._module.FS.unmount('/app')",
        "import pyodide_js\nfs = pyodide_js._module.FS\nfs.open = fs.write = fs.read = None",
        "import pyodide_js\npyodide_js._module.FS.streams.splice(0)",
        "import pyodide_js\npyodide_js._module.FS.nameTable = None\npyodide_js._module.FS.root = None",
        "import pyodide_js\npyodide_js._module.handle_js_error = None\nimport js\njs.nothing.nothing",
        "import pyodide_js\npyodide_js._module.wasmTable.set(1, None)\nfor i in range(2, 99): pyodide_js._module.wasmTable.set(i, None)",
        "import pyodide_js\npyodide_js._api.config.jsglobals = None\npyodide_js.globals.destroy()",
        "import pyodide_js\npyodide_js.setInterruptBuffer(5)",
        "import pyodide_js\npyodide_js.setStdout()",
        "import js\njs.WebAssembly.Memory.prototype.grow = js.WebAssembly.Instance = None",
        "import js\njs.TextDecoder.prototype.decode = js.TextEncoder.prototype.encode = js.TextEncoder.prototype.encodeInto = None",
        "import js\njs.Object.defineProperty(js.Object.prototype, 'get', js.Object.new())",
        "import js\njs.setTimeout = js.queueMicrotask = js.clearTimeout = None\nimport asyncio\nawait asyncio.sleep(0.01)",
        "import js\njs.globalThis.self = js.globalThis.x = js.globalThis\ndel js.Array, js.Object, js.Function",
        "from pyodide.code import run_js\nrun_js('Function.prototype.apply = Function.prototype.call = Reflect.apply = null')",
        "from pyodide.code import run_js\nrun_js('Object.prototype.then = function () { for (;;); }')",
        "from pyodide.code import run_js\nrun_js('Object.defineProperty(Object.prototype, \"0\", { get() { throw 1 }, set() {} })')",
        "from pyodide.code import run_js\nrun_js('throw null')",
        "from pyodide.code import run_js\nrun_js('throw { get name() { for (;;); } }')",
        "from pyodide.code import run_js\nrun_js('Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = {}')",
        "from pyodide.code import run_js\nrun_js('(function f() { f() })()')",
        "from pyodide.code import run_js\nrun_js('new Proxy({}, { get() { throw new Proxy({}, {}) } })').a",
        "from pyodide.ffi import create_proxy\nimport js\njs.keep = create_proxy(lambda *a: 1 / 0)\njs.setTimeout(js.keep, 0)",
        "from pyodide.ffi import create_proxy\nimport js\nwhile True: js.Object.new().f = create_proxy([])",
    };
    for (size_t i = 0; i < COUNT(rows); i++) attack(2, rows[i]);
}

/* ---- JavaScript ------------------------------------------------------------------------------------------------ */

static void test_javascript_that_tampers_with_its_realm(void **state)
{
    (void)state;
    catch_faults();
    static const char *const rows[] = {
        "Object.prototype.toJSON = () => 'tampered'",
        "Object.prototype.toJSON = () => { for (;;); }",
        "Array.prototype.toJSON = function () { return this }",
        "Array.prototype.join = () => '}{'",
        "Array.prototype.push = Array.prototype.map = String.prototype.split = String.prototype.includes = null",
        "Promise.prototype.then = () => 5",
        "Promise.prototype.then = function () { throw this }",
        "Object.defineProperty(Promise.prototype, 'then', { get() { for (;;); } })",
        "Promise.resolve = Promise.reject = globalThis.Promise = undefined",
        "Object.defineProperty(Promise.prototype, 'constructor', { get() { throw 1 } })",
        "Object.defineProperty(Promise, Symbol.species, { get() { throw 1 } })",
        "JSON.stringify = JSON.parse = () => ({})",
        "globalThis.JSON = globalThis.Object = globalThis.Array = globalThis.String = undefined",
        "Symbol.prototype[Symbol.toPrimitive] = () => { throw 1 }",
        "Object.defineProperty(Array.prototype, 0, { set() { throw 1 }, get() { return 5 } })",
        "Object.defineProperty(Array.prototype, 0, { set(v) { this.x = v } })",
        "Object.defineProperty(Object.prototype, 'kind', { set() { throw 1 }, get() { return 'repr' } })",
        "Object.defineProperty(Object.prototype, 'then', { get() { throw 1 }, configurable: true })",
        "Object.defineProperty(Object.prototype, 'get', { value: () => 1 })",
        "Object.defineProperty(Object.prototype, 'message', { get() { for (;;); } })",
        "Object.setPrototypeOf(Object.prototype.__proto__ ?? Array.prototype, new Proxy({}, { get() { throw 1 } }))",
        "Object.setPrototypeOf(Array.prototype, new Proxy({}, { get() { throw 1 }, set() { throw 2 }, has() { throw 3 } }))",
        "Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1 }",
        "Object.defineProperty(Array, Symbol.hasInstance, { value: () => { throw 1 } })",
        "Object.defineProperty(Function.prototype, Symbol.hasInstance, { value: () => true })",
        "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null; Reflect.apply = null",
        "RegExp.prototype.exec = () => { throw 1 }; RegExp.prototype.test = () => true",
        "Object.defineProperty(RegExp.prototype, 'flags', { get() { throw 1 } })",
        "Error.prepareStackTrace = () => { for (;;); }",
        "Error.prepareStackTrace = () => ({ toString() { throw 1 } })",
        "Error.stackTraceLimit = Infinity; (function f(n) { if (n) return f(n - 1); throw new Error('deep') })(5000)",
        "Error.captureStackTrace = null; Error.prototype.name = {}; Error.prototype.message = Symbol()",
        "globalThis.Error = globalThis.RangeError = globalThis.TypeError = undefined",
        "Object.defineProperty(globalThis, '__aardvarkInput', { get() { throw 1 }, set() { throw 2 } })",
        "Object.defineProperty(globalThis, '__aardvarkInput', { value: 1 })",
        "Object.defineProperty(globalThis, 'module', { set() { throw 2 } })",
        "Object.freeze(globalThis); Object.freeze(Object.prototype); Object.freeze(Array.prototype)",
        "for (const name of Object.getOwnPropertyNames(globalThis)) try { globalThis[name] = null } catch { }",
        "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch { }",
        "Uint8Array.prototype.constructor = null; Object.setPrototypeOf(Uint8Array.prototype, null)",
        "Object.defineProperty(Uint8Array.prototype, 'byteLength', { get: () => 1e9 })",
        "Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength', { get: () => -1 })",
        "globalThis.setTimeout = globalThis.queueMicrotask = () => { throw 1 }",
        "setInterval(() => { throw new Error('again') }, 0); 1",
        "queueMicrotask(function again() { queueMicrotask(again) }); 1",
        "console.log = null; Object.defineProperty(globalThis, 'console', { get() { throw 1 } })",
        "Map.prototype.get = Map.prototype.set = Set.prototype.has = WeakMap.prototype.get = () => { throw 1 }",
        "BigInt.prototype.toJSON = () => '}'; 5n",
        "Number.prototype.toString = String.prototype.toString = () => '}{'; 5.5",
        "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))",
        "await WebAssembly.compileStreaming(1)",
        "throw new Proxy({}, { get() { for (;;); }, has() { return true } })",
        "throw new Proxy(function () {}, { get() { throw 1 }, has() { throw 2 }, getPrototypeOf() { throw 3 } })",
        "new Proxy([], { get(t, k) { return k === 'length' ? 2 ** 53 : 1 } })",
        "new Proxy([], { get(t, k) { return k === 'length' ? NaN : 1 } })",
        "({ toJSON() { return { toJSON() { return 1n } } } })",
        "'x'.repeat(2 ** 29)",
        "'\\u1234'.repeat(2 ** 24)",
        "new ArrayBuffer(2 ** 53)",
        "import('./main.js').then((m) => m.default())",
        "import('data:text/javascript,1')",
        "import({ toString() { throw 1 } })",
    };
    for (size_t i = 0; i < COUNT(rows); i++) attack(1, rows[i]);
}

static void test_the_adapters_name_for_a_malformed_answer(void **state)
{
    (void)state;
    catch_faults();
    aard_outcome_free(exec(isolates[0], FIND "adapter['_dumps'] = lambda value: b'{not json'"));
    failure_is(call(isolates[0], "main:echo", "1"), AARD_FAILURE_ADAPTER_ERROR, "tampered", NULL);
    renew(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_adapters_name_for_a_malformed_answer),
        cmocka_unit_test(test_javascript_that_tampers_with_its_realm),
        cmocka_unit_test(test_python_that_tampers_with_the_adapter),
        cmocka_unit_test(test_a_report_of_millions_of_parts),
        cmocka_unit_test(test_python_that_tampers_with_its_library),
        cmocka_unit_test(test_python_that_tampers_with_javascript),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
