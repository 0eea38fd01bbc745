/* The context of the host's callbacks: the call they belong to. */
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

/* Frees the `user` of a callback, or whatever it was passed with. Runs exactly once, on the thread that drops the last
 * reference. */
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
/* True if the call has a wall-clock deadline; `*ms_left` (may be NULL) is then set to the milliseconds left, rounded
 * down, 0 once it has passed.  False, with `*ms_left` untouched, if there is none.  CPU limits do not count. */
AARD_API bool aard_call_context_deadline_ms(const aard_call_context *context, uint64_t *ms_left);
/* The handle by which the call can be cancelled, borrowed for as long as the context is valid; NULL where it has
 * none.  A callback may cancel its own call with it, and one that waits can check whether the call was cancelled. */
AARD_API aard_cancel_handle *aard_call_context_cancel_handle(const aard_call_context *context);
/* The W3C traceparent for the callback's own work: in the call's trace, with the span open here as parent (the call's
 * parent if nothing is traced).  56 bytes with the NUL; false, with `out` untouched, where the call has none or
 * `size` is less. */
AARD_API bool aard_call_context_traceparent(const aard_call_context *context, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
