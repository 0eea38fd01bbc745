/* Making outcomes. */
#ifndef AARD_OUTCOME_OUTCOME_H
#define AARD_OUTCOME_OUTCOME_H

#include <aardvark/isolate.h>
#include <aardvark/outcome.h>

#include "base/buf.h"
#include "outcome/ledger.h"

typedef struct aard__outcome_buffer {
    char *id, *metadata; /* metadata is JSON text */
    aard__buf data;
} aard__outcome_buffer;

struct aard_outcome {
    aard_failure_kind failure;
    aard_isolation isolation;
    aard__buf value; /* JSON text; empty means null */
    aard__buf repr;
    aard__buf message; /* of the failure */
    aard__buf exception_type, exception_value, traceback;
    bool has_exception;
    bool has_exit_code;
    int exit_code;
    aard__buf streams[2];
    aard__outcome_buffer *buffers;
    size_t buffer_count;
    aard_diagnostics diagnostics;
    aard__ledger ledger;
};

aard_error *aard__outcome_new(aard_outcome **out);

/* Makes the outcome a failure with a formatted message; a later failure replaces an earlier one. */
void aard__outcome_fail(aard_outcome *outcome, aard_failure_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes the outcome's exception (JSON members of one object, as the guest's adapter reports it). */
void aard__outcome_fail_exception(aard_outcome *outcome, aard_failure_kind kind, const char *type, size_t type_len,
                                  const char *value, size_t value_len, const char *traceback, size_t traceback_len);

/* Adds a buffer; `id` and `metadata` are copied, `data` is moved out of. */
aard_error *aard__outcome_add_buffer(aard_outcome *outcome, const char *id, const char *metadata, aard__buf *data);

/* What the caller gets of an outcome that is complete: the outcome, or what a hook makes of it.  Tests set one (NULL = none)
 * while no call is under way. */
aard_outcome *aard__outcome_hand_out(aard_outcome *outcome);
typedef aard_outcome *(*aard__outcome_hook)(aard_outcome *outcome);
void aard__outcome_set_hook(aard__outcome_hook hook);

#endif
