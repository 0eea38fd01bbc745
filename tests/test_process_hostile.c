/* Processes of guests that break the rules of frames (tests/make_bad_guest.c): the host lives, each call has one outcome, in
 * bounded time.  test-timeout: 240 */
#include "process_support.h"

#include <unistd.h>

enum { LIMIT_MS = 300 };

static atomic_int called;

static void count_call(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    aard_reply_set_json(reply, input, len);
    called++;
}

/* The stand-in says how it is to break them by the first function's name. */
static aard_error *boot_bad(const char *mode, aard_isolate **out)
{
    const char *names[] = {mode, "granted", "other"};
    aard_isolate_config *config = process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_ok(aard_isolate_config_add_function(config, names[i], count_call, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "granted"));
    aard_isolate_config_set_wall_limit_ms(config, LIMIT_MS);
    aard_isolate_config_set_startup_limit_ms(config, 100);
    aard_isolate_config_set_output_limit(config, 100000);
    aard_error *error = aard_isolate_new(config, out);
    aard_isolate_config_free(config);
    return error;
}

static int use_stand_in(void **state)
{
    const char *build = getenv("AARDVARK_BUILD");
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/tests/make_bad_guest", build ? build : "build");
    return setenv("AARDVARK_GUEST_HELPER", path, 1);
}

static void test_frames_that_break_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        aard_failure_kind kind, next; /* of the call, and of the one after it */
        const char *text;
    } rows[] = {
        {"nothing", AARD_FAILURE_NONE, AARD_FAILURE_NONE, NULL},
        {"wrong_id", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"two_outcomes", AARD_FAILURE_NONE, AARD_FAILURE_ENGINE_CRASHED, NULL},
        {"response_to_nothing", AARD_FAILURE_NONE, AARD_FAILURE_ENGINE_CRASHED, NULL},
        {"late_output", AARD_FAILURE_NONE, AARD_FAILURE_ENGINE_CRASHED, NULL},
        {"huge", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"too_long", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "invalid frame"},
        {"without_body", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "invalid frame"},
        {"body_nowhere", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "invalid frame"},
        {"short", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "invalid frame"},
        {"empty", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, NULL},
        {"unknown_type", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "invalid frame"},
        {"hello_again", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"of_a_template", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"not_granted", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"not_there", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"no_name", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"files", AARD_FAILURE_NONE, AARD_FAILURE_NONE, NULL},
        {"malformed_network", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"third_stream", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "must not send"},
        {"output_flood", AARD_FAILURE_TIMEOUT_EXCEEDED, AARD_FAILURE_NONE, "had to be killed"},
        {"call_flood", AARD_FAILURE_TIMEOUT_EXCEEDED, AARD_FAILURE_NONE, "had to be killed"},
        {"silence", AARD_FAILURE_TIMEOUT_EXCEEDED, AARD_FAILURE_NONE, "had to be killed"},
        {"closes", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "closed the socket"},
        {"ends", AARD_FAILURE_ENGINE_CRASHED, AARD_FAILURE_NONE, "status 3"},
    };
    aard_isolate *isolate;
    assert_ok(boot_bad("hello", &isolate));
    for (size_t i = 0; i < COUNT(rows); i++) {
        double start = now_ms();
        called = 0;
        failure_is(exec(isolate, rows[i].mode), rows[i].kind, rows[i].text, NULL);
        failure_is(exec(isolate, "nothing"), rows[i].next, NULL);
        if (now_ms() - start > LIMIT_MS + 2000 + late_ms()) fail_msg("%s: %.0f ms", rows[i].mode, now_ms() - start);
        if (called && strcmp(rows[i].mode, "call_flood")) fail_msg("%s: a function was called", rows[i].mode);
        if (rows[i].next != AARD_FAILURE_NONE) failure_is(exec(isolate, "nothing"), AARD_FAILURE_NONE, NULL);
    }
    aard_isolate_free(isolate);
    guests_are(NULL, 0);
}

/* An error that a child tells is the host's to give, and no more than that. */
static void test_an_error_that_is_none(void **state)
{
    (void)state;
    aard_isolate *isolate;
    aard_outcome *outcome = NULL;
    assert_ok(boot_bad("hello", &isolate));
    assert_refused(aard_isolate_exec(isolate, "malformed_error", 15, NULL, NULL, &outcome), AARD_ERR_ENGINE,
                   "malformed", NULL);
    assert_null(outcome);
    aard_isolate_free(isolate);
}

static void test_children_that_do_not_say_hello(void **state)
{
    (void)state;
    static const char *const modes[] = {"ends_at_once", "other_hello"};
    for (size_t i = 0; i < COUNT(modes); i++) {
        aard_isolate *isolate = NULL;
        assert_refused(boot_bad(modes[i], &isolate), AARD_ERR_ENGINE, "process", NULL);
        assert_null(isolate);
    }
    aard_isolate *isolate;
    assert_ok(boot_bad("hello_twice", &isolate));
    failure_is(exec(isolate, "nothing"), AARD_FAILURE_ENGINE_CRASHED, NULL);
    aard_isolate_free(isolate);
}

static void test_templates_that_answer_wrongly(void **state)
{
    (void)state;
    static const char *const modes[] = {"wrong_answer", "other_answer"};
    for (size_t i = 0; i < COUNT(modes); i++) {
        aard_isolate *isolate = NULL;
        assert_refused(boot_bad(modes[i], &isolate), AARD_ERR_ENGINE, "template", NULL);
        assert_null(isolate);
    }
    assert_int_equal(zombies_of(getpid()), 0);
}

/* Nobody waits for ever. */
static void test_processes_that_say_nothing(void **state)
{
    (void)state;
    static const char *const modes[] = {"never_ready", "never_hello"};
    for (size_t i = 0; i < COUNT(modes); i++) {
        aard_isolate *isolate = NULL;
        double start = now_ms();
        assert_refused(boot_bad(modes[i], &isolate), i ? AARD_ERR_ENGINE : AARD_ERR_GUEST_BOOT,
                       "did not answer in time", NULL);
        assert_true(now_ms() - start < 40000 + late_ms());
        assert_null(isolate);
    }
}

static void test_a_template_that_grows_is_replaced(void **state)
{
    (void)state;
    aard_isolate *isolate;
    assert_ok(boot_bad("grows", &isolate));
    pid_t first = the_template(), now = first;
    for (int i = 0; i < 80 && now == first; i++) {
        assert_ok(aard_isolate_reset(isolate));
        value_is(exec(isolate, "nothing"), "null");
        now = the_template();
    }
    assert_true(now != first);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_that_break_the_rules),       cmocka_unit_test(test_an_error_that_is_none),
        cmocka_unit_test(test_children_that_do_not_say_hello),    cmocka_unit_test(test_templates_that_answer_wrongly),
        cmocka_unit_test(test_a_template_that_grows_is_replaced), cmocka_unit_test(test_processes_that_say_nothing),
    };
    return cmocka_run_group_tests(tests, use_stand_in, NULL);
}
