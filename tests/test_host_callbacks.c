/* Callbacks of the host: invoked, awaited, answered at once or later, refused, limited, cancelled. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "isolate_support.h"

static void *text(const char *value) { return (void *)(uintptr_t)value; } /* for a callback's user */

/* ---- what answers ------------------------------------------------------------------------------------------------- */

static void echo(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    size_t len;
    const char *arguments = aard_invocation_arguments(invocation, &len);
    (void)context;
    if (user) ++*(int *)user;
    assert_true(aard_invocation_reply(invocation, arguments, len));
    assert_false(aard_invocation_reply(invocation, "1", 1)); /* once only */
    assert_true(aard_invocation_is_over(invocation));
    aard_invocation_free(invocation);
}

static void not_found(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context, (void)user;
    assert_true(aard_invocation_fail(invocation, "NotFound", "there is no \"thing\" \xc3\xa4"));
    aard_invocation_free(invocation);
}

static void fail_as(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context;
    assert_true(aard_invocation_fail(invocation, user, "so"));
    aard_invocation_free(invocation);
}

static void give_no_answer(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context, (void)user;
    aard_invocation_free(invocation);
}

static void answer_text(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    (void)context;
    aard_invocation_reply(invocation, user, strlen(user));
    aard_invocation_free(invocation);
}

/* Invocations that are answered later. */
typedef struct desk {
    pthread_mutex_t lock;
    aard_invocation *waiting[1000];
    size_t count, most, wanted;
    pthread_t thread;
    bool reverse;
} desk;

static void *answer_all(void *user)
{
    desk *d = user;
    for (size_t i = 0; i < d->wanted; i++) {
        aard_invocation *one = d->waiting[d->reverse ? d->wanted - 1 - i : i];
        size_t len;
        const char *arguments = aard_invocation_arguments(one, &len);
        aard_invocation_reply(one, arguments, len);
        aard_invocation_free(one);
    }
    return NULL;
}

/* Once as many wait as are wanted another thread answers them all: they are in flight together, or nothing ever comes. */
static void gather(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    desk *d = user;
    (void)context;
    d->waiting[d->count++] = invocation;
    if (d->count == d->wanted) assert_int_equal(pthread_create(&d->thread, NULL, answer_all, d), 0);
}

static void *answer_late(void *user)
{
    desk *d = user;
    usleep(30000);
    return answer_all(d);
}

static void wait_long(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    desk *d = user;
    (void)context;
    d->waiting[d->count++] = invocation;
    if (d->count == d->wanted) assert_int_equal(pthread_create(&d->thread, NULL, answer_late, d), 0);
}

static const char *const schema =
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"minLength\":1},\"days\":{\"type\":\"integer\","
    "\"minimum\":1,\"maximum\":14}},\"required\":[\"city\"],\"additionalProperties\":false}";

static aard_isolate_config *config_with(aard_language language, const char *name, const char *shape,
                                        aard_callback callback, void *user)
{
    aard_isolate_config *config = config_of(language);
    assert_ok(aard_isolate_config_add_callback(config, name, "Does something.", shape, callback, user, NULL));
    return config;
}

static aard_isolate *isolate_with(aard_language language, const char *name, const char *shape, aard_callback callback,
                                  void *user)
{
    return boot(config_with(language, name, shape, callback, user), NULL);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void test_python_awaits_an_answer(void **state)
{
    (void)state;
    int calls = 0;
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "weather", schema, echo, &calls);
    value_is(exec(isolate, "await weather(city='Köln', days=3)"), "{\"city\":\"Köln\",\"days\":3}");
    value_is(exec(isolate, "await weather('Bonn', days=1)"), "{\"city\":\"Bonn\",\"days\":1}");
    value_is(exec(isolate, "await invoke('weather', city='Ulm')"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "invoke_sync('weather', city='Ulm')"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "weather.sync(city='Ulm')"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "from aardvark import invoke as i\nawait i('weather', 'Ulm')"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "weather.__doc__, weather.__name__, repr(weather)"),
             "[\"Does something.\",\"weather\",\"<callback weather>\"]");
    assert_int_equal(calls, 6);
    exception_is(exec(isolate, "await weather('a', 1, 2)"), "TypeError", NULL, NULL);
    exception_is(exec(isolate, "await weather('a', city='b')"), "TypeError", NULL, NULL);
    exception_is(exec(isolate, "await weather(city={1})"), "TypeError", NULL, NULL);
    aard_isolate_free(isolate);
}

static void test_javascript_awaits_an_answer(void **state)
{
    (void)state;
    int calls = 0;
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_JAVASCRIPT, "weather", schema, echo, &calls);
    value_is(exec(isolate, "await weather({city: 'Köln', days: 3})"), "{\"city\":\"Köln\",\"days\":3}");
    value_is(exec(isolate, "await invoke('weather', {city: 'Ulm'})"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "invokeSync('weather', {city: 'Ulm'})"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "weather.sync({city: 'Ulm'})"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "await aardvark.invoke('weather', {city: 'Ulm'})"), "{\"city\":\"Ulm\"}");
    value_is(exec(isolate, "weather.name"), "\"weather\"");
    assert_int_equal(calls, 5);
    aard_isolate_free(isolate);
}

/* A loop of the guest's own waits like that of calls; handlers of bundles have callbacks as inline code has. */
static void test_handlers_and_loops_of_guests(void **state)
{
    (void)state;
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "echo", NULL, echo, NULL);
    value_is(exec(isolate, "import asyncio\nasync def main(): return await echo(a=1)\nasyncio.run(main())"),
             "{\"a\":1}");
    aard_isolate_free(isolate);
    static const char *const python[][2] = {{"main.py", "import helper\nasync def f(x): return await helper.g(x)"},
                                            {"helper.py", "def g(x): return echo(x=x)"},
                                            {NULL, NULL}};
    isolate = boot(config_with(AARD_LANGUAGE_PYTHON, "echo", NULL, echo, NULL), bundle_of(python));
    value_is(call(isolate, "main:f", "[1]"), "{\"x\":[1]}");
    aard_isolate_free(isolate);
    static const char *const javascript[][2] = {{"main.js", "export const f = async (x) => (await echo({x})).x"},
                                                {NULL, NULL}};
    isolate = boot(config_with(AARD_LANGUAGE_JAVASCRIPT, "echo", NULL, echo, NULL), bundle_of(javascript));
    value_is(call(isolate, "main:f", "[1]"), "[1]");
    aard_isolate_free(isolate);
}

/* Timers, requests and callbacks are waited for together. */
static void test_other_waits_go_on(void **state)
{
    (void)state;
    desk d = {.wanted = 2};
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "wait_long", NULL, wait_long, &d);
    value_is(exec(isolate, "import asyncio\norder = []\n"
                           "async def tick():\n    await asyncio.sleep(0.002)\n    order.append('tick')\n"
                           "async def call():\n    await wait_long()\n    order.append('answer')\n"
                           "await asyncio.gather(call(), call(), tick())\norder"),
             "[\"tick\",\"answer\",\"answer\"]");
    pthread_join(d.thread, NULL);
    aard_isolate_free(isolate);
    d = (desk){.wanted = 1};
    isolate = isolate_with(AARD_LANGUAGE_JAVASCRIPT, "wait_long", NULL, wait_long, &d);
    value_is(exec(isolate, "const order = [];\n"
                           "await Promise.all([wait_long().then(() => order.push('answer')),\n"
                           "  new Promise((r) => setTimeout(r, 2)).then(() => order.push('tick'))]);\norder"),
             "[\"tick\",\"answer\"]");
    pthread_join(d.thread, NULL);
    aard_isolate_free(isolate);
}

static void test_guests_list_callbacks(void **state)
{
    (void)state;
    aard_isolate_config *config = config_with(AARD_LANGUAGE_PYTHON, "one", "{\"type\":\"object\"}", echo, NULL);
    assert_ok(aard_isolate_config_add_callback(config, "two", "\"zwei\"", NULL, echo, NULL, NULL));
    assert_int_equal(aard_isolate_config_callback_count(config), 2);
    assert_string_equal(aard_isolate_config_callback(config, 1), "two");
    assert_null(aard_isolate_config_callback(config, 2));
    static const char listed[] =
        "[{\"name\":\"one\",\"description\":\"Does something.\",\"schema\":{\"type\":\"object\"}},"
        "{\"name\":\"two\",\"description\":\"\\\"zwei\\\"\",\"schema\":{\"type\":\"object\"}}]";
    aard_isolate *isolate = boot(config, NULL);
    value_is(exec(isolate, "list_callbacks()"), listed);
    aard_isolate_free(isolate);
    config = config_with(AARD_LANGUAGE_JAVASCRIPT, "one", "{\"type\":\"object\"}", echo, NULL);
    assert_ok(aard_isolate_config_add_callback(config, "two", "\"zwei\"", NULL, echo, NULL, NULL));
    isolate = boot(config, NULL);
    value_is(exec(isolate, "listCallbacks()"), listed);
    aard_isolate_free(isolate);
}

static void test_a_guest_without_callbacks_has_none_of_their_names(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), NULL);
    exception_is(exec(isolate, "invoke"), "NameError", NULL, NULL);
    exception_is(exec(isolate, "from aardvark import invoke_sync, errors\ninvoke_sync('x')"), "UnknownCallback",
                 "the host has no callback \"x\"", NULL);
    aard_isolate_free(isolate);
    isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    value_is(exec(isolate, "typeof invoke + aardvark.listCallbacks().length"), "\"undefined0\"");
    aard_isolate_free(isolate);
}

static void test_names_of_the_language_stay(void **state)
{
    (void)state;
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "print", NULL, echo, NULL);
    streams_are(exec(isolate, "print('x')"), "x\n", "");
    value_is(exec(isolate, "await invoke('print', a=1)"), "{\"a\":1}");
    aard_isolate_free(isolate);
    isolate = isolate_with(AARD_LANGUAGE_JAVASCRIPT, "fetch", NULL, echo, NULL);
    value_is(exec(isolate, "[fetch.sync === undefined, await invoke('fetch', {a: 1})]"), "[true,{\"a\":1}]");
    aard_isolate_free(isolate);
}

static void test_resets_keep_callbacks(void **state)
{
    (void)state;
    static const aard_language languages[] = {AARD_LANGUAGE_PYTHON, AARD_LANGUAGE_JAVASCRIPT};
    for (size_t i = 0; i < COUNT(languages); i++) {
        aard_isolate *isolate = isolate_with(languages[i], "echo", NULL, echo, NULL);
        for (int round = 0; round < 3; round++) {
            value_is(exec(isolate, "await echo()"), "{}");
            value_is(exec(isolate, "echo = 1"), i ? "1" : "null");
            assert_ok(aard_isolate_reset(isolate));
        }
        aard_isolate_free(isolate);
    }
}

/* ---- later, and many at once -------------------------------------------------------------------------------------- */

static void test_callbacks_run_together(void **state)
{
    (void)state;
    static const struct {
        aard_language language;
        const char *code;
    } rows[] = {
        {AARD_LANGUAGE_PYTHON, "import asyncio\nr = await asyncio.gather(*[gather(n=i) for i in range(100)])\n"
                               "[one['n'] for one in r] == list(range(100))"},
        {AARD_LANGUAGE_JAVASCRIPT, "const r = await Promise.all(Array.from({length: 100}, (_, n) => gather({n})));\n"
                                   "r.every((one, n) => one.n === n)"},
    };
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        desk d = {.wanted = 100, .reverse = i % 2};
        aard_isolate *isolate = isolate_with(rows[i / 2].language, "gather", NULL, gather, &d);
        aard_outcome *outcome = exec(isolate, rows[i / 2].code);
        assert_int_equal(aard_outcome_diagnostics(outcome)->callback_count, 100);
        value_is(outcome, "true");
        pthread_join(d.thread, NULL);
        aard_isolate_free(isolate);
    }
}

static void test_synchronous_code_waits(void **state)
{
    (void)state;
    desk d = {.wanted = 1};
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "gather", NULL, gather, &d);
    value_is(exec(isolate, "gather.sync(n=1)"), "{\"n\":1}");
    pthread_join(d.thread, NULL);
    aard_isolate_free(isolate);
    d = (desk){.wanted = 1};
    isolate = isolate_with(AARD_LANGUAGE_JAVASCRIPT, "gather", NULL, gather, &d);
    value_is(exec(isolate, "gather.sync({n: 1})"), "{\"n\":1}");
    pthread_join(d.thread, NULL);
    aard_isolate_free(isolate);
}

static void test_the_outcome_counts_callbacks_and_their_time(void **state)
{
    (void)state;
    desk d = {.wanted = 2};
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "wait_long", NULL, wait_long, &d);
    aard_outcome *outcome = exec(
        isolate, "import asyncio\nlen(await asyncio.gather(wait_long(), wait_long(), asyncio.sleep(0.001)))");
    const aard_diagnostics *diagnostics = aard_outcome_diagnostics(outcome);
    assert_int_equal(diagnostics->callback_count, 2);
    assert_true(diagnostics->callback_ms >= 29 && diagnostics->callback_ms <= diagnostics->wall_ms);
    char *json;
    assert_ok(aard_outcome_json(outcome, &json, NULL));
    assert_contains(json, "\"callbacks\":{\"count\":2,\"ms\":");
    aard_string_free(json);
    value_is(outcome, "3");
    pthread_join(d.thread, NULL);
    aard_isolate_free(isolate);
}

static void test_a_guest_can_give_up(void **state)
{
    (void)state;
    desk d = {.wanted = 1000};
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "gather", NULL, gather, &d);
    value_is(exec(isolate, "import asyncio\n"
                           "try:\n    await asyncio.wait_for(gather(), 0.01)\n"
                           "except TimeoutError:\n    r = 'late'\nr"),
             "\"late\"");
    assert_int_equal(d.count, 1);
    assert_true(aard_invocation_is_over(d.waiting[0]));
    assert_false(aard_invocation_reply(d.waiting[0], "1", 1));
    aard_isolate_free(isolate);
    assert_false(aard_invocation_reply(d.waiting[0], "1", 1)); /* nobody is left */
    assert_string_equal(aard_invocation_name(d.waiting[0]), "gather");
    assert_int_equal(aard_invocation_id(d.waiting[0]), 1);
    aard_invocation_free(d.waiting[0]);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void test_errors_have_their_types(void **state)
{
    (void)state;
    aard_isolate_config *config = config_with(AARD_LANGUAGE_PYTHON, "fail", NULL, not_found, NULL);
    assert_ok(aard_isolate_config_add_callback(config, "key", NULL, NULL, fail_as, text("KeyError"), NULL));
    assert_ok(aard_isolate_config_add_callback(config, "odd", NULL, NULL, fail_as, text("no name"), NULL));
    assert_ok(aard_isolate_config_add_callback(config, "none", NULL, NULL, give_no_answer, NULL, NULL));
    assert_ok(aard_isolate_config_add_callback(config, "bad", NULL, NULL, answer_text, text("{\"a\":\xff"), NULL));
    assert_ok(aard_isolate_config_add_callback(config, "empty", NULL, NULL, answer_text, text(""), NULL));
    aard_isolate *isolate = boot(config, NULL);
    exception_is(exec(isolate, "await fail()"), "NotFound", "there is no \"thing\" ä", NULL);
    value_is(exec(isolate, "from aardvark import errors, CallbackError\n"
                           "try:\n    await fail()\nexcept errors.NotFound as e:\n"
                           "    r = [isinstance(e, CallbackError), e.type, e.callback, str(e)]\nr"),
             "[true,\"NotFound\",\"fail\",\"there is no \\\"thing\\\" ä\"]");
    value_is(exec(isolate, "try:\n    key.sync()\nexcept KeyError as e:\n    r = [str(e), e.type]\nr"),
             "[\"so\",\"KeyError\"]");
    exception_is(exec(isolate, "await odd()"), "CallbackError", "so", NULL);
    exception_is(exec(isolate, "await none()"), "NoAnswer", "the host gave no answer", NULL);
    exception_is(exec(isolate, "await bad()"), "InvalidResult", "the host's answer is not JSON", NULL);
    exception_is(exec(isolate, "await empty()"), "InvalidResult", NULL, NULL);
    exception_is(exec(isolate, "await invoke('nobody')"), "UnknownCallback", "the host has no callback \"nobody\"",
                 NULL);
    aard_isolate_free(isolate);
    config = config_with(AARD_LANGUAGE_JAVASCRIPT, "fail", NULL, not_found, NULL);
    assert_ok(aard_isolate_config_add_callback(config, "range", NULL, NULL, fail_as, text("RangeError"), NULL));
    isolate = boot(config, NULL);
    exception_is(exec(isolate, "await fail()"), "NotFound", "there is no \"thing\" ä", NULL);
    value_is(
        exec(isolate, "let r; try { range.sync() } catch (e) { r = [e instanceof RangeError, e.name, e.callback] } r"),
        "[true,\"RangeError\",\"range\"]");
    exception_is(exec(isolate, "await invoke('nobody\\ud800')"), "UnknownCallback", NULL, NULL);
    aard_isolate_free(isolate);
}

static void test_arguments_are_checked_first(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"await weather()", "the arguments of 'weather' are refused: $: 'city' is missing"},
        {"await weather(city=7)",
         "the arguments of 'weather' are refused: $.city: it must be of type string, and is an integer"},
        {"await weather(city='')",
         "the arguments of 'weather' are refused: $.city: it has 0 characters; it may have no less than 1"},
        {"await weather(city='a', days=15)", "the arguments of 'weather' are refused: $.days: it must be at most 14"},
        {"from functools import reduce\nawait weather(city=reduce(lambda a, _: [a], range(300), 1))",
         "the arguments of 'weather' are refused: they are nested too deeply"},
        {"await weather(city='a', what=1)", "the arguments of 'weather' are refused: $: there is no 'what'"},
    };
    int calls = 0;
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "weather", schema, echo, &calls);
    for (size_t i = 0; i < COUNT(rows); i++)
        exception_is(exec(isolate, rows[i][0]), "InvalidArguments", rows[i][1], NULL);
    aard_isolate_free(isolate);
    isolate = isolate_with(AARD_LANGUAGE_JAVASCRIPT, "weather", schema, echo, &calls);
    exception_is(exec(isolate, "await weather([1])"), "InvalidArguments",
                 "the arguments of 'weather' are refused: they are not an object", NULL);
    exception_is(exec(isolate, "await weather({city: ''})"), "InvalidArguments", NULL, NULL);
    aard_isolate_free(isolate);
    assert_int_equal(calls, 0);
}

/* A guest chooses what a regular expression is run on: one that never comes to an end refuses it, also below "not". */
static void test_regular_expressions_end(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "{\"properties\":{\"a\":{\"pattern\":\"^(a|a?)+$\"}}}",
        "{\"properties\":{\"a\":{\"not\":{\"pattern\":\"^(a|a?)+$\"}}}}",
        "{\"patternProperties\":{\"^(a|a?)+$\":true},\"additionalProperties\":false}",
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "echo", patterns[i], echo, NULL);
        exception_is(
            exec(isolate, i == 2 ? "await invoke('echo', **{'a' * 5000 + 'b': 1})" : "await echo(a='a' * 5000 + 'b')"),
            "InvalidArguments", NULL, NULL);
        value_is(exec(isolate, i == 1 ? "await echo(a='b')" : "await echo(a='a')"),
                 i == 1 ? "{\"a\":\"b\"}" : "{\"a\":\"a\"}");
        aard_isolate_free(isolate);
    }
}

static void count_end(void *user) { ++*(int *)user; }

static void test_registration_is_checked(void **state)
{
    (void)state;
    static const char *const names[] = {"",      "9a",     "a-b",    "__a", "class",
                                        "await", "typeof", "invoke", "a b", "\xc3\xa4"};
    int ends = 0;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_refused(aard_isolate_config_add_callback(config, names[i], NULL, NULL, echo, &ends, count_end),
                       AARD_ERR_INVALID_ARGUMENT, names[i], "callback", NULL);
    assert_int_equal(ends, COUNT(names));
    static const char *const schemas[][2] = {
        {"{", "is not JSON"},
        {"{\"type\":\"array\"}", "not \"object\""},
        {"{\"properties\":{\"a\":{\"format\":1}}}", "'#/properties/a/format' must be a string"},
        {"{\"properties\":{\"a\":{\"pattern\":\"(?i)a\"}}}", "'#/properties/a/pattern' must be a regular expression"},
        {"{\"patternProperties\":{\"a++\":true}}", "'#/patternProperties' must be a regular expression"},
        {"{\"patternProperties\":{\"[a\":true}}", "'#/patternProperties' must be a regular expression"},
        {"{\"properties\":{\"a\":{\"minimun\":1}}}", "'#/properties/a/minimun' is a keyword outside"},
        {"{\"unevaluatedProperties\":false}", "'#/unevaluatedProperties'"},
        {"{\"$ref\":\"http://example.org\"}", "'#/$ref' is not a reference to a part of this schema"},
        {"{\"required\":\"a\"}", "'#/required' must be an array of strings"},
    };
    for (size_t i = 0; i < COUNT(schemas); i++)
        assert_refused(aard_isolate_config_add_callback(config, "a", NULL, schemas[i][0], echo, NULL, NULL),
                       AARD_ERR_INVALID_ARGUMENT, "the callback 'a'", schemas[i][1], NULL);
    assert_int_equal(aard_isolate_config_callback_count(config), 0);
    assert_ok(aard_isolate_config_add_callback(config, "a", NULL, NULL, echo, &ends, count_end));
    assert_ok(aard_isolate_config_add_callback(config, "a", NULL, NULL, echo, NULL, NULL));
    assert_int_equal(ends, COUNT(names) + 1);
    assert_int_equal(aard_isolate_config_callback_count(config), 1);
    aard_isolate_config_free(config);
}

static const char long_answer[] =
    "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
    "567890123456789012345678901234567890123456789\"";

/* ---- stubs -------------------------------------------------------------------------------------------------------- */

static const char rich[] =
    "{\"type\":\"object\",\"required\":[\"city\",\"where\"],\"additionalProperties\":false,\"properties\":{"
    "\"city\":{\"type\":\"string\",\"description\":\"Its name */ \\\"\\\"\\\"\"},"
    "\"days\":{\"type\":[\"integer\",\"null\"]},"
    "\"unit\":{\"enum\":[\"C\",\"F\",1,true,null]},"
    "\"where\":{\"type\":\"object\",\"required\":[\"lat\"],\"additionalProperties\":false,\"properties\":{"
    "\"lat\":{\"type\":\"number\"},\"near\":{\"$ref\":\"#/$defs/tree\"}}},"
    "\"class\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}},"
    "\"$defs\":{\"tree\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/tree\"}}}}";

static const char python_stubs[] =
    "class WeatherWhere(TypedDict):\n"
    "    lat: float\n"
    "    near: NotRequired[list[list[list[list[list[list[list[Any]]]]]]]]\n"
    "\n"
    "async def weather(*, city: str, days: int | None = ..., unit: Literal[\"C\", \"F\", 1, True, None] = ..., "
    "where: WeatherWhere, **others: Any) -> Any:\n"
    "    \"\"\"\n"
    "    Does something.\n"
    "    city: Its name */ \\\"\\\"\\\"\n"
    "    \"\"\"\n"
    "\n"
    "\n";

static const char javascript_stubs[] =
    "/**\n"
    " * Does something.\n"
    " * city: Its name *\\/ \"\"\"\n"
    " */\n"
    "declare const weather: Callback<{ city: string; days?: number | null; unit?: \"C\" | \"F\" | 1 | true | null; "
    "where: { lat: number; near?: Array<Array<Array<Array<Array<Array<Array<unknown>>>>>>> }; class?: boolean | "
    "Array<string> }>;\n"
    "\n"
    "\n";

static void assert_ends_with(const char *text, const char *end)
{
    assert_true(strlen(text) > strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void test_stubs_show_types(void **state)
{
    (void)state;
    aard_isolate_config *config = config_with(AARD_LANGUAGE_PYTHON, "weather", rich, echo, NULL);
    char *text;
    size_t len;
    assert_ok(aard_isolate_config_callback_stubs(config, AARD_LANGUAGE_PYTHON, &text, &len));
    assert_int_equal(strlen(text), len);
    assert_contains(text, "def invoke_sync(name: str, /, **arguments: Any) -> Any: ...\n");
    assert_ends_with(text, python_stubs);
    aard_string_free(text);
    assert_ok(aard_isolate_config_callback_stubs(config, AARD_LANGUAGE_JAVASCRIPT, &text, NULL));
    assert_contains(text, "declare function invokeSync(name: string, given?: object): any;\n");
    assert_ends_with(text, javascript_stubs);
    aard_string_free(text);
    assert_refused(aard_isolate_config_callback_stubs(config, (aard_language)7, &text, NULL), AARD_ERR_INVALID_ARGUMENT,
                   "language", NULL);
    aard_isolate_config_free(config);
}

/* ---- limits ------------------------------------------------------------------------------------------------------- */

static void violated(aard_outcome *outcome, const char *reason)
{
    const aard_violation *line;
    bool found = false;
    for (size_t i = 0; (line = aard_outcome_violation(outcome, i)); i++)
        found = found || (line->kind == AARD_VIOLATION_CALLBACK_LIMIT && !strcmp(line->reason, reason));
    if (!found) print_error("no violation '%s'\n", reason);
    assert_true(found);
}

static void test_limits_hold(void **state)
{
    (void)state;
    static const struct {
        aard_callback_limit limit;
        uint64_t value;
        const char *name, *code, *type;
    } rows[] = {
        {AARD_CALLBACK_COUNT, 3, "count", "for i in range(4): await echo()", "CallbackLimit"},
        {AARD_CALLBACK_IN_FLIGHT, 3, "in_flight", "import asyncio\nawait asyncio.gather(*[gather() for i in range(4)])",
         "CallbackLimit"},
        {AARD_CALLBACK_TIMEOUT_MS, 20, "timeout_ms", "await gather()", "CallbackTimeout"},
        {AARD_CALLBACK_TIMEOUT_MS, 20, "timeout_ms", "gather.sync()", "CallbackTimeout"},
        {AARD_CALLBACK_ARGUMENT_BYTES, 100, "argument_bytes", "await echo(a='a' * 100)", "CallbackLimit"},
        {AARD_CALLBACK_RESULT_BYTES, 100, "result_bytes", "await echo(a='a' * 100)", "CallbackLimit"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        desk d = {.wanted = 1000};
        aard_isolate_config *config = config_with(AARD_LANGUAGE_PYTHON, "echo", NULL, echo, NULL);
        assert_ok(aard_isolate_config_add_callback(config, "gather", NULL, NULL, gather, &d, NULL));
        assert_true(aard_isolate_config_callback_limit(config, rows[i].limit) > rows[i].value);
        aard_isolate_config_set_callback_limit(config, rows[i].limit, rows[i].value);
        assert_int_equal(aard_isolate_config_callback_limit(config, rows[i].limit), rows[i].value);
        if (rows[i].limit == AARD_CALLBACK_RESULT_BYTES)
            assert_ok(
                aard_isolate_config_add_callback(config, "echo", NULL, NULL, answer_text, text(long_answer), NULL));
        aard_isolate *isolate = boot(config, NULL);
        aard_outcome *outcome = exec(isolate, rows[i].code);
        violated(outcome, rows[i].name);
        exception_is(outcome, rows[i].type, NULL, NULL);
        for (size_t j = 0; j < d.count; j++) aard_invocation_free(d.waiting[j]);
        value_is(exec(isolate, "1"), "1");
        aard_isolate_free(isolate);
    }
}

/* What a guest gives up the host still has: it makes room for no other. */
static void test_what_is_given_up_is_still_in_flight(void **state)
{
    (void)state;
    desk d = {.wanted = 1000};
    aard_isolate_config *config = config_with(AARD_LANGUAGE_PYTHON, "gather", NULL, gather, &d);
    aard_isolate_config_set_callback_limit(config, AARD_CALLBACK_IN_FLIGHT, 5);
    aard_isolate *isolate = boot(config, NULL);
    exception_is(exec(isolate, "import asyncio\nfor i in range(10):\n    t = asyncio.create_task(gather())\n"
                               "    await asyncio.sleep(0)\n    t.cancel()\n    await asyncio.wait([t])\n"
                               "    if not t.cancelled(): raise t.exception()"),
                 "CallbackLimit", NULL, NULL);
    assert_int_equal(d.count, 5);
    for (size_t j = 0; j < d.count; j++) aard_invocation_free(d.waiting[j]);
    aard_isolate_free(isolate);
}

/* ---- being ended -------------------------------------------------------------------------------------------------- */

static void *cancel_soon(void *user)
{
    usleep(30000);
    aard_cancel(user);
    return NULL;
}

static void test_a_wait_can_be_cancelled(void **state)
{
    (void)state;
    static const struct {
        aard_language language;
        const char *code, *next;
    } rows[] = {
        {AARD_LANGUAGE_PYTHON, "await gather()", "x"},
        {AARD_LANGUAGE_PYTHON, "gather.sync()", "x"},
        {AARD_LANGUAGE_JAVASCRIPT, "await gather()", "x"},
        {AARD_LANGUAGE_JAVASCRIPT, "gather.sync()", "x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        desk d = {.wanted = 1000};
        pthread_t thread;
        aard_isolate_config *config = config_with(rows[i].language, "gather", NULL, gather, &d);
        bool soft = rows[i].language == AARD_LANGUAGE_PYTHON;
        if (soft) aard_isolate_config_set_grace_ms(config, 60000);
        aard_isolate *isolate = boot(config, NULL);
        aard_outcome_free(exec(isolate, soft ? "x = 1" : "var x = 1"));
        aard_cancel_handle *cancel;
        aard_call *call;
        assert_ok(aard_cancel_handle_new(&cancel));
        assert_ok(aard_call_new(&call));
        aard_call_set_cancel_handle(call, cancel);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
        failure_is(exec_with(isolate, rows[i].code, call), AARD_FAILURE_CANCELLED, NULL);
        pthread_join(thread, NULL);
        aard_call_free(call);
        aard_cancel_handle_free(cancel);
        assert_int_equal(d.count, 1);
        assert_false(aard_invocation_reply(d.waiting[0], "1", 1));
        aard_invocation_free(d.waiting[0]);
        if (soft) value_is(exec(isolate, "x"), "1"); /* the session lives on */
        if (!soft) value_is(exec(isolate, "1"), "1");
        aard_isolate_free(isolate);
    }
}

static void test_waiting_counts_for_the_wall_limit(void **state)
{
    (void)state;
    static const aard_language languages[] = {AARD_LANGUAGE_PYTHON, AARD_LANGUAGE_JAVASCRIPT};
    for (size_t i = 0; i < COUNT(languages); i++) {
        desk d = {.wanted = 1000};
        aard_isolate *isolate = isolate_with(languages[i], "gather", NULL, gather, &d);
        aard_call *call = limited_to(50);
        failure_is(exec_with(isolate, "await gather()", call), AARD_FAILURE_TIMEOUT_EXCEEDED, NULL);
        aard_call_free(call);
        aard_invocation_free(d.waiting[0]);
        value_is(exec(isolate, "1"), "1");
        aard_isolate_free(isolate);
    }
}

static void test_waiting_for_nothing_is_a_deadlock_still(void **state)
{
    (void)state;
    desk d = {.wanted = 1000};
    aard_isolate *isolate = isolate_with(AARD_LANGUAGE_PYTHON, "gather", NULL, gather, &d);
    failure_is(exec(isolate, "import asyncio\nt = asyncio.create_task(gather())\nawait asyncio.sleep(0)\nt.cancel()\n"
                             "await asyncio.get_running_loop().create_future()"),
               AARD_FAILURE_OTHER, "can never be resolved", NULL);
    aard_invocation_free(d.waiting[0]);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_awaits_an_answer),
        cmocka_unit_test(test_javascript_awaits_an_answer),
        cmocka_unit_test(test_handlers_and_loops_of_guests),
        cmocka_unit_test(test_other_waits_go_on),
        cmocka_unit_test(test_guests_list_callbacks),
        cmocka_unit_test(test_a_guest_without_callbacks_has_none_of_their_names),
        cmocka_unit_test(test_names_of_the_language_stay),
        cmocka_unit_test(test_resets_keep_callbacks),
        cmocka_unit_test(test_callbacks_run_together),
        cmocka_unit_test(test_synchronous_code_waits),
        cmocka_unit_test(test_the_outcome_counts_callbacks_and_their_time),
        cmocka_unit_test(test_a_guest_can_give_up),
        cmocka_unit_test(test_errors_have_their_types),
        cmocka_unit_test(test_arguments_are_checked_first),
        cmocka_unit_test(test_regular_expressions_end),
        cmocka_unit_test(test_registration_is_checked),
        cmocka_unit_test(test_stubs_show_types),
        cmocka_unit_test(test_limits_hold),
        cmocka_unit_test(test_what_is_given_up_is_still_in_flight),
        cmocka_unit_test(test_a_wait_can_be_cancelled),
        cmocka_unit_test(test_waiting_counts_for_the_wall_limit),
        cmocka_unit_test(test_waiting_for_nothing_is_a_deadlock_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
