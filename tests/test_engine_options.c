/* Starting the engine with options: what they do, and what they leave alone. */
#include "isolate_support.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"

/* Each in a process of its own, where the engine has not started; 0 = as it should be, else the number of what was not. */
static void passes_in_child(int (*test)(void))
{
    int status;
    pid_t pid = fork();
    if (!pid) _exit(test());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int threads_of_the_process(void)
{
    DIR *dir = opendir("/proc/self/task");
    int count = -2;
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

static bool gives(aard_error *error, aard_error_code code)
{
    bool given = error ? aard_error_get_code(error) == code : !code;
    aard_error_free(error);
    return given;
}

/* Enough for V8 to want hot code compiled better, and to collect. */
static bool works_hard(aard_language language)
{
    static const char *const code[] = {"a = [str(i) * 10 for i in range(200000)]; sum(len(x) for x in a)",
                                       "const a = []; const f = (i) => String(i).repeat(10);\n"
                                       "for (let i = 0; i < 200000; i++) a.push(f(i));\n"
                                       "a.reduce((sum, x) => sum + x.length, 0)"};
    aard_isolate_config *config = thread_config(language);
    aard_isolate *isolate = NULL;
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_new(config, &isolate);
    const char *source = code[language == AARD_LANGUAGE_JAVASCRIPT];
    if (!error) error = aard_isolate_exec(isolate, source, strlen(source), NULL, NULL, &outcome);
    bool right = !error && aard_outcome_is_success(outcome);
    if (!right) fprintf(stderr, "%s\n", error ? aard_error_message(error) : aard_outcome_failure_message(outcome));
    aard_error_free(error);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    return right;
}

static int single_threaded(void)
{
    const aard_engine_options options = {.struct_size = sizeof options, .threads = AARD_ENGINE_SINGLE_THREADED};
    if (!gives(aard_engine_start(&options), 0)) return 1;
    if (!works_hard(AARD_LANGUAGE_JAVASCRIPT)) return 2;
    if (threads_of_the_process() > 1) return 3;
    if (!works_hard(AARD_LANGUAGE_PYTHON)) return 4;
    if (threads_of_the_process() > 2) return 5; /* the one that watches limits */
    if (!strstr(aard__engine_code_key(), "--single-threaded")) return 6; /* nobody else's caches are taken */
    return 0;
}

static void test_a_single_threaded_engine_starts_no_thread(void **state)
{
    (void)state;
    passes_in_child(single_threaded);
}

static int leaves_faults(void)
{
    struct sigaction before, after;
    const aard_engine_options options = {.struct_size = sizeof options, .faults = AARD_ENGINE_FAULTS_LEFT},
                              handled = {.struct_size = sizeof handled, .faults = AARD_ENGINE_FAULTS_HANDLED};
    sigaction(SIGSEGV, NULL, &before);
    if (!gives(aard_engine_start(&options), 0) || !works_hard(AARD_LANGUAGE_JAVASCRIPT)) return 1;
    sigaction(SIGSEGV, NULL, &after);
    if (before.sa_handler != after.sa_handler) return 2;
    if (!gives(aard_engine_start(&handled), AARD_ERR_BUSY)) return 3;
    if (!gives(aard_engine_start(&options), 0) || !gives(aard_engine_start(NULL), 0)) return 4; /* as it is */
    return 0;
}

static void test_faults_are_left_to_the_host(void **state)
{
    (void)state;
    passes_in_child(leaves_faults);
}

static int starts_with_the_defaults(void)
{
    const aard_engine_options defaults = {.struct_size = sizeof defaults},
                              single = {.struct_size = sizeof single, .threads = AARD_ENGINE_SINGLE_THREADED};
    if (!works_hard(AARD_LANGUAGE_JAVASCRIPT)) return 1; /* which starts it */
    if (!gives(aard_engine_start(&defaults), 0) || !gives(aard_engine_start(NULL), 0)) return 2;
    return gives(aard_engine_start(&single), AARD_ERR_BUSY) ? 0 : 3;
}

static void test_the_first_isolate_starts_it_with_the_defaults(void **state)
{
    (void)state;
    passes_in_child(starts_with_the_defaults);
}

static int refuses_what_is_no_option(void)
{
    const aard_engine_options rows[] = {{.threads = AARD_ENGINE_SINGLE_THREADED}, /* without its size */
                                        {.struct_size = sizeof *rows, .threads = (aard_engine_threads)2},
                                        {.struct_size = sizeof *rows, .faults = (aard_engine_faults)3},
                                        {.struct_size = sizeof *rows, .faults = (aard_engine_faults)-1}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!gives(aard_engine_start(&rows[i]), AARD_ERR_INVALID_ARGUMENT)) return 1 + (int)i;
    return gives(aard_engine_start(NULL), 0) ? 0 : 9; /* nothing of them has stayed */
}

static void test_other_values_are_refused(void **state)
{
    (void)state;
    passes_in_child(refuses_what_is_no_option);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_single_threaded_engine_starts_no_thread),
        cmocka_unit_test(test_faults_are_left_to_the_host),
        cmocka_unit_test(test_the_first_isolate_starts_it_with_the_defaults),
        cmocka_unit_test(test_other_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
