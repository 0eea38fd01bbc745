/* The start-up snapshot of JavaScript guests: what is copied from it is whole and its own, and one that does not fit only
 * costs time. */
#include "isolate_support.h"

#include <pthread.h>

#include "base/buf.h"
#include "guest/bridge/host.h"
#include "guest/javascript/javascript.h"
#include "guest/platform.h"
#include "guest/snapshot.h"

static aard_isolate *javascript(void) { return boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL); }

/* Whether realms of new vms are copies. */
static bool copies(void)
{
    aard__vm *vm;
    aard__vm_options options = {.snapshot = aard__snapshot_choose(&aard__javascript, NULL)};
    assert_ok(aard__vm_new(&options, &vm));
    bool result = aard__vm_copies(vm);
    aard__vm_free(vm);
    return result;
}

/* The value of a call, as JSON text; free. */
static char *value_of(aard_outcome *outcome)
{
    assert_success(outcome);
    char *text = strdup(aard_outcome_value_json(outcome, NULL));
    assert_non_null(text);
    aard_outcome_free(outcome);
    return text;
}

/* ---- what is in it ------------------------------------------------------------------------------------------------ */

/* Every name that can be reached from the global object, with the shape of its property. */
static const char everything[] =
    "(() => { const seen = new Set(), out = []; const walk = (object, path) => {"
    "  if (seen.has(object) || path.length > 120) return; seen.add(object);"
    "  for (const key of Reflect.ownKeys(object)) {"
    "    const d = Reflect.getOwnPropertyDescriptor(object, key), name = `${path}.${String(key)}`;"
    "    if (d.get && object === globalThis) { void globalThis[key]; }"
    "    const now = Reflect.getOwnPropertyDescriptor(object, key) ?? d;"
    "    out.push(`${name} ${typeof now.value} ${!!now.get} ${now.enumerable} ${now.writable} ${now.configurable}`);"
    "    for (const value of [now.value, now.get, now.set]) if (Object(value) === value) walk(value, name);"
    "  } if (Object.getPrototypeOf(object)) walk(Object.getPrototypeOf(object), `${path}.[[Prototype]]`); };"
    "  walk(globalThis, ''); return out.sort(); })()";

static void test_guests_are_the_same_with_and_without_it(void **state)
{
    (void)state;
    char *names[4];
    assert_true(copies()); /* what the build has embedded fits this V8 */
    aard_isolate *isolate = javascript();
    names[0] = value_of(exec(isolate, everything));
    assert_ok(aard_isolate_reset(isolate));
    names[1] = value_of(exec(isolate, everything));
    assert_false(aard__snapshot_distrust()); /* not now */
    aard_isolate_free(isolate);

    assert_true(aard__snapshot_distrust());
    isolate = javascript(); /* the first: file by file */
    assert_false(copies());
    aard_isolate_free(javascript());
    assert_false(copies()); /* all that are alive together are of one kind */
    assert_ok(aard_isolate_reset(isolate));
    names[2] = value_of(exec(isolate, everything)); /* a new realm, file by file */
    aard_isolate_free(isolate);
    isolate = javascript(); /* from one that was made now */
    assert_true(copies());
    names[3] = value_of(exec(isolate, everything));
    aard_isolate_free(isolate);

    assert_true(strlen(names[0]) > 50000);
    for (size_t i = 1; i < COUNT(names); i++) {
        assert_string_equal(names[0], names[i]);
        free(names[i]);
    }
    free(names[0]);
}

static void test_the_platform_works_in_copies(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"new URL('../b?q=1', 'https://user@h\u00e9.example/a/').href", "\"https://user@xn--h-bga.example/b?q=1\""},
        {"[...new TextEncoder().encode('\u20ac')]", "[226,130,172]"},
        {"new TextDecoder().decode(new Uint8Array([226, 130, 172]))", "\"\u20ac\""},
        {"new Promise((r) => { const c = new MessageChannel(); c.port1.onmessage = (e) => r(e.data);"
         " c.port2.postMessage({ a: [1] }) })",
         "{\"a\":[1]}"},
        {"new Promise((r) => { AbortSignal.timeout(1).onabort = (e) => r(e.target.reason.name) })", "\"TimeoutError\""},
        {"const e = new EventTarget(); let n = 0; e.addEventListener('x', () => n++); e.dispatchEvent(new Event('x')); n",
         "1"},
        {"[...structuredClone(new Map([[1, { a: 2 }]]))]", "[[1,{\"a\":2}]]"},
        {"atob(btoa('abc'))", "\"abc\""},
        {"crypto.randomUUID().length", "36"},
        {"crypto.subtle.digest('SHA-256', new Uint8Array()).then((d) => [...new Uint8Array(d)].slice(0, 2))",
         "[227,176]"},
        {"try { eval('1') } catch (e) { e.name }", "\"EvalError\""},
        {"try { new Function('1') } catch (e) { e.name }", "\"EvalError\""},
        {"try { structuredClone(() => {}) } catch (e) { [e.name, e instanceof DOMException] }",
         "[\"DataCloneError\",true]"},
        {"try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) } catch (e) { e.name }",
         "\"CompileError\""},
    };
    aard_isolate *isolate = javascript();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            value_is(exec(isolate, rows[i][0]), rows[i][1]);
            if (round == 1) assert_ok(aard_isolate_prepare_reset(isolate));
            if (round) assert_ok(aard_isolate_reset(isolate));
        }
        assert_ok(aard_isolate_reset(isolate));
    }
    streams_are(exec(isolate, "console.log({ a: [1, 'x'] }); console.error('%d', 3); 1"), "{ a: [ 1, 'x' ] }\n", "3\n");
    exception_is(exec(isolate, "function f() { null.x } f()"), "TypeError", NULL, "at f", NULL);
    aard_isolate_free(isolate);
}

/* ---- entropy -------------------------------------------------------------------------------------------------------- */

enum { MANY = 60 };

static const char draw[] = "[Math.random(), Math.random(), crypto.randomUUID(), ...crypto.getRandomValues(new "
                           "Uint32Array(2))]";

static void all_differ(char *const drawn[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strncmp(drawn[i], drawn[k], 12)) fail_msg("two copies drew %s and %s", drawn[i], drawn[k]);
    for (size_t i = 0; i < count; i++) free(drawn[i]);
}

static void test_no_two_copies_draw_the_same(void **state)
{
    (void)state;
    char *drawn[3 * MANY];
    aard_isolate *isolates[MANY], *isolate = javascript();
    for (size_t i = 0; i < MANY; i++) { /* isolates */
        isolates[i] = javascript();
        drawn[i] = value_of(exec(isolates[i], draw));
    }
    for (size_t i = 0; i < MANY; i++) aard_isolate_free(isolates[i]);
    for (size_t i = 0; i < 2 * MANY; i++) { /* realms of one isolate, half of them made before the last was used */
        if (i % 2) assert_ok(aard_isolate_prepare_reset(isolate));
        drawn[MANY + i] = value_of(exec(isolate, draw));
        assert_ok(aard_isolate_reset(isolate));
    }
    all_differ(drawn, COUNT(drawn));
    aard_isolate_free(isolate);
}

/* ---- what does not fit ---------------------------------------------------------------------------------------------- */

static aard_error *no_fill(aard__realm *realm, void *user, aard__ref **parts, size_t *count)
{
    (void)user;
    parts[0] = aard__realm_global(realm);
    *count = 1;
    return NULL;
}

static aard_error *failing_fill(aard__realm *realm, void *user, aard__ref **parts, size_t *count)
{
    (void)realm, (void)user, (void)parts, (void)count;
    return aard__error(AARD_ERR_GUEST_BOOT, "no");
}

static const aard__host_entry *const no_tables[] = {NULL};

static void refused(const aard__snapshot_world *world, const char *data, size_t len)
{
    aard__snapshot *opened = NULL;
    aard_error *error = aard__snapshot_open(world, data, len, &opened);
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), AARD_ERR_ENGINE);
    aard_error_free(error);
    assert_null(opened);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    aard__snapshot_world world = {.tables = no_tables}, larger = {.tables = aard__guest_tables};
    const aard__snapshot_realm realms[] = {{no_fill, NULL}, {no_fill, NULL}}, failing = {failing_fill, NULL};
    aard__buf blob = AARD__BUF_INIT, none = AARD__BUF_INIT;
    aard_isolate_free(javascript());
    aard_isolate_free(javascript());
    assert_refused(aard__snapshot_make(&world, realms, 1, &none), AARD_ERR_BUSY, "another is in use", NULL);
    assert_true(aard__snapshot_distrust());
    assert_ok(aard__snapshot_make(&world, realms, 2, &blob));
    for (size_t len = 0; len < blob.len; len += len < 300 ? 1 : blob.len / 50) refused(&world, blob.data, len);
    for (size_t i = 0; i < 288; i++) { /* the header, except for what stands behind the key's end */
        if (!blob.data[i] && i < 272) continue;
        blob.data[i] ^= 1;
        refused(&world, blob.data, blob.len);
        blob.data[i] ^= 1;
    }
    refused(&larger, blob.data, blob.len); /* other host functions */
    assert_refused(aard__snapshot_make(&world, &failing, 1, &none), AARD_ERR_GUEST_BOOT, "no", NULL);
    assert_int_equal(none.len, 0);
    assert_non_null(strstr(aard__snapshot_key(), aard_v8_version()));
    aard__snapshot *opened;
    assert_ok(aard__snapshot_open(&world, blob.data, blob.len, &opened));
    aard__snapshot_free(opened);
    aard__buf_free(&blob);
}

static void *make_and_call(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        aard_isolate_config *config;
        aard_isolate *isolate;
        aard_outcome *outcome;
        if (aard_isolate_config_new(&config)) return NULL;
        aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
        aard_error *error = aard_isolate_new(config, &isolate);
        aard_isolate_config_free(config);
        if (error || aard_isolate_exec(isolate, "6 * 7", 5, NULL, NULL, &outcome)) return NULL;
        bool right = !strcmp(aard_outcome_value_json(outcome, NULL), "42");
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
        if (!right) return NULL;
    }
    return count;
}

static void test_threads_that_want_the_first_one_at_once(void **state)
{
    (void)state;
    int count = 10;
    for (int round = 0; round < 6; round++) {
        pthread_t threads[6];
        void *right;
        assert_true(aard__snapshot_distrust());
        for (size_t i = 0; i < COUNT(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, make_and_call, &count), 0);
        for (size_t i = 0; i < COUNT(threads); i++) {
            assert_int_equal(pthread_join(threads[i], &right), 0);
            assert_ptr_equal(right, &count);
        }
    }
}

/* ---- realms that are gone ------------------------------------------------------------------------------------------- */

static void host_now(aard__frame *frame, void *user)
{
    (void)user;
    aard__frame_return_number(frame, 0);
}

static int told;

static void host_write(aard__frame *frame, void *user)
{
    (void)frame, (void)user;
    told++;
}

/* A realm with the platform whose registry waits to tell that its objects are gone. */
static aard__realm *realm_with_a_registry(aard__vm *vm)
{
    static const aard__host_entry own[] = {{"now", host_now}, {"write", host_write}, {NULL, NULL}};
    static const aard__host_entry *const tables[] = {
        aard__engine_host, aard__host_text, aard__host_url, aard__host_crypto, own, NULL};
    static const char code[] = "globalThis.registry = new FinalizationRegistry((held) => console.log(held));"
                               "for (let i = 0; i < 9; i++) registry.register({ i }, i)";
    aard__realm *realm;
    aard__ref *shared;
    aard__result result = {0};
    aard__source source = {.name = "test", .data = code, .len = sizeof code - 1};
    assert_ok(aard__realm_new(vm, &realm));
    assert_ok(aard__platform_install(realm, tables, &shared));
    aard__ref_free(shared);
    aard__realm_run(realm, &source, false, &result);
    assert_int_equal(result.status, AARD__OK);
    aard__result_free(&result);
    aard__vm_collect(vm);
    return realm;
}

static void test_a_registry_of_a_realm_that_is_gone_is_silent(void **state)
{
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        aard__vm *vm;
        aard__vm_options options = {0};
        assert_ok(aard__vm_new(&options, &vm));
        aard__vm_enter(vm);
        told = 0;
        aard__realm *realm = realm_with_a_registry(vm);
        if (drop) aard__realm_free(realm);
        aard__vm_pump(vm);
        assert_int_equal(told, drop ? 0 : 9);
        aard__vm_leave(vm);
        aard__vm_free(vm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests_are_the_same_with_and_without_it),
        cmocka_unit_test(test_the_platform_works_in_copies),
        cmocka_unit_test(test_no_two_copies_draw_the_same),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_threads_that_want_the_first_one_at_once),
        cmocka_unit_test(test_a_registry_of_a_realm_that_is_gone_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
