/* The functions of the host that guests may call. */
#ifndef AARD_SETTINGS_FUNCTIONS_H
#define AARD_SETTINGS_FUNCTIONS_H

#include <aardvark/function.h>

#include "base/buf.h"

typedef struct aard__function aard__function;

typedef struct aard__functions {
    aard__function **list; /* one owner's share of each */
    size_t count;
} aard__functions;

/* `out`, empty before, shares what `from` has. */
aard_error *aard__functions_copy(const aard__functions *from, aard__functions *out);
void aard__functions_free(aard__functions *functions);

/* Whether a host function may have that name, in lower case. */
bool aard__function_name_valid(const char *name);

const char *aard__function_name(const aard__function *function);

/* Calls function `name`, with an input that is JSON, and appends its answer: "=" and JSON text, or "!" and a message.  False
 * where there is none. */
bool aard__functions_call(const aard__functions *functions, const aard_call_context *context, const char *name,
                          const char *input, size_t len, aard__buf *answer);

/* What came of that, in a word: "" for an answer, "failed", "not_found". */
const char *aard__functions_result(bool found, const aard__buf *answer);

#endif
