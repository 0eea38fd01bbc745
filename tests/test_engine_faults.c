/* Faults of the guest's WebAssembly are the guest's exceptions; all others are the host's, as if we were not there.  test-quick */
#include "engine_support.h"

#include <aardvark/engine.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* (module (memory 1) (func (export "at") (param i32) (result i32) local.get 0 i32.load offset=0x7fffffff)) */
static const char make[] =
    "const at = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0,"
    "1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 6, 1, 2, 97, 116, 0, 0,"
    "10, 13, 1, 11, 0, 32, 0, 40, 2, 255, 255, 255, 255, 7, 11]))).exports.at";
static const char touch[] =
    "{ let caught = 0; for (const n of [0, 1, 65532, 65536, 0x7fffffff, 0x80000000, -1]) {"
    "try { at(n) } catch (e) { caught += e instanceof WebAssembly.RuntimeError } } caught === 7 }";

/* A sanitizer has a handler of its own, which ends the process by an exit, and needs much space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { WRONG = 3, LIVED = 4 };

/* V8 can't be forked once it has started, and has to be started anew for each test: each is a child's. */
static int in_child(int (*test)(void))
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL); /* cmocka has one of its own */
        _exit(test());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void passes(int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("the child ended with %#x", (unsigned)status);
}

static bool handles_faults(void)
{
    struct sigaction now;
    sigaction(SIGSEGV, NULL, &now);
    return now.sa_handler != SIG_DFL;
}

static bool guest_faults(fixture *f)
{
    aard__result *result = run(f, touch);
    return result->status == AARD__OK && result->value.kind == AARD__BOOL && result->value.boolean;
}

static bool begin(fixture *f)
{
    open_fixture(f);
    return run(f, make)->status == AARD__OK && guest_faults(f);
}

static int *volatile nowhere;

static int guest_only(void)
{
    fixture f;
    bool right = begin(&f) && handles_faults();
    close_fixture(&f);
    return !right;
}

static void test_a_fault_of_the_guest_is_its_exception(void **state)
{
    (void)state;
    passes(in_child(guest_only));
}

static sigjmp_buf back;
static volatile sig_atomic_t told;

static void host_handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    told = signal == SIGSEGV && info->si_addr == NULL;
    siglongjmp(back, 1);
}

static void old_handler(int signal)
{
    told = signal == SIGSEGV;
    siglongjmp(back, 1);
}

static int host_recovers(const struct sigaction *action)
{
    fixture f;
    sigaction(SIGSEGV, action, NULL);
    bool right = begin(&f);
    for (int i = 0; i < 3; i++) {
        told = 0;
        if (!sigsetjmp(back, 1)) *nowhere = 1;
        right = right && told && guest_faults(&f);
    }
    close_fixture(&f);
    return !right;
}

static int host_recovers_with_info(void)
{
    struct sigaction action = {.sa_sigaction = host_handler, .sa_flags = SA_SIGINFO};
    return host_recovers(&action);
}

static int host_recovers_without(void)
{
    struct sigaction action = {.sa_handler = old_handler};
    return host_recovers(&action);
}

static void test_the_hosts_handler_gets_the_hosts_faults(void **state)
{
    (void)state;
    passes(in_child(host_recovers_with_info));
    passes(in_child(host_recovers_without));
}

static int faults(void)
{
    fixture f;
    if (!begin(&f)) return WRONG;
    *nowhere = 1;
    return LIVED;
}

static int is_sent_the_signal(void)
{
    fixture f;
    if (!begin(&f)) return WRONG;
    kill(getpid(), SIGSEGV);
    sleep(10);
    return LIVED;
}

static void test_without_one_they_end_the_process(void **state)
{
    (void)state;
    int (*const rows[])(void) = {faults, is_sent_the_signal};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = in_child(rows[i]);
        if (SANITIZED && WIFEXITED(status))
            assert_true(WEXITSTATUS(status) != WRONG && WEXITSTATUS(status) != LIVED);
        else
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
}

static int leaves_the_signal(void)
{
    fixture f;
    if (aard_engine_set_fault_handler(false)) return 1;
    struct sigaction before, after;
    sigaction(SIGSEGV, NULL, &before);
    bool right = begin(&f) && !sigaction(SIGSEGV, NULL, &after) && after.sa_handler == before.sa_handler;
    close_fixture(&f);
    aard_error *late = aard_engine_set_fault_handler(true);
    right = right && late && aard_error_get_code(late) == AARD_ERR_BUSY;
    aard_error_free(late);
    return !right;
}

static int has_little_space(void)
{
    fixture f;
    struct rlimit space = {(rlim_t)6 << 30, (rlim_t)6 << 30};
    setrlimit(RLIMIT_AS, &space);
    /* The handler is there for the ends of stacks; memory accesses are checked by the code itself. */
    bool right = begin(&f) && !strstr(aard__engine_code_key(), "; traps");
    close_fixture(&f);
    return !right;
}

static void test_guests_do_without(void **state)
{
    (void)state;
    passes(in_child(leaves_the_signal));
    if (!SANITIZED) passes(in_child(has_little_space));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault_of_the_guest_is_its_exception),
        cmocka_unit_test(test_the_hosts_handler_gets_the_hosts_faults),
        cmocka_unit_test(test_without_one_they_end_the_process),
        cmocka_unit_test(test_guests_do_without),
    };
    return cmocka_run_group_tests_name("engine faults", tests, NULL, NULL);
}
