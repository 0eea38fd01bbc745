/* Cancelling calls from another thread. */
#ifndef AARDVARK_CANCEL_H
#define AARDVARK_CANCEL_H

#include <stdbool.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle for any number of calls (aard_call_set_cancel_handle), concurrent or successive, on any isolates.  It is
 * reference-counted and may outlive the calls: cancelling a finished call does nothing.  Every function: any
 * thread, not from a signal handler. */
typedef struct aard_cancel_handle aard_cancel_handle;

/* Errors: no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_cancel_handle_new(aard_cancel_handle **out);
AARD_API aard_cancel_handle *aard_cancel_handle_retain(aard_cancel_handle *handle); /* returns its argument */
AARD_API void aard_cancel_handle_free(aard_cancel_handle *handle);                  /* NULL is fine */

/* Stops the calls in progress with the handle, as a limit would, and any that are made with it later before they begin:
 * their outcome is `cancelled`.  Returns at once.  It can't be undone. */
AARD_API void aard_cancel(aard_cancel_handle *handle);
AARD_API bool aard_cancel_handle_is_cancelled(const aard_cancel_handle *handle);

#ifdef __cplusplus
}
#endif

#endif
