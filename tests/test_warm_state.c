/* Warm states: what isolates start from them with, what is refused, and what can't be captured.
 * test-timeout: 300 */
#include "dist_support.h"
#include "isolate_support.h"
#include "warm/image.h"

#include <signal.h>
#include <spawn.h>

#include "base/alloc.h"

static char *home;
static aard_distribution *distribution;

#define KEY "the key of who runs the host"
#define OTHER_KEY "the key of somebody else entirely"

/* A distribution of this test's own with two packages, prepared; and a catalog of its own. */
static int set_up(void **state)
{
    (void)state;
    home = make_temp();
    make_source(at(home, "source"));
    request r = {.home = at(home, "distributions"), .archive = at(home, "source")};
    make_tiny_wheels(home, r.wheels);
    distribution = stage_ok(&r);
    assert_int_equal(setenv("AARDVARK_HOME", home, 1), 0);
    assert_ok(aard_distribution_set_key(distribution, KEY, sizeof KEY));
    assert_ok(aard_distribution_prepare(distribution, true));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aard_distribution_free(distribution);
    remove_temp(home);
    return 0;
}

#define MANIFEST(packages, preload)                                                                                    \
    "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:f\",\"packages\":" packages                                      \
    ",\"runtime\":{\"pyodide\":{\"preloadImports\":" preload "}}}"

/* Whose modules count how often they were run, and by whom. */
static aard_bundle *the_bundle(void)
{
    static const char *const files[][2] = {
        {"aardvark.manifest.json", MANIFEST("[\"tiny-pkg\"]", "[\"tiny_pkg\",\"helper\"]")},
        {"helper.py", "import random, uuid, tempfile, secrets\nruns = []\nmark = object()\n"},
        {"late.py", "WORD = 'late'\n"},
        {"main.py", "import sys\nhad = 'helper' in sys.modules and 'tiny_pkg' in sys.modules\nimport helper, tiny_pkg\n"
                    "import importlib.resources, importlib.metadata\n"
                    "def f():\n"
                    "    import late\n"
                    "    helper.runs.append(1)\n"
                    "    words = importlib.resources.files('tiny_pkg').joinpath('data/words.txt').read_text()\n"
                    "    return [had, len(helper.runs), tiny_pkg.VALUE, words, late.WORD,"
                    " importlib.metadata.version('tiny-pkg')]\n"},
        {NULL, NULL},
    };
    return bundle_of(files);
}

#define WARM_VALUE "[true,1,[\"tiny\",\"base\"],\"words\\n\",\"late\",\"2.0\"]"

static aard_bundle *other_bundle(const char *packages)
{
    char manifest[256];
    snprintf(manifest, sizeof manifest, "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:f\",\"packages\":%s}",
             packages);
    const char *const files[][2] = {
        {"aardvark.manifest.json", manifest},
        {"main.py", "def f():\n    import tiny_pkg\n    return tiny_pkg.VALUE\n"},
        {NULL, NULL},
    };
    return bundle_of(files);
}

static bool with_javascript; /* isolates are granted the capability */

static aard_isolate *start(aard_warm_state *warm, aard_bundle *bundle)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    if (with_javascript) assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate_config_set_distribution(config, distribution);
    aard_isolate_config_set_warm_state(config, warm);
    return boot(config, bundle);
}

static aard_warm_state *captured(aard_isolate *isolate)
{
    aard_warm_state *warm = NULL;
    assert_ok(aard_warm_state_capture(isolate, &warm));
    return warm;
}

static aard_warm_state *state_of(aard_bundle *bundle)
{
    aard_isolate *isolate = start(NULL, bundle);
    aard_warm_state *warm = captured(isolate);
    aard_isolate_free(isolate);
    return warm;
}

/* Runs code that leaves its result behind, and captures. */
static aard_warm_state *state_after(const char *code)
{
    aard_isolate *isolate = start(NULL, NULL);
    aard_outcome *outcome = exec(isolate, code);
    assert_success(outcome);
    aard_outcome_free(outcome);
    aard_warm_state *warm = captured(isolate);
    aard_isolate_free(isolate);
    return warm;
}

static void comes_from(const aard_outcome *outcome, aard_warm_source source, const aard_warm_state *warm)
{
    const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
    assert_int_equal(d->warm_source, source);
    assert_string_equal(d->warm_fingerprint, aard_warm_state_fingerprint(warm));
}

/* ---- starts ----------------------------------------------------------------------------------------------------- */

static void test_isolates_start_from_what_was_captured(void **state)
{
    (void)state;
    aard_isolate *first = start(NULL, the_bundle());
    aard_warm_state *warm = captured(first);
    value_is(call(first, NULL, NULL), WARM_VALUE); /* the one that was captured goes on */
    for (int i = 0; i < 3; i++) {
        aard_isolate *isolate = start(warm, the_bundle());
        aard_outcome *outcome = call(isolate, NULL, NULL);
        comes_from(outcome, AARD_WARM_MEMORY, warm);
        value_is(outcome, WARM_VALUE); /* and nobody sees what the others did */
        value_is(exec(isolate, "import os; [os.getcwd(), sorted(os.listdir('/app'))]"),
                 "[\"/session\",[\"aardvark.manifest.json\",\"helper.py\",\"late.py\",\"main.py\"]]");
        aard_isolate_free(isolate);
    }
    aard_warm_state_free(warm);
    value_is(exec(first, "import helper; len(helper.runs)"), "1");
    aard_isolate_free(first);
}

static void test_a_state_outlives_who_made_it(void **state)
{
    (void)state;
    aard_warm_state *warm = state_of(the_bundle());
    aard_isolate *isolate = start(warm, the_bundle());
    aard_warm_state_free(warm); /* the isolate has its own share */
    value_is(call(isolate, NULL, NULL), WARM_VALUE);
    aard_call *what = limited_to(50);
    aard_outcome *outcome = exec_with(isolate, "while True: pass", what);
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
    aard_outcome_free(outcome);
    aard_call_free(what);
    value_is(call(isolate, NULL, NULL), WARM_VALUE); /* the guest in its place starts from the state, too */
    aard_isolate_free(isolate);
}

static void test_a_state_tells_what_it_is_of(void **state)
{
    (void)state;
    aard_bundle *bundle = the_bundle();
    aard_warm_state *warm = state_of(aard_bundle_retain(bundle)), *again, *plain = state_after("1");
    assert_string_equal(aard_warm_state_bundle_digest(warm), aard_bundle_digest(bundle));
    assert_string_equal(aard_warm_state_distribution_fingerprint(warm), aard_distribution_fingerprint(distribution));
    assert_string_equal(aard_warm_state_pyodide_version(warm), "0.29.4");
    assert_true(aard_warm_state_overlay_preloaded(warm));
    assert_int_equal(aard_warm_state_package_count(warm), 2);
    assert_string_equal(aard_warm_state_package(warm, 0), "tiny-base 1.0");
    assert_string_equal(aard_warm_state_package(warm, 1), "tiny-pkg 2.0");
    assert_int_equal(aard_warm_state_preload_import_count(warm), 2);
    assert_string_equal(aard_warm_state_preload_import(warm, 1), "helper");
    assert_true(aard_warm_state_memory_bytes(warm) >= 20 << 20);
    assert_true(aard_warm_state_file_bytes(warm) > aard_warm_state_memory_bytes(warm));
    again = state_of(bundle);
    assert_string_equal(aard_warm_state_fingerprint(warm), aard_warm_state_fingerprint(again));
    assert_string_not_equal(aard_warm_state_fingerprint(warm), aard_warm_state_fingerprint(plain));
    assert_null(aard_warm_state_bundle_digest(plain));
    assert_false(aard_warm_state_overlay_preloaded(plain));
    assert_int_equal(aard_warm_state_package_count(plain), 0);
    aard_warm_state_free(warm);
    aard_warm_state_free(again);
    aard_warm_state_free(plain);
}

static void test_a_state_can_be_captured_again(void **state)
{
    (void)state;
    aard_warm_state *first = state_after("layers = ['one']");
    aard_isolate *isolate = start(first, NULL);
    aard_outcome *outcome = exec(isolate, "layers.append('two')");
    comes_from(outcome, AARD_WARM_MEMORY, first);
    aard_outcome_free(outcome);
    aard_warm_state *second = captured(isolate);
    aard_isolate_free(isolate);
    isolate = start(second, NULL);
    value_is(exec(isolate, "layers"), "[\"one\",\"two\"]");
    aard_isolate_free(isolate);
    isolate = start(first, NULL);
    value_is(exec(isolate, "layers"), "[\"one\"]");
    aard_isolate_free(isolate);
    aard_warm_state_free(first);
    aard_warm_state_free(second);
}

static void test_packages_are_added_to_a_state(void **state)
{
    (void)state;
    aard_warm_state *bare = state_after("1");
    aard_isolate *isolate = start(bare, other_bundle("[\"tiny-pkg\"]"));
    value_is(call(isolate, NULL, NULL), "[\"tiny\",\"base\"]");
    aard_isolate_free(isolate);
    aard_warm_state_free(bare);
    isolate = start(NULL, other_bundle("[\"tiny-base\"]")); /* site-packages is looked at, and then there is more */
    exception_is(call(isolate, NULL, NULL), "ModuleNotFoundError", NULL, NULL);
    aard_bundle *more = other_bundle("[\"tiny-pkg\"]");
    assert_ok(aard_isolate_load_bundle(isolate, more));
    value_is(call(isolate, NULL, NULL), "[\"tiny\",\"base\"]");
    aard_bundle_free(more);
    aard_isolate_free(isolate);
}

static void test_memory_may_have_grown(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("big = bytearray(96 << 20)\nbig[::4 << 20] = bytes(range(1, 25))");
    assert_true(aard_warm_state_memory_bytes(warm) > 96 << 20);
    aard_isolate *isolate = start(warm, NULL);
    value_is(exec(isolate, "[len(big), list(big[::4 << 20]) == list(range(1, 25))]"), "[100663296,true]");
    value_is(exec(isolate, "more = bytearray(64 << 20); more[-1] = 7; [more[-1], big[0], sum(big)]"), "[7,1,300]");
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static char *written(aard_warm_state *warm)
{
    char *path = at(home, "state.warm");
    assert_ok(aard_warm_state_write(warm, path));
    assert_int_equal(count_entries(home, "state.warm"), 1); /* and no temporary file */
    return path;
}

/* This program again, with a job to do instead of tests. */
static pid_t spawn(const char *job, const char *argument, const char *output)
{
    pid_t child;
    char *args[] = {(char *)"test_warm_state", (char *)job,    (char *)aard_distribution_dir(distribution),
                    (char *)argument,          (char *)output, NULL};
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, args, environ), 0);
    return child;
}

static int status_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_a_file_is_as_good_as_memory(void **state)
{
    (void)state;
    aard_warm_state *warm = state_of(the_bundle()), *opened = NULL, *looked = NULL;
    char *path = written(warm);
    assert_ok(aard_warm_state_open(path, distribution, &opened));
    assert_string_equal(aard_warm_state_fingerprint(opened), aard_warm_state_fingerprint(warm));
    aard_isolate *isolate = start(opened, the_bundle());
    aard_outcome *outcome = call(isolate, NULL, NULL);
    comes_from(outcome, AARD_WARM_DISK, warm);
    value_is(outcome, WARM_VALUE);
    aard_isolate_free(isolate);
    assert_ok(aard_warm_state_open(path, NULL, &looked));
    assert_string_equal(aard_warm_state_fingerprint(looked), aard_warm_state_fingerprint(warm));
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_warm_state(config, looked);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_INVALID_ARGUMENT, "only be inspected", NULL);
    aard_isolate_config_set_warm_state(config, opened); /* which brings its distribution along */
    assert_ok(aard_isolate_new(config, &isolate));
    value_is(exec(isolate, "import helper; len(helper.runs)"), "0");
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    int status = status_of(spawn("use", path, NULL));
    if (status) fail_msg("another process could not start from the file: %d", status);
    aard_warm_state_free(looked);
    aard_warm_state_free(opened);
    aard_warm_state_free(warm);
}

static void not_opened(const char *path, const char *what, off_t where)
{
    aard_warm_state *warm = NULL;
    aard_error *error = aard_warm_state_open(path, distribution, &warm);
    if (!error) fail_msg("%s at %ld, and the file was opened", what, (long)where);
    assert_int_equal(aard_error_get_class(error), AARD_CLASS_INPUT);
    aard_error_free(error);
}

static void test_a_file_that_was_altered_is_refused(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("1"), *opened = NULL;
    char *path = strdup(written(warm));
    const off_t len = (off_t)aard_warm_state_file_bytes(warm);
    for (off_t i = 0; i < len; i += i < 80 ? 1 : i < 2048 ? 41 : len / 60) { /* header; key and text; memory */
        flip_byte(path, (long)i);
        not_opened(path, "a byte was flipped", i);
        flip_byte(path, (long)i);
    }
    assert_ok(aard_warm_state_open(path, distribution, &opened));
    aard_warm_state_free(opened);
    for (off_t cut = len - 1; cut >= 0; cut -= cut > 4096 ? 300007 : 97) {
        assert_int_equal(truncate(path, cut), 0);
        not_opened(path, "it was cut", cut);
    }
    assert_int_equal(truncate(path, len), 0); /* half-written: all there, with holes */
    not_opened(path, "it has holes", 0);
    assert_refused(aard_warm_state_open(at(home, "none"), distribution, &opened), AARD_ERR_NOT_FOUND, NULL);
    assert_refused(aard_warm_state_open(home, distribution, &opened), AARD_ERR_WARM_CORRUPT, NULL);
    aard_isolate *isolate = start(NULL, NULL); /* and the start goes on without it */
    value_is(exec(isolate, "1+1"), "2");
    aard_isolate_free(isolate);
    free(path);
    aard_warm_state_free(warm);
}

static void test_what_does_not_fit_is_named(void **state)
{
    (void)state;
    aard_warm_state *warm = state_of(the_bundle()), *opened = NULL;
    char *path = written(warm);
    aard_distribution *other = NULL;
    aard_isolate *isolate = NULL;
    assert_ok(aard_distribution_open(pristine(), &other));
    assert_refused(aard_warm_state_open(path, other, &opened), AARD_ERR_WARM_MISMATCH, "its distribution is",
                   aard_distribution_fingerprint(other), NULL);
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, other);
    aard_isolate_config_set_warm_state(config, warm);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_WARM_MISMATCH, "its distribution is", NULL);
    aard_isolate_config_set_distribution(config, NULL);
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_INVALID_ARGUMENT, "Python", NULL);
    aard_isolate_config_free(config);
    aard_distribution_free(other);

    aard_bundle *bundle = other_bundle("[]");
    isolate = start(warm, NULL);
    assert_refused(aard_isolate_load_bundle(isolate, bundle), AARD_ERR_WARM_MISMATCH, "its bundle is",
                   aard_bundle_digest(bundle), NULL);
    aard_bundle_free(bundle);
    bundle = the_bundle();
    assert_ok(aard_isolate_load_bundle(isolate, bundle)); /* nothing is lost */
    value_is(call(isolate, NULL, NULL), WARM_VALUE);
    aard_bundle_free(bundle);
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
}

/* The same distribution in the hands of somebody with another key, or with none. */
static aard_distribution *opened_with(const char *key, size_t len)
{
    aard_distribution *other = NULL;
    assert_ok(aard_distribution_open(aard_distribution_dir(distribution), &other));
    assert_ok(aard_distribution_set_key(other, key, len));
    return other;
}

static void test_a_key_signs_what_is_written(void **state)
{
    (void)state;
    aard_warm_state *warm = state_of(the_bundle()), *opened = NULL;
    aard_distribution *unsigned_one = opened_with(NULL, 0), *another = opened_with(OTHER_KEY, sizeof OTHER_KEY);
    char *path = strdup(written(warm)), *plain = strdup(at(home, "plain.warm"));
    assert_false(aard_warm_state_is_signed(warm)); /* in memory nothing is */
    assert_ok(aard_warm_state_open(path, distribution, &opened));
    assert_true(aard_warm_state_is_signed(opened));
    aard_warm_state_free(opened);
    assert_ok(aard_warm_state_open(path, unsigned_one, &opened)); /* who has no key believes the digest */
    assert_ok(aard_warm_state_write(opened, plain));              /* and does not pass on a signature */
    aard_warm_state_free(opened);
    assert_refused(aard_warm_state_open(plain, distribution, &opened), AARD_ERR_WARM_SIGNATURE, "plain.warm",
                   "not signed", "rebuild it with the key", NULL);
    assert_ok(aard_warm_state_open(plain, NULL, &opened));
    assert_false(aard_warm_state_is_signed(opened));
    aard_warm_state_free(opened);
    assert_true(aard_distribution_is_prepared(distribution));
    assert_true(aard_distribution_is_prepared(unsigned_one));
    assert_false(aard_distribution_is_prepared(another)); /* its base image is of the first key */
    assert_refused(aard_distribution_set_key(another, "short", 5), AARD_ERR_INVALID_ARGUMENT, "16", NULL);
    aard_warm_state_free(warm);
    aard_distribution_free(unsigned_one);
    aard_distribution_free(another);
    free(path);
    free(plain);
}

/* A signature that was made for another file, or by another key. */
static void test_a_signature_is_of_one_file_by_one_key(void **state)
{
    (void)state;
    aard_warm_state *first = state_after("x = 1"), *second = state_after("x = 2"), *opened = NULL;
    char *path = strdup(written(first)), *other = strdup(at(home, "other.warm"));
    const aard__signing_key key = {{1, 2, 3}};
    unsigned char signature[32];
    assert_ok(aard_warm_state_write(second, other));
    const long place = 8 + 4 * 8 + 32;
    int from = open(path, O_RDWR), to = open(other, O_RDWR);
    assert_int_equal(pread(from, signature, sizeof signature, place), 32);
    assert_int_equal(pwrite(to, signature, sizeof signature, place), 32);
    close(from);
    close(to);
    assert_refused(aard_warm_state_open(other, distribution, &opened), AARD_ERR_WARM_CORRUPT, NULL);
    aard__image *image;
    assert_ok(aard__image_open(path, "", NULL, &image));
    assert_ok(aard__image_save(image, other, 0600, &key));
    aard__image_free(image);
    assert_refused(aard_warm_state_open(other, distribution, &opened), AARD_ERR_WARM_SIGNATURE, "other.warm",
                   "not signed by the key", NULL);
    aard_warm_state_free(first);
    aard_warm_state_free(second);
    free(path);
    free(other);
}

static void test_the_catalog_looks_at_signatures(void **state)
{
    (void)state;
    aard_catalog *catalog;
    uint64_t before, after;
    aard_distribution *unsigned_one = opened_with(NULL, 0);
    aard_warm_state *warm = NULL, *found = NULL;
    assert_ok(aard_catalog_open(at(home, "signed-catalog"), 0, &catalog));
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, unsigned_one);
    aard_isolate *isolate = boot(config, NULL);
    assert_ok(aard_warm_state_capture(isolate, &warm));
    aard_isolate_free(isolate);
    assert_ok(aard_catalog_store(catalog, warm));
    assert_ok(aard_catalog_usage(catalog, &before, NULL));
    assert_ok(aard_catalog_find(catalog, distribution, NULL, &found));
    assert_null(found); /* it is somebody else's, and stays */
    assert_ok(aard_catalog_usage(catalog, &after, NULL));
    assert_int_equal(after, before);
    assert_ok(aard_catalog_find(catalog, unsigned_one, NULL, &found));
    assert_non_null(found);
    aard_warm_state_free(found);
    aard_warm_state_free(warm);
    warm = state_after("1");
    assert_ok(aard_catalog_store(catalog, warm)); /* in its place */
    assert_ok(aard_catalog_find(catalog, distribution, NULL, &found));
    assert_non_null(found);
    assert_true(aard_warm_state_is_signed(found));
    aard_warm_state_free(found);
    aard_warm_state_free(warm);
    aard_catalog_free(catalog);
    aard_distribution_free(unsigned_one);
}

static void test_a_file_that_can_not_be_written_leaves_nothing(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("1");
    char *dir = at(home, "full");
    assert_refused(aard_warm_state_write(warm, at(home, "no/such/dir")), AARD_ERR_IO, NULL);
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_equal(mkdir(at(dir, "taken"), 0755), 0);
    assert_refused(aard_warm_state_write(warm, at(dir, "taken")), AARD_ERR_IO, "taken", NULL);
    assert_int_equal(count_entries(dir, ""), 1);
    /* What somebody who was killed has left goes away; what only looks like it stays. */
    write_file(at(dir, "x.aardvark-tmp-AbCdEf"), "half", 4);
    write_file(at(dir, "xy.aardvark-tmp-AbCdEf"), "half", 4);
    write_file(at(dir, "x.backup"), "mine", 4);
    assert_ok(aard_warm_state_write(warm, at(dir, "x")));
    assert_false(exists(at(dir, "x.aardvark-tmp-AbCdEf")));
    assert_true(exists(at(dir, "xy.aardvark-tmp-AbCdEf")));
    assert_true(exists(at(dir, "x.backup")));
    assert_null(aard__dir_remove(dir));
    aard_warm_state_free(warm);
}

/* ---- what can't be captured ------------------------------------------------------------------------------------- */

static void not_captured(aard_isolate *isolate, const char *part)
{
    aard_warm_state *warm = NULL;
    assert_refused(aard_warm_state_capture(isolate, &warm), AARD_ERR_WARM_CAPTURE, part, NULL);
    value_is(exec(isolate, "1+1"), "2");
}

static int grant_javascript(void **state)
{
    (void)state;
    with_javascript = true;
    return 0;
}

static int grant_nothing(void **state)
{
    (void)state;
    with_javascript = false;
    return 0;
}

static void test_objects_of_javascript_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *code, *part;
    } strays[] = {
        {"import js; keep = js.JSON.parse('{\"a\":{}}')", "an object of type Object"},
        {"import js; keep = js.Array.new(3)", "an object of type Array"},
        {"import js; keep = js.Date.new()", "an object of type Date"},
        {"import js; keep = js.Promise.new(lambda a, b: None)", "an object of type Promise"},
    };
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        aard_isolate *isolate = start(NULL, NULL);
        aard_outcome *outcome = exec(isolate, strays[i].code);
        assert_success(outcome);
        aard_outcome_free(outcome);
        not_captured(isolate, strays[i].part);
        aard_outcome_free(exec(isolate, "del keep\nimport gc\ngc.collect()"));
        aard_warm_state_free(captured(isolate));
        aard_isolate_free(isolate);
    }
}

static void test_what_every_guest_has_is_found_again(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after(
        "import js\nfrom js import Object, Math, Array\nkeep = js.Array.prototype.slice");
    aard_isolate *isolate = start(warm, NULL);
    value_is(exec(isolate, "[Array.of('a', 'b').to_py(), Math.max(1, 5), Object == js.Object]"),
             "[[\"a\",\"b\"],5,true]");
    value_is(exec(isolate, "keep.call(js.Array.of(1, 2, 3), 1).to_py()"), "[2,3]");
    aard_isolate_free(isolate);
    with_javascript = false; /* what was granted to one is not handed to another */
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_warm_state(config, warm);
    assert_refused(aard_isolate_new(config, &isolate), AARD_ERR_WARM_MISMATCH, "'js'", NULL);
    aard_isolate_config_free(config);
    aard_catalog *catalog = NULL;
    assert_ok(aard_catalog_open(at(home, "none"), 0, &catalog));
    assert_refused(aard_catalog_store(catalog, warm), AARD_ERR_UNSUPPORTED, "'js'", NULL);
    aard_catalog_free(catalog);
    aard_warm_state_free(warm);
}

static void test_an_open_file_is_named(void **state)
{
    (void)state;
    aard_isolate *isolate = start(NULL, NULL);
    aard_outcome_free(exec(isolate, "keep = open('/tmp/held', 'w')"));
    not_captured(isolate, "'/tmp/held'");
    aard_outcome_free(exec(isolate, "keep.close()"));
    aard_warm_state_free(captured(isolate));
    aard_isolate_free(isolate);
}

/* They are ended with the call that made them, and so nothing of them is in a state. */
static void test_a_timer_of_javascript_is_not_captured(void **state)
{
    (void)state;
    aard_isolate *isolate = start(NULL, NULL);
    aard_outcome *outcome = exec(isolate, "import js\njs.setTimeout(js.Object, 100000)");
    assert_int_equal(aard_outcome_diagnostics(outcome)->pending_ended, 1);
    aard_outcome_free(outcome);
    aard_warm_state_free(captured(isolate));
    aard_isolate_free(isolate);
}

/* A loop of Python's is in its memory, and its clock goes on.  That of calls has nothing left when a call is over. */
static void test_loops_go_on(void **state)
{
    (void)state;
    aard_isolate *isolate = start(NULL, NULL);
    aard_outcome *outcome = exec(isolate, "import asyncio, time\nthen = time.monotonic()\nasync def tick():\n"
                                          "    await asyncio.sleep(0.05)\n    return 'ticked'\n"
                                          "loop = asyncio.new_event_loop()\ntask = loop.create_task(tick())\n"
                                          "loop.run_until_complete(asyncio.sleep(0))");
    assert_success(outcome);
    aard_outcome_free(outcome);
    usleep(1200000); /* longer than any start takes */
    outcome = exec(isolate, "then = time.monotonic()");
    assert_success(outcome);
    aard_outcome_free(outcome);
    aard_warm_state *warm = captured(isolate);
    aard_isolate_free(isolate);
    isolate = start(warm, NULL);
    value_is(exec(isolate, "[time.monotonic() > then, loop.run_until_complete(task)]"), "[true,\"ticked\"]");
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
}

/* Resets lead back to the state. */
static void test_a_guest_from_a_state_is_reset(void **state)
{
    (void)state;
    aard_warm_state *warm = state_of(the_bundle());
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_warm_state(config, warm);
    aard_isolate_config_set_cleanup(config, AARD_CLEANUP_FULL);
    aard_isolate *isolate = boot(config, the_bundle());
    for (int i = 0; i < 4; i++) {
        aard_outcome *outcome = call(isolate, NULL, NULL);
        const aard_diagnostics *d = aard_outcome_diagnostics(outcome);
        assert_int_equal(d->reset_mode, i ? AARD_RESET_IN_PLACE : AARD_RESET_NONE);
        comes_from(outcome, AARD_WARM_MEMORY, warm);
        value_is(outcome, WARM_VALUE);
    }
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
}

static void test_callbacks_for_c_are_refused(void **state)
{
    (void)state;
    aard_isolate *isolate = start(NULL, NULL);
    aard_outcome *outcome = exec(isolate,
                                 "import ctypes\nkeep = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)");
    assert_success(outcome);
    aard_outcome_free(outcome);
    not_captured(isolate, "callback");
    aard_isolate_free(isolate);
}

static void test_an_import_that_fails_is_named(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json", MANIFEST("[]", "[\"json\",\"broken\"]")},
        {"broken.py", "raise ValueError('not today')\n"},
        {"main.py", "def f(): return 1\n"},
        {NULL, NULL},
    };
    aard_isolate *isolate = start(NULL, bundle_of(files));
    aard_warm_state *warm = NULL;
    assert_refused(aard_warm_state_capture(isolate, &warm), AARD_ERR_WARM_CAPTURE, "'broken'", "not today", NULL);
    value_is(call(isolate, NULL, NULL), "1");
    aard_isolate_free(isolate);
    isolate = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    assert_refused(aard_warm_state_capture(isolate, &warm), AARD_ERR_UNSUPPORTED, "Python", NULL);
    aard_isolate_free(isolate);
}

static void test_imports_have_a_limit(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"aardvark.manifest.json", MANIFEST("[]", "[\"endless\"]")},
        {"endless.py", "while True: pass\n"},
        {"main.py", "def f(): return 1\n"},
        {NULL, NULL},
    };
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    aard_isolate_config_set_wall_limit_ms(config, 1500);
    aard_isolate *isolate = boot(config, bundle_of(files));
    aard_warm_state *warm = NULL;
    assert_refused(aard_warm_state_capture(isolate, &warm), AARD_ERR_WARM_CAPTURE, NULL);
    value_is(call(isolate, NULL, NULL), "1");
    aard_isolate_free(isolate);
}

/* ---- entropy ---------------------------------------------------------------------------------------------------- */

static const char *const entropy[] = {
    "import random; random.random()",
    "import random; random.getrandbits(256)",
    "import secrets; secrets.token_hex(16)",
    "import uuid; str(uuid.uuid4())",
    "import os; os.urandom(16).hex()",
    "open('/dev/urandom', 'rb').read(16).hex()",
    "import tempfile; tempfile.mktemp()",
    "import random; random.SystemRandom().random()",
    "mine = __import__('random').Random(); mine.random()",
    "import js; js.Math.random()",
    "import js; js.crypto.randomUUID()",
};
enum { ENTROPIES = sizeof entropy / sizeof *entropy };

static void draw(aard_isolate *isolate, FILE *out)
{
    for (size_t i = 0; i < ENTROPIES; i++) {
        aard_outcome *outcome = exec(isolate, entropy[i]);
        assert_success(outcome);
        fprintf(out, "%s\n", aard_outcome_value_json(outcome, NULL));
        aard_outcome_free(outcome);
    }
}

/* Whatever was drawn from before the capture: no two guests go on alike, here or in another process. */
static void test_entropy_is_each_guests_own(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("import random, secrets, uuid, tempfile, os\n"
                                        "random.random(); uuid.uuid4(); tempfile.mktemp(); secrets.token_hex()\n"
                                        "random.seed(5)");
    char *path = written(warm), *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    for (int i = 0; i < 2; i++) {
        aard_isolate *isolate = start(warm, NULL);
        draw(isolate, out);
        aard_isolate_free(isolate);
        pid_t child = spawn("draw", path, at(home, "drawn"));
        assert_int_equal(status_of(child), 0);
        size_t drawn_len;
        char *drawn = read_file(at(home, "drawn"), &drawn_len);
        fputs(drawn, out);
        free(drawn);
    }
    fclose(out);
    char *lines[4 * ENTROPIES + 1], *save = NULL;
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        for (size_t i = 0; i < count; i++)
            if (!strcmp(lines[i], line)) fail_msg("%s came twice, of: %s", line, entropy[count % ENTROPIES]);
        assert_true(count < 4 * ENTROPIES);
        lines[count++] = line;
    }
    assert_int_equal(count, 4 * ENTROPIES);
    free(text);
    aard_warm_state_free(warm);
}

/* A module of that name with a state of its own, as the real one has. */
static void test_the_generator_of_numpy_is_reseeded(void **state)
{
    (void)state;
    aard_warm_state *warm = state_after("import sys, types, os\n"
                                        "fake = types.ModuleType('numpy.random')\n"
                                        "fake.state = 5\n"
                                        "def seed():\n    fake.state = os.urandom(16).hex()\n"
                                        "fake.seed = seed\n"
                                        "sys.modules['numpy.random'] = fake");
    aard_isolate *a = start(warm, NULL), *b = start(warm, NULL);
    aard_outcome *first = exec(a, "fake.state"), *second = exec(b, "fake.state");
    assert_success(first);
    assert_string_not_equal(aard_outcome_value_json(first, NULL), "5");
    assert_string_not_equal(aard_outcome_value_json(first, NULL), aard_outcome_value_json(second, NULL));
    aard_outcome_free(first);
    aard_outcome_free(second);
    aard_isolate_free(a);
    aard_isolate_free(b);
    aard_warm_state_free(warm);
}

/* ---- the catalog ------------------------------------------------------------------------------------------------ */

static long allocations, allowed;

static int allow(size_t size)
{
    (void)size;
    return allowed-- > 0;
}

static void test_the_catalog_keeps_states(void **state)
{
    (void)state;
    aard_catalog *catalog = NULL;
    aard_bundle *bundle = the_bundle(), *other = other_bundle("[]");
    aard_warm_state *warm = state_of(aard_bundle_retain(bundle)), *found = NULL;
    uint64_t entries, bytes;
    size_t removed;
    assert_ok(aard_catalog_open(at(home, "states"), 0, &catalog));
    assert_ok(aard_catalog_find(catalog, distribution, bundle, &found));
    assert_null(found);
    assert_ok(aard_catalog_store(catalog, warm));
    assert_ok(aard_catalog_store(catalog, warm));
    assert_ok(aard_catalog_usage(catalog, &entries, &bytes));
    assert_int_equal(entries, 1);
    assert_true(bytes > 1 << 20 && bytes < aard_warm_state_file_bytes(warm));
    assert_ok(aard_catalog_find(catalog, distribution, other, &found));
    assert_null(found);
    assert_ok(aard_catalog_find(catalog, distribution, NULL, &found));
    assert_null(found);
    assert_ok(aard_catalog_find(catalog, distribution, bundle, &found));
    assert_non_null(found);
    aard_isolate *isolate = start(found, the_bundle());
    aard_outcome *outcome = call(isolate, NULL, NULL);
    comes_from(outcome, AARD_WARM_DISK, warm);
    value_is(outcome, WARM_VALUE);
    aard_isolate_free(isolate);
    aard_warm_state_free(found);

    /* What keeps it from being read is not its fault. */
    bool failed = true;
    for (allocations = 0; failed; allocations++) {
        found = NULL;
        allowed = allocations;
        aard__alloc_set_hook(allow);
        aard_error *error = aard_catalog_find(catalog, distribution, bundle, &found);
        aard__alloc_set_hook(NULL);
        if (error) assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        failed = !found; /* or it is as if it were not there, but only once */
        aard_error_free(error);
        aard_warm_state_free(found);
        assert_ok(aard_catalog_usage(catalog, &entries, &bytes));
        assert_int_equal(entries, 1);
    }
    assert_true(allocations > 5);

    /* A damaged entry is as if it were not there, and then it isn't. */
    assert_ok(aard_catalog_prune(catalog, &removed));
    assert_int_equal(removed, 0);
    DIR *dir = opendir(aard_catalog_dir(catalog));
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.') flip_byte(at(aard_catalog_dir(catalog), entry->d_name), 9000);
    closedir(dir);
    assert_ok(aard_catalog_find(catalog, distribution, bundle, &found));
    assert_null(found);
    assert_ok(aard_catalog_usage(catalog, &entries, &bytes));
    assert_int_equal(entries, 0);
    aard_catalog_free(catalog);
    aard_bundle_free(bundle);
    aard_bundle_free(other);
    aard_warm_state_free(warm);
}

/* Unpacked packages come from the catalog, and are unpacked again where it has nothing or nothing good. */
static void test_the_catalog_keeps_overlays(void **state)
{
    (void)state;
    assert_true(count_entries(at(home, "catalog"), "") >= 2);
    assert_int_equal(status_of(spawn("call", NULL, NULL)), 0);
    DIR *dir = opendir(at(home, "catalog"));
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".overlay")) flip_byte(at(at(home, "catalog"), entry->d_name), -3);
    closedir(dir);
    assert_int_equal(status_of(spawn("call", NULL, NULL)), 0);
    assert_null(aard__dir_remove(at(home, "catalog")));
    write_file(at(home, "catalog"), "in the way", 10); /* a catalog that can't be had only costs time */
    assert_int_equal(status_of(spawn("call", NULL, NULL)), 0);
    assert_int_equal(unlink(at(home, "catalog")), 0);
    assert_int_equal(status_of(spawn("call", NULL, NULL)), 0);
    assert_int_equal(count_entries(at(home, "catalog"), ""), 2); /* the lock and the overlay */
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

static int do_job(int argc, char **argv)
{
    aard_warm_state *warm = NULL;
    assert_ok(aard_distribution_open(argv[2], &distribution));
    if (argc > 3) assert_ok(aard_warm_state_open(argv[3], distribution, &warm));
    if (!strcmp(argv[1], "draw")) {
        with_javascript = true;
        aard_isolate *isolate = start(warm, NULL);
        FILE *out = fopen(argv[4], "w");
        draw(isolate, out);
        fclose(out);
        aard_isolate_free(isolate);
    } else {
        aard_isolate *isolate = start(warm, the_bundle());
        aard_outcome *outcome = call(isolate, NULL, NULL);
        if (warm) comes_from(outcome, AARD_WARM_DISK, warm);
        const char *wanted = warm ? WARM_VALUE : "[false,1,[\"tiny\",\"base\"],\"words\\n\",\"late\",\"2.0\"]";
        if (strcmp(aard_outcome_value_json(outcome, NULL), wanted) != 0) return 1;
        aard_outcome_free(outcome);
        aard_isolate_free(isolate);
    }
    aard_warm_state_free(warm);
    aard_distribution_free(distribution);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2) return do_job(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolates_start_from_what_was_captured),
        cmocka_unit_test(test_a_state_outlives_who_made_it),
        cmocka_unit_test(test_a_state_tells_what_it_is_of),
        cmocka_unit_test(test_a_state_can_be_captured_again),
        cmocka_unit_test(test_packages_are_added_to_a_state),
        cmocka_unit_test(test_memory_may_have_grown),
        cmocka_unit_test(test_a_file_is_as_good_as_memory),
        cmocka_unit_test(test_a_file_that_was_altered_is_refused),
        cmocka_unit_test(test_what_does_not_fit_is_named),
        cmocka_unit_test(test_a_key_signs_what_is_written),
        cmocka_unit_test(test_a_signature_is_of_one_file_by_one_key),
        cmocka_unit_test(test_the_catalog_looks_at_signatures),
        cmocka_unit_test(test_a_file_that_can_not_be_written_leaves_nothing),
        cmocka_unit_test_setup_teardown(test_objects_of_javascript_are_named, grant_javascript, grant_nothing),
        cmocka_unit_test_setup_teardown(test_what_every_guest_has_is_found_again, grant_javascript, grant_nothing),
        cmocka_unit_test(test_an_open_file_is_named),
        cmocka_unit_test_setup_teardown(test_a_timer_of_javascript_is_not_captured, grant_javascript, grant_nothing),
        cmocka_unit_test(test_loops_go_on),
        cmocka_unit_test(test_a_guest_from_a_state_is_reset),
        cmocka_unit_test(test_callbacks_for_c_are_refused),
        cmocka_unit_test(test_an_import_that_fails_is_named),
        cmocka_unit_test(test_imports_have_a_limit),
        cmocka_unit_test_setup_teardown(test_entropy_is_each_guests_own, grant_javascript, grant_nothing),
        cmocka_unit_test(test_the_generator_of_numpy_is_reseeded),
        cmocka_unit_test(test_the_catalog_keeps_states),
        cmocka_unit_test(test_the_catalog_keeps_overlays),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
