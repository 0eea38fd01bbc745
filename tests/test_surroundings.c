/* What guests see of where they are: nothing of the host's zone, locale and time of staging, and the same however they
 * began.  test-timeout: 300 */
#include "dist_support.h"
#include "isolate_support.h"

#include <time.h>

static char *home;
static aard_distribution *bare; /* not prepared: Python starts from nothing */

/* The host is somewhere else, and says so before anything of the library's runs. */
static int set_up(void **state)
{
    (void)state;
    home = make_temp();
    assert_int_equal(setenv("TZ", "Asia/Kolkata", 1), 0);
    assert_int_equal(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
    assert_int_equal(setenv("LANG", "de_DE.UTF-8", 1), 0);
    make_source(at(home, "source"));
    request r = {.home = at(home, "distributions"), .archive = at(home, "source")};
    bare = stage_ok(&r);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_distribution_free(bare);
    remove_temp(home);
    return 0;
}

static aard_isolate *start(aard_language language, const char *capability)
{
    aard_isolate_config *config = config_of(language);
    if (capability) assert_ok(aard_isolate_config_add_capability(config, capability));
    return boot(config, NULL);
}

static void test_javascript_is_in_utc_and_english(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_LANGUAGE_JAVASCRIPT, NULL);
    value_is(exec(isolate,
                  "const d = new Date(0);"
                  "[d.getHours(), d.getTimezoneOffset(), String(d), d.toLocaleString(), new Date(1970, 0, 1).getTime(),"
                  " Date.parse('1970-01-01T00:00')]"),
             "[0,0,\"Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)\",\"1/1/1970, 12:00:00 AM\",0,0]");
    value_is(
        exec(isolate,
             "const all = ['DateTimeFormat', 'NumberFormat', 'Collator', 'PluralRules', 'ListFormat', 'Segmenter'];"
             "[...new Set(all.map((name) => new Intl[name]().resolvedOptions().locale)),"
             " new Intl.DateTimeFormat().resolvedOptions().timeZone, (1234567.5).toLocaleString(),"
             " 'I'.toLocaleLowerCase(), navigator.language]"),
        "[\"en-US\",\"UTC\",\"1,234,567.5\",\"i\",\"en-US\"]");
    aard_isolate_free(isolate);
}

static void test_the_host_keeps_its_own(void **state)
{
    (void)state;
    time_t epoch = 0;
    struct tm local;
    assert_non_null(localtime_r(&epoch, &local));
    assert_int_equal(local.tm_hour * 60 + local.tm_min, 330);
    assert_string_equal(getenv("TZ"), "Asia/Kolkata");
}

#define ZONE                                                                                                            \
    "import time, datetime as d\n"                                                                                      \
    "[time.tzname, time.timezone, time.daylight, time.localtime(0).tm_hour, time.strftime('%Z %z', time.localtime(0))," \
    " time.mktime((1970, 1, 1, 0, 0, 0, 0, 0, 0)), d.datetime.fromtimestamp(0).isoformat(),"                            \
    " d.datetime.fromtimestamp(0).astimezone().tzname()]"
#define UTC "[[\"UTC\",\"UTC\"],0,0,0,\"UTC +0000\",0.0,\"1970-01-01T00:00:00\",\"UTC\"]"

static aard_isolate *walker(aard_distribution *distribution, aard_warm_state *warm)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    aard_isolate_config_set_warm_state(config, warm);
    return boot(config, bundle_from("surroundings"));
}

/* The lines of an outcome; free(). */
static char *lines_of(aard_outcome *outcome)
{
    size_t len;
    assert_success(outcome);
    const char *value = aard_outcome_value_json(outcome, &len);
    char *lines = strndup(value, len);
    aard_outcome_free(outcome);
    return lines;
}

/* Items of two JSON arrays of strings that no string of has a quote and a comma in a row. */
static void same_lines(const char *one, const char *other, const char *names)
{
    while (*one && *one == *other) one++, other++;
    if (!*one && !*other) return;
    fail_msg("%s differ:\n  ...%.300s\n  ...%.300s", names, one - 100, other - 100);
}

static void test_guests_are_alike_however_they_began(void **state)
{
    (void)state;
    aard_warm_state *warm = NULL;
    aard_isolate *isolate = walker(bare, NULL);
    value_is(exec(isolate, ZONE), UTC);
    aard_isolate_free(isolate);
    isolate = walker(bare, NULL);
    char *cold = lines_of(call(isolate, NULL, NULL));
    aard_isolate_free(isolate);
    assert_true(strlen(cold) > 100000);

    isolate = walker(NULL, NULL);
    value_is(exec(isolate, ZONE), UTC);
    assert_ok(aard_isolate_reset(isolate));
    char *again = lines_of(call(isolate, NULL, NULL));
    same_lines(cold, again, "a guest from nothing and one from the image, after a reset,");
    free(again);
    aard_isolate_free(isolate);

    isolate = walker(NULL, NULL);
    value_is(call(isolate, "walk:load", NULL), "null");
    assert_ok(aard_warm_state_capture(isolate, &warm));
    aard_isolate_free(isolate);
    isolate = walker(NULL, warm);
    char *captured = lines_of(call(isolate, NULL, NULL));
    same_lines(cold, captured, "a guest from nothing and one from a warm state");
    free(captured);
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
    free(cold);
}

static void test_what_pyodide_knows_of_packages_is_there(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_LANGUAGE_PYTHON, "js");
    value_is(exec(isolate, "import pyodide_js\nlist(await pyodide_js.loadPackagesFromImports('import json'))"), "[]");
    value_is(exec(isolate, "api = pyodide_js._api\n"
                           "[pyodide_js.lockfile.info.python[:4], api.lockfile_packages.numpy.name,"
                           " api._import_name_to_package_name.get('numpy'), 'ssl' in api.lockfile_unvendored_stdlibs]"),
             "[\"3.13\",\"numpy\",\"numpy\",true]");
    aard_isolate_free(isolate);
}

static void test_files_made_a_moment_ago_are_seen(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_LANGUAGE_PYTHON, NULL);
    value_is(exec(isolate, "import importlib, sys, os\n"
                           "sys.path.insert(0, '/session')\n"
                           "missed = []\n"
                           "for i in range(100):\n"
                           "    try: importlib.import_module(f'absent{i}')\n"
                           "    except ImportError: pass\n"
                           "    with open(f'/session/made{i}.py', 'w') as f: f.write(f'X = {i}')\n"
                           "    try: importlib.import_module(f'made{i}')\n"
                           "    except ImportError: missed.append(i)\n"
                           "missed"),
             "[]");
    value_is(exec(isolate, "import linecache\n"
                           "missed = []\n"
                           "for i in range(100):\n"
                           "    with open('/session/text', 'w') as f: f.write(f'line {i:03}')\n"
                           "    linecache.checkcache('/session/text')\n"
                           "    if linecache.getline('/session/text', 1) != f'line {i:03}\\n': missed.append(i)\n"
                           "missed"),
             "[]");
    value_is(exec(isolate, "times = []\n"
                           "for i in range(50):\n"
                           "    os.mkdir('/tmp/d'); times.append(os.stat('/tmp').st_mtime_ns)\n"
                           "    os.rename('/tmp/d', '/tmp/e'); times.append(os.stat('/tmp').st_mtime_ns)\n"
                           "    os.rmdir('/tmp/e'); times.append(os.stat('/tmp').st_mtime_ns)\n"
                           "import time\n"
                           "[times == sorted(set(times)), abs(times[-1] / 1e9 - time.time()) < 5]"),
             "[true,true]");
    /* A time that was copied is the same time. */
    value_is(exec(isolate, "import shutil\n"
                           "def same(i):\n"
                           "    with open('/tmp/one', 'w') as f: f.write('x')\n"
                           "    with open('/tmp/one', 'a') as f: f.write('y' * i)\n"
                           "    shutil.copy2('/tmp/one', '/tmp/two')\n"
                           "    return os.stat('/tmp/one').st_mtime == os.stat('/tmp/two').st_mtime\n"
                           "all([same(i) for i in range(50)])"),
             "true");
    aard_isolate_free(isolate);
}

/* In calls that follow each other each promise of a timer's is settled in a timer's task. */
static void test_nesting_of_timers_ends_with_the_call(void **state)
{
    (void)state;
    aard_isolate *isolate = start(AARD_LANGUAGE_JAVASCRIPT, NULL);
    double least = 1e9;
    for (int i = 0; i < 60; i++) {
        aard_outcome *outcome = exec(isolate, "const t = performance.now(); await new Promise((r) => setTimeout(r, 0));"
                                              " performance.now() - t");
        assert_success(outcome);
        double took = strtod(aard_outcome_value_json(outcome, NULL), NULL);
        if (i > 10 && took < least) least = took;
        aard_outcome_free(outcome);
    }
    if (least >= 3.9) fail_msg("the quickest took %g ms", least);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_javascript_is_in_utc_and_english),
        cmocka_unit_test(test_the_host_keeps_its_own),
        cmocka_unit_test(test_guests_are_alike_however_they_began),
        cmocka_unit_test(test_what_pyodide_knows_of_packages_is_there),
        cmocka_unit_test(test_files_made_a_moment_ago_are_seen),
        cmocka_unit_test(test_nesting_of_timers_ends_with_the_call),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
