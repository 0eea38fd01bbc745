/* What a call leaves below Python: in WebAssembly's globals and tables and in Emscripten's devices, where no memory holds
 * it.  A guest comes there by ctypes: it calls functions of the C library by the numbers of their table slots, which it can
 * count up from 1. */
#include "isolate_support.h"

typedef struct attempt {
    const char *name, *leave, *look;
} attempt;

/* As in test_reset_python.c.  `at` calls a function by its number, `index` is where hiwire has its next reference. */
static const attempt attempts[] = {
    {"the second half of a result", "at('setTempRet0', 77)", "at('getTempRet0')"},
    {"the stack's end", "at('emscripten_stack_set_limits', at('emscripten_stack_get_base'), 4096)",
     "at('emscripten_stack_get_end')"},
    {"the stack's beginning", "at('emscripten_stack_set_limits', 4096, at('emscripten_stack_get_end'))",
     "at('emscripten_stack_get_base')"},
    {"the stack pointer", "at('_emscripten_stack_alloc', 64)", "at('emscripten_stack_get_current')"},
    {"an immortal reference", "at('_hiwire_immortal_add', 77)", "at('_hiwire_immortal_add', 78)"},
    {"an immortal reference by the other way", "at('hiwire_intern', 77)", "at('hiwire_intern', 78)"},
    {"a reference", "at('hiwire_new', 77)", "at('_hiwire_get', index)"},
    {"a reference behind the last", "at('_hiwire_set', index, 77)", "at('_hiwire_get', index)"},
    {"a reference that is there", "at('_hiwire_set', index - 1, 77)", "at('_hiwire_get', index - 1)"},
    {"a line begun on a terminal", "import os\nos.write(os.open('/dev/tty', os.O_WRONLY), b'LEFT')",
     "import os\nos.write(os.open('/dev/tty', os.O_WRONLY), b'seen\\n')"},
    {"a line begun on the other terminal", "import os\nos.write(os.open('/dev/tty1', os.O_WRONLY), b'LEFT')",
     "import os\nos.write(os.open('/dev/tty1', os.O_WRONLY), b'seen\\n')"},
};

static char *numbers; /* Python source */

static aard_isolate *start(aard_cleanup cleanup)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_cleanup(config, cleanup);
    return boot(config, NULL);
}

static int set_up(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_CLEANUP_NONE);
    aard_outcome *outcome = exec(
        isolate,
        "import ctypes\n"
        "names = '''setTempRet0 getTempRet0 emscripten_stack_set_limits emscripten_stack_get_base"
        " emscripten_stack_get_end emscripten_stack_get_current _emscripten_stack_alloc _hiwire_immortal_add hiwire_intern"
        " hiwire_new _hiwire_get _hiwire_set'''.split()\n"
        "S = {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value for name in names}\n"
        "[S, ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(S['hiwire_new'])(1)]");
    assert_success(outcome);
    assert_true(asprintf(&numbers,
                         "import ctypes\n"
                         "S, new = %s\n"
                         "index = new >> 1 & 0x1ffffff\n"
                         "def at(name, *args):\n"
                         "    return ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * len(args))(S[name])(*args)\n",
                         aard_outcome_value_json(outcome, NULL)) >= 0);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(numbers);
    return 0;
}

static aard_outcome *run(aard_isolate *isolate, const char *code)
{
    char *whole;
    assert_true(asprintf(&whole, "%s%s", numbers, code) >= 0);
    aard_outcome *outcome = exec(isolate, whole);
    free(whole);
    return outcome;
}

/* What `look` shows: its value, or that WebAssembly stopped it, and its output. */
static char *seen(aard_outcome *outcome)
{
    size_t len = 0, out_len, err_len;
    const char *value = aard_outcome_is_success(outcome) ? aard_outcome_value_json(outcome, &len)
                                                         : aard_outcome_failure_message(outcome);
    if (!aard_outcome_is_success(outcome)) len = strlen(value);
    const char *out = aard_outcome_stdout(outcome, &out_len), *err = aard_outcome_stderr(outcome, &err_len);
    char *text;
    assert_true(asprintf(&text, "%.*s|%.*s|%.*s", (int)len, value, (int)out_len, out ? out : "", (int)err_len,
                         err ? err : "") >= 0);
    aard_outcome_free(outcome);
    return text;
}

static size_t differing(aard_cleanup cleanup)
{
    size_t count = 0;
    aard_isolate *clean_one = start(AARD_CLEANUP_FULL), *isolate = start(cleanup);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        char *clean = seen(run(clean_one, attempts[i].look));
        aard_outcome_free(run(isolate, attempts[i].leave));
        char *now = seen(run(isolate, attempts[i].look));
        bool same = !strcmp(clean, now);
        if (same != (cleanup == AARD_CLEANUP_FULL))
            print_error("%s: clean is %s, and then there is %s\n", attempts[i].name, clean, now);
        count += !same;
        free(clean);
        free(now);
        if (cleanup == AARD_CLEANUP_FULL) continue;
        aard_isolate_free(isolate);
        isolate = start(cleanup);
    }
    aard_isolate_free(isolate);
    aard_isolate_free(clean_one);
    return count;
}

static void test_nothing_is_left_after_a_reset(void **state)
{
    (void)state;
    assert_int_equal(differing(AARD_CLEANUP_FULL), 0);
}

static void test_without_a_reset_each_of_them_is_seen(void **state)
{
    (void)state;
    assert_int_equal(differing(AARD_CLEANUP_NONE), COUNT(attempts));
}

static void test_looking_makes_no_isolate_anew(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_CLEANUP_FULL);
    aard_outcome_free(run(isolate, "1"));
    for (size_t i = 0; i < 3; i++) {
        aard_outcome *outcome = run(isolate, "[at('getTempRet0'), at('emscripten_stack_get_end') > 0]");
        assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, expected_reset(AARD_RESET_IN_PLACE));
        value_is(outcome, "[0,true]");
    }
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left_after_a_reset),
        cmocka_unit_test(test_without_a_reset_each_of_them_is_seen),
        cmocka_unit_test(test_looking_makes_no_isolate_anew),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
