/* Inline Python: sources as CPython reads them, programs as `python` runs them, and what sessions keep. */
#include "one_guest.h"

static aard_outcome *run(aard_source_kind kind, const char *name, const char *code, size_t len)
{
    aard_call *what;
    aard_outcome *outcome = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_source_kind(what, kind);
    assert_ok(aard_isolate_exec(guest, code, len, name, what, &outcome));
    aard_call_free(what);
    return check_form(outcome);
}

static aard_outcome *program(const char *code) { return run(AARD_SOURCE_COMMAND, NULL, code, strlen(code)); }

/* ---- sources ---------------------------------------------------------------------------------------------------- */

typedef struct source {
    const char *bytes;
    size_t len;
    const char *value; /* of it as a file; NULL where that is refused: */
    const char *refusal;
} source;

#define SOURCE(text) (text), sizeof(text) - 1

static void test_files_are_decoded_as_pep_263_says(void **state)
{
    (void)state;
    static const source rows[] = {
        {SOURCE("'\xc3\xa9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("\xef\xbb\xbf'\xc3\xa9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("\xef\xbb\xbf# coding: utf-8\n'\xc3\xa9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("# -*- coding: latin-1 -*-\n'\xe9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("# coding: latin-1\n'\xc3\xa9'"), "\"\xc3\x83\xc2\xa9\"", NULL},
        {SOURCE("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'\x80'"), "\"\xe2\x82\xac\"", NULL},
        {SOURCE("# coding: utf-8\r\n'\xc3\xa9'\r\n"), "\"\xc3\xa9\"", NULL},
        {SOURCE("x = 1\n# coding: latin-1\n'\xc3\xa9'"), "\"\xc3\xa9\"", NULL}, /* it is no line for it any more */
        {SOURCE("a = 1\rb = 2\rlen(str(a + b))"), "1", NULL},
        {SOURCE("x = 1\n\x0cy = 2\nx + y"), "3", NULL},
        {SOURCE("'\xe9'"), NULL, "Non-UTF-8 code starting with '\\xe9' on line 1, but no encoding declared"},
        {SOURCE("1\n\n\n'\xe9'"), NULL, "Non-UTF-8 code starting with '\\xe9' on line 4"},
        {SOURCE("'\xed\xa0\x80'"), NULL, "Non-UTF-8 code starting with '\\xed' on line 1"},
        {SOURCE("# coding: utf-16\n1"), NULL, "encoding problem: utf-16"},
        {SOURCE("\xff\xfe"
                "1\0"),
         NULL, "Non-UTF-8 code starting with '\\xff' on line 1"},
        {SOURCE("# coding: rot13\n1"), NULL, "encoding problem: rot13"},
        {SOURCE("# coding: no-such\n1"), NULL, "unknown encoding: no-such"},
        {SOURCE("\xef\xbb\xbf# coding: latin-1\n1"), NULL, "encoding problem: utf-8"},
        {SOURCE("# coding: ascii\n'\xe9'"), NULL, "'ascii' codec can't decode byte 0xe9"},
        {SOURCE("x = 1\0\n"), NULL, "cannot contain null bytes"},
        {SOURCE("  1"), NULL, "unexpected indent"},
    };
    static const aard_source_kind kinds[] = {AARD_SOURCE_FILE, AARD_SOURCE_STDIN};
    for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
        const source *row = &rows[i / COUNT(kinds)];
        aard_outcome *outcome = run(kinds[i % COUNT(kinds)], "some.py", row->bytes, row->len);
        if (row->value) {
            value_is(outcome, row->value);
            continue;
        }
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_PYTHON_EXCEPTION);
        assert_contains(aard_outcome_exception_value(outcome, NULL), row->refusal);
        aard_outcome_free(outcome);
    }
}

/* What is given as text is text, whatever it says of itself; a mark at its start means nothing. */
static void test_commands_and_cells_are_text(void **state)
{
    (void)state;
    static const source rows[] = {
        {SOURCE("# coding: latin-1\n'\xc3\xa9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("\xef\xbb\xbf'\xc3\xa9'"), "\"\xc3\xa9\"", NULL},
        {SOURCE("  x = 1\n  x"), "1", NULL},
        {SOURCE("'\xe9'"), NULL, "Non-UTF-8 code starting with '\\xe9' on line 1"},
    };
    static const aard_source_kind kinds[] = {AARD_SOURCE_CELL, AARD_SOURCE_COMMAND};
    for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
        const source *row = &rows[i / COUNT(kinds)];
        aard_outcome *outcome = run(kinds[i % COUNT(kinds)], NULL, row->bytes, row->len);
        if (row->value) {
            value_is(outcome, row->value);
            continue;
        }
        assert_contains(aard_outcome_exception_value(outcome, NULL), row->refusal);
        aard_outcome_free(outcome);
    }
}

static void test_forms(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"from __future__ import annotations\ndef f(a: undefined): pass\nf.__annotations__", "{\"a\":\"undefined\"}"},
        {"5;", "null"},
        {"5; # 6", "null"},
        {"'a;b'", "\"a;b\""},
        {"x = ';'\nx", "\";\""},
        {"@lambda f: f\ndef g(): return 3\ng()", "3"},
        {"(y := 5)", "5"},
        {"await __import__('asyncio').sleep(0, 7)", "7"},
        {"(await __import__('asyncio').sleep(0, 7)) + 1", "8"},
        {"async def g():\n    yield 1\n[x async for x in g()]", "[1]"},
        {"async for z in g(): print(z, end='')\nz", "1"},
        {"{k: v async for k, v in (await __import__('asyncio').sleep(0, e()))}"
         " if (e := lambda: None) is None else 2",
         "2"},
        {"import contextlib\n@contextlib.asynccontextmanager\nasync def c():\n    yield 3\n"
         "async with c() as v, c() as w:\n    pass\nv + w",
         "6"},
        {"try:\n    await __import__('asyncio').sleep(0)\nfinally:\n    q = 2\nq", "2"},
        {"[await __import__('asyncio').sleep(0, i) for i in range(3)]", "[0,1,2]"},
        {"f'{await __import__(\"asyncio\").sleep(0, 4)}'", "\"4\""},
        {"match await __import__('asyncio').sleep(0, 4):\n    case 4: r = 'four'\nr", "\"four\""},
        {"async def co(): return 9\nco()", "9"},
        {"lambda: await_\n'no await'", "\"no await\""},
        {"if True:\n    1", "null"},
        {"# only a comment", "null"},
        {"", "null"},
        {"\"\"\"a docstring\"\"\"", "\"a docstring\""},
        {"x: int = 3; x", "3"},
        {"type T = int\nT.__name__", "\"T\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(exec(guest, rows[i][0]), rows[i][1]);
}

static void test_long_sources(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    char *code = malloc(LINES * 16 + 64), *at = code;
    at += sprintf(at, "n = 0\n");
    for (int i = 0; i < LINES; i++) at += sprintf(at, "n += 1\n");
    strcpy(at, "n");
    value_is(exec(guest, code), "20000");
    free(code);
}

static void test_lines_of_tracebacks(void **state)
{
    (void)state;
    static const char form_feed[] = "x = 1\n\x0cy = '\x1c'\nz = '\xe2\x80\xa8'\n1/0  # here\n",
                      returns[] = "x = 1\ry = 2\r1/0  # here\r",
                      latin[] = "# coding: latin-1\nx = '\xe9'\n1/0  # here \xe9\n";
    exception_is(run(AARD_SOURCE_FILE, "ff.py", form_feed, sizeof form_feed - 1), "ZeroDivisionError", NULL,
                 "File \"ff.py\", line 4", "1/0  # here", NULL);
    exception_is(run(AARD_SOURCE_FILE, "cr.py", returns, sizeof returns - 1), "ZeroDivisionError", NULL,
                 "File \"cr.py\", line 3", "1/0  # here", NULL);
    exception_is(run(AARD_SOURCE_FILE, "la.py", latin, sizeof latin - 1), "ZeroDivisionError", NULL,
                 "File \"la.py\", line 3", "1/0  # here \xc3\xa9", NULL);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static const char facts[] =
    "import sys\n[globals().get('__file__'), sys.argv, sys.path[0], __name__, __spec__, sys.path.count(sys.path[0])]";

static void test_programs_find_what_python_gives_them(void **state)
{
    (void)state;
    static const struct {
        aard_source_kind kind;
        const char *name, *want;
    } rows[] = {
        {AARD_SOURCE_COMMAND, NULL, "[null,[\"-c\"],\"\",\"__main__\",null,1]"},
        {AARD_SOURCE_STDIN, "<stdin>", "[null,[\"-\"],\"\",\"__main__\",null,1]"},
        {AARD_SOURCE_FILE, "prog.py", "[\"prog.py\",[\"prog.py\"],\"/session\",\"__main__\",null,1]"},
        {AARD_SOURCE_FILE, "/tmp/dir/p.py", "[\"/tmp/dir/p.py\",[\"/tmp/dir/p.py\"],\"/tmp/dir\",\"__main__\",null,1]"},
        {AARD_SOURCE_COMMAND, NULL, "[null,[\"-c\"],\"/tmp/dir\",\"__main__\",null,1]"}, /* "" is there already */
    };
    value_is(exec(guest, "import os, sys; os.mkdir('/tmp/dir'); [sys.argv, sys.path[0]]"), "[[\"\"],\"\"]");
    for (size_t i = 0; i < COUNT(rows); i++)
        value_is(run(rows[i].kind, rows[i].name, facts, sizeof facts - 1), rows[i].want);
    value_is(run(AARD_SOURCE_FILE, "/not/here/p.py", facts, sizeof facts - 1),
             "[\"/not/here/p.py\",[\"/not/here/p.py\"],\"/tmp/dir\",\"__main__\",null,1]");
}

static void test_cells_import_what_cells_wrote(void **state)
{
    (void)state;
    value_is(exec(guest, "open('helper.py', 'w').write('x = 7')"), "5");
    value_is(exec(guest, "import helper; helper.x"), "7");
    value_is(exec(guest, "import sys; sys.path.remove('')"), "null");
    value_is(exec(guest, "'' in sys.path"), "false");
}

static void test_arguments(void **state)
{
    (void)state;
    static const char *const arguments[] = {"a", "--b=c d", "\xc3\xa4", "", "\"'\\"}, *const bad[] = {"ok", "\xff"};
    aard_call *what;
    assert_ok(aard_call_new(&what));
    assert_ok(aard_call_set_arguments(what, arguments, COUNT(arguments)));
    assert_refused(aard_call_set_arguments(what, bad, 2), AARD_ERR_INVALID_ARGUMENT, "argument 2", NULL);
    value_is(exec_with(guest, "import sys; sys.argv", what),
             "[\"\",\"a\",\"--b=c d\",\"\xc3\xa4\",\"\",\"\\\"'\\\\\"]");
    aard_call_set_source_kind(what, AARD_SOURCE_COMMAND);
    value_is(exec_with(guest, "sys.argv[:2]", what), "[\"-c\",\"a\"]");
    aard_call_free(what);
}

static void test_modules_beside_the_program(void **state)
{
    (void)state;
    value_is(program("open('/session/beside.py', 'w').write('x = 4')\nimport beside\nbeside.x"), "4");
    static const char code[] = "import other\nother.x";
    value_is(exec(guest, "import os; os.mkdir('/tmp/d2'); open('/tmp/d2/other.py', 'w').write('x = 5')"), "5");
    value_is(run(AARD_SOURCE_FILE, "/tmp/d2/main.py", code, sizeof code - 1), "5");
}

static void exits_with(aard_outcome *outcome, int want, const char *err)
{
    int code = 99;
    size_t len;
    if (!aard_outcome_exit_code(outcome, &code)) fail_msg("no exit, but: %s", aard_outcome_failure_message(outcome));
    assert_int_equal(code, want);
    assert_int_equal(aard_outcome_is_success(outcome), want == 0);
    const char *json = aard_outcome_value_json(outcome, &len), *written = aard_outcome_stderr(outcome, NULL);
    if (want == 0) assert_text(json, len, "null");
    if (want != 0) assert_string_equal(aard_outcome_exception_type(outcome), "SystemExit");
    assert_string_equal(written, err);
    aard_outcome_free(outcome);
}

static void test_exits(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int exit_code;
        const char *err;
    } rows[] = {
        {"import sys; sys.exit()", 0, ""},
        {"sys.exit(0)", 0, ""},
        {"sys.exit(None)", 0, ""},
        {"sys.exit(False)", 0, ""},
        {"exit()", 0, ""},
        {"quit(0)", 0, ""},
        {"raise SystemExit", 0, ""},
        {"sys.exit(3)", 3, ""},
        {"sys.exit(-1)", -1, ""},
        {"sys.exit(True)", 1, ""},
        {"sys.exit(2**70)", -1, ""},
        {"sys.exit('text')", 1, "text\n"},
        {"raise SystemExit('a', 'b')", 1, "('a', 'b')\n"},
        {"sys.exit(1.5)", 1, "1.5\n"},
        {"sys.exit('')", 1, "\n"},
        {"import asyncio\nawait asyncio.sleep(0)\nsys.exit(4)", 4, ""},
        {"async def leaves(): sys.exit(5)\nawait leaves()", 5, ""},
        {"await asyncio.gather(leaves(), asyncio.sleep(0))", 5, ""},
        {"asyncio.run(leaves())", 5, ""},
        {"(lambda: sys.exit(0))()", 0, ""},
        {"class Odd:\n    def __str__(self): raise ValueError\nsys.exit(Odd())", 1, ""},
        {"class Big(int):\n    __ge__ = __lt__ = lambda self, other: True\nsys.exit(Big(2**70))", -1, ""},
        {"class Wild(int):\n    __int__ = lambda self: 2**5000\nsys.exit(Wild(7))", 7, ""},
        {"class Own(SystemExit):\n    code = property(lambda self: 1 / 0)\nraise Own from None", 1, NULL},
    };
    for (size_t i = 0; i < COUNT(rows) - 1; i++) {
        exits_with(exec(guest, rows[i].code), rows[i].exit_code, rows[i].err);
        exits_with(program(rows[i].code), rows[i].exit_code, rows[i].err);
    }
    int code = 7;
    aard_outcome *outcome = exec(guest, rows[COUNT(rows) - 1].code);
    assert_true(aard_outcome_exit_code(outcome, &code));
    assert_int_equal(code, 1);
    exception_is(outcome, "Own", NULL, NULL);
    outcome = exec(guest, "1");
    assert_false(aard_outcome_exit_code(outcome, &code));
    value_is(outcome, "1");
}

/* Raised in another task: what waits ends by it, whatever the waiting task makes of being cancelled. */
static void test_an_interrupt_in_a_task_ends_the_call(void **state)
{
    (void)state;
    static const char task[] = "import asyncio\nasync def interrupts(): raise KeyboardInterrupt\n"
                               "kept = asyncio.ensure_future(interrupts())\n";
    static const char *const waits[] = {
        "await asyncio.sleep(60)",
        "try: await asyncio.sleep(60)\nfinally: 1 / 0",
        "try: await asyncio.sleep(60)\nexcept asyncio.CancelledError: await asyncio.Future()",
    };
    for (size_t i = 0; i < COUNT(waits); i++) {
        char code[400];
        snprintf(code, sizeof code, "%s%s", task, waits[i]);
        exception_is(exec(guest, code), "KeyboardInterrupt", NULL, NULL);
        value_is(exec(guest, "await asyncio.sleep(0, 7)"), "7");
    }
}

static void test_handlers_of_atexit_run_when_a_program_ends(void **state)
{
    (void)state;
    value_is(exec(guest, "import atexit; atexit.register(print, 'first'); 1"), "1"); /* a cell is no end */
    streams_are(exec(guest, "print('cell')"), "cell\n", "");
    streams_are(program("atexit.register(print, 'bye', 1); print('main')"), "main\nbye 1\nfirst\n", "");
    streams_are(program("print('once')"), "once\n", "");
    aard_outcome *outcome = program("atexit.register(lambda: 1 / 0); atexit.register(print, 'still'); 5");
    assert_contains(aard_outcome_stderr(outcome, NULL), "ZeroDivisionError");
    assert_contains(aard_outcome_stdout(outcome, NULL), "still");
    value_is(outcome, "5");
    outcome = program("atexit.register(print, 'at exit'); import sys; sys.exit(3)");
    assert_contains(aard_outcome_stdout(outcome, NULL), "at exit");
    exits_with(outcome, 3, "");
    outcome = program("atexit.register(print, 'after'); 1/0");
    assert_contains(aard_outcome_stdout(outcome, NULL), "after");
    exception_is(outcome, "ZeroDivisionError", NULL, NULL);
    streams_are(program("import asyncio; atexit.register(print, 'async'); await asyncio.sleep(0)"), "async\n", "");
}

static void test_the_source_can_be_seen(void **state)
{
    (void)state;
    static const char code[] = "import inspect, linecache\ndef f():\n    return 1\nclass A:\n    x = 1\n"
                               "[inspect.getsource(f), inspect.getsource(A), linecache.getline(__file__, 5)]";
    value_is(run(AARD_SOURCE_FILE, "seen.py", code, sizeof code - 1),
             "[\"def f():\\n    return 1\\n\",\"class A:\\n    x = 1\\n\",\"    x = 1\\n\"]");
    value_is(exec(guest, "def g(): return 2\ninspect.getsource(g)"), "\"def g(): return 2\\n\"");
}

/* ---- what the host gives ---------------------------------------------------------------------------------------- */

static aard_outcome *with_stdin(const char *code, const char *data, size_t len)
{
    aard_call *what;
    assert_ok(aard_call_new(&what));
    aard_call_set_stdin(what, data, len);
    aard_outcome *outcome = exec_with(guest, code, what);
    aard_call_free(what);
    return outcome;
}

static void test_standard_input(void **state)
{
    (void)state;
    value_is(exec(guest, "import sys; sys.stdin.read()"), "\"\"");
    exception_is(exec(guest, "input()"), "EOFError", NULL, NULL);
    value_is(with_stdin("[input(), sys.stdin.readline(), sys.stdin.read()]", "one\ntwo\nthree\nfour", 18),
             "[\"one\",\"two\\n\",\"three\\nfour\"]");
    value_is(with_stdin("input()", "mine\nnot the next call's\n", 25), "\"mine\"");
    value_is(exec(guest, "sys.stdin.read()"), "\"\"");
    value_is(with_stdin("list(sys.stdin.buffer.read())", "\0\xff\n", 3), "[0,255,10]");
    value_is(with_stdin("import os\n[os.read(0, 2).decode(), sys.stdin.read()]", "abcd", 4), "[\"ab\",\"cd\"]");
    value_is(with_stdin("sys.stdin.isatty(), sys.stdin.name, sys.stdin.fileno()", "", 0), "[false,\"<stdin>\",0]");
    enum { MANY = 3000000 };
    char *many = malloc(MANY);
    memset(many, 'x', MANY);
    value_is(with_stdin("len(sys.stdin.read())", many, MANY), "3000000");
    free(many);
    value_is(with_stdin("sys.stdin.close()", "abc", 3), "null");
    value_is(with_stdin("input()", "again", 5), "\"again\"");
}

static void test_the_environment(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_set_env(config, "ONE", "first"));
    assert_ok(aard_isolate_config_set_env(config, "\xc3\x84", "=\xc3\xa4\n"));
    assert_ok(aard_isolate_config_set_env(config, "ONE", "second"));
    assert_ok(aard_isolate_config_set_env(config, "EMPTY", ""));
    static const char *const bad[][2] = {{"", "x"}, {"A=B", "x"}, {"A", "\xff"}, {"\xff", "x"}};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(aard_isolate_config_set_env(config, bad[i][0], bad[i][1]), AARD_ERR_INVALID_ARGUMENT,
                       "environment", NULL);
    setenv("OF_THE_HOST", "secret", 1);
    aard_isolate *own = boot(config, NULL);
    for (int i = 0; i < 3; i++) { /* resets keep it, and bring it back */
        value_is(exec(own, "import os; [os.environ['ONE'], os.getenv('\xc3\x84'), os.environ['EMPTY'], "
                           "os.environ.get('OF_THE_HOST')]"),
                 "[\"second\",\"=\xc3\xa4\\n\",\"\",null]");
        value_is(exec(own, "os.environ['ONE'] = 'changed'; del os.environ['EMPTY']"), "null");
        assert_ok(aard_isolate_reset(own));
    }
    aard_isolate_free(own);
    aard_isolate_config *javascript = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_set_env(javascript, "ONE", "a=b"));
    own = boot(javascript, NULL);
    aard_call *what;
    static const char *const arguments[] = {"x", "\xc3\xa4"};
    assert_ok(aard_call_new(&what));
    assert_ok(aard_call_set_arguments(what, arguments, 2));
    aard_call_set_stdin(what, "in\xc3\xa4", 4);
    value_is(exec_with(own, "[aardvark.env, aardvark.argv, aardvark.stdin(), aardvark.stdin()]", what),
             "[{\"ONE\":\"a=b\"},[\"x\",\"\xc3\xa4\"],\"in\xc3\xa4\",\"\"]");
    value_is(exec(own, "[aardvark.argv, aardvark.stdin()]"), "[[],\"\"]");
    aard_call_free(what);
    aard_isolate_free(own);
}

/* ---- handlers --------------------------------------------------------------------------------------------------- */

static void test_a_handler_without_an_input_has_its_default(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.py", "import sys\n"
                                                       "def default(n=1): return n\n"
                                                       "def needs(n): return n\n"
                                                       "def keyword(*, n=2): return n\n"
                                                       "def many(*all): return all\n"
                                                       "def both(n=3, m=4): return [n, m]\n"
                                                       "async def later(n=5): return n\n"
                                                       "class C:\n    def method(self, n=6): return n\n"
                                                       "method = C().method\n"
                                                       "def leaves(n=0): sys.exit(n)\n"},
                                           {NULL, NULL}};
    static const char *const rows[][3] = {
        {"main:default", NULL, "1"},  {"main:default", "7", "7"},  {"main:default", "null", "null"},
        {"main:needs", NULL, "null"}, {"main:keyword", NULL, "2"}, {"main:many", NULL, "[null]"},
        {"main:both", NULL, "[3,4]"}, {"main:both", "1", "[1,4]"}, {"main:later", NULL, "5"},
        {"main:method", NULL, "6"},
    };
    aard_isolate *own = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(files));
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(own, rows[i][0], rows[i][1]), rows[i][2]);
    int code = 9;
    aard_outcome *outcome = call(own, "main:leaves", "3"); /* a handler that ends is no program that does */
    assert_true(aard_outcome_exit_code(outcome, &code));
    assert_int_equal(code, 3);
    exception_is(outcome, "SystemExit", "3", NULL);
    aard_isolate_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_files_are_decoded_as_pep_263_says),
        FRESH(test_commands_and_cells_are_text),
        FRESH(test_forms),
        FRESH(test_long_sources),
        FRESH(test_lines_of_tracebacks),
        FRESH(test_programs_find_what_python_gives_them),
        FRESH(test_cells_import_what_cells_wrote),
        FRESH(test_arguments),
        FRESH(test_modules_beside_the_program),
        FRESH(test_exits),
        FRESH(test_an_interrupt_in_a_task_ends_the_call),
        FRESH(test_handlers_of_atexit_run_when_a_program_ends),
        FRESH(test_the_source_can_be_seen),
        FRESH(test_standard_input),
        cmocka_unit_test(test_the_environment),
        cmocka_unit_test(test_a_handler_without_an_input_has_its_default),
    };
    return cmocka_run_group_tests(tests, start_python, stop);
}
