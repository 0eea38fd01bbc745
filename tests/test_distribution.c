/* Open distributions: finding, verifying, listing, reading and resolving. */
#include "dist_support.h"

#include <pthread.h>

#include "base/alloc.h"

typedef struct fixture {
    char *temp, *home, *source;
    char *core, *full; /* directories of staged distributions */
} fixture;

static void write_sources(const fixture *f)
{
    static const char *const wheels[][3] = {{"alpha", "Alpha_One", "beta.two"}, {"beta", "beta-two", "GAMMA"},
                                            {"gamma", "gamma", NULL},           {"ring_a", "ring-a", "ring_b"},
                                            {"ring_b", "ring-b", "ring_a"},     {"needy", "needy", "no-such-thing"}};
    json_t *lock = make_lock();
    make_source(f->source);
    for (size_t i = 0; i < sizeof wheels / sizeof wheels[0]; i++) {
        char file[128], key[AARD__PACKAGE_NAME_MAX + 1];
        make_wheel(f->source, wheels[i][0], "1.0", "");
        snprintf(file, sizeof file, "%s-1.0-py3-none-any.whl", wheels[i][0]);
        assert_true(aard__package_key(wheels[i][1], strlen(wheels[i][1]), key));
        lock_add(lock, key, wheels[i][1], f->source, file, wheels[i][2]);
    }
    lock_write(lock, at(f->source, AARD__FILE_LOCK));
    json_decref(lock);
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->temp = make_temp();
    f->home = strdup(at(f->temp, "home"));
    f->source = strdup(at(f->temp, "source"));
    request core = {.home = f->home, .archive = pristine()};
    aard_distribution *distribution = stage_ok(&core);
    f->core = strdup(aard_distribution_dir(distribution));
    aard_distribution_free(distribution);
    write_sources(f);
    request full = {.home = f->home, .archive = f->source, .variant = AARD_VARIANT_FULL};
    distribution = stage_ok(&full);
    f->full = strdup(aard_distribution_dir(distribution));
    aard_distribution_free(distribution);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    remove_temp(f->temp);
    free(f->home);
    free(f->source);
    free(f->core);
    free(f->full);
    free(f);
    return 0;
}

static aard_error *open_and_verify(const char *dir)
{
    aard_distribution *distribution = NULL;
    aard_error *error = aard_distribution_open(dir, &distribution);
    if (!error) error = aard_distribution_verify(distribution);
    aard_distribution_free(distribution);
    return error;
}

static void facts_of_an_open_distribution(void **state)
{
    fixture *f = *state;
    aard_distribution *d = NULL;
    assert_ok(aard_distribution_open(f->core, &d));
    assert_string_equal(aard_distribution_dir(d), f->core);
    assert_string_equal(aard_distribution_pyodide_version(d), "0.29.4");
    assert_int_equal(aard_distribution_variant(d), AARD_VARIANT_CORE);
    assert_int_equal(strspn(aard_distribution_fingerprint(d), "0123456789abcdef"), 64);
    assert_ptr_equal(aard_distribution_retain(d), d);
    aard_distribution_free(d);
    assert_ok(aard_distribution_verify(d));
    aard_distribution_free(d);
    aard_distribution_free(NULL);
}

/* Written down from the rule in docs/distribution.md, not with the library's own function. */
static void fingerprint_follows_the_documented_rule(void **state)
{
    fixture *f = *state;
    crypto_generichash_state hasher;
    uint8_t hash[32], length[8] = {0};
    char hex[65];
    const char *versions[] = {"0.29.4", "2"};
    crypto_generichash_init(&hasher, NULL, 0, 32);
    for (size_t i = 0; i < CORE_FILES; i++) {
        size_t len;
        char *data = read_file(at(f->core, core_files[i]), &len);
        crypto_generichash(hash, 32, (unsigned char *)data, len, NULL, 0);
        free(data);
        length[0] = (uint8_t)strlen(core_files[i]);
        crypto_generichash_update(&hasher, length, 8);
        crypto_generichash_update(&hasher, (const unsigned char *)core_files[i], length[0]);
        length[0] = 32;
        crypto_generichash_update(&hasher, length, 8);
        crypto_generichash_update(&hasher, hash, 32);
    }
    for (size_t i = 0; i < 2; i++) {
        length[0] = (uint8_t)strlen(versions[i]);
        crypto_generichash_update(&hasher, length, 8);
        crypto_generichash_update(&hasher, (const unsigned char *)versions[i], length[0]);
    }
    crypto_generichash_final(&hasher, hash, 32);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    aard_distribution *d = NULL;
    assert_ok(aard_distribution_open(f->core, &d));
    assert_string_equal(aard_distribution_fingerprint(d), hex);
    aard_distribution_free(d);
}

static void a_flipped_byte_is_found_and_named(void **state)
{
    fixture *f = *state;
    const char *dirs[] = {f->core, f->full};
    for (size_t k = 0; k < 2; k++) {
        DIR *dir = opendir(dirs[k]);
        int files = 0;
        for (struct dirent *entry; (entry = readdir(dir));) {
            if (entry->d_name[0] == '.') continue;
            for (long position = -1; position < 3; position += 2) { /* the last byte, the second byte */
                flip_byte(at(dirs[k], entry->d_name), position);
                assert_refused(open_and_verify(dirs[k]),
                               strcmp(entry->d_name, AARD__DIST_MANIFEST) ? AARD_ERR_DISTRIBUTION_CORRUPT
                                                                          : AARD_ERR_DISTRIBUTION_INVALID,
                               entry->d_name, NULL);
                flip_byte(at(dirs[k], entry->d_name), position);
            }
            files++;
        }
        closedir(dir);
        assert_int_equal(files, k ? 11 : 5);
        assert_ok(open_and_verify(dirs[k]));
    }
}

static void missing_short_and_extra_files_are_named(void **state)
{
    fixture *f = *state;
    char *wheel = strdup(at(f->full, "gamma-1.0-py3-none-any.whl")), *aside = strdup(at(f->temp, "aside"));
    assert_int_equal(rename(wheel, aside), 0);
    assert_refused(open_and_verify(f->full), AARD_ERR_DISTRIBUTION_CORRUPT, "gamma-1.0-py3-none-any.whl", "missing",
                   NULL);
    write_file(wheel, "short", 5);
    assert_refused(open_and_verify(f->full), AARD_ERR_DISTRIBUTION_CORRUPT, "gamma-1.0-py3-none-any.whl", "bytes",
                   NULL);
    assert_int_equal(rename(aside, wheel), 0);

    aard_distribution *d = NULL;
    assert_ok(aard_distribution_open(f->full, &d)); /* verify sees what happens after opening, too */
    assert_int_equal(rename(wheel, aside), 0);
    assert_refused(aard_distribution_verify(d), AARD_ERR_DISTRIBUTION_CORRUPT, "gamma-1.0-py3-none-any.whl", "missing",
                   NULL);
    assert_int_equal(symlink("/dev/zero", wheel), 0);
    assert_refused(aard_distribution_verify(d), AARD_ERR_DISTRIBUTION_CORRUPT, "gamma-1.0-py3-none-any.whl", "regular",
                   NULL);
    assert_int_equal(rename(aside, wheel), 0);
    write_file(at(f->full, "b-extra"), "", 0);
    write_file(at(f->full, ".a-hidden"), "", 0);
    assert_refused(aard_distribution_verify(d), AARD_ERR_DISTRIBUTION_CORRUPT, ".a-hidden", "not part", NULL);
    assert_int_equal(unlink(at(f->full, ".a-hidden")), 0);
    assert_refused(aard_distribution_verify(d), AARD_ERR_DISTRIBUTION_CORRUPT, "b-extra", "not part", NULL);
    assert_int_equal(unlink(at(f->full, "b-extra")), 0);

    assert_int_equal(mkdir(at(f->full, "cache"), 0755), 0); /* derived files are nobody's business here */
    write_file(at(f->full, "cache/code"), "x", 1);
    assert_ok(aard_distribution_verify(d));
    assert_null(aard__dir_remove(at(f->full, "cache")));
    aard_distribution_free(d);
    free(wheel);
    free(aside);
}

static void replace_text(const char *path, const char *from, const char *to)
{
    size_t len;
    char *text = read_file(path, &len), *found = strstr(text, from);
    assert_non_null(found);
    char *changed = malloc(len + strlen(to) + 1);
    int n = sprintf(changed, "%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
    write_file(path, changed, (size_t)n);
    free(changed);
    free(text);
}

static void tampered_manifests_are_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *from, *to;
        aard_error_code code;
    } cases[] = {
        {"\"layout\": 2", "\"layout\": 3", AARD_ERR_DISTRIBUTION_MISMATCH},
        {"\"layout\": 2", "\"layout\": \"2\"", AARD_ERR_DISTRIBUTION_INVALID},
        {"\"size\": 122027", "\"size\": -1", AARD_ERR_DISTRIBUTION_INVALID},
        {"\"size\": 122027", "\"size\": 122027.0", AARD_ERR_DISTRIBUTION_INVALID},
        {"pyodide.asm.js\"", "../pyodide.asm.js\"", AARD_ERR_DISTRIBUTION_INVALID},
        {"pyodide.asm.js\"", "pyodide.asm.jt\"", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"\"blake2b\": \"c", "\"blake2b\": \"d", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"\"fingerprint\": \"", "\"fingerprint\": \"0", AARD_ERR_DISTRIBUTION_INVALID},
        {"\"variant\": \"core\"", "\"variant\": \"rore\"", AARD_ERR_DISTRIBUTION_INVALID},
        {"\"pyodide_version\": \"0.29.4\"", "\"pyodide_version\": \"0.29.3\"", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"{\n", "{\n  \"more\": 1,\n", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"{\n", "{\n\n", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"}\n}\n", "}\n}\n ", AARD_ERR_DISTRIBUTION_CORRUPT},
        {"}\n}\n", "}\n", AARD_ERR_DISTRIBUTION_INVALID},
        {"{\n", "[\n", AARD_ERR_DISTRIBUTION_INVALID},
    };
    size_t len;
    char *manifest = strdup(at(f->core, AARD__DIST_MANIFEST)), *text = read_file(manifest, &len);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        replace_text(manifest, cases[i].from, cases[i].to);
        assert_refused(open_and_verify(f->core), cases[i].code, AARD__DIST_MANIFEST, NULL);
        write_file(manifest, text, len);
    }
    replace_text(manifest, "\"size\": 122027", "\"size\": 122028");
    assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_CORRUPT, AARD__FILE_LOCK, "122028", NULL);
    write_file(manifest, text, len);
    free(text);
    free(manifest);
}

static void no_flipped_bit_of_a_manifest_goes_through(void **state)
{
    fixture *f = *state;
    size_t len;
    char *manifest = strdup(at(f->core, AARD__DIST_MANIFEST)), *text = read_file(manifest, &len);
    for (size_t i = 0; i < 8 * len; i++) {
        aard_distribution *d = NULL;
        text[i / 8] ^= (char)(1 << i % 8);
        write_file(manifest, text, len);
        aard_error *error = aard_distribution_open(f->core, &d);
        if (!error) fail_msg("a flip of bit %zu of byte %zu went through", i % 8, i / 8);
        aard_error_free(error);
        text[i / 8] ^= (char)(1 << i % 8);
    }
    write_file(manifest, text, len);
    assert_ok(open_and_verify(f->core));
    free(text);
    free(manifest);
}

/* Writes a manifest that is consistent in itself, as somebody who knows the rule could. */
static void forge(const fixture *f, const char *pyodide, int layout, const char *glue_hash, bool all)
{
    aard__dist_manifest *m = NULL;
    aard__buf text = AARD__BUF_INIT;
    assert_ok(aard__dist_manifest_new(pyodide, &m));
    m->layout = layout;
    for (size_t i = 0; i < (size_t)CORE_FILES - !all; i++) {
        const aard__pinned_file *pin = &aard__pins_0_29.files[i];
        bool glue = strcmp(pin->name, AARD__FILE_GLUE) == 0;
        assert_ok(aard__dist_manifest_add(m, pin->name, pin->size, glue && glue_hash ? glue_hash : pin->blake2b));
    }
    aard__dist_manifest_seal(m);
    aard__dist_manifest_write(m, &text);
    write_file(at(f->core, AARD__DIST_MANIFEST), text.data, text.len);
    aard__buf_free(&text);
    aard__dist_manifest_free(m);
}

static void other_versions_and_other_files_are_refused(void **state)
{
    fixture *f = *state;
    size_t len;
    char *text = read_file(at(f->core, AARD__DIST_MANIFEST), &len);
    forge(f, "0.29.3", AARD__DIST_LAYOUT, NULL, true);
    assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_MISMATCH, "0.29.3", "0.29.4", NULL);
    for (int layout = 0; layout < 5; layout++) {
        if (layout == AARD__DIST_LAYOUT) continue;
        char named[32];
        snprintf(named, sizeof named, "has layout %d", layout);
        forge(f, "0.29.4", layout, NULL, true);
        assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_MISMATCH, f->core, named, "reads layout 2",
                       "stage it again", NULL);
    }
    static const char before[] = "{\"format\": 1, \"pyodide_version\": \"0.29.4\", \"adapter_version\": \"0.3.0\"}";
    write_file(at(f->core, AARD__DIST_MANIFEST), before, sizeof before - 1);
    assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_MISMATCH, f->core, "by aardvark 0.3.0",
                   "reads layout 2", "stage it again", NULL);
    forge(f, "0.29.4", AARD__DIST_LAYOUT, aard__pins_0_29.files[0].blake2b, true);
    assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_INVALID, AARD__FILE_GLUE, NULL);
    forge(f, "0.29.4", AARD__DIST_LAYOUT, NULL, false);
    assert_refused(open_and_verify(f->core), AARD_ERR_DISTRIBUTION_INVALID, AARD__FILE_STDLIB, NULL);
    forge(f, "0.29.4", AARD__DIST_LAYOUT, NULL, true);
    size_t again_len;
    char *again = read_file(at(f->core, AARD__DIST_MANIFEST), &again_len);
    assert_string_equal(again, text); /* the rule gives what staging wrote */
    free(again);
    free(text);
}

static void the_environment_names_the_distribution(void **state)
{
    fixture *f = *state;
    aard_distribution *d = NULL;
    char *home = NULL, *here = strdup(at(f->temp, "own"));
    assert_int_equal(setenv("AARDVARK_PYODIDE_DIST_DIR", f->full, 1), 0);
    assert_ok(aard_distribution_open(NULL, &d));
    assert_string_equal(aard_distribution_dir(d), f->full);
    aard_distribution_free(d);
    assert_ok(aard_distribution_open(f->core, &d)); /* an argument comes first */
    assert_string_equal(aard_distribution_dir(d), f->core);
    aard_distribution_free(d);
    setenv("AARDVARK_PYODIDE_DIST_DIR", f->temp, 1);
    assert_refused(aard_distribution_open(NULL, &d), AARD_ERR_DISTRIBUTION_NOT_FOUND, "AARDVARK_PYODIDE_DIST_DIR",
                   f->temp, NULL);

    setenv("AARDVARK_PYODIDE_DIST_DIR", "", 1); /* empty is unset */
    setenv("AARDVARK_HOME", here, 1);
    assert_refused(aard_distribution_open(NULL, &d), AARD_ERR_DISTRIBUTION_NOT_FOUND, here, "assets stage", NULL);
    assert_int_equal(mkdir(here, 0755), 0);
    assert_int_equal(symlink(f->home, at(here, "distributions")), 0);
    assert_ok(aard_distribution_open(NULL, &d)); /* of core and full: core */
    assert_int_equal(aard_distribution_variant(d), AARD_VARIANT_CORE);
    aard_distribution_free(d);
    assert_int_equal(rename(f->core, at(f->temp, "aside")), 0);
    assert_ok(aard_distribution_open(NULL, &d)); /* the only one */
    assert_int_equal(aard_distribution_variant(d), AARD_VARIANT_FULL);
    aard_distribution_free(d);
    assert_int_equal(rename(at(f->temp, "aside"), f->core), 0);

    unsetenv("AARDVARK_HOME");
    setenv("XDG_DATA_HOME", "/data", 1);
    assert_ok(aard_distribution_home(&home));
    assert_string_equal(home, "/data/aardvark/distributions");
    aard_string_free(home);
    setenv("XDG_DATA_HOME", "relative", 1);
    char *old = strdup(getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", "/somebody", 1);
    assert_ok(aard_distribution_home(&home));
    assert_string_equal(home, "/somebody/.local/share/aardvark/distributions");
    aard_string_free(home);
    setenv("HOME", old, 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("AARDVARK_PYODIDE_DIST_DIR");
    free(old);
    free(here);
}

typedef struct visits {
    char dirs[8][1024];
    int opened, failed, stop_after;
} visits;

static bool note_visit(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    visits *v = user;
    assert_true((distribution == NULL) != (error == NULL));
    snprintf(v->dirs[v->opened + v->failed], sizeof v->dirs[0], "%s", dir);
    if (distribution)
        v->opened++;
    else
        v->failed++;
    return v->opened + v->failed != v->stop_after;
}

static void listing_visits_all_in_name_order(void **state)
{
    fixture *f = *state;
    visits v = {0}, one = {.stop_after = 1}, none = {0};
    assert_int_equal(mkdir(at(f->home, "zzz-broken"), 0755), 0);
    assert_int_equal(mkdir(at(f->home, ".tmp-1-0123456789abcdef"), 0755), 0);
    write_file(at(f->home, "a-file"), "", 0);
    assert_ok(aard_distribution_list(f->home, note_visit, &v));
    assert_int_equal(v.opened, 2);
    assert_int_equal(v.failed, 1);
    assert_string_equal(v.dirs[0], f->core);
    assert_string_equal(v.dirs[1], f->full);
    assert_string_equal(v.dirs[2], at(f->home, "zzz-broken"));
    assert_ok(aard_distribution_list(f->home, note_visit, &one));
    assert_int_equal(one.opened, 1);
    assert_ok(aard_distribution_list(at(f->temp, "nowhere"), note_visit, &none));
    assert_int_equal(none.opened + none.failed, 0);
    assert_int_equal(unlink(at(f->home, "a-file")), 0);
    assert_int_equal(rmdir(at(f->home, "zzz-broken")), 0);
    assert_int_equal(rmdir(at(f->home, ".tmp-1-0123456789abcdef")), 0);
}

static void *read_wasm(void *user)
{
    const void *data = NULL;
    size_t len = 0;
    assert_ok(aard__distribution_file(user, AARD__FILE_WASM, &data, &len));
    return (void *)data;
}

static void files_are_mapped_once(void **state)
{
    fixture *f = *state;
    aard_distribution *d = NULL;
    const void *data = NULL, *first = NULL;
    size_t len = 0;
    pthread_t threads[4];
    assert_ok(aard_distribution_open(f->core, &d));
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, read_wasm, d), 0);
    assert_ok(aard__distribution_file(d, AARD__FILE_WASM, &first, &len));
    for (size_t i = 0; i < 4; i++) {
        void *seen = NULL;
        pthread_join(threads[i], &seen);
        assert_ptr_equal(seen, first);
    }
    assert_int_equal(len, aard__pins_0_29.files[2].size);
    assert_memory_equal(first, "\0asm", 4);
    assert_refused(aard__distribution_file(d, "pyodide.js", &data, &len), AARD_ERR_DISTRIBUTION_NOT_FOUND, "pyodide.js",
                   NULL);
    assert_refused(aard__distribution_file(d, "../secret", &data, &len), AARD_ERR_DISTRIBUTION_NOT_FOUND, NULL);
    write_file(at(f->core, AARD__FILE_STDLIB), "PK", 2); /* since it was opened */
    assert_refused(aard__distribution_file(d, AARD__FILE_STDLIB, &data, &len), AARD_ERR_DISTRIBUTION_CORRUPT,
                   AARD__FILE_STDLIB, NULL);
    copy_pristine(f->core, AARD__FILE_STDLIB);
    assert_ok(aard__distribution_file(d, AARD__FILE_STDLIB, &data, &len));
    aard_distribution_free(d);
}

static void packages_resolve_with_dependencies_first(void **state)
{
    fixture *f = *state;
    aard_distribution *d = NULL;
    aard__package_list list = {0};
    assert_ok(aard_distribution_open(f->full, &d));
    const char *names[] = {"ALPHA.one", "gamma"};
    assert_ok(aard__distribution_resolve(d, names, 2, &list));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0]->name, "gamma");
    assert_string_equal(list.items[1]->name, "beta-two");
    assert_string_equal(list.items[2]->name, "Alpha_One");
    assert_string_equal(list.items[2]->key, "alpha-one");
    assert_string_equal(list.items[2]->version, "1.0");
    assert_string_equal(list.items[2]->file_name, "alpha-1.0-py3-none-any.whl");
    assert_string_equal(list.items[2]->install_dir, "site");
    assert_string_equal(list.items[2]->package_type, "package");
    assert_int_equal(strlen(list.items[2]->sha256), 64);
    aard__package_list_free(&list);
    const char *ring[] = {"ring__a", "Ring.A", "ring-b"};
    assert_ok(aard__distribution_resolve(d, ring, 3, &list));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0]->name, "ring-b");
    aard__package_list_free(&list);
    assert_ok(aard__distribution_resolve(d, NULL, 0, &list));
    assert_int_equal(list.count, 0);
    aard__package_list_free(&list);

    const char *missing[] = {"gamma", "nothing"}, *needy[] = {"needy"}, *empty[] = {""};
    assert_refused(aard__distribution_resolve(d, missing, 2, &list), AARD_ERR_PACKAGE_NOT_FOUND, "'nothing'", NULL);
    assert_refused(aard__distribution_resolve(d, needy, 1, &list), AARD_ERR_PACKAGE_NOT_FOUND, "'no-such-thing'",
                   "'needy'", NULL);
    assert_refused(aard__distribution_resolve(d, empty, 1, &list), AARD_ERR_PACKAGE_NOT_FOUND, NULL);
    assert_null(list.items);
    aard_distribution_free(d);
}

static void a_core_distribution_says_what_to_stage(void **state)
{
    fixture *f = *state;
    aard_distribution *d = NULL;
    aard__package_list list = {0};
    const char *present[] = {"numpy"}, *unknown[] = {"nonesuch"};
    assert_ok(aard_distribution_open(f->core, &d));
    assert_refused(aard__distribution_resolve(d, present, 1, &list), AARD_ERR_PACKAGE_NOT_FOUND, "'numpy'", "core",
                   "stage the full variant", NULL);
    assert_refused(aard__distribution_resolve(d, unknown, 1, &list), AARD_ERR_PACKAGE_NOT_FOUND, "'nonesuch'", NULL);
    aard_distribution_free(d);
}

static int allocations_left;
static int fail_later(size_t size)
{
    (void)size;
    return allocations_left-- > 0;
}

static aard_error *open_and_resolve(const char *dir)
{
    aard_distribution *d = NULL;
    aard__package_list list = {0};
    const char *names[] = {"alpha-one"};
    aard_error *error = aard_distribution_open(dir, &d);
    if (!error) error = aard__distribution_resolve(d, names, 1, &list);
    if (!error) error = aard_distribution_verify(d);
    aard__package_list_free(&list);
    aard_distribution_free(d);
    return error;
}

static void running_out_of_memory_is_an_error_anywhere(void **state)
{
    fixture *f = *state;
    int n = 0;
    for (bool failed = true; failed; n++) {
        allocations_left = n;
        aard__alloc_set_hook(fail_later);
        aard_error *error = open_and_resolve(f->full);
        aard__alloc_set_hook(NULL);
        failed = error != NULL;
        if (error) assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        aard_error_free(error);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_an_open_distribution),
        cmocka_unit_test(fingerprint_follows_the_documented_rule),
        cmocka_unit_test(a_flipped_byte_is_found_and_named),
        cmocka_unit_test(missing_short_and_extra_files_are_named),
        cmocka_unit_test(tampered_manifests_are_refused),
        cmocka_unit_test(no_flipped_bit_of_a_manifest_goes_through),
        cmocka_unit_test(other_versions_and_other_files_are_refused),
        cmocka_unit_test(the_environment_names_the_distribution),
        cmocka_unit_test(listing_visits_all_in_name_order),
        cmocka_unit_test(files_are_mapped_once),
        cmocka_unit_test(packages_resolve_with_dependencies_first),
        cmocka_unit_test(a_core_distribution_says_what_to_stage),
        cmocka_unit_test(running_out_of_memory_is_an_error_anywhere),
    };
    return cmocka_run_group_tests_name("distribution", tests, set_up, tear_down);
}
