/* What the tests of isolates share: bundles, calls, and checks that every outcome has to pass. */
#ifndef AARD_TESTS_ISOLATE_SUPPORT_H
#define AARD_TESTS_ISOLATE_SUPPORT_H

#include <aardvark.h>

#include "support.h"

void assert_ok_at(test_place here, aard_error *error);
#define assert_ok(error) assert_ok_at(HERE, error)

/* Expects an error of that code whose message has all of the texts (up to a NULL), and frees it. */
void assert_refused_at(test_place here, aard_error *error, aard_error_code code, ...);
#define assert_refused(...) assert_refused_at(HERE, __VA_ARGS__)

/* A bundle of pairs of name and text, up to a NULL name. */
aard_bundle *bundle_of(const char *const files[][2]);

/* A bundle of the files below tests/guests/NAME. */
aard_bundle *bundle_from(const char *name);

aard_isolate_config *config_of(aard_language language);

/* Where guests run: in threads, or in processes of their own, which each test is good for that does not say otherwise by
 * thread_config.  A full reset is in place there, or brings another process. */
aard_isolation expected_isolation(void);
aard_reset_mode expected_reset(aard_reset_mode in_thread);
/* For what is about guests in threads alone: their inside, resets in place. */
aard_isolate_config *thread_config(aard_language language);

/* Boots an isolate; `config` is freed.  `bundle` (freed too) may be NULL. */
aard_isolate *boot(aard_isolate_config *config, aard_bundle *bundle);

/* One call of a handler or of inline code.  `input` may be NULL.  Every outcome is checked for form before it is given. */
aard_outcome *call(aard_isolate *isolate, const char *entrypoint, const char *input);
aard_outcome *call_with(aard_isolate *isolate, const char *entrypoint, const aard_call *what);
aard_outcome *invoke(aard_handler *handler, const char *input);
aard_outcome *exec(aard_isolate *isolate, const char *code);
aard_outcome *exec_with(aard_isolate *isolate, const char *code, const aard_call *what);

/* A call of which only the wall limit is set; aard_call_free. */
aard_call *limited_to(uint64_t ms);

/* Is well-formed JSON with exactly the members of docs/outcome.md; gives its argument. */
aard_outcome *check_form(aard_outcome *outcome);

/* Each of these fails where it stands, and names the entrypoint, the input or the code that the outcome came of, so that
 * the row of a table is known.  These free the outcome: */
#define value_is(outcome, json) value_is_at(HERE, outcome, json)
void value_is_at(test_place here, aard_outcome *outcome, const char *json);
#define value_is_of(outcome, json, len) value_is_of_at(HERE, outcome, json, len)
void value_is_of_at(test_place here, aard_outcome *outcome, const char *json, size_t len);
#define repr_has(outcome, part) repr_has_at(HERE, outcome, part)
void repr_has_at(test_place here, aard_outcome *outcome, const char *part);
/* The failure's message has all of the texts (up to a NULL). */
#define failure_is(...) failure_is_at(HERE, __VA_ARGS__)
void failure_is_at(test_place here, aard_outcome *outcome, aard_failure_kind kind, ...);
/* A guest's exception of that type; the value is compared whole, NULL = any; the traceback has all of the texts. */
#define exception_is(...) exception_is_at(HERE, __VA_ARGS__)
void exception_is_at(test_place here, aard_outcome *outcome, const char *type, const char *value, ...);
#define streams_are(outcome, out, err) streams_are_at(HERE, outcome, out, err)
void streams_are_at(test_place here, aard_outcome *outcome, const char *out, const char *err);

/* Every case that `main:names` of the bundle lists ends as it is expected to: `main:run` gives null for its name. */
#define cases_hold(isolate) cases_hold_at(HERE, isolate)
void cases_hold_at(test_place here, aard_isolate *isolate);

/* These don't: */
#define assert_success(outcome) assert_success_at(HERE, outcome)
void assert_success_at(test_place here, const aard_outcome *outcome);
#define assert_text(have, len, want) assert_text_at(HERE, have, len, want)
void assert_text_at(test_place here, const char *have, size_t len, const char *want);
#define assert_contains(text, part) assert_contains_at(HERE, text, part)
void assert_contains_at(test_place here, const char *text, const char *part);
#define assert_lacks(text, part) assert_lacks_at(HERE, text, part)
void assert_lacks_at(test_place here, const char *text, const char *part);

/* For tests that make guests be left in the middle: what stood on their stack, of V8's, of ICU's and of ours, then goes to nobody. */
#ifdef __SANITIZE_ADDRESS__
#define LEAKS_OF_LEFT_GUESTS                                                                                           \
    const char *__lsan_default_suppressions(void) __attribute__((visibility("default")));                              \
    const char *__lsan_default_suppressions(void) { return "leak:v8::internal\nleak:aard__buf_reserve\nleak:libicu\n"; }
#else
#define LEAKS_OF_LEFT_GUESTS
#endif

/* Whether times are asserted as exactly as they are promised: in `make soak`.  Elsewhere the machine may be busy, and a test
 * asks only for what tells late from never. */
bool exact_times(void);

/* Milliseconds that a limit may be late: more on a machine that may be busy, and where a sanitizer slows everything down. */
double late_ms(void);
double now_ms(void);

double median(double *list, size_t count); /* sorts it; 0 of none */

long resident_kib(void); /* of this process */

/* How often a test does what has to hold many times: as often as is `promised` in `make soak`, where AARD_SOAK=1, and so often
 * where that is another number. */
size_t soak_count(size_t usual, size_t promised);

#endif
