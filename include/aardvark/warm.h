/* Warm starts: what is made once so that every later start is fast. */
#ifndef AARDVARK_WARM_H
#define AARDVARK_WARM_H

#include <stdbool.h>

#include <aardvark/distribution.h>
#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills the distribution's cache: Pyodide's code prelinked and compiled for this engine, and a base image of its memory that every
 * Python isolate then starts from.  What is there already and fits is kept, unless `force`.  Everything in the cache can
 * be made again: a missing, stale or damaged cache only costs time.
 *
 * While it runs, no isolate of the process may be alive: it changes how the whole engine compiles.  Takes some seconds.
 * Errors: busy, guest_boot, engine, io (a distribution that can't be written to), no_memory. */
AARD_API aard_error *aard_distribution_prepare(aard_distribution *distribution, bool force);

/* Whether the cache holds all that aard_distribution_prepare would make, whole and for this engine. */
AARD_API bool aard_distribution_is_prepared(aard_distribution *distribution);

/* Whether the cache holds Pyodide's code prelinked.  A distribution that is prepared and not prelinked has files that are
 * not of the form that prelinking knows: it works, and starts slower. */
AARD_API bool aard_distribution_is_prelinked(aard_distribution *distribution);

#ifdef __cplusplus
}
#endif

#endif
