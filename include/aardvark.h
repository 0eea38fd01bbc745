/* Aardvark: other people's Python and JavaScript in isolates of their own, with budgets and a full account.
 *
 * Include this, or the header of one concept; every header compiles alone, as C11 and as C++17.  What holds for every
 * function stands here; what one function does stands at that function.
 *
 * Objects.  Types without members are made and freed by the library alone: aard_X_new or aard_X_open makes one,
 * aard_X_free frees it, takes NULL and never fails.  Those that have aard_X_retain are counted: whoever is given one to
 * keep ("retained") takes a share of its own, and the last aard_X_free frees it.  A pointer that a getter returns
 * belongs to the object it was asked of, and lives as long, or until that part of it is set again.  A `char *` that is
 * handed over by an output is the caller's: aard_string_free.
 *
 * Errors.  A function that can fail returns `aard_error *`: NULL means that it succeeded, and else the error is the
 * caller's, and no output has been touched.  A function that returns bool and has outputs sets them only with true.
 * Failures of guests (exceptions, limits) are not errors: they are in the outcome.  aardvark/error.h
 *
 * Arguments.  They are checked in every build.  NULL where there must be something, and a number that is not one of its
 * enumeration, is AARD_ERR_INVALID_ARGUMENT from a function that returns an error, with its name in the message.  Other
 * functions do nothing for NULL and return NULL, 0 or false; a number that a setter can't take is an error of the
 * function that the settings are for (aard_isolate_new, aard_distribution_stage).
 *
 * Lists.  aard_X_Y_count counts, aard_X_Y gives the one at an index.  For an index that is too large the result is NULL
 * or 0 and the outputs become NULL and 0.  The outputs may be NULL.
 *
 * Numbers.  size_t is for what is in this process's memory: lengths, indices, how many objects there are or may be.
 * uint64_t is for everything else: limits in bytes, bytes and calls that were counted, milliseconds.  Where a number
 * sets a limit, 0 is the default, which stands at the setter and can be that there is no limit; UINT64_MAX is as much
 * as there can be, unless a limit has a number with a name of its own (AARD_POOL_NO_QUEUE).
 *
 * Text.  UTF-8.  Names, paths and messages end with a NUL.  What comes from guests has a length, may have NULs inside,
 * and has one more behind it that the length does not count.
 *
 * Structures.  One that the caller fills begins with `struct_size`, to be set to its sizeof, and the rest is 0 where
 * nothing is said.  Members are only ever added at the end: an older program leaves them out, and one that is set but
 * not known to this library is AARD_ERR_INVALID_ARGUMENT.  One that the library fills is given by const pointer and
 * grows at the end only; in the caller's memory it begins with `struct_size`, and no more than that is written.  Only
 * aard_completion and aard_completion_target (aardvark/pool.h) never grow, and have no size.  Enumerations get new
 * numbers; those there are keep theirs.  docs/embedding.md
 *
 * Threads.  Counted objects, outcomes, errors, pools and registries: any thread, at any time.  An isolate and its
 * handlers: any thread, one at a time; a second one gets AARD_ERR_BUSY.  Configurations, calls and stage options: one thread at a time, but
 * while nobody sets anything, any number may read them, make isolates of them and make calls with them.  aard_X_free of
 * an object that is not counted comes after the last use.  A callback runs on the thread that made the call, unless it
 * says otherwise, and must not call back into the isolate that it came from.
 *
 * Processes.  A child that was forked off from a process with isolates can't use them: AARD_ERR_FORKED. */
#ifndef AARDVARK_H
#define AARDVARK_H

#include <aardvark/bundle.h>
#include <aardvark/callback.h>
#include <aardvark/cancel.h>
#include <aardvark/distribution.h>
#include <aardvark/engine.h>
#include <aardvark/error.h>
#include <aardvark/export.h>
#include <aardvark/function.h>
#include <aardvark/hooks.h>
#include <aardvark/isolate.h>
#include <aardvark/manifest.h>
#include <aardvark/network.h>
#include <aardvark/outcome.h>
#include <aardvark/pool.h>
#include <aardvark/registry.h>
#include <aardvark/warm.h>

#endif
