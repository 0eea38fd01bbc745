/* Allocation bombs: in Python's memory, in the engine's heap, in buffers, as one giant or as many small ones.  None takes
 * the process down, each ends as heap_limit_exceeded or by the guest's own exception, and what is left of it is little.
 * `make soak` sets them off 500 times each.  test-timeout: 400 */
#include "isolate_support.h"

#include "engine/engine.h"

LEAKS_OF_LEFT_GUESTS

#define MIB ((size_t)1 << 20)

enum { HEAP_MIB = 32, LIMIT_MS = 20000 };

static const char *const python[] = {
    "x = []\nwhile True: x.append('x' * 1000000)",
    "x = []\nwhile True: x.append({})",
    "s = 'x'\nwhile True: s += s",
    "x = {}\nwhile True: x[len(x)] = 1.5",
    "bytearray(10 ** 9)",
    "[0] * 10 ** 9",
    "'x' * (2 ** 31 - 100)",
    "list(range(10 ** 9))",
    "x = ()\nwhile True: x = (x, bytes(10000))",
    "import array\narray.array('d', [0]) * 10 ** 8",
    "import io\nb = io.BytesIO()\nwhile True: b.write(bytes(10 ** 6))",
    "1 << (10 ** 10)",
    "import collections\nd = collections.deque()\nwhile True: d.extend(range(100000))",
    "x = []\nwhile True: x.append(lambda: x)",
    "import itertools\nset(itertools.count())",
    /* A pipe has room for 64 KiB; what it holds is not in Python's memory. */
    "import os\nr, w = os.pipe()\ntry:\n    for _ in range(10000): os.write(w, bytes(65536))\n"
    "except BlockingIOError: raise MemoryError",
};

static const char *const javascript[] = {
    "new Array(1e9).fill(0)",
    "let a = []; a.length = 2 ** 31; a.fill(1)",
    "'x'.repeat(2 ** 29 - 24).split('')",
    "const a = []; for (;;) a.push({})",
    "const a = []; for (;;) a.push(new Array(1e6).fill(0))",
    "const a = []; for (;;) a.push('x'.repeat(1e6).split(''))",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })",
    "const o = {}; for (let i = 0; ; i++) o['k' + i] = i",
    "const s = new Set(); for (let i = 0; ; i++) s.add('a' + i)",
    "let a = [1]; for (;;) a = a.concat(a)",
    "let a = [1]; for (;;) a = [...a, ...a]",
    "const a = []; for (;;) a.push(() => a)",
    "const a = []; for (;;) a.push(new Promise(() => {}))",
    "const a = []; for (;;) a.push(Symbol('x'))",
    "const a = []; for (;;) a.push(/x/)",
    "JSON.stringify(new Array(1e8).fill('xxxxxxxx'))",
    "new Array(2 ** 27 - 10).fill({}).map((y) => [y])",
    "new Array(1e8).fill(0).sort()",
    "Array.from({ length: 2 ** 32 - 1 })",
    "Array.from({ length: 2 ** 31 }, () => ({}))",
    "'a'.repeat(2 ** 28).match(/a/g)",
    "[...'x'.repeat(2 ** 29 - 30)]",
    "Object.keys('x'.repeat(2 ** 28))",
    "Reflect.ownKeys(new Int8Array(3e7))",
    "new Map(Array.from({ length: 1e8 }, (_, i) => [i, i]))",
    "Object.fromEntries((function* () { for (let i = 0; ; i++) yield [i, i] })())",
    "const w = new WeakMap(), k = []; for (;;) { k.push({}); w.set(k.at(-1), {}) }",
    "new Array(2 ** 26).fill(1.5).flatMap((x) => [x, x, x, x])",
    "const a = []; for (;;) a.push(new Error('x'))",
    "const a = []; for (;;) a.push((function* () {})())",
    "const a = []; for (;;) a.push(setTimeout(() => {}, 1e6))",
    "const a = []; for (;;) a.push(2n ** 100000n)",
    "for (;;) Promise.reject(new Array(1000))",
    "globalThis.a = []; const again = () => { a.push(new Array(100)); queueMicrotask(again) }; again()",
    "structuredClone(new Array(1e7).fill({}).map((_, i) => ({ i })))",
    "const a = []; for (;;) a.push(new Uint8Array(1e6))",
    "const a = []; for (;;) a.push(new Float64Array(10))",
    "new ArrayBuffer(2 ** 32)",
    "const a = []; for (;;) a.push(new TextEncoder().encode('x'.repeat(1e5)))",
    "const b = new Uint8Array(2e7); const a = []; for (;;) a.push(b.slice())",
    "structuredClone(new Array(1000).fill('x'.repeat(1e6)))",
    "const s = 'x'.repeat(1e6), o = { get a() { return structuredClone([s, s, s, o.n++ < 20 ? o : s]) }, n: 0 }; o.a",
    "{ const a = []; for (let i = 0; i < 20; i++) { const m = new WebAssembly.Memory({ initial: 512 });"
    " new Uint8Array(m.buffer).fill(1); a.push(m) } }",
    "{ const m = new WebAssembly.Memory({ initial: 1 }); for (let i = 0; i < 640; i++) m.grow(16) }",
    "{ const a = []; for (let i = 0; i < 1000; i++) a.push(new WebAssembly.Memory({ initial: 1 })) }",
    "{ const a = []; for (let i = 0; i < 200; i++) a.push(new WebAssembly.Memory({ initial: 0 })) }",
    "JSON.parse('['.repeat(2e7))",
    "new RegExp('(?:a|b)'.repeat(2e6)).test('x')",
    "{ const a = []; for (;;) a.push(new Intl.DateTimeFormat('de')) }",
    "{ const a = []; for (;;) a.push(new Intl.Collator('de')) }",
    "{ const s = '\\u1234'.repeat(1e6), g = new Intl.Segmenter('en'), a = []; for (let i = 0; i < 400; i++)"
    " a.push(g.segment(s)) }",
    "{ const s = '\\u1234'.repeat(1e6), g = new Intl.Segmenter('en'); for (let i = 0; i < 400; i++) g.segment(s) }",
};

/* A limit, or the guest's own exception for no memory; a builtin that does not look may be ended by the clock. */
static void ends_well(aard_outcome *outcome, const char *code)
{
    aard_failure_kind kind = aard_outcome_failure_kind(outcome);
    const char *type = aard_outcome_exception_type(outcome);
    static const char *const own_types[] = {"MemoryError", "RangeError", "OverflowError",
                                            "SyntaxError" /* of regular expressions that are too large */};
    bool own = false;
    for (size_t i = 0; type && i < COUNT(own_types); i++) own = own || !strcmp(type, own_types[i]);
    if (kind != AARD_FAILURE_HEAP_LIMIT_EXCEEDED && !own)
        fail_msg("%s, %s: %s", aard_failure_kind_name(kind), code,
                 aard_outcome_is_success(outcome) ? "" : aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
}

static void set_off(aard_language language, const char *const *codes, size_t count)
{
    size_t times = soak_count(2, 500);
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_heap_limit(config, HEAP_MIB * MIB);
    aard_isolate_config_set_wall_limit_ms(config, LIMIT_MS);
    aard_isolate *isolate = boot(config, NULL);
    long before = 0, worst = 0;
    aard__abandoned counts = aard__engine_abandoned();
    for (size_t i = 0; i < times; i++) {
        for (size_t k = 0; k < count; k++) {
            double began = now_ms();
            ends_well(exec(isolate, codes[k]), codes[k]);
            if (getenv("AARD_VERBOSE"))
                print_message("%8.1f ms, %ld MiB: %s\n", now_ms() - began, resident_kib() / 1024, codes[k]);
            value_is(exec(isolate, "1 + 1"), "2");
            if (resident_kib() > worst) worst = resident_kib();
        }
        assert_ok(aard_isolate_reset(isolate));
        if (i == 0) before = resident_kib();
    }
    aard__abandoned now = aard__engine_abandoned();
    print_message(
        "%zu times %zu bombs: %llu guests left, %llu of them for good; %ld MiB, once %ld, after the first %ld\n", times,
        count, (unsigned long long)(now.abandoned - counts.abandoned),
        (unsigned long long)(now.unfreeable - counts.unfreeable), resident_kib() / 1024, worst / 1024, before / 1024);
    assert_int_equal(now.unfreeable, counts.unfreeable);
#ifndef __SANITIZE_ADDRESS__
    assert_true(resident_kib() < before + (64 + (long)times / 2) * 1024);
#endif
    aard_isolate_free(isolate);
}

static void test_python(void **state)
{
    (void)state;
    set_off(AARD_LANGUAGE_PYTHON, python, COUNT(python));
}

static void test_javascript(void **state)
{
    (void)state;
    set_off(AARD_LANGUAGE_JAVASCRIPT, javascript, COUNT(javascript));
}

/* What is let go of is not counted. */
static void test_garbage_is_no_bomb(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "for (let i = 0; i < 2000; i++) new Intl.DateTimeFormat('de').format(0); 1",
        "for (let i = 0; i < 300; i++) new WebAssembly.Memory({ initial: 1 }).grow(300); 1",
        "for (let i = 0; i < 200; i++) structuredClone(new Array(20).fill('x'.repeat(1e5))); 1",
        "for (let i = 0; i < 200; i++) new RegExp('a|b|'.repeat(1e4) + i).test('x'); 1",
        "JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)).length",
    };
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, HEAP_MIB * MIB);
    aard_isolate *isolate = boot(config, NULL);
    for (int times = 0; times < 3; times++)
        for (size_t i = 0; i < COUNT(rows); i++) value_is(exec(isolate, rows[i]), "1");
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_javascript),
        cmocka_unit_test(test_garbage_is_no_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
