/* The nth allocation, file operation, mapping or thread of a guest's whole life fails, once or from then on, for all n: each
 * step gives an error or an outcome in good form, nothing stays open, and the host goes on as if nothing had been.
 * The program is linked so that the library's own calls come here (Makefile).  test-timeout: 900 */
#include "isolate_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* ---- what fails ------------------------------------------------------------------------------------------------------- */

typedef enum fault { ALLOCATION, FILE_OPERATION, MAPPING, THREAD, FAULTS } fault;

static const char *const fault_names[] = {"allocation", "file operation", "mapping", "thread"};

static atomic_int armed = FAULTS; /* which kind fails */
static atomic_long left;          /* before it does */
static atomic_long fired;
static atomic_bool for_ever;

static bool fails(fault kind)
{
    if (atomic_load(&armed) != (int)kind) return false;
    long before = atomic_fetch_sub(&left, 1);
    bool now = before == 0 || (before < 0 && atomic_load(&for_ever));
    if (now) atomic_fetch_add(&fired, 1);
    return now;
}

static int allow(size_t size)
{
    (void)size;
    return !fails(ALLOCATION);
}

static void arm(fault kind, long n, bool ever)
{
    atomic_store(&left, n);
    atomic_store(&fired, 0);
    atomic_store(&for_ever, ever);
    atomic_store(&armed, (int)kind);
}

/* Whether anything has failed. */
static bool disarm(void)
{
    atomic_store(&armed, FAULTS);
    return atomic_load(&fired) != 0;
}

/* NAME fails with `error`, and gives `failed`, as the linker's --wrap has it. */
#define WRAP(kind, type, name, failed, error, parameters, ...)                                                         \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (!fails(kind)) return __real_##name(__VA_ARGS__);                                                           \
        errno = error;                                                                                                 \
        return failed;                                                                                                 \
    }

WRAP(FILE_OPERATION, int, open, -1, EMFILE, (const char *path, int flags, mode_t mode), path, flags, mode)
WRAP(FILE_OPERATION, int, openat, -1, EMFILE, (int dir, const char *path, int flags, mode_t mode), dir, path, flags,
     mode)
WRAP(FILE_OPERATION, ssize_t, read, -1, EIO, (int fd, void *data, size_t len), fd, data, len)
WRAP(FILE_OPERATION, ssize_t, pread, -1, EIO, (int fd, void *data, size_t len, off_t at), fd, data, len, at)
WRAP(FILE_OPERATION, ssize_t, __read_chk, -1, EIO, (int fd, void *data, size_t len, size_t room), fd, data, len, room)
WRAP(FILE_OPERATION, ssize_t, __pread_chk, -1, EIO, (int fd, void *data, size_t len, off_t at, size_t room), fd, data,
     len, at, room)
WRAP(FILE_OPERATION, ssize_t, write, -1, ENOSPC, (int fd, const void *data, size_t len), fd, data, len)
WRAP(FILE_OPERATION, ssize_t, pwrite, -1, ENOSPC, (int fd, const void *data, size_t len, off_t at), fd, data, len, at)
WRAP(FILE_OPERATION, int, fstat, -1, EIO, (int fd, struct stat *out), fd, out)
WRAP(FILE_OPERATION, int, stat, -1, EIO, (const char *path, struct stat *out), path, out)
WRAP(FILE_OPERATION, int, ftruncate, -1, ENOSPC, (int fd, off_t size), fd, size)
WRAP(FILE_OPERATION, int, memfd_create, -1, EMFILE, (const char *name, unsigned flags), name, flags)
WRAP(MAPPING, void *, mmap, MAP_FAILED, ENOMEM, (void *at, size_t len, int prot, int flags, int fd, off_t offset), at,
     len, prot, flags, fd, offset)
WRAP(THREAD, int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user), thread, attributes,
     start, user)

/* ---- a life ----------------------------------------------------------------------------------------------------------- */

static char shown[300]; /* a directory of the host */
static aard_bundle *bundles[2];

static void answer(void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)user;
    aard_reply_set_json(reply, input, len);
}

static bool is_clean(aard_error *error)
{
    if (!error) return true;
    aard_error_class class = aard_error_get_class(error);
    assert_true(class == AARD_CLASS_USAGE || class == AARD_CLASS_INPUT || class == AARD_CLASS_HOST);
    assert_true(*aard_error_message(error));
    aard_error_free(error);
    return false;
}

static int as_expected; /* calls with the right value, of one life */

/* Takes an outcome, which may have a failure. */
static void took(aard_outcome *outcome)
{
    int kind = atomic_exchange(&armed, FAULTS);
    const char *value = aard_outcome_value_json(check_form(outcome), NULL);
    as_expected += value && !strcmp(value, "[1,\"x\"]");
    assert_int_equal(aard_outcome_is_success(outcome), aard_outcome_failure_kind(outcome) == AARD_FAILURE_NONE);
    aard_outcome_free(outcome);
    atomic_store(&armed, kind);
}

static bool call_handler(aard_handler *handler, const aard_call *what)
{
    aard_outcome *outcome = NULL;
    if (!is_clean(aard_handler_invoke(handler, what, &outcome))) return false;
    took(outcome);
    return true;
}

static bool run(aard_isolate *isolate, const char *code)
{
    aard_outcome *outcome = NULL;
    if (!is_clean(aard_isolate_exec(isolate, code, strlen(code), NULL, NULL, &outcome))) return false;
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
    if (!is_clean(aard_handler_new(isolate, "main:echo", &handler)) || !is_clean(aard_call_new(&what))) goto end;
    aard_call_set_input_json(what, "[1,\"x\"]", 7);
    done += call_handler(handler, what);
    done += run(isolate, codes[javascript]);
    done += is_clean(aard_isolate_reset(isolate));
    done += call_handler(handler, what);
    done += is_clean(aard_isolate_prepare_reset(isolate));
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
    if (!is_clean(aard_isolate_config_new(&config))) return NULL;
    aard_isolate_config_set_language(config, javascript ? AARD_LANGUAGE_JAVASCRIPT : AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    bool ready = is_clean(aard_isolate_config_add_capability(config, "answer")) &&
                 is_clean(aard_isolate_config_add_function(config, "answer", answer, NULL, NULL)) &&
                 is_clean(aard_isolate_config_mount(config, shown, "/data", AARD_FILESYSTEM_READ_WRITE)) &&
                 is_clean(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    if (ready && is_clean(aard_isolate_load_bundle(isolate, bundles[javascript]))) return isolate;
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

static int open_files(void)
{
    int kind = atomic_exchange(&armed, FAULTS), count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    atomic_store(&armed, kind);
    return count;
}

static void must_live(bool javascript, int files)
{
    as_expected = 0;
    assert_true(live(javascript));
    assert_int_equal(as_expected, 4);
    assert_int_equal(open_files(), files);
}

/* Whole lives, with every `step`th of each kind failing. */
static void lives(bool javascript, fault kind, bool ever, long step)
{
    must_live(javascript, open_files()); /* what is made once for all is there */
    int files = open_files();
    long n = 0;
    for (bool more = true; more; n += step) {
        arm(kind, n, ever);
        live(javascript);
        more = disarm();
        if (open_files() != files) fail_msg("%s %ld left a file open", fault_names[kind], n);
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
        arm(kind, n, ever);
        use(isolate, javascript);
        more = disarm();
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
    aard__alloc_set_hook(allow);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[320];
    aard__alloc_set_hook(NULL);
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
        arm(THREAD, n, false);
        live(false);
        live(true);
        more = disarm();
    }
    assert_true(n > 1);
    must_live(false, open_files());
    must_live(true, open_files());
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
        for (int ever = 0; ever < 2; ever++) lives(false, kind, ever, kind == ALLOCATION ? 7 : 1);
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
