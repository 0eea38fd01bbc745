/* Outcomes: what they tell, that they stay as they are, and their JSON form.  test-quick */
#include "isolate_support.h"

#include <jansson.h>
#include <locale.h>

#include "base/alloc.h"
#include "outcome/outcome.h"

static aard_isolate *python, *javascript;

static int set_up(void **state)
{
    (void)state;
    python = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_from("python"));
    javascript = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_from("javascript"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(python);
    aard_isolate_free(javascript);
    return 0;
}

static json_t *json_of(const aard_outcome *outcome)
{
    char *text = NULL;
    size_t len = 0;
    assert_ok(aard_outcome_json(outcome, &text, &len));
    json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    aard_string_free(text);
    return root;
}

/* The member at "a.b.c". */
static json_t *member(json_t *root, const char *path)
{
    char name[64];
    for (json_t *at = root;;) {
        size_t len = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        at = json_object_get(at, name);
        if (!at) fail_msg("there is no '%s'", name);
        if (!path[len]) return at;
        path += len + 1;
    }
}

static void member_is(json_t *root, const char *path, const char *wanted)
{
    char *text = json_dumps(member(root, path), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_non_null(text);
    if (strcmp(text, wanted)) fail_msg("%s is %s, not %s", path, text, wanted);
    free(text);
}

/* ---- the JSON form --------------------------------------------------------------------------------------------- */

static void test_a_success_in_json(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(javascript, "console.log('out\\n\"'); console.error('err'); ({ a: [1, 'ä'] })");
    json_t *root = json_of(outcome);
    member_is(root, "status", "\"success\"");
    member_is(root, "value", "{\"a\":[1,\"ä\"]}");
    member_is(root, "buffers", "[]");
    member_is(root, "failure", "null");
    member_is(root, "diagnostics.stdout", "\"out\\n\\\"\\n\"");
    member_is(root, "diagnostics.stderr", "\"err\\n\"");
    member_is(root, "diagnostics.stdout_dropped_bytes", "0");
    member_is(root, "diagnostics.isolation",
              expected_isolation() == AARD_ISOLATION_PROCESS ? "\"process\"" : "\"thread\"");
    member_is(root, "diagnostics.reset.mode", "\"none\"");
    member_is(root, "diagnostics.network", "{\"allowed\":[],\"blocked\":[]}");
    member_is(root, "diagnostics.policy_violations", "[]");
    assert_null(json_object_get(root, "value_repr"));
    assert_null(aard_outcome_value_repr(outcome, NULL));
    assert_null(aard_outcome_failure_message(outcome));
    assert_null(aard_outcome_exception_type(outcome));
    json_decref(root);
    aard_outcome_free(outcome);
}

static void test_a_failure_in_json(void **state)
{
    (void)state;
    aard_outcome *outcome = call(javascript, "raising:plain", "{}");
    json_t *root = json_of(outcome);
    member_is(root, "status", "\"failure\"");
    member_is(root, "value", "null");
    member_is(root, "failure.kind", "\"javascript_exception\"");
    member_is(root, "failure.exception.type", "\"TypeError\"");
    assert_string_equal(json_string_value(member(root, "failure.exception.value")),
                        aard_outcome_exception_value(outcome, NULL));
    assert_string_equal(json_string_value(member(root, "failure.exception.traceback")),
                        aard_outcome_exception_traceback(outcome, NULL));
    assert_string_equal(json_string_value(member(root, "failure.message")), aard_outcome_failure_message(outcome));
    json_decref(root);
    aard_outcome_free(outcome);
    outcome = call(javascript, "main:echo", "{");
    root = json_of(outcome);
    member_is(root, "failure.kind", "\"adapter_error\"");
    assert_null(json_object_get(member(root, "failure"), "exception"));
    json_decref(root);
    aard_outcome_free(outcome);
    outcome = call(python, "raising:plain", "{}");
    root = json_of(outcome);
    member_is(root, "failure.kind", "\"python_exception\"");
    json_decref(root);
    aard_outcome_free(outcome);
}

static void test_violations_are_told_though_the_guest_keeps_quiet(void **state)
{
    (void)state;
    static const char code[] = "from pyodide.ffi import to_js\n"
                               "for i in range(3):\n"
                               "    try:\n"
                               "        to_js([1, 2])\n"
                               "    except Exception:\n"
                               "        pass\n";
    aard_outcome *outcome = exec(python, code);
    assert_true(aard_outcome_is_success(outcome));
    bool found = false;
    for (size_t i = 0; i < aard_outcome_violation_count(outcome); i++) {
        const aard_violation *violation = aard_outcome_violation(outcome, i);
        assert_int_equal(violation->kind, AARD_VIOLATION_CAPABILITY_DENIED);
        assert_string_equal(violation->reason, "js");
        found = found || (!strcmp(violation->subject, "pyodide.ffi.to_js") && violation->count >= 3);
    }
    assert_true(found);
    assert_null(aard_outcome_violation(outcome, aard_outcome_violation_count(outcome)));
    assert_null(aard_outcome_network_attempt(outcome, 0));
    json_t *root = json_of(outcome);
    json_t *list = member(root, "diagnostics.policy_violations");
    assert_int_equal(json_array_size(list), aard_outcome_violation_count(outcome));
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "kind")), "capability_denied");
    json_decref(root);
    aard_outcome_free(outcome);
    outcome = exec(python, "1"); /* and the next call begins without them */
    assert_int_equal(aard_outcome_violation_count(outcome), 0);
    aard_outcome_free(outcome);
}

static void test_buffers_in_json_are_base64(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"[]", ""},
                                          {"[0]", "AA=="},
                                          {"[0,1]", "AAE="},
                                          {"[0,1,2]", "AAEC"},
                                          {"[255,255,255,254]", "/////g=="},
                                          {"[251,240,62,63]", "+/A+Pw=="}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char input[64];
        snprintf(input, sizeof input, "\"bytes(%s)\"", rows[i][0]);
        aard_outcome *outcome = call(python, "main:evaluate", input);
        json_t *root = json_of(outcome), *buffer = json_array_get(json_object_get(root, "buffers"), 0);
        assert_string_equal(json_string_value(json_object_get(buffer, "base64")), rows[i][1]);
        assert_string_equal(json_string_value(json_object_get(buffer, "id")), "result");
        size_t len = 0;
        aard_outcome_buffer(outcome, 0, NULL, NULL, &len, NULL);
        assert_int_equal(json_integer_value(json_object_get(buffer, "length")), len);
        member_is(root, "value", "null");
        json_decref(root);
        aard_outcome_free(outcome);
    }
}

static void test_a_repr_in_json(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(python, "{1}");
    json_t *root = json_of(outcome);
    member_is(root, "value", "null");
    member_is(root, "value_repr", "\"{1}\"");
    json_decref(root);
    aard_outcome_free(outcome);
}

static void test_the_hosts_locale_changes_nothing(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", "C"};
    for (size_t i = 0; i < COUNT(locales); i++) {
        if (!setlocale(LC_ALL, locales[i])) continue; /* C is always there */
        aard_outcome *outcome = exec(javascript, "1.5");
        json_t *root = json_of(outcome);
        member_is(root, "value", "1.5");
        assert_true(json_is_real(member(root, "diagnostics.wall_ms")));
        json_decref(root);
        aard_outcome_free(outcome);
    }
    setlocale(LC_ALL, "C");
}

/* ---- diagnostics ----------------------------------------------------------------------------------------------- */

static void sane(const aard_outcome *outcome, bool has_python)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    assert_true(d->isolate_id > 0);
    assert_true(d->wall_ms > 0);
    assert_true(d->run_ms >= 0 && d->prepare_ms >= 0 && d->cleanup_ms >= 0 && d->queue_wait_ms >= 0);
    assert_true(d->wall_ms + 0.001 >= d->run_ms);
    assert_true(d->wall_ms + 0.001 >= d->prepare_ms + d->run_ms + d->cleanup_ms - 0.001);
    assert_true(d->cpu_ms_used >= 0 && d->cpu_ms_used <= d->wall_ms + 5);
    assert_true(d->rss_kib_before > 1000 && d->rss_kib_after > 1000);
    assert_true(d->js_heap_kib > 100);
    assert_true(has_python ? d->py_heap_kib >= 16 * 1024 : d->py_heap_kib == 0);
    assert_int_equal(d->stdout_dropped_bytes + d->stderr_dropped_bytes + d->filesystem_bytes_written, 0);
    assert_true(d->started_at_ns > INT64_C(1600000000) * 1000000000);
}

static void test_diagnostics_are_sane(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(python, "sum(range(2000000))");
    sane(outcome, true);
    assert_true(aard_outcome_diagnostics(outcome)->run_ms > 0.5);
    assert_true(aard_outcome_diagnostics(outcome)->cpu_ms_used > 0.5);
    uint64_t id = aard_outcome_diagnostics(outcome)->isolate_id;
    aard_outcome_free(outcome);
    outcome = exec(python, "import time\ntime.sleep(0.02)");
    assert_true(aard_outcome_diagnostics(outcome)->run_ms >= 20);
    assert_int_equal(aard_outcome_diagnostics(outcome)->isolate_id, id);
    aard_outcome_free(outcome);
    outcome = exec(javascript, "await new Promise((r) => setTimeout(r, 30))");
    sane(outcome, false);
    assert_true(aard_outcome_diagnostics(outcome)->run_ms >= 29);
    assert_true(aard_outcome_diagnostics(outcome)->cpu_ms_used < 29); /* it slept */
    assert_int_not_equal(aard_outcome_diagnostics(outcome)->isolate_id, id);
    aard_outcome_free(outcome);
    outcome = call(javascript, "main:echo", "{");
    sane(outcome, false);
    aard_outcome_free(outcome);
    outcome = call(python, "raising:plain", "{}");
    sane(outcome, true);
    aard_outcome_free(outcome);
}

static void test_the_start_is_told_by_rfc3339(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(javascript, "1");
    json_t *root = json_of(outcome);
    const char *at = json_string_value(member(root, "diagnostics.started_at"));
    int year, month, day, hour, minute, second, ms, end = 0;
    assert_int_equal(
        sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second, &ms, &end), 7);
    assert_int_equal(end, (int)strlen(at));
    assert_true(year >= 2024 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 &&
                second < 61);
    json_decref(root);
    aard_outcome_free(outcome);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void test_an_outcome_outlives_its_isolate(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_from("javascript"));
    aard_outcome *outcomes[] = {exec(isolate, "console.log('kept'); ({ a: 1 })"), call(isolate, "raising:plain", "{}"),
                                call(isolate, "main:bytes", NULL), exec(isolate, "new Set([1])")};
    aard_isolate_free(isolate);
    const uint8_t *data;
    size_t len;
    assert_string_equal(aard_outcome_value_json(outcomes[0], &len), "{\"a\":1}");
    assert_string_equal(aard_outcome_stdout(outcomes[0], &len), "kept\n");
    assert_string_equal(aard_outcome_exception_type(outcomes[1]), "TypeError");
    assert_contains(aard_outcome_exception_traceback(outcomes[1], NULL), "raising.js");
    aard_outcome_buffer(outcomes[2], 0, NULL, &data, &len, NULL);
    assert_memory_equal(data, "\0\1\xff", 3);
    assert_contains(aard_outcome_value_repr(outcomes[3], &len), "Set");
    for (size_t i = 0; i < COUNT(outcomes); i++) aard_outcome_free(check_form(outcomes[i]));
    aard_outcome_free(NULL);
}

static void test_an_outcome_does_not_change_with_the_next_call(void **state)
{
    (void)state;
    aard_outcome *first = exec(python, "print('first')\n'first'"), *second = exec(python, "print('second')\n'second'");
    assert_string_equal(aard_outcome_value_json(first, NULL), "\"first\"");
    assert_string_equal(aard_outcome_stdout(first, NULL), "first\n");
    value_is(second, "\"second\"");
    value_is(first, "\"first\"");
}

/* ---- made by hand ---------------------------------------------------------------------------------------------- */

static void test_a_failure_replaces_what_came_before(void **state)
{
    (void)state;
    aard_outcome *outcome = NULL;
    aard__buf data = AARD__BUF_INIT;
    assert_ok(aard__outcome_new(&outcome));
    aard__buf_puts(&data, "bytes");
    assert_ok(aard__outcome_add_buffer(outcome, "id", "null", &data));
    assert_null(data.data);
    aard__buf_puts(&outcome->value, "[1]");
    aard__buf_puts(&outcome->repr, "repr");
    aard__outcome_fail_exception(outcome, AARD_FAILURE_PYTHON_EXCEPTION, "T", 1, "v", 1, "t", 1);
    assert_int_equal(aard_outcome_buffer_count(outcome), 0);
    assert_null(aard_outcome_value_json(outcome, NULL));
    assert_string_equal(aard_outcome_failure_message(outcome), "T: v");
    aard__outcome_fail(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "limit %d", 5);
    assert_null(aard_outcome_exception_type(outcome));
    failure_is(check_form(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED, "limit 5", NULL);
}

static void test_a_long_message_ends_with_a_whole_character(void **state)
{
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        aard_outcome *outcome = NULL;
        char text[2000] = "";
        assert_ok(aard__outcome_new(&outcome));
        memset(text, 'x', (size_t)shift);
        for (int i = 0; i < 300; i++) memcpy(text + shift + i * 4, "😀", 5);
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "%s", text);
        size_t len = strlen(aard_outcome_failure_message(outcome));
        assert_true(len > 500 && len < 512);
        assert_int_equal((len - (size_t)shift) % 4, 0);
        aard_outcome_free(check_form(outcome));
    }
}

static void test_names_of_kinds_and_modes(void **state)
{
    (void)state;
    assert_string_equal(aard_failure_kind_name(AARD_FAILURE_NONE), "none");
    assert_string_equal(aard_failure_kind_name(AARD_FAILURE_HEAP_LIMIT_EXCEEDED), "heap_limit_exceeded");
    assert_string_equal(aard_failure_kind_name((aard_failure_kind)999), "unknown");
    assert_string_equal(aard_reset_mode_name(AARD_RESET_NEW_ISOLATE), "new_isolate");
    assert_string_equal(aard_reset_mode_name((aard_reset_mode)999), "unknown");
}

static long allowed_allocations;

static int allow(size_t size)
{
    (void)size;
    return allowed_allocations-- > 0;
}

static void test_json_without_memory(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(javascript, "console.log('x'.repeat(1000)); 'y'.repeat(1000)");
    bool failed = true;
    for (long count = 0; failed; count++) {
        char *text = NULL;
        size_t len = 7;
        allowed_allocations = count;
        aard__alloc_set_hook(allow);
        aard_error *error = aard_outcome_json(outcome, &text, &len);
        aard__alloc_set_hook(NULL);
        failed = error != NULL;
        assert_int_equal(failed, text == NULL);
        if (failed) {
            assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
            assert_int_equal(len, 7);
            aard_error_free(error);
        }
        aard_string_free(text);
        assert_true(count < 100);
    }
    aard_outcome_free(outcome);
}

/* Every allocation of a call may fail: the call then gives an error or an outcome, and the next one works. */
static void test_calls_without_memory(void **state)
{
    (void)state;
    aard_isolate *isolates[] = {python, javascript};
    static const char *const rows[][2] = {{"main:echo", "[1]"}, {"raising:plain", "{}"}, {"main:bytes", "1"}};
    for (size_t which = 0; which < 2; which++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            aard_handler *handler = NULL;
            aard_call *what = NULL;
            assert_ok(aard_handler_new(isolates[which], rows[i][0], &handler));
            assert_ok(aard_call_new(&what));
            aard_call_set_input_json(what, rows[i][1], strlen(rows[i][1]));
            for (long count = 0; count < 40; count++) {
                aard_outcome *outcome = NULL;
                allowed_allocations = count;
                aard__alloc_set_hook(allow);
                aard_error *error = aard_handler_invoke(handler, what, &outcome);
                aard__alloc_set_hook(NULL);
                assert_true((error == NULL) == (outcome != NULL));
                aard_error_free(error);
                if (outcome) aard_outcome_free(check_form(outcome));
            }
            aard_outcome *outcome = NULL;
            assert_ok(aard_handler_invoke(handler, what, &outcome));
            aard_outcome_free(check_form(outcome));
            aard_call_free(what);
            aard_handler_free(handler);
            value_is(call(isolates[which], "main:echo", "[1]"), "[1]");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_success_in_json),
        cmocka_unit_test(test_a_failure_in_json),
        cmocka_unit_test(test_violations_are_told_though_the_guest_keeps_quiet),
        cmocka_unit_test(test_buffers_in_json_are_base64),
        cmocka_unit_test(test_a_repr_in_json),
        cmocka_unit_test(test_the_hosts_locale_changes_nothing),
        cmocka_unit_test(test_json_without_memory),
        cmocka_unit_test(test_diagnostics_are_sane),
        cmocka_unit_test(test_the_start_is_told_by_rfc3339),
        cmocka_unit_test(test_an_outcome_outlives_its_isolate),
        cmocka_unit_test(test_an_outcome_does_not_change_with_the_next_call),
        cmocka_unit_test(test_a_failure_replaces_what_came_before),
        cmocka_unit_test(test_a_long_message_ends_with_a_whole_character),
        cmocka_unit_test(test_names_of_kinds_and_modes),
        cmocka_unit_test(test_calls_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
