/* Staging: every source, what is refused, added wheels, staging again. */
#include "dist_support.h"

#define NPM_TARBALL "pyodide-0.29.4.tgz"

/* ---- sources ---------------------------------------------------------------------------------------------- */

static void a_directory_stages(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    write_file(at(f->source, "unknown.whl"), "x", 1);
    aard_distribution *d = stage_ok(&r);
    assert_string_equal(aard_distribution_dir(d), core_dir(f));
    assert_int_equal(count_entries(core_dir(f), ""), 5);
    aard_distribution_free(d);

    r.archive = f->temp; /* the files are in a folder of it */
    r.force = true;
    assert_int_equal(rename(f->source, at(f->temp, "pyodide")), 0);
    aard_distribution_free(stage_ok(&r));
    assert_int_equal(rename(at(f->temp, "pyodide"), at(f->temp, "package")), 0);
    aard_distribution_free(stage_ok(&r));
}

static void an_npm_tarball_stages(void **state)
{
    staging_fixture *f = *state;
    char *path = strdup(at(f->temp, NPM_TARBALL));
    request r = {.home = f->home, .archive = path};
    struct archive *a = archive_start(path, false);
    archive_add_core(a, "package", true);
    archive_finish(a);
    aard_distribution_free(stage_ok(&r));
    assert_int_equal(count_entries(core_dir(f), ""), 5);
    free(path);
}

/* The layout of the full release archive, with two packages: everything in one folder, the lock file last. */
static void write_full(const staging_fixture *f, const char *path, bool bzip2, const char *leave_out)
{
    static const char *const files[] = {"one-1.0-py3-none-any.whl", "two-1.0-py3-none-any.whl", "libthree-1.0.zip"};
    json_t *lock = make_lock();
    make_wheel(f->temp, "one", "1.0", "");
    make_wheel(f->temp, "two", "1.0", "");
    write_file(at(f->temp, files[2]), "PK", 2);
    write_file(at(f->temp, "one-tests.tar"), "tests", 5);
    lock_add(lock, "one", "one", f->temp, files[0], "two");
    lock_add(lock, "two", "two", f->temp, files[1], NULL);
    lock_add(lock, "libthree", "libthree", f->temp, files[2], NULL);
    lock_add(lock, "one-tests", "one-tests", f->temp, "one-tests.tar", "one"); /* in the lock, not in the archive */
    lock_write(lock, at(f->temp, "lock.json"));
    json_decref(lock);
    struct archive *a = archive_start(path, bzip2);
    archive_add_core(a, "pyodide", false);
    for (size_t i = 0; i < 3; i++)
        if (!leave_out || strcmp(leave_out, files[i]) != 0)
            archive_add_file(a, at("pyodide", files[i]), at(f->temp, files[i]));
    archive_add(a, "pyodide/unlisted-1.0-py3-none-any.whl", AE_IFREG, NULL, "x", 1);
    archive_add(a, "pyodide/typings/pyodide.d.ts", AE_IFREG, NULL, "x", 1);
    archive_add_file(a, "pyodide/" AARD__FILE_LOCK, at(f->temp, "lock.json"));
    archive_finish(a);
}

static void a_full_release_archive_stages(void **state)
{
    staging_fixture *f = *state;
    char *path = strdup(at(f->temp, "pyodide-0.29.4.tar.bz2"));
    request r = {.home = f->home, .archive = path, .variant = AARD_VARIANT_FULL};
    bool already = false;
    write_full(f, path, true, NULL);
    aard_distribution *d = stage_ok(&r), *again = NULL;
    assert_int_equal(aard_distribution_variant(d), AARD_VARIANT_FULL);
    assert_int_equal(count_entries(aard_distribution_dir(d), ""), 8); /* 4 + 3 and the manifest */
    char suffix[16]; /* another lock file than the release's: the fingerprint is in the name */
    snprintf(suffix, sizeof suffix, "-full-%.8s", aard_distribution_fingerprint(d));
    assert_non_null(strstr(aard_distribution_dir(d), suffix));
    assert_int_equal(aard__distribution_manifest(d)->lock, AARD__LOCK_CUSTOM);
    const char *names[] = {"one"};
    aard__package_list list = {0};
    assert_ok(aard__distribution_resolve(d, names, 1, &list));
    assert_int_equal(list.count, 2);
    aard__package_list_free(&list);
    assert_ok(run_stage(&r, &again, &already));
    assert_true(already);
    aard_distribution_free(again);
    aard_distribution_free(d);

    r.variant = AARD_VARIANT_CORE; /* a core is the release's own, lock file and all */
    assert_refused(run_stage(&r, &d, NULL), AARD_ERR_STAGE_SOURCE, AARD__FILE_LOCK, "SHA-256", NULL);
    free(path);
}

static void a_full_archive_must_be_full(void **state)
{
    staging_fixture *f = *state;
    char *path = strdup(at(f->temp, "pyodide-0.29.4.tar.gz"));
    request r = {.home = f->home, .archive = path, .variant = AARD_VARIANT_FULL};
    write_full(f, path, false, "two-1.0-py3-none-any.whl");
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "two-1.0-py3-none-any.whl", "missing");
    r.archive = NULL;
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "full", "--archive");
    r.archive = f->source; /* the release's own lock names hundreds of packages */
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, ".whl", "missing");
    free(path);
}

/* ---- what is refused ---------------------------------------------------------------------------------------- */

static void files_that_differ_from_their_pins_are_named(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    for (size_t i = 0; i < CORE_FILES; i++) {
        copy_pristine(f->source, core_files[i]);
        flip_byte(at(f->source, core_files[i]), -1);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, core_files[i], "SHA-256");
        flip_byte(at(f->source, core_files[i]), -1);
    }
    for (size_t i = 0; i < CORE_FILES; i++) {
        assert_int_equal(rename(at(f->source, core_files[i]), at(f->temp, "aside")), 0);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, core_files[i]);
        assert_int_equal(mkdir(at(f->source, core_files[i]), 0755), 0);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, core_files[i]);
        assert_int_equal(rmdir(at(f->source, core_files[i])), 0);
        assert_int_equal(rename(at(f->temp, "aside"), at(f->source, core_files[i])), 0);
    }
    aard_distribution_free(stage_ok(&r));
}

static void packages_that_differ_from_their_lock_are_named(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source, .variant = AARD_VARIANT_FULL};
    json_t *lock = make_lock();
    make_wheel(f->source, "one", "1.0", "");
    lock_add(lock, "one", "one", f->source, "one-1.0-py3-none-any.whl", NULL);
    lock_write(lock, at(f->source, AARD__FILE_LOCK));
    flip_byte(at(f->source, "one-1.0-py3-none-any.whl"), 30);
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "one-1.0-py3-none-any.whl", "SHA-256");
    flip_byte(at(f->source, "one-1.0-py3-none-any.whl"), 30);
    aard_distribution_free(stage_ok(&r));
    json_decref(lock);
}

#define LOCK_TEXT(python, abi, packages)                                                                               \
    "{\"info\": {\"python\": \"" python "\", \"abi_version\": \"" abi "\", \"platform\": \"emscripten_4_0_9\"}, "      \
    "\"packages\": " packages "}"

static void bad_lock_files_are_refused(void **state)
{
    staging_fixture *f = *state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"info\": {}, \"packages\": {}}",
        "{\"info\": 1, \"packages\": {}}",
        "{\"packages\": {}, \"packages\": {}}",
        LOCK_TEXT("3.12.0", "2025_0", "{}"),
        LOCK_TEXT("3.13.2", "2024_0", "{}"),
        LOCK_TEXT("3.13.2", "2025_0", "[]"),
        LOCK_TEXT("3.13.2", "2025_0", "{\"a\": {}}"),
    };
    request r = {.home = f->home, .archive = f->source, .variant = AARD_VARIANT_FULL};
    unlink(at(f->source, AARD__FILE_LOCK));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(at(f->source, AARD__FILE_LOCK), bad[i], strlen(bad[i]));
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "lock");
    }

    static const char *const fields[][2] = {{"file_name", "../one.whl"},
                                            {"file_name", "/one.whl"},
                                            {"file_name", "pyodide.asm.js/x"},
                                            {"file_name", ".hidden.whl"},
                                            {"file_name", AARD__DIST_MANIFEST},
                                            {"file_name", "cache"},
                                            {"file_name", ""},
                                            {"sha256", "00"},
                                            {"sha256", "zz"},
                                            {"depends", "one"}};
    make_wheel(f->source, "one", "1.0", "");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_t *lock = make_lock();
        lock_add(lock, "one", "one", f->source, "one-1.0-py3-none-any.whl", NULL);
        json_t *entry = json_object_get(json_object_get(lock, "packages"), "one");
        json_object_set_new(entry, fields[i][0], json_string(fields[i][1]));
        lock_write(lock, at(f->source, AARD__FILE_LOCK));
        json_decref(lock);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "'one'");
    }
    json_t *lock = make_lock(); /* one file for two packages; a key that is no normal name */
    lock_add(lock, "one", "one", f->source, "one-1.0-py3-none-any.whl", NULL);
    lock_add(lock, "two", "two", f->source, "one-1.0-py3-none-any.whl", NULL);
    lock_write(lock, at(f->source, AARD__FILE_LOCK));
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "'one'", "'two'", "same file");
    json_object_del(json_object_get(lock, "packages"), "two");
    lock_add(lock, "On_e", "one", f->source, "one-1.0-py3-none-any.whl", NULL);
    lock_write(lock, at(f->source, AARD__FILE_LOCK));
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, "'On_e'");
    json_decref(lock);
}

typedef struct bad_entry {
    const char *name;
    unsigned type;
    const char *link, *why;
} bad_entry;

static void archives_that_lead_elsewhere_are_refused(void **state)
{
    staging_fixture *f = *state;
    static const bad_entry entries[] = {
        {"pyodide/../../escaped", AE_IFREG, NULL, "leads elsewhere"},
        {"../escaped", AE_IFREG, NULL, "leads elsewhere"},
        {"..", AE_IFDIR, NULL, "leads elsewhere"},
        {"pyodide/..", AE_IFDIR, NULL, "leads elsewhere"},
        {"/tmp/escaped", AE_IFREG, NULL, "absolute"},
        {"other/pyodide.js", AE_IFREG, NULL, "second top folder"},
        {"pyodide2/pyodide.js", AE_IFREG, NULL, "second top folder"},
        {"pyodide/pyodide.js", AE_IFLNK, "/etc/passwd", "symbolic link"},
        {"pyodide/python_stdlib.zip", AE_IFLNK, "pyodide.asm.js", "symbolic link"},
        {"pyodide/pyodide.js", AE_IFREG, "pyodide/pyodide.asm.js", "hard link"},
        {"pyodide/pipe", AE_IFIFO, NULL, "special"},
        {"pyodide/pyodide.asm.js", AE_IFREG, NULL, "two files"},
    };
    char *path = strdup(at(f->temp, "bad.tar.gz"));
    request r = {.home = f->home, .archive = path};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        struct archive *a = archive_start(path, false);
        archive_add(a, "pyodide/pyodide.asm.js", AE_IFREG, NULL, "x", 1);
        archive_add(a, entries[i].name, entries[i].type, entries[i].link, NULL, 0);
        archive_finish(a);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path, entries[i].why);
        assert_false(exists(at(f->temp, "escaped")) || exists("/tmp/escaped"));
    }
    free(path);
}

static void damaged_archives_are_refused(void **state)
{
    staging_fixture *f = *state;
    char *path = strdup(at(f->temp, "p.tar.gz"));
    request r = {.home = f->home, .archive = path};
    size_t len;
    struct archive *a = archive_start(path, false);
    archive_add_core(a, "pyodide", true);
    archive_finish(a);
    char *data = read_file(path, &len);
    const size_t cuts[] = {0, 1, 10, 512, len / 3, len / 2, len - len / 10};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_file(path, data, cuts[i]);
        assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path);
    }
    data[len / 2] ^= 0x55;
    write_file(path, data, len);
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path);
    write_file(path, "This is no archive, but a text.\n", 32);
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path, ".tar.bz2");
    write_file(path, "PK\3\4", 4);
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path);
    unlink(path);
    assert_stage_refused(&r, AARD_ERR_NOT_FOUND, path);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_stage_refused(&r, AARD_ERR_STAGE_SOURCE, path, "no Pyodide");
    free(data);
    free(path);
}

static void other_versions_are_refused(void **state)
{
    staging_fixture *f = *state;
    aard_stage_options *options = NULL;
    aard_distribution *d = NULL;
    assert_ok(aard_stage_options_new(&options));
    assert_ok(aard_stage_options_set_home(options, f->home));
    assert_ok(aard_stage_options_set_version(options, "0.28.0"));
    assert_refused(aard_distribution_stage(options, &d, NULL), AARD_ERR_STAGE_SOURCE, "0.28.0", "0.29.4", NULL);
    assert_ok(aard_stage_options_set_version(options, "0.29.4"));
    aard_stage_options_set_variant(options, (aard_variant)7);
    assert_refused(aard_distribution_stage(options, &d, NULL), AARD_ERR_INVALID_ARGUMENT, "7", NULL);
    aard_stage_options_free(options);
    aard_stage_options_free(NULL);
    assert_false(exists(f->home));
}

/* ---- wheels ------------------------------------------------------------------------------------------------- */

static void wheels_are_added_to_the_lock(void **state)
{
    staging_fixture *f = *state;
    char *one = strdup(make_wheel(f->temp, "New_One", "2.0",
                                  "Requires-Dist: new-two>=1\nRequires-Dist: micropip\nRequires-Dist: unheard-of\n"
                                  "Requires-Dist: numpy; sys_platform == 'win32'\n"));
    char *two = strdup(make_wheel(f->temp, "new_two", "1.0", ""));
    char *own = strdup(make_wheel(f->temp, "micropip", "99", "")); /* in the release's lock already */
    request r = {.home = f->home, .archive = f->source, .wheels = {one, two, own}};
    aard_distribution *d = stage_ok(&r), *other = NULL;
    const char *names[] = {"new.one"};
    aard__package_list list = {0};
    bool already = false;
    char suffix[16];
    snprintf(suffix, sizeof suffix, "-core-%.8s", aard_distribution_fingerprint(d));
    assert_non_null(strstr(aard_distribution_dir(d), suffix));
    assert_int_equal(count_entries(aard_distribution_dir(d), ""), 8);
    assert_ok(aard__distribution_resolve(d, names, 1, &list));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0]->name, "micropip");
    assert_string_equal(list.items[0]->version, "99");
    assert_string_equal(list.items[1]->name, "new_two");
    assert_string_equal(list.items[2]->name, "New_One");
    assert_string_equal(list.items[2]->file_name, "New_One-2.0-py3-none-any.whl");
    aard__package_list_free(&list);

    json_t *lock = json_load_file(at(aard_distribution_dir(d), AARD__FILE_LOCK), 0, NULL);
    json_t *entry = json_object_get(json_object_get(lock, "packages"), "new-one");
    const char *import = NULL, *kind = NULL;
    assert_int_equal(json_unpack(entry, "{s:[s!], s:s}", "imports", &import, "package_type", &kind), 0);
    assert_string_equal(import, "New_One");
    assert_string_equal(kind, "package");
    assert_non_null(json_object_get(json_object_get(lock, "packages"), "numpy")); /* the rest is still there */
    json_decref(lock);

    request swapped = {.home = f->home, .archive = f->source, .wheels = {own, two, one}};
    assert_ok(run_stage(&swapped, &other, &already)); /* the order makes no difference */
    assert_true(already);
    assert_string_equal(aard_distribution_fingerprint(other), aard_distribution_fingerprint(d));
    aard_distribution_free(other);
    aard_distribution_free(d);
    free(one);
    free(two);
    free(own);
}

static void bad_wheels_end_the_staging(void **state)
{
    staging_fixture *f = *state;
    char *one = strdup(make_wheel(f->temp, "one", "1.0", "")), *more = strdup(make_wheel(f->temp, "One", "2.0", ""));
    request twice = {.home = f->home, .archive = f->source, .wheels = {one, more}};
    assert_stage_refused(&twice, AARD_ERR_WHEEL_INVALID, one, more, "same package");
    request missing = {.home = f->home, .archive = f->source, .wheels = {at(f->temp, "no-1-py3-none-any.whl")}};
    assert_stage_refused(&missing, AARD_ERR_NOT_FOUND, "no-1-py3-none-any.whl");
    write_file(one, "PK", 2);
    request bad = {.home = f->home, .archive = f->source, .wheels = {one}};
    assert_stage_refused(&bad, AARD_ERR_WHEEL_INVALID, one);
    free(one);
    free(more);
}

static void a_wheel_takes_the_place_of_a_package(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source, .variant = AARD_VARIANT_FULL};
    json_t *lock = make_lock();
    make_wheel(f->source, "one", "1.0", "");
    lock_add(lock, "one", "one", f->source, "one-1.0-py3-none-any.whl", NULL);
    lock_write(lock, at(f->source, AARD__FILE_LOCK));
    json_decref(lock);
    char *newer = strdup(make_wheel(f->temp, "one", "2.0", "")),
         *same = strdup(make_wheel(f->temp, "one", "1.0", "Summary: x\n"));
    r.wheels[0] = newer;
    aard_distribution *d = stage_ok(&r);
    assert_true(exists(at(aard_distribution_dir(d), "one-2.0-py3-none-any.whl")));
    assert_false(exists(at(aard_distribution_dir(d), "one-1.0-py3-none-any.whl")));
    aard_distribution_free(d);
    r.wheels[0] = same; /* of the very same name */
    d = stage_ok(&r);
    assert_true(exists(at(aard_distribution_dir(d), "one-1.0-py3-none-any.whl")));
    aard_distribution_free(d);
    free(newer);
    free(same);
}

/* ---- again, and again with force ---------------------------------------------------------------------------- */

static void staging_again_changes_nothing_unless_forced(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    struct stat first, second, third;
    bool already = false;
    aard_distribution *d = stage_ok(&r), *open = NULL;
    assert_int_equal(stat(core_dir(f), &first), 0);
    assert_ok(run_stage(&r, &open, &already));
    assert_true(already);
    assert_int_equal(stat(core_dir(f), &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    aard_distribution_free(open);

    request npm = {.home = f->home}; /* known by its pins: no source is asked */
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    assert_ok(run_stage(&npm, &open, &already));
    assert_true(already);
    aard_distribution_free(open);
    setenv("PATH", path, 1);
    free(path);

    const void *data = NULL;
    size_t len = 0;
    assert_ok(aard__distribution_file(d, AARD__FILE_WASM, &data, &len));
    r.force = true;
    aard_distribution_free(stage_ok(&r));
    assert_int_equal(stat(core_dir(f), &third), 0);
    assert_int_not_equal(first.st_ino, third.st_ino);
    assert_memory_equal(data, "\0asm", 4); /* what was open stays good */
    assert_ok(aard_distribution_verify(d));
    aard_distribution_free(d);
}

static void a_broken_one_in_the_way_is_replaced(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    assert_ok(aard__dir_make(core_dir(f)));
    aard_distribution_free(stage_ok(&r));
    assert_int_equal(unlink(at(core_dir(f), AARD__FILE_WASM)), 0);
    aard_distribution_free(stage_ok(&r));
}

/* What has the name of a distribution and is none, or has something else in it, is not a staging's to remove. */
static void what_is_no_distribution_is_left_alone(void **state)
{
    staging_fixture *f = *state;
    request r = {.home = f->home, .archive = f->source};
    aard_distribution *none = NULL;
    assert_ok(aard__dir_make(core_dir(f)));
    write_file(at(core_dir(f), "thesis.tex"), "x", 1);
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_IO, "thesis.tex", "--force", NULL);
    assert_true(exists(at(core_dir(f), "thesis.tex")));
    assert_int_equal(rename(at(core_dir(f), "thesis.tex"), at(core_dir(f), "x-1-py3-none-any.whl")), 0);
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_IO, "in the way", NULL);
    r.force = true;
    aard_distribution_free(stage_ok(&r));
    r.force = false;
    assert_int_equal(unlink(at(core_dir(f), AARD__FILE_WASM)), 0);
    write_file(at(core_dir(f), "notes"), "x", 1); /* in one of ours */
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_IO, "'notes'", NULL);
    assert_ok(aard__dir_remove(core_dir(f)));
    write_file(core_dir(f), "a file", 6);
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_IO, "in the way", NULL);
    assert_ok(aard__dir_remove(core_dir(f)));
    assert_int_equal(symlink(f->source, core_dir(f)), 0);
    assert_refused(run_stage(&r, &none, NULL), AARD_ERR_IO, "in the way", NULL);
    assert_true(exists(at(f->source, AARD__FILE_WASM)));
    r.force = true;
    aard_distribution_free(stage_ok(&r));
    assert_true(exists(at(f->source, AARD__FILE_WASM)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGING_TEST(a_directory_stages),
        STAGING_TEST(an_npm_tarball_stages),
        STAGING_TEST(a_full_release_archive_stages),
        STAGING_TEST(a_full_archive_must_be_full),
        STAGING_TEST(files_that_differ_from_their_pins_are_named),
        STAGING_TEST(packages_that_differ_from_their_lock_are_named),
        STAGING_TEST(bad_lock_files_are_refused),
        STAGING_TEST(archives_that_lead_elsewhere_are_refused),
        STAGING_TEST(damaged_archives_are_refused),
        STAGING_TEST(other_versions_are_refused),
        STAGING_TEST(wheels_are_added_to_the_lock),
        STAGING_TEST(bad_wheels_end_the_staging),
        STAGING_TEST(a_wheel_takes_the_place_of_a_package),
        STAGING_TEST(staging_again_changes_nothing_unless_forced),
        STAGING_TEST(a_broken_one_in_the_way_is_replaced),
        STAGING_TEST(what_is_no_distribution_is_left_alone),
    };
    return cmocka_run_group_tests_name("staging", tests, NULL, NULL);
}
