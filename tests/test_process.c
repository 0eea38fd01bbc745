/* What happens to the process that isolates live in: it forks, unloads the library, throws exceptions, installs handlers of its
 * own, and has little address space.  Each in a process apart.  test-timeout: 240 */
#include "isolate_support.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

LEAKS_OF_LEFT_GUESTS

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* they have address space and handlers of their own */
#else
#define SANITIZED 0
#endif

/* Runs `work` in a child, which has to be done in time; gives its status as waitpid does. */
static int status_of(void (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        alarm(60);
        for (int i = SIGABRT; i < SIGKILL + 1; i++) signal(i, SIG_DFL); /* cmocka's */
        signal(SIGSEGV, SIG_DFL);
        alarm(60);
        work();
        exit(0); /* with all that is done at the end of a process */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void ends_well(void (*work)(void))
{
    int status = status_of(work);
    if (WIFSIGNALED(status)) fail_msg("signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child an assertion of cmocka's would go on in the parent's tests. */
static void need(bool what, int code)
{
    if (!what) _exit(code);
}

static bool is(aard_error *error, aard_error_code code)
{
    bool same = error && aard_error_get_code(error) == code;
    aard_error_free(error);
    return same;
}

static aard_isolate *make(aard_language language)
{
    aard_isolate_config *config;
    aard_isolate *isolate = NULL;
    need(!aard_isolate_config_new(&config), 10);
    aard_isolate_config_set_language(config, language);
    aard_isolate_config_set_wall_limit_ms(config, 30000);
    need(!aard_isolate_new(config, &isolate), 11);
    aard_isolate_config_free(config);
    return isolate;
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

/* ---- fork --------------------------------------------------------------------------------------------------------- */

static aard_isolate *isolate_of_parent;
static aard_cancel_handle *handle_of_parent;

static void use_in_child(void)
{
    aard_isolate *isolate = isolate_of_parent, *made = NULL;
    aard_outcome *outcome = NULL;
    aard_handler *handler = NULL;
    need(is(aard_isolate_exec(isolate, "1", 1, NULL, NULL, &outcome), AARD_ERR_FORKED), 20);
    need(is(aard_isolate_new(NULL, &made), AARD_ERR_FORKED), 21);
    need(is(aard_isolate_reset(isolate), AARD_ERR_FORKED), 22);
    need(is(aard_handler_new(isolate, NULL, &handler), AARD_ERR_FORKED), 23);
    need(is(aard_isolate_prepare_reset(isolate), AARD_ERR_FORKED), 24);
    aard_cancel(handle_of_parent);
    aard_isolate_free(isolate);
}

static void do_nothing(void) {}

static void fork_with_isolates(void)
{
    isolate_of_parent = make(AARD_LANGUAGE_JAVASCRIPT);
    need(!aard_cancel_handle_new(&handle_of_parent), 12);
    need(gives(isolate_of_parent, "1 + 1", "2"), 13);
    for (int i = 0; i < 2; i++) {
        int status = status_of(i ? use_in_child : do_nothing);
        need(!WIFSIGNALED(status), 14);
        if (WEXITSTATUS(status)) _exit(WEXITSTATUS(status));
    }
    need(gives(isolate_of_parent, "1 + 2", "3"), 15); /* the parent goes on */
    aard_cancel_handle_free(handle_of_parent);
    aard_isolate_free(isolate_of_parent);
}

static void test_a_forked_process_is_told_and_ends(void **state)
{
    (void)state;
    ends_well(fork_with_isolates);
}

static void use_after_fork(void)
{
    aard_isolate *isolate = make(AARD_LANGUAGE_JAVASCRIPT);
    need(gives(isolate, "1 + 1", "2"), 13);
    aard_isolate_free(isolate);
}

static void test_isolates_are_made_after_a_fork(void **state)
{
    (void)state;
    ends_well(use_after_fork);
    ends_well(use_after_fork);
}

/* ---- dlclose -------------------------------------------------------------------------------------------------------- */

static void load_twice(void)
{
    char path[1024];
    const char *build = getenv("AARDVARK_BUILD");
    snprintf(path, sizeof path, "%s/libaardvark.so", build ? build : "build");
    for (int i = 0; i < 2; i++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!library) fprintf(stderr, "%s\n", dlerror());
        need(library != NULL, 30);
        aard_error *(*new_config)(aard_isolate_config **);
        void (*set_language)(aard_isolate_config *, aard_language);
        aard_error *(*new_isolate)(const aard_isolate_config *, aard_isolate **);
        void (*free_isolate)(aard_isolate *), (*free_config)(aard_isolate_config *);
        *(void **)&new_config = dlsym(library, "aard_isolate_config_new");
        *(void **)&set_language = dlsym(library, "aard_isolate_config_set_language");
        *(void **)&new_isolate = dlsym(library, "aard_isolate_new");
        *(void **)&free_isolate = dlsym(library, "aard_isolate_free");
        *(void **)&free_config = dlsym(library, "aard_isolate_config_free");
        aard_isolate_config *config;
        aard_isolate *isolate;
        need(new_config && !new_config(&config), 31);
        set_language(config, AARD_LANGUAGE_JAVASCRIPT);
        need(!new_isolate(config, &isolate), 32);
        free_isolate(isolate);
        free_config(config);
        need(!dlclose(library), 33);
    }
}

static void test_the_library_is_closed_and_opened(void **state)
{
    (void)state;
    if (SANITIZED) return; /* the library wants the sanitizer's own to be loaded first */
    ends_well(load_twice);
}

/* ---- C++ exceptions ------------------------------------------------------------------------------------------------- */

static void forget_exception(_Unwind_Reason_Code code, struct _Unwind_Exception *exception)
{
    (void)code;
    (void)exception;
}

static void throw_one(void)
{
    static struct _Unwind_Exception exception;
    exception = (struct _Unwind_Exception){.exception_cleanup = forget_exception};
    memcpy(&exception.exception_class, "AARDTEST", 8);
    _Unwind_RaiseException(&exception);
    abort(); /* nobody catches it */
}

static void throwing_stream(const aard_call_context *context, void *user, aard_stream stream, const char *data,
                            size_t len)
{
    (void)context;
    (void)user;
    (void)stream;
    (void)data;
    (void)len;
    throw_one();
}

static void throwing_function(const aard_call_context *context, void *user, const char *input, size_t len,
                              aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
    throw_one();
}

static void throwing_callback(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context;
    *(aard_invocation **)user = invocation;
    throw_one();
}

static void test_what_a_callback_throws_ends_there(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_capability(config, "throws"));
    assert_ok(aard_isolate_config_add_function(config, "throws", throwing_function, NULL, NULL));
    aard_isolate_config_set_stream_callback(config, throwing_stream, NULL, NULL);
    aard_invocation *invocation = NULL;
    assert_ok(aard_isolate_config_add_callback(config, "hurls", NULL, NULL, throwing_callback, &invocation, NULL));
    aard_isolate *isolate = boot(config, NULL);
    exception_is(exec(isolate, "await hurls()"), "CallbackError", "the host's callback threw a C++ exception", NULL);
    assert_false(aard_invocation_reply(invocation, "1", 1));
    aard_invocation_free(invocation);
    exception_is(exec(isolate, "aardvark.host.throws(1)"), "HostError", NULL, "C++ exception", NULL);
    failure_is(exec(isolate, "console.log('x')"), AARD_FAILURE_OTHER, "callback threw", NULL);
    value_is(exec(isolate, "1 + 1"), "2");
    aard_isolate_free(isolate);
}

/* ---- a host's handler for SIGSEGV ------------------------------------------------------------------------------------ */

static void report_and_raise(int number) /* as Python's faulthandler does it: what was there before gets it then */
{
    static const char text[] = "host\n";
    extern struct sigaction handler_before;
    if (write(2, text, sizeof text - 1) < 0) _exit(40);
    sigaction(number, &handler_before, NULL);
    raise(number);
}

struct sigaction handler_before;

static void install_handler(void)
{
    struct sigaction action = {.sa_handler = report_and_raise, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &action, &handler_before);
}

/* A read in Python outside of its memory is a fault, and the end of the guest. */
static const char wild_read[] = "import ctypes\nctypes.c_int.from_address(0x7fffff00).value";

static void read_wildly(void)
{
    aard_isolate *isolate = make(AARD_LANGUAGE_PYTHON);
    aard_outcome *outcome = NULL;
    need(gives(isolate, "1 + 1", "2"), 41);
    install_handler();
    need(!aard_isolate_exec(isolate, wild_read, sizeof wild_read - 1, NULL, NULL, &outcome), 42);
    need(aard_outcome_failure_kind(outcome) == AARD_FAILURE_ENGINE_CRASHED, 45);
    aard_outcome_free(outcome);
    need(gives(isolate, "1 + 1", "2"), 43);
    aard_isolate_free(isolate);
}

static volatile uintptr_t nowhere = 8;
static void raise_fault(void) { *(volatile int *)nowhere = 1; }

static void fault_oneself(void)
{
    aard_isolate *isolate = make(AARD_LANGUAGE_PYTHON);
    install_handler();
    need(gives(isolate, "1 + 1", "2"), 44); /* ours is the first now */
    raise_fault();
}

static void test_a_handler_of_the_hosts_comes_later(void **state)
{
    (void)state;
    if (SANITIZED) return;
    ends_well(read_wildly);
    int status = status_of(fault_oneself); /* the host's own fault ends the process, once its handler has seen it */
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

/* ---- little address space -------------------------------------------------------------------------------------------- */

static rlim_t space_mib;

static void make_in_little_space(void)
{
    struct rlimit limit = {space_mib << 20, space_mib << 20};
    aard_isolate_config *config;
    aard_isolate *isolate[4] = {NULL};
    need(!setrlimit(RLIMIT_AS, &limit), 50);
    need(!aard_isolate_config_new(&config), 51);
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    for (int i = 0; i < 4; i++) {
        aard_error *error = aard_isolate_new(config, &isolate[i]);
        if (!error) {
            need(gives(isolate[i], "1 + 1", "2"), 52);
            continue;
        }
        bool clear = strstr(aard_error_message(error), "RLIMIT_AS") != NULL;
        need(clear || aard_error_get_code(error) == AARD_ERR_NO_MEMORY, 53);
        aard_error_free(error);
    }
    for (int i = 0; i < 4; i++) aard_isolate_free(isolate[i]);
    aard_isolate_config_free(config);
}

static void test_little_address_space_is_an_error(void **state)
{
    (void)state;
    if (SANITIZED) return;
    static const rlim_t some[] = {150, 250, 350, 500, 700, 1000, 1600};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        space_mib = some[i];
        int status = status_of(make_in_little_space);
        if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("%lu MiB: status %x", (unsigned long)space_mib, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Before this process has an engine of its own. */
        cmocka_unit_test(test_a_forked_process_is_told_and_ends),
        cmocka_unit_test(test_isolates_are_made_after_a_fork),
        cmocka_unit_test(test_the_library_is_closed_and_opened),
        cmocka_unit_test(test_a_handler_of_the_hosts_comes_later),
        cmocka_unit_test(test_little_address_space_is_an_error),
        cmocka_unit_test(test_what_a_callback_throws_ends_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
