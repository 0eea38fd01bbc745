/* Sessions: steps, what clear, reset and rollback leave of them, and how they are cancelled. */
#include <pthread.h>
#include <unistd.h>

#include "one_guest.h"

static aard_outcome *step(const char *code, bool rollback)
{
    aard_call *what;
    aard_outcome *outcome = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_rollback(what, rollback);
    assert_true(aard_call_rollback(what) == rollback);
    assert_ok(aard_isolate_exec(guest, code, strlen(code), NULL, what, &outcome));
    aard_call_free(what);
    return check_form(outcome);
}

static const aard_diagnostics *diagnostics_of(aard_outcome *outcome) { return aard_outcome_diagnostics(outcome); }

/* The step fails and is rolled back; whatever it failed by. */
static void rolls_back(const char *code)
{
    aard_outcome *outcome = step(code, true);
    assert_false(aard_outcome_is_success(outcome));
    if (!diagnostics_of(outcome)->rolled_back || diagnostics_of(outcome)->state_lost)
        fail_at(HERE, "not rolled back: %s", code);
    aard_outcome_free(outcome);
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static void test_steps_are_counted(void **state)
{
    (void)state;
    assert_int_equal(aard_isolate_step_count(guest), 0);
    value_is(exec(guest, "x = 20"), "null");
    value_is(exec(guest, "x + 1"), "21");
    exception_is(exec(guest, "1 / 0"), "ZeroDivisionError", NULL, NULL);
    assert_int_equal(aard_isolate_step_count(guest), 3);
    assert_ok(aard_isolate_clear(guest));
    assert_int_equal(aard_isolate_step_count(guest), 0);
    value_is(exec(guest, "1"), "1");
    assert_int_equal(aard_isolate_step_count(guest), 1);
    assert_ok(aard_isolate_reset(guest));
    assert_int_equal(aard_isolate_step_count(guest), 0);
    value_is(exec(guest, "1"), "1");
    assert_int_equal(aard_isolate_step_count(guest), 1);
    assert_int_equal(aard_isolate_step_count(NULL), 0);
}

/* ---- clear ------------------------------------------------------------------------------------------------------ */

static void test_clear_takes_names_and_leaves_files_and_modules(void **state)
{
    (void)state;
    value_is(exec(guest, "import json, sys\nclass C: pass\ndef f(): pass\nx = 1\njson.mark = 7\n"
                         "open('/session/f', 'w').write('kept')"),
             "4");
    assert_ok(aard_isolate_clear(guest));
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = {"json", "C", "f", "x"};
        exception_is(exec(guest, names[i]), "NameError", NULL, NULL);
    }
    value_is(exec(guest, "import json; json.mark"), "7");
    value_is(exec(guest, "open('/session/f').read()"), "\"kept\"");
    value_is(exec(guest, "__name__, __builtins__ is not None"), "[\"__main__\",true]");
}

static void test_clear_brings_back_what_a_step_has_changed_of_main(void **state)
{
    (void)state;
    value_is(exec(guest, "__name__ = 'other'; del __builtins__"), "null");
    assert_ok(aard_isolate_clear(guest));
    value_is(exec(guest, "__name__"), "\"__main__\"");
    value_is(exec(guest, "'__builtins__' in globals()"), "true");
}

static void test_what_ends_with_the_names_may_run_code(void **state)
{
    (void)state;
    value_is(exec(guest, "class D:\n    def __del__(self):\n        import builtins\n        globals()['late'] = 1\n"
                         "        builtins.ran = True\nd = D()"),
             "null");
    assert_ok(aard_isolate_clear(guest));
    exception_is(exec(guest, "late"), "NameError", NULL, NULL);
    value_is(exec(guest, "ran"), "true");
}

static void test_clear_is_limited(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(config, 300);
    aard_isolate *other = boot(config, NULL);
    value_is(exec(other, "class D:\n    def __del__(self):\n        while True: pass\nd = D()"), "null");
    assert_refused(aard_isolate_clear(other), AARD_ERR_ENGINE, "names could not be cleared", "limit of 300 ms", NULL);
    exception_is(exec(other, "d"), "NameError", NULL, NULL);
    aard_isolate_free(other);
}

/* ---- rollback --------------------------------------------------------------------------------------------------- */

static void test_a_step_that_fails_leaves_nothing(void **state)
{
    (void)state;
    aard_outcome_free(step("import os, random\nkept = [1]\nopen('/session/a', 'w').write('one')\nrandom.seed(5)\n"
                           "first = random.getstate()",
                           true));
    rolls_back("kept.append(2); new = 1; 1 / 0");
    rolls_back("import json; json.mark = 1; random.random(); raise ValueError");
    rolls_back(
        "open('/session/a', 'w').write('two'); open('/session/b', 'w').write('x'); os.mkdir('/tmp/d'); os.chdir('/tmp/d'); 1/0");
    rolls_back("del kept; raise SystemExit(3)");
    rolls_back("x = (");
    value_is(
        step(
            "kept, 'new' in globals(), open('/session/a').read(), os.listdir('/session'), os.listdir('/tmp'), os.getcwd()",
            true),
        "[[1],false,\"one\",[\"a\"],[],\"/session\"]");
    value_is(step("random.getstate() == first", true), "true");
    value_is(step("import json; hasattr(json, 'mark')", true), "false");
}

static void test_a_step_that_succeeds_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        value_is(step(i ? "x += 1" : "x = 1", true), "null");
        rolls_back("x = 100; 1 / 0");
    }
    value_is(step("x", false), "20");
    assert_int_equal(aard_isolate_step_count(guest), 41);
    exception_is(step("x = 30; 1 / 0", false), "ZeroDivisionError", NULL, NULL);
    value_is(step("x", false), "30");
}

static void test_a_reset_after_steps_goes_back_to_the_start(void **state)
{
    (void)state;
    value_is(step("x = 1", true), "null");
    value_is(step("y = 2", true), "null");
    rolls_back("z = 3; 1 / 0");
    assert_ok(aard_isolate_reset(guest));
    exception_is(exec(guest, "x"), "NameError", NULL, NULL);
    exception_is(exec(guest, "y"), "NameError", NULL, NULL);
}

static void test_a_step_that_is_cut_off_is_rolled_back(void **state)
{
    (void)state;
    value_is(step("x = 1", true), "null");
    for (int i = 0; i < 3; i++) {
        aard_call *what = limited_to(100);
        aard_outcome *outcome = NULL;
        static const char code[] = "x = 2\nwhile True: pass";
        aard_call_set_rollback(what, true);
        assert_ok(aard_isolate_exec(guest, code, sizeof code - 1, NULL, what, &outcome));
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
        assert_int_equal(diagnostics_of(outcome)->rolled_back, 1);
        assert_int_equal(diagnostics_of(outcome)->state_lost, 0);
        aard_outcome_free(check_form(outcome));
        aard_call_free(what);
        value_is(exec(guest, "x"), "1");
    }
}

static void test_a_lost_state_is_told(void **state)
{
    (void)state;
    value_is(exec(guest, "x = 1"), "null");
    aard_call *what = limited_to(100);
    aard_outcome *outcome = exec_with(guest, "while True: pass", what);
    aard_call_free(what);
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
    assert_int_equal(diagnostics_of(outcome)->state_lost, 1);
    assert_int_equal(aard_isolate_step_count(guest), 0);
    aard_outcome_free(outcome);
    exception_is(exec(guest, "x"), "NameError", NULL, NULL);
    assert_int_equal(aard_isolate_step_count(guest), 1);
}

static void test_what_can_not_be_put_back_is_lost_and_told(void **state)
{
    (void)state;
    value_is(step("x = 1", true), "null");
    aard_outcome *outcome = step("import os\nx = os.pipe()\n1 / 0", true);
    assert_int_equal(diagnostics_of(outcome)->rolled_back, 0);
    assert_int_equal(diagnostics_of(outcome)->state_lost, 1);
    aard_outcome_free(outcome);
    exception_is(step("x", true), "NameError", NULL, NULL);
}

static void test_the_heap_limit_is_rolled_back(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_heap_limit(config, (uint64_t)64 << 20);
    aard_isolate *before = guest;
    guest = boot(config, NULL);
    value_is(step("x = 1", true), "null");
    rolls_back("x = bytearray(100 << 20)");
    value_is(step("x", true), "1");
    aard_isolate_free(guest);
    guest = before;
}

/* ---- cancelling ------------------------------------------------------------------------------------------------- */

static void *cancel_soon(void *handle)
{
    usleep(50000);
    aard_cancel(handle);
    aard_cancel(handle);
    return NULL;
}

static void cancelled_and_alive(const char *code, bool rollback)
{
    aard_call *what;
    aard_cancel_handle *handle;
    aard_outcome *outcome = NULL;
    pthread_t thread;
    assert_ok(aard_call_new(&what));
    assert_ok(aard_cancel_handle_new(&handle));
    aard_call_set_cancel_handle(what, handle);
    aard_call_set_rollback(what, rollback);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, handle), 0);
    assert_ok(aard_isolate_exec(guest, code, strlen(code), NULL, what, &outcome));
    assert_int_equal(pthread_join(thread, NULL), 0);
    failure_is(check_form(outcome), AARD_FAILURE_CANCELLED, "the call was cancelled", NULL);
    aard_cancel(handle);
    aard_call_free(what);
    aard_cancel_handle_free(handle);
    value_is(exec(guest, "x"), "1");
}

static void test_a_cancelled_step_leaves_the_session(void **state)
{
    (void)state;
    value_is(exec(guest, "import time, asyncio; x = 1"), "null");
    cancelled_and_alive("x = 2\nwhile True: pass", true);
    cancelled_and_alive("x = 2\ntime.sleep(60)", true);
    cancelled_and_alive("x = 2\nawait asyncio.sleep(60)", true);
    cancelled_and_alive("x = 2\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass", true);
}

static void test_within_the_grace_period_a_cancelled_step_leaves_all(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_grace_ms(config, 20000);
    aard_isolate *before = guest;
    guest = boot(config, NULL);
    value_is(exec(guest, "import time, asyncio; x = 1"), "null");
    cancelled_and_alive("y = 2\nwhile True: pass", false);
    cancelled_and_alive("await asyncio.sleep(60)", false);
    cancelled_and_alive("y = 3\ntime.sleep(60)", true);
    value_is(exec(guest, "y"), "2");
    aard_isolate_free(guest);
    guest = before;
}

/* ---- JavaScript ------------------------------------------------------------------------------------------------- */

static void test_javascript_is_cleared_and_never_rolled_back(void **state)
{
    (void)state;
    aard_isolate *other = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_call *what;
    aard_outcome *outcome = NULL;
    value_is(
        exec(other, "let a = 1; const b = 2; class C {}; function f() {}; globalThis.g = 3; Object.prototype.p = 4; a"),
        "1");
    value_is(exec(other, "a + b"), "3");
    assert_int_equal(aard_isolate_step_count(other), 2);
    assert_ok(aard_isolate_clear(other));
    assert_int_equal(aard_isolate_step_count(other), 0);
    value_is(exec(other, "typeof a + typeof b + typeof C + typeof f + typeof g + ({}).p"),
             "\"undefinedundefinedundefinedundefinedundefinedundefined\"");
    assert_ok(aard_call_new(&what));
    aard_call_set_rollback(what, true);
    assert_refused(aard_isolate_exec(other, "1", 1, NULL, what, &outcome), AARD_ERR_UNSUPPORTED, "Python", NULL);
    aard_call_free(what);
    aard_isolate_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_steps_are_counted),
        FRESH(test_clear_takes_names_and_leaves_files_and_modules),
        FRESH(test_clear_brings_back_what_a_step_has_changed_of_main),
        FRESH(test_what_ends_with_the_names_may_run_code),
        FRESH(test_clear_is_limited),
        FRESH(test_a_step_that_fails_leaves_nothing),
        FRESH(test_a_step_that_succeeds_stays),
        FRESH(test_a_reset_after_steps_goes_back_to_the_start),
        FRESH(test_a_step_that_is_cut_off_is_rolled_back),
        FRESH(test_a_lost_state_is_told),
        FRESH(test_what_can_not_be_put_back_is_lost_and_told),
        FRESH(test_the_heap_limit_is_rolled_back),
        FRESH(test_a_cancelled_step_leaves_the_session),
        FRESH(test_within_the_grace_period_a_cancelled_step_leaves_all),
        FRESH(test_javascript_is_cleared_and_never_rolled_back),
    };
    return cmocka_run_group_tests(tests, start_python, stop);
}
