/* A host's minimum of hardening, by the library: who is told, and who goes on.  test-quick */
#include "isolate_support.h"

#include <aardvark/hardening.h>

static aard_isolate_config *javascript(aard_isolation isolation, uint32_t required)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_isolation(config, isolation);
    aard_isolate_config_set_required_hardening(config, required);
    return config;
}

static void refused(aard_isolation isolation, uint32_t required, aard_error_code code)
{
    aard_isolate_config *config = javascript(isolation, required);
    aard_isolate *isolate = NULL;
    aard_error *error = aard_isolate_new(config, &isolate);
    assert_non_null(error);
    assert_int_equal(aard_error_get_code(error), code);
    assert_null(isolate);
    aard_error_free(error);
    aard_isolate_config_free(config);
}

static void test_a_process_tells_what_it_has(void **state)
{
    (void)state;
    aard_isolate_config *config = javascript(AARD_ISOLATION_PROCESS, 0);
    aard_isolate *isolate = NULL, *again = NULL;
    assert_ok(aard_isolate_new(config, &isolate));
    const uint32_t have = aard_isolate_hardening(isolate);
    assert_true(have & AARD_HARDEN_DESCRIPTORS);
    for (uint32_t measure = 1; measure & AARD_HARDEN_ALL; measure <<= 1) {
        int number = aard_isolate_hardening_errno(isolate, measure);
        if (have & measure ? number != 0 : number <= 0) fail_msg("%s: %d", aard_hardening_name(measure), number);
    }
    assert_int_equal(aard_isolate_hardening_errno(isolate, 0), 0);
    assert_int_equal(aard_isolate_hardening_errno(isolate, AARD_HARDEN_ALL), 0);
    aard_isolate_config_set_required_hardening(config, have);
    assert_ok(aard_isolate_new(config, &again));
    assert_int_equal(aard_isolate_hardening(again), have);
    assert_ok(aard_isolate_reset(again)); /* the next child has them as well */
    assert_int_equal(aard_isolate_hardening(again), have);
    aard_isolate_free(again);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
}

static void test_a_thread_has_none(void **state)
{
    (void)state;
    aard_isolate_config *config = javascript(AARD_ISOLATION_THREAD, 0);
    aard_isolate *isolate = NULL;
    assert_ok(aard_isolate_new(config, &isolate));
    assert_int_equal(aard_isolate_hardening(isolate), 0);
    assert_int_equal(aard_isolate_hardening_errno(isolate, AARD_HARDEN_SECCOMP), 0);
    aard_isolate_free(isolate);
    aard_isolate_config_free(config);
    refused(AARD_ISOLATION_THREAD, AARD_HARDEN_ENVIRONMENT, AARD_ERR_HARDENING);
}

static void test_unknown_measures_are_no_measures(void **state)
{
    (void)state;
    refused(AARD_ISOLATION_PROCESS, AARD_HARDEN_ALL + 1, AARD_ERR_INVALID_ARGUMENT);
    refused(AARD_ISOLATION_PROCESS, UINT32_MAX, AARD_ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_tells_what_it_has),
        cmocka_unit_test(test_a_thread_has_none),
        cmocka_unit_test(test_unknown_measures_are_no_measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
