/* Packing a directory: the same bundle each time, or a refusal.  test-quick */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <aardvark/bundle.h>

#include "base/alloc.h"
#include "base/file.h"

#define MANIFEST "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:hello\"}"

/* A directory of the test's own, with the tree to pack in `tree` and the archives in `out`. */
typedef struct place {
    char root[256], tree[300], zip[300];
} place;

static int make_place(void **state)
{
    static place at;
    const char *temporary = getenv("TMPDIR");
    snprintf(at.root, sizeof at.root, "%s/aardvark-pack-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(at.root)) return -1;
    snprintf(at.tree, sizeof at.tree, "%s/tree", at.root);
    snprintf(at.zip, sizeof at.zip, "%s/out/bundle.zip", at.root);
    char out[300];
    snprintf(out, sizeof out, "%s/out", at.root);
    *state = &at;
    return mkdir(at.tree, 0777) | mkdir(out, 0777);
}

static int remove_place(void **state)
{
    place *at = *state;
    aard_error *error = aard__dir_remove(at->root);
    aard_error_free(error);
    return error ? -1 : 0;
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void get(const char *path, char **data, size_t *len)
{
    aard_error *error = aard__file_read(path, 0, data, len);
    if (error) fail_msg("%s", aard_error_message(error));
}

static void pack(const char *dir, const char *path)
{
    aard_error *error = aard_bundle_pack(dir, path);
    if (error) fail_msg("%s", aard_error_message(error));
}

static void assert_refused(aard_error *error, aard_error_code code, const char *says)
{
    if (!error) fail_msg("accepted, and it should be %s", aard_error_code_name(code));
    if (aard_error_get_code(error) != code || !strstr(aard_error_message(error), says))
        fail_msg("%s instead of %s: %s", aard_error_code_name(aard_error_get_code(error)), aard_error_code_name(code),
                 aard_error_message(error));
    aard_error_free(error);
}

/* The number of files beside the archive, itself included. */
static size_t left_behind(const place *at)
{
    char out[300];
    size_t count = 0;
    snprintf(out, sizeof out, "%s/out", at->root);
    DIR *dir = opendir(out);
    assert_non_null(dir);
    for (struct dirent *child; (child = readdir(dir));) count += child->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void a_tree_becomes_a_bundle(void **state)
{
    static const char *const names[] = {"aardvark.manifest.json", "empty.txt", "lib/deep/er/x.py", "main.py",
                                        "\xc3\xa4.txt"};
    place *at = *state;
    put(at->tree, "main.py", "def hello(name):\n    return name\n");
    put(at->tree, "aardvark.manifest.json", MANIFEST);
    put(at->tree, "lib/deep/er/x.py", "x = 1\n");
    put(at->tree, "empty.txt", "");
    put(at->tree, "\xc3\xa4.txt", "umlaut");
    pack(at->tree, at->zip);
    aard_bundle *bundle = NULL;
    assert_null(aard_bundle_open(at->zip, NULL, &bundle));
    assert_int_equal(aard_bundle_entry_count(bundle), 5);
    for (size_t i = 0; i < 5; i++) {
        const char *name;
        aard_bundle_entry(bundle, i, &name, NULL, NULL, NULL);
        assert_string_equal(name, names[i]);
    }
    size_t index, len;
    const uint8_t *data;
    assert_true(aard_bundle_find(bundle, "lib/deep/er/x.py", 16, &index));
    aard_bundle_entry(bundle, index, NULL, NULL, &data, &len);
    assert_int_equal(len, 6);
    assert_memory_equal(data, "x = 1\n", 6);
    assert_string_equal(aard_manifest_entrypoint(aard_bundle_manifest(bundle)), "main:hello");
    aard_bundle_free(bundle);
    assert_int_equal(left_behind(at), 1);
}

/* Order of creation, times, modes, the time zone and empty directories must not show. */
static void equal_trees_give_equal_bytes(void **state)
{
    place *at = *state;
    char other[300], zip[300], path[600];
    snprintf(other, sizeof other, "%s/other", at->root);
    snprintf(zip, sizeof zip, "%s/out/other.zip", at->root);
    put(at->tree, "a.py", "a");
    put(at->tree, "b/c.py", "cccccccccccccccccccccccccccccccccccccccc");
    mkdir(other, 0777);
    put(other, "b/c.py", "cccccccccccccccccccccccccccccccccccccccc");
    put(other, "a.py", "a");
    snprintf(path, sizeof path, "%s/empty", other);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/a.py", other);
    chmod(path, 0700);
    const struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    utimensat(AT_FDCWD, path, times, 0);
    pack(at->tree, at->zip);
    setenv("TZ", "Pacific/Kiritimati", 1);
    tzset();
    pack(other, zip);
    unsetenv("TZ");
    tzset();
    char *first, *second;
    size_t first_len, second_len;
    get(at->zip, &first, &first_len);
    get(zip, &second, &second_len);
    assert_int_equal(first_len, second_len);
    assert_memory_equal(first, second, first_len);
    aard__free(first);
    aard__free(second);
}

static void the_archive_itself_is_left_out(void **state)
{
    place *at = *state;
    char zip[600];
    snprintf(zip, sizeof zip, "%s/bundle.zip", at->tree);
    put(at->tree, "main.py", "x = 1\n");
    char *first, *second;
    size_t first_len, second_len;
    pack(at->tree, zip);
    get(zip, &first, &first_len);
    pack(at->tree, zip);
    get(zip, &second, &second_len);
    assert_int_equal(first_len, second_len);
    assert_memory_equal(first, second, first_len);
    aard__free(first);
    aard__free(second);
}

static void only_files_and_directories_are_packed(void **state)
{
    place *at = *state;
    char path[600], inner[600];
    put(at->tree, "lib/main.py", "x = 1\n");
    snprintf(inner, sizeof inner, "%s/lib/odd", at->tree);
    assert_int_equal(symlink("main.py", inner), 0);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_SYMLINK, "'lib/odd': it is a symbolic link");
    unlink(inner);
    assert_int_equal(symlink("/nowhere", inner), 0);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_SYMLINK, "'lib/odd'");
    unlink(inner);
    assert_int_equal(symlink("..", inner), 0);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_SYMLINK, "'lib/odd'");
    unlink(inner);
    assert_int_equal(mkfifo(inner, 0666), 0);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_FILE_TYPE, "'lib/odd'");
    unlink(inner);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s", inner);
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_FILE_TYPE, "'lib/odd': it is a socket");
    unlink(inner);
    assert_int_equal(left_behind(at), 0);
    pack(at->tree, at->zip);
}

static void what_opening_would_refuse_is_not_written(void **state)
{
    static const struct {
        const char *name, *text;
        aard_error_code code;
        const char *says;
    } cases[] = {
        {"a\\b", "", AARD_ERR_BUNDLE_BACKSLASH, "'a\\b'"},
        {"a\nb", "", AARD_ERR_BUNDLE_NAME_INVALID, "'a\\x0ab'"},
        {"caf\xe9", "", AARD_ERR_BUNDLE_NAME_NOT_UTF8, "'caf\\xe9'"},
        {"aardvark.manifest.json", "{}", AARD_ERR_MANIFEST_MISSING_KEY, "'schemaVersion' is missing"},
    };
    place *at = *state;
    put(at->tree, "main.py", "x = 1\n");
    pack(at->tree, at->zip);
    char *before, *after;
    size_t before_len, after_len;
    get(at->zip, &before, &before_len);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[600];
        put(at->tree, cases[i].name, cases[i].text);
        assert_refused(aard_bundle_pack(at->tree, at->zip), cases[i].code, cases[i].says);
        snprintf(path, sizeof path, "%s/%s", at->tree, cases[i].name);
        unlink(path);
    }
    get(at->zip, &after, &after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    assert_int_equal(left_behind(at), 1);
    aard__free(before);
    aard__free(after);
}

static void directories_below_the_depth_limit_are_refused(void **state)
{
    place *at = *state;
    char name[200] = "";
    for (int i = 0; i < 64; i++) strcat(name, "d/");
    strcat(name, "x");
    put(at->tree, name, "");
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_BUNDLE_NAME_INVALID, "more than 64 components");
}

static void paths_that_lead_nowhere_are_named(void **state)
{
    place *at = *state;
    char missing[400];
    snprintf(missing, sizeof missing, "%s/missing", at->root);
    assert_refused(aard_bundle_pack(missing, at->zip), AARD_ERR_NOT_FOUND, missing);
    assert_refused(aard_bundle_pack(at->tree, at->zip), AARD_ERR_NOT_FOUND, "no files");
    put(at->tree, "main.py", "");
    snprintf(missing, sizeof missing, "%s/missing/x.zip", at->root);
    assert_refused(aard_bundle_pack(at->tree, missing), AARD_ERR_IO, missing);
    snprintf(missing, sizeof missing, "%s/main.py", at->tree);
    assert_refused(aard_bundle_pack(missing, at->zip), AARD_ERR_NOT_FOUND, missing);
    assert_int_equal(left_behind(at), 0);
}

static void opening_names_the_file(void **state)
{
    place *at = *state;
    aard_bundle *bundle = NULL;
    assert_refused(aard_bundle_open(at->zip, NULL, &bundle), AARD_ERR_NOT_FOUND, at->zip);
    assert_refused(aard_bundle_open(at->tree, NULL, &bundle), AARD_ERR_BUNDLE_NOT_ZIP, "is a directory");
    put(at->tree, "x.zip", "PK\3\4 and so on");
    char path[600];
    snprintf(path, sizeof path, "%s/x.zip", at->tree);
    assert_refused(aard_bundle_open(path, NULL, &bundle), AARD_ERR_BUNDLE_CORRUPT, path);
    aard_bundle_limits limits = {sizeof limits, 1, 1};
    assert_int_equal(truncate(path, 64 << 20), 0);
    assert_refused(aard_bundle_open(path, &limits, &bundle), AARD_ERR_BUNDLE_TOO_LARGE, path);
    assert_refused(aard_bundle_open("/dev/null", NULL, &bundle), AARD_ERR_IO, "/dev/null");
    assert_null(bundle);
}

static size_t allocations_left;

static int fail_after(size_t size)
{
    (void)size;
    return allocations_left && allocations_left--;
}

static void running_out_of_memory_anywhere_leaves_nothing(void **state)
{
    place *at = *state;
    put(at->tree, "main.py", "x = 1\n");
    put(at->tree, "lib/util.py", "y = 2\n");
    put(at->tree, "aardvark.manifest.json", MANIFEST);
    for (size_t n = 0;; n++) {
        allocations_left = n;
        aard__alloc_set_hook(fail_after);
        aard_error *error = aard_bundle_pack(at->tree, at->zip);
        aard__alloc_set_hook(NULL);
        if (!error) {
            assert_true(n > 15);
            break;
        }
        assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        assert_int_equal(left_behind(at), 0);
        aard_error_free(error);
    }
    aard_bundle *bundle = NULL;
    for (size_t n = 0;; n++) {
        allocations_left = n;
        aard__alloc_set_hook(fail_after);
        aard_error *error = aard_bundle_open(at->zip, NULL, &bundle);
        aard__alloc_set_hook(NULL);
        if (!error) break;
        assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        aard_error_free(error);
    }
    aard_bundle_free(bundle);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        TEST(a_tree_becomes_a_bundle),
        TEST(equal_trees_give_equal_bytes),
        TEST(the_archive_itself_is_left_out),
        TEST(only_files_and_directories_are_packed),
        TEST(what_opening_would_refuse_is_not_written),
        TEST(directories_below_the_depth_limit_are_refused),
        TEST(paths_that_lead_nowhere_are_named),
        TEST(opening_names_the_file),
        TEST(running_out_of_memory_anywhere_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
