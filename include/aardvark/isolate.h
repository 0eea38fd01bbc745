/* Isolates: one running guest, Python or JavaScript.
 *
 * An isolate may be used from any thread, but by one at a time: a second thread gets AARD_ERR_BUSY.
 * aard_isolate_config and aard_call are plain objects of their caller: one thread at a time. */
#ifndef AARDVARK_ISOLATE_H
#define AARDVARK_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/bundle.h>
#include <aardvark/callback.h>
#include <aardvark/cancel.h>
#include <aardvark/distribution.h>
#include <aardvark/error.h>
#include <aardvark/manifest.h>
#include <aardvark/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum aard_stream { AARD_STREAM_STDOUT = 1, AARD_STREAM_STDERR = 2 } aard_stream;

/* Receives guest output as it is written.  `context` tells which call writes (aardvark/callback.h); `user` is the
 * callback's own.  `data` is borrowed for the call, is not NUL-terminated and may end inside a UTF-8 sequence.
 * Called on the thread that makes the call; must not call back into the isolate, but for aard_handler_free.  A C++
 * exception that it throws is caught, and the call fails (`other`). */
typedef void (*aard_stream_callback)(const aard_call_context *context, void *user, aard_stream stream, const char *data,
                                     size_t len);

/* What is cleaned up after a call. docs/reset.md */
typedef enum aard_cleanup {
    AARD_CLEANUP_NONE = 0,           /* nothing: the next call sees the state that this one left */
    AARD_CLEANUP_SHARED_BUFFERS = 1, /* the buffers that the call published are dropped */
    AARD_CLEANUP_FULL = 2            /* a full reset: nothing of the call remains */
} aard_cleanup;

/* ---- configuration: applies to every call on the isolate -------------------------------------------------- */

/* Each setter is followed by its getter.  What a getter returns belongs to the configuration or the call, and is
 * valid until it is set again or its owner is freed. */

typedef struct aard_isolate_config aard_isolate_config;
typedef struct aard_warm_state aard_warm_state; /* aardvark/warm.h */

AARD_API AARD_NODISCARD aard_error *aard_isolate_config_new(aard_isolate_config **out);
AARD_API void aard_isolate_config_free(aard_isolate_config *config);

/* Default: Python. */
AARD_API void aard_isolate_config_set_language(aard_isolate_config *config, aard_language language);
AARD_API aard_language aard_isolate_config_language(const aard_isolate_config *config);
/* The distribution to boot Python from; retained.  Default: aard_distribution_open(NULL) when the isolate is made. */
AARD_API void aard_isolate_config_set_distribution(aard_isolate_config *config, aard_distribution *distribution);
AARD_API aard_distribution *aard_isolate_config_distribution(const aard_isolate_config *config);
AARD_API void aard_isolate_config_set_isolation(aard_isolate_config *config, aard_isolation isolation);
AARD_API aard_isolation aard_isolate_config_isolation(const aard_isolate_config *config);
/* Limits: what a call may use.  A guest can't raise one; the tightest of the host's, the call's and the manifest's
 * applies.  docs/budgets.md says what happens at each.
 *
 * Wall-clock milliseconds that one call may take; 0 = no limit (the default). */
AARD_API void aard_isolate_config_set_wall_limit_ms(aard_isolate_config *config, uint64_t ms);
AARD_API uint64_t aard_isolate_config_wall_limit_ms(const aard_isolate_config *config);
/* Milliseconds of processor time that one call may use, on the thread that makes it; 0 = no limit (the default). */
AARD_API void aard_isolate_config_set_cpu_limit_ms(aard_isolate_config *config, uint64_t ms);
AARD_API uint64_t aard_isolate_config_cpu_limit_ms(const aard_isolate_config *config);
/* The grace period: milliseconds between the soft stop (Python: KeyboardInterrupt, raised repeatedly) of a call that
 * has reached a limit or was cancelled, and the hard stop; 0 = a hard stop at once (the default). */
AARD_API void aard_isolate_config_set_grace_ms(aard_isolate_config *config, uint64_t ms);
AARD_API uint64_t aard_isolate_config_grace_ms(const aard_isolate_config *config);
/* Milliseconds that the start of a guest may take, and the import of a handler's module before its first call, which
 * then does not count towards the call's own limits.  0 = no limit for starts, the call's limits for imports (the
 * default). */
AARD_API void aard_isolate_config_set_startup_limit_ms(aard_isolate_config *config, uint64_t ms);
AARD_API uint64_t aard_isolate_config_startup_limit_ms(const aard_isolate_config *config);
/* Bytes of the guest's heap: Python's memory (whole pages of 64 KiB; what it starts with must fit), JavaScript's
 * objects.  0 = the language's own limit (the default): 4 GiB for Python, the engine's for JavaScript. */
AARD_API void aard_isolate_config_set_heap_limit(aard_isolate_config *config, uint64_t bytes);
AARD_API uint64_t aard_isolate_config_heap_limit(const aard_isolate_config *config);
/* Bytes of the engine's heap below Python; at least 16 MiB.  0 = the heap limit, but at least 128 MiB, and the
 * engine's own limit where there is no heap limit (the default). */
AARD_API void aard_isolate_config_set_engine_heap_limit(aard_isolate_config *config, uint64_t bytes);
AARD_API uint64_t aard_isolate_config_engine_heap_limit(const aard_isolate_config *config);
/* Bytes of ArrayBuffers, which also hold Python's files.  0 (the default):
 *   no heap limit             no limit
 *   JavaScript                the heap limit
 *   Python                    the default of the engine heap limit, plus twice the files' quota */
AARD_API void aard_isolate_config_set_buffer_limit(aard_isolate_config *config, uint64_t bytes);
AARD_API uint64_t aard_isolate_config_buffer_limit(const aard_isolate_config *config);
/* Bytes of a call's result: its value as JSON text, its buffers, its exception.  0 = 256 MiB (the default). */
AARD_API void aard_isolate_config_set_result_limit(aard_isolate_config *config, uint64_t bytes);
AARD_API uint64_t aard_isolate_config_result_limit(const aard_isolate_config *config);
/* How deeply arrays and objects of a result may be nested; 0 = no limit (the default). */
AARD_API void aard_isolate_config_set_result_depth_limit(aard_isolate_config *config, uint64_t levels);
AARD_API uint64_t aard_isolate_config_result_depth_limit(const aard_isolate_config *config);
/* What is cleaned up right after each call; the time it takes is that call's cleanup_ms. Default: nothing. */
AARD_API void aard_isolate_config_set_cleanup(aard_isolate_config *config, aard_cleanup cleanup);
AARD_API aard_cleanup aard_isolate_config_cleanup(const aard_isolate_config *config);
/* Whether resets are likely (the default).  With false no checkpoint of a Python guest is made before its first call,
 * which saves a millisecond and memory; a reset then makes a new guest, except with AARD_CLEANUP_FULL or after an
 * explicit reset or checkpoint.  docs/reset.md */
AARD_API void aard_isolate_config_set_resets_expected(aard_isolate_config *config, bool expected);
AARD_API bool aard_isolate_config_resets_expected(const aard_isolate_config *config);
/* Bytes of stdout and of stderr that are kept of one call (the last ones); 0 = 1 MiB each (the default). */
AARD_API void aard_isolate_config_set_output_limit(aard_isolate_config *config, uint64_t bytes);
AARD_API uint64_t aard_isolate_config_output_limit(const aard_isolate_config *config);
/* The most that guests may write; a bundle's manifest may ask for less, and gets `read` if it says nothing.
 * 0 selects the default of each: a quota of 64 MiB, 10 000 files and directories, 1024 handles open at once.  Default
 * mode: readWrite.  docs/filesystem.md */
AARD_API void aard_isolate_config_set_filesystem(aard_isolate_config *config, aard_filesystem_mode mode,
                                                 uint64_t quota_bytes, uint64_t max_files, uint64_t max_handles);
/* The values in force, defaults filled in; any of the outputs may be NULL. */
AARD_API void aard_isolate_config_filesystem(const aard_isolate_config *config, aard_filesystem_mode *mode,
                                             uint64_t *quota_bytes, uint64_t *max_files, uint64_t *max_handles);
/* Shows a directory of the host to Python guests, at `guest_path` (absolute, outside of /app, /session, /tmp and the
 * guest's system).  It is opened now, and stays the same directory even if it is renamed or replaced; all isolates made
 * from the configuration share the limits of what they add to it, which are those of
 * aard_isolate_config_set_filesystem.  In a bundle whose manifest asks for `read` it can't be written, whatever
 * `mode` says.  docs/filesystem.md Errors: invalid_argument, not_found, io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_add_mount(aard_isolate_config *config, const char *host_dir,
                                                                  const char *guest_path, aard_filesystem_mode mode);
AARD_API size_t aard_isolate_config_mount_count(const aard_isolate_config *config);
/* The guest's path of a mount; `mode` may be NULL. */
AARD_API const char *aard_isolate_config_mount(const aard_isolate_config *config, size_t index,
                                               aard_filesystem_mode *mode);
/* Grants a host capability: "js", "codegen", or the name of a host function (aardvark/function.h); compared without
 * case.  Any other name is accepted, and grants nothing in this version.  docs/capabilities.md */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_add_capability(aard_isolate_config *config, const char *name);
AARD_API size_t aard_isolate_config_capability_count(const aard_isolate_config *config);
/* In lower case. */
AARD_API const char *aard_isolate_config_capability(const aard_isolate_config *config, size_t index);
/* The warm state (aardvark/warm.h) that Python starts from, retained; NULL = the distribution's own.  A configuration
 * without a distribution uses the state's.  An isolate whose state contains a bundle accepts only that bundle. */
AARD_API void aard_isolate_config_set_warm_state(aard_isolate_config *config, aard_warm_state *state);
AARD_API aard_warm_state *aard_isolate_config_warm_state(const aard_isolate_config *config);
/* Replaces an earlier callback. `finalizer` may be NULL. If memory runs out, aard_isolate_new returns the error. */
AARD_API void aard_isolate_config_set_stream_callback(aard_isolate_config *config, aard_stream_callback callback,
                                                      void *user, aard_finalizer finalizer);
/* NULL if none is set; `*user` (may be NULL) receives its user pointer. */
AARD_API aard_stream_callback aard_isolate_config_stream_callback(const aard_isolate_config *config, void **user);
/* The host's own pointer for the isolates made from the configuration: aard_call_context_isolate_user.  Replaces an
 * earlier one.  `finalizer` (may be NULL) runs once the configuration and all isolates made from it are gone or have
 * another, also after an error.  Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_set_user(aard_isolate_config *config, void *user,
                                                                 aard_finalizer finalizer);
AARD_API void *aard_isolate_config_user(const aard_isolate_config *config);

/* A package of the distribution that every guest of Python gets, besides those of its bundle's manifest: its name,
 * in any spelling.  aard_isolate_new then gives package_not_found for what is not there.  Errors: invalid_argument,
 * no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_add_package(aard_isolate_config *config, const char *name);
AARD_API size_t aard_isolate_config_package_count(const aard_isolate_config *config);
/* Normalised as in PEP 503. */
AARD_API const char *aard_isolate_config_package(const aard_isolate_config *config, size_t index);
/* A variable of the guest's environment (Python: os.environ; JavaScript: aardvark.env), which has none of the
 * host's; one of the same name is replaced.  Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_set_env(aard_isolate_config *config, const char *name,
                                                                const char *value);
AARD_API size_t aard_isolate_config_env_count(const aard_isolate_config *config);
/* "NAME=value". */
AARD_API const char *aard_isolate_config_env(const aard_isolate_config *config, size_t index);

/* ---- isolates -------------------------------------------------------------------------------------------- */

typedef struct aard_isolate aard_isolate;

/* Makes an isolate and boots its guest.  `config` is copied (its stream callback is shared, and finalized when the
 * last of the two is freed); NULL = all defaults.  Errors: distribution_*, warm_mismatch (the warm state is of
 * another distribution, or for looking only), guest_boot, engine (too little address space, too), forked (this
 * process was forked off from one that had isolates: every function of theirs says so, and aard_isolate_free then
 * does nothing), invalid_argument, unsupported, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out);
/* Must not run while a call on the isolate runs.  Remaining handlers can be freed later; calling one returns
 * invalid_argument.  NULL is fine. */
AARD_API void aard_isolate_free(aard_isolate *isolate);

/* Mounts `bundle` (retained) at /app, replacing the one before, and loads the packages of its manifest.  Existing
 * handlers are looked up again in the new bundle.  A JavaScript isolate that had another bundle is reset, and in a
 * process of its own a guest of either language is a new one, without what inline code had defined.  Errors:
 * manifest_language, manifest_pyodide_version, package_not_found, warm_mismatch (the warm state has another bundle),
 * busy, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle);

/* A full reset, now: returns the guest to its state before its first call, with the same bundle, however the last
 * call ended.  The next call's diagnostics say how it was done.  Handlers stay usable; their module is evaluated
 * again by the next call.  Errors: guest_boot, busy, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_reset(aard_isolate *isolate);

/* Removes the names that inline code has defined; files, modules and handlers stay in Python, JavaScript is reset.
 * Objects that end may run code of the guest, within the limits of a call.  docs/sessions.md  Errors: guest_boot, busy,
 * engine (that code was cut off: the next call finds a guest that was reset), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_clear(aard_isolate *isolate);
/* The number of aard_isolate_exec calls that gave an outcome since the isolate was made, cleared or reset, or lost its
 * state (`state_lost` of the diagnostics).  Any thread. */
AARD_API uint64_t aard_isolate_step_count(const aard_isolate *isolate);

/* Makes the current state the one that later full resets return to: what code has defined so far, and handlers that
 * have been called, stay.  Without a checkpoint that is the state after the bundle was loaded and a handler's module
 * was imported.  Python only.  Loading another bundle discards it.  It takes some ten milliseconds, and memory for a
 * second copy of the state, for resets that need a new guest.  Errors: unsupported, warm_capture (the guest holds
 * something that can't be copied, which is named), busy, guest_boot, engine, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_checkpoint(aard_isolate *isolate);
/* Does the work of the next reset, and of the call after it, ahead of time; for when the isolate is idle.
 * JavaScript: makes the standby realm, and evaluates in it the module of the handler that was called last, where that
 * is unobservable (docs/reset.md).  Python: makes the checkpoint that the first call would make.  Errors: guest_boot,
 * busy, engine, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_prepare_reset(aard_isolate *isolate);

/* Counts the guests of this process that were abandoned mid-execution, because V8 could not interrupt them or was
 * about to abort the process, and those of them whose memory could not be freed.  Either may be NULL.  Any thread.
 * docs/budgets.md */
AARD_API void aard_isolates_abandoned(uint64_t *abandoned, uint64_t *unfreeable);

/* ---- calls ----------------------------------------------------------------------------------------------- */

/* The particulars of one call; all optional. */
typedef struct aard_call aard_call;

AARD_API AARD_NODISCARD aard_error *aard_call_new(aard_call **out);
AARD_API void aard_call_free(aard_call *call);
/* The input as JSON text.  `json` is borrowed until the call object is freed or given another input. */
AARD_API void aard_call_set_input_json(aard_call *call, const char *json, size_t len);
/* The same with a copy of `json`. On an error the previous input is kept.  Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_call_copy_input_json(aard_call *call, const char *json, size_t len);
/* The same without a copy: `json` must stay valid until `finalizer` (may be NULL) is called with `user`: exactly once,
 * when the call object is freed or given another input, or at once on an error.  Errors: invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_call_take_input_json(aard_call *call, const char *json, size_t len,
                                                              aard_finalizer finalizer, void *user);
/* NULL where there is none. */
AARD_API const char *aard_call_input_json(const aard_call *call, size_t *len);
/* Checks that a text is valid JSON, as an input must be. Errors: invalid_argument (with the position). */
AARD_API AARD_NODISCARD aard_error *aard_json_check(const char *json, size_t len);
/* Tightens (never widens) the isolate's wall limit for this call; 0 = no change. */
AARD_API void aard_call_set_wall_limit_ms(aard_call *call, uint64_t ms);
AARD_API uint64_t aard_call_wall_limit_ms(const aard_call *call);
/* The same for the CPU limit and the result limit. */
AARD_API void aard_call_set_cpu_limit_ms(aard_call *call, uint64_t ms);
AARD_API uint64_t aard_call_cpu_limit_ms(const aard_call *call);
AARD_API void aard_call_set_result_limit(aard_call *call, uint64_t bytes);
AARD_API uint64_t aard_call_result_limit(const aard_call *call);
/* The handle that cancels the call (aardvark/cancel.h), retained; NULL = none. */
AARD_API void aard_call_set_cancel_handle(aard_call *call, aard_cancel_handle *handle);
AARD_API aard_cancel_handle *aard_call_cancel_handle(const aard_call *call);
/* The host's own pointer for the call's callbacks: aard_call_context_user.  Default NULL. */
AARD_API void aard_call_set_user(aard_call *call, void *user);
AARD_API void *aard_call_user(const aard_call *call);
/* The W3C traceparent of the host's span that the call is part of ("00-…-…-01"), copied; NULL removes it.  It is in
 * the trace (aardvark/hooks.h), and callbacks hand it on: aard_call_context_traceparent.  Guests don't see it.
 * Errors: invalid_argument (it is not a traceparent). */
AARD_API AARD_NODISCARD aard_error *aard_call_set_traceparent(aard_call *call, const char *traceparent);
AARD_API const char *aard_call_traceparent(const aard_call *call); /* NULL where it has none */
/* False: stdout and stderr are neither captured nor passed to the callback. Default true. */
AARD_API void aard_call_set_capture(aard_call *call, bool capture);
AARD_API bool aard_call_capture(const aard_call *call);

/* True: where the call fails, the guest's state is put back to what it was before (docs/sessions.md).  Python without
 * the capability "js" only: elsewhere the call is refused (unsupported).  Default false. */
AARD_API void aard_call_set_rollback(aard_call *call, bool rollback);
AARD_API bool aard_call_rollback(const aard_call *call);

/* The guest's standard input (Python: sys.stdin; JavaScript: aardvark.stdin()).  Default: empty.  `data` is borrowed
 * until the call object is freed or given another. */
AARD_API void aard_call_set_stdin(aard_call *call, const char *data, size_t len);
AARD_API const char *aard_call_stdin(const aard_call *call, size_t *len);

/* What inline code is.  A program is run as `python` runs it: sys.argv[0], sys.path and __file__ are as there, and the
 * handlers of atexit run when it has ended. */
typedef enum aard_source_kind {
    AARD_SOURCE_CELL = 0,    /* part of a session: what it defines is kept for the next (the default) */
    AARD_SOURCE_COMMAND = 1, /* a program, as behind `python -c` */
    AARD_SOURCE_FILE = 2,    /* a program in a file of that name, in the encoding that it declares (PEP 263) */
    AARD_SOURCE_STDIN = 3    /* the same from standard input */
} aard_source_kind;
AARD_API void aard_call_set_source_kind(aard_call *call, aard_source_kind kind);
AARD_API aard_source_kind aard_call_source_kind(const aard_call *call);
/* The arguments after the first in sys.argv for inline code (JavaScript: in aardvark.argv); copied.
 * Errors: invalid_argument (not UTF-8), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_call_set_arguments(aard_call *call, const char *const *arguments,
                                                            size_t count);
AARD_API size_t aard_call_argument_count(const aard_call *call);
AARD_API const char *aard_call_argument(const aard_call *call, size_t index);

/* Handler sessions: a handler of a bundle on an isolate, looked up once, called many times. */
typedef struct aard_handler aard_handler;

/* Prepares `entrypoint` ("module:export"; NULL = the manifest's) of the bundle loaded into `isolate`.  The
 * module is imported by the first call, so that an exception in it is an outcome.  Errors: entrypoint_missing,
 * entrypoint_invalid, busy, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_handler_new(aard_isolate *isolate, const char *entrypoint, aard_handler **out);
/* Any thread, at any time but while the handler is being invoked by another: during other calls on the isolate, from
 * its callbacks (there the handler's own, too), and after the isolate was freed.  Runs no guest code and never waits
 * for a call: the guest's references are dropped by the next use of the isolate.  NULL is fine; once only. */
AARD_API void aard_handler_free(aard_handler *handler);

/* Calls the handler; `call` may be NULL.  An error means that the call was not made (busy, no_memory, guest_boot of a
 * replacement guest); whatever the guest did is in the outcome, which the caller owns. */
AARD_API AARD_NODISCARD aard_error *aard_handler_invoke(aard_handler *handler, const aard_call *call,
                                                        aard_outcome **out);

/* Runs inline code in the isolate's language and gives the value of its last expression, awaited.  `name` (NULL =
 * "<exec>") stands in tracebacks.  Names defined by the code stay for the next exec on the isolate; those of
 * JavaScript may be declared again.  docs/inline.md */
AARD_API AARD_NODISCARD aard_error *aard_isolate_exec(aard_isolate *isolate, const char *source, size_t len,
                                                      const char *name, const aard_call *call, aard_outcome **out);

#ifdef __cplusplus
}
#endif

#endif
