/* What a guest writes: captured, handed on as it comes, kept up to a limit, counted beyond it. */
#include "isolate_support.h"

/* Everything the callback was given, as "1:text|2:text|". */
typedef struct record {
    char text[1 << 20];
    size_t len, calls;
    int finalized;
} record;

static void on_stream(const aard_call_context *context, void *user, aard_stream stream, const char *data, size_t len)
{
    (void)context;
    record *r = user;
    r->calls++;
    if (r->len + len + 3 > sizeof r->text) return;
    r->text[r->len++] = (char)('0' + stream);
    r->text[r->len++] = ':';
    memcpy(r->text + r->len, data, len);
    r->len += len;
    r->text[r->len++] = '|';
}

static void on_finalize(void *user) { ((record *)user)->finalized++; }

static record heard;
static aard_isolate *python, *javascript;

static aard_isolate *listened_to(aard_language language)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_output_limit(config, 100);
    aard_isolate_config_set_stream_callback(config, on_stream, &heard, on_finalize);
    return boot(config, NULL);
}

static int set_up(void **state)
{
    (void)state;
    python = listened_to(AARD_LANGUAGE_PYTHON);
    javascript = listened_to(AARD_LANGUAGE_JAVASCRIPT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_isolate_free(python);
    aard_isolate_free(javascript);
    return heard.finalized == 2 ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    heard.len = heard.calls = 0;
    return 0;
}

static void heard_is(const char *text)
{
    assert_text(heard.text, heard.len, text);
    heard.len = heard.calls = 0;
}

static void test_python_output_comes_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *code, *out, *err, *heard;
    } rows[] = {
        {"import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')", "a\nc\n", "b\n", "1:a\n|2:b\n|1:c\n|"},
        {"print('part', end='', flush=True)\nprint('ial')", "partial\n", "", "1:part|1:ial\n|"},
        {"print('no newline', end='')", "no newline", "", "1:no newline|"},
        {"sys.stdout.buffer.write(b'\\xff\\x00')\nNone", "\xff", "", NULL},
        {"print('ä😀')", "ä😀\n", "", "1:ä😀\n|"},
        {"sys.stdout.write('x' * 5)\nsys.stderr.write('y')\nNone", "xxxxx", "y", NULL},
        {"import os\nos.write(1, b'raw')\nos.write(2, b'err')\nNone", "raw", "err", "1:raw|2:err|"},
        {"import asyncio\nprint('before')\nawait asyncio.sleep(0.001)\nprint('after')", "before\nafter\n", "",
         "1:before\n|1:after\n|"},
        {"import warnings\nwarnings.warn('careful')", "", NULL, NULL},
        {"1", "", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = 0;
        aard_outcome *outcome = exec(python, rows[i].code);
        assert_success(outcome);
        if (rows[i].heard) heard_is(rows[i].heard);
        heard.len = 0;
        const char *err = aard_outcome_stderr(outcome, &len);
        if (!rows[i].err) {
            assert_contains(err, "careful");
            aard_outcome_free(outcome);
        } else if (strchr(rows[i].out, '\xff')) {
            const char *out = aard_outcome_stdout(outcome, &len);
            assert_int_equal(len, 2);
            assert_memory_equal(out, "\xff\0", 3);
            aard_outcome_free(outcome);
        } else {
            streams_are(outcome, rows[i].out, rows[i].err);
        }
    }
}

static void test_javascript_output_comes_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *code, *out, *err, *heard;
    } rows[] = {
        {"console.log('a'); console.error('b'); console.log('c')", "a\nc\n", "b\n", "1:a\n|2:b\n|1:c\n|"},
        {"console.log('ä😀', 1, [1])", "ä😀 1 [ 1 ]\n", "", "1:ä😀 1 [ 1 ]\n|"},
        {"console.log('x'); await new Promise((r) => setTimeout(r, 2)); console.warn('y')", "x\n", "y\n",
         "1:x\n|2:y\n|"},
        {"Promise.resolve().then(() => console.log('a microtask')); 1", "a microtask\n", "", "1:a microtask\n|"},
        {"Promise.reject(1).catch(() => console.log('caught')); 1", "caught\n", "", "1:caught\n|"},
        {"console.log('\\ud800')", "\xef\xbf\xbd\n", "", NULL},
        {"1", "", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = exec(javascript, rows[i].code);
        assert_success(outcome);
        streams_are(outcome, rows[i].out, rows[i].err);
        if (rows[i].heard) heard_is(rows[i].heard);
        heard.len = 0;
    }
}

static void test_output_comes_before_the_call_is_over(void **state)
{
    (void)state;
    value_is(exec(python, "import sys, asyncio\nprint('first')\nawait asyncio.sleep(0)\n1"), "1");
    heard_is("1:first\n|");
}

/* ---- the limit of 100 bytes ------------------------------------------------------------------------------------ */

/* What was kept is the end of what was written, and what was dropped is the rest. */
static void test_the_tail_is_kept_and_the_rest_is_counted(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 98, 99, 100, 101, 150, 199, 200, 201, 250, 301, 1000, 100000, 1000003};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        for (int chunk = 1; chunk < 200; chunk = chunk * 7 + 3) {
            char code[256];
            size_t len = 0;
            if (lengths[i] > 10000 && chunk < 50) continue;
            snprintf(code, sizeof code,
                     "{ const all = '0123456789'.repeat(%zu).slice(0, %zu); for (let i = 0; i < all.length; i += %d) "
                     "console.log(all.slice(i, i + %d)) }",
                     lengths[i] / 10 + 1, lengths[i], chunk, chunk);
            aard_outcome *outcome = exec(javascript, code);
            assert_success(outcome);
            size_t total = lengths[i] + (lengths[i] + (size_t)chunk - 1) / (size_t)chunk; /* each line has an end */
            const char *text = aard_outcome_stdout(outcome, &len);
            assert_int_equal(len + aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, total);
            assert_int_equal(len, total < 100 ? total : 100);
            assert_int_equal(text[len - 1], '\n');
            if (len > 1) assert_int_equal(text[len - 2], '0' + (int)((lengths[i] - 1) % 10));
            assert_int_equal(aard_outcome_diagnostics(outcome)->stderr_dropped_bytes, 0);
            aard_outcome_free(outcome);
        }
    }
}

static void test_a_cut_splits_no_character(void **state)
{
    (void)state;
    size_t len = 0;
    aard_outcome *outcome = exec(python, "print('😀' * 100, end='')");
    const char *text = aard_outcome_stdout(outcome, &len);
    assert_int_equal(len, 100);
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 300);
    aard_outcome_free(outcome);
    outcome = exec(python, "print('x' + '😀' * 100 + 'yz', end='')");
    text = aard_outcome_stdout(outcome, &len);
    assert_int_equal(len, 98);
    assert_memory_equal(text, "😀", 4);
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 305);
    aard_outcome_free(outcome);
    /* What is no text is cut where the limit is. */
    outcome = exec(python, "import sys\nsys.stdout.buffer.write(b'\\x80' * 1000)\nNone");
    text = aard_outcome_stdout(outcome, &len);
    assert_int_equal(len, 97);
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 903);
    aard_outcome_free(outcome);
}

static void test_both_streams_have_a_limit_of_their_own(void **state)
{
    (void)state;
    aard_outcome *outcome = exec(python, "import sys\nprint('o' * 149)\nprint('e' * 119, file=sys.stderr)");
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 50);
    assert_int_equal(aard_outcome_diagnostics(outcome)->stderr_dropped_bytes, 20);
    aard_outcome_free(outcome);
    outcome = exec(python, "print('o')");
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 0);
    streams_are(outcome, "o\n", "");
}

static void test_capture_can_be_turned_off(void **state)
{
    (void)state;
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_capture(what, false);
    streams_are(exec_with(python, "import sys\nprint('x' * 1000)\nprint('y', file=sys.stderr)", what), "", "");
    streams_are(exec_with(javascript, "console.log('x'.repeat(1000)); console.error('y')", what), "", "");
    heard_is("");
    aard_call_set_capture(what, true);
    streams_are(exec_with(javascript, "console.log('x')", what), "x\n", "");
    heard_is("1:x\n|");
    aard_call_free(what);
}

static void test_a_limit_of_one_byte_keeps_one(void **state)
{
    (void)state;
    size_t len = 1;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_output_limit(config, 1);
    aard_isolate *isolate = boot(config, NULL);
    aard_outcome *outcome = exec(isolate, "console.log('abc'); console.log('d')");
    assert_string_equal(aard_outcome_stdout(outcome, &len), "\n");
    assert_int_equal(len, 1);
    assert_int_equal(aard_outcome_diagnostics(outcome)->stdout_dropped_bytes, 5);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
}

/* ---- the callback's owner -------------------------------------------------------------------------------------- */

/* Emscripten's terminal would keep them, eight bytes for one, until a line ends. */
static void test_a_terminal_keeps_no_endless_line(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_engine_heap_limit(config, 48 << 20);
    aard_isolate *isolate = boot(config, NULL);
    aard_outcome *outcome = exec(isolate, "import os\n"
                                          "for path in ('/dev/tty', '/dev/tty1'):\n"
                                          "    n = 0\n"
                                          "    d = os.open(path, os.O_WRONLY)\n"
                                          "    while n < 20 << 20: n += os.write(d, b'x' * (1 << 20))\n"
                                          "    os.close(d)\n"
                                          "n >> 20");
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    assert_true(d->stdout_dropped_bytes + d->stderr_dropped_bytes > 37 << 20);
    value_is(outcome, "20");
    aard_isolate_free(isolate);
}

static void test_a_finalizer_is_called_exactly_once(void **state)
{
    (void)state;
    static record first, second;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_stream_callback(config, on_stream, &first, on_finalize);
    aard_isolate_config_set_stream_callback(config, on_stream, &second, on_finalize);
    assert_int_equal(first.finalized, 1);
    aard_isolate *isolates[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) assert_ok(aard_isolate_new(config, &isolates[i]));
    aard_isolate_config_free(config);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(second.finalized, 0);
        value_is(exec(isolates[i], "console.log('x'); 1"), "1");
        aard_isolate_free(isolates[i]);
    }
    assert_int_equal(second.finalized, 1);
    assert_int_equal(second.calls, 2);
    assert_int_equal(first.finalized, 1);

    static record unused, taken_back;
    config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_stream_callback(config, NULL, &unused, on_finalize);
    assert_int_equal(unused.finalized, 1);
    aard_isolate_config_set_stream_callback(config, on_stream, &taken_back, on_finalize);
    aard_isolate_config_set_stream_callback(config, NULL, NULL, NULL);
    assert_int_equal(taken_back.finalized, 1);
    aard_isolate_config_free(config);
    assert_int_equal(unused.finalized + taken_back.finalized, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_python_output_comes_in_order, forget),
        cmocka_unit_test_setup(test_javascript_output_comes_in_order, forget),
        cmocka_unit_test_setup(test_output_comes_before_the_call_is_over, forget),
        cmocka_unit_test_setup(test_the_tail_is_kept_and_the_rest_is_counted, forget),
        cmocka_unit_test_setup(test_a_cut_splits_no_character, forget),
        cmocka_unit_test_setup(test_both_streams_have_a_limit_of_their_own, forget),
        cmocka_unit_test_setup(test_capture_can_be_turned_off, forget),
        cmocka_unit_test_setup(test_a_limit_of_one_byte_keeps_one, forget),
        cmocka_unit_test_setup(test_a_terminal_keeps_no_endless_line, forget),
        cmocka_unit_test(test_a_finalizer_is_called_exactly_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
