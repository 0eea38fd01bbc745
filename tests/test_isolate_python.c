/* Python isolates: handlers of every shape, values, buffers, inline code, exceptions.  test-timeout: 240, test-quick
 *
 * All of it runs in one isolate, one call after another, as a host would have it. */
#include "isolate_support.h"

static aard_isolate *guest;

static int set_up(void **state)
{
    (void)state;
    guest = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_from("python"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(guest);
    return 0;
}

/* No call of this file may cost the isolate. */
static int same_guest(void **state)
{
    (void)state;
    aard_outcome *outcome = call(guest, "main:echo", "1");
    uint64_t generation = aard_outcome_diagnostics(outcome)->reset_generation;
    value_is(outcome, "1");
    return generation == 2 ? 0 : -1; /* the boot, and the bundle */
}

/* "main:evaluate" with a Python expression that C's and JSON's quotes both allow: it holds no double quote. */
static aard_outcome *evaluate(const char *expression)
{
    char input[1024];
    assert_null(strpbrk(expression, "\"\\"));
    snprintf(input, sizeof input, "\"%s\"", expression);
    return call(guest, "main:evaluate", input);
}

/* ---- handlers -------------------------------------------------------------------------------------------------- */

static void test_handlers_of_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *input, *value;
    } rows[] = {
        {NULL, "{\"a\":[1,null]}", "{\"a\":[1,null]}"},
        {"main:echo", "\"x\"", "\"x\""},
        {"main:echo", NULL, "null"},
        {"main:from_builtins", "[1]", "{\"seen\":[1]}"},
        {"main:from_builtins", "null", "{\"seen\":null}"},
        {"main:from_builtins", NULL, "{\"seen\":\"nothing\"}"},
        {"main:with_default", "1", "[1]"},
        {"main:with_varargs", "1", "[1]"},
        {"main:keyword_only", "1", "3"},
        {"main:two_defaults", "1", "[1,\"second\"]"},
        {"main:service.method", "1", "{\"service\":1}"},
        {"main:Service.static", "1", "1"},
        {"main:Service.of_class", "1", "[\"Service\",1]"},
        {"main:service", "1", "{\"called\":1}"},
        {"main:partial", "1", "[1,\"bound\"]"},
        {"main:from_lambda", "1", "[1]"},
        {"main:builtin", "[1,2]", "2"},
        {"main:DictOfOne", "5", "{\"one\":5}"},
        {"main:quick", "1", "1"},
        {"main:quick", NULL, "null"},
        {"main:sleepy", "1", "{\"value\":1,\"slept\":true}"},
        {"main:many_sleeps", "300", "300"},
        {"main:tasks", "1", "[0,1,2]"},
        {"main:awaitable", "1", "\"awaited\""},
        {"pkg.helper:shout", "\"a\"", "\"A\""},
        {"pkg.sub:word.lower", NULL, "\"sub\""},
        {"math:sqrt", "4", "2.0"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(guest, rows[i].entrypoint, rows[i].input), rows[i].value);
}

static void test_handlers_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *texts[3];
    } rows[] = {
        {"absent:echo", {"no module 'absent'", NULL}},
        {"pkg.absent:echo", {"no module 'pkg.absent'", NULL}},
        {"main:absent", {"'main'", "'absent'", NULL}},
        {"main:service.absent", {"'main'", "'service.absent'", NULL}},
        {"main:constant", {"'constant'", "not callable", "int"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        failure_is(call(guest, rows[i].entrypoint, "1"), AARD_FAILURE_ADAPTER_ERROR, rows[i].texts[0], rows[i].texts[1],
                   rows[i].texts[2], NULL);
    exception_is(call(guest, "needs_missing:handler", "1"), "ModuleNotFoundError", NULL, "needs_missing.py\", line 1",
                 "import a_module_that_is_not_there", NULL);
    exception_is(call(guest, "raises_at_import:handler", "1"), "ImportError", "refused by the module itself",
                 "raises_at_import.py\", line 5", "line 2, in fail", NULL);
    exception_is(call(guest, "broken_syntax:handler", "1"), "SyntaxError", NULL, "broken_syntax.py\", line 2",
                 "y = = 2", NULL);
}

static void test_a_handler_is_looked_up_once_and_called_often(void **state)
{
    (void)state;
    aard_handler *handler = NULL;
    aard_call *what = NULL;
    assert_ok(aard_handler_new(guest, "main:echo", &handler));
    assert_ok(aard_call_new(&what));
    for (int i = 0; i < 500; i++) {
        char input[32];
        aard_outcome *outcome = NULL;
        snprintf(input, sizeof input, "[%d]", i);
        aard_call_set_input_json(what, input, strlen(input));
        assert_ok(aard_handler_invoke(handler, what, &outcome));
        value_is(outcome, input);
    }
    aard_call_free(what);
    aard_handler_free(handler);
}

static void test_entrypoints_that_are_none(void **state)
{
    (void)state;
    static const char *const rows[] = {"", ":", "main", "main:", ":echo", "main:echo:more", "main:\xff", "\xc3:echo"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_handler *handler = NULL;
        assert_refused(aard_handler_new(guest, rows[i], &handler), AARD_ERR_ENTRYPOINT_INVALID, "entrypoint", NULL);
        assert_null(handler);
    }
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static void test_values_come_back_equal(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9007199254740993",
        "-9223372036854775809",
        "18446744073709551616",
        "0.1",
        "1e-07",
        "-0.0",
        "1.7976931348623157e+308",
        "5e-324",
        "123456789.12345679",
        "2.0",
        "1e+22",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\n\\t\\r\\b\\f\"",
        "\"\\u0000\\u001f\"",
        "\"\x7f\"",
        "\"äöü€\"",
        "\"😀𝒳\"",
        "\"\\ud800\"",
        "\"a\\udfffb\"",
        "\"\\ud83d\\ud83d\"",
        "\"</script>\"",
        "\"\xe2\x80\xa8\"",
        "[]",
        "{}",
        "[[],{},[[]]]",
        "{\"\":{\"\":[]}}",
        "{\"b\":1,\"a\":2}",
        "{\"ä\":\"\\u0001\"}",
        "[1,1.0,true,null,\"1\"]",
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(call(guest, "main:echo", rows[i]), rows[i]);
    value_is(call(guest, "main:echo", " [ 1 , { \"a\" : \"\\u00e4\\/\" } ]\r\n\t"), "[1,{\"a\":\"ä/\"}]");
    value_is(call(guest, "main:echo", "\"\\ud83d\\ude00\""), "\"😀\"");
    value_is(call(guest, "main:echo", "[1E2,1e-2,-0]"), "[100.0,0.01,0]");
    value_is(call(guest, "main:echo", "{\"a\":1,\"a\":2}"), "{\"a\":2}");
}

static void test_what_python_gets(void **state)
{
    (void)state;
    value_is(call(guest, "main:kinds", "[1,1.0,true,null,\"s\",[],{},12345678901234567890,\"\\ud83d\\ude00\"]"),
             "[[\"int\",\"1\"],[\"float\",\"1.0\"],[\"bool\",\"True\"],[\"NoneType\",\"None\"],[\"str\",\"'s'\"],"
             "[\"list\",\"[]\"],[\"dict\",\"{}\"],[\"int\",\"12345678901234567890\"],[\"str\",\"'😀'\"]]");
}

static void test_python_values_become_json(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *value;
    } rows[] = {
        {"(1, (2,))", "[1,[2]]"},
        {"{1: 1, 1.5: 2, True: 3, None: 4}", "{\"1\":3,\"1.5\":2,\"null\":4}"},
        {"{False: 0}", "{\"false\":0}"},
        {"2**53 + 1", "9007199254740993"},
        {"-2**200", "-1606938044258990275541962092341162602522202993782792835301376"},
        {"0.1 + 0.2", "0.30000000000000004"},
        {"1e16", "1e+16"},
        {"__import__('collections').OrderedDict(z=1, a=2)", "{\"z\":1,\"a\":2}"},
        {"__import__('collections').namedtuple('P', 'x y')(1, 2)", "[1,2]"},
        {"__import__('enum').IntEnum('E', 'A B').B", "2"},
        {"type('S', (str,), {})('sub')", "\"sub\""},
        {"type('I', (int,), {'__repr__': lambda self: 'oops'})(5)", "5"},
        {"type('F', (float,), {'__repr__': lambda self: 'oops'})(5)", "5.0"},
        {"type('L', (list,), {})([1])", "[1]"},
        {"chr(0xd800) + chr(0x1f600)", "\"\\ud800\\ud83d\\ude00\""},
        {"chr(0) + chr(127) + chr(128) + chr(0x10ffff)", "\"\\u0000\x7f\xc2\x80\xf4\x8f\xbf\xbf\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(evaluate(rows[i].expression), rows[i].value);
}

static void test_a_number_keeps_its_5000_digits(void **state)
{
    (void)state;
    char digits[5001];
    for (size_t i = 0; i < sizeof digits - 1; i++) digits[i] = (char)('1' + i % 9);
    digits[5000] = '\0';
    value_is(call(guest, "main:echo", digits), digits);
}

static void test_values_that_json_can_not_hold(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *texts[3];
    } rows[] = {
        {"float('nan')", {"at $,", "nan", NULL}},
        {"float('-inf')", {"at $,", "-inf", NULL}},
        {"{'k': [1.0, float('nan')]}", {"at $.k[1],", "nan", NULL}},
        {"{'a': [1, {2, 3}]}", {"at $.a[1],", "set", NULL}},
        {"{'with space': {'b': object()}}", {"at $['with space'].b,", "object", NULL}},
        {"[[], [1, (2, {3})]]", {"at $[1][1][1],", "set", NULL}},
        {"{'a': [{(1, 2): 3}]}", {"at $.a[0],", "the key (1, 2)", "tuple"}},
        {"{'a': {float('inf'): 3}}", {"at $.a,", "inf", NULL}},
        {"{'a': b'bytes'}", {"at $.a,", "bytes", NULL}},
        {"[bytearray(1)]", {"at $[0],", "bytearray", NULL}},
        {"[memoryview(b'')]", {"at $[0],", "memoryview", NULL}},
        {"[1, lambda: 0]", {"at $[1],", "function", NULL}},
        {"1j", {"at $,", "complex", NULL}},
        {"range(3)", {"at $,", "range", NULL}},
        {"(x for x in [])", {"at $,", "generator", NULL}},
        {"int", {"at $,", "type", NULL}},
        {"...", {"at $,", "ellipsis", NULL}},
        {"__import__('datetime').date(2020, 1, 1)", {"at $,", "date", NULL}},
        {"__import__('decimal').Decimal(1)", {"at $,", "Decimal", NULL}},
        {"(lambda a: a.append({'k': a}) or a)([0])", {"at $[1].k,", "contains itself", NULL}},
        {"(lambda d: d.update(me=d) or d)({})", {"at $.me,", "contains itself", NULL}},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        failure_is(evaluate(rows[i].expression), AARD_FAILURE_ADAPTER_ERROR, rows[i].texts[0], rows[i].texts[1],
                   rows[i].texts[2], NULL);
    value_is(evaluate("(lambda a: [a, a])([1])"), "[[1],[1]]"); /* twice is no cycle */
}

static void nested_text(char *out, int depth, const char *open, const char *inner, const char *close)
{
    char *at = out;
    for (int i = 0; i < depth; i++) at = stpcpy(at, open);
    at = stpcpy(at, inner);
    for (int i = 0; i < depth; i++) at = stpcpy(at, close);
}

static void test_deep_nesting(void **state)
{
    (void)state;
    enum { DEPTH = 5000 };
    char *text = malloc(DEPTH * 8 + 16);
    nested_text(text, DEPTH, "[", "[]", "]");
    value_is(call(guest, "main:nested", "5000"), text);
    value_is(call(guest, "main:depth_of", text), "5000");
    value_is(call(guest, "main:echo", text), text);
    nested_text(text, DEPTH, "{\"k\":", "{}", "}");
    value_is(call(guest, "main:nested_dicts", "5000"), text);
    value_is(call(guest, "main:echo", text), text);
    free(text);
}

static void test_10_mib_come_back_whole(void **state)
{
    (void)state;
    size_t len = 10 << 20;
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++) text[i] = (char)('a' + i % 23);
    text[0] = text[len - 1] = '"';
    memcpy(text + 1000, "äö😀", 8);
    text[len] = '\0';
    value_is_of(call(guest, "main:echo", text), text, len);
    char *list = malloc(len + 1), *at = list;
    *at++ = '[';
    for (int i = 0; i < 1000000; i++) at += sprintf(at, "%s%d", i ? "," : "", i);
    *at++ = ']';
    *at = '\0';
    value_is(call(guest, "main:echo", list), list);
    free(list);
    free(text);
}

/* ---- inputs ---------------------------------------------------------------------------------------------------- */

static void test_inputs_that_are_no_json(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",       " ",    "{",  "[1,]",   "{\"a\"}", "nul",   "NaN", "[Infinity]",     "-Infinity", "'a'",
        "01",     "1 2",  "\"", "\"\n\"", "\"\\x\"", "{a:1}", "[1",  "\xef\xbb\xbf[]", "\"\xff\"",  "\"\xed\xa0\x80\"",
        "\"\xc3", "\x01",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        failure_is(call(guest, "main:echo", rows[i]), AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON", NULL);
        failure_is(call(guest, "main:from_builtins", rows[i]), AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON",
                   NULL);
    }
    value_is(call(guest, "main:from_builtins", NULL), "{\"seen\":\"nothing\"}"); /* none of them stayed */
}

static void test_a_huge_depth_of_input_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = malloc(2 * DEPTH + 3);
    nested_text(text, DEPTH, "[", "", "]");
    aard_outcome *outcome = call(guest, "main:depth_of", text);
    if (aard_outcome_is_success(outcome))
        value_is(outcome, "999999");
    else
        failure_is(outcome, AARD_FAILURE_ADAPTER_ERROR, "the input", NULL);
    free(text);
}

/* ---- buffers --------------------------------------------------------------------------------------------------- */

static void buffer_is(aard_outcome *outcome, const char *metadata, const void *bytes, size_t len)
{
    const char *id, *have_metadata;
    const uint8_t *data;
    size_t have_len;
    assert_success(outcome);
    assert_string_equal(aard_outcome_value_json(outcome, NULL), "null");
    assert_int_equal(aard_outcome_buffer_count(outcome), 1);
    aard_outcome_buffer(outcome, 0, &id, &data, &have_len, &have_metadata);
    assert_string_equal(id, "result");
    assert_string_equal(have_metadata, metadata);
    assert_int_equal(have_len, len);
    if (len) assert_memory_equal(data, bytes, len);
    aard_outcome_free(outcome);
}

static void test_bytes_come_back_as_buffers(void **state)
{
    (void)state;
    static const double doubles[] = {1.5, -2.0, 0.0};
    buffer_is(evaluate("bytes([0, 1, 255])"), "{\"format\":\"bytes\"}", "\0\1\xff", 3);
    buffer_is(evaluate("b''"), "{\"format\":\"bytes\"}", NULL, 0);
    buffer_is(evaluate("bytearray(b'ab')"), "{\"format\":\"bytes\"}", "ab", 2);
    buffer_is(evaluate("memoryview(b'abc')"), "{\"format\":\"B\",\"itemsize\":1,\"shape\":[3]}", "abc", 3);
    buffer_is(call(guest, "main:numbers", "1"), "{\"format\":\"d\",\"itemsize\":8,\"shape\":[3]}", doubles,
              sizeof doubles);
    buffer_is(call(guest, "main:matrix", "1"), "{\"format\":\"B\",\"itemsize\":1,\"shape\":[2,3]}", "\0\1\2\3\4\5", 6);
    buffer_is(call(guest, "main:every_other", "1"), "{\"format\":\"B\",\"itemsize\":1,\"shape\":[3]}", "abc", 3);
    char *large = malloc(256 * 40960);
    for (size_t i = 0; i < 256 * 40960; i++) large[i] = (char)i;
    buffer_is(call(guest, "main:large", "1"), "{\"format\":\"bytes\"}", large, 256 * 40960);
    free(large);
    value_is(call(guest, "main:echo", "1"), "1"); /* with no buffer */
}

/* ---- inline code ----------------------------------------------------------------------------------------------- */

static void test_inline_code_gives_its_last_expression(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1 + 1", "2"},
        {"x = 5", "null"},
        {"x * 2", "10"}, /* of the exec before */
        {"", "null"},
        {"# nothing\n", "null"},
        {"def double(n):\n    return n * 2\ndouble(x)", "10"},
        {"[double(n) for n in range(3)]", "[0,2,4]"},
        {"import asyncio\nawait asyncio.sleep(0.001, 'slept')", "\"slept\""},
        {"asyncio.sleep(0.001, 'given')", "\"given\""},
        {"async def later():\n    return 3\nlater()", "3"},
        {"y = await later()\ny + 1", "4"},
        {"y", "3"},
        {"if True:\n    1", "null"},
        {"'ä😀'", "\"ä😀\""},
        {"5;", "null"},
        {"5; # no value", "null"},
        {"5 # a value;", "5"},
        {"6; 7", "7"},
        {"';'", "\";\""},
        {"(8\n)", "8"},
        {"   z = 1\n   z + 1\n", "2"},
        {"s = '''a\n   \nb'''\ns", "\"a\\n   \\nb\""},
        {"await later()", "3"},
        {"await later();", "null"},
        {"await later()\nfor i in (): pass", "null"},
        {"__name__", "\"__main__\""},
        {"2 ** 64", "18446744073709551616"},
        {"None", "null"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) value_is(exec(guest, rows[i][0]), rows[i][1]);
}

static void test_inline_values_without_json_have_a_repr(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{1, 2}", "{1, 2}"},
        {"b'ab'", "b'ab'"},
        {"float('nan')", "nan"},
        {"[1, {2}]", "[1, {2}]"},
        {"print", "print"},
        {"object()", "<obj"},
        {"import asyncio\nasyncio", "<module 'asyncio'"},
        {"1j", "1j"},
        {"class Bad:\n    def __repr__(self):\n        raise ValueError\nBad()", "raised ValueError"},
        {"a = []\na.append(a)\na", "[[...]]"},
        {"{'k': '\\ud800'}.keys()", "dict_keys"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) repr_has(exec(guest, rows[i][0]), rows[i][1]);
}

static void test_inline_code_that_fails(void **state)
{
    (void)state;
    exception_is(exec(guest, "a = 1\nb = = 2\n"), "SyntaxError", NULL, "File \"<exec>\", line 2", "b = = 2", NULL);
    exception_is(exec(guest, "def f():\n  return 1\n return 2"), "IndentationError", NULL, "\"<exec>\", line 3", NULL);
    exception_is(exec(guest, "def f():\n    return 1 // 0\n\nf()\n"), "ZeroDivisionError", NULL,
                 "File \"<exec>\", line 4, in <module>\n    f()", "File \"<exec>\", line 2, in f", "return 1 // 0",
                 NULL);
    exception_is(exec(guest, "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    undefined\nawait f()"),
                 "NameError", NULL, "File \"<exec>\", line 5", "await f()", "File \"<exec>\", line 4, in f", NULL);
    exception_is(exec(guest, "x = '\0'"), "SyntaxError", NULL, NULL);
    aard_outcome *outcome = NULL;
    assert_ok(aard_isolate_exec(guest, "\n1/0", 4, "my file.py", NULL, &outcome));
    exception_is(check_form(outcome), "ZeroDivisionError", NULL, "File \"my file.py\", line 2", "1/0", NULL);
    value_is(exec(guest, "x = 1\nx"), "1");
}

static void test_inline_code_gets_an_input(void **state)
{
    (void)state;
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_input_json(what, "{\"a\":\"ä\"}", 10);
    value_is(exec_with(guest, "__aardvark_input", what), "{\"a\":\"ä\"}");
    aard_call_set_input_json(what, "{", 1);
    failure_is(exec_with(guest, "print('ran')", what), AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON", NULL);
    aard_call_free(what);
    exception_is(exec(guest, "__aardvark_input"), "NameError", NULL, NULL);
}

/* ---- exceptions ------------------------------------------------------------------------------------------------ */

static void test_a_traceback_is_the_guests_own(void **state)
{
    (void)state;
    static const char wanted[] = "Traceback (most recent call last):\n"
                                 "  File \"/app/raising.py\", line 11, in plain\n"
                                 "    return inner(value)\n"
                                 "  File \"/app/raising.py\", line 7, in inner\n"
                                 "    return value[\"absent\"]\n"
                                 "           ~~~~~^^^^^^^^^^\n"
                                 "KeyError: 'absent'\n";
    size_t len;
    aard_outcome *outcome = call(guest, "raising:plain", "{}");
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_PYTHON_EXCEPTION);
    const char *traceback = aard_outcome_exception_traceback(outcome, &len);
    assert_text(traceback, len, wanted);
    assert_string_equal(aard_outcome_failure_message(outcome), "KeyError: 'absent'");
    assert_null(aard_outcome_value_json(outcome, &len));
    exception_is(outcome, "KeyError", "'absent'", NULL);
    value_is(call(guest, "main:echo", "1"), "1");
    exception_is(call(guest, "main:failing", "\"x\""), "LookupError", "no x", "/app/main.py\", line", "in failing",
                 NULL);
}

static void test_exceptions_of_every_kind(void **state)
{
    (void)state;
    static const struct {
        const char *entrypoint, *input, *type, *value, *texts[3];
    } rows[] = {
        {"raising:chained", "1", "ValueError", "second", {"KeyError: 'absent'", "direct cause", "in inner"}},
        {"raising:during",
         "1",
         "RuntimeError",
         "while handling",
         {"KeyError: 'absent'", "another exception", "in inner"}},
        {"raising:suppressed", "1", "RuntimeError", "alone", {"in suppressed", NULL}},
        {"raising:mute", "1", "Mute", NULL, {"in mute", NULL}},
        {"raising:leave", "3", "SystemExit", "3", {"in leave", NULL}},
        {"raising:leave", "null", "SystemExit", NULL, {"in leave", NULL}},
        {"raising:leave_later", "3", "SystemExit", "3", {"in leave_later", NULL}},
        {"raising:interrupt", "1", "KeyboardInterrupt", "", {"in interrupt", NULL}},
        {"raising:interrupt_later", "1", "KeyboardInterrupt", "", {"in interrupt_later", NULL}},
        {"raising:cancel_self", "1", "CancelledError", "", {"in cancel_self", NULL}},
        {"raising:recurse", "1", "RecursionError", NULL, {"in recurse", "repeated", NULL}},
        {"raising:exhaust", "1", "MemoryError", NULL, {"in exhaust", NULL}},
        {"raising:group",
         "1",
         "ExceptionGroup",
         "several (2 sub-exceptions)",
         {"ValueError: one", "KeyError: 'two'", NULL}},
        {"raising:noted", "1", "ValueError", "with a note", {"the note", NULL}},
        {"raising:surrogate", "1", "ValueError", NULL, {"in surrogate", NULL}},
        {"raising:stop", "1", "StopIteration", "4", {"in stop", NULL}},
        {"raising:assertion", "1", "AssertionError", "an assertion's text", {"assert value ==", NULL}},
        {"raising:own_type", "1", "Ünïcode", "ä", {"in own_type", NULL}},
        {"raising:syntax", "1", "SyntaxError", NULL, {"in syntax", "broken_syntax.py\", line 2", "y = = 2"}},
        {"raising:in_import", "1", "ImportError", "refused by the module itself", {"in in_import", "in fail", NULL}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = call(guest, rows[i].entrypoint, rows[i].input);
        exception_is(outcome, rows[i].type, rows[i].value, rows[i].texts[0], rows[i].texts[1], rows[i].texts[2], NULL);
    }
    failure_is(call(guest, "main:service.method.__func__", "1"), AARD_FAILURE_ADAPTER_ERROR, "as its one argument",
               NULL);
    aard_outcome *outcome = call(guest, "raising:suppressed", "1");
    assert_lacks(aard_outcome_exception_traceback(outcome, NULL), "KeyError");
    aard_outcome_free(outcome);
}

/* An exception whose class, text or parts can't be had is printed as CPython 3.13 prints it; the guest goes on. */
static void test_exceptions_that_do_not_like_to_be_printed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"class M(type):\n    def __getattribute__(c, n): raise RuntimeError(n)\nclass E(Exception, metaclass=M): pass\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 4, in <module>\n<unknown>.E: x\n"},
        {"class E(Exception):\n    @property\n    def __class__(s): raise ValueError\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 4, in <module>\nE: x\n"},
        {"class E(Exception):\n    def __getattribute__(s, n): raise RuntimeError(\"no \" + n)\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\nE: x\n"},
        {"class E(Exception):\n    def __str__(s): raise ValueError(\"inner\")\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise E(\"x\")\nE: <exception str() failed>\n"},
        {"class E(Exception):\n    def __str__(s): raise SystemExit(3)\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise E(\"x\")\nE: <exception str() failed>\n"},
        {"class E(Exception):\n    def __str__(s): return 5\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise E(\"x\")\nE: <exception str() failed>\n"},
        {"class E(Exception):\n    def __str__(s): return s.__str__()\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise E(\"x\")\nE: <exception str() failed>\n"},
        {"e = ValueError(\"x\")\ne.__notes__ = 5\nraise e",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise e\nValueError: x\n5\n"},
        {"class B:\n    def __str__(s): raise ValueError\n    def __repr__(s): raise ValueError\ne = ValueError(\"x\")\ne.__notes__ = [5, B(), \"good\"]\nraise e",
         "Traceback (most recent call last):\n  File \"<exec>\", line 6, in <module>\n    raise e\nValueError: x\n5\n<note str() failed>\ngood\n"},
        {"class E(Exception):\n    @property\n    def __notes__(s): raise ValueError(\"notes\")\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 4, in <module>\n    raise E(\"x\")\nE: x\nIgnored error getting __notes__: ValueError('notes')\n"},
        {"a, b = ValueError(\"a\"), ValueError(\"b\")\na.__cause__ = b\nb.__cause__ = a\nraise a",
         "ValueError: b\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"<exec>\", line 4, in <module>\n    raise a\nValueError: a\n"},
        {"a = ValueError(\"a\")\na.__context__ = a\nraise a",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise a\nValueError: a\n"},
        {"class G(ExceptionGroup):\n    @property\n    def exceptions(s): raise ValueError\nraise G(\"g\", [ValueError(\"a\")])",
         "Traceback (most recent call last):\n  File \"<exec>\", line 4, in <module>\nG: g (1 sub-exception)\n"},
        {"e = ValueError(\"x\")\nfor i in range(2000): e = ExceptionGroup(\"g%d\" % i, [e])\nraise e",
         "  + Exception Group Traceback (most recent call last):\n  |   File \"<exec>\", line 3, in <module>\n  |     raise e\n  | ExceptionGroup: g1999 (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | ExceptionGroup: g1998 (1 sub-exception)\n    +-+---------------- 1 ----------------\n      | ExceptionGroup: g1997 (1 sub-exception)\n      +-+---------------- 1 ----------------\n        | ExceptionGroup: g1996 (1 sub-exception)\n        +-+---------------- 1 ----------------\n          | ExceptionGroup: g1995 (1 sub-exception)\n          +-+---------------- 1 ----------------\n            | ExceptionGroup: g1994 (1 sub-exception)\n            +-+---------------- 1 ----------------\n              | ExceptionGroup: g1993 (1 sub-exception)\n              +-+---------------- 1 ----------------\n                | ExceptionGroup: g1992 (1 sub-exception)\n                +-+---------------- 1 ----------------\n                  | ExceptionGroup: g1991 (1 sub-exception)\n                  +-+---------------- 1 ----------------\n                    | ExceptionGroup: g1990 (1 sub-exception)\n                    +-+---------------- 1 ----------------\n                      | ... (max_group_depth is 10)\n                      +------------------------------------\n"},
        {"class E(Exception):\n    __suppress_context__ = property(lambda s: 1/0)\n    __cause__ = property(lambda s: 1/0)\n    __context__ = property(lambda s: 1/0)\nraise E(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 5, in <module>\nE: x\n"},
        {"raise SyntaxError(\"msg\", (\"f.py\", 10**30, 10**30, \"abc def ghi\"))",
         "Traceback (most recent call last):\n  File \"<exec>\", line 1, in <module>\n    raise SyntaxError(\"msg\", (\"f.py\", 10**30, 10**30, \"abc def ghi\"))\n  File \"f.py\", line 1000000000000000000000000000000\n    abc def ghi\n               ^\nSyntaxError: msg\n"},
        {"e = UnicodeDecodeError(\"utf8\", b\"abc\", 0, 1, \"r\")\ne.object = b\"\"; e.start = 100; e.end = -5\nraise e",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    raise e\nUnicodeDecodeError: 'utf8' codec can't decode bytes in position 100--6: r\n"},
        {"class A:\n    def __dir__(s): raise ValueError\nA().foo",
         "Traceback (most recent call last):\n  File \"<exec>\", line 3, in <module>\n    A().foo\nAttributeError: 'A' object has no attribute 'foo'\n"},
        {"try: 1/0\nexcept ZeroDivisionError: raise ValueError(\"x\")",
         "Traceback (most recent call last):\n  File \"<exec>\", line 1, in <module>\n    try: 1/0\n         ~^~\nZeroDivisionError: division by zero\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"<exec>\", line 2, in <module>\n    except ZeroDivisionError: raise ValueError(\"x\")\n                              ^^^^^^^^^^^^^^^^^^^^^\nValueError: x\n"},
        {"raise BaseExceptionGroup(\"g\", [KeyboardInterrupt(), SystemExit(3)])",
         "  + Exception Group Traceback (most recent call last):\n  |   File \"<exec>\", line 1, in <module>\n  |     raise BaseExceptionGroup(\"g\", [KeyboardInterrupt(), SystemExit(3)])\n  | BaseExceptionGroup: g (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | KeyboardInterrupt\n    +---------------- 2 ----------------\n    | SystemExit: 3\n    +------------------------------------\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        aard_outcome *outcome = exec(guest, rows[i][0]);
        size_t len;
        assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_PYTHON_EXCEPTION);
        const char *traceback = aard_outcome_exception_traceback(outcome, &len);
        assert_text(traceback, len, rows[i][1]);
        aard_outcome_free(outcome);
    }
    value_is(exec(guest, "1 + 1"), "2");
}

#define OWN_TEXT(source)                                                                                               \
    "import traceback\n" source "\ntry: go()\n"                                                                        \
    "except BaseException as error:\n    print(''.join(traceback.format_exception(error)), end='')\n    raise\n"

/* Text of long tracebacks is made in a shorter way than the traceback module's; it is the same to the last character. */
static void test_long_tracebacks_are_pythons_own(void **state)
{
    (void)state;
    static const char *const rows[] = {
        OWN_TEXT("def go(): return go() + go()"),
        OWN_TEXT(
            "def go():\n    return b(1)\ndef b(n):\n    return c(\n        n) + (\n        1)\ndef c(n): return b(n), 1"),
        OWN_TEXT("def f(n, m):\n    return m and f(n - 1, m) if n % 2 else f(n - 1, m) if n else 1/0\n"
                 "def go(): f(9, 1)"),
        OWN_TEXT("def f(n): return f(n - 1) if n else 1/0\ndef go(): f(2)"),
        OWN_TEXT("def f(n): return f(n - 1) if n else 1/0\ndef go(): f(3)"),
        OWN_TEXT(
            "def f(n):\n    try: return f(n - 1) if n else 1/0\n    except Exception as e: raise ValueError(n) from e\n"
            "def go(): f(20)"),
        OWN_TEXT("def f(): f()\ndef go():\n    try: f()\n    except RecursionError: f()"),
        OWN_TEXT("def f(): f()\ndef go():\n    try: f()\n    except RecursionError: raise KeyError(2) from None"),
        OWN_TEXT(
            "def f(n): return f(n - 1) if n else 1/0\ndef caught(n):\n    try: f(n)\n    except Exception as e: return e\n"
            "def go(): raise ExceptionGroup('g', [caught(500), caught(2), ExceptionGroup('h', [caught(900)] * 2),\n"
            "                                     *map(caught, range(20))]) from caught(700)"),
        OWN_TEXT("exec(''.join(f'def f{i}(): f{i + 1}()\\n' for i in range(900)))\ndef f900(): 1/0\ndef go(): f0()"),
        OWN_TEXT("from types import TracebackType as T\ndef go():\n    try: 1/0\n    except Exception as e:\n"
                 "        t = e.__traceback__\n"
                 "        for i, line in (0, 1), (0, 2), (2, 1), (-1, 3), (-1, 4), (0, -1), (-1, -1):\n"
                 "            for _ in range(5): t = T(t, t.tb_frame, i, line)\n"
                 "        raise e.with_traceback(t)"),
        OWN_TEXT("import sys\nsys.tracebacklimit = 7\ndef go(): return go()"),
        OWN_TEXT("sys.tracebacklimit = 0\ndef f(): f()\ndef go():\n    try: f()\n    except RecursionError: f()"),
        OWN_TEXT("del sys.tracebacklimit\nclass E(Exception): pass\ndef go(): absent\ndef absen(): pass"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len, own_len;
        aard_outcome *outcome = exec(guest, rows[i]);
        const char *traceback = aard_outcome_exception_traceback(outcome, &len);
        const char *own = aard_outcome_stdout(outcome, &own_len);
        assert_non_null(traceback);
        assert_text(traceback, len, own);
        assert_int_equal(len, own_len);
        aard_outcome_free(outcome);
    }
    exception_is(
        exec(guest, "def down(n):\n    if n == 0: raise ValueError('deep')\n    return 1 + down(n - 1)\ndown(800)"),
        "ValueError", "deep",
        "Traceback (most recent call last):\n"
        "  File \"<exec>\", line 4, in <module>\n"
        "    down(800)\n"
        "    ~~~~^^^^^\n"
        "  File \"<exec>\", line 3, in down\n"
        "    return 1 + down(n - 1)\n"
        "               ~~~~^^^^^^^\n"
        "  File \"<exec>\", line 3, in down\n"
        "    return 1 + down(n - 1)\n"
        "               ~~~~^^^^^^^\n"
        "  File \"<exec>\", line 3, in down\n"
        "    return 1 + down(n - 1)\n"
        "               ~~~~^^^^^^^\n"
        "  [Previous line repeated 797 more times]\n"
        "  File \"<exec>\", line 2, in down\n"
        "    if n == 0: raise ValueError('deep')\n"
        "               ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "ValueError: deep\n",
        NULL);
}

static void test_an_exceptions_text_may_be_long(void **state)
{
    (void)state;
    size_t len = 0;
    aard_outcome *outcome = call(guest, "raising:long_text", "1");
    assert_non_null(aard_outcome_exception_value(outcome, &len));
    assert_int_equal(len, 2000000);
    exception_is(outcome, "ValueError", NULL, "in long_text", NULL);
    outcome = call(guest, "raising:surrogate", "1");
    const char *value = aard_outcome_exception_value(outcome, &len);
    assert_int_equal(len, sizeof "lone ??? and 😀 and \0 nul" - 1);
    assert_memory_equal(value, "lone \xef\xbf\xbd and 😀 and \0 nul", len);
    aard_outcome_free(outcome);
}

#define IN_GUEST(test) cmocka_unit_test_teardown(test, same_guest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_GUEST(test_handlers_of_every_shape),
        IN_GUEST(test_handlers_that_are_not_there),
        IN_GUEST(test_a_handler_is_looked_up_once_and_called_often),
        IN_GUEST(test_entrypoints_that_are_none),
        IN_GUEST(test_values_come_back_equal),
        IN_GUEST(test_what_python_gets),
        IN_GUEST(test_python_values_become_json),
        IN_GUEST(test_a_number_keeps_its_5000_digits),
        IN_GUEST(test_values_that_json_can_not_hold),
        IN_GUEST(test_deep_nesting),
        IN_GUEST(test_10_mib_come_back_whole),
        IN_GUEST(test_inputs_that_are_no_json),
        IN_GUEST(test_a_huge_depth_of_input_is_refused),
        IN_GUEST(test_bytes_come_back_as_buffers),
        IN_GUEST(test_inline_code_gives_its_last_expression),
        IN_GUEST(test_inline_values_without_json_have_a_repr),
        IN_GUEST(test_inline_code_that_fails),
        IN_GUEST(test_inline_code_gets_an_input),
        IN_GUEST(test_a_traceback_is_the_guests_own),
        IN_GUEST(test_exceptions_of_every_kind),
        IN_GUEST(test_exceptions_that_do_not_like_to_be_printed),
        IN_GUEST(test_long_tracebacks_are_pythons_own),
        IN_GUEST(test_an_exceptions_text_may_be_long),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
