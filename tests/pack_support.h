/* What the tests of binary forms share: bytes as a hostile sender would have them. */
#ifndef AARD_TESTS_PACK_SUPPORT_H
#define AARD_TESTS_PACK_SUPPORT_H

#include "support.h"

#include "base/pack.h"

/* Reads one form, lets go of what came of it, and says whether it was taken.  What is taken must be sound. */
typedef bool (*form_reader)(const char *data, size_t len);

/* Reads a copy that ends where its memory ends, so that a sanitizer sees a byte too far. */
bool read_exactly(form_reader reader, const char *data, size_t len);

/* Every beginning of the bytes but all of them is refused, and all of them are taken. */
#define refuses_all_cuts(reader, bytes) refuses_all_cuts_at(HERE, reader, bytes)
void refuses_all_cuts_at(test_place here, form_reader reader, const aard__buf *bytes);

/* Each byte is altered in several ways, the rest as it is: gives how many of those were refused. */
size_t alter_all(form_reader reader, const aard__buf *bytes);

/* Whatever allocation fails, it is told as that; `unpack` frees what came of it.  Gives how many there are. */
size_t fail_allocations(aard_error *(*unpack)(aard__unpacker *in), const aard__buf *bytes);

#endif
