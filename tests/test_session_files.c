/* Files of a session from the host: written, read, listed and removed between calls. */
#include "guest/session_files.h"
#include "one_guest.h"

static void writes(const char *path, const char *text)
{
    assert_ok(aard_isolate_write_file(guest, path, text, strlen(text)));
}

#define reads(path, text) reads_at(HERE, path, text)
static void reads_at(test_place here, const char *path, const char *text)
{
    char *data = NULL;
    size_t len = 0;
    assert_ok_at(here, aard_isolate_read_file(guest, path, 0, &data, &len));
    if (len != strlen(text) || memcmp(data, text, len + 1)) fail_at(here, "%s is '%.*s'", path, (int)len, data);
    aard_string_free(data);
}

static aard_error *read_error(const char *path)
{
    char *data = NULL;
    size_t len = 0;
    aard_error *error = aard_isolate_read_file(guest, path, 0, &data, &len);
    assert_null(data);
    return error;
}

/* "kind size path" of each, one a line. */
#define lists(path, text) lists_at(HERE, path, text)
static void lists_at(test_place here, const char *path, const char *text)
{
    aard_file_list *list = NULL;
    char have[4096] = "";
    size_t len = 0;
    assert_ok_at(here, aard_isolate_list_files(guest, path, &list));
    for (size_t i = 0; i < aard_file_list_count(list); i++) {
        len += (size_t)snprintf(have + len, sizeof have - len, "%d %llu %s\n", (int)aard_file_list_kind(list, i),
                                (unsigned long long)aard_file_list_size(list, i), aard_file_list_path(list, i));
        if (aard_file_list_changed_ns(list, i) < 1600000000 * INT64_C(1000000000)) fail_at(here, "it is old");
    }
    assert_null(aard_file_list_path(list, aard_file_list_count(list)));
    aard_file_list_free(list);
    if (strcmp(have, text)) fail_at(here, "%s has\n%s", path, have);
}

/* ---- what they do ------------------------------------------------------------------------------------------------ */

static void test_host_and_guest_share_files(void **state)
{
    (void)state;
    writes("/session/a", "one");
    writes("/session/in/deep/b", "two");
    value_is(exec(guest, "open('/session/a').read() + open('in/deep/b').read()"), "\"onetwo\"");
    value_is(exec(guest, "open('/tmp/c', 'wb').write(b'x\\0y')"), "3");
    value_is(exec(guest, "open('a', 'a').write('!')"), "1");
    reads("/session/a", "one!");
    writes("/session/a", "");
    value_is(exec(guest, "open('/session/a').read()"), "\"\"");
    char *data;
    size_t len;
    assert_ok(aard_isolate_read_file(guest, "/tmp/c", 3, &data, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(data, "x\0y", 4);
    aard_string_free(data);
    lists("/session", "0 0 /session/a\n1 0 /session/in\n1 0 /session/in/deep\n0 3 /session/in/deep/b\n");
    lists("/session/in", "1 0 /session/in/deep\n0 3 /session/in/deep/b\n");
    lists("/tmp", "0 3 /tmp/c\n");
    assert_ok(aard_isolate_remove_file(guest, "/session/in"));
    assert_ok(aard_isolate_remove_file(guest, "/tmp/c"));
    lists("/session", "0 0 /session/a\n");
    value_is(exec(guest, "import os; os.listdir('/session') + os.listdir('/tmp')"), "[\"a\"]");
}

static void test_an_open_file_sees_what_the_host_writes(void **state)
{
    (void)state;
    writes("/session/a", "before");
    value_is(exec(guest, "f = open('a', 'r+'); f.read()"), "\"before\"");
    writes("/session/a", "after, and longer");
    value_is(exec(guest, "f.seek(0); f.read()"), "\"after, and longer\"");
    assert_ok(aard_isolate_remove_file(guest, "/session/a"));
    value_is(exec(guest, "f.seek(0); f.write('gone'); f.flush(); f.seek(0); f.read()"), "\"goner, and longer\"");
    assert_refused(read_error("/session/a"), AARD_ERR_NOT_FOUND, NULL);
}

static void test_modules_that_the_host_writes_can_be_imported(void **state)
{
    (void)state;
    writes("/session/helper.py", "value = 1");
    value_is(exec(guest, "import helper; helper.value"), "1");
    writes("/session/other.py", "value = 2");
    value_is(exec(guest, "import other; other.value"), "2");
}

static void test_a_reset_takes_them_and_a_clear_does_not(void **state)
{
    (void)state;
    writes("/session/a", "1");
    assert_ok(aard_isolate_clear(guest));
    reads("/session/a", "1");
    assert_ok(aard_isolate_reset(guest));
    assert_refused(read_error("/session/a"), AARD_ERR_NOT_FOUND, NULL);
    lists("/session", "");
    writes("/session/a", "2");
    value_is(exec(guest, "1"), "1");
    assert_ok(aard_isolate_reset(guest));
    lists("/session", "");
}

static void test_a_rollback_keeps_what_the_host_wrote_before(void **state)
{
    (void)state;
    aard_call *what;
    aard_outcome *outcome = NULL;
    static const char code[] = "open('a', 'w').write('guest'); open('b', 'w').write('guest'); 1 / 0";
    value_is(exec(guest, "1"), "1");
    writes("/session/a", "host");
    assert_ok(aard_call_new(&what));
    aard_call_set_rollback(what, true);
    assert_ok(aard_isolate_exec(guest, code, sizeof code - 1, NULL, what, &outcome));
    assert_int_equal(aard_outcome_diagnostics(outcome)->rolled_back, 1);
    aard_outcome_free(outcome);
    aard_call_free(what);
    reads("/session/a", "host");
    lists("/session", "0 4 /session/a\n");
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static void with_limits(aard_filesystem_mode mode, uint64_t bytes, uint64_t files, void (*test)(void))
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate *before = guest;
    aard_isolate_config_set_filesystem(config, mode, bytes, files, 0);
    guest = boot(config, NULL);
    test();
    aard_isolate_free(guest);
    guest = before;
}

static void in_a_quota(void)
{
    writes("/session/a", "12345678");
    value_is(exec(guest, "open('b', 'w').write('x' * 8)"), "8");
    assert_refused(aard_isolate_write_file(guest, "/session/c", "12345", 5), AARD_ERR_QUOTA, "bytes", NULL);
    assert_refused(aard_isolate_write_file(guest, "/session/d/e", "12345678901234567890123", 23), AARD_ERR_QUOTA, NULL);
    lists("/session", "0 8 /session/a\n0 8 /session/b\n");
    writes("/session/a", "123456789012");
    assert_refused(aard_isolate_write_file(guest, "/session/a", "1234567890123", 13), AARD_ERR_QUOTA, NULL);
    reads("/session/a", "123456789012");
    failure_is(exec(guest, "with open('c', 'w') as f: f.write('y')"), AARD_FAILURE_PYTHON_EXCEPTION, "No space left",
               NULL);
    assert_ok(aard_isolate_remove_file(guest, "/session/b"));
    writes("/session/c", "12345678");
}

static void with_few_files(void)
{
    writes("/session/a", "");
    assert_refused(aard_isolate_write_file(guest, "/session/b/c/d", "", 0), AARD_ERR_QUOTA, "as many as may be", NULL);
    lists("/session", "0 0 /session/a\n");
    writes("/session/b/c", "");
    assert_refused(aard_isolate_write_file(guest, "/session/d", "", 0), AARD_ERR_QUOTA, NULL);
    writes("/session/b/c", "again");
}

static void where_the_guest_only_reads(void)
{
    writes("/session/a", "1");
    value_is(exec(guest, "open('a').read()"), "\"1\"");
    failure_is(exec(guest, "open('a', 'w')"), AARD_FAILURE_PYTHON_EXCEPTION, "Read-only", NULL);
    assert_ok(aard_isolate_remove_file(guest, "/session/a"));
}

static void test_the_guests_quota_holds_and_its_mode_does_not(void **state)
{
    (void)state;
    with_limits(AARD_FILESYSTEM_READ_WRITE, 20, 0, in_a_quota);
    with_limits(AARD_FILESYSTEM_READ_WRITE, 0, 3, with_few_files);
    with_limits(AARD_FILESYSTEM_READ, 0, 0, where_the_guest_only_reads);
}

static void test_large_files_go_both_ways(void **state)
{
    (void)state;
    size_t len = (size_t)20 << 20, got;
    char *data = malloc(len), *back;
    for (size_t i = 0; i < len; i++) data[i] = (char)(i * 7 + i / 251);
    assert_ok(aard_isolate_write_file(guest, "/session/large", data, len));
    value_is(exec(guest, "import os; os.stat('large').st_size"), "20971520");
    assert_ok(aard_isolate_read_file(guest, "/session/large", len, &back, &got));
    assert_int_equal(got, len);
    assert_memory_equal(back, data, len);
    aard_string_free(back);
    assert_refused(aard_isolate_read_file(guest, "/session/large", len - 1, &back, &got), AARD_ERR_INVALID_ARGUMENT,
                   "larger than the most", NULL);
    free(data);
}

/* ---- forty ways out --------------------------------------------------------------------------------------------- */

static void test_paths_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "/",
        "a",
        "session/a",
        "./session/a",
        "/session",
        "/session/",
        "/tmp",
        "/session//a",
        "//session/a",
        "/session/a/",
        "/session/.",
        "/session/..",
        "/session/./a",
        "/session/../a",
        "/session/../../etc/passwd",
        "/session/a/../b",
        "/session/a/..",
        "/sessions/a",
        "/session\\a",
        "/tmpx",
        "/tmp/../session/a",
        "/app/a",
        "/app/main.py",
        "/lib/python3.13/os.py",
        "/dev/aardvark",
        "/proc/self/fd/0",
        "/home/pyodide/a",
        "/etc/passwd",
        "~/a",
        "/session/\xff",
        "/session/\xed\xa0\x80",
        "/session/\xc0\xaf",
    };
    char long_name[400] = "/session/", *long_path = calloc(1, 6000);
    memset(long_name + 9, 'x', 256);
    for (size_t i = 0; i < 2100; i++) strcat(long_path, i ? "/a" : "/session");
    for (size_t i = 0; i < COUNT(paths) + 2; i++) {
        const char *path = i < COUNT(paths) ? paths[i] : i == COUNT(paths) ? long_name : long_path;
        aard_file_list *list = NULL;
        assert_refused(aard_isolate_write_file(guest, path, "x", 1), AARD_ERR_INVALID_ARGUMENT, "can't be reached",
                       NULL);
        assert_refused(read_error(path), AARD_ERR_INVALID_ARGUMENT, "can't be reached", NULL);
        assert_refused(aard_isolate_remove_file(guest, path), AARD_ERR_INVALID_ARGUMENT, "can't be reached", NULL);
        if (!strcmp(path, "/session") || !strcmp(path, "/tmp")) continue;
        assert_refused(aard_isolate_list_files(guest, path, &list), AARD_ERR_INVALID_ARGUMENT, "can't be reached",
                       NULL);
        assert_null(list);
    }
    free(long_path);
    value_is(exec(guest, "import os; os.listdir('/session') + os.listdir('/tmp')"), "[]");
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    value_is(exec(guest, "import os\nfor i, to in enumerate(['/app', '/lib', '/', '/session/real', '/session/real/f', "
                         "'l5', '/dev/aardvark', '/proc/self']): os.symlink(to, f'/session/l{i}')\n"
                         "os.mkdir('/session/real'); open('/session/real/f', 'w').write('kept')"),
             "4");
    for (int i = 0; i < 8; i++) {
        char path[64], below[80];
        aard_file_list *list = NULL;
        snprintf(path, sizeof path, "/session/l%d", i);
        snprintf(below, sizeof below, "%s/f", path);
        assert_refused(aard_isolate_write_file(guest, path, "x", 1), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(aard_isolate_write_file(guest, below, "x", 1), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(read_error(path), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(read_error(below), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(aard_isolate_remove_file(guest, below), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(aard_isolate_list_files(guest, path, &list), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_refused(aard_isolate_list_files(guest, below, &list), AARD_ERR_INVALID_ARGUMENT, "link", NULL);
        assert_ok(aard_isolate_remove_file(guest, path)); /* the link itself */
    }
    reads("/session/real/f", "kept");
}

static void test_files_and_directories_are_not_each_other(void **state)
{
    (void)state;
    aard_file_list *list = NULL;
    writes("/session/d/f", "x");
    assert_refused(aard_isolate_write_file(guest, "/session/d", "x", 1), AARD_ERR_INVALID_ARGUMENT, "is a directory",
                   NULL);
    assert_refused(read_error("/session/d"), AARD_ERR_INVALID_ARGUMENT, "is a directory", NULL);
    assert_refused(aard_isolate_write_file(guest, "/session/d/f/g", "x", 1), AARD_ERR_INVALID_ARGUMENT, "is a file",
                   NULL);
    assert_refused(read_error("/session/d/f/g"), AARD_ERR_INVALID_ARGUMENT, "is a file", NULL);
    assert_refused(aard_isolate_list_files(guest, "/session/d/f", &list), AARD_ERR_INVALID_ARGUMENT, "is a file", NULL);
    assert_refused(aard_isolate_remove_file(guest, "/session/none"), AARD_ERR_NOT_FOUND, NULL);
    assert_refused(aard_isolate_list_files(guest, "/session/none", &list), AARD_ERR_NOT_FOUND, NULL);
    assert_refused(read_error("/session/none/a"), AARD_ERR_NOT_FOUND, NULL);
    assert_refused(read_error("/session/__proto__"), AARD_ERR_NOT_FOUND, NULL);
    assert_refused(read_error("/session/constructor/name"), AARD_ERR_NOT_FOUND, NULL);
    writes("/session/__proto__", "own");
    reads("/session/__proto__", "own");
}

static void test_a_guest_with_names_beyond_reach_is_listed(void **state)
{
    (void)state;
    value_is(exec(guest,
                  "import os\nfor i in range(30):\n    os.mkdir('x' * 255); os.chdir('x' * 255)\nos.chdir('/session')"),
             "null");
    aard_file_list *list = NULL;
    assert_ok(aard_isolate_list_files(guest, "/session", &list));
    assert_int_equal(aard_file_list_count(list), 16);
    aard_file_list_free(list);
    char path[300] = "/session/";
    memset(path + 9, 'x', 255);
    assert_ok(aard_isolate_remove_file(guest, path));
    lists("/session", "");
}

static void test_javascript_has_no_files(void **state)
{
    (void)state;
    aard_isolate *other = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    assert_refused(aard_isolate_write_file(other, "/session/a", "x", 1), AARD_ERR_UNSUPPORTED, "JavaScript", NULL);
    value_is(exec(other, "1"), "1");
    aard_isolate_free(other);
}

/* ---- lists are hostile ------------------------------------------------------------------------------------------ */

static void test_a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW("f 1 2 a"),    ROW("x 1 2 a\0"),    ROW("f 1 2 \0"),   ROW("f 1 2 ../a\0"), ROW("f 1 2 a/..\0"),
        ROW("f 1 2 /a\0"), ROW("f 1 2 a//b\0"), ROW("f 1 2 a/\0"), ROW("f -1 2 a\0"),   ROW("f  1 2 a\0"),
        ROW("f 1  2 a\0"), ROW("f 1 a\0"),      ROW("f x 2 a\0"),  ROW("f 1 2a\0"),     ROW("f\0"),
        ROW("\0"),         ROW("f 1 2 \xff\0"), ROW("f 1 2 .\0"),  ROW("f1 2 a\0"),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *at = rows[i].bytes;
        aard__file_entry entry;
        if (aard__file_entry_next(&at, at + rows[i].len, &entry)) fail_at(HERE, "row %zu is taken", i);
        assert_ptr_equal(at, rows[i].bytes);
    }
    static const char good[] = "f 1 -2 a\0d 0 99999999999999999999 b/c";
    const char *at = good;
    aard__file_entry entry;
    assert_true(aard__file_entry_next(&at, good + sizeof good, &entry));
    assert_int_equal(entry.changed_ms, -2);
    assert_true(aard__file_entry_next(&at, good + sizeof good, &entry));
    assert_string_equal(entry.path, "b/c");
    assert_false(aard__file_entry_next(&at, good + sizeof good, &entry));
    assert_ptr_equal(at, good + sizeof good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_host_and_guest_share_files),
        FRESH(test_an_open_file_sees_what_the_host_writes),
        FRESH(test_modules_that_the_host_writes_can_be_imported),
        FRESH(test_a_reset_takes_them_and_a_clear_does_not),
        FRESH(test_a_rollback_keeps_what_the_host_wrote_before),
        FRESH(test_the_guests_quota_holds_and_its_mode_does_not),
        FRESH(test_large_files_go_both_ways),
        FRESH(test_paths_that_lead_elsewhere_are_refused),
        FRESH(test_links_are_not_followed),
        FRESH(test_files_and_directories_are_not_each_other),
        FRESH(test_a_guest_with_names_beyond_reach_is_listed),
        FRESH(test_javascript_has_no_files),
        cmocka_unit_test(test_a_list_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, start_python, stop);
}
