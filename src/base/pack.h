/* The binary form of what goes from one process to another: fields one behind the other, without names.  Numbers are little
 * endian and of fixed size, a span of bytes stands behind its length, a list behind its count.
 *
 * An unpacker trusts nothing: every field is checked against what is left, and after the first one that can't be right it is not
 * `ok`, and everything more that is read is 0, false or empty.  So one can read all fields and look at `ok` once at the end. */
#ifndef AARD_BASE_PACK_H
#define AARD_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* ---- writing: an allocation that fails makes `out->failed` */

void aard__pack_u8(aard__buf *out, uint8_t value);
void aard__pack_u16(aard__buf *out, uint16_t value);
void aard__pack_u32(aard__buf *out, uint32_t value);
void aard__pack_u64(aard__buf *out, uint64_t value);
void aard__pack_i64(aard__buf *out, int64_t value);
void aard__pack_f64(aard__buf *out, double value);
void aard__pack_bool(aard__buf *out, bool value);
void aard__pack_span(aard__buf *out, const void *data, size_t len);
void aard__pack_text(aard__buf *out, const char *text); /* ends with NUL; NULL is another value than "" */

/* ---- reading */

typedef struct aard__unpacker {
    const uint8_t *at, *end; /* borrowed */
    bool ok;
    bool no_memory; /* that is why it is not */
} aard__unpacker;

aard__unpacker aard__unpacker_of(const void *data, size_t len);

/* Nothing that is read from now on counts. */
void aard__unpacker_fail(aard__unpacker *in);
void aard__unpacker_no_memory(aard__unpacker *in); /* the same, since there is none for what was read */
/* Unless the condition holds. */
void aard__unpacker_want(aard__unpacker *in, bool condition);
/* Whether all went well and nothing is left over. */
bool aard__unpacker_done(aard__unpacker *in);
/* What is wrong, of one that is not ok: no_memory, or engine: "<what> is malformed …". */
aard_error *aard__unpacker_error(const aard__unpacker *in, const char *what);

uint8_t aard__unpack_u8(aard__unpacker *in);
uint16_t aard__unpack_u16(aard__unpacker *in);
uint32_t aard__unpack_u32(aard__unpacker *in);
uint64_t aard__unpack_u64(aard__unpacker *in);
uint64_t aard__unpack_u64_to(aard__unpacker *in, uint64_t most);
int64_t aard__unpack_i64(aard__unpacker *in);
double aard__unpack_f64(
    aard__unpacker *in); /* finite, and not so large that it does not fit an int64_t a thousand times */
bool aard__unpack_bool(aard__unpacker *in); /* 0 or 1 */
size_t aard__unpack_size(aard__unpacker *in);

/* One of `count` values that begin with 0, of 1 byte: for enums. */
unsigned aard__unpack_choice(aard__unpacker *in, unsigned count);

/* How many items follow that take `each` bytes at least: no more than there is room for, and than `most`. */
size_t aard__unpack_count(aard__unpacker *in, size_t most, size_t each);

/* A span within what is read, of at most `most` bytes (0 = any); NULL where it is not ok. */
const char *aard__unpack_span(aard__unpacker *in, size_t most, size_t *len);

/* A copy for aard__free of a text: UTF-8 without a NUL inside, or NULL where NULL was written, and where it is not ok. */
char *aard__unpack_text(aard__unpacker *in, size_t most);
/* The same of a text that must not be NULL. */
char *aard__unpack_some_text(aard__unpacker *in, size_t most);
/* The same as the first of any bytes but NUL, as a host may name things. */
char *aard__unpack_name(aard__unpacker *in);

/* A copy of a span into `*out`, which holds nothing, with a NUL behind it that does not count. */
void aard__unpack_buf(aard__unpacker *in, size_t most, aard__buf *out);

#endif
