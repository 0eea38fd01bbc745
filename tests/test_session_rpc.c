/* Sessions over JSON-RPC: what is asked and what is answered, line by line. */
#include <aardvark/session.h>
#include <pthread.h>
#include <unistd.h>

#include "base/json.h"
#include "isolate_support.h"

/* ---- a client --------------------------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    char *text; /* all lines since the last look */
    size_t len, lines;
    bool gone;
} got = {.lock = PTHREAD_MUTEX_INITIALIZER};

static aard_session *session;

static bool receive(void *user, const char *line, size_t len)
{
    (void)user;
    pthread_mutex_lock(&got.lock);
    bool goes = !got.gone;
    if (goes) {
        assert_true(aard__json_valid(line, len, NULL));
        assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
        got.text = realloc(got.text, got.len + len + 1);
        memcpy(got.text + got.len, line, len);
        got.len += len;
        got.text[got.len] = '\0';
        got.lines++;
    }
    pthread_mutex_unlock(&got.lock);
    return goes;
}

static void feed(const char *text) { aard_session_feed(session, text, strlen(text)); }

/* Everything that was sent since the last look, once all is answered. */
static const char *answers(void)
{
    static char *shown;
    assert_true(aard_session_wait(session, UINT64_MAX));
    free(shown);
    pthread_mutex_lock(&got.lock);
    shown = got.text ? got.text : strdup("");
    got.text = NULL;
    got.len = got.lines = 0;
    pthread_mutex_unlock(&got.lock);
    return shown;
}

static const char *ask(const char *text)
{
    feed(text);
    feed("\n");
    return answers();
}

/* The answer to a request of this method with these params. */
static const char *call_method(const char *method, const char *params)
{
    char *text = malloc(strlen(params) + 200);
    sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    const char *answer = ask(text);
    free(text);
    return answer;
}

#define answer_has(answer, part) answer_has_at(HERE, answer, part)
static void answer_has_at(test_place here, const char *answer, const char *part)
{
    if (!strstr(answer, part)) fail_at(here, "no %s in %s", part, answer);
}

#define step_is(code, part) answer_has(call_method("execute", "{\"code\":\"" code "\"}"), part)

static int begin_with(aard_isolate_config *config, aard_bundle *bundle)
{
    got.gone = false;
    assert_ok(aard_session_new(config, bundle, receive, NULL, NULL, &session));
    aard_isolate_config_free(config);
    aard_bundle_free(bundle);
    answers();
    return 0;
}

static int begin(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_grace_ms(config, 20000);
    return begin_with(config, NULL);
}

static int end(void **state)
{
    (void)state;
    aard_session_free(session);
    pthread_mutex_lock(&got.lock);
    free(got.text);
    got.text = NULL;
    got.len = got.lines = 0;
    pthread_mutex_unlock(&got.lock);
    return 0;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void test_wrong_messages_get_the_standards_errors(void **state)
{
    (void)state;
    static const struct {
        const char *message, *answer;
    } rows[] = {
        {"nonsense", "\"id\":null,\"error\":{\"code\":-32700"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\"", "\"id\":null,\"error\":{\"code\":-32700"},
        {"\"\xff\"", "\"code\":-32700"},
        {"1", "\"id\":null,\"error\":{\"code\":-32600"},
        {"\"a\"", "\"code\":-32600"},
        {"{}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"id\":7}", "\"id\":7,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"1.0\",\"id\":\"x\",\"method\":\"clear\"}", "\"id\":\"x\",\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"clear\"}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"clear\",\"params\":5}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"clear\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"clear\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"clear\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\"}", "\"id\":1,\"error\":{\"code\":-32601"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u0063lear\"}", "\"id\":1,\"error\":{\"code\":-32601"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"clear\",\"params\":[1]}", "\"id\":1,\"error\":{\"code\":-32602"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"clear\",\"params\":{\"a\":1}}", "there is no param \\\"a\\\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\"}", "'code' is missing"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":1}}",
         "'code' is of the wrong type"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"1\",\"code\":\"2\"}}",
         "given twice"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"1\",\"name\":\"a\\u0000b\"}}",
         "NUL"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"1\",\"limits\":{\"wall_ms\":0.5}}}",
         "'wall_ms' is not a whole number"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"1\",\"limits\":{\"wall_ms\":-1}}}",
         "-32602"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"1\",\"limits\":{\"miles\":1}}}",
         "-32602"},
        {"[]", "\"id\":null,\"error\":{\"code\":-32600"},
        {"[1,2]", "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answer = ask(rows[i].message);
        if (!strstr(answer, rows[i].answer)) fail_at(HERE, "%s gives %s", rows[i].message, answer);
        if (strchr(answer, '\n') != answer + strlen(answer) - 1) fail_at(HERE, "%s has many lines", answer);
    }
}

static void test_what_wants_no_answer_gets_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "   ",
        "{\"jsonrpc\":\"2.0\",\"method\":\"clear\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"no\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":5}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":{}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"execute\",\"params\":{\"code\":\"1\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"5\",\"error\":{}}",
        "[{\"jsonrpc\":\"2.0\",\"method\":\"clear\"}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":1}]",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answer = ask(rows[i]);
        if (*answer) fail_at(HERE, "%s gives %s", rows[i], answer);
    }
}

static void test_ids_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "0", "-1", "1.50", "1e2", "12345678901234567890123456789", "null", "\"\"", "\"a\\u00e9\\n\"", "\"\xc3\xa9\"",
    };
    for (size_t i = 0; i < COUNT(ids); i++) {
        char text[200], want[200];
        snprintf(text, sizeof text,
                 "{\"jsonrpc\" : \"2.0\", \"method\":\"execute\",\"params\":{\"code\":\"7\"},\"id\": %s }", ids[i]);
        snprintf(want, sizeof want, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"status\":\"success\",\"value\":7,",
                 ids[i]);
        answer_has(ask(text), want);
    }
}

static void test_an_id_serves_one_request_at_a_time(void **state)
{
    (void)state;
    feed(
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"execute\",\"params\":{\"code\":\"import time; time.sleep(0.3)\"}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"clear\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061\",\"method\":\"clear\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"clear\"}\n");
    const char *text = answers();
    answer_has(text, "\"id\":\"\\u0061\",\"error\":{\"code\":-32600,\"message\":\"the id is that of a request");
    answer_has(text, "\"id\":\"b\",\"error\":{\"code\":-32600");
    answer_has(text, "\"id\":\"a\",\"result\":{\"status\":\"success\"");
    answer_has(text, "\"id\":\"b\",\"result\":{\"status\":\"success\"");
    answer_has(ask("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"clear\"}"), "\"id\":\"a\",\"result\"");
}

static void test_a_batch_is_answered_by_an_array(void **state)
{
    (void)state;
    const char *text = ask(
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"print('o'); x = 4\"}},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"execute\",\"params\":{\"code\":\"x += 1\"}}, 5,"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"execute\",\"params\":{\"code\":\"x\"}},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"none\"}]");
    answer_has(text, "\"method\":\"output\"");
    const char *array = strstr(text, "\n[");
    assert_non_null(array);
    answer_has(array, "\"id\":1,\"result\":{\"status\":\"success\",\"value\":null");
    answer_has(array, "\"id\":2,\"result\":{\"status\":\"success\",\"value\":5");
    answer_has(array, "\"id\":3,\"error\":{\"code\":-32601");
    answer_has(array, "\"id\":null,\"error\":{\"code\":-32600");
}

static void test_batches_and_queues_have_limits(void **state)
{
    (void)state;
    size_t room = 1001 * 60 + 10;
    char *text = malloc(room);
    strcpy(text, "[");
    for (int i = 0; i < 1001; i++) strcat(text, i ? ",1" : "1");
    strcat(text, "]");
    answer_has(ask(text), "the batch is too large");
    feed(
        "{\"jsonrpc\":\"2.0\",\"id\":-1,\"method\":\"execute\",\"params\":{\"code\":\"import time; time.sleep(0.5)\"}}\n");
    usleep(100000);
    for (int i = 0; i < 1001; i++) {
        sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"cancel\",\"params\":{\"id\":-2}}\n", i);
        feed(text);
        sprintf(text, "{\"jsonrpc\":\"2.0\",\"method\":\"none\"}\n");
        feed(text);
        sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"files.list\"}\n", i);
        feed(text);
    }
    free(text);
    answer_has(answers(), "\"code\":-32600,\"message\":\"too many requests wait");
    step_is("1", "\"value\":1");
}

static void test_lines_come_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"40 + 2\"}}\r\n"
        "\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"execute\",\"params\":{\"code\":\"43\"}}\n";
    for (size_t piece = 1; piece < sizeof text; piece += piece < 5 ? 1 : 17) {
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            aard_session_feed(session, text + at, at + piece < sizeof text - 1 ? piece : sizeof text - 1 - at);
        const char *answer = answers();
        answer_has(answer, "\"id\":1,\"result\":{\"status\":\"success\",\"value\":42");
        answer_has(answer, "\"id\":2,\"result\":{\"status\":\"success\",\"value\":43");
    }
}

static void test_a_line_that_is_too_long_is_skipped(void **state)
{
    (void)state;
    size_t len = (size_t)1 << 20;
    char *piece = malloc(len);
    memset(piece, ' ', len);
    for (size_t i = 0; i <= AARD_SESSION_MESSAGE_MAX / len; i++) aard_session_feed(session, piece, len);
    feed("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"clear\"}\n");
    const char *answer = answers();
    answer_has(answer, "\"id\":null,\"error\":{\"code\":-32700,\"message\":\"the message is too long");
    assert_null(strstr(answer, "\"id\":1"));
    for (size_t i = 0; i < 300000; i++) piece[i] = '[';
    aard_session_feed(session, piece, 300000);
    answer_has(ask(""), "nested too deeply");
    free(piece);
    step_is("1", "\"value\":1");
}

/* ---- methods ---------------------------------------------------------------------------------------------------- */

static void test_initialize_tells_what_there_is(void **state)
{
    (void)state;
    const char *answer = call_method("initialize", "{\"limits\":{\"wall_ms\":300}}");
    answer_has(answer, "\"language\":\"python\",\"fingerprint\":\"");
    answer_has(answer, "\"state.capture\"");
    step_is("while True: pass",
            "\"kind\":\"timeout_exceeded\",\"message\":\"the call took longer than its limit of 300 ms");
    answer_has(call_method("initialize", "{}"), "\"code\":-32000");
    answer_has(call_method("execute", "{\"code\":\"while True: pass\",\"limits\":{\"wall_ms\":100}}"),
               "limit of 100 ms");
    answer_has(call_method("execute", "{\"code\":\"while True: pass\",\"limits\":{\"wall_ms\":100000}}"),
               "limit of 300 ms");
}

static void test_steps_keep_names_until_clear_and_reset(void **state)
{
    (void)state;
    step_is("x = 20", "\"value\":null");
    step_is("x + 1", "\"value\":21");
    step_is("{x}", "\"value_repr\":\"{20}\"");
    step_is("1/0", "\"kind\":\"python_exception\"");
    answer_has(call_method("execute", "{\"code\":\"x = 5; 1/0\",\"rollback\":true}"), "\"rolled_back\":1");
    step_is("x", "\"value\":20");
    answer_has(call_method("execute",
                           "{\"code\":\"__aardvark_input, input()\",\"input\":{\"n\":12345678901234567890},\"stdin\":"
                           "\"l\\u00e9\\n\",\"name\":\"a.py\"}"),
               "\"value\":[{\"n\":12345678901234567890},\"l\xc3\xa9\"]");
    answer_has(call_method("clear", "{}"), "\"status\":\"success\",\"value\":null");
    step_is("x", "NameError");
    step_is("open('f', 'w').write('1')", "\"value\":1");
    answer_has(call_method("reset", "{}"), "\"status\":\"success\"");
    step_is("import os; os.listdir()", "\"value\":[]");
}

static void test_output_comes_before_the_answer_and_whole(void **state)
{
    (void)state;
    const char *answer = call_method(
        "execute", "{\"code\":\"import os, sys\\nfor b in 'a\\u00e9\\u20ac\\ud83d\\ude00'.encode(): os.write(1, "
                   "bytes([b]))\\nos.write(2, b'\\\\xf0\\\\x9f')\\nprint('end')\"}");
    const char *result = strstr(answer, "\"result\"");
    assert_non_null(result);
    static const char *const parts[] = {"\"id\":1,\"stream\":\"stdout\",\"text\":\"a\"",
                                        "\"text\":\"\xc3\xa9\"",
                                        "\"text\":\"\xe2\x82\xac\"",
                                        "\"text\":\"\xf0\x9f\x98\x80\"",
                                        "\"text\":\"end\\n\"",
                                        "\"stream\":\"stderr\",\"text\":\"\xef\xbf\xbd"};
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *at = strstr(answer, parts[i]);
        if (!at || at > result) fail_at(HERE, "no %s in %s", parts[i], answer);
    }
}

static void test_no_value_ends_a_line(void **state)
{
    (void)state;
    step_is("'a\\\\nb\\\\r\\u2028'", "\"value\":\"a\\nb\\r");
    step_is("print('{\\\\n\\\"jsonrpc\\\":\\\"2.0\\\"}')", "\"value\":null");
}

static void test_files_go_and_come(void **state)
{
    (void)state;
    answer_has(call_method("files.write", "{\"path\":\"/session/d/a\",\"data\":\"aGVs\\u0062G8=\"}"), "\"value\":null");
    step_is("open('d/a').read()", "\"value\":\"hello\"");
    answer_has(call_method("files.read", "{\"path\":\"/session/d/a\"}"),
               "\"value\":{\"path\":\"/session/d/a\",\"size\":5,\"data\":\"aGVsbG8=\"}");
    answer_has(call_method("files.list", "{}"), "[{\"path\":\"/session/d\",\"kind\":\"directory\",\"size\":0,");
    answer_has(call_method("files.list", "{\"path\":\"/tmp\"}"), "\"value\":[]");
    answer_has(call_method("files.read", "{\"path\":\"/session/d/a\",\"max_bytes\":4}"),
               "\"error\":\"invalid_argument\"");
    answer_has(call_method("files.read", "{\"path\":\"/etc/passwd\"}"), "\"data\":{\"error\":\"invalid_argument\"}");
    answer_has(call_method("files.read", "{\"path\":\"/session/none\"}"), "\"code\":-32000");
    answer_has(call_method("files.read", "{\"path\":\"/session/none\"}"), "\"error\":\"not_found\"");
    answer_has(call_method("files.read", "{\"path\":\"/session/a\\u0000b\"}"), "-32602");
    answer_has(call_method("files.write", "{\"path\":\"/session/b\",\"data\":\"a\"}"), "'data' is not base64");
    answer_has(call_method("files.write", "{\"path\":\"/session/b\",\"data\":\"aGVsbG8\"}"), "-32602");
    answer_has(call_method("files.write", "{\"path\":\"/session/b\",\"data\":\"\"}"), "\"value\":null");
    answer_has(call_method("files.remove", "{\"path\":\"/session/d\"}"), "\"value\":null");
    step_is("import os; os.listdir()", "\"value\":[\"b\"]");
}

static void test_a_bundles_handler_is_called(void **state)
{
    end(state);
    begin_with(config_of(AARD_LANGUAGE_JAVASCRIPT),
               bundle_of((const char *const[][2]){
                   {"main.js", "export const f = (x) => x * 2; export const g = () => 'g';"}, {NULL, NULL}}));
    answer_has(call_method("call", "{\"entrypoint\":\"main:f\",\"input\":21}"), "\"value\":42");
    answer_has(call_method("call", "{\"entrypoint\":\"main:g\"}"), "\"value\":\"g\"");
    answer_has(call_method("call", "{}"), "\"error\":\"entrypoint_missing\"");
    step_is("let a = 1", "\"value\":null");
    step_is("a + 1", "\"value\":2");
    answer_has(call_method("clear", "{}"), "\"success\"");
    step_is("typeof a", "\"value\":\"undefined\"");
    answer_has(call_method("files.list", "{}"), "\"error\":\"unsupported\"");
    answer_has(call_method("state.capture", "{}"), "\"error\":\"unsupported\"");
    answer_has(call_method("state.restore", "{\"bytes\":\"\"}"), "\"error\":\"unsupported\"");
    answer_has(call_method("execute", "{\"code\":\"1\",\"rollback\":true}"), "\"error\":\"unsupported\"");
}

/* ---- cancelling ------------------------------------------------------------------------------------------------- */

static void test_a_request_is_cancelled_while_it_runs_and_while_it_waits(void **state)
{
    (void)state;
    step_is("x = 1", "null");
    feed("{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"execute\",\"params\":{\"code\":\"while True: pass\"}}\n"
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"execute\",\"params\":{\"code\":\"x = 2\"}}\n"
         "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"execute\",\"params\":{\"code\":\"x\"}}\n");
    usleep(100000);
    feed("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":2}}\n"
         "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":\"\\u0072\"}}\n"
         "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":\"r\"}}\n"
         "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"cancel\",\"params\":{\"id\":77}}\n");
    const char *text = answers();
    answer_has(
        text,
        "\"id\":\"r\",\"result\":{\"status\":\"failure\",\"value\":null,\"buffers\":[],\"failure\":{\"kind\":\"cancelled\"");
    answer_has(
        text,
        "\"id\":2,\"result\":{\"status\":\"failure\",\"value\":null,\"buffers\":[],\"failure\":{\"kind\":\"cancelled\"");
    answer_has(text, "\"id\":3,\"result\":{\"status\":\"success\",\"value\":1,");
    answer_has(text, "\"id\":4,\"result\":{\"status\":\"success\",\"value\":false,");
}

static void test_when_nobody_reads_the_guest_is_cancelled(void **state)
{
    (void)state;
    step_is("x = 1", "null");
    got.gone = true;
    feed(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"while True: print('x' * 1000)\"}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"execute\",\"params\":{\"code\":\"while True: pass\"}}\n");
    assert_true(aard_session_wait(session, UINT64_MAX));
}

static void test_a_session_can_be_freed_at_any_time(void **state)
{
    (void)state;
    step_is("1", "1");
    feed("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"while True: pass\"}}\n"
         "[{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"clear\"},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"clear\"}]\n"
         "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"exec");
    usleep(50000);
    assert_false(aard_session_wait(session, 10));
    end(state);
    begin(state);
    end(state);
    begin(state);
}

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

static void await_text(const char *part)
{
    for (int i = 0;; i++) {
        pthread_mutex_lock(&got.lock);
        bool there = got.text && strstr(got.text, part);
        pthread_mutex_unlock(&got.lock);
        if (there) return;
        if (i == 3000) fail_at(HERE, "never came: %s", part);
        usleep(10000);
    }
}

static void test_the_client_answers_callbacks(void **state)
{
    (void)state;
    call_method("initialize",
                "{\"callbacks\":[{\"name\":\"weather\",\"description\":\"of a city\",\"parameters\":{\"type\":"
                "\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}]}");
    feed("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"execute\",\"params\":{\"code\":\"import asyncio\\nawait "
         "asyncio.gather(weather(city='a'), weather(city='b'))\"}}\n");
    await_text(
        "\"id\":\"callback-1\",\"method\":\"callback\",\"params\":{\"id\":5,\"name\":\"weather\",\"arguments\":{\"city\":\"a\"}}");
    await_text("\"id\":\"callback-2\"");
    feed(
        "{\"jsonrpc\":\"2.0\",\"id\":\"callback-2\",\"result\":[2]}\n{\"jsonrpc\":\"2.0\",\"id\":\"callback-9\",\"result\":3}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"callback-2\",\"result\":4}\n{\"jsonrpc\":\"2.0\",\"id\":\"callback-1\",\"result\":{\"c\":1}}\n");
    answer_has(answers(), "\"value\":[{\"c\":1},[2]]");
    feed("{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"execute\",\"params\":{\"code\":\"await weather(city='c')\"}}\n");
    await_text("callback-3");
    feed("{\"jsonrpc\":\"2.0\",\"id\":\"callback-3\",\"error\":{\"type\":\"NoSuchCity\",\"message\":\"c?\"}}\n");
    const char *failed = answers();
    answer_has(failed, "NoSuchCity");
    answer_has(failed, "c?");
    step_is("await weather()", "\"failure\":{\"kind\":\"python_exception\"");
    feed("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"execute\",\"params\":{\"code\":\"await weather(city='d')\"}}\n");
    await_text("callback-4");
    feed("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":7}}\n");
    answer_has(answers(), "\"kind\":\"cancelled\"");
    feed("{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"execute\",\"params\":{\"code\":\"await weather(city='e')\"}}\n");
    await_text("callback-5");
    aard_session_end_input(session);
    answer_has(answers(), "\"id\":8,\"result\":{\"status\":\"failure\"");
    step_is("await weather(city='f')", "ended its input");
}

static void test_callbacks_that_are_none_are_refused(void **state)
{
    (void)state;
    answer_has(call_method("initialize", "{\"callbacks\":[1]}"), "-32602");
    answer_has(call_method("initialize", "{\"callbacks\":[{\"description\":\"a\"}]}"), "'name' is missing");
    answer_has(call_method("initialize", "{\"callbacks\":[{\"name\":\"a b\"}]}"), "\"error\":\"invalid_argument\"");
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

static char *captured(const char *answer, const char *key)
{
    char want[32];
    snprintf(want, sizeof want, "\"%s\":\"", key);
    const char *at = strstr(answer, want);
    assert_non_null(at);
    at += strlen(want);
    return strndup(at, strcspn(at, "\""));
}

static void test_a_state_is_captured_and_restored_elsewhere(void **state)
{
    char path[512], params[700];
    snprintf(path, sizeof path, "%s/image", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    step_is("x = [1, 2]; open('f', 'w').write('kept')", "4");
    snprintf(params, sizeof params, "{\"to\":\"%s\"}", path);
    answer_has(call_method("state.capture", params), "\"skipped\":[],\"path\":\"");
    char *bytes = captured(call_method("state.capture", "{\"form\":\"image\"}"), "bytes");
    end(state);
    begin(state);
    step_is("y = 1", "null");
    snprintf(params, sizeof params, "{\"path\":\"%s\"}", path);
    answer_has(call_method("state.restore", params), "\"status\":\"success\"");
    step_is("x, open('f').read(), 'y' in globals()", "[[1,2],\"kept\",false]");
    char *text = malloc(strlen(bytes) + 100);
    sprintf(text, "{\"bytes\":\"%s\"}", bytes);
    step_is("x.append(3)", "null");
    answer_has(call_method("state.restore", text), "\"status\":\"success\"");
    step_is("x", "[1,2]");
    step_is("x.append(4)", "null");
    text[strlen(text) / 2] ^= 1; /* refused, and the session goes on */
    answer_has(call_method("state.restore", text), "\"error\":\"warm_corrupt\"");
    step_is("x", "[1,2,4]");
    answer_has(call_method("reset", "{}"), "\"status\":\"success\"");
    step_is("x", "NameError");
    answer_has(call_method("state.restore", "{\"path\":\"/none\"}"), "\"error\":\"not_found\"");
    answer_has(call_method("state.restore", "{}"), "-32602");
    answer_has(call_method("state.capture", "{\"form\":\"other\"}"), "-32602");
    free(text);
    free(bytes);
    unlink(path);
}

/* ---- a client that says anything --------------------------------------------------------------------------------- */

static uint32_t chance = 12345;

static uint32_t draw(uint32_t below)
{
    chance = chance * 1664525 + 1013904223;
    return (chance >> 8) % below;
}

/* A message, or something like one: cut, with bytes changed, doubled, or put into another. */
static void say_anything(void)
{
    static const char *const pieces[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"execute\",\"params\":{\"code\":\"x = 1\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"\\ud800\",\"method\":\"execute\",\"params\":{\"code\":\"\\u0000\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"initialize\",\"params\":{\"limits\":{\"wall_ms\":1e99}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999999,\"method\":\"files.write\",\"params\":{\"path\":\"/tmp/a\",\"data\":\"YQ==\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"files.read\",\"params\":{\"path\":\"/tmp/../a\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"files.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"cancel\",\"params\":{\"id\":1}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":null}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"clear\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"reset\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"state.restore\",\"params\":{\"bytes\":\"AAAA\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"call\",\"params\":{\"entrypoint\":\"a:b\",\"input\":[[[[]]]]}}",
        "[[[[[[[[[[[[[[[[[[[[",
        "{\"a\":",
        "\"\\u",
        "-",
        "1e",
        "]",
        "}",
        "null",
        ",",
        "\r\n",
        "\xff\xfe",
        "\xef\xbb\xbf",
    };
    char text[2000] = "";
    size_t len = 0;
    for (uint32_t i = draw(3) + 1; i; i--) {
        const char *piece = pieces[draw(COUNT(pieces))];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", draw(4) ? "" : "[", piece);
        if (!draw(4)) text[len++] = ']';
    }
    for (uint32_t i = draw(3); i; i--) text[draw((uint32_t)len)] = (char)draw(256);
    if (!draw(3)) len = draw((uint32_t)len);
    if (draw(8)) text[len++] = '\n';
    aard_session_feed(session, text, len);
}

static void test_a_client_that_says_anything_gets_only_answers(void **state)
{
    (void)state;
    size_t count = soak_count(3000, 1000000);
    for (size_t i = 0; i < count; i++) {
        say_anything();
        if (draw(50)) continue;
        for (const char *line = answers(); *line; line = strchr(line, '\n') + 1)
            if (strncmp(line, "{\"jsonrpc\":\"2.0\",", 17) && strncmp(line, "[{\"jsonrpc\":\"2.0\",", 18))
                fail_at(HERE, "it was answered %.200s", line);
    }
    ask("");
    answer_has(ask("{\"jsonrpc\":\"2.0\",\"id\":\"z\",\"method\":\"execute\",\"params\":{\"code\":\"6 * 7\"}}"),
               "\"id\":\"z\"");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_wrong_messages_get_the_standards_errors),
        FRESH(test_what_wants_no_answer_gets_none),
        FRESH(test_ids_come_back_as_they_were),
        FRESH(test_an_id_serves_one_request_at_a_time),
        FRESH(test_a_batch_is_answered_by_an_array),
        FRESH(test_batches_and_queues_have_limits),
        FRESH(test_lines_come_in_any_pieces),
        FRESH(test_a_line_that_is_too_long_is_skipped),
        FRESH(test_initialize_tells_what_there_is),
        FRESH(test_steps_keep_names_until_clear_and_reset),
        FRESH(test_output_comes_before_the_answer_and_whole),
        FRESH(test_no_value_ends_a_line),
        FRESH(test_files_go_and_come),
        FRESH(test_a_bundles_handler_is_called),
        FRESH(test_a_request_is_cancelled_while_it_runs_and_while_it_waits),
        FRESH(test_when_nobody_reads_the_guest_is_cancelled),
        FRESH(test_a_session_can_be_freed_at_any_time),
        FRESH(test_the_client_answers_callbacks),
        FRESH(test_callbacks_that_are_none_are_refused),
        FRESH(test_a_client_that_says_anything_gets_only_answers),
        FRESH(test_a_state_is_captured_and_restored_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
