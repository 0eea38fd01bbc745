/* A template: a process with booted guests that forks children in which they go on.  This program is one.
 * test-timeout: 240 */
#include "fork_support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "engine/engine.h"

LEAKS_OF_LEFT_GUESTS

/* ---- guests go on ------------------------------------------------------------------------------------------------- */

static void check_template(void)
{
    need(aard__process_generation() == 0);
    need(echoes(echo) && echoes(js_echo));
    need(gives(python, "sorted(globals().get('mine', [1]))", "[1]"));
}

static void test_children_go_on_and_the_template_too(void **state)
{
    (void)state;
    with_children(use_everything, FORK_MOST);
    check_template();
    with_children(use_everything, 2);
    check_template();
}

static void test_children_are_held_to_their_heaps(void **state)
{
    (void)state;
    with_children(fill_heaps, 2);
    check_template();
}

static void fork_again(int generation)
{
    need(aard__process_generation() == (unsigned)generation + 1);
    need(echoes(echo) && echoes(js_echo));
    if (generation == 4) return;
    pid_t child;
    need(!aard__process_fork(&child));
    if (!child) {
        fork_again(generation + 1);
        _exit(0);
    }
    int status;
    need(waitpid(child, &status, 0) == child && !status);
    need(echoes(echo) && echoes(js_echo));
}

static void test_children_have_children(void **state)
{
    (void)state;
    with_children(fork_again, 1);
}

static void make_another(int number)
{
    aard_isolate_config *config;
    aard_isolate *isolate = NULL;
    need(!aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, number % 2 ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT);
    need(!aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    need(gives(isolate, "1 + 1", "2"));
    aard_isolate_free(isolate);
    aard_handler_free(echo);
    aard_handler_free(js_echo);
    aard_isolate_free(python);
    aard_isolate_free(javascript);
    exit(0); /* with all that is done at the end of a process */
}

static void test_children_make_and_free_isolates(void **state)
{
    (void)state;
    with_children(make_another, 2);
}

/* ---- nothing is drawn twice ----------------------------------------------------------------------------------------- */

#define DRAWS                                                                                                          \
    "import random, uuid, os, secrets, tempfile\n"                                                                     \
    "f'{random.random()} {uuid.uuid4()} {os.urandom(8).hex()} {secrets.token_hex(8)} "                                 \
    "{next(tempfile._get_candidate_names())} {uuid.getnode()}'"
#define JS_DRAWS "`${Math.random()} ${Math.random()} ${crypto.randomUUID()}`"

static int draws[2];

static void draw_once(aard_isolate *isolate, const char *code)
{
    aard_outcome *outcome = run_for(isolate, code, 0, 0);
    const char *text = aard_outcome_value_json(outcome, NULL);
    need(text);
    char line[400];
    int len = snprintf(line, sizeof line, "%s\n", text);
    need(write(draws[1], line, (size_t)len) == len);
    aard_outcome_free(outcome);
}

static void draw(int number)
{
    (void)number;
    draw_once(python, DRAWS);
    need(!aard_isolate_reset(python));
    draw_once(python, DRAWS);
    draw_once(javascript, JS_DRAWS);
    need(!aard_isolate_reset(javascript));
    draw_once(javascript, JS_DRAWS);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void test_no_two_children_draw_the_same(void **state)
{
    (void)state;
    enum { MOST = 2000 };
    static char text[64 * KIB];
    const char *words[MOST];
    size_t count = 0, len = 0;
    need(gives(python, "import random, uuid, tempfile; random.seed(1); uuid.getnode() > 0", "true"));
    need(gives(javascript, "Math.random() < 1", "true")); /* draws some ahead */
    assert_int_equal(pipe(draws), 0);
    with_children(draw, 10);
    draw_once(python, DRAWS);
    draw_once(javascript, JS_DRAWS);
    close(draws[1]);
    for (ssize_t got; (got = read(draws[0], text + len, sizeof text - 1 - len)) > 0;) len += (size_t)got;
    close(draws[0]);
    for (char *at = strtok(text, " \"\n"); at && count < MOST; at = strtok(NULL, " \"\n")) words[count++] = at;
    assert_int_equal(count, 10 * (2 * 6 + 2 * 3) + 6 + 3);
    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(words[i - 1], words[i])) fail_msg("drawn twice: %s", words[i]);
}

/* ---- what tells of the process is the child's ----------------------------------------------------------------------- */

static void read_clocks(int number)
{
    (void)number;
    need(gives(python, "import time; 0 <= time.process_time() < 50", "true"));
    need(gives(python, "a = time.process_time()\nwhile time.process_time() < a + 0.05: pass\n1", "1"));
    need(gives(python, "time.monotonic() >= started", "true"));
    aard_outcome *outcome = run_for(python, "kept = b'x' * (50 << 20)", 0, 0);
    const aard_diagnostics *told = aard_outcome_diagnostics(outcome);
    long own = resident_kib();
    need(labs((long)told->rss_kib_after - own) < 20 * KIB);
    aard_outcome_free(outcome);
}

static void test_clocks_and_memory_are_the_childs_own(void **state)
{
    (void)state;
    need(gives(python, "import time; started = time.monotonic(); time.process_time() >= 0", "true"));
    with_children(read_clocks, 2);
}

static void test_all_of_the_engines_memory_is_inherited(void **state)
{
    (void)state;
    char line[512], where[512] = "";
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' ')) snprintf(where, sizeof where, "%s", line);
        if (!strncmp(line, "VmFlags:", 8) && strstr(line, " dc")) fail_msg("MADV_DONTFORK: %s", where);
    }
    fclose(maps);
}

/* ---- WebAssembly of the guest's own --------------------------------------------------------------------------------- */

static aard_isolate *coder;

static void run_wasm(int number)
{
    (void)number;
    need(gives(coder, "sum(10)", "55"));
    need(gives(coder, "let t = 0; for (let i = 0; i < 3000; i++) t += sum(1000); t", "1501500000")); /* tiers up */
    need(gives(coder, make_sum, "10"));
    need(ends(coder, "for (;;) sum(100000)", 100, 0, AARD_FAILURE_TIMEOUT_EXCEEDED));
}

static void test_compiled_code_goes_on(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_capability(config, "codegen"));
    coder = boot(config, NULL);
    value_is(exec(coder, make_sum), "10");
    with_children(run_wasm, 5);
    value_is(exec(coder, "sum(100)"), "5050");
    aard_isolate_free(coder);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------ */

static void test_a_fork_by_accident_is_told(void **state)
{
    (void)state;
    pid_t child = fork();
    if (!child) {
        aard_outcome *outcome = NULL;
        pid_t made;
        aard_error *error = aard_isolate_exec(python, "1", 1, NULL, NULL, &outcome);
        need(error && aard_error_get_code(error) == AARD_ERR_FORKED);
        error = aard__process_fork(&made);
        need(error && aard_error_get_code(error) == AARD_ERR_FORKED);
        _exit(0);
    }
    expect_end(child);
}

static aard_error *in_call;

static void fork_in_call(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context, (void)user, (void)stream, (void)data, (void)len;
    pid_t child = -1;
    if (!in_call) in_call = aard__process_fork(&child);
}

static void test_no_fork_in_the_middle_of_a_call(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_stream_callback(config, fork_in_call, NULL, NULL);
    aard_isolate *isolate = boot(config, NULL);
    aard_outcome_free(exec(isolate, "console.log('now')"));
    assert_refused(in_call, AARD_ERR_BUSY, "between two calls", NULL);
    aard_isolate_free(isolate);
    assert_refused(aard__engine_start_template(), AARD_ERR_BUSY, "before", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children_go_on_and_the_template_too),
        cmocka_unit_test(test_children_are_held_to_their_heaps),
        cmocka_unit_test(test_children_have_children),
        cmocka_unit_test(test_children_make_and_free_isolates),
        cmocka_unit_test(test_no_two_children_draw_the_same),
        cmocka_unit_test(test_clocks_and_memory_are_the_childs_own),
        cmocka_unit_test(test_all_of_the_engines_memory_is_inherited),
        cmocka_unit_test(test_compiled_code_goes_on),
        cmocka_unit_test(test_a_fork_by_accident_is_told),
        cmocka_unit_test(test_no_fork_in_the_middle_of_a_call),
    };
    return cmocka_run_group_tests(tests, make_template, end_template);
}
