/* The binary form of outcomes, for another process of the same build: no version, and nothing that lasts. */
#ifndef AARD_OUTCOME_PACK_H
#define AARD_OUTCOME_PACK_H

#include "base/error.h"
#include "base/pack.h"
#include "outcome/outcome.h"

/* What the host has set for the call; SIZE_MAX = any. */
typedef struct aard__outcome_limits {
    size_t result; /* bytes of value and buffers together */
    size_t depth;  /* levels of the value */
    size_t output; /* bytes of stdout, and of stderr */
} aard__outcome_limits;

#define AARD__OUTCOME_UNLIMITED ((const aard__outcome_limits){SIZE_MAX, SIZE_MAX, SIZE_MAX})

void aard__outcome_pack(const aard_outcome *outcome, aard__buf *out);

/* Reads an outcome from somebody who is not trusted: whatever is taken has all that an outcome of our own has, such as that its
 * value is JSON.  Where that is not so, `in` is not ok and `*out` untouched.  Errors: engine, no_memory. */
aard_error *aard__outcome_unpack(aard__unpacker *in, const aard__outcome_limits *limits, aard_outcome **out);

#endif
