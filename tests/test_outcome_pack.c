/* The binary form of outcomes: it holds all that one tells, and of a forged one nothing is believed.  That every outcome of
 * every test survives it is tests/round_trip.c.  test-quick */
#include "pack_support.h"

#include <limits.h>

#include "base/json.h"
#include "outcome/pack.h"

static void set(aard__buf *buf, const char *text)
{
    aard__buf_clear(buf);
    aard__buf_puts(buf, text);
    aard__buf_putc(buf, '\0');
    buf->len--;
}

static void set_diagnostics(aard_diagnostics *d)
{
    *d = (aard_diagnostics){.isolate_id = 7,
                            .started_at_ns = INT64_C(1700000000123456789),
                            .wall_ms = 1.5,
                            .cpu_ms_used = 2.25,
                            .prepare_ms = 3,
                            .queue_wait_ms = 4,
                            .run_ms = 5,
                            .cleanup_ms = 6,
                            .reset_mode = AARD_RESET_NEW_PROCESS,
                            .reset_ms = 7,
                            .reset_generation = 8,
                            .py_heap_kib = 9,
                            .js_heap_kib = 10,
                            .rss_kib_before = 11,
                            .rss_kib_after = 12,
                            .stdout_dropped_bytes = 13,
                            .stderr_dropped_bytes = 14,
                            .filesystem_bytes_written = 15,
                            .warm_source = AARD_WARM_DISK,
                            .violations_dropped = 16,
                            .network_attempts_dropped = 17,
                            .pending_ended = UINT64_MAX};
    memset(d->warm_fingerprint, 'a', 64);
}

static void add_to_ledger(aard__ledger *ledger)
{
    aard__ledger_violation(ledger, AARD_VIOLATION_NETWORK_DENIED, "no_allowlist", "https://a/\n\xff", 12);
    aard__ledger_violation(ledger, AARD_VIOLATION_CAPABILITY_DENIED, "js", "", 0);
    aard__ledger_violation(ledger, AARD_VIOLATION_CAPABILITY_DENIED, "js", "", 0);
    aard__ledger_attempt(ledger, &(aard_network_attempt){true, "GET", "https://b/", "", 200, 1, 2, 1});
    aard__ledger_attempt(ledger, &(aard_network_attempt){false, "PUT", "https://c/", "host_not_allowed", 0, 3, 4, 1});
}

static aard_outcome *make(void)
{
    aard_outcome *outcome = NULL;
    assert_null(aard__outcome_new(&outcome));
    set_diagnostics(&outcome->diagnostics);
    add_to_ledger(&outcome->ledger);
    set(&outcome->streams[0], "out\xff");
    aard__buf_append(&outcome->streams[1], "e\0r", 3);
    return outcome;
}

static aard_outcome *make_success(void)
{
    aard_outcome *outcome = make();
    aard__buf data = AARD__BUF_INIT, none = AARD__BUF_INIT;
    set(&outcome->value, "{\"a\":[1,2.5,\"\xc3\xa4\"]}");
    set(&outcome->repr, "");
    aard__buf_append(&data, "\0\1\2", 3);
    assert_null(aard__outcome_add_buffer(outcome, "first", "{\"dtype\":\"int8\"}", &data));
    assert_null(aard__outcome_add_buffer(outcome, "", "null", &none));
    return outcome;
}

static aard_outcome *make_failure(void)
{
    aard_outcome *outcome = make();
    aard__outcome_fail_exception(outcome, AARD_FAILURE_PYTHON_EXCEPTION, "E", 1, "va\0lue", 6, "trace\n", 6);
    outcome->has_exit_code = true;
    outcome->exit_code = INT_MIN;
    return outcome;
}

static aard_outcome *make_empty(void)
{
    aard_outcome *outcome = NULL;
    assert_null(aard__outcome_new(&outcome));
    return outcome;
}

static aard_outcome *(*const makers[])(void) = {make_success, make_failure, make_empty};

static aard__buf pack(const aard_outcome *outcome)
{
    aard__buf packed = AARD__BUF_INIT;
    aard__outcome_pack(outcome, &packed);
    assert_false(packed.failed);
    return packed;
}

/* NULL where it is refused, for which there is one reason only. */
static aard_outcome *unpack(const char *data, size_t len, const aard__outcome_limits *limits)
{
    aard_outcome *outcome = NULL;
    aard__unpacker in = aard__unpacker_of(data, len);
    aard_error *error = aard__outcome_unpack(&in, limits, &outcome);
    assert_true(!error == in.ok && !error == (outcome != NULL));
    if (error) assert_int_equal(aard_error_get_code(error), AARD_ERR_ENGINE);
    aard_error_free(error);
    return outcome;
}

static char *json_of(const aard_outcome *outcome)
{
    char *text = NULL;
    size_t len = 0;
    assert_null(aard_outcome_json(outcome, &text, &len));
    if (!aard__json_valid(text, len, NULL)) fail_msg("not JSON: %s", text);
    return text;
}

static bool is_taken(const char *data, size_t len)
{
    aard_outcome *outcome = unpack(data, len, &AARD__OUTCOME_UNLIMITED);
    if (outcome) aard_string_free(json_of(outcome));
    aard_outcome_free(outcome);
    return outcome != NULL;
}

static void test_an_outcome_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(makers); i++) {
        aard_outcome *outcome = makers[i]();
        aard__buf packed = pack(outcome), again = AARD__BUF_INIT;
        aard_outcome *back = unpack(packed.data, packed.len, &AARD__OUTCOME_UNLIMITED);
        assert_non_null(back);
        again = pack(back);
        assert_int_equal(again.len, packed.len);
        assert_memory_equal(again.data, packed.data, packed.len);
        char *a = json_of(outcome), *b = json_of(back);
        assert_string_equal(a, b);
        assert_memory_equal(&back->diagnostics, &outcome->diagnostics, sizeof back->diagnostics);
        assert_int_equal(!back->repr.data, !outcome->repr.data);
        if (back->value.data) assert_int_equal(back->value.data[back->value.len], 0);
        assert_int_equal(back->exit_code, outcome->exit_code);
        aard_string_free(a);
        aard_string_free(b);
        aard__buf_free(&packed);
        aard__buf_free(&again);
        aard_outcome_free(outcome);
        aard_outcome_free(back);
    }
}

static void test_one_that_is_cut_is_refused_and_one_that_is_altered_is_sound(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < COUNT(makers); i++) {
        aard_outcome *outcome = makers[i]();
        aard__buf packed = pack(outcome);
        refuses_all_cuts(is_taken, &packed);
        refused += alter_all(is_taken, &packed);
        aard__buf_free(&packed);
        aard_outcome_free(outcome);
    }
    assert_true(refused > 500);
}

/* ---- what no outcome has ---------------------------------------------------------------------------------------- */

static void value_is_no_json(aard_outcome *o) { set(&o->value, "1,\"diagnostics\":{}"); }
static void value_is_two(aard_outcome *o) { set(&o->value, "1 2"); }
static void value_is_not_utf8(aard_outcome *o) { set(&o->value, "\"\xff\""); }
static void repr_is_not_utf8(aard_outcome *o) { set(&o->repr, "\xff"); }
static void metadata_is_no_json(aard_outcome *o) { memcpy(o->buffers[0].metadata, "{\"dtype\":\"int8\"]", 16); }
static void id_is_not_utf8(aard_outcome *o) { o->buffers[0].id[0] = '\xff'; }
static void kind_is_unknown(aard_outcome *o) { o->failure = (aard_failure_kind)(AARD_FAILURE_OTHER + 1); }
static void isolation_is_unknown(aard_outcome *o) { o->isolation = (aard_isolation)2; }
static void reset_is_unknown(aard_outcome *o) { o->diagnostics.reset_mode = (aard_reset_mode)9; }
static void warm_is_unknown(aard_outcome *o) { o->diagnostics.warm_source = (aard_warm_source)9; }
static void fingerprint_ends_a_string(aard_outcome *o) { o->diagnostics.warm_fingerprint[3] = '"'; }
static void time_is_endless(aard_outcome *o) { o->diagnostics.wall_ms = 1e300; }
static void failure_has_a_value(aard_outcome *o) { o->failure = AARD_FAILURE_OTHER; }
static void success_has_an_exception(aard_outcome *o) { o->has_exception = true; }

static void violation_is_unknown(aard_outcome *o) { o->ledger.violations[0].kind = (aard_violation_kind)9; }

static void violation_stands_twice(aard_outcome *o)
{
    aard_violation *lines = o->ledger.violations;
    lines[0].kind = lines[1].kind;
    memcpy((char *)lines[0].reason, lines[1].reason, 3);
    ((char *)lines[0].subject)[0] = '\0';
}

static void attempt_stands_twice(aard_outcome *o)
{
    aard_network_attempt *lines = o->ledger.attempts;
    lines[1].allowed = true;
    lines[1].status = 200;
    ((char *)lines[1].reason)[0] = '\0';
    memcpy((char *)lines[1].method, "GET", 3);
    memcpy((char *)lines[1].url, "https://b/", 10);
}

static void test_what_no_outcome_has_is_refused(void **state)
{
    (void)state;
#define ROW(change)                                                                                                    \
    {                                                                                                                  \
        change, #change                                                                                                \
    }
    static const struct {
        void (*change)(aard_outcome *outcome);
        const char *name;
    } rows[] = {ROW(value_is_no_json),          ROW(value_is_two),
                ROW(value_is_not_utf8),         ROW(repr_is_not_utf8),
                ROW(metadata_is_no_json),       ROW(id_is_not_utf8),
                ROW(kind_is_unknown),           ROW(isolation_is_unknown),
                ROW(reset_is_unknown),          ROW(warm_is_unknown),
                ROW(fingerprint_ends_a_string), ROW(time_is_endless),
                ROW(failure_has_a_value),       ROW(success_has_an_exception),
                ROW(violation_is_unknown),      ROW(violation_stands_twice),
                ROW(attempt_stands_twice)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *outcome = make_success();
        rows[i].change(outcome);
        aard__buf packed = pack(outcome);
        aard_outcome *back = unpack(packed.data, packed.len, &AARD__OUTCOME_UNLIMITED);
        if (back) fail_at(HERE, "it is taken where %s", rows[i].name);
        aard__buf_free(&packed);
        aard_outcome_free(outcome);
    }
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static void test_limits_are_kept_to_the_byte(void **state)
{
    (void)state;
    aard_outcome *outcome = make_success();
    size_t all = outcome->value.len + 3;
    const struct {
        aard__outcome_limits limits;
        bool fits;
    } rows[] = {
        {{all, 2, 4}, true},  {{all - 1, 2, 4}, false}, {{outcome->value.len - 1, 2, 4}, false},
        {{all, 1, 4}, false}, {{all, 2, 3}, false},     {{0, 2, 4}, false},
    };
    aard__buf packed = pack(outcome);
    for (size_t i = 0; i < COUNT(rows); i++) {
        aard_outcome *back = unpack(packed.data, packed.len, &rows[i].limits);
        if (!back == rows[i].fits) fail_at(HERE, "row %zu", i);
        aard_outcome_free(back);
    }
    aard__buf_free(&packed);
    aard_outcome_free(outcome);
}

static void test_a_long_text_has_the_limit_of_results(void **state)
{
    (void)state;
    const aard__outcome_limits limits = {100, 1, 100};
    static char text[10000];
    memset(text, 'x', sizeof text);
    for (size_t len = 1000; len <= sizeof text; len += 9000) {
        aard_outcome *outcome = make();
        outcome->streams[0].len = 0;
        aard__outcome_fail_exception(outcome, AARD_FAILURE_PYTHON_EXCEPTION, "E", 1, "", 0, text, len);
        aard__buf packed = pack(outcome);
        aard_outcome *back = unpack(packed.data, packed.len, &limits);
        assert_int_equal(back != NULL, len == 1000);
        aard__buf_free(&packed);
        aard_outcome_free(outcome);
        aard_outcome_free(back);
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static aard_error *unpack_one(aard__unpacker *in)
{
    aard_outcome *outcome = NULL;
    aard_error *error = aard__outcome_unpack(in, &AARD__OUTCOME_UNLIMITED, &outcome);
    aard_outcome_free(outcome);
    return error;
}

static void test_any_allocation_may_fail(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < COUNT(makers); i++) {
        aard_outcome *outcome = makers[i]();
        aard__buf packed = pack(outcome);
        failed += fail_allocations(unpack_one, &packed);
        aard__buf_free(&packed);
        aard_outcome_free(outcome);
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outcome_comes_back_as_it_was),
        cmocka_unit_test(test_one_that_is_cut_is_refused_and_one_that_is_altered_is_sound),
        cmocka_unit_test(test_what_no_outcome_has_is_refused),
        cmocka_unit_test(test_limits_are_kept_to_the_byte),
        cmocka_unit_test(test_a_long_text_has_the_limit_of_results),
        cmocka_unit_test(test_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
