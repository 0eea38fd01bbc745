/* The nth allocation, file operation, mapping or thread fails, once or from then on, for all n, in a life that makes requests:
 * each step gives an error or an outcome in good form, nothing stays open, and the next request is answered.
 * test-timeout: 900 */
#include "fault_support.h"
#include "isolate_support.h"
#include "net_support.h"

#include <unistd.h>

#include "inside.h"

enum { WALL_MS = 1500 };

static const char *const codes[] = {
    "from urllib.request import urlopen\n"
    "def ask():\n"
    "    return [urlopen('$H/to?code=302&url=/hello').read().decode(), urlopen('$S/echo', b'x').status]\n",
    "export const ask = async () => {\n"
    "  const first = await fetch('$H/to?code=302&url=/hello'), second = new XMLHttpRequest();\n"
    "  second.open('POST', '$S/echo', false);\n"
    "  second.send('x');\n"
    "  return [await first.text(), second.status];\n"
    "};\n",
};

static aard_bundle *bundles[2];
static int answered; /* calls that got what they asked for, of one life */
static uint64_t limit_ms = WALL_MS;

static void ask(aard_handler *handler)
{
    aard_outcome *outcome = NULL;
    aard_call *call = NULL;
    if (!fault_is_clean(aard_call_new(&call))) return;
    aard_call_set_wall_limit_ms(call, limit_ms);
    if (fault_is_clean(aard_handler_invoke(handler, call, &outcome))) {
        int paused = fault_pause();
        const char *value = aard_outcome_value_json(check_form(outcome), NULL);
        answered += value && !strcmp(value, "[\"hello\",200]");
        if (value && strcmp(value, "[\"hello\",200]") != 0) fail_msg("%s", value);
        aard_outcome_free(outcome);
        fault_resume(paused);
    }
    aard_call_free(call);
}

/* Two calls, with a reset between them. */
static void use(aard_isolate *isolate)
{
    aard_handler *handler = NULL;
    if (!fault_is_clean(aard_handler_new(isolate, "main:ask", &handler))) return;
    ask(handler);
    fault_is_clean(aard_isolate_reset(isolate));
    ask(handler);
    aard_handler_free(handler);
}

/* One call: that what comes after a reset is answered, too, is for the next round to show. */
static void must_be_answered(aard_isolate *isolate)
{
    aard_handler *handler;
    answered = 0;
    limit_ms = 60000; /* nothing fails that it could wait for in vain */
    assert_ok(aard_handler_new(isolate, "main:ask", &handler));
    ask(handler);
    aard_handler_free(handler);
    limit_ms = WALL_MS;
    assert_int_equal(answered, 1);
}

/* Connections end where the server hears of it: that takes a moment. */
static int open_files(int wanted)
{
    int files = 0;
    for (int i = 0; i < 2000 && (files = fault_open_files()) != wanted; i++) {
        net_wait_for_quiet();
        usleep(1000);
    }
    return files;
}

static aard_isolate *begin(bool javascript)
{
    aard_isolate_config *config = net_config(javascript ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    return boot(config, aard_bundle_retain(bundles[javascript]));
}

static int files_without_guests;

static void calls(bool javascript, fault kind, bool ever)
{
    aard_isolate *isolate = begin(javascript);
    must_be_answered(isolate);
    long n = 0;
    double slowest = 0;
    long step = ever ? (long)soak_count(5, 1) : 1;
    for (bool more = true; more; n += step) {
        double began = now_ms();
        fault_arm(kind, n, ever);
        use(isolate);
        more = fault_disarm();
        double took = now_ms() - began;
        if (getenv("AARD_VERBOSE")) print_message("%s %ld: %.0f ms\n", fault_names[kind], n, took);
        if (took > slowest) slowest = took;
        must_be_answered(isolate);
    }
    aard_isolate_free(isolate);
    assert_int_equal(open_files(files_without_guests), files_without_guests);
    print_message("%s: %s %s of %ld; the slowest took %.0f ms\n", javascript ? "JavaScript" : "Python",
                  ever ? "from one on, each" : "each", fault_names[kind], n, slowest);
    if (slowest > 2 * (WALL_MS + late_ms())) fail_msg("it took %.0f ms", slowest);
}

/* Makes what is made once for the process: not before the test that wants the watchdog not to run yet. */
static void make_once(void)
{
    static bool made;
    if (made) return;
    made = true;
    for (int i = 0; i < 2; i++) {
        aard_isolate *isolate = begin(i);
        must_be_answered(isolate);
        aard_isolate_free(isolate);
    }
    net_wait_for_quiet();
    usleep(50000);
    files_without_guests = fault_open_files();
}

static void test_requests_of_javascript(void **state)
{
    (void)state;
    make_once();
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) calls(true, kind, ever);
}

static void test_requests_of_python(void **state)
{
    (void)state;
    make_once();
    for (fault kind = 0; kind < FAULTS; kind++)
        for (int ever = 0; ever < 2; ever++) calls(false, kind, ever);
}

static int set_up(void **state)
{
    (void)state;
    net_start();
    net_name("public.test", PUBLIC);
    for (int i = 0; i < 2; i++) {
        const char *const files[][2] = {{i ? "main.js" : "main.py", net_text(codes[i])}, {NULL, NULL}};
        bundles[i] = bundle_of(files);
    }
    fault_spare(net_is_server);
    fault_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fault_stop();
    for (int i = 0; i < 2; i++) aard_bundle_free(bundles[i]);
    net_stop();
    return 0;
}

/* A call that could not be made leaves the network as closed as it is between calls.  The first call with a limit starts the
 * library's watchdog. */
static void test_a_call_that_is_not_made_closes_the_network(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_allow_host(config, "*.example.com"));
    aard_isolate *isolate = boot(config, NULL);
    aard_call *what = limited_to(60000);
    aard_outcome *outcome = NULL;
    fault_arm(THREAD, 0, true);
    aard_error *error = aard_isolate_exec(isolate, "1", 1, NULL, what, &outcome);
    assert_true(fault_disarm());
    assert_refused(error, AARD_ERR_THREAD, "watchdog", NULL);
    assert_null(worker_of(isolate)->guest->call.network);
    value_is(exec_with(isolate, "1 + 1", what), "2");
    assert_null(worker_of(isolate)->guest->call.network);
    aard_call_free(what);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_that_is_not_made_closes_the_network),
        cmocka_unit_test(test_requests_of_javascript),
        cmocka_unit_test(test_requests_of_python),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
