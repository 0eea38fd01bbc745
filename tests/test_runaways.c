/* Guests that never end by themselves, or that want everything there is: each is stopped, in time, and the next call is
 * right and as fast as usual; `make soak` measures how fast.  test-timeout: 400 */
#include "isolate_support.h"

LEAKS_OF_LEFT_GUESTS

#define MIB ((size_t)1 << 20)

enum { LIMIT_MS = 100, MOST = 200 };

/* How a runaway may end: by the clock, at the heap's limit, by an exception of its own, by a refused result, or well. */
enum { CLOCK = 1, HEAP = 2, RAISES = 4, REFUSED = 8, WELL = 16 };

typedef struct runaway {
    int ends;
    const char *code;
} runaway;

static int end_of(const aard_outcome *outcome)
{
    switch (aard_outcome_failure_kind(outcome)) {
    case AARD_FAILURE_NONE: return WELL;
    case AARD_FAILURE_TIMEOUT_EXCEEDED: return CLOCK;
    case AARD_FAILURE_HEAP_LIMIT_EXCEEDED: return HEAP;
    case AARD_FAILURE_PYTHON_EXCEPTION:
    case AARD_FAILURE_JAVASCRIPT_EXCEPTION: return RAISES;
    case AARD_FAILURE_ADAPTER_ERROR: return REFUSED;
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
    if (end == CLOCK && d->prepare_ms + d->run_ms < LIMIT_MS) fail_msg("ended after %.3f ms: %s", d->run_ms, row->code);
    if (d->run_ms > LIMIT_MS + 1000 + 2 * late_ms()) fail_msg("ended after %.1f ms: %s", d->run_ms, row->code);
    if (getenv("AARD_VERBOSE")) print_message("%8.3f ms: %s\n", d->run_ms, row->code);
    if (end == CLOCK && m->overs < MOST) m->over[m->overs++] = d->run_ms - LIMIT_MS;
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
    {CLOCK, "while True: pass"},
    {CLOCK, "for _ in iter(int, 1): pass"},
    {CLOCK, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"},
    {CLOCK, "def f():\n    try:\n        f()\n    finally:\n        f()\nf()"},
    {CLOCK | RAISES, "def f():\n    while True:\n        try: f()\n        except BaseException: continue\nf()"},
    {CLOCK, "while True:\n    try: raise SystemExit\n    except SystemExit: pass"},
    {CLOCK, "while True:\n    try: raise KeyboardInterrupt\n    except BaseException: pass"},
    {CLOCK, "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')"},
    {CLOCK, "import re\nre.sub(r'(x+x+)+y', '', 'x' * 5000)"},
    {CLOCK, "import re\nre.match('(a|a)*' * 10 + 'c', 'a' * 80 + 'b')"},
    {CLOCK, "9 ** 9 ** 9"},
    {CLOCK | HEAP, "x = 3\nwhile True: x *= x"},
    {CLOCK, "import math\nmath.factorial(10 ** 7)"},
    {CLOCK, "int('9' * 10 ** 7)"},
    {CLOCK, "str(10 ** 10 ** 7)"},
    {CLOCK | RAISES, "pow(7, 10 ** 100000, 10 ** 3000 + 1)"},
    {CLOCK, "sum(range(10 ** 15))"},
    {CLOCK, "max(range(10 ** 12), key=lambda x: -x)"},
    {CLOCK, "import itertools\nsum(itertools.count())"},
    {CLOCK, "import itertools\nall(itertools.repeat(1))"},
    {CLOCK, "import itertools, collections\ncollections.deque(itertools.count(), maxlen=0)"},
    {CLOCK, "2 in iter(int, 1)"},
    {CLOCK, "sorted([3, 1, 2], key=lambda x: all(iter(int, 1)) or [0 for _ in iter(int, 1)])"},
    {CLOCK, "import time\ntime.sleep(60)"},
    {CLOCK, "import time\nwhile True: time.sleep(0.001)"},
    {CLOCK, "import asyncio\nawait asyncio.sleep(60)"},
    {CLOCK, "import asyncio\nwhile True: await asyncio.sleep(0)"},
    {CLOCK, "import asyncio\nawait asyncio.gather(*(asyncio.sleep(60) for _ in range(1000)))"},
    {CLOCK,
     "import asyncio\ndef again(): asyncio.get_running_loop().call_soon(again)\nagain()\nawait asyncio.Future()"},
    {CLOCK | HEAP,
     "import asyncio\nasync def storm():\n    while True:\n        asyncio.ensure_future(asyncio.sleep(60))\n"
     "        await asyncio.sleep(0)\nawait storm()"},
    {CLOCK, "import asyncio\nasync def stubborn():\n    while True:\n        try: await asyncio.sleep(60)\n"
            "        except BaseException: pass\nawait stubborn()"},
    {CLOCK | RAISES, "def f(): return f()\nf()"},
    {CLOCK | RAISES | HEAP, "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nf()"},
    {CLOCK | HEAP, "s = 'x'\nwhile True: s += s"},
    {CLOCK | HEAP, "s = b'x'\nwhile True: s = bytes(s + s)"},
    {CLOCK | HEAP | RAISES, "'x' * 10 ** 10"},
    {CLOCK | HEAP | RAISES, "[0] * 10 ** 10"},
    {CLOCK | HEAP | RAISES, "bytearray(10 ** 9)"},
    {CLOCK | HEAP, "x = []\nwhile True: x.append(x[:])"},
    {CLOCK | HEAP, "x = []\nwhile True: x.append('x' * 100000)"},
    {CLOCK | HEAP, "x = {}\nwhile True: x[len(x)] = str(len(x)) * 100"},
    {CLOCK | HEAP, "x = set()\nwhile True: x.add(len(x))"},
    {CLOCK | HEAP, "import itertools\nlist(itertools.count())"},
    {CLOCK | HEAP, "import itertools\n''.join(itertools.repeat('x'))"},
    {CLOCK | HEAP, "x = ()\nwhile True: x = (x, x, bytes(1000))"},
    {CLOCK | HEAP,
     "x = []\nwhile True:\n    try:\n        while True: x.append(bytes(10 ** 6))\n    except MemoryError: pass"},
    {CLOCK | HEAP | RAISES, "class A: pass\nwhile True: A = type('A', (A,), {})"},
    {CLOCK, "while True: print('x' * 1000)"},
    {CLOCK, "import sys\nwhile True: sys.stderr.write('x')"},
    {CLOCK, "import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)"},
    {WELL | REFUSED | CLOCK, "x = []\nfor _ in range(10 ** 5): x = [x]\nx"},
    {WELL | REFUSED | CLOCK, "x = {}\nfor _ in range(10 ** 5): x = {'a': x}\nx"},
    {WELL | CLOCK | HEAP, "[['x' * 1000] * 1000] * 1000"},
    {CLOCK, "class A:\n    def __repr__(self):\n        while True: pass\nA()"},
    {CLOCK, "class A(Exception):\n    def __str__(self):\n        while True: pass\nraise A"},
    {CLOCK, "class A:\n    def __getattr__(self, name):\n        while True: pass\nA().x"},
    {CLOCK, "class A(int):\n    def __repr__(self):\n        while True: pass\n    __str__ = __repr__\nf'{A()}'"},
    {CLOCK,
     "class A:\n    def __eq__(self, other):\n        while True: pass\n    def __hash__(self): return 1\n{A(): 1, A(): 2}"},
    {CLOCK, "class A:\n    def __iter__(self): return self\n    def __next__(self): return 1\nsum(A())"},
    {CLOCK, "class A:\n    def __len__(self):\n        while True: pass\nbool(A())"},
    {CLOCK, "class A:\n    def __await__(self):\n        while True: pass\n        yield\nawait A()"},
    {CLOCK, "class A:\n    def __del__(self):\n        while True: pass\nA()"},
    {CLOCK, "class A:\n    def __del__(self): A()\nA()\nwhile True: pass"},
    {CLOCK,
     "class A:\n    def __del__(self):\n        while True: pass\nx = A()\nx.x = x\ndel x\nimport gc\ngc.collect()"},
    {CLOCK, "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"},
    {CLOCK, "import signal\ndef again(*_):\n    while True: pass\nsignal.signal(signal.SIGINT, again)\n"
            "signal.raise_signal(signal.SIGINT)"},
    {CLOCK, "try:\n    while True: pass\nfinally:\n    while True: pass"},
    {CLOCK,
     "def g():\n    while True:\n        try: yield\n        except GeneratorExit:\n            while True: pass\n"
     "x = g()\nnext(x)\ndel x"},
    {CLOCK, "import contextlib\nwith contextlib.ExitStack() as s:\n    s.callback(lambda: [0 for _ in iter(int, 1)])"},
    {CLOCK, "import sys\ndef trace(*_):\n    while True: pass\nsys.settrace(trace)\n(lambda: 1)()"},
    {CLOCK, "import warnings\nwarnings.showwarning = lambda *a, **k: all(iter(lambda: 1, 0))\nwarnings.warn('x')"},
    {CLOCK, "exec('while True: pass')"},
    {CLOCK | RAISES, "eval('(' * 10 ** 6)"},
    {CLOCK | RAISES | WELL, "compile('-' * 10 ** 5 + '1', 'x', 'eval')"},
    {CLOCK | RAISES, "import json\njson.loads('[' * 10 ** 6)"},
    {CLOCK, "import hashlib\nx = b''\nwhile True: x = hashlib.sha256(x * 10000).digest()"},
    {CLOCK, "'a' * 10 ** 6 in ('a' * 10 ** 6 + 'b') * 3 and [('a' * 10 ** 5).count('a') for _ in iter(int, 1)]"},
    {CLOCK, "import random\nwhile True: random.random()"},
    {CLOCK, "import os\nwhile True: os.listdir('/')"},
    {CLOCK, "import decimal\ndecimal.getcontext().prec = 10 ** 6\ndecimal.Decimal(2).sqrt().ln()"},
};

static const runaway javascript[] = {
    {CLOCK, "for (;;);"},
    {CLOCK, "while (true) { try { for (;;); } catch { } }"},
    {CLOCK, "for (;;) { try { throw 1 } catch { continue } finally { continue } }"},
    {CLOCK, "(function f() { try { f() } finally { f() } })()"},
    {CLOCK, "(function f() { for (;;) try { f() } catch { } })()"},
    {CLOCK, "/^(a+)+$/.test('a'.repeat(40) + 'b')"},
    {CLOCK, "/(x+x+)+y/.test('x'.repeat(50000))"},
    {CLOCK, "'x'.repeat(40).replace(/(x+)*y/g, '')"},
    {CLOCK | HEAP, "let s = 3n; for (;;) s *= s"},
    {CLOCK, "let s = 0n; for (;;) s = (s + 1n) ** 3n % (2n ** 4000n)"},
    {CLOCK, "(2n ** 200000000n).toString()"},
    {CLOCK, "await new Promise((resolve) => setTimeout(resolve, 60000))"},
    {CLOCK, "setInterval(() => {}, 1); await new Promise(() => {})"},
    {CLOCK, "(function again() { Promise.resolve().then(again) })(); 1"},
    {CLOCK, "(async () => { for (;;) await null })()"},
    {CLOCK | HEAP, "for (;;) Promise.reject(1)"},
    {CLOCK | HEAP, "for (;;) setTimeout(() => {}, 0)"},
    {CLOCK | HEAP, "const again = () => { queueMicrotask(again); queueMicrotask(again) }; again()"},
    {CLOCK, "await { then(resolve) { resolve({ then: this.then }) } }"},
    {CLOCK | RAISES, "(function f() { f() })()"},
    {CLOCK | HEAP | RAISES, "{ let s = 'x'; for (;;) s += s }"},
    {CLOCK | HEAP, "let s = 'x', a = []; for (;;) a.push(s = s.slice(1) + 'y'.repeat(1e6))"},
    {CLOCK | HEAP, "const a = []; for (;;) a.push({})"},
    {CLOCK | HEAP, "const a = []; for (;;) a.push(new Array(1e6).fill(0))"},
    {CLOCK | HEAP, "const o = {}; for (let i = 0; ; i++) o['k' + i] = i"},
    {CLOCK | HEAP, "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })"},
    {CLOCK | HEAP, "const a = []; for (;;) a.push(new Uint8Array(1e6))"},
    {CLOCK | HEAP, "new ArrayBuffer(2 ** 33 - 1)"},
    {CLOCK | HEAP, "Array.from({ length: 2 ** 32 - 1 })"},
    {CLOCK | HEAP, "new Array(1e9).fill(0)"},
    {CLOCK | HEAP, "JSON.stringify(new Array(2e7).fill('xxxxxxxx'))"},
    {CLOCK, "while (true) console.log('x')"},
    {CLOCK, "while (true) console.error('x'.repeat(1e5))"},
    {WELL | REFUSED | CLOCK, "let x = []; for (let i = 0; i < 1e5; i++) x = [x]; x"},
    {WELL | REFUSED | CLOCK | HEAP, "const x = new Array(1e4).fill('x'.repeat(1e4)); x"},
    {CLOCK, "({ get a() { for (;;); } })"},
    {CLOCK, "({ toJSON() { for (;;); } })"},
    {CLOCK, "({ get then() { for (;;); } })"},
    {CLOCK, "`${{ toString() { for (;;); } }}`"},
    {CLOCK, "+{ valueOf() { for (;;); } }"},
    {CLOCK, "({ [Symbol.toPrimitive]() { for (;;); } }) + 1"},
    {CLOCK, "throw Object.defineProperty(new Error('m'), 'message', { get() { for (;;); } })"},
    {CLOCK, "throw { toString() { for (;;); }, get name() { for (;;); } }"},
    {CLOCK, "new Proxy({}, { ownKeys() { for (;;); } })"},
    {CLOCK, "new Proxy(() => {}, { apply() { for (;;); } })()"},
    {CLOCK, "Error.prepareStackTrace = () => { for (;;); }; new Error('x').stack"},
    {CLOCK | HEAP, "new Set((function* () { for (let i = 0; ; i++) yield i })())"},
    {CLOCK | HEAP, "[...(function* () { for (;;) yield 1 })()]"},
    {CLOCK | HEAP, "Array.from({ [Symbol.iterator]: () => ({ next: structuredClone.bind(null, {}) }) })"},
    {CLOCK | HEAP, "new Map({ [Symbol.iterator]: () => ({ next: () => ({ value: [1, 2] }) }) })"},
    {CLOCK | HEAP, "Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ value: ['a', 2] }) }) })"},
    {CLOCK, "Array.prototype.sort.call([3, 1, 2], () => { for (;;); })"},
    {CLOCK, "[1].sort.call({ get length() { for (;;); } })"},
#ifndef __SANITIZE_THREAD__ /* which these would never end under */
    {CLOCK, "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"},
    {CLOCK, "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)"},
    {CLOCK | HEAP, "'a'.repeat(2 ** 28).replace(/a/g, 'bb')"},
#endif
    {CLOCK, "for (const x of (function* () { try { for (;;) yield 1 } finally { for (;;); } })()) break"},
    {CLOCK, "class A { static { for (;;); } }"},
    {CLOCK, "while (true) structuredClone([1, 2, 3])"},
    {CLOCK, "structuredClone({ get a() { for (;;); } })"},
    {CLOCK, "const url = 'http://a/' + 'x/'.repeat(1e4); for (;;) new URL(url)"},
    {CLOCK, "JSON.parse('[1]', () => { for (;;); })"},
    {CLOCK, "'aaa'.replace(/a/g, () => { for (;;); })"},
    {CLOCK, "const text = 'x'.repeat(1e5); for (;;) crypto.randomUUID() + text.normalize('NFD')"},
    {CLOCK, "new FinalizationRegistry(() => {}).register({}, 1); for (;;) new Array(10000)"},
    {CLOCK, "setTimeout(() => { for (;;); }, 0); await new Promise(() => {})"},
    {CLOCK,
     "const e = new EventTarget(); e.addEventListener('x', () => { for (;;); }); e.dispatchEvent(new Event('x'))"},
    {CLOCK, "AbortSignal.timeout(1).onabort = () => { for (;;); };"
            "await new Promise((r) => setTimeout(r, 60000))"},
};

/* With JavaScript's objects Python is reset by a new isolate. */
static const runaway python_with_javascript[] = {
    {CLOCK, "while True: pass"},
    {CLOCK, "import js\njs.eval('for (;;);') if hasattr(js, 'eval') else None\nwhile True: pass"},
    {CLOCK | HEAP, "import js\nx = []\nwhile True: x.append(js.Array.new(1000000).fill(0))"},
    {CLOCK,
     "import js\nfrom pyodide.ffi import create_proxy\ndef f(*_):\n    while True: pass\njs.Array.new(3).fill(0).map(create_proxy(f))"},
    {CLOCK, "import asyncio\nawait asyncio.sleep(60)"},
    {CLOCK | HEAP | RAISES, "import js\njs.Array.new(1000000000).fill(0)"},
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
