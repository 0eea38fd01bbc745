/* Warm states that were made to do harm: by a guest that is captured, or by whoever writes the file.  What starts from one
 * is a guest like any other, from its first instruction on. */
#include "dist_support.h"
#include "isolate_support.h"

#include "warm/image.h"

static char *home;

static int set_up(void **state)
{
    (void)state;
    home = make_temp();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_temp(home);
    return 0;
}

static aard_isolate *start(aard_warm_state *warm)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_warm_state(config, warm);
    return boot(config, NULL);
}

static aard_warm_state *state_after(const char *code)
{
    aard_isolate *isolate = start(NULL);
    aard_warm_state *warm = NULL;
    aard_outcome *outcome = exec(isolate, code);
    assert_success(outcome);
    aard_outcome_free(outcome);
    assert_ok(aard_warm_state_capture(isolate, &warm));
    aard_isolate_free(isolate);
    return warm;
}

/* ---- by a guest --------------------------------------------------------------------------------------------------- */

/* The proxies of JavaScript are in Python's memory; what the start itself calls is the guest's. */
static void test_what_runs_at_a_start_reaches_no_javascript(void **state)
{
    (void)state;
    static const char *const modules[][2] = {{"random", "seed"}, {"numpy.random", "seed"}};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        char code[1024];
        snprintf(code, sizeof code,
                 "import builtins, gc, sys, types\n"
                 "builtins.told = []\n"
                 "def act(*args):\n"
                 "    for names in gc.get_objects():\n"
                 "        if type(names) is dict and '_CLOSED' in names and '_proxies' in names:\n"
                 "            for use in (lambda js: js.Math.max(3, 4), lambda js: js.eval('1'), lambda js: str(js)):\n"
                 "                try:\n"
                 "                    builtins.told.append(repr(use(names['_proxies']['js'])))\n"
                 "                except BaseException as error:\n"
                 "                    builtins.told.append(type(error).__name__)\n"
                 "fake = sys.modules['%s'] = types.ModuleType('fake')\n"
                 "fake.%s = act\n"
                 "1",
                 modules[i][0], modules[i][1]);
        aard_warm_state *warm = state_after(code);
        aard_isolate *isolate = start(warm);
        value_is(exec(isolate, "import builtins; [len(told) > 0, len(told) % 3, set(told) <= {'PermissionError'}]"),
                 "[true,0,true]"); /* a copy of a guest is renewed once more */
        aard_isolate_free(isolate);
        aard_warm_state_free(warm);
    }
}

static void test_what_runs_at_a_start_has_the_limits_of_files(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("import builtins, os, sys, types\n"
                                        "def act(*args):\n"
                                        "    for path in ('/lib/left', '/left'):\n"
                                        "        try:\n"
                                        "            open(path, 'w').close()\n"
                                        "        except OSError as error:\n"
                                        "            builtins.told.append(error.errno)\n"
                                        "builtins.told = []\n"
                                        "fake = sys.modules['random'] = types.ModuleType('fake')\n"
                                        "fake.seed = act\n"
                                        "1");
    aard_isolate *isolate = start(warm);
    value_is(exec(isolate, "import builtins, errno; len(told) >= 2 and set(told) == {errno.EROFS}"), "true");
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
}

/* ---- by who writes the file ---------------------------------------------------------------------------------------- */

/* Writes `image` anew with `put` in place of `find` in its text, and another digest. */
static void forge(const aard__image *image, const char *find, const char *put, const char *path)
{
    size_t len;
    const char *text = aard__image_text(image, &len), *at = memmem(text, len, find, strlen(find));
    if (!at) fail_msg("the image's text has no %s: %.*s", find, (int)len, text);
    aard__buf forged = AARD__BUF_INIT;
    aard__buf_append(&forged, text, (size_t)(at - text));
    aard__buf_puts(&forged, put);
    aard__buf_append(&forged, at + strlen(find), len - (size_t)(at - text) - strlen(find));
    const aard__image_parts parts = {.key = aard__image_key(image),
                                     .text = forged.data,
                                     .text_len = forged.len,
                                     .memory = aard__image_memory(image),
                                     .memory_len = aard__image_memory_len(image)};
    aard__image *made;
    assert_ok(aard__image_from_memory(&parts, &made));
    assert_ok(aard__image_save(made, path, 0600, NULL));
    aard__image_free(made);
    aard__buf_free(&forged);
}

/* A library whose JavaScript runs when it is loaded: the text of its function made by EM_JS says more than a function. */
static void write_library(const char *path)
{
    static const char bytes[] = /* of a module with that text */
        "\000\141\163\155\001\000\000\000\000\017\010\144\171\154\151\156\153\056\060\001"
        "\004\100\000\000\000\002\044\002\003\145\156\166\006\155\145\155\157\162\171\002"
        "\000\000\003\145\156\166\015\137\137\155\145\155\157\162\171\137\142\141\163\145"
        "\003\177\000\006\006\001\177\000\101\000\013\007\022\001\016\137\137\145\155\137"
        "\152\163\137\137\157\167\156\145\144\003\001\013\055\001\000\043\000\013\047"
        "()<::>0,(()=>{throw Error('OWNED')})()";
    write_file(path, bytes, sizeof bytes);
}

static aard_error *start_forged(const char *path, const char *mounted)
{
    aard_warm_state *warm = NULL;
    aard_distribution *distribution = NULL;
    aard_isolate *isolate = NULL;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_distribution_open(NULL, &distribution));
    assert_ok(aard_isolate_config_add_mount(config, mounted, "/mnt", AARD_FILESYSTEM_READ_WRITE));
    assert_ok(aard_warm_state_open(path, distribution, &warm));
    aard_isolate_config_set_warm_state(config, warm);
    aard_error *error = aard_isolate_new(config, &isolate);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    aard_warm_state_free(warm);
    aard_distribution_free(distribution);
    return error;
}

#define NO_LIBRARIES "\"list\":[],\"places\":[]"
#define LIBRARY(name, handle)                                                                                          \
    "\"list\":[{\"name\":\"" name "\",\"global\":true,\"references\":1,\"handles\":[" handle "]}],"                    \
    "\"places\":[[20000000,12000,[]]]"
#define FILES "\"files\":["
#define LEFT ",33188,0,\"bGVmdA==\"],"

static void test_what_a_file_says_is_checked_before_it_is_done(void **state)
{
    (void)state;
    static const struct {
        const char *what, *find, *put, *told;
    } rows[] = {
        {"nothing", "\"free\":[]", "\"free\":[]", NULL},
        {"a library of a mount", NO_LIBRARIES, LIBRARY("/mnt/x.so", "5"), "/mnt/x.so"},
        {"a library by a way around", NO_LIBRARIES, LIBRARY("/usr/lib/../../mnt/x.so", "5"), "/mnt/x.so"},
        {"a library without a path", NO_LIBRARIES, LIBRARY("x.so", "5"), "x.so"},
        {"a handle that is no number", NO_LIBRARIES, LIBRARY("/usr/lib/x.so", "\"__proto__\""), "libraries"},
        {"a file of a mount", FILES, FILES "[\"/mnt/left\"" LEFT, "/mnt/left"},
        {"a file by a way around", FILES, FILES "[\"/session/../mnt/left\"" LEFT, "/mnt/left"},
        {"a file of the standard library", FILES, FILES "[\"/lib/left\"" LEFT, "/lib/left"},
        {"a file beside a place", FILES, FILES "[\"/sessions\"" LEFT, "/sessions"},
        {"a file through a link", FILES, FILES "[\"/session/l\",41471,0,\"/mnt\"],[\"/session/l/left\"" LEFT,
         "/session/l"},
        {"a file through an earlier link", FILES "[\"/session\"", FILES "[\"/tmp\",41471,0,\"/mnt\"],[\"/session\"",
         "/tmp"},
        {"a device", FILES, FILES "[\"/session/d\",8630,0,null],", "/session/d"},
        {"a file without contents", FILES, FILES "[\"/session/d\",33188,0,null],", "/session/d"},
        {"a time that is none", FILES, FILES "[\"/session/d\",33188,\"x\",\"\"],", "/session/d"},
        {"a directory that is none", "\"directory\":\"/session\"", "\"directory\":7", "directory"},
        {"an object of JavaScript", "\"hiwireKeys\":[null", "\"hiwireKeys\":[{\"serialized\":[\"eval\"]}", "object"},
        {"an object by its path", "\"hiwireKeys\":[null", "\"hiwireKeys\":[{\"path\":[\"eval\"]}", "object"},
        {"a string that is none", "\"immortalKeys\":[]", "\"immortalKeys\":[{}]", "string"},
        {"a function that is none", "\"pointers\":{\"resolve\":", "\"pointers\":{\"resolve\":\"\",\"x\":", "resolve"},
        {"memory of another size", "\"memoryBytes\":", "\"memoryBytes\":65536,\"x\":", "memory"},
        {"a clock that is none", "\"now\":", "\"now\":null,\"x\":", "clock"},
        {"no object at all", "{\"memoryBytes\":", "0,{\"memoryBytes\":", "JSON"},
        {"nothing of it", "\"rest\":", "\"test\":", "files"},
    };
    aard_warm_state *warm = state_after("1");
    char *original = strdup(at(home, "original")), *path = strdup(at(home, "forged")), *mnt = strdup(at(home, "mnt"));
    aard__image *image;
    assert_ok(aard_warm_state_write(warm, original));
    assert_ok(aard__image_open(original, "", NULL, &image));
    assert_int_equal(mkdir(mnt, 0755), 0);
    write_library(at(mnt, "x.so"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forge(image, rows[i].find, rows[i].put, path);
        aard_error *error = start_forged(path, mnt);
        if (!error != !rows[i].told) fail_msg("%s: %s", rows[i].what, error ? aard_error_message(error) : "it starts");
        if (error) assert_lacks(aard_error_message(error), "OWNED");
        if (error) assert_refused(error, AARD_ERR_WARM_CORRUPT, rows[i].told, NULL);
        assert_int_equal(count_entries(mnt, ""), 1);
    }
    aard__image_free(image);
    aard_warm_state_free(warm);
    free(original);
    free(path);
    free(mnt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_runs_at_a_start_reaches_no_javascript),
        cmocka_unit_test(test_what_runs_at_a_start_has_the_limits_of_files),
        cmocka_unit_test(test_what_a_file_says_is_checked_before_it_is_done),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
