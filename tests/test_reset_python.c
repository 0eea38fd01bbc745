/* Resets of Python isolates: what a call leaves behind, the next one never sees.  test-timeout: 300 */
#include "isolate_support.h"

/* `leave` leaves something behind.  `look` gives on a guest after a reset what it gives on one that was never used; and
 * something else, or output, without a reset, which shows that looking works. */
typedef struct attempt {
    const char *name, *leave, *look;
} attempt;

#define TREE                                                                                                           \
    "import os\nsorted((d, sorted(n), sorted(f)) for d, n, f in os.walk('/') if not d.startswith(('/proc', '/lib/')))"
#define STATS                                                                                                          \
    "import os\n"                                                                                                      \
    "def look(p):\n"                                                                                                   \
    "    s = os.stat(p)\n"                                                                                             \
    "    return [s.st_ino, s.st_mode, s.st_mtime_ns, s.st_ctime_ns, s.st_atime_ns]\n"                                  \
    "[look(p) for p in ('/', '/tmp', '/home', '/home/pyodide', '/session', '/dev', '/dev/null', '/dev/stdout')]"

static const attempt attempts[] = {
    {"a global", "left = 1", "'left' in globals()"},
    {"an attribute of builtins", "import builtins\nbuiltins.left = 1", "'left' in dir(__builtins__)"},
    {"a builtin replaced", "import builtins\nbuiltins.len = lambda x: 'LEFT'", "len([1])"},
    {"a builtin deleted", "import builtins\ndel builtins.sum", "import builtins\nhasattr(builtins, 'sum')"},
    {"a builtin type's method",
     "import ctypes, gc\nd = gc.get_referents(str.__dict__)[0]\nd['left'] = 1\n"
     "ctypes.pythonapi.PyType_Modified(ctypes.py_object(str))",
     "hasattr(str, 'left')"},
    {"a module", "import sys, types\nsys.modules['left'] = types.ModuleType('left')",
     "import sys\n'left' in sys.modules"},
    {"an imported module", "import colorsys", "import sys\n'colorsys' in sys.modules"},
    {"a module's attribute", "import json\njson.left = 1", "import json\nhasattr(json, 'left')"},
    {"a module's function replaced", "import json\njson.dumps = lambda x: 'LEFT'", "import json\njson.dumps(1)"},
    {"a module removed", "import sys\ndel sys.modules['json']", "import sys\n'json' in sys.modules"},
    {"sys.path", "import sys\nsys.path.insert(0, '/left')", "import sys\nsys.path"},
    {"sys.meta_path", "import sys\nsys.meta_path.append(object())", "import sys\nlen(sys.meta_path)"},
    {"sys.path_hooks", "import sys\nsys.path_hooks.clear()", "import sys\nlen(sys.path_hooks)"},
    {"sys.path_importer_cache", "import sys\nsys.path_importer_cache['/left'] = None",
     "import sys\n'/left' in sys.path_importer_cache"},
    {"sys.argv", "import sys\nsys.argv.append('left')", "import sys\nsys.argv"},
    {"sys.excepthook", "import sys\nsys.excepthook = print", "import sys\nsys.excepthook is print"},
    {"sys.displayhook", "import sys\nsys.displayhook = print", "import sys\nsys.displayhook is print"},
    {"sys.setrecursionlimit", "import sys\nsys.setrecursionlimit(777)", "import sys\nsys.getrecursionlimit()"},
    {"sys.set_int_max_str_digits", "import sys\nsys.set_int_max_str_digits(700)",
     "import sys\nsys.get_int_max_str_digits()"},
    {"sys.setswitchinterval", "import sys\nsys.setswitchinterval(0.5)", "import sys\nsys.getswitchinterval()"},
    {"sys.settrace", "import sys\nsys.settrace(lambda *a: print('LEFT'))",
     "import sys\ndef f(): return sys.gettrace() is None\nf()"},
    {"sys.setprofile", "import sys\nsys.setprofile(lambda *a: None)", "import sys\nsys.getprofile() is None"},
    {"sys.monitoring", "import sys\nsys.monitoring.use_tool_id(1, 'left')", "import sys\nsys.monitoring.get_tool(1)"},
    {"sys.addaudithook", "import sys\nsys.addaudithook(lambda *a: print('LEFT') if a[0] == 'open' else None)",
     "open('/dev/null').close()"},
    {"sys.flags by another interpreter state", "import sys\nsys.dont_write_bytecode = not sys.dont_write_bytecode",
     "import sys\nsys.dont_write_bytecode"},
    {"sys.stdout replaced", "import sys, io\nsys.stdout = io.StringIO()", "import sys\ntype(sys.stdout).__name__"},
    {"sys.stdout closed", "import sys\nsys.stdout.close()", "import sys\nsys.stdout.closed"},
    {"text in sys.stdout's buffer",
     "import sys\nsys.stdout.reconfigure(line_buffering=False)\n"
     "sys.stdout._CHUNK_SIZE = 1 << 16\nprint('LEFT', end='')\nimport builtins\n"
     "sys.stdout.flush = lambda: None",
     "import sys\nsys.stdout._CHUNK_SIZE"},
    {"an exception that was the last", "import sys\nsys.last_exc = ValueError('left')",
     "import sys\nhasattr(sys, 'last_exc')"},
    {"the environment", "import os\nos.environ['LEFT'] = '1'", "import os\nos.environ.get('LEFT')"},
    {"the environment below Python", "import os\nos.putenv('LEFT', '1')",
     "import ctypes\nf = ctypes.pythonapi.getenv\nf.restype = ctypes.c_char_p\nf(b'LEFT') is None"},
    {"an environment variable deleted", "import os\ndel os.environ['HOME']", "import os\nos.environ.get('HOME')"},
    {"the working directory", "import os\nos.chdir('/tmp')", "import os\nos.getcwd()"},
    {"the umask", "import os\nos.umask(0o123)", "import os\nos.umask(0)"},
    {"the locale", "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
     "import locale\nlocale.setlocale(locale.LC_ALL)"},
    {"the decimal context", "import decimal\ndecimal.getcontext().prec = 3",
     "import decimal\ndecimal.getcontext().prec"},
    {"warnings filters", "import warnings\nwarnings.simplefilter('error')", "import warnings\nlen(warnings.filters)"},
    {"a warning given once",
     "import warnings\nwarnings.warn_explicit('left', UserWarning, 'f', 1, registry=(r := {}))\n"
     "warnings.onceregistry['left'] = 1",
     "import warnings\nlen(warnings.onceregistry)"},
    {"gc settings", "import gc\ngc.disable()\ngc.set_threshold(5)", "import gc\n[gc.isenabled(), gc.get_threshold()]"},
    {"gc callbacks", "import gc\ngc.callbacks.append(lambda *a: print('LEFT'))", "import gc\ngc.collect() * 0"},
    {"gc garbage", "import gc\ngc.garbage.append(1)", "import gc\ngc.garbage"},
    {"frozen objects", "import gc\ngc.freeze()", "import gc\ngc.get_freeze_count()"},
    {"an object in a cycle with __del__",
     "class Left:\n    def __del__(self): print('LEFT')\na = Left()\na.me = a\ndel a", "import gc\ngc.collect() * 0"},
    {"an atexit function", "import atexit\natexit.register(print, 'LEFT')", "import atexit\natexit._ncallbacks()"},
    {"a signal handler", "import signal\nsignal.signal(signal.SIGINT, lambda *a: print('LEFT'))",
     "import signal\nsignal.getsignal(signal.SIGINT) is signal.default_int_handler"},
    {"an alarm",
     "import signal\nsignal.signal(signal.SIGALRM, lambda *a: print('LEFT'))\nsignal.setitimer(signal.ITIMER_REAL, 0.02)",
     "import signal, time\ntime.sleep(0.06)\nsignal.getsignal(signal.SIGALRM) is signal.SIG_DFL"},
    {"an open file", "left = open('/tmp/left', 'w')\nimport os\nleft.fileno()",
     "import os\nfd = os.open('/dev/null', 0)\nos.close(fd)\nfd"},
    {"a low-level descriptor", "import os\nos.open('/dev/null', 0)",
     "import os\nfd = os.open('/dev/null', 0)\nos.close(fd)\nfd"},
    {"stdout's descriptor moved", "import os\nos.dup2(os.open('/tmp/out', os.O_CREAT | os.O_WRONLY), 1)",
     "print('seen')"},
    {"stdin closed", "import os\nos.close(0)", "import os\nos.fstat(0).st_ino"},
    {"a pipe", "import os\nos.pipe()", "import os\nfd = os.open('/dev/null', 0)\nos.close(fd)\nfd"},
    {"a file in /tmp", "open('/tmp/left', 'w').write('x')", TREE},
    {"a file in /session", "open('/session/left', 'w').write('x')", TREE},
    {"a file below a directory", "import os\nos.makedirs('/session/a/b')\nopen('/session/a/b/left', 'w').write('x')",
     TREE},
    {"a file with an odd name", "open('/session/__proto__', 'w').write('x')", TREE},
    {"bytes of the quota", "open('/tmp/left', 'w').write('x' * 9999)",
     "import shutil\nshutil.disk_usage('/session').free"},
    {"a directory", "import os\nos.makedirs('/tmp/a/b/c')", TREE},
    {"files of the quota", "import os\nfor i in range(9): os.symlink('/', f'/tmp/{i}')",
     "import os\nos.statvfs('/session').f_ffree"},
    {"a removed file that is open",
     "import os\nleft = os.open('/tmp/l', os.O_CREAT | os.O_WRONLY)\n"
     "os.write(left, b'x' * 9999)\nos.remove('/tmp/l')",
     "import os\n[os.statvfs('/session').f_ffree, os.statvfs('/session').f_bfree]"},
    {"many handles", "import os\nfor i in range(99): os.open('/dev/null', 0)",
     "import os\nlen(os.listdir('/proc/self/fd'))"},
    {"a directory moved", "import os\nos.mkdir('/tmp/a')\nos.rename('/tmp/a', '/tmp/b')", TREE},
    {"a symbolic link", "import os\nos.symlink('/lib', '/tmp/l')", TREE},
    {"a mode", "import os\nos.chmod('/tmp', 0o700)", STATS},
    {"times", "import os\nos.utime('/tmp', (1, 1))\nos.utime('/dev/null', (1, 1))", STATS},
    {"times by writing",
     "import time\ntime.sleep(0.01)\nopen('/dev/null', 'w').write('x')\nopen('/tmp/l', 'w').close()\n"
     "import os\nos.remove('/tmp/l')",
     STATS},
    {"inode numbers", "open('/tmp/l', 'w').close()\nimport os\nos.remove('/tmp/l')",
     "import os\nopen('/tmp/m', 'w').close()\ni = os.stat('/tmp/m').st_ino\nos.remove('/tmp/m')\ni"},
    /* Those of the loop of calls end with the call. */
    {"a task of another loop",
     "import asyncio\nleft = asyncio.new_event_loop()\ntask = left.create_task(asyncio.sleep(5))\n1",
     "import asyncio\nlen(asyncio.all_tasks(globals().get('left') or asyncio.get_event_loop()))"},
    {"the loop", "import asyncio\nasyncio.get_event_loop().left = 1",
     "import asyncio\nhasattr(asyncio.get_event_loop(), 'left')"},
    {"the loop's exception handler", "import asyncio\nasyncio.get_event_loop().set_exception_handler(print)",
     "import asyncio\nasyncio.get_event_loop().get_exception_handler() is None"},
    {"the loop's policy",
     "import asyncio\nclass Own(asyncio.DefaultEventLoopPolicy): pass\n"
     "asyncio.set_event_loop_policy(Own())",
     "import asyncio\ntype(asyncio.get_event_loop_policy()).__name__"},
    {"a context variable",
     "import contextvars\nleft = contextvars.ContextVar('left', default=0)\nleft.set(1)\n"
     "import builtins\nbuiltins.left = left",
     "import builtins\ngetattr(builtins, 'left', None) is None"},
    {"a thread's local data", "import threading, builtins\nbuiltins.left = threading.local()\nbuiltins.left.x = 1",
     "import builtins\nhasattr(builtins, 'left')"},
    {"random's seed", "import random\nrandom.seed(5)", "import random\nrandom.random() == random.Random(5).random()"},
    {"a kept state of random", "import random\nrandom._inst.gauss_next = 77.0",
     "import random\nrandom._inst.gauss_next"},
    {"tempfile's names", "import tempfile\ntempfile.tempdir = '/left'", "import tempfile\ntempfile.tempdir"},
    {"interned and cached things", "import re\nre.compile('left-' * 9)", "import re\nlen(re._cache)"},
    {"functools caches",
     "import functools\nimport json.encoder as e\n@functools.lru_cache\ndef f(): return 1\ne.left = f\nf()",
     "import json.encoder as e\nhasattr(e, 'left')"},
    {"linecache", "import linecache\nlinecache.cache['left'] = (1, None, ['x'], 'left')",
     "import linecache\n'left' in linecache.cache"},
    {"copyreg", "import copyreg\ncopyreg.pickle(type(print), print)",
     "import copyreg\ntype(print) in copyreg.dispatch_table"},
    {"codecs", "import codecs\ncodecs.register_error('left', lambda e: ('', e.end))",
     "import codecs\ntry:\n    r = b'\\xff'.decode('ascii', 'left')\nexcept LookupError:\n    r = 'unknown'\nr"},
    {"logging", "import logging\nlogging.getLogger('left').addHandler(logging.NullHandler())\nlogging.disable(50)",
     "import logging\n['left' in logging.Logger.manager.loggerDict, logging.root.manager.disable]"},
    {"subclasses of object", "class Left: pass", "any(c.__name__ == 'Left' for c in object.__subclasses__())"},
    {"an abstract class's registry", "import collections.abc as a\nclass L: pass\na.Hashable.register(L)\na.left = L",
     "import collections.abc as a\nhasattr(a, 'left')"},
    {"a C function through ctypes",
     "import ctypes\nf = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)\nimport builtins\nbuiltins.left = f",
     "import builtins\nhasattr(builtins, 'left')"},
    {"memory of its own accord",
     "import ctypes\nctypes.memset(id('left-marker') + 16, 65, 1)\nimport builtins\nbuiltins.left = 1",
     "import builtins\nhasattr(builtins, 'left')"},
    {"the adapter's own names",
     "import gc\nfor f in gc.get_objects():\n    if type(f) is dict and f.get('__name__') == 'aardvark_adapter':\n"
     "        f['left'] = 1",
     "import gc\nany(type(f) is dict and f.get('__name__') == 'aardvark_adapter' and 'left' in f for f in gc.get_objects())"},
    {"a proxy dropped", "import pyodide.webloop as w\ndel w.scheduleCallback\nimport gc\ngc.collect()",
     "import pyodide.webloop as w\ntype(w.scheduleCallback).__name__"},
    {"a grown memory", "left = bytearray(60 << 20)", "'left' in globals()"},
    {"many objects", "left = [str(i) * 10 for i in range(100000)]", "'left' in globals()"},
};

static aard_isolate *start(aard_cleanup cleanup)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, cleanup);
    return boot(config, NULL);
}

/* What `look` shows: its value, or that there is none, and its output. */
static char *seen(aard_outcome *outcome)
{
    size_t value_len = 0, out_len = 0;
    const char *value = aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, &value_len) : NULL;
    const char *out = aard_outcome_stdout(outcome, &out_len), *failure = "";
    if (!value) failure = aard_outcome_failure_message(outcome);
    char *text;
    assert_true(asprintf(&text, "%.*s|%.*s|%s", (int)value_len, value ? value : "", (int)out_len, out ? out : "",
                         failure ? failure : "") >= 0);
    aard_outcome_free(outcome);
    return text;
}

static void test_nothing_is_left_after_a_reset(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_CLEANUP_FULL);
    size_t failed = 0, in_place = 0;
    assert_true(COUNT(attempts) >= 60);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        char *clean = seen(exec(isolate, attempts[i].look));
        aard_outcome_free(exec(isolate, attempts[i].leave));
        aard_outcome *outcome = exec(isolate, attempts[i].look);
        in_place += aard_outcome_diagnostics(outcome)->reset_mode == expected_reset(AARD_RESET_IN_PLACE);
        char *now = seen(outcome);
        if (strcmp(clean, now)) {
            print_error("%s: clean is %s, after a reset there is %s\n", attempts[i].name, clean, now);
            failed++;
        }
        free(clean);
        free(now);
    }
    aard_isolate_free(isolate);
    assert_int_equal(failed, 0);
    assert_true(in_place >= COUNT(attempts) * 8 / 10);
}

static void test_without_a_reset_each_of_them_is_seen(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < COUNT(attempts); i++) {
        aard_isolate *isolate = start(AARD_CLEANUP_NONE);
        assert_ok(aard_isolate_checkpoint(isolate));
        char *clean = seen(exec(isolate, attempts[i].look));
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome_free(exec(isolate, attempts[i].leave));
        char *now = seen(exec(isolate, attempts[i].look));
        if (!strcmp(clean, now)) {
            print_error("%s: not seen without a reset: %s\n", attempts[i].name, now);
            failed++;
        }
        free(clean);
        free(now);
        aard_isolate_free(isolate);
    }
    assert_int_equal(failed, 0);
}

/* ---- bundles and checkpoints ------------------------------------------------------------------------------------- */

static const char *const module_files[][2] = {
    {"main.py", "import random\n"
                "calls = []\n"
                "def handler(x):\n    calls.append(x)\n    return [len(calls), x]\n"
                "def draw():\n    return random.random()\n"
                "def boom():\n    raise ValueError('boom')\n"},
    {NULL, NULL},
};

static void test_a_handlers_module_stays_as_it_was_imported(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate *isolate = boot(config, bundle_of(module_files));
    aard_handler *handler, *draw, *boom;
    assert_ok(aard_handler_new(isolate, "main:handler", &handler));
    assert_ok(aard_handler_new(isolate, "main:draw", &draw));
    assert_ok(aard_handler_new(isolate, "main:boom", &boom));
    char last[64] = "";
    for (int i = 0; i < 40; i++) {
        aard_outcome *outcome = invoke(handler, "7");
        if (i) assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
        assert_true(aard_outcome_diagnostics(outcome)->cleanup_ms > 0);
        value_is(outcome, "[1,7]");
        outcome = invoke(draw, "1");
        assert_string_not_equal(aard_outcome_value_json(outcome, NULL), last);
        snprintf(last, sizeof last, "%s", aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
        exception_is(invoke(boom, "1"), "ValueError", "boom", "main.py", NULL);
    }
    aard_handler_free(draw);
    value_is(invoke(handler, "8"), "[1,8]");
    aard_handler_free(handler);
    aard_handler_free(boom);
    aard_isolate_free(isolate);
}

static aard_outcome *after_reset(aard_isolate *isolate, aard_handler *handler)
{
    assert_ok(aard_isolate_reset(isolate));
    aard_outcome *outcome = handler ? invoke(handler, "7") : exec(isolate, "'left' in globals()");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
    return outcome;
}

/* Nobody has said that there would be one. */
static void test_the_first_reset_is_in_place(void **state)
{
    (void)state;
    for (int prepared = 0; prepared < 2; prepared++) {
        aard_isolate *isolate = start(AARD_CLEANUP_NONE);
        if (prepared) assert_ok(aard_isolate_prepare_reset(isolate));
        value_is(exec(isolate, "left = 1"), "null");
        for (int i = 0; i < 3; i++) value_is(after_reset(isolate, NULL), "false");
        aard_isolate_free(isolate);

        isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(module_files));
        aard_handler *handler;
        assert_ok(aard_handler_new(isolate, "main:handler", &handler));
        if (prepared) assert_ok(aard_isolate_prepare_reset(isolate));
        value_is(invoke(handler, "7"), "[1,7]");
        value_is(invoke(handler, "7"), "[2,7]");
        for (int i = 0; i < 40; i++) value_is(after_reset(isolate, handler), "[1,7]");
        value_is(exec(isolate, "left = 1"), "null");
        value_is(after_reset(isolate, NULL), "false");
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
}

static void test_an_isolate_that_expects_no_resets_keeps_no_state(void **state)
{
    (void)state;
    for (int prepared = 0; prepared < 2; prepared++) {
        aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
        aard_isolate_config_set_resets_expected(config, false);
        aard_isolate *isolate = boot(config, bundle_of(module_files));
        aard_handler *handler;
        assert_ok(aard_handler_new(isolate, "main:handler", &handler));
        if (prepared) assert_ok(aard_isolate_prepare_reset(isolate)); /* there will be one */
        value_is(exec(isolate, "left = 1"), "null");
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *outcome = exec(isolate, "'left' in globals()");
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode,
                         expected_reset(prepared ? AARD_RESET_IN_PLACE : AARD_RESET_NEW_ISOLATE));
        value_is(outcome, "false");
        value_is(after_reset(isolate, handler), "[1,7]"); /* from now on they are expected */
        value_is(after_reset(isolate, handler), "[1,7]");
        aard_handler_free(handler);
        aard_isolate_free(isolate);
    }
}

/* Before any call, and with another bundle than the checkpoint's. */
static void test_a_reset_keeps_the_bundle_that_was_loaded_last(void **state)
{
    (void)state;
    static const char *const second[][2] = {{"main.py", "def handler(x):\n    return 'second'\n"}, {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(module_files));
    aard_handler *handler;
    assert_ok(aard_handler_new(isolate, "main:handler", &handler));
    assert_ok(aard_isolate_prepare_reset(isolate));
    value_is(after_reset(isolate, handler), "[1,7]");
    assert_ok(aard_isolate_reset(isolate));
    aard_bundle *bundle = bundle_of(second);
    assert_ok(aard_isolate_load_bundle(isolate, bundle));
    aard_bundle_free(bundle);
    value_is(after_reset(isolate, handler), "\"second\"");
    value_is(after_reset(isolate, handler), "\"second\"");
    value_is(exec(isolate, "left = 1"), "null");
    value_is(after_reset(isolate, NULL), "false");
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

static void test_a_checkpoint_is_what_resets_go_back_to(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_CLEANUP_NONE);
    value_is(exec(isolate, "import fractions\nkept = {'n': 1}\nopen('/tmp/kept', 'w').write('abc')"), "3");
    assert_ok(aard_isolate_checkpoint(isolate));
    for (int i = 0; i < 20; i++) {
        value_is(exec(isolate, "kept['n'] += 1\nleft = 1\nf = open('/tmp/kept', 'r+')\nf.write('xyz')\nf.close()\n"
                               "open('/tmp/left', 'w').close()\nkept['n']"),
                 "2");
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *outcome = exec(
            isolate, "import os\n[kept['n'], 'left' in globals(), open('/tmp/kept').read(), os.listdir('/tmp')]");
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
        value_is(outcome, "[1,false,\"abc\",[\"kept\"]]");
        assert_ok(aard_isolate_reset(isolate));
    }
    value_is(exec(isolate, "kept['n'] = 50\n1"), "1");
    assert_ok(aard_isolate_checkpoint(isolate)); /* a second one takes its place */
    value_is(exec(isolate, "kept.clear()\n1"), "1");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "kept['n']"), "50");
    aard_isolate_free(isolate);
    isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    assert_refused(aard_isolate_checkpoint(isolate), AARD_ERR_UNSUPPORTED, "Python", NULL);
    aard_isolate_free(isolate);
}

/* Descriptors that a module opened when it was imported are there after each reset, with nothing in them. */
static void test_what_a_module_opened_carries_nothing(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.py",
         "import os\n"
         "kept = open('/tmp/kept', 'w+b', buffering=0)\n"
         "answers = os.open('/dev/aardvark', os.O_RDWR)\n"
         "def leave(x):\n    kept.write(b'LEFT')\n    os.write(answers, b'cleft\\0{}')\n"
         "def look(x):\n    kept.seek(0)\n    return [kept.read().decode(), os.read(answers, 9).decode()]\n"},
        {"pipes.py", "import os\n"
                     "source, sink = os.pipe()\n"
                     "def leave(x):\n    os.write(sink, b'LEFT')\n"
                     "def look(x):\n"
                     "    try: return os.read(source, 9).decode()\n"
                     "    except BlockingIOError: return ''\n"},
        {NULL, NULL},
    };
    static const char *const rows[][4] = {
        {"main:leave", "main:look", "[\"LEFT\",\"?\"]", "[\"\",\"\"]"},
        {"pipes:leave", "pipes:look", "\"LEFT\"", "\"\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(files));
        aard_handler *leave, *look;
        assert_ok(aard_handler_new(isolate, rows[i][0], &leave));
        assert_ok(aard_handler_new(isolate, rows[i][1], &look));
        value_is(invoke(look, "1"), rows[i][3]);
        assert_ok(aard_isolate_reset(isolate));
        for (int k = 0; k < 4; k++) {
            value_is(invoke(look, "1"), rows[i][3]);
            aard_outcome_free(invoke(leave, "1"));
            if (k == 3) value_is(invoke(look, "1"), rows[i][2]); /* it would be seen */
            assert_ok(aard_isolate_reset(isolate));
        }
        aard_handler_free(leave);
        aard_handler_free(look);
        aard_isolate_free(isolate);
    }
}

/* What a guest can't be reset in place after. */
static const char noted[] = "import socket\nsocket.socket()\n1";

static void test_a_checkpoint_outlives_its_guest(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_CLEANUP_NONE);
    value_is(exec(isolate,
                  "import os, fractions, random\nkept = [1]\nos.mkdir('/session/d')\nos.chmod('/session/d', 0o700)\n"
                  "os.symlink('d/f', '/session/l')\nopen('/session/d/f', 'wb').write(bytes(range(256)) * 100)"),
             "25600");
    assert_ok(aard_isolate_checkpoint(isolate));
    static const char look[] = "kept.append(2)\n[kept, 'left' in globals(), open('/session/l', 'rb').read() == "
                               "bytes(range(256)) * 100, oct(os.stat('/session/d').st_mode), os.listdir('/session')]";
    static const char seen_now[] = "[[1,2],false,true,\"0o40700\",[\"d\",\"l\"]]";
    char last[64] = "";
    for (int i = 0; i < 3; i++) {
        value_is(exec(isolate, "left = 1\nos.remove('/session/l')\nos.remove('/session/d/f')\n1"), "1");
        value_is(exec(isolate, noted), "1");
        assert_ok(aard_isolate_reset(isolate));
        aard_outcome *outcome = exec(isolate, look);
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_NEW_ISOLATE));
        value_is(outcome, seen_now);
        assert_ok(aard_isolate_reset(isolate)); /* the new guest has the checkpoint, too */
        outcome = exec(isolate, look);
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
        value_is(outcome, seen_now);
        outcome = exec(isolate, "random.random()");
        assert_string_not_equal(aard_outcome_value_json(outcome, NULL), last);
        snprintf(last, sizeof last, "%s", aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
    }
    value_is(exec(isolate, "f = open('/session/d/f')\n1"), "1");
    assert_refused(aard_isolate_checkpoint(isolate), AARD_ERR_WARM_CAPTURE, "/session/d/f", NULL);
    value_is(exec(isolate, "f.close()\nkept = 'more'\n1"), "1");
    assert_ok(aard_isolate_checkpoint(isolate)); /* of a guest that came from one */
    value_is(exec(isolate, noted), "1");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "kept"), "\"more\"");
    aard_bundle *other = bundle_of(module_files);
    assert_ok(aard_isolate_load_bundle(isolate, other));
    aard_bundle_free(other);
    value_is(exec(isolate, "import os\n['kept' in globals(), os.listdir('/session')]"), "[false,[]]");
    aard_isolate_free(isolate);
}

static void test_what_javascript_touched_is_not_reset_in_place(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "import js\njs.left = 5\njs.left"), "5");
    aard_outcome *outcome = exec(isolate, "import js\nhasattr(js, 'left')");
    assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_NEW_ISOLATE));
    value_is(outcome, "false");
    assert_refused(aard_isolate_checkpoint(isolate), AARD_ERR_UNSUPPORTED, "js", NULL);
    aard_isolate_free(isolate);
}

/* ---- calls that were cut off ------------------------------------------------------------------------------------- */

static void test_a_reset_after_a_termination_anywhere(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "while True: pass",
        "while True: open('/tmp/left', 'w').write('x' * 1000)",
        "import os\nwhile True:\n    os.mkdir('/tmp/a'); os.rename('/tmp/a', '/tmp/b'); os.rmdir('/tmp/b')",
        "import os\nwhile True: os.stat('/tmp')",
        "while True: print('LEFT')",
        "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
        "import json\nwhile True: json.loads(json.dumps({'a': [1] * 100}))",
        "x = 3\nwhile True: x = x ** 3 % (2 ** 30000)",
        "sum(range(10 ** 12))",
        "import time\ntime.sleep(1000)",
        "import asyncio\nawait asyncio.sleep(1000)",
        "import asyncio\nwhile True: await asyncio.sleep(0)",
        "import gc\nwhile True: gc.collect()",
        "def f(): return f()\nwhile True:\n    try: f()\n    except RecursionError: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "class D:\n    def __del__(self):\n        while True: pass\nD()",
        "while True: left = [object() for i in range(10000)]",
        "import random\nwhile True: random.seed()",
        "sorted(range(10 ** 7), key=lambda x: -x)\nwhile True: pass",
        "import os\nwhile True: os.urandom(100)",
    };
    aard_isolate *isolate = start(AARD_CLEANUP_FULL);
    aard_call *limited = limited_to(60);
    size_t in_place = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec_with(isolate, rows[i], limited);
        if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_TIMEOUT_EXCEEDED)
            fail_msg("%s ended by itself", rows[i]);
        aard_outcome_free(outcome);
        outcome = exec(isolate, "import os, json\nopen('/tmp/t', 'w').write('ok')\n"
                                "[json.dumps({'a': 1}), sorted(os.listdir('/tmp')), 'left' in globals()]");
        in_place += aard_outcome_diagnostics(outcome)->reset_mode == expected_reset(AARD_RESET_IN_PLACE);
        streams_are(outcome, "", "");
        value_is(exec(isolate, "import os, json\n[json.dumps({'a': 1}), os.listdir('/tmp'), 'left' in globals()]"),
                 "[\"{\\\"a\\\": 1}\",[],false]");
    }
    assert_int_equal(in_place, COUNT(rows));
    aard_call_free(limited);
    aard_isolate_free(isolate);
}

/* V8 collects garbage while it makes a memory larger, and is likely to be told to stop just then. */
static void test_a_reset_after_a_stop_while_the_memory_grew(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_heap_limit(config, (size_t)512 << 20);
    aard_isolate *isolate = boot(config, NULL);
    for (unsigned i = 0; i < soak_count(80, 2000); i++) {
        aard_call *limited = limited_to(5 + i % 40);
        aard_outcome_free(exec_with(isolate, "x = []\nwhile True: x.append(bytearray(1 << 22))", limited));
        aard_call_free(limited);
        streams_are(exec(isolate, "import os\nprint('x' * len(os.listdir('/tmp')))"), "\n", "");
    }
    aard_isolate_free(isolate);
}

/* ---- for long ---------------------------------------------------------------------------------------------------- */

static void test_many_resets_stay_small_and_quick(void **state)
{
    (void)state;
    static const char *const work[] = {"x = [str(i) for i in range(100)]",
                                       "open('/tmp/f', 'w').write('x' * 100)",
                                       "import json; json.dumps({'a': [1, 2]})",
                                       "import asyncio\nawait asyncio.sleep(0)",
                                       "try:\n    1 / 0\nexcept ZeroDivisionError as e: pass",
                                       "import colorsys, string",
                                       "class A: pass\nA().b = 1",
                                       "print('text')"};
    size_t count = soak_count(2000, 10000), quarter = count / 4;
    assert_true(count >= 400);
    double *ms = calloc(count, sizeof *ms);
    aard_isolate *isolate = start(AARD_CLEANUP_FULL);
    long at_quarter = 0;
    for (size_t i = 0; i < count; i++) {
        aard_outcome *outcome = exec(isolate, work[i % COUNT(work)]);
        assert_success(outcome);
        const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
        if (i) assert_int_equal(d->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
        ms[i] = d->reset_ms;
        aard_outcome_free(outcome);
        if (i == quarter) at_quarter = resident_kib();
    }
    long grown = resident_kib() - at_quarter;
    double first = median(ms + 1, quarter), last = median(ms + count - quarter, quarter);
    aard_isolate_free(isolate);
    free(ms);
    print_message("%zu resets: %.3f ms in the first quarter, %.3f ms in the last; %ld KiB more\n", count, first, last,
                  grown);
#ifndef __SANITIZE_ADDRESS__ /* it keeps what was freed for a while */
    if (grown > 4096) fail_msg("memory has grown by %ld KiB", grown);
#endif
    if (last > (exact_times() ? 3 * first + 0.5 : 20 * first + 10))
        fail_msg("a reset took %.3f ms at first and %.3f ms at last", first, last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left_after_a_reset),
        cmocka_unit_test(test_without_a_reset_each_of_them_is_seen),
        cmocka_unit_test(test_a_handlers_module_stays_as_it_was_imported),
        cmocka_unit_test(test_the_first_reset_is_in_place),
        cmocka_unit_test(test_an_isolate_that_expects_no_resets_keeps_no_state),
        cmocka_unit_test(test_a_reset_keeps_the_bundle_that_was_loaded_last),
        cmocka_unit_test(test_a_checkpoint_is_what_resets_go_back_to),
        cmocka_unit_test(test_a_checkpoint_outlives_its_guest),
        cmocka_unit_test(test_what_a_module_opened_carries_nothing),
        cmocka_unit_test(test_what_javascript_touched_is_not_reset_in_place),
        cmocka_unit_test(test_a_reset_after_a_termination_anywhere),
        cmocka_unit_test(test_a_reset_after_a_stop_while_the_memory_grew),
        cmocka_unit_test(test_many_resets_stay_small_and_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
