/* Guests in processes of their own: what is killed, what hangs, what is cancelled, and what stays.  test-timeout: 240 */
#include "process_support.h"

#include <signal.h>
#include <unistd.h>

static aard_isolate *isolate;

static aard_isolate *boot_counting(aard_language language, aard_cleanup cleanup)
{
    aard_isolate_config *config = process_config(language, cleanup);
    count_output(config);
    return boot(config, NULL);
}

/* A session: no other process of a guest is there. */
static int start_session(void **state)
{
    (void)state;
    isolate = boot_counting(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    guests_are(NULL, 0);
    return 0;
}

static const char in_loop[] = "console.log('in'); for (;;);";

/* The next call has a new guest. */
static void goes_on(void)
{
    aard_outcome *outcome = exec(isolate, "1 + 1");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NEW_PROCESS);
    assert_true(aard_outcome_diagnostics(outcome)->reset_ms > 0);
    value_is(outcome, "2");
}

/* ---- children --------------------------------------------------------------------------------------------------- */

static void test_a_child_that_is_killed_costs_its_own_call(void **state)
{
    (void)state;
    static const struct {
        int signal;
        const char *text;
    } rows[] = {{SIGKILL, "signal 9 (Killed)"}, {SIGABRT, "signal 6 (Aborted)"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        running run;
        begin_call(&run, isolate, in_loop, NULL);
        kill(the_busy_one(), rows[i].signal);
        aard_outcome *outcome = end_call(&run);
        size_t len;
        const char *out = aard_outcome_stdout(outcome, &len);
        assert_text(out, len, "in\n");
        failure_is(outcome, AARD_FAILURE_ENGINE_CRASHED, rows[i].text, NULL);
        goes_on();
    }
}

/* Between calls: what a session had is gone, and that is told; where nothing is lost nothing fails. */
static void test_a_child_that_is_killed_between_calls(void **state)
{
    (void)state;
    value_is(exec(isolate, "globalThis.kept = 1"), "1");
    kill_and_wait(the_guest());
    failure_is(exec(isolate, "kept"), AARD_FAILURE_ENGINE_CRASHED, "signal 9", NULL);
    goes_on();
    assert_ok(aard_isolate_reset(isolate));
    assert_ok(aard_isolate_prepare_reset(isolate));
    pid_t both[2];
    guests_are(both, 2); /* the child, and the next */
    for (int i = 0; i < 2; i++) kill_and_wait(both[i]);
    value_is(exec(isolate, "1 + 2"), "3");
}

static void test_a_child_that_does_not_end_is_killed(void **state)
{
    (void)state;
    aard_call *limited = limited_to(300);
    running run;
    double start = now_ms();
    begin_call(&run, isolate, in_loop, limited);
    kill(the_busy_one(), SIGSTOP);
    aard_outcome *outcome = end_call(&run);
    assert_true(now_ms() - start < 1500 + late_ms());
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NONE);
    size_t len;
    const char *out = aard_outcome_stdout(outcome, &len);
    assert_text(out, len, "in\n");
    failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "had to be killed", NULL);
    goes_on();
    aard_call_free(limited);
}

static aard_call *cancellable(aard_cancel_handle **handle)
{
    aard_call *call;
    assert_ok(aard_call_new(&call));
    assert_ok(aard_cancel_handle_new(handle));
    aard_call_set_cancel_handle(call, *handle);
    return call;
}

static void test_a_child_that_does_not_hear_is_killed(void **state)
{
    (void)state;
    aard_cancel_handle *handle;
    aard_call *call = cancellable(&handle);
    running run;
    begin_call(&run, isolate, in_loop, call);
    kill(the_busy_one(), SIGSTOP);
    double start = now_ms();
    aard_cancel(handle);
    aard_outcome *outcome = end_call(&run);
    assert_true(now_ms() - start < 1500 + late_ms());
    failure_is(outcome, AARD_FAILURE_CANCELLED, "had to be killed", NULL);
    goes_on();
    aard_call_free(call);
    aard_cancel_handle_free(handle);
}

/* ---- being cancelled -------------------------------------------------------------------------------------------- */

static void test_calls_are_cancelled_whatever_they_do(void **state)
{
    (void)state;
    static const char *const rows[] = {
        in_loop,
        "console.log('in'); await new Promise((done) => setTimeout(done, 60000))",
        "console.log('in'); for (;;) await null",
        "console.log('in'); for (;;) console.log('in')",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_cancel_handle *handle;
        aard_call *call = cancellable(&handle);
        running run;
        begin_call(&run, isolate, rows[i], call);
        double start = now_ms();
        aard_cancel(handle);
        aard_outcome *outcome = end_call(&run);
        if (now_ms() - start > 400 + late_ms()) fail_msg("%s: %.0f ms", rows[i], now_ms() - start);
        if (strstr(aard_outcome_failure_message(outcome), "killed")) fail_msg("%s: it was killed", rows[i]);
        failure_is(outcome, AARD_FAILURE_CANCELLED, "was cancelled", NULL);
        failure_is(exec_with(isolate, "1", call), AARD_FAILURE_CANCELLED, NULL); /* before it begins */
        value_is(exec(isolate, "1 + 1"), "2");
        aard_call_free(call);
        aard_cancel_handle_free(handle);
    }
}

static void *cancel_soon(void *user)
{
    usleep((useconds_t)(rand() % 1500));
    aard_cancel(user);
    return NULL;
}

/* At any moment, that of its way to the child among them: it is the child that ends it. */
static void test_a_cancellation_is_never_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < soak_count(60, 5000); i++) {
        aard_cancel_handle *handle;
        aard_call *call = cancellable(&handle);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, handle), 0);
        aard_outcome *outcome = exec_with(isolate, "for (;;);", call);
        if (strstr(aard_outcome_failure_message(outcome), "killed")) fail_msg("call %zu had to be killed", i);
        failure_is(outcome, AARD_FAILURE_CANCELLED, NULL);
        assert_int_equal(pthread_join(thread, NULL), 0);
        aard_call_free(call);
        aard_cancel_handle_free(handle);
    }
}

/* ---- templates -------------------------------------------------------------------------------------------------- */

static void test_a_template_that_is_killed_costs_no_call(void **state)
{
    (void)state;
    running run;
    value_is(exec(isolate, "globalThis.kept = 7"), "7");
    begin_call(&run, isolate, "console.log('in'); await new Promise((done) => setTimeout(done, 100)); kept", NULL);
    kill_and_wait(the_template());
    value_is(end_call(&run), "7");
    value_is(exec(isolate, "kept"), "7");
    for (int i = 0; i < 3; i++) {
        assert_ok(aard_isolate_reset(isolate)); /* by the next template */
        value_is(exec(isolate, "typeof kept"), "\"undefined\"");
        pid_t templates[16];
        size_t count = children_of(getpid(), templates, COUNT(templates));
        for (size_t k = 0; k < count; k++) kill(templates[k], SIGKILL); /* a fork may be under way */
    }
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "1 + 1"), "2");
}

static atomic_bool killing;

static void *kill_templates(void *user)
{
    (void)user;
    while (killing) {
        pid_t templates[16];
        usleep(150000);
        size_t count = children_of(getpid(), templates, COUNT(templates));
        for (size_t i = 0; i < count; i++) kill(templates[i], SIGKILL);
    }
    return NULL;
}

static void test_templates_that_are_killed_at_random_cost_no_call(void **state)
{
    (void)state;
    pthread_t thread;
    killing = true;
    assert_int_equal(pthread_create(&thread, NULL, kill_templates, NULL), 0);
    double start = now_ms();
    while (now_ms() - start < 2000) {
        assert_ok(aard_isolate_reset(isolate));
        value_is(exec(isolate, "1 + 1"), "2");
    }
    killing = false;
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* ---- host functions --------------------------------------------------------------------------------------------- */

static void answer(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    if (len == 6 && !memcmp(input, "\"fail\"", 6))
        aard_reply_fail(reply, "no such thing");
    else
        aard_reply_set_json(reply, input, len);
}

static void reenter(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_exec(isolate, "1", 1, NULL, NULL, &outcome);
    aard_reply_fail(reply, error ? aard_error_code_name(aard_error_get_code(error)) : "it was let in");
    aard_error_free(error);
    aard_outcome_free(outcome);
}

static void wait_a_while(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
    usleep(1200000);
}

static aard_isolate *boot_with_functions(void)
{
    static const struct {
        const char *name;
        aard_host_function function;
    } list[] = {{"answer", answer}, {"reenter", reenter}, {"wait", wait_a_while}};
    aard_isolate_config *config = process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE);
    for (size_t i = 0; i < COUNT(list); i++) {
        assert_ok(aard_isolate_config_add_function(config, list[i].name, list[i].function, NULL, NULL));
        assert_ok(aard_isolate_config_add_capability(config, list[i].name));
    }
    count_output(config);
    return boot(config, NULL);
}

static void test_host_functions(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    isolate = boot_with_functions();
    value_is(exec(isolate, "aardvark.host.answer([1, 'a'])"), "[1,\"a\"]");
    value_is(exec(isolate, "aardvark.host.answer('x'.repeat(5e6)).length"), "5000000");
    value_is(exec(isolate, "let n = 0; for (let i = 0; i < 2000; i++) n += aardvark.host.answer(i); n"), "1999000");
    exception_is(exec(isolate, "aardvark.host.answer('fail')"), "HostError", NULL, "no such thing", NULL);
    exception_is(exec(isolate, "aardvark.host.reenter()"), "HostError", NULL, "busy", NULL);
    value_is(exec(isolate, "1 + 1"), "2");
}

/* A guest that waits for the host when its time is over ends as it would otherwise: it is not killed. */
static void test_a_host_function_that_takes_too_long(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    isolate = boot_with_functions();
    aard_call *limited = limited_to(200);
    aard_outcome *outcome = exec_with(isolate, "aardvark.host.wait(); for (;;);", limited);
    assert_null(strstr(aard_outcome_failure_message(outcome), "killed"));
    failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "200 ms", NULL);
    aard_call_free(limited);

    aard_cancel_handle *handle;
    aard_call *call = cancellable(&handle);
    running run;
    begin_call(&run, isolate, "console.log('in'); aardvark.host.wait(); for (;;);", call);
    aard_cancel(handle);
    outcome = end_call(&run);
    assert_null(strstr(aard_outcome_failure_message(outcome), "killed"));
    failure_is(outcome, AARD_FAILURE_CANCELLED, NULL);
    aard_call_free(call);
    aard_cancel_handle_free(handle);
}

/* ---- much ------------------------------------------------------------------------------------------------------- */

static void test_100_mb_go_both_ways(void **state)
{
    (void)state;
    enum { SIZE = 100000000 };
    aard_isolate_config *config = process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE);
    aard_isolate_config_set_result_limit(config, 2 * (uint64_t)SIZE);
    aard_isolate_config_set_heap_limit(config, (uint64_t)1 << 30);
    aard_isolate_free(isolate);
    isolate = boot(config, bundle_from("javascript"));
    char *input = malloc(SIZE + 2);
    assert_non_null(input);
    memset(input, 'a', SIZE + 2);
    input[0] = input[SIZE + 1] = '"';
    aard_call *call;
    assert_ok(aard_call_new(&call));
    aard_call_set_input_json(call, input, SIZE + 2);
    value_is_of(call_with(isolate, "main:echo", call), input, SIZE + 2);
    aard_call_free(call);
    free(input);
}

static void test_output_without_an_end_is_bounded(void **state)
{
    (void)state;
    enum { KEPT = 1000000 };
    aard_isolate_config *config = process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE);
    aard_isolate_config_set_output_limit(config, KEPT);
    aard_isolate_free(isolate);
    isolate = boot(config, NULL);
    aard_call *limited = limited_to(500);
    double start = now_ms();
    aard_outcome *outcome = exec_with(isolate, "const text = 'x'.repeat(99999); for (;;) console.log(text)", limited);
    assert_true(now_ms() - start < 1500 + late_ms());
    size_t len;
    aard_outcome_stdout(outcome, &len);
    assert_true(len <= KEPT && len > KEPT / 2);
    assert_true(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes > 0);
    failure_is(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
    aard_call_free(limited);
}

/* ---- two at once ------------------------------------------------------------------------------------------------ */

static void *make_calls(void *user)
{
    aard_isolate *own = boot(process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_FULL), NULL);
    const char *wrong = NULL;
    for (int i = 0; i < 40 && !wrong; i++) {
        char code[64], want[32];
        snprintf(code, sizeof code, "globalThis.n = (globalThis.n ?? %d) + %d", *(int *)user, i);
        snprintf(want, sizeof want, "%d", *(int *)user + i);
        aard_outcome *outcome = exec(own, code);
        const char *value = aard_outcome_value_json(outcome, NULL);
        if (!value || strcmp(value, want)) wrong = "a wrong value";
        aard_outcome_free(outcome);
    }
    aard_isolate_free(own);
    return (void *)(uintptr_t)wrong;
}

static void test_isolates_of_one_template_on_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    int numbers[COUNT(threads)];
    for (size_t i = 0; i < COUNT(threads); i++) {
        numbers[i] = (int)i * 1000;
        assert_int_equal(pthread_create(&threads[i], NULL, make_calls, &numbers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        if (wrong) fail_msg("%s", (const char *)wrong);
    }
}

/* ---- nothing is left -------------------------------------------------------------------------------------------- */

static void test_nothing_is_left_of_an_isolate(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    isolate = NULL;
    guests_are(NULL, 0);
    size_t open = descriptors();
    for (int i = 0; i < 20; i++) {
        aard_isolate *one = boot_counting(AARD_LANGUAGE_JAVASCRIPT, i % 2 ? AARD_CLEANUP_FULL : AARD_CLEANUP_NONE);
        value_is(exec(one, "1 + 1"), "2");
        if (i % 3 == 0) assert_ok(aard_isolate_reset(one));
        aard_isolate_free(one);
    }
    guests_are(NULL, 0);
    assert_true(descriptors() <= open + 1); /* at most the socket of a template that there was none of */
    pid_t templates[16];
    size_t count = children_of(getpid(), templates, COUNT(templates));
    double start = now_ms();
    for (size_t i = 0; i < count; i++)
        while (zombies_of(templates[i])) assert_true(now_ms() - start < 5000);
    assert_int_equal(zombies_of(getpid()), 0);
}

#define IN_SESSION(test) cmocka_unit_test_setup_teardown(test, start_session, stop)

/* The child after a reset is forked when the host has nothing to do, and by nobody where it does not reset. */
static void test_the_next_child_is_forked_between_calls(void **state)
{
    (void)state;
    value_is(exec(isolate, "1"), "1");
    usleep(50000);
    guests_are(NULL, 1);
    for (int i = 0; i < 5; i++) {
        assert_ok(aard_isolate_reset(isolate));
        value_is(exec(isolate, "typeof n + (globalThis.n = 1)"), "\"undefined1\"");
        guests_are(NULL, 2);
        value_is(exec(isolate, "n"), "1");
    }
    for (int i = 0; i < 200; i++) assert_ok(aard_isolate_reset(isolate)); /* beside it */
    value_is(exec(isolate, "1 + 1"), "2");
}

static void test_children_are_forked_ahead_beside_the_end_of_isolates(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        aard_isolate *one = boot(process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE), NULL);
        assert_ok(aard_isolate_reset(one));
        usleep((unsigned)(i % 8) * 700);
        aard_isolate_free(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SESSION(test_the_next_child_is_forked_between_calls),
        cmocka_unit_test(test_children_are_forked_ahead_beside_the_end_of_isolates),
        IN_SESSION(test_a_child_that_is_killed_costs_its_own_call),
        IN_SESSION(test_a_child_that_is_killed_between_calls),
        IN_SESSION(test_a_child_that_does_not_end_is_killed),
        IN_SESSION(test_a_child_that_does_not_hear_is_killed),
        IN_SESSION(test_calls_are_cancelled_whatever_they_do),
        IN_SESSION(test_a_cancellation_is_never_lost),
        IN_SESSION(test_a_template_that_is_killed_costs_no_call),
        IN_SESSION(test_templates_that_are_killed_at_random_cost_no_call),
        IN_SESSION(test_host_functions),
        IN_SESSION(test_a_host_function_that_takes_too_long),
        IN_SESSION(test_100_mb_go_both_ways),
        IN_SESSION(test_output_without_an_end_is_bounded),
        IN_SESSION(test_isolates_of_one_template_on_threads),
        IN_SESSION(test_nothing_is_left_of_an_isolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
