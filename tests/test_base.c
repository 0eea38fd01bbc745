/* What everything else is made of: buffers, errors, files, clocks, hashes, allocation.  test-quick */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/library.h"
#include "base/new_file.h"
#include "base/process.h"
#include "base/utf8.h"

/* A text that may hold NULs, and its length. */
#define TEXT(literal) literal, sizeof literal - 1

/* ---- allocation that fails ------------------------------------------------------------------------------------- */

static long allowed_allocations = -1; /* so many succeed, then none; negative = all */

static int allow(size_t size)
{
    (void)size;
    if (allowed_allocations > 0) return (int)allowed_allocations--;
    return allowed_allocations < 0;
}

static void fail_after(long count)
{
    allowed_allocations = count;
    aard__alloc_set_hook(count < 0 ? NULL : allow);
}

static int let_allocate(void **state)
{
    (void)state;
    fail_after(-1);
    return 0;
}

static void test_allocations_of_nothing_can_be_freed(void **state)
{
    (void)state;
    void *blocks[] = {aard__malloc(0), aard__calloc(0, 8), aard__calloc(8, 0), aard__realloc(NULL, 0),
                      aard__memdup0(NULL, 0)};
    for (size_t i = 0; i < COUNT(blocks); i++) {
        assert_non_null(blocks[i]);
        aard__free(blocks[i]);
    }
    aard__free(NULL);
    assert_null(aard__calloc(SIZE_MAX / 2, 4));
    assert_null(aard__memdup0("x", SIZE_MAX));
}

static void test_the_hook_decides(void **state)
{
    (void)state;
    char *kept = aard__strdup("kept");
    fail_after(0);
    assert_null(aard__malloc(1));
    assert_null(aard__calloc(1, 1));
    assert_null(aard__realloc(kept, 100));
    assert_null(aard__strdup("x"));
    fail_after(-1);
    assert_string_equal(kept, "kept");
    aard__free(kept);
}

/* ---- buffers --------------------------------------------------------------------------------------------------- */

static void test_a_buffer_grows(void **state)
{
    (void)state;
    aard__buf buf = AARD__BUF_INIT;
    size_t len = 0;
    for (int i = 0; i < 10000; i++) aard__buf_printf(&buf, "%d,", i);
    aard__buf_puts(&buf, "");
    aard__buf_append(&buf, NULL, 0);
    aard__buf_putc(&buf, '\0');
    aard__buf_append(&buf, "end", 3);
    assert_false(buf.failed);
    char *text = aard__buf_take(&buf, &len);
    assert_int_equal(len, 48890 + 4);
    assert_int_equal(strlen(text), 48890);
    assert_memory_equal(text, "0,1,2,", 6);
    assert_memory_equal(text + 48890 - 5, "9999,\0end", 10); /* with its own NUL */
    assert_null(buf.data);
    assert_int_equal(buf.len + buf.cap, 0);
    aard__free(text);
    text = aard__buf_take(&buf, NULL);
    assert_string_equal(text, "");
    aard__free(text);
}

static void test_a_buffer_keeps_its_failure(void **state)
{
    (void)state;
    aard__buf buf = AARD__BUF_INIT;
    aard__buf_puts(&buf, "first");
    fail_after(0);
    for (int i = 0; i < 100; i++) aard__buf_puts(&buf, "more");
    fail_after(-1);
    assert_true(buf.failed);
    size_t len = buf.len;
    aard__buf_puts(&buf, "never");
    aard__buf_putc(&buf, 'x');
    aard__buf_printf(&buf, "%d", 1);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buf.data, "firstmoremore", 13);
    assert_null(aard__buf_take(&buf, &len));
    assert_null(buf.data);
    assert_false(buf.failed);
    aard__buf_puts(&buf, "again");
    assert_int_equal(buf.len, 5);
    aard__buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_non_null(buf.data);
    assert_false(aard__buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    aard__buf_clear(&buf);
    aard__buf_putc(&buf, 'x');
    assert_false(aard__buf_reserve(&buf, SIZE_MAX - 1));
    aard__buf_free(&buf);
}

static void test_strings_are_escaped_for_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } rows[] = {
        {TEXT(""), "\"\""},
        {TEXT("abc"), "\"abc\""},
        {TEXT("\"\\/"), "\"\\\"\\\\/\""},
        {TEXT("\b\f\n\r\t"), "\"\\u0008\\u000c\\n\\r\\t\""},
        {TEXT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
        {TEXT("äöü€😀"), "\"äöü€😀\""},
        {TEXT("\xff"), "\"\xef\xbf\xbd\""},
        {TEXT("a\xc3"), "\"a\xef\xbf\xbd\""},
        {TEXT("\xc3(\xe2\x82z"), "\"\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbdz\""},
        {TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {TEXT("x\"y\"z"), "\"x\\\"y\\\"z\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard__buf buf = AARD__BUF_INIT;
        aard__buf_json_string(&buf, rows[i].text, rows[i].len);
        assert_true(aard__json_valid(buf.data, buf.len, NULL));
        char *json = aard__buf_take(&buf, NULL);
        assert_string_equal(json, rows[i].json);
        aard__free(json);
    }
    /* Every pair of bytes gives a string of JSON. */
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const char text[2] = {(char)(pair >> 8), (char)pair};
        aard__buf buf = AARD__BUF_INIT;
        aard__buf_json_string(&buf, text, 2);
        assert_true(aard__json_valid(buf.data, buf.len, NULL));
        aard__buf_free(&buf);
    }
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static void test_errors_have_a_code_a_class_and_a_name(void **state)
{
    (void)state;
#define CHECK(constant, number, name, error_class)                                                                     \
    {                                                                                                                  \
        aard_error *one = aard__error(constant, "%s", name);                                                           \
        assert_int_equal(aard_error_get_code(one), number);                                                            \
        assert_int_equal(aard_error_get_class(one), error_class);                                                      \
        assert_string_equal(aard_error_code_name(constant), name);                                                     \
        aard_error_free(one);                                                                                          \
    }
    AARD_ERROR_MAP(CHECK)
#undef CHECK
    assert_string_equal(aard_error_code_name((aard_error_code)99999), "unknown");
    aard_error_free(NULL);
}

static void message_is(aard_error *error, const char *wanted)
{
    assert_string_equal(aard_error_message(error), wanted);
    aard_error_free(error);
}

static void test_a_message_is_one_line_of_utf8(void **state)
{
    (void)state;
    message_is(aard__error(AARD_ERR_IO, "a\nb\rc\td\x1b[31m\x7f"), "a?b?c?d?[31m?");
    message_is(aard__error(AARD_ERR_IO, "äöü 😀 \xe2\x80\xa6"), "äöü 😀 \xe2\x80\xa6");
    message_is(aard__error(AARD_ERR_IO, "c1 \xc2\x9b[2J \xc2\x80\xc2\x9f\xc2\xa0"), "c1 ??[2J ????\xc2\xa0");
    message_is(aard__error(AARD_ERR_IO, "bad \xff\xfe \xc3 \xed\xa0\x80 \xe2\x82"), "bad ?? ? ??? ??");
    message_is(aard__error(AARD_ERR_IO, "%s", ""), "");
    message_is(aard__error_errno(AARD_ERR_IO, ENOENT, "no '%s'", "x\n"), "no 'x?': No such file or directory");
    char *large = malloc(100001);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    aard_error *error = aard__error(AARD_ERR_IO, "%s!", large);
    assert_int_equal(strlen(aard_error_message(error)), 100001);
    aard_error_free(error);
    free(large);
}

static void test_a_character_has_one_form_and_an_error_its_extent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t sequence, bad;
        bool cut;
    } rows[] = {
        {"A", 1, 0, false},
        {"\xc3\xa4", 2, 0, false},
        {"\xf4\x8f\xbf\xbf", 4, 0, false},
        {"\x80", 0, 1, false},
        {"\xc0\xaf", 0, 1, false},
        {"\xc3", 0, 1, true},
        {"\xc3(", 0, 1, false},
        {"\xe0\x9f\xbf", 0, 1, false},
        {"\xed\xa0\x80", 0, 1, false},
        {"\xe2\x82", 0, 2, true},
        {"\xe2\x82(", 0, 2, false},
        {"\xf0\x9f\x98", 0, 3, true},
        {"\xf0\x9f\x98(", 0, 3, false},
        {"\xf0\x8f\xbf\xbf", 0, 1, false},
        {"\xf4\x90\x80\x80", 0, 1, false},
        {"\xf5\x80", 0, 1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool cut = false;
        size_t len = strlen(rows[i].text), have = aard__utf8_sequence(rows[i].text, len);
        size_t bad = have ? 0 : aard__utf8_bad(rows[i].text, len, &cut);
        if (have != rows[i].sequence || bad != rows[i].bad || cut != rows[i].cut)
            fail_msg("row %zu: sequence %zu, bad %zu, %s", i, have, bad, cut ? "cut" : "whole");
    }
    assert_int_equal(aard__utf8_character("\xf4\x8f\xbf\xbf", 4), 0x10ffff);
}

static void test_base64(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"\xff\xfe\xfb", "//77"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[16];
        size_t len = strlen(rows[i][0]);
        *aard__base64(out, rows[i][0], len) = '\0';
        assert_string_equal(out, rows[i][1]);
        assert_int_equal(aard__base64_len(len), strlen(out));
    }
}

static void test_a_prefix_comes_in_front(void **state)
{
    (void)state;
    aard_error *error = aard__error(AARD_ERR_NOT_FOUND, "inner");
    error = aard__error_prefix(error, "in '%s'", "middle");
    error = aard__error_prefix(error, "outer");
    assert_int_equal(aard_error_get_code(error), AARD_ERR_NOT_FOUND);
    message_is(error, "outer: in 'middle': inner");
}

static void test_errors_without_memory(void **state)
{
    (void)state;
    fail_after(0);
    aard_error *error = aard__error(AARD_ERR_IO, "never seen");
    assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
    assert_ptr_equal(error, aard__error_no_memory());
    assert_ptr_equal(aard__error_prefix(error, "prefix"), error);
    aard_error_free(error);
    message_is(aard__error_no_memory(), "out of memory");
    for (long count = 0; count < 2; count++) { /* a prefix that can't be made is left out */
        fail_after(-1);
        error = aard__error(AARD_ERR_IO, "kept");
        fail_after(count);
        error = aard__error_prefix(error, "prefix");
        assert_int_equal(aard_error_get_code(error), AARD_ERR_IO);
        message_is(error, "kept");
    }
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static char *make_temp(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = aard__path_join(base && *base ? base : "/tmp", "aardvark-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void gives(aard_error *error, aard_error_code code)
{
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), code);
    aard_error_free(error);
}

static size_t entries_in(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 2;
}

static void test_paths_are_joined(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "/b"}, {"a", "", "a/"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *path = aard__path_join(rows[i][0], rows[i][1]);
        assert_string_equal(path, rows[i][2]);
        aard__free(path);
    }
}

static void test_a_file_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = aard__path_join(dir, "file"), *absent = aard__path_join(dir, "absent/file");
    char *data = NULL;
    size_t len = 0;
    struct stat st;
    assert_null(aard__file_write_atomic(path, AARD__MODE_PUBLIC, TEXT("first\0half")));
    assert_null(aard__file_read(path, 0, &data, &len));
    assert_int_equal(len, 10);
    assert_memory_equal(data, "first\0half", 11);
    aard__free(data);
    assert_null(aard__file_write_atomic(path, AARD__MODE_PUBLIC, NULL, 0));
    assert_null(aard__file_read(path, 0, &data, &len));
    assert_int_equal(len, 0);
    assert_string_equal(data, "");
    aard__free(data);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    gives(aard__file_write_atomic(absent, AARD__MODE_PUBLIC, TEXT("x")), AARD_ERR_IO);
    gives(aard__file_write_atomic(dir, AARD__MODE_PUBLIC, TEXT("x")), AARD_ERR_IO); /* a directory is in the way */
    fail_after(0);
    gives(aard__file_write_atomic(path, AARD__MODE_PUBLIC, TEXT("x")), AARD_ERR_NO_MEMORY);
    fail_after(-1);
    assert_int_equal(entries_in(dir), 1);
    assert_null(aard__dir_remove(dir));
    aard__free(absent);
    aard__free(path);
    aard__free(dir);
}

static void test_files_that_can_not_be_read(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = aard__path_join(dir, "file"), *below = aard__path_join(path, "x");
    char *fifo = aard__path_join(dir, "fifo");
    char *data = (char *)"untouched";
    const void *map = "untouched";
    size_t len = 77;
    assert_null(aard__file_write_atomic(path, AARD__MODE_PUBLIC, TEXT("12345")));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    gives(aard__file_read("/absent/file", 0, &data, &len), AARD_ERR_NOT_FOUND);
    gives(aard__file_read(below, 0, &data, &len), AARD_ERR_NOT_FOUND);
    gives(aard__file_read(dir, 0, &data, &len), AARD_ERR_IO);
    gives(aard__file_read(fifo, 0, &data, &len), AARD_ERR_IO); /* and does not wait for a writer */
    gives(aard__file_read(path, 4, &data, &len), AARD_ERR_IO);
    gives(aard__file_map(dir, &map, &len), AARD_ERR_IO);
    gives(aard__file_map(below, &map, &len), AARD_ERR_NOT_FOUND);
    assert_string_equal(data, "untouched");
    assert_string_equal(map, "untouched");
    assert_int_equal(len, 77);
    assert_null(aard__file_read(path, 5, &data, &len));
    assert_string_equal(data, "12345");
    aard__free(data);
    assert_null(aard__dir_remove(dir));
    aard__free(fifo);
    aard__free(below);
    aard__free(path);
    aard__free(dir);
}

static void test_directories_come_and_go(void **state)
{
    (void)state;
    char *dir = make_temp(), *deep = aard__path_join(dir, "a/b//c/"), *file = aard__path_join(dir, "a/file");
    char *under = aard__path_join(dir, "a/file/x"), *link = aard__path_join(dir, "a/b/link"), *kept = make_temp();
    char *in_kept = aard__path_join(kept, "kept"), *top = aard__path_join(dir, "a");
    assert_null(aard__dir_make(deep));
    assert_null(aard__dir_make(deep));
    assert_null(aard__file_write_atomic(file, AARD__MODE_PUBLIC, TEXT("x")));
    assert_null(aard__file_write_atomic(in_kept, AARD__MODE_PUBLIC, TEXT("x")));
    assert_int_equal(symlink(kept, link), 0);
    gives(aard__dir_make(file), AARD_ERR_IO);
    gives(aard__dir_make(under), AARD_ERR_IO);
    gives(aard__dir_make(""), AARD_ERR_IO);
    assert_null(aard__dir_make("/"));
    assert_null(aard__dir_remove(top));
    assert_int_equal(access(top, F_OK), -1);
    assert_int_equal(access(in_kept, F_OK), 0); /* the link went, not what it pointed to */
    assert_null(aard__dir_remove(top));
    assert_int_equal(entries_in(dir), 0);
    assert_null(aard__dir_remove(dir));
    assert_null(aard__dir_remove(kept));
    char *const all[] = {dir, deep, file, under, link, kept, in_kept, top};
    for (size_t i = 0; i < COUNT(all); i++) aard__free(all[i]);
}

/* ---- clocks and hashes ----------------------------------------------------------------------------------------- */

static void test_times_are_written_by_rfc3339(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {{0, "1970-01-01T00:00:00.000Z"},
                {INT64_C(1700000000123999999), "2023-11-14T22:13:20.123Z"},
                {INT64_C(951782400000000000), "2000-02-29T00:00:00.000Z"},
                {INT64_C(4102444799999999999), "2099-12-31T23:59:59.999Z"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[32];
        aard__clock_rfc3339(rows[i].ns, out);
        assert_string_equal(out, rows[i].text);
    }
    uint64_t first = aard__clock_monotonic(), cpu = aard__clock_thread_cpu();
    for (volatile int i = 0; i < 1000000; i++) continue;
    assert_true(aard__clock_monotonic() > first && aard__clock_thread_cpu() > cpu);
}

static void test_hashes(void **state)
{
    (void)state;
    uint8_t hash[AARD__HASH_BYTES], again[AARD__HASH_BYTES];
    char hex[AARD__HASH_HEX];
    aard__hash("abc", 3, hash);
    aard__hash_hex(hash, hex);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"); /* BLAKE2b-256 */
    aard__hasher hasher;
    aard__hash_start(&hasher);
    aard__hash_add(&hasher, "a", 1);
    aard__hash_add(&hasher, "", 0);
    aard__hash_add(&hasher, "bc", 2);
    aard__hash_end(&hasher, again);
    assert_memory_equal(hash, again, sizeof hash);
    for (int i = 0; i < 2; i++) { /* sized parts can't run into each other */
        aard__hash_start(&hasher);
        aard__hash_add_sized(&hasher, "ab", i ? 1 : 2);
        aard__hash_add_sized(&hasher, i ? "bc" : "c", i ? 2 : 1);
        aard__hash_end(&hasher, i ? hash : again);
    }
    assert_memory_not_equal(hash, again, sizeof hash);
}

/* The values are xxHash's own (xxhsum -H2 prints them); in parts that end anywhere. */
static void test_checksum(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *hex;
    } rows[] = {{0, "99aa06d3014798d86001c324468d497f"},
                {3, "82271a7b5276669ef3ea324084d6587c"},
                {240, "7f9dc0c69e5d78ad6ca2539364b765e5"},
                {5000, "080126e1bec88a2c93cd0c39a2d6de4f"}};
    static uint8_t data[5000];
    char hex[AARD__CHECKSUM_HEX];
    uint8_t sum[AARD__CHECKSUM_BYTES];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 167 + i / 251);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t part = 1; part < 2600; part += 431) {
            aard__checksummer summer;
            aard__checksum_start(&summer);
            for (size_t at = 0; at < rows[i].len; at += part)
                aard__checksum_add(&summer, data + at, rows[i].len - at < part ? rows[i].len - at : part);
            aard__checksum_end(&summer, sum);
            aard__checksum_hex(sum, hex);
            assert_string_equal(hex, rows[i].hex);
        }
}

#define TEST(name) cmocka_unit_test_teardown(name, let_allocate)

/* ---- libraries --------------------------------------------------------------------------------------------------- */

static void test_a_library_is_loaded_when_it_is_asked_for(void **state)
{
    (void)state;
    double (*cosine)(double) = NULL, (*sine)(double) = NULL;
    void (*absent)(void) = NULL;
    char why[300] = "";
    const aard__library_function functions[] = {{"cos", &cosine}, {"sin", &sine}, {"no_such_function", &absent}};
    aard__library library = {"libm", "libm.so.6", "libc6", "2.36", functions, 2};
    assert_true(aard__library_load(&library, why, sizeof why));
    assert_true(cosine(0) == 1 && sine(0) == 0);
    assert_string_equal(why, "");
    library.count = 3;
    assert_false(aard__library_load(&library, why, sizeof why));
    assert_string_equal(why, "libm has no no_such_function; install libc6 2.36 or later");
    library.file = "libno_such_library.so.7";
    assert_false(aard__library_load(&library, why, sizeof why));
    assert_non_null(strstr(why, "libm can't be loaded (libno_such_library.so.7: "));
    assert_non_null(strstr(why, "; install libc6"));
}

/* ---- forks --------------------------------------------------------------------------------------------------------- */

static char prepared[3];

static aard_error *end_threads(void)
{
    strcat(prepared, "t");
    return NULL;
}

static aard_error *begin_work(void)
{
    strcat(prepared, "w");
    return NULL;
}

AARD__PROCESS_STATE(test_threads, "threads", "", AARD__FORK_QUIESCE, end_threads, NULL, NULL);
AARD__PROCESS_STATE(test_work, "what begins work for threads", "", AARD__FORK_RESET, begin_work, NULL, NULL);

/* Whatever the order of the register. */
static void test_threads_end_last_before_a_fork(void **state)
{
    (void)state;
    assert_null(aard__process_quiesce());
    assert_string_equal(prepared, "wt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_library_is_loaded_when_it_is_asked_for),
        TEST(test_allocations_of_nothing_can_be_freed),
        TEST(test_the_hook_decides),
        TEST(test_a_buffer_grows),
        TEST(test_a_buffer_keeps_its_failure),
        TEST(test_strings_are_escaped_for_json),
        TEST(test_errors_have_a_code_a_class_and_a_name),
        TEST(test_a_message_is_one_line_of_utf8),
        TEST(test_a_character_has_one_form_and_an_error_its_extent),
        TEST(test_base64),
        TEST(test_a_prefix_comes_in_front),
        TEST(test_errors_without_memory),
        TEST(test_paths_are_joined),
        TEST(test_a_file_is_written_whole_or_not_at_all),
        TEST(test_files_that_can_not_be_read),
        TEST(test_directories_come_and_go),
        TEST(test_times_are_written_by_rfc3339),
        TEST(test_hashes),
        TEST(test_checksum),
        cmocka_unit_test(test_threads_end_last_before_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
