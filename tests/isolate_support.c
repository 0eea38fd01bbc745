#include "isolate_support.h"

#include <jansson.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"
#include "outcome/diagnostics.h"
#include "zip_builder.h"

void assert_ok_at(test_place here, aard_error *error)
{
    if (error) fail_at(here, "%s: %s", aard_error_code_name(aard_error_get_code(error)), aard_error_message(error));
}

/* ---- what an outcome came of ----------------------------------------------------------------------------------- */

/* Of this thread's latest calls, by the outcome; one that was freed may have been followed by another at its place. */
static _Thread_local struct {
    const aard_outcome *outcome;
    char text[160];
} origins[32];
static _Thread_local size_t origin_count;

static aard_outcome *came_of(aard_outcome *outcome, const char *what, const char *detail)
{
    size_t i = origin_count++ % COUNT(origins);
    origins[i].outcome = outcome;
    snprintf(origins[i].text, sizeof origins[i].text, "%s%s%.120s", what, detail ? ": " : "", detail ? detail : "");
    return outcome;
}

/* Says it in front of a failure. */
static void print_origin(const aard_outcome *outcome)
{
    for (size_t i = origin_count; i > 0 && i + COUNT(origins) > origin_count; i--) {
        size_t at = (i - 1) % COUNT(origins);
        if (origins[at].outcome != outcome) continue;
        print_error("of %s\n", origins[at].text);
        return;
    }
}

#define fail_of(outcome, here, ...)                                                                                    \
    do {                                                                                                               \
        print_origin(outcome);                                                                                         \
        fail_at(here, __VA_ARGS__);                                                                                    \
    } while (0)

/* Fails where one of the texts (up to a NULL) is not in `message`, of an outcome or of none. */
static void contains_all(test_place here, const aard_outcome *outcome, const char *message, va_list texts)
{
    for (const char *text; (text = va_arg(texts, const char *));)
        if (!message || !strstr(message, text)) fail_of(outcome, here, "'%s' is not in: %s", text, message);
}

void assert_refused_at(test_place here, aard_error *error, aard_error_code code, ...)
{
    if (!error) fail_at(here, "it was not refused, with %s", aard_error_code_name(code));
    if (aard_error_get_code(error) != code)
        fail_at(here, "%s, not %s: %s", aard_error_code_name(aard_error_get_code(error)), aard_error_code_name(code),
                aard_error_message(error));
    va_list texts;
    va_start(texts, code);
    contains_all(here, NULL, aard_error_message(error), texts);
    va_end(texts);
    aard_error_free(error);
}

/* ---- bundles and isolates ------------------------------------------------------------------------------------ */

aard_bundle *bundle_of(const char *const files[][2])
{
    zb_zip zip = {0};
    for (size_t i = 0; files[i][0]; i++) zb_text(&zip, files[i][0], files[i][1]);
    zb_bytes bytes = zb_finish(&zip);
    aard_bundle *bundle = NULL;
    assert_ok(aard_bundle_from_bytes(bytes.data, bytes.len, NULL, &bundle));
    free(bytes.data);
    return bundle;
}

aard_bundle *bundle_from(const char *name)
{
    const char *temp = getenv("TMPDIR");
    char dir[256], path[512];
    snprintf(dir, sizeof dir, "tests/guests/%s", name);
    snprintf(path, sizeof path, "%s/aardvark-test-XXXXXX", temp && *temp ? temp : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    aard_bundle *bundle = NULL;
    aard_error *error = aard_bundle_pack(dir, path);
    if (!error) error = aard_bundle_open(path, NULL, &bundle);
    unlink(path);
    assert_ok(error);
    return bundle;
}

aard_isolation expected_isolation(void)
{
    const char *isolation = getenv("AARD_TEST_ISOLATION"); /* "process": a test that is made for threads runs so, too */
    return isolation && !strcmp(isolation, "process") ? AARD_ISOLATION_PROCESS : AARD_ISOLATION_THREAD;
}

aard_reset_mode expected_reset(aard_reset_mode in_thread)
{
    return expected_isolation() == AARD_ISOLATION_PROCESS ? AARD_RESET_NEW_PROCESS : in_thread;
}

aard_isolate_config *config_of(aard_language language)
{
    aard_isolate_config *config = NULL;
    assert_ok(aard_isolate_config_new(&config));
    aard_isolate_config_set_language(config, language);
    aard_isolate_config_set_isolation(config, expected_isolation());
    return config;
}

aard_isolate_config *thread_config(aard_language language)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_THREAD);
    return config;
}

aard_isolate *boot(aard_isolate_config *config, aard_bundle *bundle)
{
    aard_isolate *isolate = NULL;
    assert_ok(aard_isolate_new(config, &isolate));
    aard_isolate_config_free(config);
    if (bundle) assert_ok(aard_isolate_load_bundle(isolate, bundle));
    aard_bundle_free(bundle);
    return isolate;
}

/* ---- calls --------------------------------------------------------------------------------------------------- */

aard_outcome *call_with(aard_isolate *isolate, const char *entrypoint, const aard_call *what)
{
    aard_handler *handler = NULL;
    aard_outcome *outcome = NULL;
    aard_error *error = aard_handler_new(isolate, entrypoint, &handler);
    if (!error) error = aard_handler_invoke(handler, what, &outcome);
    if (error) print_error("of %s\n", entrypoint);
    assert_ok(error);
    aard_handler_free(handler);
    return check_form(came_of(outcome, entrypoint, NULL));
}

aard_outcome *call(aard_isolate *isolate, const char *entrypoint, const char *input)
{
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    if (input) aard_call_set_input_json(what, input, strlen(input));
    aard_outcome *outcome = call_with(isolate, entrypoint, what);
    aard_call_free(what);
    return came_of(outcome, entrypoint, input);
}

aard_outcome *exec_with(aard_isolate *isolate, const char *code, const aard_call *what)
{
    aard_outcome *outcome = NULL;
    aard_error *error = aard_isolate_exec(isolate, code, strlen(code), NULL, what, &outcome);
    if (error) print_error("of %.120s\n", code);
    assert_ok(error);
    return check_form(came_of(outcome, "inline code", code));
}

aard_outcome *invoke(aard_handler *handler, const char *input)
{
    aard_call *what;
    aard_outcome *outcome;
    assert_ok(aard_call_new(&what));
    aard_call_set_input_json(what, input, strlen(input));
    assert_ok(aard_handler_invoke(handler, what, &outcome));
    aard_call_free(what);
    return check_form(came_of(outcome, "a handler", input));
}

aard_outcome *exec(aard_isolate *isolate, const char *code) { return exec_with(isolate, code, NULL); }

aard_call *limited_to(uint64_t ms)
{
    aard_call *what = NULL;
    assert_ok(aard_call_new(&what));
    aard_call_set_wall_limit_ms(what, ms);
    return what;
}

/* ---- the form of an outcome ---------------------------------------------------------------------------------- */

/* `object` has exactly the members named in `names`, separated by blanks. */
static void has_members(const json_t *object, const char *names)
{
    assert_true(json_is_object(object));
    size_t count = 0;
    for (const char *at = names; *at;) {
        char name[64];
        size_t len = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        if (!json_object_get(object, name)) fail_msg("the outcome has no member '%s'", name);
        count++;
        at += len + (at[len] == ' ');
    }
    if (json_object_size(object) != count) fail_msg("the outcome has a member that is none of: %s", names);
}

static void check_members(const json_t *root)
{
    bool repr = json_object_get(root, "value_repr") != NULL, exits = json_object_get(root, "exit_code") != NULL;
    has_members(root, repr    ? "status value value_repr buffers failure diagnostics"
                      : exits ? "status value exit_code buffers failure diagnostics"
                              : "status value buffers failure diagnostics");
    const json_t *failure = json_object_get(root, "failure");
    bool success = !strcmp(json_string_value(json_object_get(root, "status")), "success");
    assert_int_equal(success, json_is_null(failure));
    if (!success) {
        const json_t *exception = json_object_get(failure, "exception");
        has_members(failure, exception ? "kind message exception" : "kind message");
        if (exception) has_members(exception, "type value traceback");
    }
    const json_t *buffers = json_object_get(root, "buffers");
    assert_true(json_is_array(buffers));
    for (size_t i = 0; i < json_array_size(buffers); i++)
        has_members(json_array_get(buffers, i), "id length metadata base64");
    const json_t *diagnostics = json_object_get(root, "diagnostics");
    char members[1024] = "stdout stderr isolation started_at reset warm_state callbacks network policy_violations";
    if (json_object_get(diagnostics, "policy_violations_dropped")) strcat(members, " policy_violations_dropped");
#define MEMBER_always(name) strcat(members, " " name);
#define MEMBER_unless_0(name)                                                                                          \
    if (json_object_get(diagnostics, name)) strcat(members, " " name);
#define MEMBER_apart(name)
#define MEMBER(kind, member, shown) MEMBER_##shown(#member)
    AARD__DIAGNOSTICS_MAP(MEMBER)
    has_members(diagnostics, members);
    has_members(json_object_get(diagnostics, "reset"), "mode duration_ms generation");
    has_members(json_object_get(diagnostics, "warm_state"), "fingerprint source");
    has_members(json_object_get(diagnostics, "callbacks"), "count ms");
    const json_t *network = json_object_get(diagnostics, "network");
    has_members(network, json_object_get(network, "dropped") ? "allowed blocked dropped" : "allowed blocked");
}

/* jansson takes neither great depth, nor lone surrogates, nor numbers beyond a double. */
static bool beyond_jansson(const json_error_t *error, const char *text)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_stack_overflow || code == json_error_numeric_overflow ||
           (code == json_error_invalid_syntax && strstr(text, "\\ud"));
}

aard_outcome *check_form(aard_outcome *outcome)
{
    char *text = NULL;
    size_t len = 0, where = 0;
    assert_non_null(outcome);
    assert_ok(aard_outcome_json(outcome, &text, &len));
    assert_int_equal(strlen(text), len);
    if (!aard__json_valid(text, len, &where)) fail_msg("not JSON at %zu: %.80s", where, text + where);
    assert_null(memchr(text, '\n', len));
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    if (root)
        check_members(root);
    else if (!beyond_jansson(&error, text))
        fail_msg("%s: %.200s", error.text, text);
    json_decref(root);
    aard_string_free(text);
    if (!aard_outcome_is_success(outcome)) assert_non_null(aard_outcome_failure_message(outcome));
    return outcome;
}

/* ---- expectations -------------------------------------------------------------------------------------------- */

void assert_success_at(test_place here, const aard_outcome *outcome)
{
    if (aard_outcome_is_success(outcome)) return;
    const char *traceback = aard_outcome_exception_traceback(outcome, NULL);
    fail_of(outcome, here, "%s: %s\n%s", aard_failure_kind_name(aard_outcome_failure_kind(outcome)),
            aard_outcome_failure_message(outcome), traceback ? traceback : "");
}

static void text_is(test_place here, const aard_outcome *outcome, const char *have, size_t len, const char *want)
{
    if (len != strlen(want) || memcmp(have, want, len))
        fail_of(outcome, here, "%.*s\n  is not\n%s", (int)len, have, want);
}

void assert_text_at(test_place here, const char *have, size_t len, const char *want)
{
    text_is(here, NULL, have, len, want);
}

void assert_contains_at(test_place here, const char *text, const char *part)
{
    if (!text || !strstr(text, part)) fail_at(here, "'%s' is not in: %s", part, text ? text : "(nothing)");
}

void assert_lacks_at(test_place here, const char *text, const char *part)
{
    if (strstr(text, part)) fail_at(here, "'%s' is in: %s", part, text);
}

void value_is_of_at(test_place here, aard_outcome *outcome, const char *json, size_t len)
{
    size_t have_len = 0;
    assert_success_at(here, outcome);
    const char *have = aard_outcome_value_json(outcome, &have_len);
    if (have_len != len || memcmp(have, json, len))
        fail_of(outcome, here, "the value is (%zu bytes) %.300s\n  and not (%zu bytes) %.300s", have_len, have, len,
                json);
    aard_outcome_free(outcome);
}

static bool case_holds(aard_isolate *isolate, const char *name)
{
    size_t len;
    aard_outcome *outcome = call(isolate, "main:run", name);
    const char *value = aard_outcome_value_json(outcome, &len);
    bool holds = value && len == 4 && !memcmp(value, "null", 4) && !aard_outcome_violation_count(outcome);
    if (!holds) {
        char *text;
        assert_ok(aard_outcome_json(outcome, &text, NULL));
        print_error("%s: %s\n", name, text);
        aard_string_free(text);
    }
    aard_outcome_free(outcome);
    return holds;
}

void cases_hold_at(test_place here, aard_isolate *isolate)
{
    size_t len, wrong = 0;
    aard_outcome *outcome = call(isolate, "main:names", NULL);
    assert_success_at(here, outcome);
    const char *value = aard_outcome_value_json(outcome, &len);
    json_t *names = json_loadb(value, len, 0, NULL);
    assert_true(json_array_size(names) > 0);
    for (size_t i = 0; i < json_array_size(names); i++) {
        char *name = json_dumps(json_array_get(names, i), JSON_ENCODE_ANY);
        wrong += !case_holds(isolate, name);
        free(name);
    }
    json_decref(names);
    aard_outcome_free(outcome);
    if (wrong) fail_at(here, "%zu cases do not hold", wrong);
}

void value_is_at(test_place here, aard_outcome *outcome, const char *json)
{
    value_is_of_at(here, outcome, json, strlen(json));
}

void repr_has_at(test_place here, aard_outcome *outcome, const char *part)
{
    assert_success_at(here, outcome);
    size_t len = 0;
    const char *json = aard_outcome_value_json(outcome, NULL), *repr = aard_outcome_value_repr(outcome, &len);
    if (strcmp(json, "null")) fail_of(outcome, here, "the value is %s and not a repr", json);
    if (!repr || !strstr(repr, part)) fail_of(outcome, here, "'%s' is not in: %s", part, repr ? repr : "(nothing)");
    aard_outcome_free(outcome);
}

void failure_is_at(test_place here, aard_outcome *outcome, aard_failure_kind kind, ...)
{
    va_list texts;
    if (aard_outcome_failure_kind(outcome) != kind)
        fail_of(outcome, here, "%s, not %s: %s", aard_failure_kind_name(aard_outcome_failure_kind(outcome)),
                aard_failure_kind_name(kind),
                aard_outcome_is_success(outcome) ? "" : aard_outcome_failure_message(outcome));
    va_start(texts, kind);
    contains_all(here, outcome, kind == AARD_FAILURE_NONE ? "" : aard_outcome_failure_message(outcome), texts);
    va_end(texts);
    if (aard_outcome_buffer_count(outcome)) fail_of(outcome, here, "a failure has buffers");
    aard_outcome_free(outcome);
}

void exception_is_at(test_place here, aard_outcome *outcome, const char *type, const char *value, ...)
{
    size_t value_len = 0, traceback_len = 0;
    aard_failure_kind kind = aard_outcome_failure_kind(outcome);
    if (kind != AARD_FAILURE_PYTHON_EXCEPTION && kind != AARD_FAILURE_JAVASCRIPT_EXCEPTION)
        fail_of(outcome, here, "%s, not an exception", aard_failure_kind_name(kind));
    const char *have = aard_outcome_exception_value(outcome, &value_len);
    const char *traceback = aard_outcome_exception_traceback(outcome, &traceback_len);
    if (strcmp(aard_outcome_exception_type(outcome), type))
        fail_of(outcome, here, "%s, not %s: %s", aard_outcome_exception_type(outcome), type, have);
    if (value) text_is(here, outcome, have, value_len, value);
    assert_true(aard__utf8_valid(have, value_len) && aard__utf8_valid(traceback, traceback_len));
    assert_lacks_at(here, traceback, "<aardvark>");
    assert_lacks_at(here, traceback, "adapter.js");
    assert_lacks_at(here, traceback, "_pyodide");
    va_list texts;
    va_start(texts, value);
    contains_all(here, outcome, traceback, texts);
    va_end(texts);
    aard_outcome_free(outcome);
}

void streams_are_at(test_place here, aard_outcome *outcome, const char *out, const char *err)
{
    size_t len = 0;
    const char *text = aard_outcome_stdout(outcome, &len);
    text_is(here, outcome, text, len, out);
    text = aard_outcome_stderr(outcome, &len);
    text_is(here, outcome, text, len, err);
    aard_outcome_free(outcome);
}

/* ---- time ---------------------------------------------------------------------------------------------------- */

bool exact_times(void) { return getenv("AARD_SOAK"); }

double late_ms(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return exact_times() ? 1000 : 10000;
#else
    return exact_times() ? 150 : 4000;
#endif
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *list, size_t count)
{
    qsort(list, count, sizeof *list, by_value);
    return count ? list[count / 2] : 0;
}

long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t soak_count(size_t usual, size_t promised)
{
    const char *soak = getenv("AARD_SOAK");
    if (!soak) return usual;
    size_t count = strtoul(soak, NULL, 10);
    return count > 1 ? count : promised;
}
