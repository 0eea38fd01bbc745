/* Prepared distributions: starts from the base image, and what happens when the cache is not what it was.
 * test-timeout: 240 */
#include "dist_support.h"
#include "isolate_support.h"

#include <signal.h>
#include <spawn.h>

#include "distribution/derived.h"

static char *home;
static aard_distribution *distribution;

/* A distribution of this test's own, not prepared yet. */
static int set_up(void **state)
{
    (void)state;
    aard_stage_options *options;
    aard_distribution *source;
    home = make_temp();
    assert_ok(aard_distribution_open(getenv("AARDVARK_TEST_DIST"), &source));
    assert_ok(aard_stage_options_new(&options));
    assert_ok(aard_stage_options_set_home(options, home));
    assert_ok(aard_stage_options_set_archive(options, aard_distribution_dir(source)));
    assert_ok(aard_distribution_stage(options, &distribution, NULL));
    aard_stage_options_free(options);
    aard_distribution_free(source);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_distribution_free(distribution);
    remove_temp(home);
    return 0;
}

static aard_isolate *start(void)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    return boot(config, NULL);
}

static aard_isolate *start_with(const char *capability)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    assert_null(aard_isolate_config_add_capability(config, capability));
    return boot(config, NULL);
}

static aard_isolate *start_with_javascript(void) { return start_with("js"); }

/* This program again, with a job to do instead of tests: what was read from the cache is shared by the isolates of a
 * process, and an engine that runs can't be forked. */
static pid_t spawn(const char *job)
{
    pid_t child;
    char *args[] = {(char *)"test_warm_start", (char *)job, (char *)aard_distribution_dir(distribution), NULL};
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, args, environ), 0);
    return child;
}

static int status_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int do_job(const char *job, const char *dir)
{
    assert_ok(aard_distribution_open(dir, &distribution));
    if (!strcmp(job, "prepare")) {
        assert_ok(aard_distribution_prepare(distribution, true));
        return 0;
    }
    aard_isolate *isolate = start();
    aard_outcome *outcome = exec(isolate, "import json; json.dumps([sum(range(10)), __name__])");
    bool right = !strcmp(aard_warm_source_name(aard_outcome_diagnostics(outcome)->warm_source), job) &&
                 !strcmp(aard_outcome_value_json(outcome, NULL), "\"[45, \\\"__main__\\\"]\"");
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
    aard_distribution_free(distribution);
    return right ? 0 : 1;
}

/* A start in another process gives the right answers, and comes from `source`. */
static void starts_from(aard_warm_source source)
{
    int status = status_of(spawn(aard_warm_source_name(source)));
    if (status) fail_msg("a start that should have come from '%s' did not: %d", aard_warm_source_name(source), status);
}

static char *cache(const char *name) { return at(at(aard_distribution_dir(distribution), "cache"), name); }

static void flip(const char *path, off_t offset)
{
    int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_true(fd >= 0 && pread(fd, &byte, 1, offset) == 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void test_without_a_cache_it_starts_from_nothing(void **state)
{
    (void)state;
    assert_false(aard_distribution_is_prepared(distribution));
    starts_from(AARD_WARM_NONE);
}

/* Preparing is killed at any moment: the next attempt finds nothing broken. */
static void test_preparing_survives_being_killed(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        pid_t child = spawn("prepare");
        usleep((useconds_t)(300000 + 700000 * i));
        assert_int_equal(kill(child, SIGKILL), 0);
        status_of(child);
    }
    starts_from(aard_distribution_is_prepared(distribution) ? AARD_WARM_DISK : AARD_WARM_NONE);
}

static void test_preparing_makes_starts_warm(void **state)
{
    (void)state;
    assert_int_equal(status_of(spawn("prepare")), 0);
    assert_true(aard_distribution_is_prepared(distribution));
    assert_true(aard_distribution_is_prelinked(distribution));
    assert_ok(aard_distribution_verify(distribution));
    starts_from(AARD_WARM_DISK);
}

static void test_a_damaged_cache_only_costs_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        aard_warm_source source; /* of a start without it: an image fits only the code that it was made with */
        bool prelinked;
    } files[] = {{"base.image", AARD_WARM_NONE, true},
                 {"pyodide.asm.wasm.code", AARD_WARM_DISK, true},
                 {"pyodide.asm.js.code", AARD_WARM_DISK, true},
                 {"base.snapshot", AARD_WARM_DISK, true},
                 {"pyodide.asm.wasm.prelinked", AARD_WARM_NONE, false},
                 {"pyodide.asm.js.prelinked", AARD_WARM_NONE, false},
                 {"pyodide.asm.symbols", AARD_WARM_NONE, false}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        flip(cache(files[i].name), 70000);
        assert_false(aard_distribution_is_prepared(distribution));
        assert_int_equal(aard_distribution_is_prelinked(distribution), files[i].prelinked);
        starts_from(files[i].source);
        flip(cache(files[i].name), 70000);
    }
    assert_int_equal(rename(cache("pyodide.asm.symbols"), cache("moved")), 0);
    starts_from(AARD_WARM_NONE);
    assert_int_equal(rename(cache("moved"), cache("pyodide.asm.symbols")), 0);
    assert_true(aard_distribution_is_prepared(distribution));
    assert_int_equal(rename(cache("base.image"), cache("moved")), 0);
    assert_false(aard_distribution_is_prepared(distribution));
    assert_int_equal(rename(cache("moved"), cache("base.image")), 0);
}

/* Puts a file with the same data there that is whole, but made for another key; gives where the old one went. */
static char *make_foreign(const char *name)
{
    aard__derived derived;
    char *kept = cache("kept");
    assert_true(aard__derived_map(distribution, name, &derived));
    assert_int_equal(rename(cache(name), kept), 0);
    assert_ok(aard__derived_write(distribution, name, "what another build goes by", derived.data, derived.len));
    aard__derived_close(&derived);
    return kept;
}

/* As a library left it that prelinks otherwise, or whose engine is another: its pieces don't fit this one's. */
static void test_a_cache_of_another_build_is_not_used(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        aard_warm_source source; /* of a start without it */
    } files[] = {{"pyodide.asm.wasm.prelinked", AARD_WARM_NONE}, {"pyodide.asm.js.prelinked", AARD_WARM_NONE},
                 {"pyodide.asm.symbols", AARD_WARM_NONE},        {"pyodide.asm.wasm.code", AARD_WARM_DISK},
                 {"pyodide.asm.js.code", AARD_WARM_DISK},        {"base.snapshot", AARD_WARM_DISK}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *kept = make_foreign(files[i].name);
        assert_false(aard_distribution_is_prepared(distribution));
        starts_from(files[i].source);
        assert_int_equal(rename(kept, cache(files[i].name)), 0);
    }
    assert_true(aard_distribution_is_prepared(distribution));
}

static void test_preparing_wants_the_process_for_itself(void **state)
{
    (void)state;
    aard_isolate_config *config = thread_config(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    aard_isolate *isolate = boot(config, NULL);
    assert_refused(aard_distribution_prepare(distribution, true), AARD_ERR_BUSY, "isolates", NULL);
    value_is(exec(isolate, "1+1"), "2");
    aard_isolate_free(isolate);
}

/* Two guests with one memory to begin with must not go on alike. */
static void test_entropy_is_each_guests_own(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "import random; random.random()",        "import random; random.getrandbits(256)",
        "import secrets; secrets.token_hex(16)", "import uuid; str(uuid.uuid4())",
        "import os; os.urandom(16).hex()",       "open('/dev/urandom', 'rb').read(16).hex()",
        "import tempfile; tempfile.mktemp()",    "import random; random.SystemRandom().random()",
        "import js; js.Math.random()",           "import js; js.crypto.randomUUID()",
    };
    aard_isolate *a = start_with_javascript(), *b = start_with_javascript();
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        aard_outcome *first = exec(a, sources[i]), *second = exec(b, sources[i]);
        assert_int_equal(aard_outcome_diagnostics(first)->warm_source, AARD_WARM_DISK);
        assert_success(first);
        assert_success(second);
        if (!strcmp(aard_outcome_value_json(first, NULL), aard_outcome_value_json(second, NULL)))
            fail_msg("%s gave %s twice", sources[i], aard_outcome_value_json(first, NULL));
        aard_outcome_free(first);
        aard_outcome_free(second);
    }
    aard_isolate_free(a);
    aard_isolate_free(b);
}

/* A library that is linked to Python's own code while it runs, by name, by table slot and by address: made here by hand,
 * with `length(text)`, which calls strlen, `indirect(text)`, which calls it by its slot, `slot()`, and `version()`, which
 * reads Py_Version. */
static const char library[] =
    "import ctypes\n"
    "def leb(n):\n"
    "    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)\n"
    "def vec(*items): return leb(len(items)) + b''.join(items)\n"
    "def sized(b): return leb(len(b)) + b\n"
    "def name(s): return sized(s.encode())\n"
    "def section(i, b): return bytes([i]) + sized(b)\n"
    "def imp(m, n, kind): return name(m) + name(n) + kind\n"
    "def func(*code): return sized(bytes([0, *code, 0x0b]))\n"
    "module = b'\\0asm\\1\\0\\0\\0' + section(0, name('dylink.0') + b'\\x01\\x04\\0\\0\\0\\0') + b''.join([\n"
    "    section(1, vec(b'\\x60\\x01\\x7f\\x01\\x7f', b'\\x60\\0\\x01\\x7f')),\n"
    "    section(2, vec(imp('env', 'memory', b'\\x02\\0\\x01'), imp('env', 'strlen', b'\\0\\0'),\n"
    "                   imp('env', '__indirect_function_table', b'\\x01\\x70\\0\\0'),\n"
    "                   imp('GOT.func', 'strlen', b'\\x03\\x7f\\x01'), imp('GOT.mem', 'Py_Version', b'\\x03\\x7f\\x01'),\n"
    "                   imp('GOT.func', 'strpbrk', b'\\x03\\x7f\\x01'))),\n"
    "    section(3, vec(b'\\0', b'\\0', b'\\x01', b'\\x01', b'\\x01')),\n"
    "    section(7, vec(*[name(n) + b'\\0' + bytes([i + 1]) for i, n in\n"
    "                     enumerate(['length', 'indirect', 'slot', 'version', 'strpbrk'])])),\n"
    "    section(10, vec(func(0x20, 0, 0x10, 0), func(0x20, 0, 0x23, 0, 0x11, 0, 0), func(0x23, 0),\n"
    "                    func(0x23, 1, 0x28, 2, 0), func(0x23, 2)))])\n"
    "open('/tmp/lib.so', 'wb').write(module)\n"
    "lib = ctypes.CDLL('/tmp/lib.so')\n"
    "main = ctypes.CDLL(None)\n"
    "slot = lambda f: ctypes.cast(f, ctypes.c_void_p).value\n"
    "import sys\n"
    "[lib.length(b'four'), lib.indirect(b'seven..'), lib.slot() == slot(main.strlen),\n"
    " lib.version() & 0xffffffff == sys.hexversion, lib.strpbrk() == slot(main.strpbrk), main.strlen(b'xx'),\n"
    " hasattr(main, 'no_such_symbol'), hasattr(lib, 'no_such_symbol'), slot(main.strlen) == slot(ctypes.CDLL(None).strlen),\n"
    " ctypes.c_int.in_dll(main, 'Py_Version').value == ctypes.c_int.in_dll(ctypes.pythonapi, 'Py_Version').value]";

static void test_libraries_are_linked_to_what_is_prelinked(void **state)
{
    (void)state;
    aard_isolate *isolate = start_with("codegen"); /* the library is the guest's own */
    value_is(exec(isolate, library), "[4,7,true,true,true,2,false,false,true,true]");
    aard_isolate_free(isolate);
}

/* C calls a function of JavaScript by its place in the table: the first call puts the function there, before and after a
 * reset. */
static void test_functions_of_javascript_can_be_called_by_their_places(void **state)
{
    (void)state;
    static const char find[] =
        "import ctypes; ctypes.cast(ctypes.CDLL(None).emscripten_console_log, ctypes.c_void_p).value";
    char code[300];
    aard_isolate *open = start_with_javascript(), *closed = start(); /* which may not ask for it by name */
    aard_outcome *outcome = exec(open, find);
    assert_success(outcome);
    snprintf(code, sizeof code,
             "import ctypes\nsay = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(%s)\nfor i in range(2): say(b'said')",
             aard_outcome_value_json(outcome, NULL));
    aard_outcome_free(outcome);
    for (int i = 0; i < 4; i++) {
        aard_isolate *isolate = i % 2 ? open : closed;
        streams_are(exec(isolate, code), "said\nsaid\n", "");
        assert_ok(aard_isolate_reset(isolate));
    }
    repr_has(exec(closed, "try:\n    import ctypes; r = ctypes.CDLL(None).emscripten_console_log\n"
                          "except AttributeError as e:\n    r = None\n{r}"),
             "{None}");
    aard_isolate_free(open);
    aard_isolate_free(closed);
}

/* Functions that nothing uses at the start are there for whoever asks. */
static void test_the_module_has_all_it_would_have(void **state)
{
    (void)state;
    aard_isolate *isolate = start_with_javascript();
    value_is(
        exec(isolate,
             "from pyodide_js import _module as m; [m._Py_IsInitialized(), m._PyLong_FromLong == m._PyLong_FromLong,"
             " hasattr(m, '_no_such_function'), hasattr(m, 'no'), m._Py_Version > 1024]"),
        "[1,true,false,false,true]");
    aard_isolate_free(isolate);
}

/* What a start from the image could get wrong: everything that is not in the memory. */
static void test_a_warm_guest_lacks_nothing(void **state)
{
    (void)state;
    aard_isolate *isolate = start_with_javascript();
    value_is(exec(isolate, "import asyncio\nasync def f():\n    await asyncio.sleep(0.001)\n    return 7\nawait f()"),
             "7");
    value_is(
        exec(isolate, "import os; [os.getcwd(), sorted(os.listdir('/app')), os.path.exists('/lib/python313.zip')]"),
        "[\"/session\",[],true]");
    streams_are(exec(isolate, "import sys; print('out'); print('err', file=sys.stderr)"), "out\n", "err\n");
    value_is(exec(isolate, "open('/tmp/f', 'w').write('x' * 10); open('/tmp/f').read()"), "\"xxxxxxxxxx\"");
    value_is(exec(isolate, "import time; a = time.monotonic(); b = time.monotonic(); 0 <= b - a < 5"), "true");
    value_is(exec(isolate, "import time; abs(time.time() - __import__('datetime').datetime.now().timestamp()) < 5"),
             "true");
    value_is(exec(isolate, "from js import Object, Array; Array.of(1, 2).to_py()"), "[1,2]");
    value_is(
        exec(isolate, "from pyodide.ffi import create_proxy, to_js; len([create_proxy(lambda: i) for i in range(50)])"),
        "50");
    value_is(exec(isolate, "x = bytearray(64 << 20); len(x)"), "67108864"); /* memory grows past the image */
    value_is(exec(isolate, "import decimal, fractions; str(decimal.Decimal('0.1') * 3)"), "\"0.3\"");
    exception_is(exec(isolate, "1/0"), "ZeroDivisionError", "division by zero", "1/0", NULL);
    exception_is(exec(isolate, "import nothing_of_that_name"), "ModuleNotFoundError", NULL, NULL);
    aard_isolate_free(isolate);
}

int main(int argc, char **argv)
{
    if (argc == 3) return do_job(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_cache_it_starts_from_nothing),
        cmocka_unit_test(test_preparing_survives_being_killed),
        cmocka_unit_test(test_preparing_makes_starts_warm),
        cmocka_unit_test(test_a_damaged_cache_only_costs_time),
        cmocka_unit_test(test_entropy_is_each_guests_own),
        cmocka_unit_test(test_a_warm_guest_lacks_nothing),
        cmocka_unit_test(test_libraries_are_linked_to_what_is_prelinked),
        cmocka_unit_test(test_functions_of_javascript_can_be_called_by_their_places),
        cmocka_unit_test(test_the_module_has_all_it_would_have),
        cmocka_unit_test(test_a_cache_of_another_build_is_not_used),
        cmocka_unit_test(test_preparing_wants_the_process_for_itself),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
