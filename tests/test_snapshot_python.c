/* The start-up snapshots of distributions: which guests of a process are copied from them, in every order, and what
 * happens to one that does not fit.  Each part runs in a process of its own, since all guests of one share a snapshot.
 * test-timeout: 240 */
#include "dist_support.h"
#include "isolate_support.h"

#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "guest/python/python_shared.h"
#include "guest/snapshot.h"
#include "inside.h"

#define SNAPSHOT "base.snapshot"

static char *home;
static aard_distribution *distribution;
static long long began; /* this process */

/* A prepared distribution of this test's own: its files are copies, so that they can be damaged. */
static int set_up(void **state)
{
    (void)state;
    char command[4096];
    aard_distribution *source;
    assert_ok(aard_distribution_open(getenv("AARDVARK_TEST_DIST"), &source));
    home = make_temp();
    snprintf(command, sizeof command, "cp -r '%s' '%s/copy'", aard_distribution_dir(source), home);
    assert_int_equal(system(command), 0);
    assert_ok(aard_distribution_open(at(home, "copy"), &distribution));
    assert_true(aard_distribution_is_prepared(distribution));
    aard_distribution_free(source);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_distribution_free(distribution);
    remove_temp(home);
    return 0;
}

static const char *snapshot_path(void) { return at(at(aard_distribution_dir(distribution), "cache"), SNAPSHOT); }

/* ---- guests ------------------------------------------------------------------------------------------------------- */

static aard_isolate *python(bool javascript)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    if (javascript) assert_null(aard_isolate_config_add_capability(config, "js"));
    return boot(config, NULL);
}

static aard_isolate *javascript(void) { return boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL); }

static void is(const aard_isolate *isolate, bool copied)
{
    if (aard__vm_copies(worker_of(isolate)->guest->vm) != copied)
        fail_msg("a guest was %s", copied ? "not copied" : "copied, and should not have been");
}

static void python_works(aard_isolate *isolate)
{
    value_is(exec(isolate, "import json, asyncio\nawait asyncio.sleep(0)\njson.loads('[1, {\"a\": 2}]')"),
             "[1,{\"a\":2}]");
    streams_are(exec(isolate, "import sys; print('out'); print('err', file=sys.stderr)"), "out\n", "err\n");
    exception_is(exec(isolate, "1/0"), "ZeroDivisionError", "division by zero", NULL);
    char code[300]; /* what was there before the guest is as old as the guest */
    snprintf(code, sizeof code,
             "import os; open('/tmp/x', 'w').write('abc'); age = os.stat('/home').st_mtime - %lld;"
             " [os.path.getsize('/tmp/x'), -1 <= age < 100, os.getcwd()]",
             began);
    value_is(exec(isolate, code), "[3,true,\"/session\"]");
}

static void javascript_works(aard_isolate *isolate)
{
    value_is(exec(isolate, "new Promise((r) => setTimeout(() => r(new URL('../b', 'https://x.example/a/').href), 1))"),
             "\"https://x.example/b\"");
    value_is(exec(isolate, "globalThis.left = 1; typeof WebAssembly.compileStreaming"), "\"function\"");
    assert_ok(aard_isolate_reset(isolate));
    value_is(exec(isolate, "typeof left"), "\"undefined\"");
}

/* ---- the orders ----------------------------------------------------------------------------------------------------- */

static void python_first(void)
{
    aard_isolate *first = python(false), *script = javascript(), *open = python(true), *second = python(false);
    is(first, true);
    is(script, true);
    is(open, false); /* its JavaScript is the guest's own */
    is(second, true);
    python_works(first);
    javascript_works(script);
    python_works(open);
    value_is(exec(open, "import js; js.eval('6 * 7')"), "42");
    python_works(second);
    assert_ok(aard_isolate_reset(first));
    python_works(first);
    aard_isolate_free(first);
    aard_isolate_free(open);
    aard_isolate_free(second);
    javascript_works(script);
    aard_isolate_free(script);
    script = javascript();
    is(script, true);
    javascript_works(script);
    aard_isolate_free(script);
}

static void javascript_first(void)
{
    aard_isolate *script = javascript(), *guest = python(false);
    is(script, true);
    is(guest, false); /* the engine has the other snapshot */
    python_works(guest);
    javascript_works(script);
    aard_isolate_free(script);
    aard_isolate *second = python(false);
    is(second, false);
    aard_isolate_free(guest);
    python_works(second);
    aard_isolate_free(second);
    for (int i = 0; i < 2; i++) { /* nobody has it now */
        guest = python(false);
        is(guest, true);
        python_works(guest);
        script = javascript();
        is(script, true);
        aard_isolate_free(guest);
        javascript_works(script);
        aard_isolate_free(script);
    }
}

static void *make_and_call(void *user)
{
    bool odd = (uintptr_t)user % 2;
    for (int i = 0; i < 6; i++) {
        aard_isolate *isolate = (i + odd) % 2 ? python(false) : javascript();
        value_is(exec(isolate, "6 * 7"), "42");
        aard_isolate_free(isolate);
    }
    return NULL;
}

static void in_threads(void)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_call, (void *)i), 0);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void without(void)
{
    aard_isolate *guest = python(false), *script = javascript();
    is(guest, false);
    python_works(guest);
    javascript_works(script);
    aard_isolate_free(guest);
    aard_isolate_free(script);
}

/* What differs between guests, a line for each draw. */
static void draws(void)
{
    static const char code[] = "import random, secrets, uuid, os, tempfile\n"
                               "[random.random(), random.getrandbits(64), secrets.token_hex(8), str(uuid.uuid4()),"
                               " os.urandom(8).hex(), tempfile.mktemp(), random.SystemRandom().random(),"
                               " open('/dev/random', 'rb').read(8).hex()]";
    static const char script_code[] = "[Math.random(), Math.random(), crypto.randomUUID(),"
                                      " String(crypto.getRandomValues(new Uint32Array(2)))]";
    for (int i = 0; i < 3; i++) {
        aard_isolate *isolates[] = {python(false), javascript()};
        for (size_t k = 0; k < COUNT(isolates); k++) {
            is(isolates[k], true);
            aard_outcome *outcome = exec(isolates[k], k ? script_code : code);
            assert_success(outcome);
            printf("draw %s\n", aard_outcome_value_json(outcome, NULL));
            aard_outcome_free(outcome);
            aard_isolate_free(isolates[k]);
        }
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} jobs[] = {{"python-first", python_first},
            {"javascript-first", javascript_first},
            {"in-threads", in_threads},
            {"without", without},
            {"draws", draws}};

/* This program again; what it prints goes to `out`, which may be NULL. */
static int run(const char *job, FILE *out)
{
    char self[4096], command[9000], line[1000];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(len > 0);
    self[len] = '\0';
    snprintf(command, sizeof command, "exec '%s' %s '%s'", self, job, aard_distribution_dir(distribution));
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe))
        if (out) fputs(line, out);
    return pclose(pipe);
}

static int do_job(const char *name, const char *dir)
{
    began = time(NULL);
    assert_ok(aard_distribution_open(dir, &distribution));
    for (size_t i = 0; i < COUNT(jobs); i++) {
        if (strcmp(jobs[i].name, name) != 0) continue;
        jobs[i].run();
        fflush(stdout);
        return 0;
    }
    return 2;
}

/* ---- tests ---------------------------------------------------------------------------------------------------------- */

static void test_guests_of_a_process_that_began_with_python(void **state)
{
    (void)state;
    assert_int_equal(run("python-first", NULL), 0);
}

static void test_guests_of_a_process_that_began_with_javascript(void **state)
{
    (void)state;
    assert_int_equal(run("javascript-first", NULL), 0);
}

static void test_guests_of_several_threads(void **state)
{
    (void)state;
    assert_int_equal(run("in-threads", NULL), 0);
}

/* The values of the lists in `text`, one after the other; each is a string. */
static size_t split(char *text, char **values, size_t most)
{
    size_t count = 0;
    for (char *save, *one = strtok_r(text, ",[]\n", &save); one && count < most; one = strtok_r(NULL, ",[]\n", &save))
        if (strcmp(one, "draw ") != 0) values[count++] = one;
    return count;
}

static void test_no_two_copies_draw_the_same(void **state)
{
    (void)state;
    char *text, *values[200];
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    for (int i = 0; i < 3; i++) assert_int_equal(run("draws", out), 0);
    fclose(out);
    size_t count = split(text, values, COUNT(values));
    assert_int_equal(count, 3 * 3 * (8 + 5));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(values[i], values[k])) fail_msg("%s was drawn twice", values[i]);
    free(text);
}

static char *read_all(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*len);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    fclose(file);
    return bytes;
}

static void write_all(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void test_one_that_does_not_fit_costs_only_time(void **state)
{
    (void)state;
    size_t len;
    const size_t head = 16 + AARD__CHECKSUM_BYTES; /* of derived files; the engine's follows */
    char *path = strdup(snapshot_path()), *bytes = read_all(path, &len);
    const size_t lengths[] = {0, 40, 48, 300, len / 2, len - 1}, places[] = {0, 20, 60, 300, len / 2, len - 1};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        write_all(path, bytes, lengths[i]);
        assert_int_equal(run("without", NULL), 0);
        assert_false(aard_distribution_is_prepared(distribution));
    }
    for (size_t i = 0; i < COUNT(places); i++) {
        bytes[places[i]] ^= 4;
        write_all(path, bytes, len);
        bytes[places[i]] ^= 4;
        assert_int_equal(run("without", NULL), 0);
    }
    /* Whole, but made for something else; made for this, but another engine's; and no snapshot at all. */
    aard__python_layout layout;
    aard__python_layout_open(distribution, &layout);
    char *key = aard__python_snapshot_key(&layout);
    assert_ok(aard__derived_write(distribution, SNAPSHOT, "another key", bytes + head, len - head));
    assert_int_equal(run("without", NULL), 0);
    char *version = memmem(bytes, len, aard_v8_version(), strlen(aard_v8_version()));
    assert_non_null(version);
    *version ^= 1;
    assert_ok(aard__derived_write(distribution, SNAPSHOT, key, bytes + head, len - head));
    *version ^= 1;
    assert_int_equal(run("without", NULL), 0);
    assert_ok(aard__derived_write(distribution, SNAPSHOT, key, "nothing", 7));
    assert_int_equal(run("without", NULL), 0);
    assert_ok(aard__derived_write(distribution, SNAPSHOT, key, bytes + head, len - head));
    assert_true(aard_distribution_is_prepared(distribution));
    assert_int_equal(run("python-first", NULL), 0);
    aard__python_layout_close(&layout);
    aard__free(key);
    free(bytes);
    free(path);
}

/* The snapshot is whole, but what would go with it is not. */
static void test_one_whose_code_is_damaged_is_given_up(void **state)
{
    (void)state;
    static const char *const files[] = {"pyodide.asm.js.prelinked", "pyodide.asm.wasm.prelinked", "pyodide.asm.symbols",
                                        "base.image"};
    for (size_t i = 0; i < COUNT(files); i++) {
        size_t len;
        char *path = strdup(at(at(aard_distribution_dir(distribution), "cache"), files[i]));
        char *bytes = read_all(path, &len);
        bytes[len / 2] ^= 1;
        write_all(path, bytes, len);
        assert_int_equal(run("without", NULL), 0);
        bytes[len / 2] ^= 1;
        write_all(path, bytes, len);
        free(bytes);
        free(path);
    }
    assert_int_equal(run("python-first", NULL), 0);
}

int main(int argc, char **argv)
{
    if (argc == 3) return do_job(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests_of_a_process_that_began_with_python),
        cmocka_unit_test(test_guests_of_a_process_that_began_with_javascript),
        cmocka_unit_test(test_guests_of_several_threads),
        cmocka_unit_test(test_no_two_copies_draw_the_same),
        cmocka_unit_test(test_one_that_does_not_fit_costs_only_time),
        cmocka_unit_test(test_one_whose_code_is_damaged_is_given_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
