/* Guests that never end by themselves, or that want everything there is: each is stopped, in time, and the next call is
 * right and as fast as usual; `make soak` measures how fast.  test-timeout: 400 */
#include "isolate_support.h"

LEAKS_OF_LEFT_GUESTS

#define MIB ((size_t)1 << 20)

enum { LIMIT_MS = 100, MOST = 200 };

/* How a runaway may end: by the clock, at the heap's limit, by an exception of its own, by a refused result, or well. */
enum { T = 1, H = 2, E = 4, A = 8, OK = 16 };

typedef struct runaway {
    int ends;
    const char *code;
} runaway;

static int end_of(const aard_outcome *outcome)
{
    switch (aard_outcome_failure_kind(outcome)) {
    case AARD_FAILURE_NONE: return OK;
    case AARD_FAILURE_TIMEOUT_EXCEEDED: return T;
    case AARD_FAILURE_HEAP_LIMIT_EXCEEDED: return H;
    case AARD_FAILURE_PYTHON_EXCEPTION:
    case AARD_FAILURE_JAVASCRIPT_EXCEPTION: return E;
    case AARD_FAILURE_ADAPTER_ERROR: return A;
    default: return 0;
    }
}

typedef struct measure {
    aard_isolate *isolate;
    aard_handler *handler;
    double over[MOST], next[MOST], usual[MOST];
    size_t overs, nexts, wrong;
} measure;

static const char slow_python[] =
    "import time\nend = time.monotonic() + 0.08\nwhile time.monotonic() < end: list(range(100000))";
static const char slow_javascript[] = "for (const end = Date.now() + 80; Date.now() < end;) new Array(1e5).fill(0)";

/* Only the runaways have a limit, so that nothing else hangs on the machine's speed. */
static aard_outcome *exec_limited(aard_isolate *isolate, const char *code)
{
    aard_call *limit = limited_to(LIMIT_MS);
    aard_outcome *outcome = exec_with(isolate, code, limit);
    aard_call_free(limit);
    return outcome;
}

static double echo_ms(measure *m)
{
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_invoke(m->handler, NULL, &outcome));
    double ms = aard_outcome_diagnostics(outcome)->run_ms;
    value_is(check_form(outcome), "null");
    return ms;
}

static void run_one(measure *m, const runaway *row)
{
    aard_outcome *outcome = exec_limited(m->isolate, row->code);
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    int end = end_of(outcome);
    if (!(end & row->ends)) {
        m->wrong++;
        print_error("%s, %s: %s\n", aard_failure_kind_name(aard_outcome_failure_kind(outcome)), row->code,
                    aard_outcome_is_success(outcome) ? "" : aard_outcome_failure_message(outcome));
    }
    if (end == T && d->prepare_ms + d->run_ms < LIMIT_MS) fail_msg("ended after %.3f ms: %s", d->run_ms, row->code);
    if (d->run_ms > LIMIT_MS + 1000 + 2 * late_ms()) fail_msg("ended after %.1f ms: %s", d->run_ms, row->code);
    if (getenv("AARD_VERBOSE")) print_message("%8.3f ms: %s\n", d->run_ms, row->code);
    if (end == T && m->overs < MOST) m->over[m->overs++] = d->run_ms - LIMIT_MS;
    aard_outcome_free(outcome);
    m->next[m->nexts++] = echo_ms(m);
    assert_ok(aard_isolate_reset(m->isolate)); /* one that ended by itself leaves its names to no other row */
}

static void run_all(aard_language language, const char *capability, const runaway *rows, size_t count)
{
    measure m = {0};
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_startup_limit_ms(config, 60000);
    aard_isolate_config_set_heap_limit(config, 192 * MIB);
    if (capability) assert_ok(aard_isolate_config_add_capability(config, capability));
    m.isolate = boot(config, bundle_from(language == AARD_LANGUAGE_PYTHON ? "python" : "javascript"));
    assert_ok(aard_handler_new(m.isolate, "main:echo", &m.handler));
    for (int i = 0; i < 3; i++) echo_ms(&m);
    for (size_t i = 0; i < 20; i++) { /* after a call as long as a runaway's */
        aard_outcome_free(exec(m.isolate, language == AARD_LANGUAGE_PYTHON ? slow_python : slow_javascript));
        assert_ok(aard_isolate_reset(m.isolate));
        m.usual[i] = echo_ms(&m);
    }
    for (size_t i = 0; i < count; i++) run_one(&m, &rows[i]);
    double usual = median(m.usual, 20), next = median(m.next, m.nexts), over = median(m.over, m.overs);
    print_message("%zu runaways: overshoot p50 %.3f ms of %zu, next call p50 %.4f ms, usual %.4f ms\n", count, over,
                  m.overs, next, usual);
    assert_int_equal(m.wrong, 0);
    if (next > (exact_times() ? 2 * usual + 0.2 : 20 * usual + 5))
        fail_msg("the next call takes %.4f ms, not %.4f", next, usual);
    if (over > late_ms() / 10) fail_msg("half of the calls are %.3f ms late", over);
    aard_handler_free(m.handler);
    aard_isolate_free(m.isolate);
}

static const runaway python[] = {
    {T, "while True: pass"},
    {T, "for _ in iter(int, 1): pass"},
    {T, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"},
    {T, "def f():\n    try:\n        f()\n    finally:\n        f()\nf()"},
    {T | E, "def f():\n    while True:\n        try: f()\n        except BaseException: continue\nf()"},
    {T, "while True:\n    try: raise SystemExit\n    except SystemExit: pass"},
    {T, "while True:\n    try: raise KeyboardInterrupt\n    except BaseException: pass"},
    {T, "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')"},
    {T, "import re\nre.sub(r'(x+x+)+y', '', 'x' * 5000)"},
    {T, "import re\nre.match('(a|a)*' * 10 + 'c', 'a' * 80 + 'b')"},
    {T, "9 ** 9 ** 9"},
    {T | H, "x = 3\nwhile True: x *= x"},
    {T, "import math\nmath.factorial(10 ** 7)"},
    {T, "int('9' * 10 ** 7)"},
    {T, "str(10 ** 10 ** 7)"},
    {T | E, "pow(7, 10 ** 100000, 10 ** 3000 + 1)"},
    {T, "sum(range(10 ** 15))"},
    {T, "max(range(10 ** 12), key=lambda x: -x)"},
    {T, "import itertools\nsum(itertools.count())"},
    {T, "import itertools\nall(itertools.repeat(1))"},
    {T, "import itertools, collections\ncollections.deque(itertools.count(), maxlen=0)"},
    {T, "2 in iter(int, 1)"},
    {T, "sorted([3, 1, 2], key=lambda x: all(iter(int, 1)) or [0 for _ in iter(int, 1)])"},
    {T, "import time\ntime.sleep(60)"},
    {T, "import time\nwhile True: time.sleep(0.001)"},
    {T, "import asyncio\nawait asyncio.sleep(60)"},
    {T, "import asyncio\nwhile True: await asyncio.sleep(0)"},
    {T, "import asyncio\nawait asyncio.gather(*(asyncio.sleep(60) for _ in range(1000)))"},
    {T, "import asyncio\ndef again(): asyncio.get_running_loop().call_soon(again)\nagain()\nawait asyncio.Future()"},
    {T | H, "import asyncio\nasync def storm():\n    while True:\n        asyncio.ensure_future(asyncio.sleep(60))\n"
            "        await asyncio.sleep(0)\nawait storm()"},
    {T, "import asyncio\nasync def stubborn():\n    while True:\n        try: await asyncio.sleep(60)\n"
        "        except BaseException: pass\nawait stubborn()"},
    {T | E, "def f(): return f()\nf()"},
    {T | E | H, "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nf()"},
    {T | H, "s = 'x'\nwhile True: s += s"},
    {T | H, "s = b'x'\nwhile True: s = bytes(s + s)"},
    {T | H | E, "'x' * 10 ** 10"},
    {T | H | E, "[0] * 10 ** 10"},
    {T | H | E, "bytearray(10 ** 9)"},
    {T | H, "x = []\nwhile True: x.append(x[:])"},
    {T | H, "x = []\nwhile True: x.append('x' * 100000)"},
    {T | H, "x = {}\nwhile True: x[len(x)] = str(len(x)) * 100"},
    {T | H, "x = set()\nwhile True: x.add(len(x))"},
    {T | H, "import itertools\nlist(itertools.count())"},
    {T | H, "import itertools\n''.join(itertools.repeat('x'))"},
    {T | H, "x = ()\nwhile True: x = (x, x, bytes(1000))"},
    {T | H,
     "x = []\nwhile True:\n    try:\n        while True: x.append(bytes(10 ** 6))\n    except MemoryError: pass"},
    {T | H | E, "class A: pass\nwhile True: A = type('A', (A,), {})"},
    {T, "while True: print('x' * 1000)"},
    {T, "import sys\nwhile True: sys.stderr.write('x')"},
    {T, "import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)"},
    {OK | A | T, "x = []\nfor _ in range(10 ** 5): x = [x]\nx"},
    {OK | A | T, "x = {}\nfor _ in range(10 ** 5): x = {'a': x}\nx"},
    {OK | T | H, "[['x' * 1000] * 1000] * 1000"},
    {T, "class A:\n    def __repr__(self):\n        while True: pass\nA()"},
    {T, "class A(Exception):\n    def __str__(self):\n        while True: pass\nraise A"},
    {T, "class A:\n    def __getattr__(self, name):\n        while True: pass\nA().x"},
    {T, "class A(int):\n    def __repr__(self):\n        while True: pass\n    __str__ = __repr__\nf'{A()}'"},
    {T,
     "class A:\n    def __eq__(self, other):\n        while True: pass\n    def __hash__(self): return 1\n{A(): 1, A(): 2}"},
    {T, "class A:\n    def __iter__(self): return self\n    def __next__(self): return 1\nsum(A())"},
    {T, "class A:\n    def __len__(self):\n        while True: pass\nbool(A())"},
    {T, "class A:\n    def __await__(self):\n        while True: pass\n        yield\nawait A()"},
    {T, "class A:\n    def __del__(self):\n        while True: pass\nA()"},
    {T, "class A:\n    def __del__(self): A()\nA()\nwhile True: pass"},
    {T, "class A:\n    def __del__(self):\n        while True: pass\nx = A()\nx.x = x\ndel x\nimport gc\ngc.collect()"},
    {T, "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"},
    {T, "import signal\ndef again(*_):\n    while True: pass\nsignal.signal(signal.SIGINT, again)\n"
        "signal.raise_signal(signal.SIGINT)"},
    {T, "try:\n    while True: pass\nfinally:\n    while True: pass"},
    {T, "def g():\n    while True:\n        try: yield\n        except GeneratorExit:\n            while True: pass\n"
        "x = g()\nnext(x)\ndel x"},
    {T, "import contextlib\nwith contextlib.ExitStack() as s:\n    s.callback(lambda: [0 for _ in iter(int, 1)])"},
    {T, "import sys\ndef trace(*_):\n    while True: pass\nsys.settrace(trace)\n(lambda: 1)()"},
    {T, "import warnings\nwarnings.showwarning = lambda *a, **k: all(iter(lambda: 1, 0))\nwarnings.warn('x')"},
    {T, "exec('while True: pass')"},
    {T | E, "eval('(' * 10 ** 6)"},
    {T | E | OK, "compile('-' * 10 ** 5 + '1', 'x', 'eval')"},
    {T | E, "import json\njson.loads('[' * 10 ** 6)"},
    {T, "import hashlib\nx = b''\nwhile True: x = hashlib.sha256(x * 10000).digest()"},
    {T, "'a' * 10 ** 6 in ('a' * 10 ** 6 + 'b') * 3 and [('a' * 10 ** 5).count('a') for _ in iter(int, 1)]"},
    {T, "import random\nwhile True: random.random()"},
    {T, "import os\nwhile True: os.listdir('/')"},
    {T, "import decimal\ndecimal.getcontext().prec = 10 ** 6\ndecimal.Decimal(2).sqrt().ln()"},
};

static const runaway javascript[] = {
    {T, "for (;;);"},
    {T, "while (true) { try { for (;;); } catch { } }"},
    {T, "for (;;) { try { throw 1 } catch { continue } finally { continue } }"},
    {T, "(function f() { try { f() } finally { f() } })()"},
    {T, "(function f() { for (;;) try { f() } catch { } })()"},
    {T, "/^(a+)+$/.test('a'.repeat(40) + 'b')"},
    {T, "/(x+x+)+y/.test('x'.repeat(50000))"},
    {T, "'x'.repeat(40).replace(/(x+)*y/g, '')"},
    {T | H, "let s = 3n; for (;;) s *= s"},
    {T, "let s = 0n; for (;;) s = (s + 1n) ** 3n % (2n ** 4000n)"},
    {T, "(2n ** 200000000n).toString()"},
    {T, "await new Promise((resolve) => setTimeout(resolve, 60000))"},
    {T, "setInterval(() => {}, 1); await new Promise(() => {})"},
    {T, "(function again() { Promise.resolve().then(again) })(); 1"},
    {T, "(async () => { for (;;) await null })()"},
    {T | H, "for (;;) Promise.reject(1)"},
    {T | H, "for (;;) setTimeout(() => {}, 0)"},
    {T | H, "const again = () => { queueMicrotask(again); queueMicrotask(again) }; again()"},
    {T, "await { then(resolve) { resolve({ then: this.then }) } }"},
    {T | E, "(function f() { f() })()"},
    {T | H | E, "{ let s = 'x'; for (;;) s += s }"},
    {T | H, "let s = 'x', a = []; for (;;) a.push(s = s.slice(1) + 'y'.repeat(1e6))"},
    {T | H, "const a = []; for (;;) a.push({})"},
    {T | H, "const a = []; for (;;) a.push(new Array(1e6).fill(0))"},
    {T | H, "const o = {}; for (let i = 0; ; i++) o['k' + i] = i"},
    {T | H, "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })"},
    {T | H, "const a = []; for (;;) a.push(new Uint8Array(1e6))"},
    {H, "new ArrayBuffer(2 ** 33 - 1)"},
    {T | H, "Array.from({ length: 2 ** 32 - 1 })"},
    {T | H, "new Array(1e9).fill(0)"},
    {T | H, "JSON.stringify(new Array(2e7).fill('xxxxxxxx'))"},
    {T, "while (true) console.log('x')"},
    {T, "while (true) console.error('x'.repeat(1e5))"},
    {OK | A | T, "let x = []; for (let i = 0; i < 1e5; i++) x = [x]; x"},
    {OK | A | T | H, "const x = new Array(1e4).fill('x'.repeat(1e4)); x"},
    {T, "({ get a() { for (;;); } })"},
    {T, "({ toJSON() { for (;;); } })"},
    {T, "({ get then() { for (;;); } })"},
    {T, "`${{ toString() { for (;;); } }}`"},
    {T, "+{ valueOf() { for (;;); } }"},
    {T, "({ [Symbol.toPrimitive]() { for (;;); } }) + 1"},
    {T, "throw Object.defineProperty(new Error('m'), 'message', { get() { for (;;); } })"},
    {T, "throw { toString() { for (;;); }, get name() { for (;;); } }"},
    {T, "new Proxy({}, { ownKeys() { for (;;); } })"},
    {T, "new Proxy(() => {}, { apply() { for (;;); } })()"},
    {T, "Error.prepareStackTrace = () => { for (;;); }; new Error('x').stack"},
    {T | H, "new Set((function* () { for (let i = 0; ; i++) yield i })())"},
    {T | H, "[...(function* () { for (;;) yield 1 })()]"},
    {T | H, "Array.from({ [Symbol.iterator]: () => ({ next: structuredClone.bind(null, {}) }) })"},
    {T | H, "new Map({ [Symbol.iterator]: () => ({ next: () => ({ value: [1, 2] }) }) })"},
    {T | H, "Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ value: ['a', 2] }) }) })"},
    {T, "Array.prototype.sort.call([3, 1, 2], () => { for (;;); })"},
    {T, "[1].sort.call({ get length() { for (;;); } })"},
#ifndef __SANITIZE_THREAD__ /* which these would never end under */
    {T, "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"},
    {T, "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)"},
    {T | H, "'a'.repeat(2 ** 28).replace(/a/g, 'bb')"},
#endif
    {T, "for (const x of (function* () { try { for (;;) yield 1 } finally { for (;;); } })()) break"},
    {T, "class A { static { for (;;); } }"},
    {T, "while (true) structuredClone([1, 2, 3])"},
    {T, "structuredClone({ get a() { for (;;); } })"},
    {T, "const url = 'http://a/' + 'x/'.repeat(1e4); for (;;) new URL(url)"},
    {T, "JSON.parse('[1]', () => { for (;;); })"},
    {T, "'aaa'.replace(/a/g, () => { for (;;); })"},
    {T, "const text = 'x'.repeat(1e5); for (;;) crypto.randomUUID() + text.normalize('NFD')"},
    {T, "new FinalizationRegistry(() => {}).register({}, 1); for (;;) new Array(10000)"},
    {T, "setTimeout(() => { for (;;); }, 0); await new Promise(() => {})"},
    {T, "const e = new EventTarget(); e.addEventListener('x', () => { for (;;); }); e.dispatchEvent(new Event('x'))"},
    {T, "AbortSignal.timeout(1).onabort = () => { for (;;); };"
        "await new Promise((r) => setTimeout(r, 60000))"},
};

/* With JavaScript's objects Python is reset by a new isolate. */
static const runaway python_with_javascript[] = {
    {T, "while True: pass"},
    {T, "import js\njs.eval('for (;;);') if hasattr(js, 'eval') else None\nwhile True: pass"},
    {T | H, "import js\nx = []\nwhile True: x.append(js.Array.new(1000000).fill(0))"},
    {T,
     "import js\nfrom pyodide.ffi import create_proxy\ndef f(*_):\n    while True: pass\njs.Array.new(3).fill(0).map(create_proxy(f))"},
    {T, "import asyncio\nawait asyncio.sleep(60)"},
    {T | H | E, "import js\njs.Array.new(1000000000).fill(0)"},
};

/* V8 hands these to ICU, which takes hours for them and never looks up. */
static void test_what_never_comes_back_from_icu(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__ /* which delivers no signal there */
    return;
#endif
    static const char *const rows[] = {
        "('a' + '\\u0301\\u0316'.repeat(1e6)).normalize('NFD')",
        "('a' + '\\u0301\\u0316'.repeat(1e6)).normalize('NFKC')",
        "'\\u0301\\u0316'.repeat(1e6).localeCompare('\\u0316\\u0301'.repeat(1e6))",
        "new Intl.Collator('bo').compare('\\u0f71\\u0f72\\u0f71\\u0f74'.repeat(1e5), '\\u0f74\\u0f71\\u0f72'.repeat(1e5))",
        "Intl.getCanonicalLocales('en-' + Array.from({ length: 1e5 }, (_, i) => (i + 1e7).toString(36).padStart(6, 'a')).join('-'))",
    };
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        double began = now_ms();
        failure_is(exec_limited(isolate, rows[i]), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        if (getenv("AARD_VERBOSE")) print_message("%8.1f ms: %s\n", now_ms() - began, rows[i]);
        assert_true(now_ms() - began < 30000 + 10 * late_ms());
        value_is(exec(isolate, "'\\u00e4'.normalize('NFD').length + 'a'.localeCompare('b')"), "1");
    }
    aard_isolate_free(isolate);
}

static void test_python(void **state)
{
    (void)state;
    run_all(AARD_LANGUAGE_PYTHON, NULL, python, COUNT(python));
}

static void test_javascript(void **state)
{
    (void)state;
    run_all(AARD_LANGUAGE_JAVASCRIPT, NULL, javascript, COUNT(javascript));
}

static void test_python_with_javascript(void **state)
{
    (void)state;
    run_all(AARD_LANGUAGE_PYTHON, "js", python_with_javascript, COUNT(python_with_javascript));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_javascript),
        cmocka_unit_test(test_python_with_javascript),
        cmocka_unit_test(test_what_never_comes_back_from_icu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
