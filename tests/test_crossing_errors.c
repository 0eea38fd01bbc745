/* Errors on their way between Python and JavaScript, both ways (tests/guests/crossing/main.py has the cases). */
#include "isolate_support.h"

#include <jansson.h>

/* Each gives null; and neither fails the call nor is taken for an attempt to write a file. */
static void test_errors_cross_as_in_pyodide(void **state)
{
    (void)state;
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    assert_ok(aard_isolate_config_add_capability(config, "js"));
    aard_isolate_config_set_wall_limit_ms(config, 60000);
    aard_isolate *isolate = boot(config, bundle_from("crossing"));
    aard_outcome *outcome = call(isolate, "main:names", NULL);
    assert_success(outcome);
    size_t len, wrong = 0;
    const char *value = aard_outcome_value_json(outcome, &len);
    json_t *names = json_loadb(value, len, 0, NULL);
    assert_true(json_array_size(names) > 60);
    for (size_t i = 0; i < json_array_size(names); i++) {
        char *input = json_dumps(json_array_get(names, i), JSON_ENCODE_ANY);
        aard_outcome *one = call(isolate, "main:run", input);
        value = aard_outcome_value_json(one, &len);
        if (!value || len != 4 || memcmp(value, "null", 4) || aard_outcome_violation_count(one)) {
            char *text;
            assert_ok(aard_outcome_json(one, &text, NULL));
            print_error("%s: %s\n", input, text);
            aard_string_free(text);
            wrong++;
        }
        aard_outcome_free(one);
        free(input);
    }
    json_decref(names);
    aard_outcome_free(outcome);
    aard_isolate_free(isolate);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_cross_as_in_pyodide),
    };
    return cmocka_run_group_tests_name("crossing_errors", tests, NULL, NULL);
}
