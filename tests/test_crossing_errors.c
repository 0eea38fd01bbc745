/* Errors on their way between Python and JavaScript, both ways (tests/guests/crossing/main.py has the cases). */
#include "isolate_support.h"

/* What crosses is no attempt to write a file either: a violation fails a case. */
static void test_errors_cross_as_in_pyodide(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate_config_set_wall_limit_ms(config, 60000);
    aard_isolate *isolate = boot(config, bundle_from("crossing"));
    cases_hold(isolate);
    aard_isolate_free(isolate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_cross_as_in_pyodide),
    };
    return cmocka_run_group_tests_name("crossing_errors", tests, NULL, NULL);
}
