/* The ledger: what is the same is one line, what comes from a guest is cleaned, and a flood is counted.  test-quick */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "outcome/ledger.h"

static void violate(aard__ledger *ledger, const char *reason, const char *subject)
{
    aard__ledger_violation(ledger, AARD_VIOLATION_NETWORK_DENIED, reason, subject, strlen(subject));
}

static void test_the_same_is_one_line(void **state)
{
    (void)state;
    aard__ledger ledger = AARD__LEDGER_INIT;
    for (int i = 0; i < 1000; i++) violate(&ledger, "no_allowlist", i & 1 ? "https://a/" : "https://b/");
    violate(&ledger, "host_not_allowed", "https://a/");
    aard__ledger_violation(&ledger, AARD_VIOLATION_FILESYSTEM_READ_ONLY, "no_allowlist", "https://a/", 10);
    assert_int_equal(ledger.violation_count, 4);
    assert_int_equal(ledger.violations[0].count, 500);
    assert_string_equal(ledger.violations[0].subject, "https://b/");
    assert_int_equal(ledger.violations[2].count, 1);
    assert_int_equal(ledger.violations[3].kind, AARD_VIOLATION_FILESYSTEM_READ_ONLY);
    assert_int_equal(ledger.violations_dropped, 0);
    aard__ledger_free(&ledger);
    assert_int_equal(ledger.violation_count, 0);
}

static void test_a_flood_is_counted(void **state)
{
    (void)state;
    aard__ledger ledger = AARD__LEDGER_INIT;
    char subject[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(subject, sizeof subject, "/f%d", i);
        violate(&ledger, "r", subject);
        aard__ledger_attempt(&ledger,
                             &(aard_network_attempt){.method = "GET", .url = subject, .reason = "", .count = 1});
    }
    assert_int_equal(ledger.violation_count, AARD__LEDGER_LINES);
    assert_int_equal(ledger.violations_dropped, 5000 - AARD__LEDGER_LINES);
    assert_int_equal(ledger.attempt_count, AARD__LEDGER_LINES);
    assert_int_equal(ledger.attempts_dropped, 5000 - AARD__LEDGER_LINES);
    violate(&ledger, "r", "/f7"); /* a line that is there goes on counting */
    assert_int_equal(ledger.violations[7].count, 2);
    aard__ledger_free(&ledger);
}

static void test_texts_are_cleaned_and_cut(void **state)
{
    (void)state;
    aard__ledger ledger = AARD__LEDGER_INIT;
    aard__ledger_violation(&ledger, AARD_VIOLATION_CAPABILITY_DENIED, NULL,
                           "a\0b\xff"
                           "c",
                           5);
    assert_string_equal(ledger.violations[0].subject, "a\\x00b\xef\xbf\xbd"
                                                      "c");
    assert_string_equal(ledger.violations[0].reason, "");
    char text[2001];
    for (int i = 0; i < 2000; i += 2) memcpy(text + i, "ä", 2);
    text[2000] = '\0';
    violate(&ledger, text + 1, text); /* begins inside a character */
    assert_int_equal(strlen(ledger.violations[1].subject), AARD__LEDGER_TEXT);
    size_t reason = strlen(ledger.violations[1].reason);
    assert_true(reason <= AARD__LEDGER_TEXT && reason > AARD__LEDGER_TEXT - 4);
    violate(&ledger, "r\n", "one\r\ntwo\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xd8\x9c\xe2\x80\x8b\xf3\xa0\x81\x81 \xc3\xa4\t");
    assert_string_equal(ledger.violations[2].reason, "r\\x0a");
    assert_string_equal(ledger.violations[2].subject,
                        "one\\x0d\\x0atwo\\x1b[2J\\x7f\\x9b\\u202e\\u061c\\u200b\\ue0041 \xc3\xa4\\x09");
    aard__ledger_free(&ledger);
}

static void test_attempts_add_up(void **state)
{
    (void)state;
    aard__ledger ledger = AARD__LEDGER_INIT;
    aard_network_attempt attempt = {true, "GET", "https://a/", "", 200, 10, 2000, 1};
    aard__ledger_attempt(&ledger, &attempt);
    aard__ledger_attempt(&ledger, &attempt);
    attempt.status = 404;
    aard__ledger_attempt(&ledger, &attempt);
    attempt = (aard_network_attempt){false, "GET", "https://a/", "private_address", 0, 0, 0, 1};
    aard__ledger_attempt(&ledger, &attempt);
    assert_int_equal(ledger.attempt_count, 3);
    assert_int_equal(ledger.attempts[0].count, 2);
    assert_int_equal(ledger.attempts[0].sent_bytes, 20);
    assert_int_equal(ledger.attempts[0].received_bytes, 4000);
    assert_false(ledger.attempts[2].allowed);
    aard__ledger_free(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_is_one_line),
        cmocka_unit_test(test_a_flood_is_counted),
        cmocka_unit_test(test_texts_are_cleaned_and_cut),
        cmocka_unit_test(test_attempts_add_up),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
