/* Where the engine would abort the process over a check of its own: guests that make true things untrue between the check and
 * what relies on it.  And code that is made without the capability to make any. */
#include "isolate_support.h"

#include "base/alloc.h"
#include "engine/engine.h"
#include "inside.h"

LEAKS_OF_LEFT_GUESTS

static aard_isolate *javascript(void)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    return boot(config, NULL);
}

#define ASM                                                                                                            \
    "function module(stdlib, foreign, heap) { 'use asm'; var a = new stdlib.Int8Array(heap);"                          \
    " function f(x) { x = x|0; a[0] = x; return x|0; } return { f: f }; }\n"

static void test_a_buffer_that_changes_while_it_is_cloned(void **state)
{
    (void)state;
    static const struct {
        const char *code, *value; /* NULL: a DataCloneError */
    } rows[] = {
        {ASM "{ const b = new ArrayBuffer(0x10000);"
             " structuredClone({ get a() { return module(globalThis, {}, b).f(1) } }, { transfer: [b] }).a }",
         "1"},
        {"{ const b = new ArrayBuffer(8);"
         " structuredClone({ get a() { structuredClone(b, { transfer: [b] }) } }, { transfer: [b] }) }",
         NULL},
        {"{ const a = new ArrayBuffer(8), b = new ArrayBuffer(8), v = new Uint8Array(b);"
         " structuredClone([v, { get a() { structuredClone(0, { transfer: [a] }) } }], { transfer: [b, a] }) }",
         NULL},
        {"{ const { port1 } = new MessageChannel(), b = new ArrayBuffer(8);"
         " port1.postMessage({ get a() { port1.postMessage(0, [b]) } }, [b]) }",
         NULL},
        {"{ const b = new ArrayBuffer(8), t = [b]; structuredClone({ get a() { t.length = 0; return 2 } },"
         " { transfer: t }).a + b.byteLength }",
         "2"},
    };
    aard_isolate *isolate = javascript();
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec(isolate, rows[i].code);
        if (rows[i].value)
            value_is(outcome, rows[i].value);
        else
            exception_is(outcome, "DataCloneError", NULL, NULL);
    }
    value_is(exec(isolate, "1 + 1"), "2");
    aard_isolate_free(isolate);
}

/* What the host throws for the guest is made without running the guest's code. */
static void test_setters_of_errors_are_not_called(void **state)
{
    (void)state;
    aard_isolate *isolate = javascript();
    value_is(exec(isolate, "globalThis.set = 0;"
                           "Object.defineProperty(Error.prototype, 'name', { get() { return 'E' }, set() { set++ } });"
                           "try { structuredClone(() => 1) } catch (e) { [set, e.name] }"),
             "[0,\"DataCloneError\"]");
    aard_isolate_free(isolate);
}

static void test_a_module_imports_what_waits_for_it(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.js", "import './other.js';\nexport const log = [];\n"
                    "import('./main.js').then((m) => log.push(m.log === log));\n"
                    "import('./fails.js').catch((e) => log.push(e.message));\n"
                    "log.push('evaluated');\nexport const f = () => log;\n"},
        {"other.js", "import('./main.js').then((m) => m.log.push('other'));\nimport('./other.js');\n"},
        {"fails.js", "throw new Error('as it should');\n"},
        {NULL, NULL},
    };
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(files));
    value_is(call(isolate, "main:f", NULL), "[\"evaluated\",\"other\",true,\"as it should\"]");
    aard_isolate_free(isolate);
}

/* As the engine sees it asm.js is WebAssembly, which takes a capability: its buffers are then no one's to give away. */
static void test_asm_is_plain_javascript(void **state)
{
    (void)state;
    aard_isolate *isolate = javascript();
    value_is(exec(isolate, ASM "globalThis.b = new ArrayBuffer(0x10000); const m = module(globalThis, {}, b);"
                               "[m.f(7), structuredClone(b, { transfer: [b] }).byteLength, b.byteLength]"),
             "[7,65536,0]");
    aard_isolate_free(isolate);
}

static void test_code_by_other_names_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "(async () => {}).constructor('return 1')()",
        "(function* () {}).constructor('yield 1')()",
        "(async function* () {}).constructor('yield 1')()",
        "Reflect.construct(Function, ['return 1'], class extends Function {})()",
        "(0, eval)('1 + 1')",
        "new (class extends Function {})('return 1')()",
        "[].constructor.constructor('return 1')()",
        "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))",
        "await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))",
        "await WebAssembly.compileStreaming(new Response(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])))",
    };
    aard_isolate *isolate = javascript();
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec(isolate, rows[i]);
        if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_JAVASCRIPT_EXCEPTION ||
            !aard_outcome_violation_count(outcome))
            fail_msg("%s", rows[i]);
        assert_string_equal(aard_outcome_violation(outcome, 0)->reason, "codegen");
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

/* ---- host functions that work on much at once ---------------------------------------------------------------------- */

/* Ended in the middle, not at their end: a whole one takes seconds. */
static void test_host_functions_look_whether_the_call_was_ended(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "await crypto.subtle.digest('SHA-512', new Uint8Array(2 ** 32)); 1",
        "for (;;) new TextDecoder('utf-16le').decode(new Uint8Array(2 ** 30 - 64))",
        "new TextDecoder().decode(new Uint8Array(2 ** 29).fill(0xff))",
    };
    aard_isolate *isolate = javascript();
    aard_call *what = limited_to(200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_with(isolate, rows[i], what);
        double run = aard_outcome_diagnostics(outcome)->run_ms, cpu = aard_outcome_diagnostics(outcome)->cpu_ms_used;
        failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        if (run > 200 + 10 * late_ms() && cpu > 200 + 5 * late_ms())
            fail_msg("%s: %.0f ms, %.0f of CPU", rows[i], run, cpu);
    }
    aard_call_free(what);
    aard_isolate_free(isolate);
}

static double milliseconds_of_transfer(aard_isolate *isolate, unsigned count)
{
    char code[256];
    double best = 1e9;
    snprintf(code, sizeof code,
             "{ const list = []; for (let i = 0; i < %u; i++) list.push(new ArrayBuffer(1));"
             " structuredClone(0, { transfer: list }); list.length }",
             count);
    for (int i = 0; i < 3; i++) {
        aard_outcome *outcome = exec(isolate, code);
        assert_success(outcome);
        double cpu = aard_outcome_diagnostics(outcome)->cpu_ms_used;
        if (cpu < best) best = cpu;
        aard_outcome_free(outcome);
    }
    return best;
}

static void test_a_transfer_list_takes_linear_time(void **state)
{
    (void)state;
    aard_isolate *isolate = javascript();
    double some = milliseconds_of_transfer(isolate, 4000), many = milliseconds_of_transfer(isolate, 32000);
    if (many > 24 * some) fail_msg("%.1f ms, and %.1f ms for eight times as many", some, many);
    exception_is(exec(isolate, "{ const b = new ArrayBuffer(1); structuredClone(0, { transfer: [b, b] }) }"),
                 "DataCloneError", NULL, "twice", NULL);
    aard_isolate_free(isolate);
}

/* What is converted in slices is what the engine would make of it: at the ends of slices stand all kinds of characters. */
static void test_large_texts_are_what_small_ones_are(void **state)
{
    (void)state;
    aard_isolate *isolate = javascript();
    value_is(
        exec(
            isolate,
            "const bad = [], piece = 'a\\u00e9\\u20ac\\ud83d\\ude00\\ud800\\udc00\\ud800x\\udc00\\u0000';"
            "const mended = 'a\\u00e9\\u20ac\\ud83d\\ude00\\ud800\\udc00\\ufffdx\\ufffd\\u0000';"
            "const n = 40000, encoder = new TextEncoder(), decoder = new TextDecoder();"
            "for (let shift = 0; shift < 4; shift++) {"
            "  const head = 'yyy'.slice(0, shift), text = head + piece.repeat(n), right = head + mended.repeat(n);"
            "  const bytes = encoder.encode(text);"
            "  if (decoder.decode(bytes) !== right) bad.push(`utf-8 ${shift}`);"
            "  for (const room of [bytes.length, bytes.length - 1, bytes.length - 5, 500001 + shift]) {"
            "    const into = new Uint8Array(room), { read, written } = encoder.encodeInto(text, into);"
            "    if (decoder.decode(into.subarray(0, written)) !== right.slice(0, read) || written > room ||"
            "        room - written > 3) bad.push(`encodeInto ${shift} ${room} ${read} ${written}`);"
            "  }"
            "  for (let room = 0; room < 9; room++) {"
            "    const into = new Uint8Array(room), same = new Uint8Array(room), long = '\\ud83d\\ude00a\\ud800b'.repeat(90000);"
            "    const a = encoder.encodeInto(head + long, into), b = encoder.encodeInto(head + long.slice(0, 20), same);"
            "    if (a.read !== b.read || a.written !== b.written || into.join() !== same.join()) bad.push(`room ${room}`);"
            "  }"
            "  const units = new Uint16Array(text.length);"
            "  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);"
            "  if (new TextDecoder('utf-16le').decode(units) !== right) bad.push(`utf-16 ${shift}`);"
            "  const broken = new Uint8Array(bytes.length + 2); broken.set(bytes); broken[bytes.length] = 0xf0;"
            "  broken[bytes.length + 1] = 0x9f; if (decoder.decode(broken) !== right + '\\ufffd') bad.push(`cut ${shift}`);"
            "  const latin = head + 'ab\\xff'.repeat(700000);"
            "  if (atob(btoa(latin)) !== latin) bad.push(`base64 ${shift}`);"
            "}"
            "bad"),
        "[]");
    value_is(exec(isolate,
                  "'\\ud83d\\ude00'.repeat(200000) === JSON.parse(JSON.stringify('\\ud83d\\ude00'.repeat(200000)))"),
             "true");
    aard_outcome *outcome = exec(isolate, "'x' + '\\ud83d\\ude00'.repeat(200000)");
    assert_success(outcome);
    size_t len;
    const char *text = aard_outcome_value_json(outcome, &len);
    assert_int_equal(len, 3 + 4 * 200000);
    for (size_t i = 0; i < 200000; i++) assert_memory_equal(text + 2 + 4 * i, "\xf0\x9f\x98\x80", 4);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
}

/* ---- one step that takes much ----------------------------------------------------------------------------------------- */

/* Texts that are small ropes, far beyond the heap once they are flat; and some within it, whose result is not. */
static const char *const large_steps[] = {
    "encodeURIComponent('\\u1234'.repeat(2 ** 29 - 24))",
    "encodeURIComponent('\\u1234'.repeat(2 ** 24))",
    "encodeURI('\\u1234'.repeat(2 ** 24))",
    "btoa('x'.repeat(2 ** 29 - 24))",
    "atob('abcd'.repeat(2 ** 26))",
    "'\\u00e4\\u1234'.repeat(2 ** 28 - 24).toUpperCase()",
    "'\\u1234'.repeat(2 ** 29 - 24).localeCompare('\\u1234'.repeat(2 ** 29 - 25) + 'a')",
    "JSON.stringify('\\u1234\\n'.repeat(2 ** 28 - 24))",
    "JSON.parse('[' + '1,'.repeat(2 ** 28 - 24) + '1]')",
    "'ab'.repeat(2 ** 28 - 24).replace(/a/g, 'ccc')",
    "'ab'.repeat(2 ** 28 - 24).split('a')",
    "new Array(2 ** 22).fill('x'.repeat(100)).join('y')",
    "new TextEncoder().encode('\\u1234'.repeat(2 ** 29 - 24))",
    "new TextDecoder('latin1').decode(new Uint8Array(5e7).fill(0x85))",
    "/x$/.test('\\u1234'.repeat(2 ** 29 - 24))",
    "escape('\\u1234'.repeat(2 ** 29 - 24))",
    "decodeURI('%e1%88%b4'.repeat(2 ** 25))",
    "'\\u1234\\u00e4'.repeat(2 ** 28 - 24).normalize('NFD')",
    "parseInt('1'.repeat(2 ** 29 - 24))",
    "'\\u1234\\u00e4'.repeat(2 ** 23).normalize('NFKD')",
    "'\\u1234\\u00e4'.repeat(2 ** 23).normalize('NFKD') + 1",
    "'\\u1234'.repeat(2 ** 29 - 24).charCodeAt(2 ** 28)",
};

static void test_no_step_takes_much_beyond_the_heap(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, (size_t)64 << 20);
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "1 + 1"), "2");
    long before = resident_kib();
    FILE *file = fopen("/proc/self/clear_refs", "w"); /* the peak is counted anew */
    bool counted = file && fputs("5", file) >= 0;
    if (file) counted = !fclose(file) && counted;
    for (size_t i = 0; i < COUNT(large_steps); i++) {
        aard_outcome *outcome = exec(isolate, large_steps[i]);
        aard_failure_kind kind = aard_outcome_failure_kind(outcome);
        if (kind != AARD_FAILURE_HEAP_LIMIT_EXCEEDED) fail_msg("%s, %s", aard_failure_kind_name(kind), large_steps[i]);
        aard_outcome_free(outcome);
        value_is(exec(isolate, "1 + 1"), "2");
        long grown = (resident_kib() - before) / 1024;
        if (grown > 64 + 16 * (long)(late_ms() > 500)) fail_msg("%ld MiB stay after %s", grown, large_steps[i]);
    }
    char text[256];
    long peak = 0;
    file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file)) sscanf(text, "VmHWM: %ld", &peak);
    fclose(file);
    print_message("%ld MiB before, %ld at most, %ld now\n", before / 1024, peak / 1024, resident_kib() / 1024);
#ifndef __SANITIZE_ADDRESS__
    if (counted && peak - before > 6 * 64 * 1024) fail_msg("%ld MiB at most", peak / 1024);
#endif
    aard_isolate_free(isolate);
}

static void test_long_texts_are_encoded_as_short_ones(void **state)
{
    (void)state;
    aard_isolate *isolate = javascript();
    value_is(exec(isolate, "const bad = [], piece = 'a/\\u00e9\\u20ac\\ud83d\\ude00 ';"
                           "for (let shift = 0; shift < 8; shift++) for (const f of [encodeURI, encodeURIComponent]) {"
                           "  const head = 'yyyyyyyy'.slice(0, shift);"
                           "  if (f(head + piece.repeat(30000)) !== head + f(piece).repeat(30000)) bad.push(shift) }"
                           "try { encodeURI('x'.repeat(65535) + '\\ud83d') } catch (e) { bad.push(e.name) }"
                           "try { encodeURI('\\ud83d' + 'x'.repeat(99999)) } catch (e) { bad.push(e.name) }"
                           "[...bad, encodeURI.name, encodeURI.length, Object.keys(globalThis).includes('encodeURI')]"),
             "[\"URIError\",\"URIError\",\"encodeURI\",1,false]");
    aard_isolate_free(isolate);
}

/* ---- an isolate and its host ------------------------------------------------------------------------------------------ */

static aard_handler *spare;

static void free_spare(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    (void)len;
    aard_handler_free(spare);
    spare = NULL;
}

/* The call under way has the isolate: nothing of the guest runs for the handler, which goes when somebody else has it. */
static void test_a_handler_is_freed_in_the_middle_of_a_call(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.js", "export const f = () => { console.log('now'); return 1 };\nexport const g = () => 2;\n"},
        {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_stream_callback(config, free_spare, NULL, NULL);
    aard_isolate_config_set_wall_limit_ms(config, 20000);
    aard_isolate *isolate = boot(config, bundle_of(files));
    for (int i = 0; i < 3; i++) {
        aard_handler *handler;
        assert_ok(aard_handler_new(isolate, "main:g", &spare));
        value_is(invoke(spare, "1"), "2");
        assert_ok(aard_handler_new(isolate, "main:f", &handler));
        value_is(invoke(handler, "1"), "1");
        assert_null(spare);
        assert_true(isolate->handlers && isolate->handlers->next); /* its code has not been run */
        if (i == 2) break;
        aard_handler_free(handler);
        value_is(exec(isolate, "1"), "1");
        assert_null(isolate->handlers);
    }
    aard_handler_free(isolate->handlers);
    assert_true(isolate->handlers && isolate->handlers->gone); /* nor is it run for a free between calls */
    aard_isolate_free(isolate);
}

static long allocations_left;

static int allow_some(size_t size)
{
    (void)size;
    return allocations_left-- != 0;
}

/* Whichever allocation fails while a bundle is loaded: the guest, the isolate and its policy have the same one. */
static void test_a_bundle_that_is_not_loaded_changes_no_policy(void **state)
{
    (void)state;
#define MANIFEST(host)                                                                                                      \
    "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:f\", \"runtime\": {\"language\": \"javascript\"}, \"resources\": " \
    "{\"network\": {\"allow\": [\"" host "\"]}}}"
    static const char *const first[][2] = {
        {"aardvark.manifest.json", MANIFEST("a.example")}, {"main.js", "export const f = () => 1"}, {NULL, NULL}};
    static const char *const second[][2] = {
        {"aardvark.manifest.json", MANIFEST("b.example")}, {"main.js", "export const f = () => 2"}, {NULL, NULL}};
    aard_bundle *bundles[] = {bundle_of(first), bundle_of(second)};
    bool loaded = false;
    for (long n = 0; !loaded; n++) {
        aard_isolate *isolate = boot(thread_config(AARD_LANGUAGE_JAVASCRIPT), aard_bundle_retain(bundles[0]));
        allocations_left = n;
        aard__alloc_set_hook(allow_some);
        aard_error *error = aard_isolate_load_bundle(isolate, bundles[1]);
        aard__alloc_set_hook(NULL);
        loaded = !error;
        aard_error_free(error);
        assert_ptr_equal(worker_of(isolate)->bundle, bundles[loaded]);
        if (worker_of(isolate)->guest && worker_of(isolate)->guest->bundle)
            assert_ptr_equal(worker_of(isolate)->guest->bundle, bundles[loaded]);
        assert_int_equal(worker_of(isolate)->bundle_hosts.count, 1);
        assert_string_equal(worker_of(isolate)->bundle_hosts.patterns[0], loaded ? "b.example" : "a.example");
        aard_isolate_free(isolate);
    }
    aard_bundle_free(bundles[0]);
    aard_bundle_free(bundles[1]);
}

static void silent(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    (void)len;
}

/* A setter that can't fail: the isolate would be made, and say nothing. */
static void test_a_callback_that_found_no_memory_makes_no_isolate(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate *isolate = NULL;
    allocations_left = 0;
    aard__alloc_set_hook(allow_some);
    aard_isolate_config_set_stream_callback(config, silent, NULL, NULL);
    aard__alloc_set_hook(NULL);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_NO_MEMORY, NULL);
    aard_isolate_config_set_stream_callback(config, silent, NULL, NULL);
    aard_isolate_free(boot(config, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_buffer_that_changes_while_it_is_cloned),
        cmocka_unit_test(test_setters_of_errors_are_not_called),
        cmocka_unit_test(test_a_module_imports_what_waits_for_it),
        cmocka_unit_test(test_asm_is_plain_javascript),
        cmocka_unit_test(test_code_by_other_names_is_refused),
        cmocka_unit_test(test_host_functions_look_whether_the_call_was_ended),
        cmocka_unit_test(test_a_transfer_list_takes_linear_time),
        cmocka_unit_test(test_large_texts_are_what_small_ones_are),
        cmocka_unit_test(test_no_step_takes_much_beyond_the_heap),
        cmocka_unit_test(test_long_texts_are_encoded_as_short_ones),
        cmocka_unit_test(test_a_handler_is_freed_in_the_middle_of_a_call),
        cmocka_unit_test(test_a_bundle_that_is_not_loaded_changes_no_policy),
        cmocka_unit_test(test_a_callback_that_found_no_memory_makes_no_isolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
