/* Handlers of isolates that have one template: each isolate has numbers of its own.  test-quick */
#include "isolate_support.h"

static aard_isolate *boot_process(void)
{
    aard_isolate_config *config = config_of(AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    return boot(config, bundle_from("javascript"));
}

static void gives_bytes(aard_outcome *outcome)
{
    assert_success(outcome);
    assert_int_equal(aard_outcome_buffer_count(outcome), 1);
    aard_outcome_free(outcome);
}

static void test_isolates_of_one_template_have_numbers_of_their_own(void **state)
{
    (void)state;
    aard_isolate *first = boot_process();
    value_is(call(first, "main:echo", "[1]"), "[1]");
    aard_isolate *second = boot_process();
    exception_is(call(second, "raising:plain", "{}"), "TypeError", NULL, NULL);
    gives_bytes(call(second, "main:bytes", NULL));
    gives_bytes(call(first, "main:bytes", NULL));
    exception_is(call(first, "raising:plain", "{}"), "TypeError", NULL, NULL);
    value_is(call(second, "main:echo", "[2]"), "[2]");
    aard_isolate_free(first);
    aard_isolate_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolates_of_one_template_have_numbers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
