/* Bundles in isolates: what a guest sees at /app, replacing a bundle, refusals, and isolates beside each other. */
#include "isolate_support.h"

#include <pthread.h>

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

/* ---- /app ------------------------------------------------------------------------------------------------------ */

static void test_app_is_read_only(void **state)
{
    (void)state;
    static const char wanted[] =
        "{\"write\":\"EROFS\",\"append\":\"EROFS\",\"update\":\"EROFS\",\"create\":\"EROFS\",\"create below\":\"EROFS\","
        "\"unlink\":\"EROFS\",\"mkdir\":\"EROFS\",\"rmdir\":\"EROFS\",\"rename\":\"EROFS\",\"move in\":\"EROFS\","
        "\"symlink\":\"EROFS\",\"truncate\":\"EROFS\",\"chmod\":\"EROFS\",\"utime\":\"EROFS\"}";
    value_is(call(guest, "files:refused", NULL), wanted);
    value_is(call(guest, "files:refused", NULL), wanted); /* and nothing has changed */
}

static void test_app_can_be_listed(void **state)
{
    (void)state;
    value_is(
        call(guest, "files:listing", NULL),
        "{\"root\":[\"aardvark.manifest.json\",\"broken_syntax.py\",\"files.py\",\"main.py\",\"needs_missing.py\","
        "\"pkg\",\"raises_at_import.py\",\"raising.py\",\"space\"],"
        "\"pkg\":[\"__init__.py\",\"data.txt\",\"helper.py\",\"sub\"],\"walk\":12,\"size\":18,\"mode\":\"0o100444\","
        "\"directory\":true,\"missing\":\"ENOENT\",\"not a directory\":\"ENOTDIR\","
        "\"scandir\":[\"__init__.py\",\"data.txt\",\"helper.py\"]}");
}

static void test_app_can_be_read(void **state)
{
    (void)state;
    value_is(call(guest, "files:reading", NULL),
             "[[\"line one\\nline two\\n\",\"one\",\"two\\n\",\"\",\"line\"],18,4,\"EINVAL\",\"one\","
             "[\"line one\\n\",\"line two\\n\"]]");
}

static void test_app_can_be_imported_from(void **state)
{
    (void)state;
    value_is(
        call(guest, "files:modules", NULL),
        "{\"word\":\"SUB\",\"namespace\":\"namespace\",\"file\":\"/app/pkg/__init__.py\","
        "\"pkgutil\":\"line one\\nline two\\n\",\"resources\":\"line one\\nline two\\n\","
        "\"iterated\":[\"helper\",\"sub\"],\"walked\":[\"pkg.helper\",\"pkg.sub\"],\"first on the path\":\"/app\"}");
}

static void test_a_file_of_8_mib_is_read_whole(void **state)
{
    (void)state;
    size_t len = 8 << 20;
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++) text[i] = (char)('a' + i % 23);
    text[len] = '\0';
    const char *const files[][2] = {
        {"large.txt", text},
        {"main.py",
         "import hashlib\ndef check():\n    with open('/app/large.txt', 'rb') as f:\n"
         "        whole = f.read()\n    want = (bytes(range(97, 120)) * (len(whole) // 23 + 1))[:len(whole)]\n"
         "    return [len(whole), whole == want]\n"},
        {NULL, NULL}};
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(files));
    value_is(call(isolate, "main:check", NULL), "[8388608,true]");
    aard_isolate_free(isolate);
    free(text);
}

/* ---- one bundle after another ---------------------------------------------------------------------------------- */

static const char *const first_python[][2] = {{"main.py", "import helper, space.part\nfrom space import part\n"
                                                          "def f(): return ['first', helper.NAME, part.NAME]\n"},
                                              {"helper.py", "NAME = 'first helper'\n"},
                                              {"space/part.py", "NAME = 'first part'\n"},
                                              {"only_first.py", "def f(): return 1\n"},
                                              {"data.txt", "first"},
                                              {NULL, NULL}};
static const char *const second_python[][2] = {{"main.py", "import helper\nfrom space import part\n"
                                                           "def f(): return ['second', helper.NAME, part.NAME]\n"
                                                           "def data(): return open('/app/data.txt').read()\n"},
                                               {"helper.py", "NAME = 'second helper'\n"},
                                               {"space/part.py", "NAME = 'second part'\n"},
                                               {"data.txt", "and second"},
                                               {NULL, NULL}};

static void load(aard_isolate *isolate, const char *const files[][2])
{
    aard_bundle *bundle = bundle_of(files);
    assert_ok(aard_isolate_load_bundle(isolate, bundle));
    aard_bundle_free(bundle);
}

static void test_a_second_bundle_replaces_the_first_for_python(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(first_python));
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_new(isolate, "main:f", &handler));
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "[\"first\",\"first helper\",\"first part\"]");
    value_is(call(isolate, "only_first:f", NULL), "1");
    value_is(exec(isolate, "kept = 1"), "null");
    load(isolate, second_python);
    assert_ok(aard_handler_invoke(handler, NULL, &outcome)); /* a handler is a name, looked up where the bundle is */
    value_is(check_form(outcome), "[\"second\",\"second helper\",\"second part\"]");
    failure_is(call(isolate, "only_first:f", NULL), AARD_FAILURE_ADAPTER_ERROR, "no module 'only_first'", NULL);
    value_is(call(isolate, "main:data", NULL), "\"and second\"");
    /* In a process of its own the guest is another. */
    value_is(exec(isolate, "import os\n[globals().get('kept', 0), sorted(os.listdir('/app'))]"),
             expected_isolation() == AARD_ISOLATION_THREAD ? "[1,[\"data.txt\",\"helper.py\",\"main.py\",\"space\"]]"
                                                           : "[0,[\"data.txt\",\"helper.py\",\"main.py\",\"space\"]]");
    load(isolate, first_python);
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "[\"first\",\"first helper\",\"first part\"]");
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

#define VERSIONED(version)                                                                                             \
    {                                                                                                                  \
        {"main.py", "import sys, zipimport\n"                                                                          \
                    "def taken():\n"                                                                                   \
                    "    modules = ['importlib.metadata', 'email']\n"                                                  \
                    "    return [[m for m in modules if m in sys.modules], len(zipimport._zip_directory_cache)]\n"     \
                    "def version():\n"                                                                                 \
                    "    from importlib.metadata import version\n"                                                     \
                    "    return version('thing')\n"},                                                                  \
            {"thing-" version ".dist-info/METADATA", "Name: thing\nVersion: " version "\n"},                           \
        {                                                                                                              \
            NULL, NULL                                                                                                 \
        }                                                                                                              \
    }

static void test_a_bundle_costs_nothing_that_it_does_not_use(void **state)
{
    (void)state;
    static const char *const first[][2] = VERSIONED("1.0"), *const second[][2] = VERSIONED("2.0");
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), bundle_of(first));
    value_is(call(isolate, "main:taken", NULL), "[[],1]"); /* and the standard library's directory is as in the image */
    value_is(call(isolate, "main:version", NULL), "\"1.0\"");
    load(isolate, second);
    value_is(call(isolate, "main:version", NULL), "\"2.0\"");
    aard_isolate_free(isolate);
}

static const char *const first_javascript[][2] = {
    {"main.js", "import { name } from './helper.js'; export const f = () => ['first', name];"},
    {"helper.js", "export const name = 'first helper';"},
    {"script.js", "const name = 'first script'; function f() { return name }"},
    {"only_first.js", "export const f = () => 1;"},
    {NULL, NULL}};
static const char *const second_javascript[][2] = {
    {"main.js", "import { name } from './helper.js'; export const f = () => ['second', name];"},
    {"helper.js", "export const name = 'second helper';"},
    {"script.js", "const name = 'second script'; function f() { return name }"},
    {NULL, NULL}};

static void test_a_second_bundle_replaces_the_first_for_javascript(void **state)
{
    (void)state;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(first_javascript));
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_new(isolate, "main:f", &handler));
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "[\"first\",\"first helper\"]");
    value_is(call(isolate, "script:f", NULL), "\"first script\"");
    value_is(call(isolate, "only_first:f", NULL), "1");
    load(isolate, second_javascript);
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    value_is(check_form(outcome), "[\"second\",\"second helper\"]");
    value_is(call(isolate, "script:f", NULL), "\"second script\"");
    failure_is(call(isolate, "only_first:f", NULL), AARD_FAILURE_ADAPTER_ERROR, "no module 'only_first'", NULL);
    aard_handler_free(handler);
    aard_isolate_free(isolate);
}

static void test_a_bundle_outlives_its_owner_in_the_isolate(void **state)
{
    (void)state;
    aard_bundle *bundle = bundle_of(first_javascript);
    aard_isolate *isolates[3];
    for (size_t i = 0; i < COUNT(isolates); i++)
        isolates[i] = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), aard_bundle_retain(bundle));
    aard_bundle_free(bundle);
    for (size_t i = 0; i < COUNT(isolates); i++) {
        value_is(call(isolates[i], "main:f", NULL), "[\"first\",\"first helper\"]");
        aard_isolate_free(isolates[i]);
    }
}

/* ---- refusals -------------------------------------------------------------------------------------------------- */

static void test_bundles_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const char name[] = "aardvark.manifest.json";
    static const char *const javascript[][2] = {
        {name, "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"m:f\",\"runtime\":{\"language\":\"javascript\"}}"},
        {NULL, NULL}};
    static const char *const python[][2] = {{name, "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"m:f\"}"}, {NULL, NULL}};
    static const char *const missing[][2] = {
        {name, "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"m:f\",\"packages\":[\"No.Such_Package\"]}"}, {NULL, NULL}};
    static const struct {
        const char *const (*files)[2];
        aard_error_code code;
        const char *text;
    } rows[] = {{javascript, AARD_ERR_MANIFEST_LANGUAGE, "JavaScript"},
                {missing, AARD_ERR_PACKAGE_NOT_FOUND, "no-such-package"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_bundle *bundle = bundle_of(rows[i].files);
        assert_refused(aard_isolate_load_bundle(guest, bundle), rows[i].code, rows[i].text, NULL);
        aard_bundle_free(bundle);
    }
    value_is(call(guest, NULL, "\"the old bundle is still there\""), "\"the old bundle is still there\"");
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), bundle_of(javascript));
    aard_bundle *bundle = bundle_of(python);
    assert_refused(aard_isolate_load_bundle(isolate, bundle), AARD_ERR_MANIFEST_LANGUAGE, "Python", NULL);
    aard_bundle_free(bundle);
    aard_isolate_free(isolate);
}

static void test_an_entrypoint_must_come_from_somewhere(void **state)
{
    (void)state;
    aard_handler *handler = NULL;
    aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    assert_refused(aard_handler_new(isolate, "main:f", &handler), AARD_ERR_ENTRYPOINT_MISSING, "no bundle", NULL);
    load(isolate, first_javascript);
    assert_refused(aard_handler_new(isolate, NULL, &handler), AARD_ERR_ENTRYPOINT_MISSING, "no manifest", NULL);
    assert_null(handler);
    value_is(call(isolate, "main:f", NULL), "[\"first\",\"first helper\"]");
    aard_isolate_free(isolate);
}

static void test_a_bundle_in_a_process(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"main.js", "export const f = (x) => [x, 'here']\n"}, {NULL, NULL}};
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate *isolate = boot(config, bundle_of(files));
    aard_outcome *outcome = call(isolate, "main:f", "1");
    assert_int_equal(aard_outcome_isolation(outcome), AARD_ISOLATION_PROCESS);
    value_is(outcome, "[1,\"here\"]");
    aard_isolate_free(isolate);
}

/* ---- isolates beside each other -------------------------------------------------------------------------------- */

static const char python_random[] =
    "import random, secrets, uuid, os, tempfile\n"
    "[random.random(), secrets.token_hex(8), str(uuid.uuid4()), os.urandom(8).hex(), random.SystemRandom().random(),\n"
    " tempfile.mktemp(), str(uuid.uuid1())]";

/* What two guests give must differ in each of its parts. */
static void test_no_two_guests_agree_on_randomness(void **state)
{
    (void)state;
    char parts[3][8][80] = {{{0}}};
    size_t counts[3] = {0};
    for (int i = 0; i < 3; i++) {
        aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_PYTHON), NULL);
        aard_outcome *outcome = exec(isolate, python_random);
        assert_success(outcome);
        char text[640];
        snprintf(text, sizeof text, "%s", aard_outcome_value_json(outcome, NULL));
        for (char *at = strtok(text, "[],"); at; at = strtok(NULL, "[],"))
            snprintf(parts[i][counts[i]++], 80, "%s", at);
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(counts[i], 7);
        for (size_t k = 0; k < 7; k++) assert_string_not_equal(parts[i][k], parts[(i + 1) % 3][k]);
    }
    static const char javascript_random[] = "String([Math.random(), crypto.randomUUID()])";
    char text[2][200];
    for (int i = 0; i < 2; i++) {
        aard_isolate *isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
        aard_outcome *outcome = exec(isolate, javascript_random);
        snprintf(text[i], sizeof text[i], "%s", aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    assert_memory_not_equal(text[0], text[1], 12);
}

typedef struct worker {
    aard_language language;
    const char *code;
    char want[64], got[200];
} worker;

/* Boots an isolate of its own and works with it; no cmocka here, which knows one thread only. */
static void *work(void *user)
{
    worker *w = user;
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    aard_error *error = aard_isolate_config_new(&config);
    if (!error) {
        aard_isolate_config_set_language(config, w->language);
        error = aard_isolate_new(config, &isolate);
    }
    for (int i = 0; i < 20 && !error; i++) {
        aard_outcome *outcome = NULL;
        error = aard_isolate_exec(isolate, w->code, strlen(w->code), NULL, NULL, &outcome);
        if (error) break;
        const char *value = aard_outcome_value_json(outcome, NULL);
        snprintf(w->got, sizeof w->got, "%s", value ? value : aard_outcome_failure_message(outcome));
        aard_outcome_free(outcome);
        if (strcmp(w->got, w->want)) break;
    }
    if (error) snprintf(w->got, sizeof w->got, "%s", aard_error_message(error));
    aard_error_free(error);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    return NULL;
}

static void test_isolates_work_on_threads_at_once(void **state)
{
    (void)state;
    static worker workers[] = {
        {AARD_LANGUAGE_PYTHON, "import asyncio\nawait asyncio.sleep(0.001)\nsum(range(100000))", "4999950000", ""},
        {AARD_LANGUAGE_PYTHON, "len([str(n) for n in range(100000)])", "100000", ""},
        {AARD_LANGUAGE_JAVASCRIPT, "await new Promise((r) => setTimeout(r, 1)); 1 + 1", "2", ""},
        {AARD_LANGUAGE_JAVASCRIPT, "Array.from({ length: 100000 }, (_, i) => String(i)).length", "100000", ""},
    };
    pthread_t threads[COUNT(workers)];
    for (size_t i = 0; i < COUNT(workers); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < COUNT(workers); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < COUNT(workers); i++) assert_string_equal(workers[i].got, workers[i].want);
}

static void test_an_isolate_works_on_a_small_stack(void **state)
{
    (void)state;
    static worker small = {AARD_LANGUAGE_JAVASCRIPT,
                           "(() => { let depth = 0; const f = () => { depth++; f() }; try { f() } "
                           "catch (error) { return depth > 50 && error.name } })()",
                           "\"RangeError\"", ""};
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 512 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, work, &small), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_string_equal(small.got, small.want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_app_is_read_only),
        cmocka_unit_test(test_app_can_be_listed),
        cmocka_unit_test(test_app_can_be_read),
        cmocka_unit_test(test_app_can_be_imported_from),
        cmocka_unit_test(test_a_file_of_8_mib_is_read_whole),
        cmocka_unit_test(test_a_second_bundle_replaces_the_first_for_python),
        cmocka_unit_test(test_a_bundle_costs_nothing_that_it_does_not_use),
        cmocka_unit_test(test_a_second_bundle_replaces_the_first_for_javascript),
        cmocka_unit_test(test_a_bundle_outlives_its_owner_in_the_isolate),
        cmocka_unit_test(test_bundles_that_do_not_fit_are_refused),
        cmocka_unit_test(test_an_entrypoint_must_come_from_somewhere),
        cmocka_unit_test(test_a_bundle_in_a_process),
        cmocka_unit_test(test_no_two_guests_agree_on_randomness),
        cmocka_unit_test(test_isolates_work_on_threads_at_once),
        cmocka_unit_test(test_an_isolate_works_on_a_small_stack),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
