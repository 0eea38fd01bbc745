/* Trace events as JSON: every text becomes well-formed JSON, in whatever room.  test-quick */
#include "support.h"

#include <aardvark.h>

#include <jansson.h>

static char text[4096];

static json_t *written(const aard_trace_event *event)
{
    json_error_t error;
    size_t len = aard_trace_event_json(event, text, sizeof text);
    assert_int_equal(strlen(text), len);
    json_t *object = json_loads(text, 0, &error);
    if (!object) fail_msg("%s: %s", error.text, text);
    return object;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static long long argument(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(object, "args"), name));
}

static void test_both_ends_of_a_span(void **state)
{
    (void)state;
    aard_trace_event event = {.phase = AARD_TRACE_BEGIN,
                              .name = "call",
                              .detail = "main:f",
                              .span = 7,
                              .parent = 3,
                              .isolate_id = 2,
                              .time_ns = 1234567};
    json_t *begins = written(&event);
    assert_string_equal(member(begins, "name"), "call");
    assert_string_equal(member(begins, "ph"), "B");
    assert_string_equal(member(json_object_get(begins, "args"), "detail"), "main:f");
    assert_true(json_real_value(json_object_get(begins, "ts")) == 1234.567);
    assert_true(json_integer_value(json_object_get(begins, "tid")) > 0);
    assert_true(argument(begins, "span") == 7 && argument(begins, "parent") == 3 && argument(begins, "isolate") == 2);
    assert_null(json_object_get(begins, "id"));
    event.phase = AARD_TRACE_END;
    event.name = "network_request"; /* they overlap, and are told apart by their number */
    event.parent = event.isolate_id = 0;
    json_t *ends = written(&event);
    assert_string_equal(member(ends, "ph"), "e");
    assert_int_equal(json_integer_value(json_object_get(ends, "id")), 7);
    assert_string_equal(member(json_object_get(ends, "args"), "result"), "main:f");
    assert_null(json_object_get(json_object_get(ends, "args"), "parent"));
    json_decref(begins);
    json_decref(ends);
}

static void test_any_text_is_well_formed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"\"\\\n\t\x01", "\"\\\n\t\x01"},
                                          {"f\xc3\xbcr \xf0\x9f\x90\x9c", "f\xc3\xbcr \xf0\x9f\x90\x9c"},
                                          {"bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd"},
                                          {"", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const aard_trace_event event = {.phase = AARD_TRACE_BEGIN, .name = "call", .detail = rows[i][0], .span = 1};
        json_t *object = written(&event);
        assert_string_equal(member(json_object_get(object, "args"), "detail"), rows[i][1]);
        json_decref(object);
    }
}

static void test_whatever_the_room(void **state)
{
    (void)state;
    const aard_trace_event event = {.phase = AARD_TRACE_END, .name = "reset", .detail = "in_place", .span = 1};
    char whole[512], part[512];
    size_t len = aard_trace_event_json(&event, whole, sizeof whole);
    assert_int_equal(aard_trace_event_json(&event, NULL, 0), len);
    for (size_t room = 0; room <= len + 1; room++) {
        memset(part, 'x', sizeof part);
        assert_int_equal(aard_trace_event_json(&event, part, room), len);
        if (room) {
            assert_int_equal(strlen(part), room - 1);
            assert_memory_equal(part, whole, room - 1);
        }
        assert_int_equal(part[room], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_of_a_span),
        cmocka_unit_test(test_any_text_is_well_formed),
        cmocka_unit_test(test_whatever_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
