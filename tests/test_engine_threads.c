/* The engine and threads: ending a guest from afar, small stacks, vms side by side, one vm on many threads. */
#include "engine_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static void sleep_us(long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* ---- ending ---------------------------------------------------------------------------------------------------- */

typedef struct ending {
    aard__vm *vm;
    atomic_bool *begun; /* NULL: does not wait for it */
    long after_us;
} ending;

static void *end_it(void *user)
{
    ending *e = user;
    while (e->begun && !atomic_load(e->begun)) sleep_us(50);
    sleep_us(e->after_us);
    aard__vm_terminate(e->vm);
    return NULL;
}

static pthread_t end_after(ending *e)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, end_it, e), 0);
    return thread;
}

static void test_a_guest_is_ended_from_afar_a_hundred_times(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "for (;;);",
        "try { for (;;); } catch { for (;;); } finally { for (;;); }",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "(function f() { try { f() } catch { } for (;;); })()",
        "[1].map(() => { for (;;); })",
        "JSON.stringify({ toJSON() { for (;;); } })",
        "new Proxy({}, { get() { for (;;); } }).x",
        "throw { get message() { for (;;); }, get stack() { for (;;); } }",
        "{ let n = 1n; for (;;) n = n * 3n % (1n << 2000n) }",
        "'x'.replace(/x/, () => { for (;;); })",
    };
    fixture f;
    open_fixture(&f);
    for (unsigned i = 0; i < 100; i++) {
        ending e = {f.vm, NULL, i % 7 * 500};
        pthread_t thread = end_after(&e);
        run(&f, rows[i % COUNT(rows)]);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (f.result.status != AARD__TERMINATED) fail_msg("%s", rows[i % COUNT(rows)]);
        assert_true(aard__vm_terminating(f.vm));
        assert_int_equal(run(&f, "1")->status, AARD__TERMINATED); /* nothing runs until the cancel */
        aard__vm_terminate_cancel(f.vm);
        assert_false(aard__vm_terminating(f.vm));
        assert_float_equal(run(&f, "1 + 1")->value.number, 2, 0);
    }
    close_fixture(&f);
}

static void test_an_ended_vm_runs_nothing(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    aard__ref *loop = function(&f, "() => { for (;;); }");
    aard__ref *getter = object(&f, "({ get x() { for (;;); } })");
    run(&f,
        "queueLike = Promise.resolve().then(() => { for (;;); }); Promise.reject({ get message() { for (;;); } }); 1");
    aard__vm_terminate(f.vm);
    aard__ref_call(f.realm, loop, NULL, 0, false, &f.result);
    assert_int_equal(f.result.status, AARD__TERMINATED);
    aard__ref_get(f.realm, getter, "x", &f.result);
    assert_int_equal(f.result.status, AARD__TERMINATED);
    bool script;
    aard__realm_import(f.realm, "m", "for (;;); export {}", 19, NULL, NULL, &script, &f.result);
    assert_int_equal(f.result.status, AARD__TERMINATED);
    aard__vm_pump(f.vm);
    while (aard__realm_next_rejection(f.realm, &f.result)) assert_int_equal(f.result.status, AARD__TERMINATED);
    aard__ref_free(getter);
    aard__ref_free(loop);
    close_fixture(&f); /* nor when it is freed */
}

static void test_microtasks_and_promises_are_ended(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    for (unsigned i = 0; i < 10; i++) {
        run(&f, "(function again() { Promise.resolve().then(again) })(); 1");
        ending e = {f.vm, NULL, 2000};
        pthread_t thread = end_after(&e);
        aard__vm_pump(f.vm);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(aard__vm_terminating(f.vm));
        aard__vm_terminate_cancel(f.vm);
        assert_float_equal(run(&f, "2")->value.number, 2, 0);
        close_fixture(&f); /* what is left of the microtasks goes with the vm */
        open_fixture(&f);
    }
    close_fixture(&f);
}

/* ---- stacks ---------------------------------------------------------------------------------------------------- */

static const char deep[] = "(() => { let depth = 0; const f = () => { depth++; f(); }; try { f() } "
                           "catch (error) { return `${error.name} ${depth > 50}` } })()";

/* Opens a vm of its own, or enters that of the fixture. */
static void *run_deep(void *user)
{
    fixture *given = user, own;
    fixture *f = given;
    if (!given->vm) open_fixture(f = &own);
    if (given->vm) aard__vm_enter(f->vm);
    run(f, deep);
    bool fine = f->result.status == AARD__OK && f->result.value.kind == AARD__STRING && f->result.value.len == 15 &&
                !memcmp(f->result.value.data, "RangeError true", 15);
    if (given->vm) aard__vm_leave(f->vm);
    if (!given->vm) close_fixture(&own);
    return fine ? NULL : (void *)"not a RangeError";
}

static void run_on_stack(size_t size, fixture *f)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *failed = NULL;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    if (size) assert_int_equal(pthread_attr_setstacksize(&attributes, size), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_deep, f), 0);
    assert_int_equal(pthread_join(thread, &failed), 0);
    pthread_attr_destroy(&attributes);
    if (failed) fail_msg("%s with a stack of %zu KiB", (char *)failed, size / 1024);
}

static void test_recursion_ends_before_the_stack_does(void **state)
{
    (void)state;
    static const size_t sizes[] = {256 << 10, 384 << 10, 512 << 10, 1 << 20, 8 << 20, 64 << 20, 0};
    fixture none = {.vm = NULL};
    for (size_t i = 0; i < COUNT(sizes); i++) run_on_stack(sizes[i], &none);
}

static void test_a_vm_goes_from_stack_to_stack(void **state)
{
    (void)state;
    static const size_t sizes[] = {8 << 20, 256 << 10, 1 << 20, 256 << 10, 64 << 20, 512 << 10};
    fixture f;
    open_fixture(&f);
    string_is(run(&f, deep), TEXT("RangeError true"));
    aard__vm_leave(f.vm);
    for (size_t i = 0; i < COUNT(sizes); i++) run_on_stack(sizes[i], &f);
    aard__vm_enter(f.vm);
    string_is(run(&f, deep), TEXT("RangeError true"));
    close_fixture(&f);
}

static void test_entering_nests(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    aard__vm_enter(f.vm);
    aard__vm_enter(f.vm);
    string_is(run(&f, "'inner'"), TEXT("inner"));
    aard__vm_leave(f.vm);
    string_is(run(&f, deep), TEXT("RangeError true"));
    aard__vm_leave(f.vm);
    string_is(run(&f, "'outer'"), TEXT("outer"));
    close_fixture(&f);
}

/* ---- side by side ---------------------------------------------------------------------------------------------- */

static void *work_alone(void *user)
{
    (void)user;
    for (int round = 0; round < 5; round++) {
        fixture f;
        open_fixture(&f);
        for (int i = 0; i < 20; i++) {
            run(&f, "let s = 0; for (let i = 0; i < 20000; i++) s += [i].map((x) => x % 7)[0]; s");
            if (i) { /* `let` stands for the first time only */
                if (f.result.status != AARD__THREW) return (void *)"a name was declared twice";
            } else if (f.result.value.number != 59997) {
                return (void *)"a wrong sum";
            }
        }
        close_fixture(&f);
    }
    return NULL;
}

static void test_vms_work_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work_alone, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        if (failed) fail_msg("%s", (char *)failed);
    }
}

static void *count_up(void *user)
{
    fixture *f = user;
    for (int i = 0; i < 500; i++) {
        aard__vm_enter(f->vm);
        run(f, "count = (globalThis.count ?? 0) + 1");
        aard__vm_leave(f->vm);
    }
    return NULL;
}

static void test_threads_take_turns_in_one_vm(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    aard__vm_leave(f.vm);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, count_up, &f), 0);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    aard__vm_enter(f.vm);
    assert_float_equal(run(&f, "count")->value.number, 2000, 0);
    close_fixture(&f);
}

static void *start_engine(void *user)
{
    (void)user;
    return aard__engine_start();
}

static void test_the_engine_starts_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_engine, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *error = NULL;
        assert_int_equal(pthread_join(threads[i], &error), 0);
        assert_null(error);
    }
    assert_non_null(strstr(aard__engine_code_key(), aard_v8_version()));
    aard__vm_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_engine_starts_once),
        cmocka_unit_test(test_a_guest_is_ended_from_afar_a_hundred_times),
        cmocka_unit_test(test_an_ended_vm_runs_nothing),
        cmocka_unit_test(test_microtasks_and_promises_are_ended),
        cmocka_unit_test(test_recursion_ends_before_the_stack_does),
        cmocka_unit_test(test_a_vm_goes_from_stack_to_stack),
        cmocka_unit_test(test_entering_nests),
        cmocka_unit_test(test_vms_work_side_by_side),
        cmocka_unit_test(test_threads_take_turns_in_one_vm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
