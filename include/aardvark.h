/* Aardvark: other people's Python and JavaScript in isolates of their own, with budgets and a full account.
 *
 * Include this, or the header of one concept; every header compiles alone, as C11 and as C++17.  What holds for every
 * function stands here; what one function does stands at that function.
 *
 * Objects.  Types without members are made and freed by the library alone: aard_X_new or aard_X_open makes one,
 * aard_X_free frees it, accepts NULL and never fails.  Those with an aard_X_retain are reference-counted: a function
 * that keeps one ("retained") takes a reference of its own, and the last aard_X_free frees it.  A pointer that a
 * getter returns belongs to the object, and is valid until that object is freed or that part of it is set again.  A
 * `char *` output is owned by the caller: aard_string_free.
 *
 * Errors.  A function that can fail returns `aard_error *`: NULL means success; otherwise the caller owns the error,
 * and no output has been touched.  A function that returns bool and has outputs sets them only with true.  Failures
 * of guests (exceptions, limits) are not errors; they are in the outcome.  aardvark/error.h
 *
 * Arguments.  They are checked in every build.  A function that returns an error returns AARD_ERR_INVALID_ARGUMENT
 * for a NULL that is not allowed and for a number that is not in its enumeration, and names the argument.  Other
 * functions ignore NULL and return NULL, 0 or false; an invalid number given to a setter is reported by the function
 * that uses the settings (aard_isolate_new, aard_distribution_stage).
 *
 * Lists.  aard_X_Y_count returns the count, aard_X_Y the item at an index.  If the index is too large the result is
 * NULL or 0 and the outputs are set to NULL and 0.  The outputs may be NULL.
 *
 * Numbers.  size_t is for what is in this process's memory: lengths, indices, how many objects there are or may be.
 * uint64_t is for everything else: limits in bytes, counts of bytes and calls, milliseconds.  Where a number sets a
 * limit, 0 selects the default, which the setter documents and which may be no limit; UINT64_MAX is no limit, unless
 * a limit has a named constant (AARD_POOL_NO_QUEUE).
 *
 * Text.  UTF-8.  Names, paths and messages end with a NUL.  Guest data has a length and may contain NULs; a NUL that
 * the length does not count follows it.
 *
 * Structures.  One that the caller fills begins with `struct_size`, to be set to its sizeof; other members default to
 * 0.  Members are only ever added at the end: an older program omits them, and one that is set but unknown to this
 * library is AARD_ERR_INVALID_ARGUMENT.  One that the library fills is returned by const pointer and grows at the end
 * only; if it is in the caller's memory it begins with `struct_size`, and no more than that is written.  Only
 * aard_completion and aard_completion_target (aardvark/pool.h) never grow, and have no size.  Enumerations may get
 * new numbers; existing ones keep theirs.  docs/embedding.md
 *
 * Threads.  Counted objects, outcomes, errors, pools and registries: any thread, at any time.  An isolate and its
 * handlers: any thread, one at a time; a second one gets AARD_ERR_BUSY.  Configurations, calls and stage options: one
 * thread at a time, but while none modifies them, any number of threads may read them, make isolates and make calls
 * with them.  An object that is not reference-counted is freed after its last use.  A callback runs on the thread
 * that made the call, unless documented otherwise, and must not call back into its isolate.
 *
 * Processes.  A child forked from a process with isolates can't use them: AARD_ERR_FORKED. */
#ifndef AARDVARK_H
#define AARDVARK_H

#include <aardvark/bundle.h>
#include <aardvark/callback.h>
#include <aardvark/callbacks.h>
#include <aardvark/cancel.h>
#include <aardvark/distribution.h>
#include <aardvark/engine.h>
#include <aardvark/error.h>
#include <aardvark/export.h>
#include <aardvark/files.h>
#include <aardvark/function.h>
#include <aardvark/hardening.h>
#include <aardvark/hooks.h>
#include <aardvark/isolate.h>
#include <aardvark/manifest.h>
#include <aardvark/network.h>
#include <aardvark/outcome.h>
#include <aardvark/pool.h>
#include <aardvark/registry.h>
#include <aardvark/session.h>
#include <aardvark/warm.h>

#endif
