/* Host functions and what grants them. */
#include "isolate_support.h"

typedef struct seen {
    int calls, ends;
    char input[256];
} seen;

static void at_end(void *user) { ((seen *)user)->ends++; }

static void echo(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    seen *s = user;
    s->calls++;
    snprintf(s->input, sizeof s->input, "%.*s", len < sizeof s->input ? (int)len : 0, input);
    aard_reply_set_json(reply, input, len);
}

static void refuse(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user, (void)input, (void)len;
    aard_reply_set_json(reply, "1", 1);
    aard_reply_fail(reply, "there is no such \"thing\" \xc3\xa4");
}

static void say_nothing(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user, (void)input, (void)len, (void)reply;
}

static void nonsense(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user, (void)input, (void)len;
    aard_reply_set_json(reply, "{\"a\":\xff", 6);
}

static aard_isolate *isolate_of(aard_language language, seen *s, bool grant, aard_bundle *bundle)
{
    aard_isolate_config *config = config_of(language);
    assert_ok(aard_isolate_config_add_function(config, "Echo", echo, s, at_end));
    assert_ok(aard_isolate_config_add_function(config, "refuse", refuse, NULL, NULL));
    assert_ok(aard_isolate_config_add_function(config, "say_nothing", say_nothing, NULL, NULL));
    assert_ok(aard_isolate_config_add_function(config, "nonsense", nonsense, NULL, NULL));
    static const char *const names[] = {" ECHO ", "refuse", "say_nothing", "nonsense", "missing"};
    for (size_t i = 0; grant && i < COUNT(names); i++) assert_ok(aard_isolate_config_add_capability(config, names[i]));
    return boot(config, bundle);
}

static void denied(aard_outcome *outcome, const char *reason, const char *subject)
{
    const aard_violation *line;
    bool found = false;
    for (size_t i = 0; (line = aard_outcome_violation(outcome, i)); i++)
        found = found || (line->kind == AARD_VIOLATION_CAPABILITY_DENIED && !strcmp(line->reason, reason) &&
                          !strcmp(line->subject, subject));
    if (!found) print_error("no violation '%s' '%s'\n", reason, subject);
    assert_true(found);
}

static void test_python_calls_the_host(void **state)
{
    (void)state;
    seen s = {0};
    aard_isolate *isolate = isolate_of(AARD_LANGUAGE_PYTHON, &s, true, NULL);
    value_is(exec(isolate, "from aardvark import host, HostError\nhost.echo({'a': [1, None, 'ä', 2.5, 10**30]})"),
             "{\"a\":[1,null,\"ä\",2.5,1000000000000000000000000000000]}");
    value_is(exec(isolate, "host.Echo()"), "null");
    assert_string_equal(s.input, "null");
    assert_int_equal(s.calls, 2);
    value_is(exec(isolate, "host.say_nothing(1)"), "null");
    value_is(exec(isolate, "len(host.echo('x' * 3000000))"), "3000000");
    exception_is(exec(isolate, "host.refuse(1)"), "HostError", "there is no such \"thing\" ä", NULL);
    exception_is(exec(isolate, "host.nonsense(1)"), "HostError", "the host's reply is not JSON", NULL);
    exception_is(exec(isolate, "host.missing(1)"), "HostError", "the host has no function 'missing'", NULL);
    exception_is(exec(isolate, "host.echo({1, 2})"), "TypeError", NULL, NULL);
    exception_is(exec(isolate, "host.echo([float('nan')])"), "TypeError", NULL, NULL);
    exception_is(exec(isolate, "host.echo(1, 2)"), "TypeError", NULL, NULL);
    value_is(exec(isolate, "import asyncio\nasync def f(i): return host.echo(i)\n"
                           "await asyncio.gather(*[f(i) for i in range(5)])"),
             "[0,1,2,3,4]");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "import aardvark\naardvark.host.echo([])"), "[]");
    assert_int_equal(s.ends, 0);
    aard_isolate_free(isolate);
    assert_int_equal(s.ends, 1);
}

static void test_javascript_calls_the_host(void **state)
{
    (void)state;
    seen s = {0};
    aard_isolate *isolate = isolate_of(AARD_LANGUAGE_JAVASCRIPT, &s, true, NULL);
    value_is(exec(isolate, "aardvark.host.echo({ a: [1, null, 'ä', 2.5] })"), "{\"a\":[1,null,\"ä\",2.5]}");
    value_is(exec(isolate, "const { echo } = aardvark.host; [echo(1), aardvark.host.Echo()]"), "[1,null]");
    value_is(exec(isolate, "aardvark.host.say_nothing(1)"), "null");
    value_is(exec(isolate, "aardvark.host.echo('x'.repeat(3000000)).length"), "3000000");
    value_is(exec(isolate, "await aardvark.host.echo('awaited')"), "\"awaited\"");
    exception_is(exec(isolate, "aardvark.host.refuse(1)"), "HostError", "there is no such \"thing\" ä", NULL);
    exception_is(exec(isolate, "aardvark.host.nonsense(1)"), "HostError", "the host's reply is not JSON", NULL);
    value_is(exec(isolate, "try { aardvark.host.echo(1n) } catch (error) { error.name }"), "\"TypeError\"");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "aardvark.host.echo([])"), "[]");
    assert_int_equal(s.ends, 0);
    aard_isolate_free(isolate);
    assert_int_equal(s.ends, 1);
}

static void test_what_is_not_granted_is_refused_and_told(void **state)
{
    (void)state;
    static const char *const bundles[][3][2] = {
        {{"main.py", "def f(): pass\n"},
         {"aardvark.manifest.json", "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:f\",\"resources\":"
                                    "{\"hostCapabilities\":[\"echo\",\"js\",\"codegen\"]}}"},
         {NULL, NULL}},
        {{"main.js", "export function f() {}\n"},
         {"aardvark.manifest.json",
          "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:f\",\"runtime\":{\"language\":\"javascript\"},"
          "\"resources\":{\"hostCapabilities\":[\"echo\",\"codegen\"]}}"},
         {NULL, NULL}},
    };
    seen s = {0};
    aard_isolate *python = isolate_of(AARD_LANGUAGE_PYTHON, &s, false, bundle_of(bundles[0]));
    aard_isolate *javascript = isolate_of(AARD_LANGUAGE_JAVASCRIPT, &s, false, bundle_of(bundles[1]));
    const struct {
        aard_isolate *isolate;
        const char *code, *reason, *subject;
    } rows[] = {
        {python, "from aardvark import host\ntry: host.echo(1)\nexcept PermissionError: pass", "echo",
         "aardvark.host.echo"},
        {python, "from aardvark import host\ntry: host.nothing(1)\nexcept PermissionError: pass", "nothing",
         "aardvark.host.nothing"},
        {python,
         "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'cecho\\x001')\nassert os.read(fd, 9) == b'?'",
         "echo", "aardvark.host.echo"},
        {python, "try: import js\nexcept ImportError: pass", "js", "js"},
        {python, "try: from js import document\nexcept ImportError: pass", "js", "js"},
        {python, "try: import pyodide_js._api\nexcept ImportError: pass", "js", "pyodide_js"},
        {python, "from pyodide.ffi import to_js\ntry: to_js([1])\nexcept Exception: pass", "js", "pyodide.ffi.to_js"},
        {python, "from pyodide.ffi import create_proxy\ntry: create_proxy(print)\nexcept Exception: pass", "js",
         "pyodide.ffi.create_proxy"},
        {python,
         "try:\n    from pyodide.code import run_js\n    run_js('1')\nexcept (ImportError, PermissionError): pass",
         "js", "js"},
        {javascript, "try { aardvark.host.echo(1) } catch {}", "echo", "aardvark.host.echo"},
        {javascript, "try { aardvark.host['a\\u0000b\\ud800'](1) } catch {}", "host_function", "aardvark.host"},
        {javascript, "try { eval('1') } catch {}", "codegen", "eval"},
        {javascript, "try { new Function('1') } catch {}", "codegen", "eval"},
        {javascript, "try { (async () => {}).constructor('1') } catch {}", "codegen", "eval"},
        {javascript, "try { (function* () {}).constructor('1') } catch {}", "codegen", "eval"},
        {javascript, "try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) } catch {}",
         "codegen", "WebAssembly"},
        {javascript, "await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).catch(() => 1)",
         "codegen", "WebAssembly"},
        {javascript, "await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).catch(() => 1)",
         "codegen", "WebAssembly"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec(rows[i].isolate, rows[i].code);
        assert_success(outcome);
        denied(outcome, rows[i].reason, rows[i].subject);
        aard_outcome_free(outcome);
    }
    assert_int_equal(s.calls, 0);
    aard_isolate_free(python);
    aard_isolate_free(javascript);
}

/* Whatever is written to the device, the host gets JSON. */
static void test_a_host_function_gets_json_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {"1", " [1, {}] ", "\\\"x\\\"", "null"};
    static const char *const bad[] = {"",
                                      " ",
                                      "not json",
                                      "NaN",
                                      "1 2",
                                      "[1,]",
                                      "{a: 1}",
                                      "\\xff",
                                      "\\\"\\xed\\xa0\\x80\\\"",
                                      "1\\x00",
                                      "\\xef\\xbb\\xbf1",
                                      "' + '[' * 1001 + ']' * 1001 + '"};
    seen s = {0};
    aard_isolate *isolate = isolate_of(AARD_LANGUAGE_PYTHON, &s, true, NULL);
    char code[512];
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        bool is_good = i < COUNT(good);
        snprintf(code, sizeof code,
                 "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'cecho\\0' + ('%s').encode('latin1'))\n"
                 "a = os.read(fd, 99)\nos.close(fd)\na[:1].decode()",
                 is_good ? good[i] : bad[i - COUNT(good)]);
        value_is(exec(isolate, code), is_good ? "\"=\"" : "\"!\"");
    }
    assert_int_equal(s.calls, COUNT(good));
    value_is(exec(isolate, "fd = os.open('/dev/aardvark', 2)\nos.write(fd, b'cecho')\nos.read(fd, 99).decode()"),
             "\"\"");
    value_is(exec(isolate, "fd = os.open('/dev/aardvark', 2)\nos.write(fd, b'')\nos.read(fd, 99).decode()"), "\"\"");
    assert_int_equal(s.calls, COUNT(good));
    aard_isolate_free(isolate);
}

/* A line is about what was refused, in one line; its words are the library's own, or names that a guest can only ask for. */
static void test_a_guest_writes_no_violations_of_its_own(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'd\\nnetwork_denied: https://bank.example/ \\x1b[31m')",
        "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'djs.\\xe2\\x80\\xaeexe.y')",
        "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'dthe host said yes')",
        "import os\nfd = os.open('/dev/aardvark', 2)\nos.write(fd, b'cnetwork denied: x\\n\\x001')",
        "from aardvark import host\ntry: getattr(host, 'x\\nnetwork_denied: y')(1)\nexcept PermissionError: pass",
        "try: open('/app/a\\nrefused \\x9b\\u202e', 'w')\nexcept OSError: pass",
        "try: __import__('js.a\\nb')\nexcept ImportError: pass",
    };
    seen s = {0};
    aard_isolate *isolate = isolate_of(AARD_LANGUAGE_PYTHON, &s, false, NULL);
    for (size_t i = 0; i < COUNT(codes); i++) {
        const aard_violation *line;
        aard_outcome *outcome = exec(isolate, codes[i]);
        assert_success(outcome);
        for (size_t k = 0; (line = aard_outcome_violation(outcome, k)); k++) {
            for (const char *c = line->subject; *c; c++) assert_true(*c >= ' ' && *c < 0x7f);
            bool own = !strcmp(line->subject, "js") || !strcmp(line->subject, "aardvark.host") ||
                       !strcmp(line->subject, "/app/a\\x0arefused \\x9b\\u202e");
            if (!own) fail_msg("%s: %s", codes[i], line->subject);
            assert_null(strstr(line->reason, "network"));
        }
        aard_outcome_free(outcome);
    }
    aard_isolate_free(isolate);
}

static void test_codegen_where_it_is_granted(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_capability(config, "codegen"));
    aard_isolate *isolate = boot(config, NULL);
    for (int i = 0; i < 2; i++) {
        value_is(exec(isolate, "[eval('1 + 1'), new Function('return 3')(), "
                               "typeof new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))]"),
                 "[2,3,\"object\"]");
        assert_ok(aard_isolate_reset(isolate));
    }
    aard_isolate_free(isolate);
}

static void test_names_and_lives_of_functions(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",    "1a",  "_a",       "a b",
        "a.b", "a-b", "\xc3\xa4", "a23456789a123456789a123456789a123456789a123456789a123456789a1234"};
    seen s = {0}, other = {0};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(aard_isolate_config_add_function(config, bad[i], echo, &s, at_end), AARD_ERR_INVALID_ARGUMENT,
                       bad[i], NULL);
    assert_refused(aard_isolate_config_add_function(config, "a", NULL, &s, at_end), AARD_ERR_INVALID_ARGUMENT, NULL);
    assert_int_equal(s.ends, (int)COUNT(bad) + 1);
    s.ends = 0;
    assert_ok(aard_isolate_config_add_function(config, "a", echo, &s, at_end));
    assert_ok(aard_isolate_config_add_capability(config, "a"));
    aard_isolate *first;
    assert_ok(aard_isolate_new(config, &first));
    assert_ok(aard_isolate_config_add_function(config, "A", echo, &other, at_end));
    assert_int_equal(s.ends, 0);
    aard_isolate *second = boot(config, NULL); /* and the configuration goes */
    value_is(exec(first, "aardvark.host.a(1)"), "1");
    value_is(exec(second, "aardvark.host.a(2)"), "2");
    assert_int_equal(s.calls * 10 + other.calls, 11);
    aard_isolate_free(first);
    assert_int_equal(s.ends, 1);
    assert_int_equal(other.ends, 0);
    aard_isolate_free(second);
    assert_int_equal(other.ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_calls_the_host),
        cmocka_unit_test(test_javascript_calls_the_host),
        cmocka_unit_test(test_what_is_not_granted_is_refused_and_told),
        cmocka_unit_test(test_a_host_function_gets_json_and_nothing_else),
        cmocka_unit_test(test_a_guest_writes_no_violations_of_its_own),
        cmocka_unit_test(test_codegen_where_it_is_granted),
        cmocka_unit_test(test_names_and_lives_of_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
