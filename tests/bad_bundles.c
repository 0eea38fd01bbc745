#include "bad_bundles.h"

#include <stdlib.h>
#include <string.h>

#define MODE(mode) ((uint32_t)(mode) << 16)

typedef struct zip_case {
    bad_bundle bad;
    void (*make)(zb_zip *zip);
    void (*spoil)(zb_bytes *bytes); /* NULL, or what is done to the finished archive */
} zip_case;

static zb_entry *main_py(zb_zip *zip) { return zb_text(zip, "main.py", "def hello(name):\n    return name\n"); }

static void good(zb_zip *zip)
{
    main_py(zip);
    zb_deflated(zip, "lib/util.py", "x = 1\n");
}

/* ---- not an archive, or not a whole one ------------------------------------------------------------------- */

static void replace(zb_bytes *bytes, const void *data, size_t len)
{
    free(bytes->data);
    bytes->data = malloc(len + 1);
    if (!bytes->data) abort();
    memcpy(bytes->data, data, len);
    bytes->len = len;
}

static void to_nothing(zb_bytes *bytes) { replace(bytes, "", 0); }
static void to_text(zb_bytes *bytes) { replace(bytes, "print('hello')\n", 15); }
static void to_gzip(zb_bytes *bytes) { replace(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20); }
static void to_zeros(zb_bytes *bytes) { memset(bytes->data, 0, bytes->len); }
static void cut_half(zb_bytes *bytes) { bytes->len /= 2; }
static void cut_one(zb_bytes *bytes) { bytes->len -= 1; }

static void append_one(zb_bytes *bytes)
{
    bytes->data = realloc(bytes->data, bytes->len + 1);
    if (!bytes->data) abort();
    bytes->data[bytes->len++] = '\n';
}

static void with_prefix(zb_zip *zip)
{
    good(zip);
    zip->prefix = "#!/bin/sh\nexit 0\n";
    zip->prefix_len = 17;
}

static void with_unknown_prefix(zb_zip *zip)
{
    with_prefix(zip);
    zip->directory_shift = -17;
    for (size_t i = 0; i < zip->count; i++) zip->entries[i].shift = -17;
}

static void with_two_ends(zb_zip *zip)
{
    good(zip);
    zip->comment = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    zip->comment_len = 22;
}

static void with_count_above(zb_zip *zip) { good(zip), zip->count_shift = 1; }
static void with_count_below(zb_zip *zip) { good(zip), zip->count_shift = -1; }
static void with_count_absurd(zb_zip *zip) { good(zip), zip->count_shift = 9000; }
static void with_directory_early(zb_zip *zip) { good(zip), zip->directory_shift = -1; }
static void with_directory_late(zb_zip *zip) { good(zip), zip->directory_shift = 1; }
static void with_directory_far(zb_zip *zip) { good(zip), zip->directory_shift = 0x7fffff00; }
static void with_directory_short(zb_zip *zip) { good(zip), zip->size_shift = -4, zip->directory_shift = 4; }
static void with_other_disk(zb_zip *zip) { good(zip), zip->disk = 1; }
static void with_entry_disk(zb_zip *zip) { good(zip), zip->entries[0].disk = 1; }

static void with_broken_signature(zb_bytes *bytes)
{
    for (size_t i = 0; i + 4 <= bytes->len; i++)
        if (memcmp(bytes->data + i, "PK\1\2", 4) == 0) bytes->data[i + 3] = 9;
}

/* ---- ZIP64 ------------------------------------------------------------------------------------------------ */

static void with_locator_off(zb_zip *zip) { good(zip), zip->zip64 = true, zip->locator_shift = 2; }
static void with_locator_far(zb_zip *zip) { good(zip), zip->zip64 = true, zip->locator_shift = INT64_MAX / 2; }
static void with_record64_size(zb_zip *zip) { good(zip), zip->zip64 = true, zip->record64_size = 45; }

static void with_zip64_missing(zb_zip *zip)
{
    zb_entry *entry = main_py(zip);
    zb_zip64(entry);
    entry->central.extra_len = 0;
}

static void with_zip64_short(zb_zip *zip)
{
    zb_entry *entry = main_py(zip);
    zb_zip64(entry);
    entry->extra[2] = 8;
    entry->central.extra_len = 12;
}

/* Two sizes whose sum is small again in 64 bits. */
static void with_sizes_that_wrap(zb_zip *zip)
{
    static const char *const names[] = {"a.bin", "b.bin"};
    for (size_t i = 0; i < 2; i++) {
        zb_entry *entry = zb_text(zip, names[i], "x");
        zb_zip64(entry);
        entry->extra[4 + 7] = entry->extra[12 + 7] = 0x80;
    }
}

/* ---- encryption and compression --------------------------------------------------------------------------- */

static void flags(zb_zip *zip, uint16_t value)
{
    zb_entry *entry = main_py(zip);
    entry->local.flags = entry->central.flags = value;
}

static void method(zb_zip *zip, uint16_t value)
{
    zb_entry *entry = main_py(zip);
    entry->local.method = entry->central.method = value;
}

static void with_encryption(zb_zip *zip) { flags(zip, 0x0001); }
static void with_strong_encryption(zb_zip *zip) { flags(zip, 0x0041); }
static void with_masked_headers(zb_zip *zip) { flags(zip, 0x2000); }
static void with_aes(zb_zip *zip) { method(zip, 99); }
static void with_local_encryption(zb_zip *zip) { main_py(zip)->local.flags = 0x0001; }
static void with_patch(zb_zip *zip) { flags(zip, 0x0020); }
static void with_imploded(zb_zip *zip) { method(zip, 6); }
static void with_deflate64(zb_zip *zip) { method(zip, 9); }
static void with_bzip2(zb_zip *zip) { method(zip, 12); }
static void with_lzma(zb_zip *zip) { method(zip, 14); }
static void with_zstd(zb_zip *zip) { method(zip, 93); }

/* ---- names ------------------------------------------------------------------------------------------------ */

#define NAMED(function, literal)                                                                                       \
    static void function(zb_zip *zip)                                                                                  \
    {                                                                                                                  \
        main_py(zip);                                                                                                  \
        zb_rename(zb_text(zip, "x", ""), literal, sizeof(literal) - 1);                                                \
    }

NAMED(absolute, "/etc/passwd")
NAMED(absolute_root, "/")
NAMED(absolute_twice, "//host/share")
NAMED(absolute_drive, "C:/windows/x")
NAMED(parent, "../evil.py")
NAMED(parent_inside, "a/../../evil.py")
NAMED(parent_last, "a/..")
NAMED(parent_alone, "..")
NAMED(parent_directory, "../")
NAMED(backslash, "a\\b.py")
NAMED(backslash_parent, "..\\evil.py")
NAMED(nul_inside, "a.py\0.txt")
NAMED(nul_last, "a.py\0")
NAMED(nul_first, "\0a.py")
NAMED(latin1, "caf\xe9.py")
NAMED(overlong, "a\xc0\xaf"
                "b.py")
NAMED(surrogate, "a\xed\xa0\x80.py")
NAMED(cut_sequence, "a\xe2\x82")
NAMED(too_high, "a\xf4\x90\x80\x80")
NAMED(no_name, "")
NAMED(dot, "./a.py")
NAMED(dot_inside, "a/./b.py")
NAMED(dot_alone, ".")
NAMED(two_slashes, "a//b.py")
NAMED(two_slashes_last, "a//")
NAMED(newline, "a\nb.py")
NAMED(escape, "a\x1b[2Jb.py")
NAMED(delete, "a\x7f.py")
NAMED(c1_control, "a\xc2\x9b"
                  "2J.py")
NAMED(reordering, "a\xe2\x80\xae"
                  "yp.exe")
NAMED(arabic_mark, "a\xd8\x9c.py")
NAMED(isolating, "a\xe2\x81\xa6.py")
NAMED(zero_width_space, "os\xe2\x80\x8b.py")
NAMED(zero_width_joiner, "os\xe2\x80\x8d.py")
NAMED(word_joiner, "os\xe2\x81\xa0.py")
NAMED(byte_order_mark, "\xef\xbb\xbfos.py")
NAMED(soft_hyphen, "o\xc2\xads.py")
NAMED(filler, "os\xe3\x85\xa4.py")
NAMED(tag_character, "os\xf3\xa0\x81\x81.py")

static void with_long_name(zb_zip *zip)
{
    static char name[1026];
    for (size_t i = 0; i < 1025; i++) name[i] = i % 100 == 99 ? '/' : 'n';
    zb_text(zip, name, "");
}

static void with_longest_name(zb_zip *zip)
{
    static char name[65536];
    memset(name, 'n', sizeof name - 1);
    zb_text(zip, name, "");
}

static void with_long_component(zb_zip *zip)
{
    static char name[4 + 256 + 1] = "lib/";
    memset(name + 4, 'c', 256);
    zb_text(zip, name, "");
}

static void with_depth(zb_zip *zip)
{
    static char name[130];
    for (size_t i = 0; i < 129; i++) name[i] = i % 2 ? '/' : 'd';
    zb_text(zip, name, "");
}

/* ---- types ------------------------------------------------------------------------------------------------ */

static void symlink_entry(zb_zip *zip) { zb_text(zip, "link.py", "/etc/passwd")->external = MODE(0120777); }

static void symlink_from_dos(zb_zip *zip)
{
    symlink_entry(zip);
    zip->entries[0].made_by = 0x0014;
}

static void char_device(zb_zip *zip) { zb_text(zip, "null", "")->external = MODE(0020666); }
static void block_device(zb_zip *zip) { zb_text(zip, "sda", "")->external = MODE(0060660); }
static void fifo(zb_zip *zip) { zb_text(zip, "pipe", "")->external = MODE(0010644); }
static void socket_entry(zb_zip *zip) { zb_text(zip, "sock", "")->external = MODE(0140755); }
static void mode_directory(zb_zip *zip) { zb_text(zip, "lib", "")->external = MODE(0040755); }
static void mode_file(zb_zip *zip) { zb_text(zip, "lib/", "")->external = MODE(0100644); }
static void full_directory(zb_zip *zip) { zb_text(zip, "lib/", "secret"); }

/* ---- entries against each other --------------------------------------------------------------------------- */

static void two(zb_zip *zip, const char *a, const char *b)
{
    zb_text(zip, a, "");
    main_py(zip);
    zb_text(zip, b, "");
}

static void same_file(zb_zip *zip) { two(zip, "a.py", "a.py"); }
static void same_manifest(zb_zip *zip) { two(zip, "aardvark.manifest.json", "aardvark.manifest.json"); }
static void same_directory(zb_zip *zip) { two(zip, "lib/", "lib/"); }
static void file_and_directory(zb_zip *zip) { two(zip, "lib", "lib/"); }
static void file_and_child(zb_zip *zip) { two(zip, "lib", "lib/a.py"); }
static void child_and_file(zb_zip *zip) { two(zip, "lib/a.py", "lib"); }
static void deep_child(zb_zip *zip) { two(zip, "a/b", "a/b/c/d.py"); }
static void child_and_neighbour(zb_zip *zip) { two(zip, "lib", "lib-x"), zb_text(zip, "lib/a.py", ""); }
static void directory_below_file(zb_zip *zip) { two(zip, "lib", "lib/sub/"); }

static void too_many(zb_zip *zip)
{
    static char names[10001][8];
    for (int i = 0; i < 10001; i++) {
        for (int at = 0, rest = i; at < 5; at++, rest /= 10) names[i][4 - at] = (char)('0' + rest % 10);
        zb_text(zip, names[i], "");
    }
}

/* ---- sizes and checksums ---------------------------------------------------------------------------------- */

static void unpacked(zb_entry *entry, uint32_t size) { entry->local.unpacked = entry->central.unpacked = size; }

static void too_large(zb_zip *zip)
{
    main_py(zip);
    unpacked(zb_zeros(zip, "zeros.bin", 4096), (512u << 20) + 1);
}

static void too_large_together(zb_zip *zip)
{
    unpacked(zb_zeros(zip, "a.bin", 400000), 300u << 10);
    unpacked(zb_zeros(zip, "b.bin", 4096), 512u << 20);
}

static void more_than_said(zb_zip *zip) { unpacked(zb_deflated(zip, "more.txt", "0123456789"), 9); }
static void more_than_none(zb_zip *zip) { unpacked(zb_deflated(zip, "more.txt", "0123456789"), 0); }
static void bomb(zb_zip *zip) { unpacked(zb_zeros(zip, "bomb.bin", 8u << 20), 100); }
static void less_than_said(zb_zip *zip) { unpacked(zb_deflated(zip, "less.txt", "0123456789"), 11); }
static void stored_size(zb_zip *zip) { unpacked(zb_text(zip, "stored.txt", "0123456789"), 9); }
static void impossible_ratio(zb_zip *zip) { unpacked(zb_deflated(zip, "ratio.txt", "0123456789"), 1u << 20); }

static void unfinished(zb_zip *zip)
{
    zb_entry *entry = zb_deflated(zip, "cut.txt", "0123456789");
    entry->data.len -= 3;
    entry->local.packed = entry->central.packed -= 3;
}

static void checksum(zb_entry *entry) { entry->local.crc = entry->central.crc ^= 1; }
static void crc_stored(zb_zip *zip) { checksum(zb_text(zip, "stored.txt", "0123456789")); }
static void crc_deflated(zb_zip *zip) { checksum(zb_deflated(zip, "deflated.txt", "0123456789")); }
static void crc_empty(zb_zip *zip) { checksum(zb_text(zip, "empty.txt", "")); }

static void garbage(zb_zip *zip)
{
    zb_entry *entry = zb_deflated(zip, "garbage.txt", "0123456789");
    memset(entry->data.data, 0xff, entry->data.len);
}

/* ---- two readings of one archive -------------------------------------------------------------------------- */

static void local_name(zb_zip *zip) { main_py(zip)->local.name = "evil.py"; }
static void local_name_longer(zb_zip *zip)
{
    main_py(zip)->local.name_len = 8, zip->entries[0].local.name = "main.pyc";
}
static void local_method(zb_zip *zip) { main_py(zip)->local.method = 8; }
static void local_packed(zb_zip *zip) { main_py(zip)->local.packed -= 1; }
static void local_unpacked(zb_zip *zip) { main_py(zip)->local.unpacked += 1; }
static void local_crc(zb_zip *zip) { main_py(zip)->local.crc ^= 1; }
static void local_zip64(zb_zip *zip) { zb_zip64(main_py(zip)), zip->entries[0].local.extra_len = 0; }
static void offset_far(zb_zip *zip) { main_py(zip)->shift = 0x7fffff00; }
static void offset_wrong(zb_zip *zip) { main_py(zip)->shift = 1; }

static void into_directory(zb_zip *zip)
{
    zb_entry *entry = main_py(zip);
    entry->local.packed = entry->central.packed += 10;
    entry->local.unpacked = entry->central.unpacked += 10;
}

static void shared_data(zb_zip *zip)
{
    main_py(zip);
    zb_entry *entry = main_py(zip);
    entry->share = true;
    entry->central.name = "copy.py";
}

/* The second entry's header and data are the first one's contents. */
static void nested_data(zb_zip *zip)
{
    zb_zip inner = {0};
    zb_text(&inner, "inner", "x");
    zb_bytes bytes = zb_finish(&inner);
    zb_add(zip, "outer", bytes.data, 30 + 5 + 1);
    free(bytes.data);
    zb_entry *entry = zb_text(zip, "inner", "x");
    entry->share = true;
    entry->shift = 30 + 5;
}

static void gap_before_directory(zb_zip *zip) { main_py(zip), zip->gap = "gap", zip->gap_len = 3; }

/* A whole entry that only who reads from the start finds. */
static void unlisted_entry(zb_zip *zip)
{
    static uint8_t hidden[30 + 7 + 4];
    zb_zip inner = {0};
    zb_text(&inner, "evil.py", "evil");
    zb_bytes bytes = zb_finish(&inner);
    memcpy(hidden, bytes.data, sizeof hidden);
    free(bytes.data);
    main_py(zip);
    zip->gap = hidden;
    zip->gap_len = sizeof hidden;
}

static void only_unlisted(zb_zip *zip) { zip->gap = "hidden", zip->gap_len = 6; }

static zb_entry *described(zb_zip *zip)
{
    zb_entry *entry = zb_deflated(zip, "later.py", "x = 1\n");
    entry->descriptor = true;
    entry->local.flags = entry->central.flags = 0x0008;
    return entry;
}

static void described_entry(zb_zip *zip) { described(zip); }
static void descriptor_missing(zb_zip *zip) { described(zip)->descriptor = false; }
static void descriptor_unasked(zb_zip *zip) { described(zip)->local.flags = 0, zip->entries[0].central.flags = 0; }
static void local_before_descriptor(zb_zip *zip) { described(zip)->local.unpacked = 5; }

static void spoil_descriptor(zb_bytes *bytes)
{
    for (size_t i = 0; i + 16 <= bytes->len; i++)
        if (memcmp(bytes->data + i, "PK\7\10", 4) == 0) bytes->data[i + 12] ^= 1; /* the size */
}

static void unmarked_name(zb_zip *zip) { main_py(zip), zb_text(zip, "caf\xc3\xa9.py", ""); }
static void half_marked_name(zb_zip *zip) { unmarked_name(zip), zip->entries[1].central.flags = 0x0800; }

static void other_path(zb_zip *zip)
{
    static uint8_t path[9 + 7] = {0x75, 0x70, 12, 0, 1};
    uint32_t crc = zb_crc32("main.py", 7);
    for (int i = 0; i < 4; i++) path[5 + i] = (uint8_t)(crc >> 8 * i);
    memcpy(path + 9, "evil.py", 7);
    zb_entry *entry = main_py(zip);
    entry->central.extra = path;
    entry->central.extra_len = sizeof path;
}

static void other_local_path(zb_zip *zip)
{
    other_path(zip);
    zb_entry *entry = &zip->entries[0];
    entry->local.extra = entry->central.extra;
    entry->local.extra_len = entry->central.extra_len;
    entry->central.extra_len = 0;
}

NAMED(drive_relative, "C:x.py")

/* ---- manifests that no table of texts can hold ------------------------------------------------------------ */

static void manifest_too_large(zb_zip *zip)
{
    static char spaces[(1 << 20) + 1];
    memset(spaces, ' ', sizeof spaces);
    zb_add(zip, "aardvark.manifest.json", spaces, sizeof spaces);
}

static void manifest_nul(zb_zip *zip) { zb_add(zip, "aardvark.manifest.json", "{\0}", 3); }

/* ---- the table -------------------------------------------------------------------------------------------- */

#define CASE(name, code, says, make, spoil)                                                                            \
    {                                                                                                                  \
        {name, AARD_ERR_BUNDLE_##code, says}, make, spoil                                                              \
    }

static const zip_case cases[] = {
    CASE("empty-file", NOT_ZIP, "not a ZIP", good, to_nothing),
    CASE("text-file", NOT_ZIP, "not a ZIP", good, to_text),
    CASE("gzip-file", NOT_ZIP, "not a ZIP", good, to_gzip),
    CASE("zeros", NOT_ZIP, "not a ZIP", good, to_zeros),
    CASE("cut-half", CORRUPT, "cut short", good, cut_half),
    CASE("cut-one", CORRUPT, "cut short", good, cut_one),
    CASE("appended-byte", CORRUPT, "something was appended", good, append_one),
    CASE("prefix", CORRUPT, "17 bytes in front", with_prefix, NULL),
    CASE("prefix-unknown", CORRUPT, "not where", with_unknown_prefix, NULL),
    CASE("two-end-records", CORRUPT, "two end records", with_two_ends, NULL),
    CASE("count-above", CORRUPT, "too small", with_count_above, NULL),
    CASE("count-below", CORRUPT, "more than the entries", with_count_below, NULL),
    CASE("count-absurd", CORRUPT, "too small", with_count_absurd, NULL),
    CASE("directory-early", CORRUPT, "not where", with_directory_early, NULL),
    CASE("directory-late", CORRUPT, "not where", with_directory_late, NULL),
    CASE("directory-far", CORRUPT, "not where", with_directory_far, NULL),
    CASE("directory-short", CORRUPT, "ends too early", with_directory_short, NULL),
    CASE("directory-signature", CORRUPT, "ends too early", good, with_broken_signature),
    CASE("split-archive", CORRUPT, "split", with_other_disk, NULL),
    CASE("split-entry", CORRUPT, "'main.py'", with_entry_disk, NULL),
    CASE("zip64-locator-off", CORRUPT, "ZIP64 end record", with_locator_off, NULL),
    CASE("zip64-locator-far", CORRUPT, "ZIP64 end record", with_locator_far, NULL),
    CASE("zip64-record-size", CORRUPT, "ZIP64 end record", with_record64_size, NULL),
    CASE("zip64-extra-missing", CORRUPT, "'main.py'", with_zip64_missing, NULL),
    CASE("zip64-extra-short", CORRUPT, "'main.py'", with_zip64_short, NULL),
    CASE("zip64-sizes-wrap", TOO_LARGE, "'a.bin'", with_sizes_that_wrap, NULL),
    CASE("encrypted", ENCRYPTED, "'main.py': it is encrypted", with_encryption, NULL),
    CASE("encrypted-strong", ENCRYPTED, "'main.py': it is encrypted", with_strong_encryption, NULL),
    CASE("encrypted-headers", ENCRYPTED, "'main.py': it is encrypted", with_masked_headers, NULL),
    CASE("encrypted-aes", ENCRYPTED, "'main.py': it is encrypted", with_aes, NULL),
    CASE("encrypted-locally", CORRUPT, "'main.py': its local header", with_local_encryption, NULL),
    CASE("compression-patch", COMPRESSION, "'main.py'", with_patch, NULL),
    CASE("compression-implode", COMPRESSION, "'main.py': it is compressed with method 6", with_imploded, NULL),
    CASE("compression-deflate64", COMPRESSION, "'main.py': it is compressed with method 9", with_deflate64, NULL),
    CASE("compression-bzip2", COMPRESSION, "'main.py': it is compressed with method 12", with_bzip2, NULL),
    CASE("compression-lzma", COMPRESSION, "'main.py': it is compressed with method 14", with_lzma, NULL),
    CASE("compression-zstd", COMPRESSION, "'main.py': it is compressed with method 93", with_zstd, NULL),
    CASE("absolute", ABSOLUTE_PATH, "'/etc/passwd'", absolute, NULL),
    CASE("absolute-root", ABSOLUTE_PATH, "'/'", absolute_root, NULL),
    CASE("absolute-twice", ABSOLUTE_PATH, "'//host/share'", absolute_twice, NULL),
    CASE("absolute-drive", ABSOLUTE_PATH, "'C:/windows/x'", absolute_drive, NULL),
    CASE("absolute-drive-relative", ABSOLUTE_PATH, "'C:x.py'", drive_relative, NULL),
    CASE("gap", CORRUPT, "'main.py': behind it are 3 bytes", gap_before_directory, NULL),
    CASE("unlisted-entry", CORRUPT, "'main.py': behind it are 41 bytes", unlisted_entry, NULL),
    CASE("unlisted-alone", CORRUPT, "6 bytes that its directory does not list", only_unlisted, NULL),
    CASE("descriptor-missing", CORRUPT, "'later.py': its local header", descriptor_missing, NULL),
    CASE("descriptor-unasked", CORRUPT, "'later.py': ", descriptor_unasked, NULL),
    CASE("descriptor-disagrees", CORRUPT, "the data descriptor", described_entry, spoil_descriptor),
    CASE("descriptor-and-header", CORRUPT, "'later.py': its local header", local_before_descriptor, NULL),
    CASE("name-unmarked", NAME_NOT_UTF8, "'caf\xc3\xa9.py': its name is not ASCII and not marked", unmarked_name, NULL),
    CASE("name-half-marked", CORRUPT, "'caf\xc3\xa9.py': its local header", half_marked_name, NULL),
    CASE("name-other-path", CORRUPT, "'main.py': its extra fields", other_path, NULL),
    CASE("name-other-local-path", CORRUPT, "'main.py': its extra fields", other_local_path, NULL),
    CASE("parent", PARENT_PATH, "'../evil.py'", parent, NULL),
    CASE("parent-inside", PARENT_PATH, "'a/../../evil.py'", parent_inside, NULL),
    CASE("parent-last", PARENT_PATH, "'a/..'", parent_last, NULL),
    CASE("parent-alone", PARENT_PATH, "'..'", parent_alone, NULL),
    CASE("parent-directory", PARENT_PATH, "'../'", parent_directory, NULL),
    CASE("backslash", BACKSLASH, "'a\\b.py'", backslash, NULL),
    CASE("backslash-parent", BACKSLASH, "'..\\evil.py'", backslash_parent, NULL),
    CASE("nul-inside", NUL, "'a.py\\x00.txt'", nul_inside, NULL),
    CASE("nul-last", NUL, "'a.py\\x00'", nul_last, NULL),
    CASE("nul-first", NUL, "'\\x00a.py'", nul_first, NULL),
    CASE("name-latin1", NAME_NOT_UTF8, "'caf\\xe9.py'", latin1, NULL),
    CASE("name-overlong", NAME_NOT_UTF8, "'a\\xc0\\xafb.py'", overlong, NULL),
    CASE("name-surrogate", NAME_NOT_UTF8, "'a\\xed\\xa0\\x80.py'", surrogate, NULL),
    CASE("name-cut-sequence", NAME_NOT_UTF8, "'a\\xe2\\x82'", cut_sequence, NULL),
    CASE("name-too-high", NAME_NOT_UTF8, "'a\\xf4\\x90\\x80\\x80'", too_high, NULL),
    CASE("name-empty", NAME_INVALID, "'': its name is empty", no_name, NULL),
    CASE("name-dot", NAME_INVALID, "'./a.py': its name has a '.'", dot, NULL),
    CASE("name-dot-inside", NAME_INVALID, "'a/./b.py': its name has a '.'", dot_inside, NULL),
    CASE("name-dot-alone", NAME_INVALID, "'.': its name has a '.'", dot_alone, NULL),
    CASE("name-two-slashes", NAME_INVALID, "'a//b.py': its name has two slashes", two_slashes, NULL),
    CASE("name-two-slashes-last", NAME_INVALID, "'a//': its name has two slashes", two_slashes_last, NULL),
    CASE("name-newline", NAME_INVALID, "'a\\x0ab.py': its name has a control", newline, NULL),
    CASE("name-escape", NAME_INVALID, "'a\\x1b[2Jb.py': its name has a control", escape, NULL),
    CASE("name-delete", NAME_INVALID, "'a\\x7f.py': its name has a control", delete, NULL),
    CASE("name-c1-control", NAME_INVALID, "'a\\xc2\\x9b2J.py': its name has a control", c1_control, NULL),
    CASE("name-reordering", NAME_INVALID, "'a\\xe2\\x80\\xaeyp.exe': its name has a control", reordering, NULL),
    CASE("name-arabic-mark", NAME_INVALID, "'a\\xd8\\x9c.py'", arabic_mark, NULL),
    CASE("name-isolating", NAME_INVALID, "'a\\xe2\\x81\\xa6.py'", isolating, NULL),
    CASE("name-zero-width-space", NAME_INVALID, "'os\\xe2\\x80\\x8b.py'", zero_width_space, NULL),
    CASE("name-zero-width-joiner", NAME_INVALID, "'os\\xe2\\x80\\x8d.py'", zero_width_joiner, NULL),
    CASE("name-word-joiner", NAME_INVALID, "'os\\xe2\\x81\\xa0.py'", word_joiner, NULL),
    CASE("name-byte-order-mark", NAME_INVALID, "'\\xef\\xbb\\xbfos.py'", byte_order_mark, NULL),
    CASE("name-soft-hyphen", NAME_INVALID, "'o\\xc2\\xads.py'", soft_hyphen, NULL),
    CASE("name-filler", NAME_INVALID, "'os\\xe3\\x85\\xa4.py'", filler, NULL),
    CASE("name-tag-character", NAME_INVALID, "'os\\xf3\\xa0\\x81\\x81.py'", tag_character, NULL),
    CASE("name-long", NAME_INVALID, "longer than 1024 bytes", with_long_name, NULL),
    CASE("name-longest", NAME_INVALID, "longer than 1024 bytes", with_longest_name, NULL),
    CASE("name-long-component", NAME_INVALID, "longer than 255 bytes", with_long_component, NULL),
    CASE("name-deep", NAME_INVALID, "more than 64 components", with_depth, NULL),
    CASE("symlink", SYMLINK, "'link.py': it is a symbolic link", symlink_entry, NULL),
    CASE("symlink-from-dos", SYMLINK, "'link.py': it is a symbolic link", symlink_from_dos, NULL),
    CASE("type-char-device", FILE_TYPE, "'null': it is a device", char_device, NULL),
    CASE("type-block-device", FILE_TYPE, "'sda': it is a device", block_device, NULL),
    CASE("type-fifo", FILE_TYPE, "'pipe': it is a device, a pipe", fifo, NULL),
    CASE("type-socket", FILE_TYPE, "'sock': it is a device, a pipe or a socket", socket_entry, NULL),
    CASE("type-directory-mode", FILE_TYPE, "'lib': its mode and its name", mode_directory, NULL),
    CASE("type-file-mode", FILE_TYPE, "'lib/': its mode and its name", mode_file, NULL),
    CASE("type-full-directory", FILE_TYPE, "'lib/': it is a directory with contents", full_directory, NULL),
    CASE("duplicate-file", DUPLICATE, "'a.py'", same_file, NULL),
    CASE("duplicate-manifest", DUPLICATE, "'aardvark.manifest.json'", same_manifest, NULL),
    CASE("duplicate-directory", DUPLICATE, "'lib/'", same_directory, NULL),
    CASE("conflict-file-directory", CONFLICT, "'lib'", file_and_directory, NULL),
    CASE("conflict-file-child", CONFLICT, "'lib/a.py': it lies below 'lib'", file_and_child, NULL),
    CASE("conflict-child-file", CONFLICT, "'lib/a.py': it lies below 'lib'", child_and_file, NULL),
    CASE("conflict-deep", CONFLICT, "'a/b/c/d.py': it lies below 'a/b'", deep_child, NULL),
    CASE("conflict-neighbour", CONFLICT, "'lib/a.py': it lies below 'lib'", child_and_neighbour, NULL),
    CASE("conflict-directory-below", CONFLICT, "'lib/sub': it lies below 'lib'", directory_below_file, NULL),
    CASE("too-many-entries", TOO_MANY_ENTRIES, "(10001, limit 10000)", too_many, NULL),
    CASE("too-large", TOO_LARGE, "'zeros.bin'", too_large, NULL),
    CASE("too-large-together", TOO_LARGE, "'b.bin'", too_large_together, NULL),
    CASE("size-more", SIZE_MISMATCH, "'more.txt': it unpacks to more", more_than_said, NULL),
    CASE("size-more-than-none", SIZE_MISMATCH, "'more.txt': it unpacks to more", more_than_none, NULL),
    CASE("size-bomb", SIZE_MISMATCH, "'bomb.bin': it unpacks to more", bomb, NULL),
    CASE("size-less", SIZE_MISMATCH, "'less.txt': it unpacks to less", less_than_said, NULL),
    CASE("size-stored", SIZE_MISMATCH, "'stored.txt'", stored_size, NULL),
    CASE("size-impossible", SIZE_MISMATCH, "'ratio.txt'", impossible_ratio, NULL),
    CASE("checksum-stored", CHECKSUM, "'stored.txt'", crc_stored, NULL),
    CASE("checksum-deflated", CHECKSUM, "'deflated.txt'", crc_deflated, NULL),
    CASE("checksum-empty", CHECKSUM, "'empty.txt'", crc_empty, NULL),
    CASE("deflate-garbage", CORRUPT, "'garbage.txt'", garbage, NULL),
    CASE("deflate-unfinished", SIZE_MISMATCH, "'cut.txt': it unpacks to less", unfinished, NULL),
    CASE("local-name", CORRUPT, "'main.py': its local header", local_name, NULL),
    CASE("local-name-longer", CORRUPT, "'main.py': its local header", local_name_longer, NULL),
    CASE("local-method", CORRUPT, "'main.py': its local header", local_method, NULL),
    CASE("local-packed-size", CORRUPT, "'main.py': its local header", local_packed, NULL),
    CASE("local-unpacked-size", CORRUPT, "'main.py': its local header", local_unpacked, NULL),
    CASE("local-checksum", CORRUPT, "'main.py': its local header", local_crc, NULL),
    CASE("local-zip64-missing", CORRUPT, "'main.py': its local header", local_zip64, NULL),
    CASE("offset-far", CORRUPT, "'main.py'", offset_far, NULL),
    CASE("offset-wrong", CORRUPT, "'main.py'", offset_wrong, NULL),
    CASE("data-into-directory", CORRUPT, "'main.py'", into_directory, NULL),
    CASE("data-shared", CORRUPT, "'copy.py'", shared_data, NULL),
    CASE("data-nested", CORRUPT, "'inner': its bytes overlap", nested_data, NULL),
    {{"manifest-too-large", AARD_ERR_MANIFEST_TOO_LARGE, "1048577 bytes"}, manifest_too_large, NULL},
    {{"manifest-nul", AARD_ERR_MANIFEST_SYNTAX, "line 1"}, manifest_nul, NULL},
};

#define CASE_COUNT (sizeof cases / sizeof cases[0])

size_t bad_bundle_count(void) { return CASE_COUNT + bad_manifest_count; }

const bad_bundle *bad_bundle_at(size_t index)
{
    static bad_bundle of_manifest;
    if (index < CASE_COUNT) return &cases[index].bad;
    const bad_manifest *bad = &bad_manifests[index - CASE_COUNT];
    of_manifest = (bad_bundle){bad->name, bad->code, bad->says};
    return &of_manifest;
}

zb_bytes bad_bundle_make(size_t index)
{
    zb_zip zip = {0};
    if (index >= CASE_COUNT) {
        main_py(&zip);
        char *text = bad_manifest_text(index - CASE_COUNT);
        zb_text(&zip, "aardvark.manifest.json", text);
        free(text);
        return zb_finish(&zip);
    }
    cases[index].make(&zip);
    zb_bytes bytes = zb_finish(&zip);
    if (cases[index].spoil) cases[index].spoil(&bytes);
    return bytes;
}
