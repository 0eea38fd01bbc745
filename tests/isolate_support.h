/* What the tests of isolates share: bundles, calls, and checks that every outcome has to pass. */
#ifndef AARD_TESTS_ISOLATE_SUPPORT_H
#define AARD_TESTS_ISOLATE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <aardvark.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void assert_ok(aard_error *error);

/* Expects an error of that code whose message has all of the texts (up to a NULL), and frees it. */
void assert_refused(aard_error *error, aard_error_code code, ...);

/* A bundle of pairs of name and text, up to a NULL name. */
aard_bundle *bundle_of(const char *const files[][2]);

/* A bundle of the files below tests/guests/NAME. */
aard_bundle *bundle_from(const char *name);

aard_isolate_config *config_of(aard_language language);

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

/* Each of these frees the outcome. */
void value_is(aard_outcome *outcome, const char *json);
void value_is_of(aard_outcome *outcome, const char *json, size_t len);
void repr_has(aard_outcome *outcome, const char *part);
/* The failure's message has all of the texts (up to a NULL). */
void failure_is(aard_outcome *outcome, aard_failure_kind kind, ...);
/* A guest's exception of that type; the value is compared whole, NULL = any; the traceback has all of the texts. */
void exception_is(aard_outcome *outcome, const char *type, const char *value, ...);
void streams_are(aard_outcome *outcome, const char *out, const char *err);

/* Every case that `main:names` of the bundle lists ends as it is expected to: `main:run` gives null for its name. */
void cases_hold(aard_isolate *isolate);

/* These don't. */
void assert_success(const aard_outcome *outcome);
void assert_text(const char *have, size_t len, const char *want);
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

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
