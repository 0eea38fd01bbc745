/* Guests that are left in the middle of what they do, because V8 can't end it: whatever it was, nothing of the process goes with
 * them.  The next call is right, and so is a neighbour's that uses all that V8 and ICU share between isolates.  `make
 * valgrind-leaving` does the first of them under valgrind.  test-timeout: 400 */
#include "isolate_support.h"

#include <signal.h>

#include "engine/engine.h"

LEAKS_OF_LEFT_GUESTS

#define MIB ((size_t)1 << 20)

enum { HEAP_MIB = 24, LONG_MS = 600000, SHORT_MS = 50, LATE_MS = 200 };

/* Code of every tier of V8, and what of its C++ and of ICU's takes locks or keeps something for the process. */
static const char work[] =
    "let sum = 0; const list = []; for (let i = 0; i < 1000; i++) list.push({ x: i });"
    "function hot(a) { let t = 0; for (let i = 0; i < a.length; i++) t += (a[i].x * 2.5) | 0; return t }"
    "for (let i = 0; i < 300; i++) sum = hot(list);"
    "new Intl.DateTimeFormat('de', { calendar: 'islamic' }).format(0); new Intl.NumberFormat('hi').format(1.5);"
    "new Intl.Collator('de').compare('a', 'b'); 'a\\u0308'.normalize('NFC'); [3, 1, 2].sort((a, b) => a - b);"
    "const cells = new Int32Array(4); for (let i = 0; i < 100; i++) Atomics.add(cells, 0, 1);"
    "Atomics.notify(cells, 0); new RegExp('(a|b)*c').test('ababc'); structuredClone(list);"
    "new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer)[7]; sum + cells[0]";

static void does_its_work(aard_isolate *isolate)
{
    aard_outcome *outcome = exec(isolate, work);
    assert_success(outcome);
    value_is(outcome, "1248600");
}

typedef struct pair {
    aard_isolate *guest, *neighbour;
    aard__abandoned counts;
} pair;

static aard_isolate *isolate_of(uint64_t wall_ms)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, HEAP_MIB * MIB);
    aard_isolate_config_set_wall_limit_ms(config, wall_ms);
    return boot(config, NULL);
}

static struct sigaction on_fault; /* the library's */

static pair start(uint64_t wall_ms)
{
    sigaction(SIGSEGV, &on_fault, NULL); /* cmocka sets a handler of its own before each test */
    return (pair){isolate_of(wall_ms), isolate_of(LONG_MS), aard__engine_abandoned()};
}

/* None of them could not be freed. */
static void end(pair *p)
{
    assert_int_equal(aard__engine_abandoned().unfreeable, p->counts.unfreeable);
    aard_isolate_free(p->guest);
    aard_isolate_free(p->neighbour);
}

static void ends_by(pair *p, const char *code, aard_failure_kind kind)
{
    double began = now_ms();
    aard_outcome *outcome = exec(p->guest, code);
    if (aard_outcome_failure_kind(outcome) != kind)
        fail_msg("%s: %s", aard_failure_kind_name(aard_outcome_failure_kind(outcome)), code);
    aard_outcome_free(outcome);
    if (getenv("AARD_VERBOSE")) print_message("%8.1f ms: %s\n", now_ms() - began, code);
    does_its_work(p->neighbour);
    value_is(exec(p->guest, "1 + 1"), "2");
}

/* The first optimised loop of a process makes V8's cache of types, in a zone: which is nobody's. */
static void test_what_a_left_guest_made_for_the_process_stays(void **state)
{
    (void)state;
    pair p = start(LONG_MS);
    for (int i = 0; i < 2; i++) {
        ends_by(&p, "const a = []; for (;;) a.push({ x: a.length })", AARD_FAILURE_HEAP_LIMIT_EXCEEDED);
        does_its_work(p.guest);
    }
    if (expected_isolation() == AARD_ISOLATION_THREAD) /* in a child of its own it is nobody else's */
        assert_true(aard__engine_abandoned().abandoned > p.counts.abandoned);
    end(&p);
}

/* Recursions of V8's that look at no limit, from the stack's top and from its bottom. */
static void test_a_stack_that_is_used_up_ends_the_call(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "new RegExp('(?='.repeat(1e5) + 'a' + ')'.repeat(1e5)).test('a')",
        "new RegExp('(?<!'.repeat(3e5) + 'a' + ')'.repeat(3e5), 'iu').test('a')",
        "new RegExp('(?:a|'.repeat(3e5) + 'b' + ')'.repeat(3e5)).test('aaa')",
        "new RegExp('(?='.repeat(5e5) + 'a' + ')'.repeat(5e5)).test('a')",
        "(function f() { try { f() } catch { new RegExp('(?='.repeat(3e4) + 'a' + ')'.repeat(3e4)).test('a') } })()",
        "let level = 0; const text = '(?='.repeat(1e4) + 'a' + ')'.repeat(1e4);"
        "(function f() { try { f() } catch { } finally { if (level++ % 20 === 0) new RegExp(text).exec('a') } })()",
    };
    pair p = start(LONG_MS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        double began = now_ms();
        aard_outcome *outcome = exec(p.guest, rows[i]);
        aard_failure_kind kind = aard_outcome_failure_kind(outcome);
        if (getenv("AARD_VERBOSE")) print_message("%8.1f ms: %d %s\n", now_ms() - began, (int)kind, rows[i]);
        if (kind != AARD_FAILURE_NONE && kind != AARD_FAILURE_HEAP_LIMIT_EXCEEDED &&
            kind != AARD_FAILURE_JAVASCRIPT_EXCEPTION && kind != AARD_FAILURE_TIMEOUT_EXCEEDED)
            fail_msg("%s: %s", aard_failure_kind_name(kind), rows[i]);
        aard_outcome_free(outcome);
        does_its_work(p.neighbour);
        does_its_work(p.guest);
    }
    end(&p);
}

/* A host's own stack for signals stays the host's. */
static void test_the_host_keeps_its_stack_for_signals(void **state)
{
    (void)state;
    static char mine[64 * 1024];
    stack_t before, now, given = {.ss_sp = mine, .ss_size = sizeof mine};
    assert_int_equal(sigaltstack(&given, &before), 0);
    pair p = start(LONG_MS);
    does_its_work(p.guest);
    aard_outcome_free(exec(p.guest, "new RegExp('(?='.repeat(1e5) + 'a' + ')'.repeat(1e5)).test('a')"));
    assert_int_equal(sigaltstack(NULL, &now), 0);
    assert_ptr_equal(now.ss_sp, mine);
    does_its_work(p.neighbour);
    end(&p);
    assert_int_equal(sigaltstack(&before, NULL), 0);
}

/* Nor need it stay: a thread may lose its stack between two calls, or set another; one with SS_AUTODISARM is lost with whoever
 * does not come back from a signal. */
static void test_a_stack_for_signals_may_come_and_go(void **state)
{
    (void)state;
    static const char bomb[] = "new RegExp('(?='.repeat(3e5) + 'a' + ')'.repeat(3e5)).test('a')";
    static char mine[64 * 1024];
    stack_t before, now, none = {.ss_flags = SS_DISABLE};
    stack_t given[] = {{.ss_sp = mine, .ss_size = sizeof mine},
                       {.ss_sp = mine, .ss_size = sizeof mine, .ss_flags = (int)(1u << 31)}};
    pair p = start(LATE_MS);
    assert_int_equal(sigaltstack(NULL, &before), 0);
    for (size_t i = 0; i < COUNT(given); i++) {
        assert_int_equal(sigaltstack(&given[i], NULL), 0);
        aard_outcome_free(exec(p.guest, bomb));
#ifndef __SANITIZE_THREAD__
        ends_by(&p, "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)", AARD_FAILURE_TIMEOUT_EXCEEDED);
#endif
        aard_outcome_free(exec(p.guest, bomb));
        assert_int_equal(sigaltstack(NULL, &now), 0);
        assert_ptr_equal(now.ss_sp, mine);
        assert_int_equal(sigaltstack(&none, NULL), 0);
        aard_outcome_free(exec(p.guest, bomb));
        does_its_work(p.neighbour);
    }
    assert_int_equal(sigaltstack(&before, NULL), 0);
    end(&p);
}

/* V8 collects garbage in a task of its own between two timers, and finds the heap full there. */
static void test_a_heap_that_fills_between_timers(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "globalThis.keep = []; const step = () => { for (let i = 0; i < 10; i++) keep.push(new Array(1000).fill(i));"
        " setTimeout(step, 0) }; step(); await new Promise(() => {})",
        "globalThis.keep = []; const step = () => { for (let i = 0; i < 40; i++) keep.push(new Array(1000).fill(i));"
        " setTimeout(step, 0) }; step(); await new Promise(() => {})",
        "globalThis.keep = []; const step = () => { for (let i = 0; i < 2000; i++) keep.push({ i });"
        " setTimeout(step, 0) }; step(); await new Promise(() => {})",
    };
    pair p = start(LONG_MS);
    for (size_t i = 0; i < COUNT(rows); i++) ends_by(&p, rows[i], AARD_FAILURE_HEAP_LIMIT_EXCEEDED);
    end(&p);
}

/* Builtins that never look whether they were ended: in made code, in V8's C++, in ICU. */
static void test_builtins_that_never_look(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__ /* which delivers no signal there */
    return;
#endif
    static const char *const rows[] = {
        "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
        "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
        "'a'.repeat(2 ** 23).lastIndexOf('a'.repeat(2 ** 22) + 'b')",
        "('a' + '\\u0301\\u0316'.repeat(1e6)).normalize('NFD')",
        "('a' + '\\u0301\\u0316'.repeat(1e6)).normalize('NFKC')",
        "'\\u0301\\u0316'.repeat(1e6).localeCompare('\\u0316\\u0301'.repeat(1e6))",
        "new Intl.Collator('bo').compare('\\u0f71\\u0f72\\u0f71\\u0f74'.repeat(1e5), '\\u0f74\\u0f71\\u0f72'.repeat(1e5))",
        "['\\u0301\\u0316'.repeat(1e6), '\\u0316\\u0301'.repeat(1e6)].sort(new Intl.Collator().compare)",
#ifdef __x86_64__
        "Intl.getCanonicalLocales('en-' + Array.from({ length: 1e5 }, (_, i) => (i + 1e7).toString(36).padStart(6, 'a')).join('-'))",
#endif
    };
    pair p = start(LATE_MS); /* after what the rows need first has been made */
    for (size_t i = 0; i < COUNT(rows); i++) ends_by(&p, rows[i], AARD_FAILURE_TIMEOUT_EXCEEDED);
    end(&p);
}

/* Ended at any point of what takes locks, or makes something for the process when it is first used. */
static void test_whoever_is_left_holds_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "for (let i = 0; ; i++) new Intl.DateTimeFormat('en-u-ca-' + ['islamic', 'chinese', 'hebrew', 'persian', 'coptic'][i % 5])"
        ".format(i * 1e10)",
        "Intl.getCanonicalLocales(new Array(2e5).fill(0).map((_, i) => 'en-u-ca-' + ['islamic', 'chinese', 'hebrew'][i % 3]))",
        "for (;;) new WebAssembly.Memory({ initial: 1 }).grow(1)",
        "for (let i = 0; ; i++) new RegExp('(a|b)*c' + i).test('ababc')",
        "new Array(1e6).fill(1234.5).toLocaleString('hi')",
        "Array.from({ length: 1e6 }, (_, i) => '\\u00e4' + i).sort((a, b) => a.localeCompare(b, 'de'))",
        "for (const cells = new Int32Array(4); ;) Atomics.notify(cells, 0)",
        "for (;;) structuredClone([new Uint8Array(100), /x/, new Date()])",
    };
    pair p = start(SHORT_MS);
    for (size_t i = 0; i < COUNT(rows); i++) ends_by(&p, rows[i], AARD_FAILURE_TIMEOUT_EXCEEDED);
    end(&p);
}

/* What isolates would share. */
static void test_no_memory_is_shared(void **state)
{
    (void)state;
    static const char module[] =
        "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1]))";
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_capability(config, "codegen"));
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "typeof SharedArrayBuffer + typeof Atomics.waitAsync"), "\"undefinedundefined\"");
    exception_is(exec(isolate, "new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })"), "RangeError", NULL,
                 NULL);
    char code[300];
    snprintf(code, sizeof code, "new WebAssembly.Instance(%s)", module);
    exception_is(exec(isolate, code), "RangeError", NULL, NULL);
    value_is(exec(isolate, "new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer.byteLength"), "65536");
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest first[] = {cmocka_unit_test(test_what_a_left_guest_made_for_the_process_stays)};
    const struct CMUnitTest tests[] = {
        first[0], /* in the process */
        cmocka_unit_test(test_a_stack_that_is_used_up_ends_the_call),
        cmocka_unit_test(test_the_host_keeps_its_stack_for_signals),
        cmocka_unit_test(test_a_stack_for_signals_may_come_and_go),
        cmocka_unit_test(test_a_heap_that_fills_between_timers),
        cmocka_unit_test(test_builtins_that_never_look),
        cmocka_unit_test(test_whoever_is_left_holds_nothing),
        cmocka_unit_test(test_no_memory_is_shared),
    };
    aard_error_free(aard__engine_start());
    sigaction(SIGSEGV, NULL, &on_fault);
    if (getenv("AARD_FIRST_ONLY")) return cmocka_run_group_tests(first, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
