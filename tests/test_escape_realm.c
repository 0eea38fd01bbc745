/* Guests that look for a way out of what they were given: Python for JavaScript, JavaScript for the host's objects.
 * test-timeout: 300 */
#include "isolate_support.h"

typedef struct attempt {
    const char *name, *code;
    const char *reason; /* of the violation; NULL where there is nothing that could refuse */
} attempt;

/* ---- Python without the capability "js" ------------------------------------------------------------------------------- */

/* Code of JavaScript that shows itself, by whichever way it comes to run. */
#define MARK "console.log('ESCAPED') || (globalThis.escaped = 42)"

#define PRELUDE                                                                                                           \
    "import ctypes, gc, os, sys\n"                                                                                        \
    "lib = ctypes.CDLL(None)\n"                                                                                           \
    "mark = b\"" MARK "\"\n"                                                                                              \
    "def no(f, *a, **k):\n"                                                                                               \
    "    try: return f(*a, **k)\n"                                                                                        \
    "    except BaseException as e:\n"                                                                                    \
    "        if isinstance(e, NameError): raise\n"                                                                        \
    "def shown(x):\n"                                                                                                     \
    "    if x is not None and ('JsProxy' in type(x).__name__ or x == 42): print('ESCAPED', type(x))\n"                    \
    "def adapter():\n"                                                                                                    \
    "    return next(d for d in gc.get_objects() if isinstance(d, dict) and d.get('__name__') == "                        \
    "'aardvark_adapter')\n"                                                                                               \
    "def leb(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)\n"                                \
    "def sized(b): return leb(len(b)) + b\n"                                                                              \
    "def section(i, b): return bytes([i]) + sized(b)\n"                                                                   \
    "def library(js):\n" /* a module whose JavaScript the linker would make, as of EM_JS */                               \
    "    text = b'(void)<::>{}; ' + js + b'\\0'\n"                                                                        \
    "    return (b'\\0asm\\1\\0\\0\\0' + section(0, sized(b'dylink.0') + b'\\x01' + sized(leb(len(text)) + "              \
    "b'\\0\\0\\0'))\n"                                                                                                    \
    "        + section(2, b'\\x02' + sized(b'env') + sized(b'memory') + b'\\x02\\0\\x01' + sized(b'env')"                 \
    " + sized(b'__memory_base') + b'\\x03\\x7f\\0')\n"                                                                    \
    "        + section(6, b'\\x01\\x7f\\0\\x41\\0\\x0b') + section(7, b'\\x01' + sized(b'__em_js__f') + b'\\x03\\x01')\n" \
    "        + section(11, b'\\x01\\0\\x23\\0\\x0b' + sized(text)))\n"                                                    \
    "def put(p):\n"                                                                                                       \
    "    with open(p, 'wb') as f: f.write(library(mark))\n"

static const attempt of_python[] = {
    {"import js", "no(__import__, 'js')", "js"},
    {"import of a name from js", "def f():\n    from js import eval\n    eval(mark.decode())\nno(f)", "js"},
    {"import pyodide_js", "no(__import__, 'pyodide_js')", "js"},
    {"a submodule", "no(__import__, 'pyodide_js._api')", "js"},
    {"importlib", "import importlib\nno(importlib.import_module, 'js')", "js"},
    {"without the finder that closes them",
     "sys.meta_path[:] = [f for f in sys.meta_path if 'Closed' not in str(f)]\nshown(no(__import__, 'js'))", NULL},
    {"with a finder of Pyodide's",
     "from _pyodide._importhook import jsfinder\n"
     "shown(no(jsfinder.find_spec, 'js', None))",
     NULL},
    {"a module of JavaScript registered",
     "import pyodide.ffi\nno(pyodide.ffi.register_js_module, 'x', lib)\n"
     "shown(no(__import__, 'x'))",
     NULL},
    {"run_js", "def f():\n    from pyodide.code import run_js\n    run_js(mark.decode())\nno(f)", "js"},
    {"the proxies that the adapter keeps", "js = adapter()['_proxies']['js']\nno(lambda: js.eval(mark.decode()))",
     "js"},
    {"their names", "js = adapter()['_proxies']['js']\nno(dir, js)", "js"},
    {"their items", "js = adapter()['_proxies']['js']\nno(lambda: js['eval'])\nno(lambda: js.object_entries())", "js"},
    {"their iterators", "js = adapter()['_proxies']['js']\nno(iter, js)\nno(list, js)\nno(lambda: js.object_keys())",
     "js"},
    {"their text", "js = adapter()['_proxies']['js']\nno(str, js)\nno(repr, js)", "js"},
    {"a call", "js = adapter()['_proxies']['js']\nno(lambda: js(mark.decode()))\nno(lambda: js.eval)", "js"},
    {"an attribute set", "js = adapter()['_proxies']['js']\nno(setattr, js, 'escaped', 42)", "js"},
    {"an attribute deleted", "js = adapter()['_proxies']['js']\nno(delattr, js, 'console')", "js"},
    {"their constructor", "js = adapter()['_proxies']['js']\nno(lambda: js.constructor.constructor(mark.decode())())",
     "js"},
    {"a new one", "js = adapter()['_proxies']['js']\nno(lambda: js.Function.new(mark.decode())())", "js"},
    {"proxies of other modules",
     "for p in adapter()['_proxies'].values():\n    no(getattr, p, '_api')\n    no(getattr, p, 'FS')", "js"},
    {"the adapter's own grant",
     "a = adapter()\nno(a['grant'])\ndef f():\n    import js\n    js.eval(mark.decode())\nno(f)", "js"},
    {"and the loop it puts back",
     "a = adapter()\nno(a['grant'])\nimport asyncio\nno(lambda: asyncio.get_event_loop().call_soon(print, 'ESCAPED'))",
     "js"},
    {"what Pyodide's loop calls", "from pyodide import webloop\nno(lambda: webloop.scheduleCallback(print, 0))", "js"},
    {"to_js", "from pyodide.ffi import to_js\nshown(no(to_js, {'a': [1, print]}))", "js"},
    {"to_js with converters",
     "from pyodide.ffi import to_js\nshown(no(to_js, object(), default_converter=lambda v, c, k: c(v)))", "js"},
    {"to_js of a function", "from pyodide.ffi import to_js\nshown(no(to_js, print, create_pyproxies=True))", "js"},
    {"create_proxy", "from pyodide.ffi import create_proxy\nshown(no(create_proxy, print))", "js"},
    {"create_once_callable", "from pyodide.ffi import create_once_callable\nshown(no(create_once_callable, print))",
     "js"},
    {"the type of proxies", "T = type(adapter()['_proxies']['js'])\nshown(no(T))\nshown(no(T.__new__, T))", NULL},
    {"a buffer of a proxy",
     "js = adapter()['_proxies']['js']\nno(memoryview, js)\nno(lambda: js.to_py())\nno(lambda: js.assign(b'x'))", "js"},
    {"pyfetch",
     "import pyodide.http\nasync def f():\n    try: await pyodide.http.pyfetch('https://localhost/')\n"
     "    except BaseException: pass\nawait f()",
     NULL},
    {"a proxy forged in memory",
     "js = adapter()['_proxies']['js']\nraw = (ctypes.c_char * 64).from_address(id(js))\nfake = ctypes.create_string_buffer(bytes(raw), 64)\n"
     "p = ctypes.cast(fake, ctypes.py_object) if False else None\nno(lambda: js.then)",
     "js"},
    {"emscripten_run_script", "no(lambda: lib.emscripten_run_script(mark))", "js"},
    {"emscripten_run_script_int", "shown(no(lambda: lib.emscripten_run_script_int(b'42')))", "js"},
    {"emscripten_run_script_string", "shown(no(lambda: lib.emscripten_run_script_string(mark)))", "js"},
    {"emscripten_async_run_script", "no(lambda: lib.emscripten_async_run_script(mark, 0))", "js"},
    {"emscripten_async_load_script", "no(lambda: lib.emscripten_async_load_script(b'data:,', 0, 0))", "js"},
    {"emscripten_asm_const_double", "no(lambda: lib.emscripten_asm_const_double(0, b'', 0))", "js"},
    {"emscripten_asm_const_int", "for at in range(0, 99): no(lambda: lib.emscripten_asm_const_int(at, b'', 0))", NULL},
    {"emscripten_create_worker", "no(lambda: lib.emscripten_create_worker(b'x'))", "js"},
    {"emscripten_websocket_new", "no(lambda: lib.emscripten_websocket_new(b'x'))", "js"},
    {"emscripten_async_wget", "no(lambda: lib.emscripten_async_wget(b'x', b'y', 0, 0))", "js"},
    {"the symbols of another library",
     "no(lambda: ctypes.CDLL('').emscripten_run_script(mark))\n"
     "no(lambda: ctypes.pythonapi.emscripten_run_script(mark))",
     "js"},
    {"a function of the interface, by its name", "no(lambda: lib.JsvObject_CallMethod(0, 0, 0))", "js"},
    {"raw_call_js", "no(lambda: lib.raw_call_js(1))\nno(lambda: lib.JsProxy_GetAttr_js(1, 0, b'eval'))", "js"},
    {"jslib_init_js", "no(lambda: lib.jslib_init_js())\nno(lambda: lib.pyodide_js_init())", "js"},
    {"os.system", "no(os.system, 'echo ESCAPED')\nno(os.popen, 'echo ESCAPED')", NULL},
    {"a subprocess", "def f():\n    import subprocess\n    subprocess.run(['echo', 'ESCAPED'])\nno(f)", NULL},
    {"a library in /session", "put('/session/x.so')\nno(ctypes.CDLL, '/session/x.so')", "codegen"},
    {"a library in /tmp", "put('/tmp/x.so')\nno(ctypes.CDLL, '/tmp/x.so')", "codegen"},
    {"a library behind a link",
     "put('/tmp/x.so')\nos.symlink('/tmp/x.so', '/session/y.so')\nno(ctypes.CDLL, '/session/y.so')", "codegen"},
    {"a library in the bundle", "no(ctypes.CDLL, '/app/main.py')", "codegen"},
    {"a library by a search path",
     "put('/tmp/x.so')\nlib.setenv(b'LD_LIBRARY_PATH', b'/tmp', 1)\nno(ctypes.CDLL, 'x.so')", "codegen"},
    {"an extension module",
     "import importlib.machinery as m\nput('/session/ext' + m.EXTENSION_SUFFIXES[0])\nsys.path.insert(0, '/session')\n"
     "no(__import__, 'ext')",
     "codegen"},
    {"a library in memory",
     "code = library(mark)\nb = ctypes.create_string_buffer(code, len(code))\n"
     "dso = (ctypes.c_uint32 * 32)()\ndso[1] = 0x102\ndso[7] = ctypes.addressof(b)\ndso[8] = len(code)\n"
     "ctypes.memmove(ctypes.addressof(dso) + 36, b'/x\\0', 3)\nno(lambda: lib._dlopen_js(dso))",
     "codegen"},
    {"a library that is loaded later",
     "put('/tmp/x.so')\ndso = (ctypes.c_uint32 * 32)()\ndso[1] = 0x102\nctypes.memmove(ctypes.addressof(dso) + 36, b'/tmp/x.so\\0', 10)\n"
     "no(lambda: lib._emscripten_dlopen_js(dso, 0, 0, 0))",
     "js"},
    {"functions that give and take JavaScript's values",
     "for n in ('JsvUTF8ToString', 'JsvNum_fromInt', 'new_error', 'Jsv_typeof'):\n"
     "    shown(no(lambda: getattr(lib, n)(mark, mark, mark)))",
     NULL},
    {"the descriptor of a library that is not there", "no(lambda: lib._dlsym_js(12345678, b'strlen', 0))", NULL},
};

static aard_isolate *python(void)
{
    static const char *const files[][2] = {{"main.py", "def answer(): return 42\n"}, {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    return boot(config, bundle_of(files));
}

static bool told(const aard_outcome *outcome, const char *reason)
{
    const aard_violation *line;
    for (size_t i = 0; (line = aard_outcome_violation(outcome, i)); i++)
        if (line->kind == AARD_VIOLATION_CAPABILITY_DENIED && !strcmp(line->reason, reason)) return true;
    return false;
}

/* What is wrong with an attempt's outcome; NULL for nothing. */
static const char *wrong_with(const aard_outcome *outcome, const char *reason)
{
    size_t out, err;
    const char *text = aard_outcome_stdout(outcome, &out), *errors = aard_outcome_stderr(outcome, &err);
    if (out && memmem(text, out, "ESCAPED", 7)) return "it got through";
    if (err && memmem(errors, err, "ESCAPED", 7)) return "it got through, to stderr";
    if (reason && !told(outcome, reason)) return "it was not told";
    /* ctypes lets an exception of what it called pass, which then comes where nobody expects it. */
    aard_failure_kind kind = aard_outcome_failure_kind(outcome);
    if (reason && (kind == AARD_FAILURE_PYTHON_EXCEPTION || kind == AARD_FAILURE_ENGINE_CRASHED)) return NULL;
    return aard_outcome_is_success(outcome) ? NULL : "it failed by itself";
}

static void test_python_reaches_no_javascript(void **state)
{
    (void)state;
    aard_isolate *isolate = python();
    size_t through = 0;
    for (size_t i = 0; i < COUNT(of_python); i++) {
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *prelude = exec(isolate, PRELUDE);
        assert_success(prelude);
        aard_outcome_free(prelude);
        aard_outcome *outcome = exec(isolate, of_python[i].code);
        const char *wrong = wrong_with(outcome, of_python[i].reason);
        const aard_violation *line = aard_outcome_violation(outcome, 0);
        const char *message = aard_outcome_failure_message(outcome);
        if (wrong)
            print_error("%s: %s: %s; %s %s\n", of_python[i].name, wrong, message ? message : "",
                        line ? line->reason : "-", line ? line->subject : "-");
        through += wrong != NULL;
        aard_outcome_free(outcome);
        /* What was queued would run now. */
        outcome = exec(isolate, "import asyncio\ntry: await asyncio.sleep(0)\nexcept BaseException: pass");
        wrong = aard_outcome_is_success(outcome) ? wrong_with(outcome, NULL) : NULL;
        if (wrong) print_error("%s: %s, later\n", of_python[i].name, wrong);
        through += wrong != NULL;
        aard_outcome_free(outcome);
    }
    value_is(call(isolate, "main:answer", NULL), "42");
    aard_isolate_free(isolate);
    assert_int_equal(through, 0);
}

/* The attempts would show themselves: with the capabilities they do. */
static void test_the_same_code_gets_through_where_it_is_granted(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate *isolate = boot(config, NULL);
    static const char *const codes[] = {
        "from js import eval\neval(mark.decode())",
        "from pyodide.code import run_js\nrun_js(mark.decode())",
        "lib.emscripten_run_script(mark)",
        "from pyodide.ffi import create_proxy\nshown(create_proxy([]))",
        "put('/tmp/x.so')\nctypes.CDLL('/tmp/x.so')",
    };
    aard_outcome *prelude = exec(isolate, PRELUDE);
    assert_success(prelude);
    aard_outcome_free(prelude);
    for (size_t i = 0; i < COUNT(codes); i++) {
        aard_outcome *outcome = exec(isolate, codes[i]);
        assert_success(outcome);
        assert_contains(aard_outcome_stdout(outcome, NULL), "ESCAPED");
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

/* ---- JavaScript ------------------------------------------------------------------------------------------------------- */

/* `hunt()` walks everything that can be reached from the global object and from `loot`, and names what is the host's: the
 * objects that hold its functions, and those functions.  What it needs it has taken before anybody could change it. */
static const char hunter[] =
    "globalThis.loot = [];\n"
    "globalThis.hunt = (() => {\n"
    "  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply } = Reflect;\n"
    "  const { has, add } = Set.prototype, text = Function.prototype.toString, { includes, indexOf } = String.prototype;\n"
    "  const names = ['wasmModule', 'mapImage', 'fileRead', 'callHost', 'violation', 'allowCode', 'runTimers',\n"
    "    'structuredCloneHost', 'beforeScript', 'bindScript', 'dropBuffers', 'realmIsGone', 'primordials'];\n"
    "  const S = Set, O = Object, str = String, root = globalThis, swag = loot;\n"
    "  return () => {\n"
    "    const seen = new S(), queue = { __proto__: null, 0: root, 1: swag }, found = { __proto__: null };\n"
    "    let at = 0, end = 2, count = 0;\n"
    "    while (at < end && end < 200000) {\n"
    "      const object = queue[at++];\n"
    "      if (apply(has, seen, [object])) continue;\n"
    "      apply(add, seen, [object]);\n"
    "      let keys;\n"
    "      try { keys = ownKeys(object); } catch { continue; }\n"
    "      for (let i = 0; i < keys.length; i++) {\n"
    "        let d;\n"
    "        try { d = getOwnPropertyDescriptor(object, keys[i]); } catch { continue; }\n"
    "        for (let n = 0; n < names.length; n++) if (keys[i] === names[n]) found[count++] = names[n];\n"
    "        if (!d) continue;\n"
    "        const next = [d.value, d.get, d.set];\n"
    "        for (let n = 0; n < 3; n++)\n"
    "          if ((typeof next[n] === 'object' && next[n] !== null) || typeof next[n] === 'function') queue[end++] = next[n];\n"
    "      }\n"
    "      try { const p = getPrototypeOf(object); if (p) queue[end++] = p; } catch {}\n"
    "    }\n"
    "    let all = '';\n"
    "    for (let i = 0; i < count; i++) all += found[i] + ' ';\n"
    "    return all + (seen.size > 500 || end > 500 ? 'searched' : 'not searched');\n"
    "  };\n"
    "})(); 1";

static const attempt of_javascript[] = {
    {"nothing", "1", NULL},
    {"a constructor's constructor", "try { loot.push(({}).constructor.constructor('return this')()) } catch {}",
     "codegen"},
    {"of a function of the platform", "try { setTimeout.constructor('return host')() } catch {}", "codegen"},
    {"of an async function", "try { (async () => {}).constructor('return host')() } catch {}", "codegen"},
    {"of a generator", "try { (function* () {}).constructor('return host')() } catch {}", "codegen"},
    {"of the bridge", "try { aardvark.host.x.constructor('return host')() } catch {}", "codegen"},
    {"eval", "try { (0, eval)('host') } catch {}\ntry { eval('shared') } catch {}", "codegen"},
    {"a timer of text", "try { setTimeout('loot.push(host)') } catch {}", NULL},
    {"WebAssembly", "try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) } catch {}",
     "codegen"},
    {"WebAssembly, awaited",
     "await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).catch(() => 1)", "codegen"},
    {"WebAssembly.validate", "loot.push(WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])))", NULL},
    {"Error.prepareStackTrace",
     "Error.prepareStackTrace = (e, frames) => { for (const f of frames) loot.push(f, f.getThis?.(), f.getFunction?.()); "
     "return 'x' }",
     NULL},
    {"and a getter for it",
     "Object.defineProperty(Error, 'prepareStackTrace', { get() { loot.push(this); return (e, f) => (loot.push(...f.map((x) "
     "=> x.getFunction())), 'y') } })",
     NULL},
    {"captureStackTrace on what comes by",
     "Error.captureStackTrace = (o) => { loot.push(o) }; Error.stackTraceLimit = 1000", NULL},
    {"arguments.callee.caller",
     "globalThis.grab = function () { loot.push(arguments.callee.caller, grab.caller) }; Object.prototype.toJSON = grab",
     NULL},
    {"a setter for every name of an adapter",
     "for (const n of ['host', 'shared', 'kind', 'message', 'value', 'buffers', 'javascript', 'id', 'metadata', 'format'])"
     " Object.defineProperty(Object.prototype, n, { set(v) { loot.push(this, v) }, get() { loot.push(this) }, configurable: true })",
     NULL},
    {"setters for indexes",
     "for (let i = 0; i < 20; i++) Object.defineProperty(Array.prototype, i, { set(v) { Object.defineProperty(loot, "
     "loot.length + 20, { value: this }) }, get() {}, configurable: true })",
     NULL},
    {"Array.prototype.push",
     "const { push } = Array.prototype; Array.prototype.push = function (...a) { "
     "loot[loot.length] = this; for (const x of a) loot[loot.length] = x; return push.apply(this, a) }",
     NULL},
    {"all methods of arrays",
     "for (const n of Object.getOwnPropertyNames(Array.prototype)) { const f = Array.prototype[n]; if (typeof f === 'function'"
     " && n !== 'constructor') Array.prototype[n] = function (...a) { loot[loot.length] = this; loot[loot.length] = a; "
     "return Reflect.apply(f, this, a) } }",
     NULL},
    {"all methods of strings",
     "for (const n of Object.getOwnPropertyNames(String.prototype)) { const f = String.prototype[n]; if (typeof f === 'function'"
     " && n !== 'constructor') String.prototype[n] = function (...a) { loot[loot.length] = a; return Reflect.apply(f, this, a) } }",
     NULL},
    {"methods of maps and sets",
     "for (const P of [Map, Set, WeakMap, WeakSet]) for (const n of ['get', 'set', 'has', 'add', 'delete']) { const f = "
     "P.prototype[n]; if (f) P.prototype[n] = function (...a) { loot[loot.length] = this; loot[loot.length] = a; return "
     "Reflect.apply(f, this, a) } }",
     NULL},
    {"call, apply and bind",
     "for (const n of ['call', 'apply', 'bind']) { const f = Function.prototype[n]; Function.prototype[n] = function (...a) { "
     "loot[loot.length] = this; loot[loot.length] = a; return Reflect.apply(f, this, a) } }",
     NULL},
    {"all of Reflect",
     "for (const n of Object.getOwnPropertyNames(Reflect)) { const f = Reflect[n]; Reflect[n] = (...a) => { loot[loot.length] = "
     "a; return f(...a) } }",
     NULL},
    {"all of Object",
     "for (const n of Object.getOwnPropertyNames(Object)) { const f = Object[n]; if (typeof f === 'function') Object[n] = (...a)"
     " => { loot[loot.length] = a; return f(...a) } }",
     NULL},
    {"JSON",
     "const { stringify, parse } = JSON; JSON.stringify = (...a) => { loot.push(a); return stringify(...a) }; JSON.parse "
     "= (...a) => { loot.push(a); return parse(...a) }",
     NULL},
    {"toJSON", "Object.prototype.toJSON = function (k) { loot.push(this, k, arguments); return 1 }", NULL},
    {"Promise.prototype.then",
     "const { then } = Promise.prototype; Promise.prototype.then = function (...a) { loot.push(this, a);"
     " return Reflect.apply(then, this, a) }",
     NULL},
    {"a species of promises",
     "Object.defineProperty(Promise, Symbol.species, { get() { return class extends Promise { constructor(e) { super((...a) => "
     "{ loot.push(e, a); e(...a) }) } } } })",
     NULL},
    {"a constructor of promises",
     "Object.defineProperty(Promise.prototype, 'constructor', { get() { loot.push(this); return function (e) { e((v) => "
     "loot.push(v), (v) => loot.push(v)); return {} } } })",
     NULL},
    {"hostile thenables",
     "queueMicrotask(() => {}); globalThis.late = { then(...a) { loot.push(this, a); a[0](1) } }; "
     "Promise.resolve(late); await late",
     NULL},
    {"iterators",
     "const I = Object.getPrototypeOf([][Symbol.iterator]()); const { next } = I; I.next = function (...a) { "
     "loot[loot.length] = this; const r = Reflect.apply(next, this, a); loot[loot.length] = r.value; return r }",
     NULL},
    {"Symbol.iterator",
     "const f = Array.prototype[Symbol.iterator]; Array.prototype[Symbol.iterator] = function () { "
     "loot[loot.length] = this; return Reflect.apply(f, this, []) }",
     NULL},
    {"Symbol.hasInstance",
     "for (const C of [Error, RangeError, TypeError, Promise, Map, Set, Uint8Array]) try { "
     "Object.defineProperty(C, Symbol.hasInstance, { value(x) { loot.push(this, x); return true } }) } catch {}",
     NULL},
    {"Symbol.toStringTag and toString",
     "Object.defineProperty(Object.prototype, Symbol.toStringTag, { get() { loot.push(this); return 'Map' } })", NULL},
    {"Symbol.toPrimitive", "Object.prototype[Symbol.toPrimitive] = function () { loot.push(this); return 1 }", NULL},
    {"getters of the global object",
     "for (const n of ['Error', 'JSON', 'Promise', 'Proxy', 'Array', 'Uint8Array', 'module', 'exports', '__aardvarkInput']) "
     "Object.defineProperty(globalThis, n, { get() { loot.push(this) }, set(v) { loot.push(v) }, configurable: true })",
     NULL},
    {"a proxy as the prototype of the global object",
     "try { Object.setPrototypeOf(globalThis, new Proxy({}, { get(t, k, r) { loot.push(r) }, has(t, k) { loot.push(t); return false"
     " } })) } catch {}",
     NULL},
    {"a proxy as the prototype of objects",
     "try { Object.setPrototypeOf(Object.prototype, new Proxy({ __proto__: null }, { get(t, k, r) { loot.push(r) } })) } catch {}",
     NULL},
    {"a proxy as a result",
     "globalThis.trick = new Proxy({}, { get(t, k, r) { loot.push(t, r); return trick }, ownKeys(t) { loot.push"
     "(this); return ['a'] }, getOwnPropertyDescriptor: (t, k) => (loot.push(k), { value: 1, enumerable: true, "
     "configurable: true }), getPrototypeOf: () => (loot.push(1), null) })",
     NULL},
    {"a proxy thrown",
     "globalThis.thrown = new Proxy(new Error('x'), { get(t, k, r) { loot.push(t, r); return r }, has: () => true, "
     "getPrototypeOf: (t) => (loot.push(t), Error.prototype) })",
     NULL},
    {"getters of an error",
     "class E extends Error { get name() { loot.push(this); throw this } get message() { loot.push(this.stack); "
     "throw 1 } get stack() { loot.push(new.target); return this } }; globalThis.thrown = new E()",
     NULL},
    {"FinalizationRegistry",
     "const r = new FinalizationRegistry((x) => { loot.push(x, new Error().stack) }); r.register({}, 1); "
     "for (let i = 0; i < 100; i++) r.register([], i)",
     NULL},
    {"structuredClone",
     "loot.push(structuredClone({ a: [new Map([[1, loot]])] }), structuredClone(new Error('x'))); try { "
     "structuredClone(aardvark) } catch (e) { loot.push(e) }",
     NULL},
    {"SharedArrayBuffer and Atomics",
     "try { loot.push(new SharedArrayBuffer(8)) } catch {}\ntry { Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, "
     "1e9) } catch {}",
     NULL},
    {"shared memory of WebAssembly",
     "const m = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }), i = new Int32Array(m.buffer);"
     "loot.push(m, m.buffer.constructor, Atomics.waitAsync?.(i, 0, 0, 1).value); try { Atomics.wait(i, 0, 0, 1e9); "
     "globalThis.host = i } catch (e) { loot.push(e) }",
     NULL},
    {"what buffers are told by", "Array.prototype.toJSON = function (...a) { loot.push(this, a); return [this, a] }",
     NULL},
    {"the end of the stack",
     "let n = 0; const f = () => { try { f() } catch (e) { if (n++ < 9) loot.push(e, e.stack); for (const g of [() => new URL("
     "'http://a'), () => structuredClone({ a: [1] }), () => aardvark.host.x(1), () => console.log('.'), () => setTimeout("
     "() => 1, 0), () => new Intl.NumberFormat().format(1)]) try { g() } catch (e) { if (n++ < 99) loot.push(e, e.stack) } } }; f()",
     NULL},
    {"odd imports",
     "for (const s of ['host', 'shared', 'node:fs', 'fs', 'internal/x', '../../javascript/adapter.js', '/javascript/adapter.js', "
     "'data:text/javascript,1', 'file:///etc/passwd', '', '.', '..', '/app/../x', './\\0']) await import(s).then((m) => "
     "loot.push(m), (e) => loot.push(e))",
     NULL},
    {"a specifier that is an object",
     "await import({ toString() { loot.push(this); return './main.js' } }).then((m) => loot.push(m), "
     "() => 1)",
     NULL},
    {"the namespace of a module",
     "await import('./main.js').then((m) => { loot.push(m, Object.getOwnPropertyDescriptors(m)); try { "
     "m.echo = 1 } catch {} }, () => 1)",
     NULL},
    {"objects of the platform",
     "loot.push(new URL('http://a'), new AbortController(), new MessageChannel(), new TextEncoder(), "
     "new Event('x'), crypto.subtle, performance, navigator, console)",
     NULL},
    {"their private parts",
     "for (const C of [URL, AbortController, MessageChannel, EventTarget, Event, TextDecoder]) for (const k of "
     "Reflect.ownKeys(C.prototype)) try { C.prototype[k].call(new Proxy({}, { get(t, k, r) { loot.push(t, k); "
     "return r } })) } catch (e) { loot.push(e) }",
     NULL},
    {"listeners",
     "const t = new EventTarget(); t.addEventListener('x', { get handleEvent() { loot.push(this); return function (...a) { "
     "loot.push(this, a) } } }); t.dispatchEvent(new Event('x'))",
     NULL},
    {"callbacks of timers",
     "setTimeout(function (...a) { loot.push(this, a, new Error().stack) }, 0, 1); await new Promise((r) => "
     "setTimeout(r, 5))",
     NULL},
    {"errors of the bridge", "try { aardvark.host.x(1) } catch (e) { loot.push(e, e.constructor, e.stack) }", "x"},
    {"values for the bridge",
     "try { aardvark.host.x(new Proxy({}, { get(t, k, r) { loot.push(t, r) } })) } catch (e) { loot.push(e) }", "x"},
    {"names for the bridge",
     "for (const k of [Symbol.iterator, 'constructor', '__proto__', 'then', 'toString', 'valueOf']) try { loot.push(aardvark.host"
     "[k], aardvark.host[k]?.(1)) } catch (e) { loot.push(e) }",
     "constructor"},
    {"the bridge changed",
     "try { aardvark.host.x = 1 } catch {}\ntry { Object.setPrototypeOf(aardvark.host, {}) } catch {}\n"
     "try { aardvark.host = 1 } catch {}\nloot.push(Object.getOwnPropertyDescriptors(aardvark))",
     NULL},
    {"debugger and labels of V8",
     "try { loot.push(globalThis.gc, globalThis.d8, globalThis.process, globalThis.require, "
     "globalThis.Deno) } catch {}\ndebugger",
     NULL},
};

/* Whether hunting gave the whole of a realm and nothing of the host; false with a message where something was found. */
static bool hunt(aard_isolate *isolate, const char *name, bool *searched)
{
    size_t len, out;
    aard_outcome *outcome = exec(isolate, "console.log(hunt()); hunt()");
    const char *value = aard_outcome_value_json(outcome, &len), *text = aard_outcome_stdout(outcome, &out);
    bool clean = (out && !strcmp(text, "searched\n")) || (value && !strcmp(value, "\"searched\""));
    /* A guest that broke its adapter is replaced by a new one, without a hunter. */
    aard_failure_kind kind = aard_outcome_failure_kind(outcome);
    bool gone = kind == AARD_FAILURE_ENGINE_CRASHED ||
                (kind == AARD_FAILURE_JAVASCRIPT_EXCEPTION &&
                 strstr(aard_outcome_failure_message(outcome), "hunt is not defined"));
    if (!clean && !gone)
        print_error("%s: the host was found: %s %s %s\n", name, value ? value : "-", out ? text : "-",
                    aard_outcome_failure_message(outcome) ? aard_outcome_failure_message(outcome) : "");
    *searched = *searched || clean;
    aard_outcome_free(outcome);
    return clean || gone;
}

static void test_javascript_finds_nothing_of_the_host(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.js",
         "export function echo(x) { return x }\nexport function fail() { throw globalThis.thrown ?? new Error('x') }\n"
         "export async function later(x) { await null; return x }\nexport function bytes() { return new Uint8Array(3) }\n"
         "export function odd() { return globalThis.trick ?? new Map() }\n"},
        {NULL, NULL}};
    static const char *const calls[] = {"main:echo", "main:fail", "main:later", "main:bytes", "main:odd", "main:none"};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_wall_limit_ms(config, 10000);
    aard_isolate *isolate = boot(config, bundle_of(files));
    size_t through = 0;
    for (size_t i = 0; i < COUNT(of_javascript); i++) {
        assert_ok(aard_isolate_reset(isolate));
        value_is(exec(isolate, hunter), "1");
        aard_outcome *outcome = exec(isolate, of_javascript[i].code);
        const char *wrong = of_javascript[i].reason && !told(outcome, of_javascript[i].reason) ? "it was not told"
                                                                                               : NULL;
        if (wrong) print_error("%s: %s\n", of_javascript[i].name, wrong);
        aard_outcome_free(outcome);
        bool searched = false, clean = hunt(isolate, of_javascript[i].name, &searched);
        for (size_t c = 0; c < COUNT(calls); c++) {
            aard_outcome_free(call(isolate, calls[c], "{\"a\":[1,\"x\",null]}"));
            clean = hunt(isolate, of_javascript[i].name, &searched) && clean;
        }
        aard_outcome_free(exec(isolate, "throw globalThis.thrown"));
        aard_outcome_free(exec(isolate, "globalThis.trick"));
        clean = hunt(isolate, of_javascript[i].name, &searched) && clean;
        through += wrong || !clean || !searched;
    }
    aard_isolate_free(isolate);
    assert_int_equal(through, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_reaches_no_javascript),
        cmocka_unit_test(test_the_same_code_gets_through_where_it_is_granted),
        cmocka_unit_test(test_javascript_finds_nothing_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
