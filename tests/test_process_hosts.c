/* Hosts of guests in processes of their own: hosts that are killed, lack descriptors, ignore signals, fork, or whose template
 * hangs.  test-timeout: 240 */
#include "process_support.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- what a host does, in a process of its own ------------------------------------------------------------------- */

static void need(bool what, int code)
{
    if (!what) _exit(code);
}

static aard_isolate *make(aard_cleanup cleanup)
{
    aard_isolate_config *config;
    aard_isolate *made = NULL;
    need(!aard_isolate_config_new(&config), 10);
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_cleanup(config, cleanup);
    aard_isolate_config_set_resets_expected(config, cleanup == AARD_CLEANUP_FULL);
    aard_error *error = aard_isolate_new(config, &made);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    need(!error, 11);
    aard_isolate_config_free(config);
    return made;
}

static bool gives(aard_isolate *isolate, const char *code, const char *value)
{
    aard_outcome *outcome = NULL;
    if (aard_isolate_exec(isolate, code, strlen(code), NULL, NULL, &outcome)) return false;
    const char *text = aard_outcome_value_json(outcome, NULL);
    bool same = text && !strcmp(text, value);
    aard_outcome_free(outcome);
    return same;
}

static void use(void)
{
    aard_isolate *isolate = make(AARD_CLEANUP_FULL);
    for (int i = 0; i < 5; i++) need(gives(isolate, "globalThis.n = (globalThis.n ?? 0) + 1", "1"), 13);
    aard_isolate_free(isolate);
}

static void without_standard_streams(void)
{
    for (int fd = 0; fd < 3; fd++) close(fd);
    use();
}

/* Whoever writes to what it takes for its output writes to no guest's socket. */
static void writes_without_an_output(void)
{
    char text[] = "this is no frame\n";
    for (int fd = 0; fd < 3; fd++) close(fd);
    aard_isolate *isolate = make(AARD_CLEANUP_FULL);
    for (int i = 0; i < 5; i++) {
        for (int fd = 0; fd < 3; fd++) {
            ssize_t wrote = write(fd, text, sizeof text);
            (void)wrote;
        }
        need(gives(isolate, "1 + 1", "2"), 13);
    }
    aard_isolate_free(isolate);
}

static void with_descriptors(void)
{
    for (int fd = 3; fd <= 10; fd++) need(dup2(2, fd) == fd, 14);
    use();
    for (int fd = 3; fd <= 10; fd++) need(fcntl(fd, F_GETFD) >= 0, 15);
}

static void ignoring_children(void)
{
    signal(SIGCHLD, SIG_IGN);
    aard_isolate *isolate = make(AARD_CLEANUP_FULL);
    need(gives(isolate, "1 + 1", "2"), 13);
    pid_t template;
    need(children_of(getpid(), &template, 1) == 1, 16);
    kill(template, SIGKILL);
    for (int i = 0; i < 3; i++) need(gives(isolate, "1 + 1", "2"), 17);
    aard_isolate_free(isolate);
}

static atomic_bool forking;

static void *fork_much(void *user)
{
    (void)user;
    while (forking) {
        pid_t child;
        char *arguments[] = {(char[]){"true"}, NULL};
        int status;
        if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ)) continue;
        waitpid(child, &status, 0);
    }
    return NULL;
}

static void *use_in_thread(void *user)
{
    (void)user;
    use();
    return NULL;
}

static void forking_on_threads(void)
{
    pthread_t forks[2], users[3];
    forking = true;
    for (int i = 0; i < 2; i++) pthread_create(&forks[i], NULL, fork_much, NULL);
    for (int i = 0; i < 3; i++) pthread_create(&users[i], NULL, use_in_thread, NULL);
    for (int i = 0; i < 3; i++) pthread_join(users[i], NULL);
    forking = false;
    for (int i = 0; i < 2; i++) pthread_join(forks[i], NULL);
}

/* A child that the host has forked has no isolates; the host goes on. */
static void forked_off(void)
{
    aard_isolate *isolate = make(AARD_CLEANUP_NONE);
    need(gives(isolate, "globalThis.n = 1", "1"), 13);
    pid_t child = fork();
    need(child >= 0, 18);
    if (!child) {
        aard_outcome *outcome = NULL;
        aard_error *error = aard_isolate_exec(isolate, "n", 1, NULL, NULL, &outcome);
        need(error && aard_error_get_code(error) == AARD_ERR_FORKED, 19);
        aard_isolate_free(isolate);
        _exit(0);
    }
    int status;
    need(waitpid(child, &status, 0) == child, 20);
    need(!WIFSIGNALED(status), 22);
    need(!WEXITSTATUS(status), WEXITSTATUS(status));
    need(gives(isolate, "n", "1"), 21);
    aard_isolate_free(isolate);
}

/* Runs for ever. */
static void looping(void)
{
    aard_isolate *isolate = make(AARD_CLEANUP_FULL), *idle = make(AARD_CLEANUP_FULL);
    need(gives(idle, "1", "1"), 13);
    gives(isolate, "for (;;);", "");
}

static const struct {
    const char *name;
    void (*run)(void);
} roles[] = {
    {"without_standard_streams", without_standard_streams},
    {"writes_without_an_output", writes_without_an_output},
    {"with_descriptors", with_descriptors},
    {"ignoring_children", ignoring_children},
    {"forking_on_threads", forking_on_threads},
    {"forked_off", forked_off},
    {"looping", looping},
};

static void test_hosts_of_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < COUNT(roles); i++) {
        int status = run_as(roles[i].name, NULL);
        if (status) fail_msg("%s: %d", roles[i].name, status);
    }
}

/* ---- hosts that are killed --------------------------------------------------------------------------------------- */

static size_t list_family(pid_t host, pid_t *list, size_t most, size_t *templates)
{
    size_t count = *templates = children_of(host, list, most);
    for (size_t i = 0; i < *templates; i++) count += children_of(list[i], list + count, most - count);
    return count;
}

/* Processes below the host: its templates first, then their guests; once they stay the same, and one loops. */
static size_t wait_for_family(pid_t host, pid_t *list, size_t most, size_t *templates)
{
    double start = now_ms();
    pid_t before[32] = {0};
    while (now_ms() - start < 20000) {
        usleep(300000);
        size_t count = list_family(host, list, most, templates);
        if (count >= *templates + 3 && !memcmp(list, before, count * sizeof *list)) return count;
        memcpy(before, list, count * sizeof *list);
    }
    fail_msg("the host's processes never come to rest");
    return 0;
}

/* The one that loops, too; of a host whose template was killed before, too. */
static void test_no_orphan_survives_its_host(void **state)
{
    (void)state;
    for (int without_template = 0; without_template < 2; without_template++) {
        pid_t host, list[32];
        size_t templates = 0;
        run_as("looping", &host);
        size_t count = wait_for_family(host, list, COUNT(list), &templates);
        if (without_template) {
            for (size_t i = 0; i < templates; i++) kill(list[i], SIGKILL);
            usleep(100000);
            for (size_t i = templates; i < count; i++) assert_int_equal(kill(list[i], 0), 0); /* they go on */
        }
        kill(host, SIGKILL);
        double start = now_ms();
        for (size_t i = 0; i < count; i++)
            if (!ends_within(list[i], 2000)) fail_msg("process %zu of %zu is there after 2 s", i, count);
        assert_true(now_ms() - start < 2000);
        waitpid(host, NULL, 0);
    }
}

/* ---- templates that hang ----------------------------------------------------------------------------------------- */

static void test_a_template_that_hangs_costs_no_call(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE), NULL);
    value_is(exec(isolate, "globalThis.n = 1"), "1");
    pid_t template = the_template();
    kill(template, SIGSTOP);
    value_is(exec(isolate, "n"), "1"); /* nothing is asked of it */
    double start = now_ms();
    assert_ok(aard_isolate_reset(isolate));
    assert_true(now_ms() - start < 5000 + late_ms());
    value_is(exec(isolate, "typeof n"), "\"undefined\"");
    assert_true(ends_within(template, 5000));
    aard_isolate_free(isolate);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_of_every_kind),
        cmocka_unit_test(test_no_orphan_survives_its_host),
        cmocka_unit_test(test_a_template_that_hangs_costs_no_call),
    };
    for (size_t i = 0; argc > 1 && i < COUNT(roles); i++) {
        if (strcmp(argv[1], roles[i].name) != 0) continue;
        roles[i].run();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
