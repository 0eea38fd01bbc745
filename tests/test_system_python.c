/* What Python's standard library says about what a guest does not have: the true value, or an error that names it. */
#include "isolate_support.h"

static aard_isolate *isolate;

static int set_up(void **state)
{
    (void)state;
    isolate = boot(config_of(AARD_LANGUAGE_PYTHON), NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(isolate);
    return 0;
}

static void test_processor_time_is_what_was_worked(void **state)
{
    (void)state;
    static const char *const clocks[] = {"time.process_time()", "time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)",
                                         "time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)", "os.times().user"};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        char code[512];
        snprintf(code, sizeof code,
                 "import os, time\n"
                 "a = %s\ntime.sleep(0.2)\nb = %s\n"
                 "while time.process_time() - b < 0.02: pass\n"
                 "c = %s\n"
                 "[0 <= b - a < 0.15, c - b >= 0.02]",
                 clocks[i], clocks[i], clocks[i]);
        value_is(exec(isolate, code), "[true,true]");
    }
    value_is(exec(isolate, "import os, time\nt = os.times()\n"
                           "[t.user > 0, t.system, abs(t.elapsed - time.monotonic()) < 5]"),
             "[true,0.0,true]");
}

static const struct {
    const char *code, *type, *says;
} refused[] = {
    {"import os\nos.system('ls')", "OSError",
     "Function not implemented: a guest has no processes, os.system can't start one"},
    {"import os\nos.execv('ls', ['ls'])", "OSError", "os.execv can't start one"},
    {"import os\nos.fork()", "OSError", "os.fork can't start one"},
    {"import os\nos.execv('ls', [])", "ValueError", "execv() arg 2 must not be empty"},
    {"import os\nos.execve('ls', ['ls'], {'a\\0': ''})", "ValueError", "embedded null"},
    {"import os\nos.system('a\\0')", "ValueError", "embedded null"},
    {"import os\nos.popen('ls')", "OSError", "processes"},
    {"import subprocess\nsubprocess.run(['ls'])", "OSError", "processes"},
    {"import os\nos.getloadavg()", "OSError", "unobtainable"},
    {"import threading\nthreading.Thread(target=print).start()", "RuntimeError", "can't start new thread"},
    {"import socket\nsocket.gethostbyname('example.com')", "gaierror", "a guest can't look up 'example.com'"},
    {"import socket\nsocket.gethostbyname_ex('example.com')", "gaierror", "a guest can't look up 'example.com'"},
    {"import socket\nsocket.getaddrinfo('example.com', 80)", "gaierror", "a guest can't look up 'example.com'"},
    {"import socket\nsocket.getaddrinfo(b'example.com', 80)", "gaierror", "a guest can't look up 'example.com'"},
    {"import socket\nsocket.gethostbyaddr('192.0.2.1')", "herror", "192.0.2.1"},
    {"import _socket\n_socket.getaddrinfo('1.2.3', 80)", "gaierror", "'1.2.3'"},
    {"import smtplib\nsmtplib.SMTP('example.com')", "gaierror", "'example.com'"},
    {"import ctypes\nctypes.CDLL('libc.so.6')", "OSError", "libc.so.6: cannot open shared object file: No such file"},
    {"import _ctypes\n"
     "for i in range(2):\n    try: handle = _ctypes.dlopen('libm.so.6', 0)\n    except OSError as e: told = e\n"
     "raise told",
     "OSError", "libm.so.6: cannot open shared object file: No such file"},
    {"import ctypes\nctypes.CDLL('/tmp')", "OSError", "/tmp: cannot read file data: Is a directory"},
    {"import ctypes\nopen('/tmp/x.so', 'wb').write(b'x')\nctypes.CDLL('/tmp/x.so')", "OSError", "codegen"},
    {"import pyodide.ffi\npyodide.ffi.create_proxy(print)", "PermissionError", "pyodide.ffi.create_proxy"},
    {"from pyodide.ffi import create_once_callable as f\nf(print)", "PermissionError", "capability 'js'"},
    {"import pyodide.ffi\npyodide.ffi.to_js([1])", "PermissionError", "pyodide.ffi.to_js"},
    {"import ssl", "ModuleNotFoundError", "aardvark assets stage"},
    {"import _ssl", "ModuleNotFoundError", "'ssl'"},
    {"import sqlite3", "ModuleNotFoundError", "'sqlite3'"},
    {"import lzma", "ModuleNotFoundError", "'lzma'"},
    {"import _pydecimal", "ModuleNotFoundError", "'pydecimal'"},
    {"import test.support", "ModuleNotFoundError", "'test'"},
    {"import zoneinfo\nzoneinfo.ZoneInfo('Europe/Berlin')", "ZoneInfoNotFoundError", "tzdata"},
    {"from http.client import HTTPConnection as C\nc = C('proxy.test', 1)\nc.set_tunnel('x.test')\nc.request('GET', '/')",
     "PermissionError", "Tunnel connection failed"},
};

static void test_what_is_not_there_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        aard_outcome *outcome = exec(isolate, refused[i].code);
        size_t len;
        if (aard_outcome_is_success(outcome)) fail_msg("no error: %s", refused[i].code);
        const char *type = aard_outcome_exception_type(outcome), *text = aard_outcome_exception_value(outcome, &len);
        if (strcmp(type, refused[i].type) || !memmem(text, len, refused[i].says, strlen(refused[i].says)) ||
            memmem(text, len, "ReferenceError", 14))
            fail_msg("%s: %s: %.*s", refused[i].code, type, (int)len, text);
        aard_outcome_free(outcome);
    }
}

static void test_what_is_true_is_said(void **state)
{
    (void)state;
    value_is(exec(isolate, "import socket\n"
                           "[socket.gethostbyname('localhost'), socket.gethostbyname('192.0.2.1'),"
                           " socket.gethostbyname_ex('localhost')[2], socket.getaddrinfo('localhost', 80)[0][4],"
                           " socket.getaddrinfo('192.0.2.1', 80)[0][4], socket.gethostbyaddr('127.0.0.1')[0]]"),
             "[\"127.0.0.1\",\"192.0.2.1\",[\"127.0.0.1\"],[\"127.0.0.1\",80],[\"192.0.2.1\",80],\"localhost\"]");
    value_is(exec(isolate, "import shutil\n"
                           "[list(shutil.disk_usage(p)) for p in ('/', '/lib', '/dev/null')]"
                           " + [shutil.disk_usage(p).free > 0 for p in ('/session', '/tmp', '/home/pyodide')]"),
             "[[0,0,0],[0,0,0],[0,0,0],true,true,true]");
    value_is(exec(isolate, "import pathlib\npath = pathlib.Path.home() / '.cache/x'\npath.parent.mkdir()\n"
                           "[path.write_text('abc'), path.read_text(), str(path), str(path.resolve())]"),
             "[3,\"abc\",\"/home/pyodide/.cache/x\",\"/session/.cache/x\"]");
    value_is(exec(isolate, "import ctypes\nctypes.CDLL(None).strlen(b'four')"), "4");
}

/* Looking whether a module is there is no attempt to use it. */
static void test_asking_for_a_module_is_no_import(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(isolate,
                                 "from importlib.util import find_spec\nimport pkgutil\n"
                                 "[find_spec(n) for n in ('js', 'pyodide_js', 'ssl', 'sqlite3', 'lzma', 'test')]");
    assert_int_equal(aard_outcome_violation_count(outcome), 0);
    value_is(outcome, "[null,null,null,null,null,null]");
    outcome = exec(isolate, "try:\n    import js\nexcept ImportError as e:\n    name = e.name\nname");
    assert_int_equal(aard_outcome_violation_count(outcome), 1);
    value_is(outcome, "\"js\"");
    value_is(exec(isolate, "from importlib import import_module\n"
                           "told = []\n"
                           "for name in ('js', 'ssl'):\n"
                           "    for load in (import_module, __import__):\n"
                           "        try: load(name)\n"
                           "        except ModuleNotFoundError as e: told.append(e.name)\n"
                           "told"),
             "[\"js\",\"js\",\"ssl\",\"ssl\"]");
}

/* As CPython's own tests of http.client do it. */
static void test_a_connection_of_the_guests_own_is_used(void **state)
{
    (void)state;
    value_is(
        exec(
            isolate,
            "import io, http.client\n"
            "class Fake:\n"
            "    def __init__(self): self.sent = b''\n"
            "    def sendall(self, data): self.sent += data\n"
            "    def makefile(self, mode):\n"
            "        return io.BytesIO(b'HTTP/1.1 200 Connection established\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi')\n"
            "    def close(self): pass\n"
            "    def setsockopt(self, *args): pass\n"
            "made = []\n"
            "def connect(address, timeout=None, source_address=None):\n"
            "    made.append(address); fake.__init__(); return fake\n"
            "fake = Fake()\n"
            "c = http.client.HTTPConnection('proxy.test', 8080)\n"
            "c._create_connection = connect\n"
            "c.request('GET', '/x')\n"
            "plain = fake.sent\n"
            "d = http.client.HTTPConnection('proxy.test', 8080)\n"
            "d._create_connection = connect\n"
            "d.set_tunnel('inside.test', 443)\n"
            "d.connect()\n"
            "[made, plain.startswith(b'GET /x HTTP/1.1'), fake.sent.startswith(b'CONNECT inside.test:443')]"),
        "[[[\"proxy.test\",8080],[\"proxy.test\",8080]],true,true]");
}

static void test_an_input_with_a_byte_order_mark(void **state)
{
    (void)state;
    static const aard_language languages[] = {AARD_LANGUAGE_PYTHON, AARD_LANGUAGE_JAVASCRIPT};
    static const char *const files[][2] = {
        {"main.py", "def f(x):\n    return x\n"}, {"main.js", "export function f(x) { return x; }\n"}, {NULL, NULL}};
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate *other = boot(config_of(languages[i]), bundle_of(files));
        failure_is(call(other, i ? "main.js:f" : "main:f", "\xef\xbb\xbf[1]"), AARD_FAILURE_ADAPTER_ERROR,
                   "byte order mark", NULL);
        value_is(call(other, i ? "main.js:f" : "main:f", "[1]"), "[1]");
        aard_isolate_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processor_time_is_what_was_worked),
        cmocka_unit_test(test_what_is_not_there_is_named),
        cmocka_unit_test(test_what_is_true_is_said),
        cmocka_unit_test(test_asking_for_a_module_is_no_import),
        cmocka_unit_test(test_a_connection_of_the_guests_own_is_used),
        cmocka_unit_test(test_an_input_with_a_byte_order_mark),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
