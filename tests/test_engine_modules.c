/* ES modules: linking, evaluation, what is missing, and what is a plain script.  test-quick */
#include "engine_support.h"

static fixture f;
static unsigned finds; /* how often a module was asked for */

static int set_up(void **state)
{
    (void)state;
    open_fixture(&f);
    finds = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_fixture(&f);
    return 0;
}

static const char *const files[][2] = {
    {"leaf", "export const value = 'leaf'; globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;"},
    {"middle", "export * from 'leaf'; export { value as again } from 'leaf'; export default class Named {}"},
    {"cycle-a", "import { b } from 'cycle-b'; export const a = () => 'a'; export const ab = () => a() + b();"},
    {"cycle-b", "import { a } from 'cycle-a'; export const b = () => 'b' + a();"},
    {"itself", "import { own as later } from 'itself'; export const own = 1; "
               "export const seen = (() => { try { return later } catch (e) { return e.name } })();"},
    {"too-early",
     "import { own as later } from 'too-early'; "
     "export const seen = (() => { try { return later } catch (e) { return e.name } })(); export const own = 1;"},
    {"slow", "export const value = await new Promise((resolve) => { globalThis.release = resolve });"},
    {"uses-slow", "import { value } from 'slow'; export const got = `got ${value}`;"},
    {"broken", "export const = 1;"},
    {"uses-broken", "import 'broken';"},
    {"throws", "export const before = 1; throw new RangeError('while evaluating');"},
    {"uses-throws", "import { before } from 'throws'; export { before };"},
    {"uses-missing", "import 'absent';"},
    {"uses-missing-name", "import { absent } from 'leaf';"},
    {"asks", "globalThis.asked = import('leaf').then((m) => m.value);"},
};

static bool find(void *user, const char *specifier, const char *referrer, aard__buf *name, const char **source,
                 size_t *len)
{
    assert_ptr_equal(user, &f);
    finds++;
    for (size_t i = 0; i < COUNT(files); i++) {
        if (strcmp(files[i][0], specifier)) continue;
        aard__buf_puts(name, specifier);
        *source = files[i][1];
        *len = strlen(files[i][1]);
        return true;
    }
    if (!strcmp(specifier, "mute")) return false;
    aard__buf_printf(name, "no '%s' for '%s'", specifier, referrer);
    return false;
}

static bool is_script;
static aard__ref *evaluation;

/* Imports `source` as the module `name`; gives &f.result. */
static aard__result *import(const char *name, const char *source)
{
    evaluation = NULL;
    aard__realm_import(f.realm, name, source, strlen(source), find, &evaluation, &is_script, &f.result);
    return &f.result;
}

/* The namespace of a module that was evaluated at once. */
static aard__ref *imported(const char *name, const char *source)
{
    import(name, source);
    if (f.result.status != AARD__OK) fail_msg("%s: %s", name, text_of(&f.result.thrown_text));
    assert_false(is_script);
    assert_int_equal(f.result.value.kind, AARD__REF);
    aard__ref *namespace = f.result.value.ref;
    aard__vm_pump(f.vm);
    assert_non_null(evaluation);
    assert_true(aard__promise_settled(f.realm, evaluation, false, &f.result));
    if (f.result.status != AARD__OK) fail_msg("%s: %s", name, text_of(&f.result.thrown_text));
    aard__ref_free(evaluation);
    return namespace;
}

static void export_is(aard__ref *namespace, const char *name, const char *value)
{
    aard__ref_get(f.realm, namespace, name, &f.result);
    string_is(&f.result, value, strlen(value));
}

static void test_modules_import_each_other(void **state)
{
    (void)state;
    aard__ref *top = imported("top",
                              "import Named, { value, again } from 'middle'; import * as leaf from 'leaf'; "
                              "export const all = [value, again, Named.name, leaf.value, Object.keys(leaf)].join();"
                              "export default 'the default'");
    export_is(top, "all", "leaf,leaf,Named,leaf,value");
    export_is(top, "default", "the default");
    aard__ref_get(f.realm, top, "absent", &f.result);
    assert_int_equal(f.result.value.kind, AARD__UNDEFINED);
    aard__ref_free(top);
    string_is(run(&f, "`${evaluated}`"), TEXT("1"));
    unsigned before = finds;
    top = imported("top", "this is not even looked at: the name is known");
    export_is(top, "default", "the default");
    aard__ref_free(top);
    assert_int_equal(finds, before);
    string_is(run(&f, "`${evaluated}`"), TEXT("1"));
}

static void test_modules_in_a_cycle(void **state)
{
    (void)state;
    aard__ref *top = imported("top", "import { ab } from 'cycle-a'; export const got = ab();");
    export_is(top, "got", "aba");
    aard__ref_free(top);
    top = imported("other", "import { seen } from 'itself'; export const got = `${seen}`;");
    export_is(top, "got", "1");
    aard__ref_free(top);
    top = imported("another", "import { seen } from 'too-early'; export { seen };");
    export_is(top, "seen", "ReferenceError");
    aard__ref_free(top);
}

static void test_modules_that_are_asked_for_later(void **state)
{
    (void)state;
    aard__ref *top = imported("top", "import 'asks'; export const later = import('middle').then((m) => m.again);");
    aard__vm_pump(f.vm);
    aard__ref_get(f.realm, top, "later", &f.result);
    aard__ref *promise = f.result.value.ref;
    assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
    string_is(&f.result, TEXT("leaf"));
    aard__ref_free(promise);
    aard__ref_free(top);
    promise = object(&f, "asked");
    assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
    string_is(&f.result, TEXT("leaf"));
    aard__ref_free(promise);
    /* From a script, too, now that it is known who finds modules. */
    promise = object(&f, "import('leaf').then((m) => m.value)");
    aard__vm_pump(f.vm);
    assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
    string_is(&f.result, TEXT("leaf"));
    aard__ref_free(promise);
    static const struct {
        const char *specifier, *type, *text;
    } rows[] = {{"'absent'", "TypeError", "no 'absent' for 'test'"},
                {"'mute'", "TypeError", "cannot find the module 'mute'"},
                {"'broken'", "SyntaxError", NULL},
                {"'throws'", "RangeError", "while evaluating"},
                {"{ toString() { throw new EvalError('mine') } }", "EvalError", "mine"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char code[128];
        snprintf(code, sizeof code, "import(%s)", rows[i].specifier);
        promise = object(&f, code);
        aard__vm_pump(f.vm);
        assert_true(aard__promise_settled(f.realm, promise, false, &f.result));
        threw(&f.result, rows[i].type, rows[i].text, "");
        aard__ref_free(promise);
    }
}

static void test_a_module_may_await(void **state)
{
    (void)state;
    import("top", "import { got } from 'uses-slow'; export { got };");
    assert_int_equal(f.result.status, AARD__OK);
    aard__ref *top = f.result.value.ref;
    aard__vm_pump(f.vm);
    assert_false(aard__promise_settled(f.realm, evaluation, false, &f.result));
    run(&f, "release('it')");
    aard__vm_pump(f.vm);
    assert_true(aard__promise_settled(f.realm, evaluation, false, &f.result));
    export_is(top, "got", "got it");
    aard__ref_free(evaluation);
    aard__ref_free(top);
}

static void test_modules_that_fail(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        threw(import("a", "import 'uses-missing';"), "TypeError", "no 'absent' for 'uses-missing'", "");
        threw(import("b", "import 'uses-broken';"), "SyntaxError", NULL, "at broken:1:14");
        threw(import("c", "import 'uses-missing-name';"), "SyntaxError", NULL, "at uses-missing-name:1");
        threw(import("d", "export default (\n)"), "SyntaxError", NULL, "at d:2:1");
        import("e", "import { before } from 'uses-throws'; export { before };");
        assert_int_equal(f.result.status, AARD__OK);
        aard__ref_free(f.result.value.ref);
        assert_true(aard__promise_settled(f.realm, evaluation, false, &f.result));
        threw(&f.result, "RangeError", "while evaluating", "throws:1");
        aard__ref_free(evaluation);
    }
    assert_false(aard__realm_next_rejection(f.realm, &f.result));
}

static void test_what_neither_imports_nor_exports_is_a_script(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        bool script;
    } rows[] = {{"globalThis.ran = 1", true},   {"", true},
                {"function f() {}", true},      {"import('leaf')", true},
                {"export {}; 1", true},         {"export const a = 1", false},
                {"import 'leaf'", false},       {"export default 1", false},
                {"export * from 'leaf'", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "script%zu", i);
        import(name, rows[i].source);
        assert_int_equal(f.result.status, AARD__OK);
        assert_int_equal(is_script, rows[i].script);
        if (!is_script) {
            aard__ref_free(f.result.value.ref);
            aard__ref_free(evaluation);
        } else {
            assert_int_equal(f.result.value.kind, AARD__UNDEFINED);
            assert_null(evaluation);
        }
    }
    string_is(run(&f, "typeof ran"), TEXT("undefined")); /* it was not evaluated */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_modules_import_each_other),
        TEST(test_modules_in_a_cycle),
        TEST(test_modules_that_are_asked_for_later),
        TEST(test_a_module_may_await),
        TEST(test_modules_that_fail),
        TEST(test_what_neither_imports_nor_exports_is_a_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
