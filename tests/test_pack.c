/* The binary form of plain fields: what is written is read, and a reader that met nonsense reads nothing more.  test-quick */
#include "support.h"

#include <math.h>

#include "base/alloc.h"
#include "base/pack.h"

#define TEXT(literal) literal, sizeof literal - 1

static void write_all(aard__buf *out)
{
    aard__pack_u8(out, 0xfe);
    aard__pack_u16(out, 0x1234);
    aard__pack_u32(out, 0x89abcdef);
    aard__pack_u64(out, UINT64_C(0x0123456789abcdef));
    aard__pack_i64(out, INT64_MIN);
    aard__pack_f64(out, -1.5);
    aard__pack_bool(out, true);
    aard__pack_span(out, TEXT("a\0b"));
    aard__pack_text(out, "\xc3\xa4");
    aard__pack_text(out, NULL);
    aard__pack_text(out, "");
    aard__pack_u8(out, 2);
    aard__pack_u32(out, 3);
    aard__pack_span(out, TEXT("xyz"));
}

/* Whether all that write_all wrote is there; that it is not is no failure. */
static bool read_all(aard__unpacker *in)
{
    size_t len;
    aard__buf bytes = AARD__BUF_INIT;
    bool same = aard__unpack_u8(in) == 0xfe;
    same &= aard__unpack_u16(in) == 0x1234;
    same &= aard__unpack_u32(in) == 0x89abcdef;
    same &= aard__unpack_u64(in) == UINT64_C(0x0123456789abcdef);
    same &= aard__unpack_i64(in) == INT64_MIN;
    same &= aard__unpack_f64(in) <= -1.5;
    same &= aard__unpack_bool(in);
    const char *span = aard__unpack_span(in, 3, &len);
    same &= span && len == 3 && !memcmp(span, "a\0b", 3);
    char *text = aard__unpack_some_text(in, 2), *none = aard__unpack_text(in, 0), *empty = aard__unpack_text(in, 0);
    same &= text && !strcmp(text, "\xc3\xa4") && !none && empty && !*empty;
    same &= aard__unpack_choice(in, 3) == 2;
    same &= aard__unpack_count(in, 3, 3) == 3;
    aard__unpack_buf(in, 0, &bytes);
    same &= bytes.len == 3 && !strcmp(bytes.data, "xyz");
    aard__free(text);
    aard__free(none);
    aard__free(empty);
    aard__buf_free(&bytes);
    return same;
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    aard__buf out = AARD__BUF_INIT;
    write_all(&out);
    assert_false(out.failed);
    aard__unpacker in = aard__unpacker_of(out.data, out.len);
    assert_true(read_all(&in));
    assert_true(aard__unpacker_done(&in));
    aard__buf_free(&out);
}

static void test_numbers_are_little_endian(void **state)
{
    (void)state;
    aard__buf out = AARD__BUF_INIT;
    aard__pack_u16(&out, 0x0102);
    aard__pack_u32(&out, 0x03040506);
    aard__pack_span(&out, "!", 1);
    assert_int_equal(out.len, 15);
    assert_memory_equal(out.data, "\x02\x01\x06\x05\x04\x03\x01\0\0\0\0\0\0\0!", 15);
    aard__buf_free(&out);
}

static void test_what_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    aard__buf out = AARD__BUF_INIT;
    write_all(&out);
    for (size_t len = 0; len < out.len; len++) {
        char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a byte too far */
        assert_non_null(exact);
        memcpy(exact, out.data, len);
        aard__unpacker in = aard__unpacker_of(exact, len);
        assert_false(read_all(&in));
        assert_false(in.ok);
        assert_false(in.no_memory);
        assert_false(aard__unpacker_done(&in));
        free(exact);
    }
    aard__buf_free(&out);
}

static void test_what_is_left_over_is_refused(void **state)
{
    (void)state;
    aard__unpacker in = aard__unpacker_of("\1\2", 2);
    assert_int_equal(aard__unpack_u8(&in), 1);
    assert_true(in.ok);
    assert_false(aard__unpacker_done(&in));
    in = aard__unpacker_of(NULL, 0);
    assert_true(aard__unpacker_done(&in));
}

/* ---- each field has values that it can't have ------------------------------------------------------------------- */

static void a_bool(aard__unpacker *in) { aard__unpack_bool(in); }
static void a_choice(aard__unpacker *in) { aard__unpack_choice(in, 5); }
static void a_number_to_9(aard__unpacker *in) { aard__unpack_u64_to(in, 9); }
static void a_double(aard__unpacker *in) { aard__unpack_f64(in); }
static void a_count(aard__unpacker *in) { aard__unpack_count(in, 4, 2); }
static void a_text(aard__unpacker *in) { aard__free(aard__unpack_text(in, 4)); }
static void some_text(aard__unpacker *in) { aard__free(aard__unpack_some_text(in, 4)); }

static void a_span(aard__unpacker *in)
{
    size_t len = 1;
    if (!aard__unpack_span(in, 4, &len)) assert_int_equal(len, 0);
}

static void a_buf(aard__unpacker *in)
{
    aard__buf bytes = AARD__BUF_INIT;
    aard__unpack_buf(in, 4, &bytes);
    aard__buf_free(&bytes);
}

static void test_values_that_a_field_can_not_have(void **state)
{
    (void)state;
    static const struct {
        void (*read)(aard__unpacker *in);
        const char *bytes;
        size_t len;
        bool ok;
    } rows[] = {
        {a_bool, TEXT("\1"), true},
        {a_bool, TEXT("\2"), false},
        {a_choice, TEXT("\4"), true},
        {a_choice, TEXT("\5"), false},
        {a_number_to_9, TEXT("\x9\0\0\0\0\0\0\0"), true},
        {a_number_to_9, TEXT("\xa\0\0\0\0\0\0\0"), false},
        {a_number_to_9, TEXT("\0\0\0\0\0\0\0\x80"), false},
        {a_double, TEXT("\0\0\0\0\0\0\xf8\x3f"), true},
        {a_double, TEXT("\0\0\0\0\0\0\xf8\x7f"), false}, /* NaN */
        {a_double, TEXT("\0\0\0\0\0\0\xf0\x7f"), false}, /* infinite */
        {a_double, TEXT("\0\0\0\0\0\0\xf0\xff"), false},
        {a_double, TEXT("\x9c\x75\0\x88\x3c\xe4\x37\x7e"), false}, /* 1e300 */
        {a_count, TEXT("\2\0\0\0abcd"), true},
        {a_count, TEXT("\3\0\0\0abcd"), false}, /* there is no room for them */
        {a_count, TEXT("\5\0\0\0abcdefghij"), false},
        {a_count, TEXT("\xff\xff\xff\xff"), false},
        {a_text, TEXT("\4\0\0\0abcd"), true},
        {a_text, TEXT("\xff\xff\xff\xff"), true},
        {a_text, TEXT("\5\0\0\0abcde"), false},
        {a_text, TEXT("\4\0\0\0ab\0d"), false},
        {a_text, TEXT("\4\0\0\0ab\xc3x"), false},
        {a_text, TEXT("\xfe\xff\xff\xff"), false},
        {some_text, TEXT("\0\0\0\0"), true},
        {some_text, TEXT("\xff\xff\xff\xff"), false},
        {a_span, TEXT("\4\0\0\0\0\0\0\0abcd"), true},
        {a_span, TEXT("\5\0\0\0\0\0\0\0abcde"), false},
        {a_span,
         TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"
              "abc"),
         false},
        {a_buf, TEXT("\0\0\0\0\0\0\0\0"), true},
        {a_buf, TEXT("\3\0\0\0\0\0\0\1abc"), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *exact = malloc(rows[i].len);
        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].len);
        aard__unpacker in = aard__unpacker_of(exact, rows[i].len);
        rows[i].read(&in);
        if (in.ok != rows[i].ok) fail_at(HERE, "row %zu is %s", i, in.ok ? "taken" : "refused");
        if (!in.ok) assert_int_equal(aard__unpack_u8(&in), 0); /* whatever is left: it stays at that */
        free(exact);
    }
}

static void test_after_an_error_all_is_nothing(void **state)
{
    (void)state;
    size_t len = 7;
    aard__buf bytes = AARD__BUF_INIT;
    aard__unpacker in = aard__unpacker_of(TEXT("\7\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"));
    aard__unpacker_fail(&in);
    assert_int_equal(aard__unpack_u8(&in), 0);
    assert_int_equal(aard__unpack_u64(&in), 0);
    assert_int_equal(aard__unpack_u64_to(&in, UINT64_MAX), 0);
    assert_int_equal(aard__unpack_size(&in), 0);
    assert_true(aard__unpack_f64(&in) >= 0 && aard__unpack_f64(&in) <= 0);
    assert_false(aard__unpack_bool(&in));
    assert_int_equal(aard__unpack_count(&in, 100, 0), 0);
    assert_null(aard__unpack_span(&in, 0, &len));
    assert_int_equal(len, 0);
    assert_null(aard__unpack_text(&in, 0));
    aard__unpack_buf(&in, 0, &bytes);
    assert_null(bytes.data);
    assert_false(aard__unpacker_done(&in));
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int none_is_left(size_t size)
{
    (void)size;
    return 0;
}

static int give_back(void **state)
{
    (void)state;
    aard__alloc_set_hook(NULL);
    return 0;
}

static void test_without_memory(void **state)
{
    (void)state;
    aard__buf bytes = AARD__BUF_INIT, out = AARD__BUF_INIT;
    aard__unpacker first = aard__unpacker_of(TEXT("\1\0\0\0\0\0\0\0a")), second = aard__unpacker_of(TEXT("\1\0\0\0a"));
    aard__alloc_set_hook(none_is_left);
    aard__unpack_buf(&first, 0, &bytes);
    char *text = aard__unpack_text(&second, 0);
    aard__pack_u64(&out, 1);
    aard__alloc_set_hook(NULL);
    assert_true(!first.ok && first.no_memory && !bytes.data);
    assert_true(!second.ok && second.no_memory && !text);
    assert_true(out.failed);
    aard__pack_u64(&out, 1);
    assert_int_equal(out.len, 0);
    aard__buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_what_is_cut_anywhere_is_refused),
        cmocka_unit_test(test_what_is_left_over_is_refused),
        cmocka_unit_test(test_values_that_a_field_can_not_have),
        cmocka_unit_test(test_after_an_error_all_is_nothing),
        cmocka_unit_test_teardown(test_without_memory, give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
