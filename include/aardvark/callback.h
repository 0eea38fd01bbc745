/* What the host's callbacks are told: which call they belong to. */
#ifndef AARDVARK_CALLBACK_H
#define AARDVARK_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/cancel.h>
#include <aardvark/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Frees the `user` of a callback, or whatever else it was given with.  Runs exactly once, on the thread that drops
 * the last use of it. */
typedef void (*aard_finalizer)(void *user);

/* The call in which a host function (aardvark/function.h) or a stream callback (aardvark/isolate.h) runs.  Valid
 * until the callback returns, on the callback's thread.  Output can also come outside of calls, while a guest starts
 * or is reset: there is no call's `user` and no cancel handle then. */
typedef struct aard_call_context aard_call_context;

/* As given to aard_call_set_user; NULL where the call has none. */
AARD_API void *aard_call_context_user(const aard_call_context *context);
/* As given to aard_isolate_config_set_user; NULL where the isolate has none. */
AARD_API void *aard_call_context_isolate_user(const aard_call_context *context);
/* The isolate's number, unique in the process, as in the diagnostics of its outcomes; 0 for NULL. */
AARD_API uint64_t aard_call_context_isolate_id(const aard_call_context *context);
/* True where there is a deadline by the clock, and then `*ms_left` (may be NULL) is set to the milliseconds that are
 * left, rounded down: 0 once it has passed.  False, with `*ms_left` untouched, where there is none.  CPU limits are
 * no part of it. */
AARD_API bool aard_call_context_deadline_ms(const aard_call_context *context, uint64_t *ms_left);
/* The handle by which the call can be cancelled, borrowed for as long as the context is valid; NULL where it has
 * none.  A callback may cancel its own call with it, and one that waits can look whether others have. */
AARD_API aard_cancel_handle *aard_call_context_cancel_handle(const aard_call_context *context);
/* The W3C traceparent for what the callback does in the host's name: of the call's trace, with the span that is open here as
 * its parent (the call's own parent where nothing is traced).  56 bytes with the NUL; false, with `out` untouched, where the
 * call has none or `size` is less. */
AARD_API bool aard_call_context_traceparent(const aard_call_context *context, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
