/* What a guest in a child has of its template's, and what is its own: two children of one template and a guest in a thread are
 * asked the same, and answer alike where they should, and differently where they should.  test-timeout: 240 */
#include "process_support.h"

#include <unistd.h>

/* Each gives what a guest answers about itself.  ALIKE: the same in all.  APART: another in each.  NEW: true in all. */
typedef enum wanted { ALIKE, APART, NEW } wanted;

typedef struct row {
    wanted wanted;
    const char *name, *code;
} row;

static const row of_javascript[] = {
    {NEW, "the clock", "performance.now() < 4000"},
    {NEW, "the clock's origin", "Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 4000"},
    {NEW, "the origin is not the template's", "Date.now() - performance.timeOrigin < 4000"},
    {APART, "Math.random", "Math.random()"},
    {APART, "crypto.randomUUID", "crypto.randomUUID()"},
    {APART, "crypto.getRandomValues", "[...crypto.getRandomValues(new Uint8Array(16))]"},
    {ALIKE, "a timer's number", "setTimeout(() => {}, 0)"},
    {ALIKE, "the order of a set", "[...new Set(['a', 'b', 'c'])].join()"},
};

static const row of_python[] = {
    {NEW, "the clock goes on", "import time\na = time.monotonic(); b = time.monotonic()\n0 <= b - a < 4"},
    {NEW, "it stands still while a template waits", "import time\ntime.monotonic() < CLOCK"},
    {NEW, "counters are no other clock", "import time\nabs(time.perf_counter() - time.monotonic()) < 4"},
    {NEW, "processor time", "import time\n0 <= time.process_time() < 60"},
    {NEW, "the time of day", "import time, datetime\nabs(time.time() - datetime.datetime.now().timestamp()) < 4"},
    {APART, "random", "import random\nrandom.random()"},
    {APART, "random's bits", "import random\nrandom.getrandbits(256)"},
    {APART, "SystemRandom", "import random\nrandom.SystemRandom().random()"},
    {APART, "a new generator", "import random\nrandom.Random().random()"},
    {APART, "secrets", "import secrets\nsecrets.token_hex(16)"},
    {APART, "os.urandom", "import os\nos.urandom(16).hex()"},
    {APART, "/dev/urandom", "open('/dev/urandom', 'rb').read(16).hex()"},
    {APART, "uuid4", "import uuid\nstr(uuid.uuid4())"},
    {APART, "uuid1", "import uuid\nstr(uuid.uuid1())"},
    {APART, "uuid's node", "import uuid\nuuid.getnode()"},
    {APART, "names of tempfile", "import tempfile\ntempfile.mktemp()"},
    {NEW, "files are as old as the guest",
     "import os, time\nmax(abs(time.time() - os.stat(p).st_mtime) for p in ('/tmp', '/home', '/lib', '/session')) < 4"},
    {ALIKE, "hash", "hash('aardvark')"},
    {ALIKE, "getpid", "import os\n[os.getpid(), os.getcwd(), os.uname().nodename]"},
};

static char *answer_of(aard_isolate *isolate, const char *code)
{
    size_t len;
    aard_outcome *outcome = exec(isolate, code);
    assert_success(outcome);
    const char *value = aard_outcome_value_json(outcome, &len);
    char *copy = strndup(value, len);
    aard_outcome_free(outcome);
    return copy;
}

static bool holds(const row *asked, char *const answers[4])
{
    for (int i = 0; i < 4; i++) {
        if (asked->wanted == NEW && strcmp(answers[i], "true")) return false;
        for (int k = 0; k < i && asked->wanted != NEW; k++)
            if (!strcmp(answers[i], answers[k]) != (asked->wanted == ALIKE)) return false;
    }
    return true;
}

/* Two children that were asked for, one that was forked ahead and has waited, and a guest in a thread. */
static void ask_all(aard_language language, const char *code, char *answers[4])
{
    aard_isolate *isolates[3] = {boot(process_config(language, AARD_CLEANUP_NONE), NULL),
                                 boot(process_config(language, AARD_CLEANUP_NONE), NULL),
                                 boot(thread_config(language), NULL)};
    for (int i = 0; i < 3; i++) answers[i] = answer_of(isolates[i], code);
    assert_ok(aard_isolate_prepare_reset(isolates[0]));
    assert_ok(aard_isolate_reset(isolates[0]));
    answers[3] = answer_of(isolates[0], code);
    for (int i = 0; i < 3; i++) aard_isolate_free(isolates[i]);
}

static void walk(aard_language language, const row *rows, size_t count, const char *define)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        char code[600], *answers[4];
        snprintf(code, sizeof code, "%s%s", define, rows[i].code);
        ask_all(language, code, answers);
        if (!holds(&rows[i], answers)) {
            print_error("%s: %s, %s, in a thread %s, ahead %s\n", rows[i].name, answers[0], answers[1], answers[2],
                        answers[3]);
            wrong++;
        }
        for (int k = 0; k < 4; k++) free(answers[k]);
    }
    assert_int_equal(wrong, 0);
}

/* The template is older than anything that a guest may tell. */
static aard_isolate *aged_template(aard_language language)
{
    aard_isolate *isolate = boot(process_config(language, AARD_CLEANUP_NONE), NULL);
    usleep(5000000);
    return isolate;
}

static void test_javascript(void **state)
{
    (void)state;
    aard_isolate *holder = aged_template(AARD_LANGUAGE_JAVASCRIPT);
    walk(AARD_LANGUAGE_JAVASCRIPT, of_javascript, COUNT(of_javascript), "");
    aard_isolate_free(holder);
}

/* A guest in a thread that is as old as can be says what its clock may show. */
static void test_python(void **state)
{
    (void)state;
    aard_isolate *holder = aged_template(AARD_LANGUAGE_PYTHON),
                 *thread = boot(thread_config(AARD_LANGUAGE_PYTHON), NULL);
    char define[100], *clock = answer_of(thread, "import time\ntime.monotonic()");
    snprintf(define, sizeof define, "CLOCK = %s + 4\n", clock);
    free(clock);
    walk(AARD_LANGUAGE_PYTHON, of_python, COUNT(of_python), define);
    aard_isolate_free(thread);
    aard_isolate_free(holder);
}

/* ---- modules that templates evaluate ahead ------------------------------------------------------------------------------ */

static const char *const drawing[] = {
    "const mine = Math.random();",
    "const draw = Math.random; let mine; for (let i = 0; i < 64; i++) mine = draw();",
    "const mine = crypto.randomUUID();",
    "const mine = [...crypto.getRandomValues(new Uint8Array(8))].join();",
    "Object.freeze(Math); const mine = Math.random();",
    "class A { static x = Math.random(); } delete Math.random; const mine = A.x;",
};

static void test_no_two_children_have_what_a_module_drew(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(drawing); i++) {
        char main[400], *drawn[3];
        snprintf(main, sizeof main, "%s export const f = () => mine;", drawing[i]);
        const char *const files[][2] = {{"main.js", main}, {NULL, NULL}};
        aard_isolate *isolate = boot(process_config(AARD_LANGUAGE_JAVASCRIPT, AARD_CLEANUP_NONE), bundle_of(files));
        for (int k = 0; k < 3; k++) {
            aard_outcome *outcome = call(isolate, "main:f", "1");
            assert_success(outcome);
            drawn[k] = strdup(aard_outcome_value_json(outcome, NULL));
            aard_outcome_free(outcome);
            if (k) assert_ok(aard_isolate_prepare_reset(isolate));
            assert_ok(aard_isolate_reset(isolate));
        }
        if (!strcmp(drawn[0], drawn[1]) || !strcmp(drawn[0], drawn[2]) || !strcmp(drawn[1], drawn[2]))
            fail_msg("%s: %s, %s, %s", drawing[i], drawn[0], drawn[1], drawn[2]);
        for (int k = 0; k < 3; k++) free(drawn[k]);
        aard_isolate_free(isolate);
    }
}

/* ---- handlers that are freed ----------------------------------------------------------------------------------------------- */

/* What a handler holds in a child goes with it, and the handler can be had again. */
static void test_a_handler_that_is_freed_holds_nothing(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.py",
                                            "import weakref, sys\nclass F:\n    def __call__(self): return 1\n"
                                            "f = F()\nwatch = weakref.ref(f)\ndef drop():\n    global f\n    f = None\n"
                                            "def held(): return watch() is not None\n"},
                                           {NULL, NULL}};
    aard_isolate *isolate = boot(process_config(AARD_LANGUAGE_PYTHON, AARD_CLEANUP_NONE), bundle_of(files));
    aard_handler *f, *twin, *drop, *held;
    assert_ok(aard_handler_new(isolate, "main:f", &f));
    assert_ok(aard_handler_new(isolate, "main:f", &twin));
    assert_ok(aard_handler_new(isolate, "main:drop", &drop));
    assert_ok(aard_handler_new(isolate, "main:held", &held));
    aard_outcome_free(exec(isolate, "1"));
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_invoke(f, NULL, &outcome));
    value_is(outcome, "1");
    assert_ok(aard_handler_invoke(drop, NULL, &outcome));
    aard_outcome_free(outcome);
    aard_handler_free(twin);
    assert_ok(aard_handler_invoke(held, NULL, &outcome));
    value_is(outcome, "true"); /* the other one holds it */
    aard_handler_free(f);
    assert_ok(aard_handler_invoke(held, NULL, &outcome));
    value_is(outcome, "false");
    aard_handler_free(drop);
    aard_handler_free(held);
    value_is(call(isolate, "main:held", NULL), "false");
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_no_two_children_have_what_a_module_drew),
        cmocka_unit_test(test_a_handler_that_is_freed_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
