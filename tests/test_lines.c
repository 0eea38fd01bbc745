/* Lines of Pyodide: this program's table (instead of lines.c) has a second one, made up, whose files are named otherwise. */
#include "dist_support.h"

#include "distribution/wheel_tag.h"
#include "guest/python/python_files.h"

static const aard__pins made_up = {
    .version = "9.1.0",
    .python = "3.99.1",
    .abi_version = "2099_0",
    .platform = "emscripten_9_9_9",
    .npm_sha512 = "",
    .files =
        {
            {.name = "pyodide-lock.json",
             .size = 129,
             .sha256 = "89b8ec70b21c862972818ea037e457996ed23cd36e7a3f0a1215da35e0ef9ab7",
             .blake2b = "00df8a61bdd2bdee90d4fd6194d4268c4da76c95d631954adee0721ae15db7a7"},
            {.name = "pyodide.asm.mjs",
             .size = 18,
             .sha256 = "96909e1dce85ca534fd8881f6c8369a8a87e06df5a4bf81ef44a72db195b0704",
             .blake2b = "85ad5a44a0b925a51c7aceae7924c19f027182442b8740958e746e2fda07cd22"},
            {.name = "pyodide.asm.wasm",
             .size = 8,
             .sha256 = "dc0cbbe931352caad7a936203e1d540bb96efc8aaafbf760fb94774364aeac06",
             .blake2b = "305bd7d23f9b08d22fdebea863b8511800043ae2908ac52dc8290d9b0617ffe8"},
            {.name = "python_stdlib.zip",
             .size = 9,
             .sha256 = "a3989126344744ef800dbc88bf7e744853f3f2eac75c9ab3301f4e845ef22078",
             .blake2b = "2ab2bc4d082008a585935af46ab56ac180dd248fe9f74f769fd666975ea82936"},
        },
};

static const char *const contents[][2] = {
    {"pyodide-lock.json",
     "{\"info\":{\"abi_version\":\"2099_0\",\"arch\":\"wasm32\",\"platform\":\"emscripten_9_9_9\",\"python\":\"3.99.1\",\"version\":\"9.1.0\"},\"packages\":{}}"},
    {"pyodide.asm.mjs", "export default 1;\n"},
    {"pyodide.asm.wasm", "not wasm"},
    {"python_stdlib.zip", "not a zip"},
};

const aard__line aard__lines[] = {
    {.pins = &aard__pins_0_29, .glue = AARD__FILE_GLUE, .embedded = "python"},
    {.pins = &made_up, .glue = "pyodide.asm.mjs", .embedded = "python9"},
};
const size_t aard__line_count = 2;

static void write_made_up(const char *dir)
{
    assert_null(aard__dir_make(dir));
    for (size_t i = 0; i < 4; i++) write_file(at(dir, contents[i][0]), contents[i][1], strlen(contents[i][1]));
}

static void each_line_is_staged_and_opened_as_its_own(void **state)
{
    staging_fixture *f = *state;
    char *other = strdup(at(f->temp, "other"));
    request first = {.home = f->home, .archive = f->source},
            second = {.home = f->home, .archive = other, .version = "9.1.0"};
    const void *data;
    size_t len;
    write_made_up(other);
    aard_distribution *d = stage_ok(&second);
    assert_non_null(strstr(aard_distribution_dir(d), "-pyodide-v9.1.0-core"));
    assert_string_equal(aard_distribution_pyodide_version(d), "9.1.0");
    assert_ptr_equal(aard__distribution_line(d), &aard__lines[1]);
    assert_ok(aard__distribution_file(d, aard__distribution_line(d)->glue, &data, &len));
    assert_int_equal(len, strlen(contents[1][1]));
    aard_distribution_free(d);
    d = stage_ok(&first); /* beside it */
    assert_ptr_equal(aard__distribution_line(d), &aard__lines[0]);
    aard_distribution_free(d);
    assert_int_equal(count_entries(f->home, "aardvark-layout"), 2);
    free(other);
}

static void the_default_is_the_first_line_where_it_is_staged(void **state)
{
    staging_fixture *f = *state;
    char *other = strdup(at(f->temp, "other")),
         *before = strdup(getenv("AARDVARK_HOME") ? getenv("AARDVARK_HOME") : "");
    static const char *const versions[] = {"9.1.0", "0.29.4"};
    write_made_up(other);
    free(f->home);
    f->home = strdup(at(f->temp, "home/distributions"));
    assert_null(aard__dir_make(at(f->temp, "home")));
    request rows[] = {{.home = f->home, .archive = other, .version = "9.1.0"}, {.home = f->home, .archive = f->source}};
    for (size_t i = 0; i < 2; i++) {
        aard_distribution *d = NULL;
        aard_distribution_free(stage_ok(&rows[i]));
        assert_int_equal(setenv("AARDVARK_HOME", at(f->temp, "home"), 1), 0);
        assert_ok(aard_distribution_open(NULL, &d));
        assert_string_equal(aard_distribution_pyodide_version(d), versions[i]);
        aard_distribution_free(d);
        assert_int_equal(*before ? setenv("AARDVARK_HOME", before, 1) : unsetenv("AARDVARK_HOME"), 0);
    }
    free(before);
    free(other);
}

static void a_line_takes_its_own_files_and_wheels_alone(void **state)
{
    staging_fixture *f = *state;
    char *other = strdup(at(f->temp, "other"));
    write_made_up(other);
    request wrong[] = {{.home = f->home, .archive = other},
                       {.home = f->home, .archive = f->source, .version = "9.1.0"},
                       {.home = f->home, .archive = f->source, .version = "9.2.0"}};
    assert_stage_refused(&wrong[0], AARD_ERR_STAGE_SOURCE, AARD__FILE_LOCK, "0.29.4");
    assert_stage_refused(&wrong[1], AARD_ERR_STAGE_SOURCE, AARD__FILE_LOCK, "9.1.0");
    assert_stage_refused(&wrong[2], AARD_ERR_STAGE_SOURCE, "9.2.0", "0.29.4 or 9.1.0");
    static const char *const tags[][2] = {
        {"cp313-cp313-pyemscripten_2025_0_wasm32", "cp399-cp399-pyemscripten_2099_0_wasm32"},
        {"cp313-cp313-emscripten_4_0_9_wasm32", "cp399-cp399-emscripten_9_9_9_wasm32"}};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            for (size_t line = 0; line < 2; line++)
                assert_int_equal(aard__wheel_tag_fits(tags[i][k], aard__lines[line].pins), k == line);
    free(other);
}

static void a_guest_runs_what_is_in_its_lines_folder(void **state)
{
    staging_fixture *f = *state;
    char *other = strdup(at(f->temp, "other"));
    request rows[] = {{.home = f->home, .archive = f->source}, {.home = f->home, .archive = other, .version = "9.1.0"}};
    const aard__guest_file *file = NULL;
    write_made_up(other);
    aard_distribution *d = stage_ok(&rows[0]);
    assert_ok(aard__python_file(d, "boot.js", &file));
    assert_string_equal(file->name, "python/boot.js");
    aard_distribution_free(d);
    d = stage_ok(&rows[1]);
    assert_refused(aard__python_file(d, "boot.js", &file), AARD_ERR_GUEST_BOOT, "python9/boot.js", NULL);
    aard_distribution_free(d);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGING_TEST(each_line_is_staged_and_opened_as_its_own),
        STAGING_TEST(the_default_is_the_first_line_where_it_is_staged),
        STAGING_TEST(a_line_takes_its_own_files_and_wheels_alone),
        STAGING_TEST(a_guest_runs_what_is_in_its_lines_folder),
    };
    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
