/* Outcomes: the result of one call, as values that a program can act on; docs/outcome.md has the JSON form.
 *
 * An outcome belongs to the caller and is independent of the isolate that made it.  It is immutable: it may be read
 * from any thread.  Every pointer read from it lives as long as the outcome. */
#ifndef AARDVARK_OUTCOME_H
#define AARDVARK_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_outcome aard_outcome;

/* X(constant, name): `failure.kind` of the JSON form. */
#define AARD_FAILURE_MAP(X)                                                                                            \
    X(AARD_FAILURE_NONE, "none")                                                                                       \
    X(AARD_FAILURE_PYTHON_EXCEPTION, "python_exception")                                                               \
    X(AARD_FAILURE_JAVASCRIPT_EXCEPTION, "javascript_exception")                                                       \
    X(AARD_FAILURE_TIMEOUT_EXCEEDED, "timeout_exceeded")                                                               \
    X(AARD_FAILURE_CPU_LIMIT_EXCEEDED, "cpu_limit_exceeded")                                                           \
    X(AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "heap_limit_exceeded")                                                         \
    X(AARD_FAILURE_CANCELLED, "cancelled")                                                                             \
    X(AARD_FAILURE_ADAPTER_ERROR, "adapter_error")                                                                     \
    X(AARD_FAILURE_ENGINE_CRASHED, "engine_crashed")                                                                   \
    X(AARD_FAILURE_OTHER, "other")

typedef enum aard_failure_kind {
#define AARD_FAILURE_ENUM(constant, name) constant,
    AARD_FAILURE_MAP(AARD_FAILURE_ENUM)
#undef AARD_FAILURE_ENUM
} aard_failure_kind;

/* X(constant, name): `diagnostics.reset.mode`. */
#define AARD_RESET_MAP(X)                                                                                              \
    X(AARD_RESET_NONE, "none")                                                                                         \
    X(AARD_RESET_IN_PLACE, "in_place")                                                                                 \
    X(AARD_RESET_NEW_REALM, "new_realm")                                                                               \
    X(AARD_RESET_NEW_ISOLATE, "new_isolate")                                                                           \
    X(AARD_RESET_NEW_PROCESS, "new_process")

typedef enum aard_reset_mode {
#define AARD_RESET_ENUM(constant, name) constant,
    AARD_RESET_MAP(AARD_RESET_ENUM)
#undef AARD_RESET_ENUM
} aard_reset_mode;

/* Where a guest runs. */
typedef enum aard_isolation {
    AARD_ISOLATION_THREAD = 0, /* in the host's process; not a boundary for hostile code */
    AARD_ISOLATION_PROCESS = 1 /* in a process of its own */
} aard_isolation;

AARD_API void aard_outcome_free(aard_outcome *outcome);

AARD_API bool aard_outcome_is_success(const aard_outcome *outcome);
AARD_API aard_failure_kind aard_outcome_failure_kind(const aard_outcome *outcome);
/* The isolation of the isolate that made the call; thread for NULL. */
AARD_API aard_isolation aard_outcome_isolation(const aard_outcome *outcome);
/* "thread", "process"; "unknown" for any other number. */
AARD_API const char *aard_isolation_name(aard_isolation isolation);
AARD_API const char *aard_failure_kind_name(aard_failure_kind kind);
AARD_API const char *aard_reset_mode_name(aard_reset_mode mode);

/* The value as UTF-8 JSON text of `*len` bytes (also NUL-terminated); NULL if the call failed. "null" if the value
 * came back as a buffer or has only a repr. */
AARD_API const char *aard_outcome_value_json(const aard_outcome *outcome, size_t *len);

/* The repr (Python) or inspection (JavaScript) of a value of inline code that JSON can't represent; else NULL. */
AARD_API const char *aard_outcome_value_repr(const aard_outcome *outcome, size_t *len);

/* True, with the code, if the guest exited (Python: sys.exit, os._exit, SystemExit): 0 for a success, whose value is
 * null; otherwise for a failure of type SystemExit.  As in Python, a code that is not a number is 1; one that does
 * not fit is -1. */
AARD_API bool aard_outcome_exit_code(const aard_outcome *outcome, int *code);

/* Buffers: bytes returned beside the value. */
AARD_API size_t aard_outcome_buffer_count(const aard_outcome *outcome);
/* `id` and `metadata_json` are NUL-terminated; `metadata_json` is "null" if there is none. */
AARD_API void aard_outcome_buffer(const aard_outcome *outcome, size_t index, const char **id, const uint8_t **data,
                                  size_t *len, const char **metadata_json);

/* The failure: a message for people, and the type, text and traceback of an exception. NULL if there is none. */
AARD_API const char *aard_outcome_failure_message(const aard_outcome *outcome);
AARD_API const char *aard_outcome_exception_type(const aard_outcome *outcome);
AARD_API const char *aard_outcome_exception_value(const aard_outcome *outcome, size_t *len);
AARD_API const char *aard_outcome_exception_traceback(const aard_outcome *outcome, size_t *len);

/* What the guest wrote, as far as it was kept; stdout_dropped_bytes counts the rest. */
AARD_API const char *aard_outcome_stdout(const aard_outcome *outcome, size_t *len);
AARD_API const char *aard_outcome_stderr(const aard_outcome *outcome, size_t *len);

/* X(constant, name): `diagnostics.warm_state.source`, where the guest's warm state came from. */
#define AARD_WARM_MAP(X)                                                                                               \
    X(AARD_WARM_NONE, "none")                                                                                          \
    X(AARD_WARM_MEMORY, "memory")                                                                                      \
    X(AARD_WARM_DISK, "disk")

typedef enum aard_warm_source {
#define AARD_WARM_ENUM(constant, name) constant,
    AARD_WARM_MAP(AARD_WARM_ENUM)
#undef AARD_WARM_ENUM
} aard_warm_source;

AARD_API const char *aard_warm_source_name(aard_warm_source source);

/* Measures of one call.  Milliseconds and KiB as the names say.  Grows at the end only. */
typedef struct aard_diagnostics {
    uint64_t isolate_id;
    int64_t started_at_ns; /* since the Unix epoch */
    double wall_ms, cpu_ms_used;
    double prepare_ms, queue_wait_ms, run_ms, cleanup_ms;
    aard_reset_mode reset_mode;
    double reset_ms;
    uint64_t reset_generation;
    uint64_t py_heap_kib, js_heap_kib, rss_kib_before, rss_kib_after;
    uint64_t stdout_dropped_bytes, stderr_dropped_bytes;
    uint64_t filesystem_bytes_written;
    aard_warm_source warm_source;
    char warm_fingerprint[65]; /* of the warm state's distribution; "" where the source is none */
    uint64_t violations_dropped, network_attempts_dropped; /* too many to be described: 100 different ones are */
    uint64_t
        pending_ended; /* Python's tasks and callbacks that still waited when the value was there, and were ended */
    uint64_t
        guest_abandoned;  /* 1 where the guest was left mid-execution, because nothing else would have ended the call */
    uint64_t rolled_back; /* 1 where the call failed and the state before it was put back (aard_call_set_rollback) */
    uint64_t state_lost;  /* 1 where the call was ended so that the next one begins with a guest that was reset */
    uint64_t callback_count; /* invocations of the host's callbacks */
    double callback_ms;      /* in which the host had any of them to answer */
} aard_diagnostics;

AARD_API const aard_diagnostics *aard_outcome_diagnostics(const aard_outcome *outcome);

/* X(constant, name): `kind` in `diagnostics.policy_violations`. */
#define AARD_VIOLATION_MAP(X)                                                                                          \
    X(AARD_VIOLATION_NETWORK_DENIED, "network_denied")                                                                 \
    X(AARD_VIOLATION_FILESYSTEM_READ_ONLY, "filesystem_read_only")                                                     \
    X(AARD_VIOLATION_FILESYSTEM_QUOTA, "filesystem_quota")                                                             \
    X(AARD_VIOLATION_CAPABILITY_DENIED, "capability_denied")                                                           \
    X(AARD_VIOLATION_CALLBACK_LIMIT, "callback_limit")

typedef enum aard_violation_kind {
#define AARD_VIOLATION_ENUM(constant, name) constant,
    AARD_VIOLATION_MAP(AARD_VIOLATION_ENUM)
#undef AARD_VIOLATION_ENUM
} aard_violation_kind;

AARD_API const char *aard_violation_kind_name(aard_violation_kind kind);

/* What the guest tried and was refused, even if its code hid the error. */
typedef struct aard_violation {
    aard_violation_kind kind;
    const char *reason;  /* a word: "no_allowlist", "js", … */
    const char *subject; /* what it was about: a URL, a path, a name; may be cut */
    uint64_t count;      /* how often */
} aard_violation;

AARD_API size_t aard_outcome_violation_count(const aard_outcome *outcome);
/* NULL where `index` is too large. */
AARD_API const aard_violation *aard_outcome_violation(const aard_outcome *outcome, size_t index);

/* A network request that the guest made or attempted. */
typedef struct aard_network_attempt {
    bool allowed;
    const char *method, *url;            /* the URL without user, password and fragment; may be cut */
    const char *reason;                  /* why it was refused or failed; "" where it was answered */
    unsigned status;                     /* of the answer; 0 = there was none */
    uint64_t sent_bytes, received_bytes; /* of bodies */
    uint64_t count;                      /* how often the same */
} aard_network_attempt;

AARD_API size_t aard_outcome_network_attempt_count(const aard_outcome *outcome);
/* NULL where `index` is too large. */
AARD_API const aard_network_attempt *aard_outcome_network_attempt(const aard_outcome *outcome, size_t index);

/* The whole outcome as one JSON object (no newline at its end), NUL-terminated, owned by the caller: aard_string_free.
 * Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_outcome_json(const aard_outcome *outcome, char **out, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
