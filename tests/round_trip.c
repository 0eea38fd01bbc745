/* Every outcome that a test gets has been packed and unpacked: whatever the binary form loses, some test misses, and where
 * its JSON is another one the test ends here.  Linked into every test (Makefile). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "outcome/pack.h"

/* What the linker is told to want, so that this file is linked. */
extern const char test_round_trip;
const char test_round_trip = 1;

static void disagree(const char *what, const char *before, size_t before_len, const char *after, size_t after_len)
{
    fprintf(stderr, "an outcome was packed and unpacked, and %s is another one:\n%.*s\n  became\n%.*s\n", what,
            (int)before_len, before, (int)after_len, after);
    abort();
}

static void compare_json(const aard_outcome *before, const aard_outcome *after)
{
    char *a = NULL, *b = NULL;
    size_t a_len = 0, b_len = 0;
    aard_error *error = aard_outcome_json(before, &a, &a_len);
    if (!error) error = aard_outcome_json(after, &b, &b_len);
    if (!error && (a_len != b_len || memcmp(a, b, a_len))) disagree("its JSON", a, a_len, b, b_len);
    aard_error_free(error);
    aard_string_free(a);
    aard_string_free(b);
}

static void compare_packed(const aard__buf *before, const aard_outcome *after)
{
    aard__buf again = AARD__BUF_INIT;
    aard__outcome_pack(after, &again);
    if (!again.failed && (again.len != before->len || memcmp(again.data, before->data, again.len)))
        disagree("its binary form", before->data, before->len, again.data, again.len);
    aard__buf_free(&again);
}

/* The outcome that it came back as; the same where there is no memory, which some tests see to. */
static aard_outcome *round_trip(aard_outcome *outcome)
{
    aard__buf packed = AARD__BUF_INIT;
    aard_outcome *back = NULL;
    aard__outcome_pack(outcome, &packed);
    if (packed.failed) {
        aard__buf_free(&packed);
        return outcome;
    }
    aard__unpacker in = aard__unpacker_of(packed.data, packed.len);
    aard_error *error = aard__outcome_unpack(&in, &AARD__OUTCOME_UNLIMITED, &back);
    if (error && aard_error_get_code(error) != AARD_ERR_NO_MEMORY) {
        const char *message = aard_error_message(error);
        disagree(message, packed.data, packed.len, message, strlen(message));
    }
    if (back) {
        if (!aard__unpacker_done(&in)) disagree("its end", packed.data, packed.len, "", 0);
        compare_json(outcome, back);
        compare_packed(&packed, back);
        aard_outcome_free(outcome);
    }
    aard_error_free(error);
    aard__buf_free(&packed);
    return back ? back : outcome;
}

__attribute__((constructor)) static void set_hook(void) { aard__outcome_set_hook(round_trip); }
