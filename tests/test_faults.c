/* The nth allocation, file operation, mapping or thread of a guest's whole life fails, once or from then on, for all n: each
 * step gives an error or an outcome in good form, nothing stays open, and the host goes on as if nothing had been.
 * test-timeout: 900 */
#include "fault_support.h"
#include "isolate_support.h"

#include <unistd.h>

/* ---- a life ----------------------------------------------------------------------------------------------------------- */

static char shown[300]; /* a directory of the host */
static aard_bundle *bundles[2];

static void answer(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    aard_reply_set_json(reply, input, len);
}

static int as_expected; /* calls with the right value, of one life */

/* Takes an outcome, which may have a failure. */
static void took(aard_outcome *outcome)
{
    int paused = fault_pause();
    const char *value = aard_outcome_value_json(check_form(outcome), NULL);
    as_expected += value && !strcmp(value, "[1,\"x\"]");
    assert_int_equal(aard_outcome_is_success(outcome), aard_outcome_failure_kind(outcome) == AARD_FAILURE_NONE);
    aard_outcome_free(outcome);
    fault_resume(paused);
}

static bool call_handler(aard_handler *handler, const aard_call *what)
{
    aard_outcome *outcome = NULL;
    if (!fault_is_clean(aard_handler_invoke(handler, what, &outcome))) return false;
    took(outcome);
    return true;
}

static bool run(aard_isolate *isolate, const char *code)
{
    aard_outcome *outcome = NULL;
    if (!fault_is_clean(aard_isolate_exec(isolate, code, strlen(code), NULL, NULL, &outcome))) return false;
    took(outcome);
    return true;
}

static const char *const codes[] = {
    "import os\nfrom aardvark import host\nwith open('/session/a', 'w') as f: f.write('x' * 5000)\n"
    "with open('/data/a', 'w') as f: f.write('x' * 5000)\nos.listdir('/data')\nprint('out')\n"
    "try: open('/lib/x', 'w')\nexcept OSError: pass\nhost.answer([1, open('/session/a').read(1)])",
    "console.log('out'); try { eval('1') } catch {}\naardvark.host.answer([1, 'x'])",
};

/* Calls on an isolate that is there: as many as went through. */
static int use(aard_isolate *isolate, bool javascript)
{
    aard_handler *handler = NULL;
    aard_call *what = NULL;
    int done = 0;
    if (!fault_is_clean(aard_handler_new(isolate, "main:echo", &handler)) || !fault_is_clean(aard_call_new(&what)))
        goto end;
    aard_call_set_input_json(what, "[1,\"x\"]", 7);
    done += call_handler(handler, what);
    done += run(isolate, codes[javascript]);
    done += fault_is_clean(aard_isolate_reset(isolate));
    done += call_handler(handler, what);
    done += fault_is_clean(aard_isolate_prepare_reset(isolate));
    aard_call_set_wall_limit_ms(what, 5000);
    done += call_handler(handler, what);
end:
    aard_call_free(what);
    aard_handler_free(handler);
    return done;
}

static aard_isolate *begin(bool javascript)
{
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    if (!fault_is_clean(aard_isolate_config_new(&config))) return NULL;
    aard_isolate_config_set_language(config, javascript ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    bool ready = fault_is_clean(aard_isolate_config_add_capability(config, "answer")) &&
                 fault_is_clean(aard_isolate_config_add_function(config, "answer", answer, NULL, NULL)) &&
                 fault_is_clean(aard_isolate_config_add_mount(config, shown, "/data", AARD_FILESYSTEM_READ_WRITE)) &&
                 fault_is_clean(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    if (ready && fault_is_clean(aard_isolate_load_bundle(isolate, bundles[javascript]))) return isolate;
    aard_isolate_free(isolate);
    return NULL;
}

static bool live(bool javascript)
{
    aard_isolate *isolate = begin(javascript);
    int done = isolate ? use(isolate, javascript) : 0;
    aard_isolate_free(isolate);
    return done == 6;
}

static void must_live(bool javascript, int files)
{
    as_expected = 0;
    assert_true(live(javascript));
    assert_int_equal(as_expected, 4);
    assert_int_equal(fault_open_files(), files);
}

/* Whole lives, with every `step`th of each kind failing. */
static void lives(bool javascript, fault kind, bool ever, long step)
{
    must_live(javascript, fault_open_files()); /* what is made once for all is there */
    int files = fault_open_files();
    long n = 0;
    for (bool more = true; more; n += step) {
        fault_arm(kind, n, ever);
        live(javascript);
        more = fault_disarm();
        if (fault_open_files() != files) fail_msg("%s %ld left a file open", fault_names[kind], n);
        if (n % (7 * step) == 0) must_live(javascript, files);
    }
    must_live(javascript, files);
    print_message("%s: %s %s of %ld\n", javascript ? "JavaScript" : "Python", ever ? "from one on, each" : "each",
                  fault_names[kind], n);
}

/* Calls on one isolate, with every one failing: the next calls are right. */
static void uses(bool javascript, fault kind, bool ever)
{
    aard_isolate *isolate = begin(javascript);
    assert_non_null(isolate);
    as_expected = 0;
    assert_int_equal(use(isolate, javascript), 6);
    long n = 0;
    for (bool more = true; more; n++) {
        fault_arm(kind, n, ever);
        use(isolate, javascript);
        more = fault_disarm();
        as_expected = 0;
        assert_int_equal(use(isolate, javascript), 6);
        assert_int_equal(as_expected, 4);
    }
    aard_isolate_free(isolate);
    print_message("%s: in calls, %s %s of %ld\n", javascript ? "JavaScript" : "Python",
                  ever ? "from one on, each" : "each", fault_names[kind], n);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const python[][2] = {{"main.py", "def echo(x):\n    return x\n"}, {NULL, NULL}};
    static const char *const javascript[][2] = {{"main.js", "export const echo = (x) => x;\n"}, {NULL, NULL}};
    const char *base = getenv("TMPDIR");
    snprintf(shown, sizeof shown, "%s/aardvark-faults-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(shown));
    bundles[0] = bundle_of(python);
    bundles[1] = bundle_of(javascript);
    fault_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[320];
    fault_stop();
    for (int i = 0; i < 2; i++) aard_bundle_free(bundles[i]);
    snprintf(path, sizeof path, "%s/a", shown);
    unlink(path);
    return rmdir(shown);
}

/* Threads are made once for the process: this comes first. */
static void test_the_first_threads(void **state)
{
    (void)state;
    long n = 0;
    for (bool more = true; more; n++) {
        fault_arm(THREAD, n, false);
        live(false);
        live(true);
        more = fault_disarm();
    }
    assert_true(n > 1);
    must_live(false, fault_open_files());
    must_live(true, fault_open_files());
}

static void test_lives_of_javascript(void **state)
{
    (void)state;
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) lives(true, kind, ever, 1);
}

static void test_calls_of_javascript(void **state)
{
    (void)state;
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) uses(true, kind, ever);
}

static void test_calls_of_python(void **state)
{
    (void)state;
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) uses(false, kind, ever);
}

static void test_lives_of_python(void **state)
{
    (void)state;
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) lives(false, kind, ever, kind == ALLOCATION ? (long)soak_count(7, 1) : 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_threads),   cmocka_unit_test(test_calls_of_javascript),
        cmocka_unit_test(test_lives_of_javascript), cmocka_unit_test(test_calls_of_python),
        cmocka_unit_test(test_lives_of_python),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
