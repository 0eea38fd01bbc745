/* Images and derived files on disk: what comes back is what was written, or nothing.  test-quick */
#include "dist_support.h"

#include <sys/mman.h>

#include "distribution/derived.h"
#include "warm/image.h"

#define PAGE 4096
#define MEMORY (64 * PAGE)

static const char text[] = "{\"what\":\"else\"}";

static uint8_t *memory(void)
{
    uint8_t *bytes = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(bytes != MAP_FAILED);
    for (size_t i = 0; i < MEMORY; i++)
        if (i / PAGE % 3) bytes[i] = (uint8_t)(i * 7 + i / PAGE); /* every third page stays a hole */
    return bytes;
}

#define KEY "engine=1\npackage=a 1\npackage=b 2\n"

static aard__image *make_image(void)
{
    uint8_t *bytes = memory();
    aard__image *image = NULL;
    aard__image_parts parts = {KEY, text, sizeof text - 1, bytes, MEMORY};
    assert_null(aard__image_from_memory(&parts, &image));
    munmap(bytes, MEMORY);
    return image;
}

static void write_image(const char *path)
{
    aard__image *image = make_image();
    assert_null(aard__image_save(image, path, 0600, NULL));
    aard__image_free(image);
}

static void refused(const char *path, const char *key, aard_error_code code)
{
    aard__image *image = NULL;
    aard_error *error = aard__image_open(path, key, NULL, &image);
    if (!error) fail_msg("%s was opened", path);
    if (aard_error_get_code(error) != code) fail_msg("%s: %s", path, aard_error_message(error));
    assert_non_null(strstr(aard_error_message(error), path));
    aard_error_free(error);
}

static void test_an_image_comes_back_as_it_was(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    aard__image *image;
    size_t len;
    uint8_t *wanted = memory(), *first = memory(), *second = memory();
    write_image(path);
    assert_null(aard__image_open(path, KEY, NULL, &image));
    const char *got = aard__image_text(image, &len);
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(got, text, len);
    assert_int_equal(aard__image_memory_len(image), MEMORY);
    memset(first, 0xaa, MEMORY);
    assert_null(aard__image_map(image, first));
    assert_null(aard__image_map(image, second));
    aard__image_free(image);
    assert_memory_equal(first, wanted, MEMORY);
    memset(first, 0x55, MEMORY); /* a write stays with the one that wrote */
    assert_memory_equal(second, wanted, MEMORY);
    assert_null(aard__image_open(path, KEY, NULL, &image));
    aard__image_free(image);
    munmap(wanted, MEMORY);
    munmap(first, MEMORY);
    munmap(second, MEMORY);
    remove_temp(dir);
}

static void test_holes_take_no_room(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    struct stat st;
    write_image(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, PAGE + MEMORY);
    assert_true(st.st_blocks * 512 < PAGE + MEMORY - MEMORY / 4);
    remove_temp(dir);
}

static void test_another_key_is_refused(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    write_image(path);
    refused(path, "engine=2\n", AARD_ERR_WARM_MISMATCH);
    refused(path, "engine=1\nother=1\n", AARD_ERR_WARM_MISMATCH);
    refused(path, "engine=\n", AARD_ERR_WARM_MISMATCH);
    refused(at(dir, "none"), KEY, AARD_ERR_NOT_FOUND);
    refused(dir, KEY, AARD_ERR_WARM_CORRUPT);
    remove_temp(dir);
}

static void test_a_mismatch_names_what_differs(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    aard__image *image;
    write_image(path);
    aard_error *error = aard__image_open(path, "engine=1\npackage=c 3\n", NULL, &image);
    assert_non_null(error);
    assert_non_null(strstr(aard_error_message(error), "its package is a 1 and not c 3"));
    aard_error_free(error);
    error = aard__image_open(path, "bundle=5\n", NULL, &image);
    assert_non_null(error);
    assert_non_null(strstr(aard_error_message(error), "its bundle is missing and not 5"));
    aard_error_free(error);
    remove_temp(dir);
}

static void test_lines_of_a_key_are_found(void **state)
{
    (void)state;
    aard__image *image = make_image();
    const char *key = aard__image_key(image);
    size_t len;
    assert_string_equal(key, KEY);
    const char *first = aard__key_find(key, "package", NULL, &len);
    assert_non_null(first);
    assert_int_equal(len, 3);
    assert_memory_equal(first, "a 1", 3);
    const char *second = aard__key_find(key, "package", first, &len);
    assert_non_null(second);
    assert_memory_equal(second, "b 2", 3);
    assert_null(aard__key_find(key, "package", second, &len));
    assert_null(aard__key_find(key, "pack", NULL, &len));
    assert_null(aard__key_find("package=torn", "package", NULL, &len));
    assert_false(aard__image_is_file(image));
    aard__image_free(image);
}

/* What is in memory is as good as what is in a file, and as hard to change. */
static void test_an_image_in_memory_can_be_mapped(void **state)
{
    (void)state;
    aard__image *image = make_image();
    uint8_t *wanted = memory(), *first = memory();
    size_t len;
    assert_memory_equal(aard__image_memory(image), wanted, MEMORY);
    assert_memory_equal(aard__image_text(image, &len), text, sizeof text - 1);
    memset(first, 0xaa, MEMORY);
    assert_null(aard__image_map(image, first));
    assert_memory_equal(first, wanted, MEMORY);
    memset(first, 0x55, MEMORY);
    assert_memory_equal(aard__image_memory(image), wanted, MEMORY);
    aard__image_free(image);
    munmap(wanted, MEMORY);
    munmap(first, MEMORY);
}

static void flip(const char *path, off_t offset)
{
    int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_true(fd >= 0 && pread(fd, &byte, 1, offset) == 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void test_every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    write_image(path);
    for (size_t i = 0; i < PAGE + MEMORY; i += i < 600 ? 1 : 509) {
        aard__image *image = NULL;
        flip(path, (off_t)i);
        aard_error *error = aard__image_open(path, KEY, NULL, &image);
        if (!error) fail_msg("byte %zu was flipped and the image opened", i);
        aard_error_free(error);
        flip(path, (off_t)i);
    }
    aard__image *image;
    assert_null(aard__image_open(path, KEY, NULL, &image));
    aard__image_free(image);
    remove_temp(dir);
}

static void test_every_truncation_is_noticed(void **state)
{
    (void)state;
    char *dir = make_temp(), *path = at(dir, "image");
    write_image(path);
    for (off_t len = PAGE + MEMORY - 1; len >= 0; len -= len > 400 ? 1009 : 1) {
        assert_int_equal(truncate(path, len), 0);
        refused(path, KEY, AARD_ERR_WARM_CORRUPT);
    }
    assert_int_equal(truncate(path, 1 << 20), 0);
    refused(path, KEY, AARD_ERR_WARM_CORRUPT);
    remove_temp(dir);
}

static void test_an_image_that_can_not_be_written_leaves_nothing(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard__image *image = make_image();
    aard_error *error = aard__image_save(image, at(dir, "no/such/dir"), 0600, NULL);
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), AARD_ERR_IO);
    aard_error_free(error);
    assert_int_equal(mkdir(at(dir, "taken"), 0755), 0);
    error = aard__image_save(image, at(dir, "taken"), 0600, NULL);
    assert_non_null(error);
    aard_error_free(error);
    assert_int_equal(rmdir(at(dir, "taken")), 0);
    aard__image_free(image);
    assert_int_equal(rmdir(dir), 0); /* empty: no temporary file was left */
    free(dir);
}

static aard_distribution *staged(const char *home)
{
    aard_stage_options *options;
    aard_distribution *source, *made;
    assert_null(aard_distribution_open(getenv("AARDVARK_TEST_DIST"), &source));
    assert_null(aard_stage_options_new(&options));
    assert_null(aard_stage_options_set_home(options, home));
    assert_null(aard_stage_options_set_archive(options, aard_distribution_dir(source)));
    assert_null(aard_distribution_stage(options, &made, NULL));
    aard_stage_options_free(options);
    aard_distribution_free(source);
    return made;
}

static void test_derived_files_are_whole_or_not_there(void **state)
{
    (void)state;
    char *home = make_temp(), *path;
    aard_distribution *distribution = staged(home);
    aard__derived derived = {0};
    char data[3000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 31);
    assert_false(aard__derived_open(distribution, "code", KEY, &derived));
    assert_null(aard__derived_write(distribution, "code", KEY, data, sizeof data));
    assert_false(aard__derived_open(distribution, "code", "other", &derived));
    assert_true(aard__derived_open(distribution, "code", KEY, &derived));
    assert_int_equal(derived.len, sizeof data);
    assert_memory_equal(derived.data, data, sizeof data);
    aard__derived_close(&derived);
    assert_null(aard__derived_path(distribution, "code", false, &path));
    struct stat whole;
    assert_int_equal(stat(path, &whole), 0);
    assert_true(whole.st_size > (off_t)sizeof data);
    for (off_t i = 0; i < whole.st_size; i++) {
        flip(path, i);
        if (aard__derived_open(distribution, "code", KEY, &derived)) fail_msg("byte %ld was flipped", (long)i);
        flip(path, i);
    }
    for (off_t len = whole.st_size - 1; len >= 0; len--) {
        assert_int_equal(truncate(path, len), 0);
        if (aard__derived_open(distribution, "code", KEY, &derived)) fail_msg("cut to %ld bytes", (long)len);
    }
    assert_null(aard_distribution_verify(distribution)); /* the cache is no part of the distribution */
    free(path);
    aard_distribution_free(distribution);
    remove_temp(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image_comes_back_as_it_was),
        cmocka_unit_test(test_holes_take_no_room),
        cmocka_unit_test(test_another_key_is_refused),
        cmocka_unit_test(test_a_mismatch_names_what_differs),
        cmocka_unit_test(test_lines_of_a_key_are_found),
        cmocka_unit_test(test_an_image_in_memory_can_be_mapped),
        cmocka_unit_test(test_every_flipped_byte_is_noticed),
        cmocka_unit_test(test_every_truncation_is_noticed),
        cmocka_unit_test(test_an_image_that_can_not_be_written_leaves_nothing),
        cmocka_unit_test(test_derived_files_are_whole_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
