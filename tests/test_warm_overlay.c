/* Overlays: what is read is what was written, and nothing that anybody could have written instead does harm.  test-quick */
#include "dist_support.h"

#include <sys/mman.h>

#include "warm/overlay.h"

#define ITEM(n, d)                                                                                                     \
    {                                                                                                                  \
        n, sizeof(n) - 1, (const uint8_t *)(d), sizeof(d) - 1, 0                                                       \
    }
#define KEY "package=a 1 00\n"

static int new_fd(void)
{
    int fd = memfd_create("overlay", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static int written(void)
{
    aard__overlay_item items[] = {ITEM("site/b/__init__.py", "b = 1\n"), ITEM("lib/libz.so", "\0asm"),
                                  ITEM("site/a.py", "a = 1\n"), ITEM("site/b/empty", ""), ITEM("site/é.txt", "x")};
    int fd = new_fd();
    assert_ok(aard__overlay_write(fd, KEY, items, 5));
    return fd;
}

static void test_files_come_back_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"lib/libz.so", "site/a.py", "site/b/__init__.py", "site/b/empty", "site/é.txt"};
    int fd = written();
    aard__overlay *overlay = NULL;
    assert_ok(aard__overlay_open(fd, "it", KEY, &overlay));
    close(fd);
    assert_int_equal(aard__overlay_count(overlay), 5);
    for (size_t i = 0; i < 5; i++) {
        aard__overlay_item file = aard__overlay_file(overlay, i);
        assert_int_equal(file.name_len, strlen(names[i]));
        assert_memory_equal(file.name, names[i], file.name_len);
    }
    assert_int_equal(aard__overlay_file(overlay, 0).len, 4);
    assert_memory_equal(aard__overlay_file(overlay, 0).data, "\0asm", 4);
    assert_int_equal(aard__overlay_file(overlay, 3).len, 0);
    assert_string_equal(aard__overlay_key(overlay), KEY);
    assert_int_equal(strlen(aard__overlay_digest(overlay)), 64);
    aard__overlay *second = aard__overlay_retain(overlay);
    aard__overlay_free(overlay);
    assert_int_equal(aard__overlay_count(second), 5);
    aard__overlay_free(second);
}

static void test_equal_files_give_equal_overlays(void **state)
{
    (void)state;
    aard__overlay *a = NULL, *b = NULL, *c = NULL;
    int first = written(), second = written(), third = new_fd();
    aard__overlay_item other[] = {ITEM("site/a.py", "a = 2\n")};
    assert_ok(aard__overlay_write(third, KEY, other, 1));
    assert_ok(aard__overlay_open(first, "it", KEY, &a));
    assert_ok(aard__overlay_open(second, "it", KEY, &b));
    assert_ok(aard__overlay_open(third, "it", KEY, &c));
    assert_string_equal(aard__overlay_digest(a), aard__overlay_digest(b));
    assert_string_not_equal(aard__overlay_digest(a), aard__overlay_digest(c));
    aard__overlay_free(a);
    aard__overlay_free(b);
    aard__overlay_free(c);
    close(first);
    close(second);
    close(third);
}

static void test_an_overlay_may_be_empty(void **state)
{
    (void)state;
    aard__overlay *overlay = NULL;
    int fd = new_fd();
    assert_ok(aard__overlay_write(fd, KEY, NULL, 0));
    assert_ok(aard__overlay_open(fd, "it", KEY, &overlay));
    assert_int_equal(aard__overlay_count(overlay), 0);
    aard__overlay_free(overlay);
    close(fd);
}

static void test_names_that_can_not_be_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "/a", "a//b", "a/", "../a", "a/../b", "a/.", ".", "\xff"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        aard__overlay_item item = {names[i], strlen(names[i]), (const uint8_t *)"x", 1, 0};
        int fd = new_fd();
        assert_refused(aard__overlay_write(fd, KEY, &item, 1), AARD_ERR_INVALID_ARGUMENT, "name", NULL);
        close(fd);
    }
    aard__overlay_item twice[] = {ITEM("a", "1"), ITEM("b", "1"), ITEM("a", "2")};
    int fd = new_fd();
    assert_refused(aard__overlay_write(fd, KEY, twice, 3), AARD_ERR_INVALID_ARGUMENT, "'a'", NULL);
    close(fd);
}

static void test_another_key_is_refused(void **state)
{
    (void)state;
    aard__overlay *overlay = NULL;
    int fd = written();
    assert_refused(aard__overlay_open(fd, "it", "package=a 2 00\n", &overlay), AARD_ERR_WARM_MISMATCH, "'it'", NULL);
    assert_refused(aard__overlay_open(fd, "it", "", &overlay), AARD_ERR_WARM_MISMATCH, NULL);
    close(fd);
}

static void test_every_change_is_noticed(void **state)
{
    (void)state;
    struct stat st;
    aard__overlay *overlay = NULL;
    int fd = written();
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t i = 0; i < st.st_size; i++) {
        uint8_t byte, changed;
        assert_int_equal(pread(fd, &byte, 1, i), 1);
        changed = byte ^ 0x20;
        assert_int_equal(pwrite(fd, &changed, 1, i), 1);
        aard_error *error = aard__overlay_open(fd, "it", KEY, &overlay);
        if (!error) fail_msg("byte %ld was changed and the overlay opened", (long)i);
        aard_error_free(error);
        assert_int_equal(pwrite(fd, &byte, 1, i), 1);
    }
    for (off_t len = st.st_size - 1; len >= 0; len--) {
        assert_int_equal(ftruncate(fd, len), 0);
        assert_refused(aard__overlay_open(fd, "it", KEY, &overlay), AARD_ERR_WARM_CORRUPT, NULL);
    }
    assert_int_equal(ftruncate(fd, st.st_size + 1), 0);
    assert_refused(aard__overlay_open(fd, "it", KEY, &overlay), AARD_ERR_WARM_CORRUPT, NULL);
    close(fd);
}

/* A digest proves nothing about who wrote the file: with a right one the index must still be judged. */
static void test_a_right_digest_does_not_excuse_a_wrong_index(void **state)
{
    (void)state;
    enum { HEADER = 72, DIGEST_AT = 40 };
    struct stat st;
    int fd = written();
    assert_int_equal(fstat(fd, &st), 0);
    size_t len = (size_t)st.st_size, opened = 0;
    uint8_t *whole = malloc(len), *copy = malloc(len);
    assert_int_equal(pread(fd, whole, len, 0), (ssize_t)len);
    size_t rows = (HEADER + sizeof KEY + 7) & ~(size_t)7;
    for (size_t i = 8; i < rows + 5 * 24; i++) {
        if (i >= DIGEST_AT && i < rows) continue;
        for (int bit = 0; bit < 8; bit++) {
            aard__hasher hasher;
            memcpy(copy, whole, len);
            copy[i] ^= (uint8_t)(1u << bit);
            aard__hash_start(&hasher);
            aard__hash_add(&hasher, copy, DIGEST_AT);
            aard__hash_add(&hasher, copy + HEADER, len - HEADER);
            aard__hash_end(&hasher, copy + DIGEST_AT);
            aard_error *error = aard__overlay_check(copy, len, "it", KEY);
            opened += !error;
            aard_error_free(error);
        }
    }
    assert_int_equal(opened, 0);
    free(whole);
    free(copy);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_come_back_in_order),
        cmocka_unit_test(test_equal_files_give_equal_overlays),
        cmocka_unit_test(test_an_overlay_may_be_empty),
        cmocka_unit_test(test_names_that_can_not_be_are_refused),
        cmocka_unit_test(test_another_key_is_refused),
        cmocka_unit_test(test_every_change_is_noticed),
        cmocka_unit_test(test_a_right_digest_does_not_excuse_a_wrong_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
