/* The host's hooks: all memory is the host's, log lines and trace events come as they should.  test-quick */
#include "isolate_support.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "warm/catalog.h"

/* ---- an allocator that knows its blocks -------------------------------------------------------------------------- */

#define MARK UINT64_C(0x6161726476617264)

typedef struct block {
    uint64_t mark, size;
} block;

static int the_user;
static atomic_long live, made;

static void *allocate(void *user, size_t size)
{
    block *b = user == &the_user && size ? malloc(sizeof *b + size) : NULL;
    if (!b) return NULL;
    *b = (block){MARK, size};
    memset(b + 1, 0xa5, size); /* what is to be zero is made so */
    atomic_fetch_add(&live, 1);
    atomic_fetch_add(&made, 1);
    return b + 1;
}

static void release(void *user, void *data)
{
    block *b = (block *)data - 1;
    if (user != &the_user || b->mark != MARK) abort();
    b->mark = 0;
    atomic_fetch_sub(&live, 1);
    free(b);
}

static void *reallocate(void *user, void *data, size_t size)
{
    block *old = (block *)data - 1;
    if (old->mark != MARK) abort();
    void *grown = allocate(user, size);
    if (!grown) return NULL;
    memcpy(grown, data, old->size < size ? old->size : size);
    release(user, data);
    return grown;
}

/* ---- what was heard ------------------------------------------------------------------------------------------------ */

enum { HEARD_MAX = 64 };

static char lines[HEARD_MAX][1100];
static aard_log_level levels[HEARD_MAX];
static size_t line_count;

static void on_log(void *user, aard_log_level level, const char *message)
{
    assert_true(user == &the_user && line_count < HEARD_MAX);
    levels[line_count] = level;
    snprintf(lines[line_count++], sizeof lines[0], "%s", message);
}

typedef struct heard {
    char text[160]; /* "name(detail)" or "/name(result)" */
    aard_trace_event event;
} heard;

static heard events[HEARD_MAX];
static size_t event_count;

static void on_trace(void *user, const aard_trace_event *event)
{
    assert_true(user == &the_user && event_count < HEARD_MAX);
    heard *h = &events[event_count++];
    h->event = *event;
    snprintf(h->text, sizeof h->text, "%s%s(%s)", event->phase == AARD_TRACE_END ? "/" : "", event->name,
             event->detail);
}

/* The events so far, and none before the next. */
static void heard_are_at(test_place here, const char *const *want)
{
    for (size_t i = 0; i < event_count || want[i]; i++) {
        const char *have = i < event_count ? events[i].text : "(nothing)", *expected = want[i] ? want[i] : "(nothing)";
        if (strcmp(have, expected) != 0) fail_at(here, "event %zu is %s and not %s", i, have, expected);
        if (!want[i]) break;
    }
}
#define heard_are(...) heard_are_at(HERE, (const char *const[]){__VA_ARGS__, NULL})

/* ---- setting them ---------------------------------------------------------------------------------------------------- */

static const aard_hooks hooks = {
    .struct_size = sizeof hooks,
    .user = &the_user,
    .allocate = allocate,
    .reallocate = reallocate,
    .release = release,
    .log = on_log,
    .log_level = AARD_LOG_INFO,
    .trace = on_trace,
};

/* Each refusal in a process of its own: its error is memory. */
static aard_error_code code_of(const aard_hooks *what)
{
    int status;
    pid_t child = fork();
    if (!child) _exit((int)aard_error_get_code(aard_hooks_set(what)));
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return (aard_error_code)WEXITSTATUS(status);
}

static aard_error_code code_without_release, code_of_no_size, code_of_a_size_of_tomorrow, code_of_an_older_size;
static aard_error_code code_of_a_level_beyond;

/* Before cmocka and everything else. */
static void set_them(void)
{
    aard_hooks other = hooks;
    other.release = NULL;
    code_without_release = code_of(&other);
    other = hooks;
    other.struct_size = 0;
    code_of_no_size = code_of(&other);
    struct {
        aard_hooks known;
        uint64_t of_tomorrow;
    } newer = {hooks, 1};
    newer.known.struct_size = sizeof newer;
    code_of_a_size_of_tomorrow = code_of(&newer.known);
    other.struct_size = offsetof(aard_hooks, log);
    code_of_an_older_size = code_of(&other);
    other = hooks;
    other.log_level = (aard_log_level)5;
    code_of_a_level_beyond = code_of(&other);
    if (aard_hooks_set(NULL) || aard_hooks_set(&hooks)) abort();
}

static void test_hooks_are_checked(void **state)
{
    (void)state;
    assert_int_equal(code_without_release, AARD_ERR_INVALID_ARGUMENT);
    assert_int_equal(code_of_no_size, AARD_ERR_INVALID_ARGUMENT);
    assert_int_equal(code_of_a_size_of_tomorrow, AARD_ERR_INVALID_ARGUMENT);
    assert_int_equal(code_of_a_level_beyond, AARD_ERR_INVALID_ARGUMENT);
    assert_int_equal(code_of_an_older_size, 0);
    aard_call *call;
    assert_ok(aard_call_new(&call));
    assert_refused(aard_hooks_set(&hooks), AARD_ERR_BUSY, "before any other", NULL);
    assert_refused(aard_hooks_set(NULL), AARD_ERR_BUSY, NULL);
    aard_call_free(call);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static void use_a_guest(aard_language language)
{
    aard_isolate *isolate = boot(config_of(language), NULL);
    value_is(exec(isolate, "1 + 1"), "2");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "'x'"), "\"x\"");
    aard_isolate_free(isolate);
    event_count = 0;
}

static void test_all_memory_is_the_hosts(void **state)
{
    (void)state;
    static const aard_language languages[] = {AARD_LANGUAGE_JAVASCRIPT, AARD_LANGUAGE_PYTHON};
    for (size_t i = 0; i < COUNT(languages); i++) {
        use_a_guest(languages[i]); /* what is made once for the process stays */
        long before = atomic_load(&live), made_before = atomic_load(&made);
        use_a_guest(languages[i]);
        assert_int_equal(atomic_load(&live), before);
        assert_true(atomic_load(&made) > made_before + 10);
    }
    unsigned char *zero = aard__calloc(3, 50);
    for (size_t i = 0; i < 150; i++) assert_int_equal(zero[i], 0);
    zero = aard__realloc(zero, 1);
    aard__free(zero);
    aard__free(aard__realloc(NULL, 0));
}

/* ---- log --------------------------------------------------------------------------------------------------------------- */

static void test_a_line_is_one_line(void **state)
{
    (void)state;
    line_count = 0;
    aard__log(AARD_LOG_DEBUG, "not wanted");
    assert_int_equal(line_count, 0);
    aard__log(AARD_LOG_INFO, "two\nlines of %d", 7);
    assert_string_equal(lines[0], "two lines of 7");
    assert_int_equal(levels[0], AARD_LOG_INFO);
    char *text = calloc(1, 3000);
    memset(text, 'x', 999);
    for (size_t i = 999; i < 2900; i += 2) memcpy(text + i, "\xc3\xa4", 2);
    aard__log(AARD_LOG_WARNING, "%s", text);
    assert_int_equal(strlen(lines[1]), 999); /* and not half of a character */
    free(text);
    aard__log_error(AARD_LOG_WARNING, NULL, "nothing");
    aard__log_error(AARD_LOG_WARNING, aard__error(AARD_ERR_IO, "the disk is full"), "no %s", "cache");
    assert_string_equal(lines[2], "no cache: the disk is full");
    assert_int_equal(line_count, 3);
    assert_string_equal(aard_log_level_name(levels[1]), "warning");
}

static void test_what_is_worked_around_is_logged(void **state)
{
    (void)state;
    char dir[256], path[300];
    aard_catalog *catalog;
    line_count = 0;
    snprintf(dir, sizeof dir, "%s/hooks.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(dir));
    assert_ok(aard_catalog_open(dir, 0, &catalog));
    snprintf(path, sizeof path, "%s/entry", dir);
    assert_int_equal(aard__catalog_open_entry(catalog, path), -1);
    assert_int_equal(line_count, 0); /* it is just not there */
    FILE *file = fopen(path, "w");
    assert_true(file && fclose(file) == 0 && chmod(path, 0666) == 0);
    assert_int_equal(aard__catalog_open_entry(catalog, path), -1);
    assert_int_equal(line_count, 1);
    assert_int_equal(levels[0], AARD_LOG_WARNING);
    assert_contains(lines[0], "catalog");
    assert_contains(lines[0], path);
    aard_catalog_free(catalog);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/.lock", dir);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

/* ---- trace ------------------------------------------------------------------------------------------------------------- */

static aard_isolate *inner;

static void ask_another(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    (void)reply;
    value_is(exec(inner, "1"), "1");
}

static void test_spans_are_nested(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    assert_ok(aard_isolate_config_add_function(config, "ask", ask_another, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "ask"));
    event_count = 0;
    inner = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    aard_isolate *isolate = boot(config, NULL);
    heard_are("boot(javascript)", "/boot()", "boot(javascript)", "/boot()");
    assert_int_equal(events[2].event.parent, 0);
    uint64_t first = events[0].event.isolate_id, second = events[2].event.isolate_id;
    event_count = 0;
    value_is(exec(isolate, "await aardvark.host.ask(1)"), "null");
    heard_are("request(execute)", "call()", "host_function(ask)", "request(execute)", "call()", "/call(none)",
              "/request(none)", "/host_function()", "/call(none)", "/request(none)");
    for (size_t i = 0; i < 10; i++) {
        const aard_trace_event *event = &events[i].event, *end = &events[9 - i].event;
        assert_true(event->span == end->span && event->parent == end->parent && event->isolate_id == end->isolate_id);
        if (i < 5) assert_int_equal(event->parent, i ? events[i - 1].event.span : 0);
        assert_int_equal(event->isolate_id, i >= 3 && i < 7 ? first : second);
        assert_true(!i || event->time_ns >= events[i - 1].event.time_ns);
    }
    aard_isolate_free(isolate);
    aard_isolate_free(inner);
}

static void answer(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    aard_reply_set_json(reply, input, len);
}

static void test_spans_of_a_guest_in_another_process(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    char helper[300];
    snprintf(helper, sizeof helper, "%s/aardvark-guest", getenv("AARDVARK_BUILD") ? getenv("AARDVARK_BUILD") : "build");
    assert_int_equal(setenv("AARDVARK_GUEST_HELPER", helper, 1), 0);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    assert_ok(aard_isolate_config_add_function(config, "answer", answer, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, "answer"));
    aard_isolate *isolate = boot(config, NULL);
    event_count = 0;
    value_is(exec(isolate, "await aardvark.host.answer(7)"), "7");
    heard_are("request(execute)", "host_function(answer)", "/host_function()", "/request(none)");
    assert_int_equal(events[1].event.parent, events[0].event.span);
    assert_int_equal(events[1].event.isolate_id, events[0].event.isolate_id);
    aard_isolate_free(isolate);
}

static void test_spans_say_what_came_of_it(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    event_count = 0;
    aard_outcome_free(exec(isolate, "throw 1"));
    heard_are("request(execute)", "call()", "/call(javascript_exception)", "/request(javascript_exception)");
    event_count = 0;
    assert_ok(aard_isolate_reset(isolate));
    heard_are("request(reset)", "reset()", "/reset(new_realm)", "/request()");
    event_count = 0;
    aard_outcome_free(exec(isolate, "await fetch('https://user:word@a.example/x#y').catch(() => 0)"));
    heard_are("request(execute)", "call()", "network_request(GET https://a.example/x)",
              "/network_request(credentials_in_url)", "/call(none)", "/request(none)");
    assert_int_equal(events[2].event.parent, events[1].event.span);
    assert_int_equal(events[2].event.isolate_id, events[0].event.isolate_id);
    aard_isolate_free(isolate);
}

/* A span that never ends, of a guest that was abandoned, is not what later ones are part of. */
static void test_a_call_that_is_ended_ends_its_spans(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, 32 << 20);
    aard_isolate *isolate = boot(config, NULL);
    aard_call *call = limited_to(50);
    event_count = 0;
    aard_outcome_free(exec_with(isolate, "for (;;) {}", call));
    heard_are("request(execute)", "call()", "/call(timeout_exceeded)", "/request(timeout_exceeded)");
    event_count = 0;
    value_is(exec(isolate, "1"), "1");
    assert_int_equal(events[0].event.parent, 0);
    event_count = 0;
    aard_outcome_free(exec(isolate, "const all = []; for (;;) all.push(new Array(1e5).fill(1.5))")); /* it is left */
    event_count = 0;
    value_is(exec(isolate, "1"), "1");
    heard_are("request(execute)", "call()", "reset()", "boot(javascript)", "/boot()", "/reset(new_isolate)",
              "/call(none)", "/request(none)");
    assert_int_equal(events[0].event.parent, 0);
    aard_call_free(call);
    aard_isolate_free(isolate);
}

int main(void)
{
    set_them();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hooks_are_checked),         cmocka_unit_test(test_all_memory_is_the_hosts),
        cmocka_unit_test(test_a_line_is_one_line),        cmocka_unit_test(test_what_is_worked_around_is_logged),
        cmocka_unit_test(test_spans_are_nested),          cmocka_unit_test(test_spans_of_a_guest_in_another_process),
        cmocka_unit_test(test_spans_say_what_came_of_it), cmocka_unit_test(test_a_call_that_is_ended_ends_its_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
