/* Python's event loops, with JavaScript and without: as CPython has them (tests/guests/loops/main.py has the cases), and
 * what a call leaves behind. */
#include "isolate_support.h"

static aard_isolate *isolates[2]; /* without JavaScript, and with it */
#define EACH(isolate) for (aard_isolate **at = isolates, *isolate; at < isolates + 2 && (isolate = *at, true); at++)

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
        if (i) assert_ok(aard_isolate_config_add_capability(config, "js"));
        aard_isolate_config_set_wall_limit_ms(config, 60000);
        isolates[i] = boot(config, bundle_from("loops"));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) aard_isolate_free(isolates[i]);
    return 0;
}

static void test_loops_are_cpythons(void **state)
{
    (void)state;
    EACH(isolate) cases_hold(isolate);
}

/* A call of `code`: its value, its streams, and how much was ended when it was there. */
static void gives(aard_isolate *isolate, const char *code, const char *value, const char *out, const char *err,
                  uint64_t ended)
{
    aard_outcome *outcome = exec(isolate, code);
    uint64_t have = aard_outcome_diagnostics(outcome)->pending_ended;
    size_t len;
    assert_success(outcome);
    const char *json = aard_outcome_value_json(outcome, &len);
    assert_text(json, len, value);
    if (have != ended)
        fail_msg("%llu were ended, not %llu, by: %s", (unsigned long long)have, (unsigned long long)ended, code);
    streams_are(outcome, out, err);
}

#define ASYNCIO "import asyncio\n"
#define LEFT "async def left():\n    await asyncio.sleep(0.001)\n    print('LEFT')\n"
static const char later[] = ASYNCIO "await asyncio.sleep(0.01)\nlen(asyncio.all_tasks())";

static void test_what_is_pending_is_ended_with_the_call(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        uint64_t ended;
    } rows[] = {
        {ASYNCIO LEFT "task = asyncio.ensure_future(left())\n1", 1}, /* not even begun: the code awaits nothing */
        {ASYNCIO LEFT "task = asyncio.ensure_future(left())\nawait asyncio.sleep(0)\n1", 1},
        {ASYNCIO LEFT "tasks = [asyncio.ensure_future(left()) for _ in range(5)]\nawait asyncio.sleep(0)\n1", 5},
        {ASYNCIO "asyncio.get_event_loop().call_soon(print, 'LEFT')\n1", 1},
        {ASYNCIO "asyncio.get_event_loop().call_later(0.001, print, 'LEFT')\n1", 1},
        {ASYNCIO "asyncio.get_event_loop().call_later(0.001, print, 'LEFT')\nawait asyncio.sleep(0)\n1", 1},
        {ASYNCIO "asyncio.get_event_loop().call_later(0.001, print, 'LEFT').cancel()\n1", 0},
        {ASYNCIO "async def wait():\n    async with asyncio.timeout(60):\n        await asyncio.Event().wait()\n"
                 "task = asyncio.ensure_future(wait())\nawait asyncio.sleep(0)\n1",
         1},
        {ASYNCIO "async def values():\n    yield 1\n    print('LEFT')\ngenerator = values()\nawait anext(generator)",
         0},
        {ASYNCIO LEFT "await asyncio.gather(left(), return_exceptions=True) and None\n1", 0},
    };
    EACH(isolate)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool waits = i + 1 == sizeof rows / sizeof *rows;
        gives(isolate, rows[i].code, "1", waits ? "LEFT\n" : "", "", rows[i].ended);
        gives(isolate, later, "1", "", "", 0);
    }
    gives(isolates[1],
          "import js\nfrom pyodide.ffi import create_proxy\nleft = create_proxy(lambda *a: print('LEFT'))\n"
          "js.setTimeout(left, 1) and js.setInterval(left, 1) and 1",
          "1", "", "", 2);
    gives(isolates[1], later, "1", "", "", 0);
}

/* Every way that a call can end. */
static void test_pending_is_ended_with_a_call_that_fails(void **state)
{
    (void)state;
    static const char code[] = ASYNCIO LEFT
        "asyncio.ensure_future(left())\nawait asyncio.sleep(0)\nraise ValueError('x')";
    EACH(isolate)
    {
        exception_is(exec(isolate, code), "ValueError", "x", "ValueError: x", NULL);
        gives(isolate, later, "1", "", "", 0);
        exception_is(exec(isolate, ASYNCIO LEFT "asyncio.get_event_loop().create_task(left())\n1 / 0"),
                     "ZeroDivisionError", NULL, NULL);
        gives(isolate, later, "1", "", "", 0);
    }
}

/* A task that is ended may still do what it does then, and what goes wrong is said. */
static void test_a_task_cleans_up_when_it_is_ended(void **state)
{
    (void)state;
    EACH(isolate)
    {
        gives(
            isolate,
            ASYNCIO
            "async def left():\n    try:\n        await asyncio.sleep(60)\n    finally:\n        await asyncio.sleep(0)\n"
            "        print('cleaned')\ntask = asyncio.ensure_future(left())\nawait asyncio.sleep(0)",
            "null", "cleaned\n", "", 1);
        aard_outcome *outcome = exec(isolate,
                                     ASYNCIO "async def left():\n    try:\n        await asyncio.sleep(60)\n"
                                             "    finally:\n        1 / 0\ntask = asyncio.ensure_future(left())\n"
                                             "await asyncio.sleep(0)");
        size_t len;
        assert_success(outcome);
        assert_contains(aard_outcome_stderr(outcome, &len), "ZeroDivisionError: division by zero");
        aard_outcome_free(outcome);
        /* It waits for what nobody will do: it is left where it is. */
        gives(isolate,
              ASYNCIO
              "async def left():\n    try:\n        await asyncio.sleep(60)\n    finally:\n"
              "        await asyncio.Event().wait()\ntask = asyncio.ensure_future(left())\nawait asyncio.sleep(0)\n1",
              "1", "", "", 1);
        gives(isolate, "globals().pop('task', None) and None", "null", "", "", 0);
    }
}

/* The loop of calls is there for each, whatever the last did to it. */
static void test_a_call_has_its_loop(void **state)
{
    (void)state;
    static const char *const rows[] = {
        ASYNCIO "asyncio.get_event_loop().close()",
        ASYNCIO "asyncio.set_event_loop(None)",
        ASYNCIO "asyncio.run(asyncio.sleep(0))",
        ASYNCIO "asyncio._set_running_loop(asyncio.new_event_loop())",
        ASYNCIO "asyncio.set_event_loop_policy(None)",
        ASYNCIO "asyncio.get_event_loop().stop()",
        ASYNCIO "asyncio.get_running_loop().stop()\nawait asyncio.sleep(0)\nNone",
    };
    EACH(isolate)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        aard_outcome_free(exec(isolate, rows[i]));
        gives(isolate, ASYNCIO "await asyncio.sleep(0.001, 7)", "7", "", "", 0);
        gives(isolate, ASYNCIO "asyncio.run(asyncio.sleep(0.001, 8))", "8", "", "", 0);
    }
}

static void test_what_can_never_come_is_an_error(void **state)
{
    (void)state;
    EACH(isolate)
    {
        failure_is(exec(isolate, ASYNCIO "await asyncio.Event().wait()"), AARD_FAILURE_OTHER, "never be resolved",
                   NULL);
        exception_is(exec(isolate, ASYNCIO "asyncio.run(asyncio.Event().wait())"), "NothingLeft", NULL, "<exec>",
                     "never be resolved", NULL);
        exception_is(exec(isolate, ASYNCIO "asyncio.new_event_loop().run_forever()"), "NothingLeft", NULL, NULL);
        gives(isolate, later, "1", "", "", 0);
    }
}

/* JavaScript goes on while Python waits, in synchronous code too, with no switching of stacks. */
static void test_javascript_goes_on_while_python_waits(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"async def main():\n    return await js.Promise.resolve(3)\nasyncio.run(main())", "3"},
        {"async def main():\n    return await run_js('new Promise((done) => setTimeout(() => done(4), 3))')\n"
         "asyncio.run(main())",
         "4"},
        {"out = []\nloop = asyncio.new_event_loop()\n"
         "js.setTimeout(create_once_callable(lambda: loop.call_soon(loop.stop)), 3)\nloop.run_forever()\nloop.close()\n5",
         "5"},
        {"loop = asyncio.new_event_loop()\nfuture = loop.create_future()\n"
         "js.queueMicrotask(create_once_callable(lambda: future.set_result(6)))\nloop.run_until_complete(future)",
         "6"},
        {"async def double(x):\n    await asyncio.sleep(0.001)\n    return 2 * x\n"
         "async def main():\n    return await run_js('async (f) => (await f(2)) + (await f(3))')(double)\nasyncio.run(main())",
         "10"},
        {"ticks = []\nid = js.setInterval(create_proxy(lambda: ticks.append(1)), 1)\n"
         "async def main():\n"
         "    while len(ticks) < 4:\n        await asyncio.sleep(0.001)\n"
         "asyncio.run(main())\njs.clearInterval(id)\nlen(ticks) > 3",
         "true"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char code[1000];
        snprintf(code, sizeof code,
                 "import asyncio, js\nfrom pyodide.code import run_js\n"
                 "from pyodide.ffi import create_once_callable, create_proxy\n%s",
                 rows[i][0]);
        gives(isolates[1], code, rows[i][1], "", "", 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loops_are_cpythons),
        cmocka_unit_test(test_what_is_pending_is_ended_with_the_call),
        cmocka_unit_test(test_pending_is_ended_with_a_call_that_fails),
        cmocka_unit_test(test_a_task_cleans_up_when_it_is_ended),
        cmocka_unit_test(test_a_call_has_its_loop),
        cmocka_unit_test(test_what_can_never_come_is_an_error),
        cmocka_unit_test(test_javascript_goes_on_while_python_waits),
    };
    return cmocka_run_group_tests_name("event_loop", tests, set_up, tear_down);
}
