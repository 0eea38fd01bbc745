/* Wheels: their tags, their metadata, and what is refused.  test-quick */
#include "dist_support.h"

#include "distribution/requirement.h"
#include "distribution/wheel.h"
#include "distribution/wheel_tag.h"

static void tags_that_pyodide_loads(void **state)
{
    static const char *const good[] = {"py3-none-any",
                                       "py2.py3-none-any",
                                       "py313-none-any",
                                       "py38-none-any",
                                       "cp313-none-any",
                                       "cp313-cp313-pyemscripten_2025_0_wasm32",
                                       "cp313-cp313-pyodide_2025_0_wasm32",
                                       "cp313-cp313-emscripten_4_0_9_wasm32",
                                       "cp38-abi3-pyodide_2025_0_wasm32",
                                       "py3-none-pyodide_2025_0_wasm32",
                                       "cp312.cp313-cp313-linux_x86_64.pyemscripten_2025_0_wasm32"};
    static const char *const bad[] = {"",
                                      "py3",
                                      "py3-none",
                                      "py2-none-any",
                                      "py314-none-any",
                                      "cp312-none-any",
                                      "cp313-cp313-any",
                                      "cp313-cp313-linux_x86_64",
                                      "cp312-cp312-pyodide_2025_0_wasm32",
                                      "cp313-cp313t-pyodide_2025_0_wasm32",
                                      "cp313-cp313-pyodide_2024_0_wasm32",
                                      "cp314-abi3-pyodide_2025_0_wasm32",
                                      "py3-none-anywhere",
                                      "pyx-none-any"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!aard__wheel_tag_fits(good[i], &aard__pins_0_29)) fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (aard__wheel_tag_fits(bad[i], &aard__pins_0_29)) fail_msg("%s is taken", bad[i]);
}

static void requirements_are_read_for_pyodide(void **state)
{
    static const char *const cases[][2] = {
        {"Foo_Bar", "foo-bar"},
        {"foo (>=1.0,<2)", "foo"},
        {"foo[extra1,extra2]>=1.0", "foo"},
        {"foo @ file:///x", "foo"},
        {"foo; python_version >= '3.9'", "foo"},
        {"foo; python_version>\"3.9\"", "foo"},
        {"foo; '3.9' < python_version", "foo"},
        {"foo; python_version < '3.13'", NULL},
        {"foo; python_version == '3.13'", "foo"},
        {"foo; python_version == '3.*'", "foo"},
        {"foo; python_version != '3.13.*'", NULL},
        {"foo; python_version ~= '3.9'", "foo"},
        {"foo; python_version ~= '2.7'", NULL},
        {"foo; python_full_version >= '3.13.2'", "foo"},
        {"foo; python_full_version < '3.13.2'", NULL},
        {"foo ; extra == 'test'", NULL},
        {"foo ; extra != 'test'", "foo"},
        {"foo; sys_platform == 'win32'", NULL},
        {"foo; sys_platform != 'win32'", "foo"},
        {"foo; sys_platform == 'emscripten'", "foo"},
        {"foo; platform_system in 'Linux Emscripten'", "foo"},
        {"foo; platform_system not in 'Linux Darwin'", "foo"},
        {"foo; os_name == 'nt' or python_version >= '3'", "foo"},
        {"foo; os_name == 'nt' and python_version >= '3'", NULL},
        {"foo; (os_name == 'nt' or os_name == 'posix') and (extra == '')", "foo"},
        {"foo; os_name == 'posix' or os_name == 'nt' and extra == 'x'", "foo"},
        {"foo; implementation_name == 'pypy'", NULL},
        {"foo; no_such_variable == 'x'", NULL},
        {"foo; os_name == 'posix", NULL},
        {"foo; os_name ==", NULL},
        {"foo; os_name 'posix'", NULL},
        {"foo; (os_name == 'posix'", NULL},
        {"foo; os_name == 'posix') ", NULL},
        {"foo; ", NULL},
        {"", NULL},
        {"; os_name == 'posix'", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[AARD__PACKAGE_NAME_MAX + 1] = "";
        bool taken = aard__requirement_key(cases[i][0], strlen(cases[i][0]), "3.13.2", key);
        if (taken != (cases[i][1] != NULL)) fail_msg("%s: %s", cases[i][0], taken ? "taken" : "left out");
        if (taken) assert_string_equal(key, cases[i][1]);
    }
    char deep[256] = "foo; ", key[AARD__PACKAGE_NAME_MAX + 1];
    memset(deep + 5, '(', 200);
    assert_false(aard__requirement_key(deep, 205, "3.13.2", key));
}

static void versions_compare_by_number(void **state)
{
    (void)state;
    assert_true(aard__version_compare("3.9", "3.13.2") < 0);
    assert_true(aard__version_compare("3.13.2", "3.13") > 0);
    assert_true(aard__version_compare("3.13", "3.13.0") == 0);
    assert_true(aard__version_compare("4", "3.99") > 0);
    assert_true(aard__version_compare("", "0") == 0);
}

static int set_up(void **state)
{
    *state = make_temp();
    return 0;
}

static int tear_down(void **state)
{
    remove_temp(*state);
    return 0;
}

static void a_wheel_tells_what_it_is(void **state)
{
    static const char *const entries[][2] = {
        {"My_Pack-1.0+local.dist-info/METADATA",
         "Metadata-Version: 2.1\r\nName: My.Pack\r\nversion:  1.0+local \r\nRequires-Dist: beta ; extra == 'x'\r\n"
         "Requires-Dist: Alpha>1\r\nRequires-Dist: alpha\r\n\r\nName: other\r\nRequires-Dist: gamma\r\n"},
        {"My_Pack-1.0+local.dist-info/RECORD", ""},
        {"zeta/__init__.py", ""},
        {"zeta/sub/core.py", ""},
        {"single.py", ""},
        {"_native.cpython-313-wasm32-emscripten.so", ""},
        {"data/readme.txt", ""},
        {"My_Pack-1.0+local.data/scripts/tool.py", ""},
    };
    aard__wheel wheel = {0};
    const char *path = at(*state, "My_Pack-1.0+local-1-py3-none-any.whl");
    make_zip(path, entries, sizeof entries / sizeof entries[0]);
    assert_ok(aard__wheel_read(path, &aard__pins_0_29, &wheel));
    assert_string_equal(wheel.file_name, "My_Pack-1.0+local-1-py3-none-any.whl");
    assert_string_equal(wheel.name, "My.Pack");
    assert_string_equal(wheel.key, "my-pack");
    assert_string_equal(wheel.version, "1.0+local");
    assert_int_equal(wheel.import_count, 3);
    assert_string_equal(wheel.imports[0], "_native");
    assert_string_equal(wheel.imports[1], "single");
    assert_string_equal(wheel.imports[2], "zeta");
    assert_int_equal(wheel.require_count, 1);
    assert_string_equal(wheel.requires[0], "alpha");
    aard__wheel_free(&wheel);
}

static const char good_metadata[] = "Name: x\nVersion: 1\n";

static void refuse(char *dir, const char *name, const char *const (*entries)[2], size_t count, const char *why)
{
    aard__wheel wheel = {0};
    make_zip(at(dir, name), entries, count);
    assert_refused(aard__wheel_read(at(dir, name), &aard__pins_0_29, &wheel), AARD_ERR_WHEEL_INVALID, name, why, NULL);
    assert_null(wheel.name);
    assert_null(wheel.file_name);
}

static void bad_wheels_are_refused(void **state)
{
    const char *const good[][2] = {{"x-1.dist-info/METADATA", good_metadata}, {"x-1.dist-info/RECORD", ""}};
    const char *const no_record[][2] = {{"x-1.dist-info/METADATA", good_metadata}};
    const char *const no_metadata[][2] = {{"x-1.dist-info/RECORD", ""}};
    const char *const two[][2] = {{"x-1.dist-info/METADATA", good_metadata}, {"y-1.dist-info/RECORD", ""}};
    const char *const other[][2] = {{"x-1.dist-info/METADATA", "Name: y\nVersion: 1\n"}, {"x-1.dist-info/RECORD", ""}};
    const char *const newer[][2] = {{"x-1.dist-info/METADATA", "Name: x\nVersion: 2\n"}, {"x-1.dist-info/RECORD", ""}};
    const char *const folder[][2] = {{"y-1.dist-info/METADATA", good_metadata}, {"y-1.dist-info/RECORD", ""}};
    const char *const nameless[][2] = {{"x-1.dist-info/METADATA", "Version: 1\n"}, {"x-1.dist-info/RECORD", ""}};
    const char *const empty[][2] = {{"x-1.dist-info/METADATA", ""}, {"x-1.dist-info/RECORD", ""}};
    const char *const parent[][2] = {{"../x", ""}, {"x-1.dist-info/METADATA", good_metadata}};
    const char *const root[][2] = {{"/x", ""}, {"x-1.dist-info/METADATA", good_metadata}};
    const char *const backslash[][2] = {{"a\\x", ""}, {"x-1.dist-info/METADATA", good_metadata}};
    static const char name[] = "x-1-py3-none-any.whl";
    refuse(*state, name, no_record, 1, "RECORD");
    refuse(*state, name, no_metadata, 1, "METADATA");
    refuse(*state, name, two, 2, "more than one");
    refuse(*state, name, other, 2, "'y' 1");
    refuse(*state, name, newer, 2, "'x' 2");
    refuse(*state, name, folder, 2, "y-1.dist-info");
    refuse(*state, name, nameless, 2, "Name");
    refuse(*state, name, empty, 2, "Name");
    refuse(*state, name, parent, 2, "leads out");
    refuse(*state, name, root, 2, "absolute path");
    refuse(*state, name, backslash, 2, "backslash");
    refuse(*state, "x-1-cp313-cp313-linux_x86_64.whl", good, 2, "cp313-cp313-linux_x86_64");
    refuse(*state, "x-1.whl", good, 2, "valid name");
    refuse(*state, "x-1-1-1-py3-none-any.whl", good, 2, "valid name");
    refuse(*state, "x-1-py3-none-any.zip", good, 2, "valid name");
    refuse(*state, "-1-py3-none-any.whl", good, 2, "name");
}

/* What other systems, or other readers of ZIP files, make of an entry; and what RECORD says of it. */
static void entries_that_are_others_elsewhere_are_refused(void **state)
{
    static const char *const names[][2] = {
        {"C:/x.py", "absolute path"},   {"c:x.py", "absolute path"},           {"./x.py", "'.' component"},
        {"a//x.py", "two slashes"},     {"x.py.", "dot or a space"},           {"x /y.py", "dot or a space"},
        {"a./y.py", "dot or a space"},  {"X/__init__.py", "only by capitals"}, {"o\xe2\x80\x8bs.py", "invisible"},
        {"o\xd8\x9cs.py", "invisible"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const entries[][2] = {{"x/__init__.py", ""},
                                          {names[i][0], "y"},
                                          {"x-1.dist-info/METADATA", good_metadata},
                                          {"x-1.dist-info/RECORD", ""}};
        refuse(*state, "x-1-py3-none-any.whl", entries, 4, names[i][1]);
    }
    static const char *const records[][2] = {
        {"x.py,,\n", "is not in RECORD"},
        {"x.py,sha256=AAAA,\nx-1.dist-info/METADATA,,\n", "another hash"},
        {"x.py,,7\nx-1.dist-info/METADATA,,\n", "another size"},
        {"x.py,,x\nx-1.dist-info/METADATA,,\n", "proper size"},
        {"x.py,,\nx.py,,\nx-1.dist-info/METADATA,,\n", "twice in RECORD"},
        {"\"x.py\"\"\",,\nx-1.dist-info/METADATA,,\n", "is not in RECORD"},
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        const char *const entries[][2] = {
            {"x.py", "x = 1"}, {"x-1.dist-info/METADATA", good_metadata}, {"x-1.dist-info/RECORD", records[i][0]}};
        refuse(*state, "x-1-py3-none-any.whl", entries, 3, records[i][1]);
    }
    aard__wheel wheel = {0};
    const char *const entries[][2] = {{"x.py", "x = 1"},
                                      {"x-1.dist-info/METADATA", good_metadata},
                                      {"x-1.dist-info/RECORD.jws", "{}"},
                                      {"x-1.dist-info/RECORD", "x.py,sha512=whatever,5\r\ngone.py,,\r\n\r\n"
                                                               "x-1.dist-info/METADATA,,19\r\nx-1.dist-info/RECORD,,"}};
    make_zip(at(*state, "x-1-py3-none-any.whl"), entries, 4);
    assert_ok(aard__wheel_read(at(*state, "x-1-py3-none-any.whl"), &aard__pins_0_29, &wheel));
    aard__wheel_free(&wheel);
    /* A link is one whatever system the archive is said to be from. */
    for (int system = 0; system < 4; system++) {
        const char *path = make_wheel(*state, "x", "1", "");
        zip_t *zip = zip_open(path, 0, NULL);
        static const zip_uint8_t systems[] = {ZIP_OPSYS_UNIX, ZIP_OPSYS_DOS, ZIP_OPSYS_WINDOWS_NTFS, ZIP_OPSYS_OS_X};
        assert_int_equal(zip_file_set_external_attributes(zip, 0, 0, systems[system], UINT32_C(0120777) << 16), 0);
        assert_int_equal(zip_close(zip), 0);
        assert_refused(aard__wheel_read(path, &aard__pins_0_29, &wheel), AARD_ERR_WHEEL_INVALID, "symbolic link", NULL);
    }
}

static void damaged_wheels_are_refused(void **state)
{
    aard__wheel wheel = {0};
    const char *path = make_wheel(*state, "x", "1", "");
    size_t len;
    char *data = read_file(path, &len), *changed = malloc(len);
    for (size_t cut = 0; cut < len; cut += 7) {
        write_file(path, data, cut);
        assert_refused(aard__wheel_read(path, &aard__pins_0_29, &wheel), AARD_ERR_WHEEL_INVALID, "x-1-py3-none-any.whl",
                       NULL);
    }
    memcpy(changed, data, len);
    char *module = memmem(changed, len, "value", 5); /* stored, as it is too short to be packed */
    assert_non_null(module);
    *module ^= 1;
    write_file(path, changed, len);
    assert_refused(aard__wheel_read(path, &aard__pins_0_29, &wheel), AARD_ERR_WHEEL_INVALID, "damaged", "x/__init__.py",
                   NULL);
    for (size_t i = 0; i < len; i++) { /* whatever comes of it, it must come to an end without harm */
        memcpy(changed, data, len);
        changed[i] ^= 0x41;
        write_file(path, changed, len);
        aard_error *error = aard__wheel_read(path, &aard__pins_0_29, &wheel);
        if (!error) aard__wheel_free(&wheel);
        aard_error_free(error);
    }
    write_file(path, data, len);
    assert_ok(aard__wheel_read(path, &aard__pins_0_29, &wheel));
    aard__wheel_free(&wheel);
    assert_refused(aard__wheel_read(at(*state, "y-1-py3-none-any.whl"), &aard__pins_0_29, &wheel), AARD_ERR_NOT_FOUND,
                   "y-1", NULL);
    free(changed);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_that_pyodide_loads),
        cmocka_unit_test(requirements_are_read_for_pyodide),
        cmocka_unit_test(versions_compare_by_number),
        cmocka_unit_test_setup_teardown(a_wheel_tells_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_wheels_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_that_are_others_elsewhere_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_wheels_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
