/* A program that serves one guest in a thread, and has hardened itself: the guest goes on, and a hole opens nothing. */
#include "isolate_support.h"

#include <aardvark/hardening.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process of its own, since there is no way back; what it needs is said by a line on stderr. */
#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                          \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)

static void in_a_process(bool (*run)(void))
{
    int status;
    pid_t pid = fork();
    if (!pid) _exit(run() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static aard_isolate *make(aard_language language, bool with_outside)
{
    aard_isolate_config *config = thread_config(language);
    aard_isolate *isolate = NULL;
    aard_error *error = NULL;
    if (with_outside) error = aard_isolate_config_add_mount(config, "docs", "/docs", AARD_FILESYSTEM_READ);
    if (!error) error = aard_isolate_new(config, &isolate);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    aard_error_free(error);
    aard_isolate_config_free(config);
    return isolate;
}

static bool gives(aard_isolate *isolate, const char *code, const char *value)
{
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_exec(isolate, code, strlen(code), NULL, NULL, &outcome);
    const char *json = outcome ? aard_outcome_value_json(outcome, NULL) : NULL;
    bool right = !error && json && !strcmp(json, value);
    if (!right) fprintf(stderr, "%s gives %s\n", code, error ? aard_error_message(error) : json ? json : "no value");
    aard_error_free(error);
    aard_outcome_free(outcome);
    return right;
}

static bool failed_with(long result, int first, int second)
{
    return result < 0 && (errno == first || errno == second);
}

/* Nothing that opens anything. */
static bool is_closed_in(void)
{
    NEED(failed_with(open("/etc/passwd", O_RDONLY), EACCES, EPERM));
    NEED(failed_with(open("/dev/null", O_WRONLY), EACCES, EPERM));
    NEED(failed_with(syscall(__NR_openat2, AT_FDCWD, "/", NULL, 0), EACCES, EPERM));
    NEED(failed_with(socket(AF_UNIX, SOCK_STREAM, 0), EPERM, EPERM));
    NEED(failed_with(socket(AF_INET, SOCK_STREAM, 0), EPERM, EPERM));
    NEED(failed_with(unlink("/nowhere"), EPERM, EACCES));
    NEED(failed_with(mkdir("/tmp/x", 0700), EPERM, EACCES));
    NEED(failed_with(kill(getppid(), 0), EPERM, EPERM));
    return true;
}

static bool starts_nothing(void)
{
    char *const none[] = {NULL};
    NEED(failed_with(execve("/bin/true", none, none), EPERM, EPERM));
    NEED(failed_with(fork(), EPERM, EPERM));
    NEED(failed_with(vfork(), EPERM, EPERM));
    NEED(failed_with(syscall(__NR_ptrace, 0, 0, 0, 0), EPERM, EPERM));
    NEED(failed_with(syscall(__NR_unshare, 0x10000000), EPERM, EPERM));
    NEED(failed_with(syscall(425 /* io_uring_setup */, 1, NULL), EPERM, EPERM));
#ifdef __x86_64__
    NEED(failed_with(syscall(0x40000000 | __NR_getpid), EPERM, EPERM)); /* x32's */
#endif
    return true;
}

static pthread_barrier_t barrier;

static void *try_in_thread(void *user)
{
    pthread_barrier_wait(&barrier); /* it is there before */
    pthread_barrier_wait(&barrier);
    *(bool *)user = is_closed_in() && starts_nothing();
    return NULL;
}

static bool harden(aard_isolate *isolate)
{
    aard_error *error = aard_isolate_harden_process(isolate);
    if (error) fprintf(stderr, "%s\n", aard_error_message(error));
    aard_error_free(error);
    return !error;
}

static bool serve_hardened(aard_language language)
{
    bool closed_in = false;
    pthread_t thread;
    aard_isolate *isolate = make(language, false);
    const bool python = language == AARD_LANGUAGE_PYTHON;
    NEED(isolate && aard_isolate_hardening(isolate) == 0);
    pthread_barrier_init(&barrier, NULL, 2);
    NEED(!pthread_create(&thread, NULL, try_in_thread, &closed_in));
    pthread_barrier_wait(&barrier);
    NEED(harden(isolate));
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    const uint32_t have = aard_isolate_hardening(isolate);
    NEED(have & AARD_HARDEN_NO_NEW_PRIVILEGES && have & AARD_HARDEN_SECCOMP && have & AARD_HARDEN_NOT_DUMPABLE &&
         have & AARD_HARDEN_LIMITS && have & AARD_HARDEN_CAPABILITIES);
    NEED(closed_in && is_closed_in() && starts_nothing());
    NEED(gives(isolate, "6 * 7", "42"));
    NEED(python ? gives(isolate,
                        "import tempfile, time, json; time.sleep(0.01); f = open('/tmp/x', 'w'); f.write('ab')", "2")
                : gives(isolate, "await new Promise((ok) => setTimeout(() => ok('late'), 5))", "\"late\""));
    NEED(python ? gives(isolate, "sum(len(bytearray(1000)) for _ in range(1000))", "1000000")
                : gives(isolate, "Array.from({length: 1e5}, (_, i) => [i]).length", "100000"));
    NEED(write(STDERR_FILENO, "", 0) == 0);
    aard_isolate_free(isolate);
    return true;
}

static bool serve_python(void) { return serve_hardened(AARD_LANGUAGE_PYTHON); }
static bool serve_javascript(void) { return serve_hardened(AARD_LANGUAGE_JAVASCRIPT); }

static void test_a_guest_goes_on_and_nothing_is_opened(void **state)
{
    (void)state;
    in_a_process(serve_javascript);
    in_a_process(serve_python);
}

static bool serve_with_mount(void)
{
    aard_isolate *isolate = make(AARD_LANGUAGE_PYTHON, true);
    NEED(isolate && harden(isolate));
    NEED(gives(isolate, "open('/docs/pools.md').read(7)", "\"# Pools\""));
    NEED(starts_nothing());
    NEED(!(aard_isolate_hardening(isolate) & AARD_HARDEN_LANDLOCK));
    NEED(aard_isolate_hardening(isolate) & AARD_HARDEN_SECCOMP);
    NEED(aard_isolate_hardening_errno(isolate, AARD_HARDEN_LANDLOCK) == 0);
    return true;
}

static void test_with_a_mount_files_are_opened_and_no_programs(void **state)
{
    (void)state;
    in_a_process(serve_with_mount);
}

static void test_a_guest_in_a_process_has_its_own(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate *isolate = NULL;
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    assert_ok(aard_isolate_new(config, &isolate));
    assert_refused(aard_isolate_harden_process(isolate), AARD_ERR_UNSUPPORTED, "process", NULL);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_guest_goes_on_and_nothing_is_opened), /* before there is an engine here */
        cmocka_unit_test(test_with_a_mount_files_are_opened_and_no_programs),
        cmocka_unit_test(test_a_guest_in_a_process_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
