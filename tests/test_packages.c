/* Packages of a bundle's manifest: staged with a distribution, installed before the bundle is mounted. */
#include <sys/resource.h>

#include "base/alloc.h"
#include "dist_support.h"
#include "guest/python/packages.h"
#include "warm/overlay.h"

typedef struct staged {
    char *temp, *home;
    aard_distribution *distribution;
} staged;

static int set_up(void **state)
{
    staged *s = calloc(1, sizeof *s);
    s->temp = make_temp();
    s->home = strdup(at(s->temp, "home"));
    make_source(at(s->temp, "source"));
    assert_int_equal(setenv("AARDVARK_HOME", s->temp, 1), 0); /* a catalog of its own */
    request r = {.home = s->home, .archive = at(s->temp, "source")};
    make_tiny_wheels(s->temp, r.wheels);
    s->distribution = stage_ok(&r);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    staged *s = *state;
    aard_distribution_free(s->distribution);
    remove_temp(s->temp);
    free(s->home);
    free(s);
    return 0;
}

/* A bundle whose manifest wants `packages` (JSON); "main:f" tells what it finds. */
static aard_bundle *wanting(const staged *s, const char *packages)
{
    static const char main_py[] =
        "import sys, importlib.metadata, importlib.resources\n"
        "def f():\n"
        "    import tiny_pkg\n"
        "    words = importlib.resources.files('tiny_pkg').joinpath('data/words.txt').read_text()\n"
        "    return [tiny_pkg.VALUE, words, importlib.metadata.version('tiny-pkg')]\n"
        "def absent():\n"
        "    return 'tiny_pkg' in sys.modules\n";
    char manifest[256];
    snprintf(manifest, sizeof manifest, "{\"schemaVersion\":\"1.0\",\"entrypoint\":\"main:f\",\"packages\":%s}",
             packages);
    const char *const files[][2] = {{"aardvark.manifest.json", manifest}, {"main.py", main_py}};
    aard_bundle *bundle = NULL;
    make_zip(at(s->temp, "bundle.zip"), files, 2);
    assert_ok(aard_bundle_open(at(s->temp, "bundle.zip"), NULL, &bundle));
    return bundle;
}

static aard_isolate *booted(const staged *s)
{
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    assert_ok(aard_isolate_config_new(&config));
    aard_isolate_config_set_distribution(config, s->distribution);
    assert_ok(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    return isolate;
}

static void gives(aard_isolate *isolate, const char *entrypoint, const char *value)
{
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_new(isolate, entrypoint, &handler));
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    if (!aard_outcome_is_success(outcome)) fail_msg("%s", aard_outcome_failure_message(outcome));
    assert_string_equal(aard_outcome_value_json(outcome, NULL), value);
    aard_outcome_free(outcome);
    aard_handler_free(handler);
}

static void test_packages_come_with_what_they_need(void **state)
{
    staged *s = *state;
    static const char wanted[] = "[[\"tiny\",\"base\"],\"words\\n\",\"2.0\"]";
    aard_isolate *isolate = booted(s);
    aard_bundle *plain = wanting(s, "[]"), *bundle = wanting(s, "[\" TINY.pkg \",\"tiny_pkg\"]");
    assert_ok(aard_isolate_load_bundle(isolate, plain));
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    assert_ok(aard_handler_new(isolate, NULL, &handler));
    assert_ok(aard_handler_invoke(handler, NULL, &outcome));
    assert_string_equal(aard_outcome_exception_type(outcome), "ModuleNotFoundError"); /* staged is not installed */
    aard_outcome_free(outcome);
    aard_handler_free(handler);
    for (int i = 0; i < 2; i++) { /* twice is no more than once */
        assert_ok(aard_isolate_load_bundle(isolate, bundle));
        gives(isolate, NULL, wanted);
    }
    /* A guest that takes the place of a broken one has them, too. */
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_wall_limit_ms(what, 50);
    assert_ok(aard_isolate_exec(isolate, "while True: pass", 16, NULL, what, &outcome));
    assert_int_equal(aard_outcome_failure_kind(outcome), AARD_FAILURE_TIMEOUT_EXCEEDED);
    aard_outcome_free(outcome);
    aard_call_free(what);
    gives(isolate, NULL, wanted);
    aard_bundle_free(plain);
    aard_bundle_free(bundle);
    aard_isolate_free(isolate);
}

static void test_a_package_that_is_not_there_is_named(void **state)
{
    staged *s = *state;
    aard_isolate *isolate = booted(s);
    aard_bundle *bundle = wanting(s, "[\"tiny-pkg\",\"No_Such.Package\"]"), *plain = wanting(s, "[]");
    assert_refused(aard_isolate_load_bundle(isolate, bundle), AARD_ERR_PACKAGE_NOT_FOUND, "no-such-package", NULL);
    aard_handler *handler = NULL;
    assert_refused(aard_handler_new(isolate, "main:f", &handler), AARD_ERR_ENTRYPOINT_MISSING, NULL); /* not mounted */
    assert_ok(aard_isolate_load_bundle(isolate, plain));
    gives(isolate, "main:absent", "false");
    aard_bundle_free(bundle);
    aard_bundle_free(plain);
    aard_isolate_free(isolate);
}

/* ---- where they are unpacked to ------------------------------------------------------------------------------- */

static int overlays_in(const char *catalog) { return count_entries(catalog, "") - count_entries(catalog, ".lock"); }

/* Each in a directory of its own, once the process has let go of what it had unpacked before. */
static void test_a_configuration_has_a_catalog_of_its_own(void **state)
{
    staged *s = *state;
    aard_bundle *bundle = wanting(s, "[\"tiny-pkg\"]");
    aard_catalog *catalog;
    aard_isolate_config *config;
    aard_isolate *isolate;
    char *dir = strdup(at(s->temp, "other"));
    aard_overlays_release();
    assert_ok(aard_catalog_open(dir, 0, &catalog));
    assert_ok(aard_isolate_config_new(&config));
    aard_isolate_config_set_distribution(config, s->distribution);
    aard_isolate_config_set_catalog(config, catalog);
    assert_true(aard_isolate_config_catalog(config) == catalog);
    aard_catalog_free(catalog);
    for (int i = 0; i < 2; i++) {
        assert_ok(aard_isolate_new(config, &isolate));
        assert_ok(aard_isolate_load_bundle(isolate, bundle));
        gives(isolate, "main:absent", "false");
        assert_int_equal(overlays_in(dir), 1);
        assert_int_equal(aard_overlays_release(), 0); /* it is in use */
        aard_isolate_free(isolate);
        assert_int_equal(aard_overlays_release(), 1);
        assert_int_equal(aard_overlays_release(), 0);
        if (i == 0) aard_isolate_config_set_catalog(config, NULL);
    }
    assert_true(overlays_in(at(s->temp, "catalog")) >= 1);
    aard_isolate_config_free(config);
    aard_bundle_free(bundle);
    free(dir);
}

static void test_a_guest_in_another_process_unpacks_to_it_too(void **state)
{
    staged *s = *state;
    aard_bundle *bundle = wanting(s, "[\"tiny-pkg\"]");
    aard_catalog *catalog;
    aard_isolate_config *config;
    aard_isolate *isolate;
    char *dir = strdup(at(s->temp, "third")), helper[300];
    snprintf(helper, sizeof helper, "%s/aardvark-guest", getenv("AARDVARK_BUILD") ? getenv("AARDVARK_BUILD") : "build");
    assert_int_equal(setenv("AARDVARK_GUEST_HELPER", helper, 1), 0);
    assert_ok(aard_catalog_open(dir, 0, &catalog));
    assert_ok(aard_isolate_config_new(&config));
    aard_isolate_config_set_distribution(config, s->distribution);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_catalog(config, catalog);
    aard_catalog_free(catalog);
    assert_ok(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    assert_ok(aard_isolate_load_bundle(isolate, bundle));
    gives(isolate, NULL, "[[\"tiny\",\"base\"],\"words\\n\",\"2.0\"]");
    assert_int_equal(overlays_in(dir), 1);
    aard_isolate_free(isolate);
    aard_bundle_free(bundle);
    free(dir);
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

static bool stops_after(void *user) { return --*(int *)user < 0; }

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* A small wheel with much in it is unpacked piece by piece, and not for longer than whoever waits for it wants. */
static void test_packages_are_unpacked_within_limits(void **state)
{
    staged *s = *state;
    enum { MIB = 160 };
    static char metadata[] = "Name: zeros\nVersion: 1\n", record[400];
    char *zeros = calloc(MIB, 1 << 20), *lines = NULL, base64[64];
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (unsigned char *)zeros, (unsigned long long)MIB << 20);
    sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(record, sizeof record, "zeros/x.bin,sha256=%s,%d\nzeros-1.dist-info/METADATA,,\n", base64, MIB << 20);
    zip_t *zip = zip_open(at(s->temp, "zeros-1-py3-none-any.whl"), ZIP_CREATE | ZIP_EXCL, NULL);
    const struct {
        const char *name, *data;
        size_t len;
    } files[] = {{"zeros/x.bin", zeros, (size_t)MIB << 20},
                 {"zeros-1.dist-info/METADATA", metadata, sizeof metadata - 1},
                 {"zeros-1.dist-info/RECORD", record, strlen(record)}};
    for (size_t i = 0; i < 3; i++)
        assert_true(zip_file_add(zip, files[i].name, zip_source_buffer(zip, files[i].data, files[i].len, 0), 0) >= 0);
    assert_int_equal(zip_close(zip), 0);
    free(zeros);
    request r = {
        .home = s->home, .archive = at(s->temp, "source"), .wheels = {at(s->temp, "zeros-1-py3-none-any.whl")}};
    aard_distribution *distribution = stage_ok(&r);
    static const char *const names[] = {"zeros"};
    assert_ok(aard__packages_lines(distribution, names, 1, &lines));
    aard__overlay *overlay = NULL;
    char *catalog = strdup(at(s->temp, "catalog"));

    int looks = 1; /* it is asked before anything is unpacked, and then for every piece */
    aard__packages_rules rules = {stops_after, &looks, 0, NULL};
    assert_refused(aard__packages_overlay(distribution, lines, &rules, &overlay), AARD_ERR_GUEST_BOOT, "in time", NULL);
    assert_int_equal(looks, -1);
    looks = 100;
    assert_refused(aard__packages_overlay(distribution, lines, &rules, &overlay), AARD_ERR_GUEST_BOOT, "in time", NULL);
    assert_int_equal(count_entries(catalog, ""), count_entries(catalog, ".lock") + 1); /* the tiny ones' */

    assert_int_equal(rename(catalog, at(s->temp, "put away")), 0);
    write_file(catalog, "no directory", 12);
    rules = (aard__packages_rules){.memory_bytes = 64 << 20};
    assert_refused(aard__packages_overlay(distribution, lines, &rules, &overlay), AARD_ERR_BUNDLE_TOO_LARGE, "160 MiB",
                   "64 MiB", NULL);
    assert_int_equal(unlink(catalog), 0);
    assert_int_equal(rename(at(s->temp, "put away"), catalog), 0);

    long before = peak_kib();
    assert_ok(aard__packages_overlay(distribution, lines, &rules, &overlay));
    assert_true(peak_kib() - before < MIB * 1024 / 2);
    assert_int_equal(aard__overlay_file(overlay, aard__overlay_count(overlay) - 1).len, (size_t)MIB << 20);
    aard__overlay_free(overlay);
    aard__free(lines);
    aard_distribution_free(distribution);
    free(catalog);
}

static void test_a_package_that_was_altered_is_refused(void **state)
{
    staged *s = *state;
    char *name = at(aard_distribution_dir(s->distribution), "tiny_pkg-2.0-py3-none-any.whl");
    if (!exists(name)) fail_msg("'%s' is not there", name);
    char *path = strdup(name);
    flip_byte(path, 40);
    aard_isolate *isolate = booted(s);
    aard_bundle *bundle = wanting(s, "[\"tiny-pkg\"]");
    assert_refused(aard_isolate_load_bundle(isolate, bundle), AARD_ERR_DISTRIBUTION_CORRUPT, "tiny_pkg-2.0", NULL);
    aard_bundle_free(bundle);
    aard_isolate_free(isolate);
    flip_byte(path, 40);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_package_that_was_altered_is_refused), /* before it is unpacked */
        cmocka_unit_test(test_packages_come_with_what_they_need),
        cmocka_unit_test(test_a_package_that_is_not_there_is_named),
        cmocka_unit_test(test_a_configuration_has_a_catalog_of_its_own),
        cmocka_unit_test(test_a_guest_in_another_process_unpacks_to_it_too),
        cmocka_unit_test(test_packages_are_unpacked_within_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
