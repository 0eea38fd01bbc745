/* Bundles: what a ZIP has to be, and every way in which it is not.  test-quick */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <aardvark/bundle.h>

#include "bad_bundles.h"
#include "base/alloc.h"
#include "base/file.h"

#define MANIFEST "{\"schemaVersion\": \"1.0\", \"entrypoint\": \"main:hello\"}"

static aard_bundle *open_bytes(zb_bytes bytes)
{
    aard_bundle *bundle = NULL;
    aard_error *error = aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle);
    if (error) fail_msg("%s", aard_error_message(error));
    return bundle;
}

static aard_bundle *open_zip(zb_zip *zip)
{
    zb_bytes bytes = zb_finish(zip);
    aard_bundle *bundle = open_bytes(bytes);
    free(bytes.data);
    return bundle;
}

static void assert_file(const aard_bundle *bundle, const char *name, const char *text)
{
    size_t index, len, name_len;
    const char *found;
    const uint8_t *data;
    if (!aard_bundle_find(bundle, name, strlen(name), &index)) fail_msg("'%s' is not there", name);
    aard_bundle_entry(bundle, index, &found, &name_len, &data, &len);
    assert_int_equal(name_len, strlen(name));
    assert_memory_equal(found, name, name_len);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(data, text, len);
}

static void assert_refused(aard_error *error, aard_error_code code, const char *says)
{
    if (!error) fail_msg("accepted, and it should be %s", aard_error_code_name(code));
    if (aard_error_get_code(error) != code || !strstr(aard_error_message(error), says))
        fail_msg("%s instead of %s: %s", aard_error_code_name(aard_error_get_code(error)), aard_error_code_name(code),
                 aard_error_message(error));
    aard_error_free(error);
}

/* ---- what is refused -------------------------------------------------------------------------------------- */

static void each_bad_bundle_has_its_own_error(void **state)
{
    (void)state;
    size_t wrong = 0;
    assert_true(bad_bundle_count() > 200);
    for (size_t i = 0; i < bad_bundle_count(); i++) {
        const bad_bundle *bad = bad_bundle_at(i);
        zb_bytes bytes = bad_bundle_make(i);
        aard_bundle *bundle = NULL;
        aard_error *error = aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle);
        free(bytes.data);
        if (!error) fail_msg("%s: it was accepted", bad->name);
        if (aard_error_get_code(error) != bad->code || !strstr(aard_error_message(error), bad->says)) {
            wrong++;
            print_error("%s: %s: %s\n", bad->name, aard_error_code_name(aard_error_get_code(error)),
                        aard_error_message(error));
        }
        assert_int_equal(aard_error_get_class(error), AARD_CLASS_INPUT);
        assert_null(bundle);
        aard_error_free(error);
    }
    assert_int_equal(wrong, 0);
}

static zb_bytes sample(void)
{
    zb_zip zip = {0};
    zb_text(&zip, "main.py", "def hello(name):\n    return name\n");
    zb_deflated(&zip, "lib/util.py", "x = 1\n");
    zb_text(&zip, "lib/", "");
    zb_zeros(&zip, "zeros.bin", 3000);
    zb_zip64(zb_text(&zip, "wide.txt", "wide"));
    zb_text(&zip, "aardvark.manifest.json", MANIFEST);
    return zb_finish(&zip);
}

/* Opens a copy of exactly `len` bytes, so that a read behind it is seen; true where it is accepted. */
static bool opens(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    aard_bundle *bundle = NULL;
    aard_error *error = aard_bundle_from_bytes(copy, len, NULL, &bundle);
    free(copy);
    if (error) assert_int_equal(aard_error_get_class(error), AARD_CLASS_INPUT);
    assert_true((error == NULL) != (bundle == NULL));
    aard_error_free(error);
    aard_bundle_free(bundle);
    return !error;
}

static void every_cut_of_a_bundle_is_refused(void **state)
{
    (void)state;
    zb_bytes bytes = sample();
    assert_true(opens(bytes.data, bytes.len));
    for (size_t len = 0; len < bytes.len; len++)
        if (opens(bytes.data, len)) fail_msg("the first %zu bytes were accepted", len);
    free(bytes.data);
}

/* Of most bytes nothing depends on every bit (times, versions), but none may crash, or fail as the host's fault. */
static void any_changed_byte_is_survived(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    (void)state;
    zb_bytes bytes = sample();
    size_t refused = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        for (size_t k = 0; k < sizeof flips; k++) {
            bytes.data[i] ^= flips[k];
            refused += !opens(bytes.data, bytes.len);
            bytes.data[i] ^= flips[k];
        }
    }
    assert_true(refused > bytes.len * sizeof flips / 2);
    free(bytes.data);
}

static void limits_are_the_hosts(void **state)
{
    (void)state;
    zb_zip zip = {0};
    zb_text(&zip, "a", "0123456789");
    zb_text(&zip, "b", "0123456789");
    zb_bytes bytes = zb_finish(&zip);
    aard_bundle *bundle = NULL;
    aard_bundle_limits limits = {sizeof limits, 2, 20};
    assert_null(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle));
    aard_bundle_free(bundle);
    limits.max_entries = 1;
    assert_refused(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle), AARD_ERR_BUNDLE_TOO_MANY_ENTRIES,
                   "(2, limit 1)");
    limits = (aard_bundle_limits){sizeof limits, 0, 19};
    assert_refused(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle), AARD_ERR_BUNDLE_TOO_LARGE, "'b'");
    limits.struct_size = offsetof(aard_bundle_limits, max_unpacked_bytes); /* a caller older than the last field */
    assert_null(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle));
    aard_bundle_free(bundle);
    struct {
        aard_bundle_limits known;
        uint64_t of_tomorrow;
    } newer = {{sizeof newer, 2, 20}, 0};
    assert_null(aard_bundle_from_bytes(bytes.data, bytes.len, &newer.known, &bundle));
    aard_bundle_free(bundle);
    newer.of_tomorrow = 1;
    assert_refused(aard_bundle_from_bytes(bytes.data, bytes.len, &newer.known, &bundle), AARD_ERR_INVALID_ARGUMENT,
                   "newer library");
    limits.struct_size = 0;
    assert_refused(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle), AARD_ERR_INVALID_ARGUMENT,
                   "struct_size");
    free(bytes.data);
}

static void a_bomb_is_stopped_by_the_limit(void **state)
{
    (void)state;
    zb_zip zip = {0};
    zb_zeros(&zip, "zeros.bin", 2 << 20);
    zb_bytes bytes = zb_finish(&zip);
    assert_true(bytes.len < 4096);
    aard_bundle *bundle = NULL;
    aard_bundle_limits limits = {sizeof limits, 0, 1 << 20};
    assert_refused(aard_bundle_from_bytes(bytes.data, bytes.len, &limits, &bundle), AARD_ERR_BUNDLE_TOO_LARGE,
                   "'zeros.bin'");
    assert_true(opens(bytes.data, bytes.len));
    free(bytes.data);
}

/* ---- what is accepted ------------------------------------------------------------------------------------- */

static void files_come_back_in_bytewise_order(void **state)
{
    static const char *const order[] = {"a", "a-b", "b/c", "b/c.d", "z", "\xc3\xa4/\xf0\x9f\x90\x9c.py"};
    (void)state;
    zb_zip zip = {0};
    zb_text(&zip, "z", "last");
    zb_entry *ant = zb_text(&zip, "\xc3\xa4/\xf0\x9f\x90\x9c.py", "ant");
    ant->local.flags = ant->central.flags = 0x0800;
    zb_text(&zip, "b/c.d", "");
    zb_deflated(&zip, "a", "first");
    zb_text(&zip, "b/", "");
    zb_deflated(&zip, "b/c", "");
    zb_text(&zip, "a-b", "dash");
    aard_bundle *bundle = open_zip(&zip);
    assert_int_equal(aard_bundle_entry_count(bundle), 6);
    for (size_t i = 0; i < 6; i++) {
        const char *name;
        size_t len;
        aard_bundle_entry(bundle, i, &name, &len, NULL, NULL);
        assert_int_equal(len, strlen(order[i]));
        assert_memory_equal(name, order[i], len);
    }
    assert_file(bundle, "a", "first");
    assert_file(bundle, "b/c", "");
    assert_file(bundle, "\xc3\xa4/\xf0\x9f\x90\x9c.py", "ant");
    assert_false(aard_bundle_find(bundle, "b", 1, NULL));
    assert_false(aard_bundle_find(bundle, "b/", 2, NULL));
    assert_false(aard_bundle_find(bundle, "", 0, NULL));
    assert_false(aard_bundle_find(bundle, "zz", 2, NULL));
    assert_null(aard_bundle_manifest(bundle));
    aard_bundle_free(bundle);
}

static void the_manifest_is_read(void **state)
{
    (void)state;
    zb_bytes bytes = sample();
    aard_bundle *bundle = open_bytes(bytes);
    assert_non_null(aard_bundle_manifest(bundle));
    assert_string_equal(aard_manifest_entrypoint(aard_bundle_manifest(bundle)), "main:hello");
    aard_bundle_free(bundle);
    free(bytes.data);
}

static void a_manifest_below_the_root_is_a_file_like_others(void **state)
{
    (void)state;
    zb_zip zip = {0};
    zb_text(&zip, "lib/aardvark.manifest.json", "not JSON");
    aard_bundle *bundle = open_zip(&zip);
    assert_null(aard_bundle_manifest(bundle));
    aard_bundle_free(bundle);
}

static void an_archive_without_entries_is_a_bundle(void **state)
{
    (void)state;
    zb_zip zip = {0};
    aard_bundle *bundle = open_zip(&zip);
    assert_int_equal(aard_bundle_entry_count(bundle), 0);
    assert_false(aard_bundle_find(bundle, "main.py", 7, NULL));
    assert_int_equal(strlen(aard_bundle_digest(bundle)), 64);
    aard_bundle_free(bundle);
}

static void zip64_archives_open(void **state)
{
    (void)state;
    zb_zip zip = {.zip64 = true};
    zb_zip64(zb_text(&zip, "a.txt", "stored"));
    zb_zip64(zb_deflated(&zip, "b.txt", "deflated"));
    aard_bundle *bundle = open_zip(&zip);
    assert_file(bundle, "a.txt", "stored");
    assert_file(bundle, "b.txt", "deflated");
    aard_bundle_free(bundle);
}

static void data_descriptors_are_understood(void **state)
{
    static const char *const names[] = {"a.txt", "b.txt"};
    (void)state;
    zb_zip zip = {0};
    for (size_t i = 0; i < 2; i++) {
        zb_entry *entry = zb_deflated(&zip, names[i], "written as a stream");
        entry->local.flags = entry->central.flags = 0x0008;
        entry->local.crc = entry->local.packed = entry->local.unpacked = 0;
        entry->descriptor = true;
    }
    aard_bundle *bundle = open_zip(&zip);
    assert_file(bundle, "a.txt", "written as a stream");
    assert_file(bundle, "b.txt", "written as a stream");
    aard_bundle_free(bundle);
}

static void other_tools_harmless_ways_are_accepted(void **state)
{
    static const uint8_t timestamp[] = {0x55, 0x54, 5, 0, 3, 0, 0, 0, 0};
    (void)state;
    zb_zip zip = {.comment = "made by hand", .comment_len = 12};
    zb_entry *entry = zb_text(&zip, "dos.txt", "no Unix mode");
    entry->made_by = 0x0014;
    entry->external = 0x20;
    entry = zb_text(&zip, "lib/", "");
    entry->external = 0x10;
    entry = zb_text(&zip, "extra.txt", "extra fields");
    entry->local.extra = entry->central.extra = timestamp;
    entry->local.extra_len = entry->central.extra_len = sizeof timestamp;
    entry = zb_text(&zip, "utf8-flag.txt", "flag 11");
    entry->local.flags = entry->central.flags = 0x0800;
    /* As Info-ZIP does it: no mark, but the name in UTF-8 in an extra field, whose checksum is of the other name. */
    static uint8_t path[9 + 7] = {0x75, 0x70, 12, 0, 1};
    uint32_t crc = zb_crc32("\xc3\xa9.html", 7);
    for (int i = 0; i < 4; i++) path[5 + i] = (uint8_t)(crc >> 8 * i);
    memcpy(path + 9, "\xc3\xa9.html", 7);
    entry = zb_text(&zip, "\xc3\xa9.html", "unicode path");
    entry->local.extra = entry->central.extra = path;
    entry->local.extra_len = entry->central.extra_len = sizeof path;
    aard_bundle *bundle = open_zip(&zip);
    assert_int_equal(aard_bundle_entry_count(bundle), 4);
    assert_file(bundle, "\xc3\xa9.html", "unicode path");
    assert_file(bundle, "extra.txt", "extra fields");
    aard_bundle_free(bundle);
}

static void the_digest_is_of_the_contents_alone(void **state)
{
    (void)state;
    zb_zip zips[4] = {{0}};
    char digests[4][65];
    zb_text(&zips[0], "a", "one"), zb_text(&zips[0], "b", "two");
    zb_deflated(&zips[1], "b", "two"), zb_deflated(&zips[1], "a", "one"), zb_text(&zips[1], "dir/", "");
    zb_text(&zips[2], "a", "onet"), zb_text(&zips[2], "b", "wo");
    zb_text(&zips[3], "a", "one"), zb_text(&zips[3], "c", "two");
    for (size_t i = 0; i < 4; i++) {
        aard_bundle *bundle = open_zip(&zips[i]);
        strcpy(digests[i], aard_bundle_digest(bundle));
        assert_int_equal(strspn(digests[i], "0123456789abcdef"), 64);
        aard_bundle_free(bundle);
    }
    assert_string_equal(digests[0], digests[1]);
    assert_string_not_equal(digests[0], digests[2]);
    assert_string_not_equal(digests[0], digests[3]);
}

static void the_last_owner_frees(void **state)
{
    (void)state;
    zb_bytes bytes = sample();
    aard_bundle *bundle = open_bytes(bytes);
    memset(bytes.data, 0, bytes.len); /* borrowed for the call only */
    free(bytes.data);
    assert_ptr_equal(aard_bundle_retain(bundle), bundle);
    aard_bundle_free(bundle);
    assert_file(bundle, "wide.txt", "wide");
    aard_bundle_free(bundle);
    aard_bundle_free(NULL);
}

/* ---- memory ----------------------------------------------------------------------------------------------- */

static size_t allocations_left;

static int fail_after(size_t size)
{
    (void)size;
    return allocations_left && allocations_left--;
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    (void)state;
    zb_bytes bytes = sample();
    for (size_t n = 0;; n++) {
        aard_bundle *bundle = NULL;
        allocations_left = n;
        aard__alloc_set_hook(fail_after);
        aard_error *error = aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle);
        aard__alloc_set_hook(NULL);
        if (!error) {
            assert_true(n > 15);
            aard_bundle_free(bundle);
            break;
        }
        assert_int_equal(aard_error_get_code(error), AARD_ERR_NO_MEMORY);
        assert_null(bundle);
        aard_error_free(error);
    }
    free(bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_bundle_has_its_own_error),
        cmocka_unit_test(every_cut_of_a_bundle_is_refused),
        cmocka_unit_test(any_changed_byte_is_survived),
        cmocka_unit_test(limits_are_the_hosts),
        cmocka_unit_test(a_bomb_is_stopped_by_the_limit),
        cmocka_unit_test(files_come_back_in_bytewise_order),
        cmocka_unit_test(the_manifest_is_read),
        cmocka_unit_test(a_manifest_below_the_root_is_a_file_like_others),
        cmocka_unit_test(an_archive_without_entries_is_a_bundle),
        cmocka_unit_test(zip64_archives_open),
        cmocka_unit_test(data_descriptors_are_understood),
        cmocka_unit_test(other_tools_harmless_ways_are_accepted),
        cmocka_unit_test(the_digest_is_of_the_contents_alone),
        cmocka_unit_test(the_last_owner_frees),
        cmocka_unit_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
