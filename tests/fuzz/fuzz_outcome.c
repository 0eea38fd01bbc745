/* The input is the binary form of an outcome; one that is taken is JSON, packs to what it was read from, and tells its own. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "outcome/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_json(const aard_outcome *outcome)
{
    char *text = NULL;
    size_t len = 0;
    if (aard_outcome_json(outcome, &text, &len) || !aard__json_valid(text, len, NULL)) abort();
    aard_string_free(text);
}

static void must_be_stable(const aard_outcome *outcome, const uint8_t *data, size_t len)
{
    aard__buf packed = AARD__BUF_INIT;
    aard__outcome_pack(outcome, &packed);
    if (packed.failed || packed.len != len || memcmp(packed.data, data, len)) abort();
    aard__buf_free(&packed);
}

static void must_be_within(const aard_outcome *outcome, const aard__outcome_limits *limits)
{
    size_t total, out, err, each;
    aard_outcome_value_json(outcome, &total);
    aard_outcome_stdout(outcome, &out);
    aard_outcome_stderr(outcome, &err);
    if (!outcome->value.len) total = 0; /* "null" is ours */
    for (size_t i = 0; i < aard_outcome_buffer_count(outcome); i++) {
        aard_outcome_buffer(outcome, i, NULL, NULL, &each, NULL);
        total += each;
    }
    if (total > limits->result || out > limits->output || err > limits->output) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const aard__outcome_limits limits = {1000, 100, 1000};
    aard_outcome *outcome = NULL;
    aard__unpacker in = aard__unpacker_of(data, len);
    aard_error *error = aard__outcome_unpack(&in, &limits, &outcome);
    if (!error) {
        must_be_json(outcome);
        must_be_within(outcome, &limits);
        /* Texts of a ledger are cleaned, so that others than our own become other ones. */
        if (!outcome->ledger.violation_count && !outcome->ledger.attempt_count)
            must_be_stable(outcome, data, (size_t)(in.at - data));
    } else if (aard_error_get_code(error) != AARD_ERR_ENGINE) {
        abort();
    }
    aard_error_free(error);
    aard_outcome_free(outcome);
    return 0;
}
