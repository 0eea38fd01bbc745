/* Checking JSON text and UTF-8.  test-quick */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"

/* A text that may hold NULs, and its length. */
#define TEXT(literal) literal, sizeof literal - 1

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static void test_json_that_is_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {TEXT("null")},
        {TEXT("true")},
        {TEXT("false")},
        {TEXT("0")},
        {TEXT("-0")},
        {TEXT("1")},
        {TEXT("-1")},
        {TEXT("10")},
        {TEXT("1234567890123456789012345678901234567890")},
        {TEXT("0.0")},
        {TEXT("-0.5")},
        {TEXT("1.50")},
        {TEXT("1e5")},
        {TEXT("1E5")},
        {TEXT("1e+5")},
        {TEXT("1e-5")},
        {TEXT("0e0")},
        {TEXT("1.5e10")},
        {TEXT("1e999")},
        {TEXT("0e000")},
        {TEXT("\"\"")},
        {TEXT("\"a\"")},
        {TEXT("\" \"")},
        {TEXT("\"\\\"\"")},
        {TEXT("\"\\\\\"")},
        {TEXT("\"\\/\\b\\f\\n\\r\\t\"")},
        {TEXT("\"\\u0000\"")},
        {TEXT("\"\\uABCD\\uabcd\"")},
        {TEXT("\"\\ud800\"")},
        {TEXT("\"\\udc00\\ud800\"")},
        {TEXT("\"\\ud83d\\ude00\"")},
        {TEXT("\"\x7f\"")},
        {TEXT("\"\xc2\x80\"")},
        {TEXT("\"\xdf\xbf\"")},
        {TEXT("\"\xe0\xa0\x80\"")},
        {TEXT("\"\xed\x9f\xbf\"")},
        {TEXT("\"\xee\x80\x80\"")},
        {TEXT("\"\xef\xbf\xbf\"")},
        {TEXT("\"\xf0\x90\x80\x80\"")},
        {TEXT("\"\xf4\x8f\xbf\xbf\"")},
        {TEXT("\"\xe2\x80\xa8\"")},
        {TEXT("\"12345678\"")},
        {TEXT("\"123456781234567\\\"\"")},
        {TEXT("[]")},
        {TEXT("[ ]")},
        {TEXT("[1]")},
        {TEXT("[1,2]")},
        {TEXT("[[[[]]]]")},
        {TEXT("[\n1\t,\r2 ]")},
        {TEXT("{}")},
        {TEXT("{ }")},
        {TEXT("{\"a\":1}")},
        {TEXT("{\"a\":1,\"a\":2}")},
        {TEXT("{\"\":{}}")},
        {TEXT("{ \"a\" : [ { } ] , \"b\" : null }")},
        {TEXT(" null ")},
        {TEXT("\t\n\r 1\t\n\r ")},
        {TEXT("[{},[],\"\",0,null]")},
        {TEXT("{\"a\":[{\"b\":[]}]}")},
        {TEXT("[1,[2,[3,[4]]],5]")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t where = 12345;
        if (!aard__json_valid(rows[i].text, rows[i].len, &where)) fail_msg("refused at %zu: %s", where, rows[i].text);
        assert_int_equal(where, 12345);
    }
}

static void test_json_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len, where;
    } rows[] = {
        {TEXT(""), 0},
        {TEXT(" "), 1},
        {TEXT("nul"), 0},
        {TEXT("nulL"), 0},
        {TEXT("True"), 0},
        {TEXT("nullx"), 4},
        {TEXT("null null"), 5},
        {TEXT("NaN"), 0},
        {TEXT("Infinity"), 0},
        {TEXT("-Infinity"), 1},
        {TEXT("undefined"), 0},
        {TEXT("-"), 1},
        {TEXT("+1"), 0},
        {TEXT("01"), 1},
        {TEXT("-01"), 2},
        {TEXT("00"), 1},
        {TEXT("1."), 2},
        {TEXT(".5"), 0},
        {TEXT("1.e5"), 2},
        {TEXT("1e"), 2},
        {TEXT("1e+"), 3},
        {TEXT("1e5.5"), 3},
        {TEXT("0x10"), 1},
        {TEXT("1_000"), 1},
        {TEXT("- 1"), 1},
        {TEXT("1 2"), 2},
        {TEXT("\""), 1},
        {TEXT("\"a"), 2},
        {TEXT("'a'"), 0},
        {TEXT("\"\\\""), 3},
        {TEXT("\"\\x41\""), 2},
        {TEXT("\"\\'\""), 2},
        {TEXT("\"\\0\""), 2},
        {TEXT("\"\\u12\""), 2},
        {TEXT("\"\\u12G4\""), 2},
        {TEXT("\"\\U0041\""), 2},
        {TEXT("\"\\"), 2},
        {TEXT("\"\n\""), 1},
        {TEXT("\"\t\""), 1},
        {TEXT("\"\0\""), 1},
        {TEXT("\"\x1f\""), 1},
        {TEXT("\"1234567\x1f\""), 8},
        {TEXT("\"\x80\""), 1},
        {TEXT("\"\xc0\x80\""), 1},
        {TEXT("\"\xc1\xbf\""), 1},
        {TEXT("\"\xc3\""), 1},
        {TEXT("\"\xc3"), 1},
        {TEXT("\"\xe0\x9f\xbf\""), 1},
        {TEXT("\"\xed\xa0\x80\""), 1},
        {TEXT("\"\xe2\x82\""), 1},
        {TEXT("\"\xf0\x8f\xbf\xbf\""), 1},
        {TEXT("\"\xf4\x90\x80\x80\""), 1},
        {TEXT("\"\xf5\x80\x80\x80\""), 1},
        {TEXT("\"\xff\""), 1},
        {TEXT("\xef\xbb\xbf[]"), 0},
        {TEXT("\xc2\xa0null"), 0},
        {TEXT("["), 1},
        {TEXT("]"), 0},
        {TEXT("[1"), 2},
        {TEXT("[1,"), 3},
        {TEXT("[1,]"), 3},
        {TEXT("[,1]"), 1},
        {TEXT("[1 2]"), 3},
        {TEXT("[1}"), 2},
        {TEXT("[]]"), 2},
        {TEXT("[[]"), 3},
        {TEXT("{"), 1},
        {TEXT("}"), 0},
        {TEXT("{1:2}"), 1},
        {TEXT("{a:1}"), 1},
        {TEXT("{\"a\"}"), 4},
        {TEXT("{\"a\":}"), 5},
        {TEXT("{\"a\":1,}"), 7},
        {TEXT("{\"a\":1 \"b\":2}"), 7},
        {TEXT("{,}"), 1},
        {TEXT("{\"a\":1]"), 6},
        {TEXT("{\"a\",1}"), 4},
        {TEXT("{\"a\"::1}"), 5},
        {TEXT("{null:1}"), 1},
        {TEXT("{\"a\":1}}"), 7},
        {TEXT("[1]x"), 3},
        {TEXT("// c\n1"), 0},
        {TEXT("/**/1"), 0},
        {TEXT("1//"), 1},
        {TEXT("1\0"), 1},
        {TEXT("\0"), 0},
        {TEXT("\f1"), 0},
        {TEXT("\v1"), 0},
        {TEXT("[1]\xff"), 3},
        {TEXT("(1)"), 0},
        {TEXT("[\"a\",]"), 5},
        {TEXT("{\"a\":[1,2}"), 9},
        {TEXT("[{\"a\":1]"), 7},
        {TEXT("\"\\ud83d\\u\""), 8},
    };
    assert_true(COUNT(rows) >= 80);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t where = 12345;
        if (aard__json_valid(rows[i].text, rows[i].len, &where)) fail_msg("accepted: %s", rows[i].text);
        if (where != rows[i].where) fail_msg("refused at %zu, not at %zu: %s", where, rows[i].where, rows[i].text);
        assert_false(aard__json_valid(rows[i].text, rows[i].len, NULL));
    }
    assert_false(aard__json_valid(NULL, 0, NULL));
}

/* A text in memory of exactly its size, so that a sanitizer sees any read beyond it. */
static bool valid_exactly(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    if (len) memcpy(copy, text, len);
    bool valid = aard__json_valid(copy, len, NULL);
    free(copy);
    return valid;
}

static void test_no_beginning_of_a_json_text_is_one(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1.5e+10,true,false,null,\"x\\u00e4\\n\xf0\x9f\x98\x80\",{\"b\":{}}],\"c d\":[[],-0.1]}";
    assert_true(valid_exactly(text, sizeof text - 1));
    for (size_t len = 0; len < sizeof text - 1; len++) assert_false(valid_exactly(text, len));
    /* Nor is it one with any byte in the place of another that ends it. */
    for (size_t at = 0; at < sizeof text - 1; at++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        copy[at] = '\x01';
        assert_false(valid_exactly(copy, sizeof text - 1));
        copy[at] = '\xff';
        assert_false(valid_exactly(copy, sizeof text - 1));
    }
}

static void test_strings_at_every_alignment(void **state)
{
    (void)state;
    char text[64];
    for (size_t len = 0; len < 40; len++)
        for (size_t bad = 0; bad <= len; bad++)
            for (int what = 0; what < 3; what++) {
                memset(text, 'a', sizeof text);
                text[0] = text[len + 1] = '"';
                if (bad < len) text[1 + bad] = "\x1f\x80\""[what];
                assert_int_equal(valid_exactly(text, len + 2), bad == len);
            }
}

static int allow_small(size_t size) { return size < 1000; }

static void test_json_of_any_depth(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = malloc(6 * DEPTH + 2);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    assert_true(aard__json_valid(text, 2 * DEPTH, NULL));
    assert_false(aard__json_valid(text, 2 * DEPTH - 1, NULL));
    text[2 * DEPTH - 1] = '}';
    size_t where = 0;
    assert_false(aard__json_valid(text, 2 * DEPTH, &where));
    assert_int_equal(where, 2 * DEPTH - 1);
    /* Objects and lists by turns: the nesting is kept, not only counted. */
    char *at = text;
    for (int i = 0; i < DEPTH / 2; i++) at = stpcpy(at, "[{\"\":");
    at = stpcpy(at, "0");
    for (int i = 0; i < DEPTH / 2; i++) at = stpcpy(at, "}]");
    assert_true(aard__json_valid(text, (size_t)(at - text), NULL));
    at[-1] = '}';
    at[-2] = ']';
    assert_false(aard__json_valid(text, (size_t)(at - text), NULL));
    aard__alloc_set_hook(allow_small);
    assert_false(aard__json_valid(text, (size_t)(at - text), NULL)); /* and no leak, no crash */
    aard__alloc_set_hook(NULL);
    free(text);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------------------------- */

static size_t encode(uint32_t c, char out[4])
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)),
               3;
    out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static void test_every_character_is_utf8_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x140000; c++) {
        char text[4];
        size_t len = encode(c, text);
        bool good = c < 0xd800 || (c > 0xdfff && c < 0x110000);
        assert_int_equal(aard__utf8_sequence(text, len), good ? len : 0);
        assert_int_equal(aard__utf8_valid(text, len), good);
        if (good && len > 1) assert_int_equal(aard__utf8_sequence(text, len - 1), 0);
    }
    for (unsigned pair = 0x8000; pair < 0x10000; pair++) {
        const char text[2] = {(char)(pair >> 8), (char)pair};
        unsigned second = pair & 0xff;
        bool good = pair >= 0xc200 && pair < 0xe000 && second >= 0x80 && second < 0xc0;
        assert_int_equal(aard__utf8_sequence(text, 2), good ? 2 : 0);
    }
    assert_int_equal(aard__utf8_sequence("", 0), 0);
    assert_true(aard__utf8_valid("", 0));
    for (size_t at = 0; at < 20; at++) {
        char text[20];
        memset(text, 'a', sizeof text);
        assert_true(aard__utf8_valid(text, sizeof text));
        text[at] = '\x80';
        assert_false(aard__utf8_valid(text, sizeof text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_that_is_accepted),
        cmocka_unit_test(test_json_that_is_refused),
        cmocka_unit_test(test_no_beginning_of_a_json_text_is_one),
        cmocka_unit_test(test_strings_at_every_alignment),
        cmocka_unit_test(test_json_of_any_depth),
        cmocka_unit_test(test_every_character_is_utf8_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
