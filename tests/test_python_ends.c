/* How Python ends other than by an answer: recursions of its C code, exits at once, and builtins that a guest broke.  Whatever
 * came of a call, the next one works.  test-timeout: 300 */
#include "one_guest.h"

#include <stdio.h>

#define NESTED(start, step) "x = " start "\nfor i in range(100_000): x = " step "\n"
#define UNLIMITED "import sys\nsys.setrecursionlimit(10**9)\n"

typedef struct row {
    const char *label, *code, *value; /* as JSON */
} row;

static void gives(const row *one, aard_outcome *outcome, const char *type)
{
    size_t len;
    bool good = aard_outcome_is_success(outcome);
    const char *value = good ? aard_outcome_value_json(outcome, &len) : NULL;
    const char *thrown = good ? "" : aard_outcome_exception_type(outcome);
    if (type ? !thrown || strcmp(thrown, type) : !value || strcmp(value, one->value))
        fail_msg("%s: %s", one->label, good ? value : aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
}

/* As CPython does with a stack of 8 MiB. */
static void test_what_is_nested_deeply_has_its_value(void **state)
{
    (void)state;
    static const row rows[] = {
        {"hash", NESTED("()", "(x,)") "hash(x) == hash(x)", "true"},
        {"hash of aliases", NESTED("int", "list[x]") "hash(x) == hash(x)", "true"},
        {"map", NESTED("iter([1])", "map(int, x)") "list(x)", "[1]"},
        {"filter", NESTED("iter([1])", "filter(None, x)") "list(x)", "[1]"},
        {"zip", NESTED("iter([1])", "zip(x)") "len(next(x))", "1"},
        {"islice", "from itertools import islice\n" NESTED("iter([1])", "islice(x, 5)") "list(x)", "[1]"},
        {"chain", "from itertools import chain\n" NESTED("iter([1])", "chain(x)") "list(x)", "[1]"},
        {"enumerate", NESTED("iter([1])", "enumerate(x)") "next(x)[0]", "0"},
        {"generators", NESTED("iter([1])", "(y for y in x)") "list(x)", "[1]"},
        {"generators that are dropped", "def g(x): yield from x\n" NESTED("iter([1])", "g(x)") "del x\n1", "1"},
        {"lists that are dropped", NESTED("[]", "[x]") "del x\n1", "1"},
        {"methods that are dropped", "import types\n" NESTED("int", "types.MethodType(x, 1)") "del x\n1", "1"},
        {"properties that are dropped", NESTED("int", "property(x)") "del x\n1", "1"},
        {"static methods that are dropped", NESTED("int", "staticmethod(x)") "del x\n1", "1"},
        {"deques that are dropped", "from collections import deque\n" NESTED("1", "deque([x])") "del x\n1", "1"},
        {"elements",
         "from copy import deepcopy\nfrom xml.etree.ElementTree import fromstring\n"
         "len(deepcopy(fromstring('<a>' * 50_000 + '</a>' * 50_000)))",
         "1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) gives(&rows[i], exec(guest, rows[i].code), NULL);
}

static void test_endless_recursions_in_c_are_recursion_errors(void **state)
{
    (void)state;
    static const row rows[] = {
        {"__getattr__", UNLIMITED "class A:\n  def __getattr__(s, n): return s.x\nA().y", NULL},
        {"__setattr__", UNLIMITED "class A:\n  def __setattr__(s, n, v): s.x = v\nA().x = 1", NULL},
        {"__add__", UNLIMITED "class A:\n  def __add__(s, o): return s + o\nA() + 1", NULL},
        {"__eq__", UNLIMITED "class A:\n  def __eq__(s, o): return s == o\nA() == A()", NULL},
        {"__hash__", UNLIMITED "class A:\n  def __hash__(s): return hash((s,))\nhash(A())", NULL},
        {"__call__", UNLIMITED "class A:\n  def __call__(s): return s()\nA()()", NULL},
        {"__format__", UNLIMITED "class A:\n  def __format__(s, f): return f'{s}'\nf'{A()}'", NULL},
        {"__iter__", UNLIMITED "class A:\n  def __iter__(s): return iter(list(s))\niter(A())", NULL},
        {"__new__", UNLIMITED "class A:\n  def __new__(c): return A()\nA()", NULL},
        {"a descriptor", UNLIMITED "class D:\n  def __get__(s, o, t): return o.x\nclass A: x = D()\nA().x", NULL},
        {"map", UNLIMITED "def f(x): return list(map(f, [1]))\nf(1)", NULL},
        {"eval", UNLIMITED "code = 'eval(code)'\neval(code)", NULL},
        {"partial", UNLIMITED "from functools import partial\ndef f(): return partial(f)()\nf()", NULL},
        {"reduce", UNLIMITED "from functools import reduce\ndef f(a, b): return reduce(f, [1, 2])\nf(1, 2)", NULL},
        {"join", UNLIMITED "def f(): return ''.join(f() for _ in [1])\nf()", NULL},
        {"yield from",
         "import sys\nsys.setrecursionlimit(1000)\ndef g(x): yield from x\n" NESTED("iter([1])", "g(x)") "list(x)",
         NULL},
        {"repr", NESTED("[]", "[x]") "repr(x)", NULL},
        {"repr of deques", "from collections import deque\n" NESTED("1", "deque([x])") "repr(x)", NULL},
        {"==", NESTED("[]", "[x]") "y = x\n" NESTED("[]", "[x]") "x == y", NULL},
        {"json", "import json\njson.loads('[' * 100_000)", NULL},
        {"pickle", "import pickle\n" NESTED("[]", "[x]") "pickle.dumps(x)", NULL},
        {"isinstance", NESTED("int", "(x,)") "isinstance('', x)", NULL},
        {"re", "import re\nre.compile('(' * 100_000 + ')' * 100_000)", NULL},
        {"compile", "compile('a' + '.a' * 100_000, '', 'eval')", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) gives(&rows[i], exec(guest, rows[i].code), "RecursionError");
    value_is(exec(guest, "1 + 1"), "2");
}

static void test_a_stack_that_is_used_up_is_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "x = iter([1])\nfor i in range(1_000_000): x = zip(x)\nnext(x)",
        "x = ()\nfor i in range(1_000_000): x = (x,)\nhash(x)",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        failure_is(exec(guest, rows[i]), AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "stack was used up", "C code", "nest less",
                   NULL);
        value_is(exec(guest, "1 + 1"), "2");
    }
}

/* ---- ends at once ------------------------------------------------------------------------------------------------ */

static void exits(const char *label, aard_outcome *outcome, int want, bool success)
{
    int code = -99;
    if (!aard_outcome_exit_code(outcome, &code) || code != want || aard_outcome_is_success(outcome) != success)
        fail_msg("%s: %d, %s", label, code, success ? "" : aard_outcome_failure_message(outcome));
    if (!success) assert_string_equal(aard_outcome_exception_type(outcome), "SystemExit");
    aard_outcome_free(outcome);
}

static void test_exits_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *label, *code;
        int exit_code;
    } rows[] = {
        {"a status", "import os\nos._exit(3)", 3},
        {"success", "import os\nos._exit(0)", 0},
        {"negative", "import os\nos._exit(-1)", -1},
        {"nothing is caught", "import os\ntry: os._exit(4)\nexcept BaseException: 5\nfinally: 1 / 0", 4},
        {"within a task", "import asyncio, os\nasync def f(): os._exit(5)\nawait asyncio.gather(f(), asyncio.sleep(9))",
         5},
        {"SIGKILL", "import signal\nsignal.raise_signal(signal.SIGKILL)", 137},
        {"SIGTERM", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", 143},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        exits(rows[i].label, exec(guest, rows[i].code), rows[i].exit_code, rows[i].exit_code == 0);
        value_is(exec(guest, "1 + 1"), "2");
    }
    streams_are(exec(guest, "import atexit, os\natexit.register(print, 'late')\nprint('written')\nos._exit(0)"),
                "written\n", "");
}

static void test_a_handler_that_exits_at_once(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"main.py", "import os\ndef leaves(n): os._exit(n)\ndef is_well(): return 7\n"},
        {"at_import.py", "import os\nos._exit(6)\ndef f(): pass\n"},
        {NULL, NULL}};
    aard_isolate *own = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(files));
    exits("a handler", call(own, "main:leaves", "3"), 3, false);
    value_is(call(own, "main:is_well", NULL), "7");
    exits("a handler's success", call(own, "main:leaves", "0"), 0, false);
    exits("an import", call(own, "at_import:f", NULL), 6, false);
    value_is(call(own, "main:is_well", NULL), "7");
    aard_isolate_free(own);
}

static void test_aborts_are_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "import os\nos.abort()",
        "import signal\nsignal.raise_signal(signal.SIGABRT)",
        "import faulthandler\nfaulthandler._sigsegv()",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        failure_is(exec(guest, rows[i]), AARD_FAILURE_ENGINE_CRASHED, "aborted", "os.abort", NULL);
        value_is(exec(guest, "1 + 1"), "2");
    }
}

/* ---- builtins ---------------------------------------------------------------------------------------------------- */

/* The guest's own code meets what it broke; what answers for it does not. */
static void test_broken_builtins_break_the_guest_only(void **state)
{
    (void)state;
    static const char each[] = "import builtins\nbuiltins.%s = None\n";
    static const char *const names[] = {"isinstance", "issubclass", "type",     "str",  "len",     "print",
                                        "list",       "dict",       "eval",     "exec", "compile", "BaseException",
                                        "SystemExit", "repr",       "reversed", "zip"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char code[100];
        snprintf(code, sizeof code, each, names[i]);
        const row one = {names[i], code, "null"};
        gives(&one, exec(guest, code), NULL);
        const row next = {names[i], NULL, "[1,\"a\"]"};
        gives(&next, exec(guest, "[1, 'a']"), NULL);
        exception_is(exec(guest, "raise ArithmeticError('told')"), "ArithmeticError", "told", "told", NULL);
        assert_ok(aard_isolate_reset(guest));
    }
    value_is(exec(guest, "import builtins\nvars(builtins).clear()\n1"), "1");
    exception_is(exec(guest, "print(1)"), "NameError", NULL, "print", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_what_is_nested_deeply_has_its_value),     FRESH(test_endless_recursions_in_c_are_recursion_errors),
        FRESH(test_a_stack_that_is_used_up_is_told),         FRESH(test_exits_at_once),
        cmocka_unit_test(test_a_handler_that_exits_at_once), FRESH(test_aborts_are_told),
        FRESH(test_broken_builtins_break_the_guest_only),
    };
    return cmocka_run_group_tests(tests, start_python, stop);
}
