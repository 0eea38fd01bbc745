/* The members of aard_diagnostics, once: the JSON form, the binary form and the tests are made from this.
 *
 * A new one is a member in <aardvark/outcome.h>, a line here, a line in docs/outcome.md, and the place that sets it. */
#ifndef AARD_OUTCOME_DIAGNOSTICS_H
#define AARD_OUTCOME_DIAGNOSTICS_H

#include <aardvark/outcome.h>

/* X(kind, member, shown), in the order of the struct.  Kinds: a count, a time in ms, and those that one member has.  Shown in
 * JSON: always, unless_0, both under the member's name; or apart, in a form of its own (outcome/json.c). */
#define AARD__DIAGNOSTICS_MAP(X)                                                                                       \
    X(count, isolate_id, always)                                                                                       \
    X(instant, started_at_ns, apart)                                                                                   \
    X(ms, wall_ms, always)                                                                                             \
    X(ms, cpu_ms_used, always)                                                                                         \
    X(ms, prepare_ms, always)                                                                                          \
    X(ms, queue_wait_ms, always)                                                                                       \
    X(ms, run_ms, always)                                                                                              \
    X(ms, cleanup_ms, always)                                                                                          \
    X(reset, reset_mode, apart)                                                                                        \
    X(ms, reset_ms, apart)                                                                                             \
    X(count, reset_generation, apart)                                                                                  \
    X(count, py_heap_kib, always)                                                                                      \
    X(count, js_heap_kib, always)                                                                                      \
    X(count, rss_kib_before, always)                                                                                   \
    X(count, rss_kib_after, always)                                                                                    \
    X(count, stdout_dropped_bytes, always)                                                                             \
    X(count, stderr_dropped_bytes, always)                                                                             \
    X(count, filesystem_bytes_written, always)                                                                         \
    X(warm, warm_source, apart)                                                                                        \
    X(fingerprint, warm_fingerprint, apart)                                                                            \
    X(count, violations_dropped, apart)                                                                                \
    X(count, network_attempts_dropped, apart)                                                                          \
    X(count, pending_ended, unless_0)                                                                                  \
    X(count, guest_abandoned, unless_0)                                                                                \
    X(count, rolled_back, unless_0)                                                                                    \
    X(count, state_lost, unless_0)                                                                                     \
    X(count, callback_count, apart)                                                                                    \
    X(ms, callback_ms, apart)

/* The types of the kinds. */
typedef uint64_t aard__diagnostic_count;
typedef int64_t aard__diagnostic_instant;
typedef double aard__diagnostic_ms;
typedef aard_reset_mode aard__diagnostic_reset;
typedef aard_warm_source aard__diagnostic_warm;
typedef char aard__diagnostic_fingerprint[65];

#endif
