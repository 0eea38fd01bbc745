/* Host functions: functions of the host that a guest may call by name.  docs/capabilities.md */
#ifndef AARDVARK_FUNCTION_H
#define AARDVARK_FUNCTION_H

#include <stddef.h>

#include <aardvark/callback.h>
#include <aardvark/error.h>
#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The reply of a host function; null unless set. Valid until the function returns. */
typedef struct aard_reply aard_reply;

/* The reply as JSON text, copied; invalid JSON is an exception in the guest. */
AARD_API void aard_reply_set_json(aard_reply *reply, const char *json, size_t len);
/* An exception in the guest, with this message (copied). */
AARD_API void aard_reply_fail(aard_reply *reply, const char *message);

/* `context` tells which call asks (aardvark/callback.h); `user` is the function's own.  `input` is one JSON value in
 * UTF-8, nested to 1000 levels at most, borrowed and not NUL-terminated; its content is up to the guest, so check it.
 * Called on the thread that makes the call, while the guest waits: it must not call back into the isolate, and a
 * limit that is reached meanwhile takes effect when it returns. */
typedef void (*aard_host_function)(const aard_call_context *context, void *user, const char *input, size_t len,
                                   aard_reply *reply);

/* Lets guests call `function` as `host.NAME` (Python: `from aardvark import host`; JavaScript: `aardvark.host`), where
 * the capability NAME is granted too.  The name is a letter and up to 63 letters, digits and underscores, compared
 * without case.  A second function of the name replaces the first.  `finalizer` (may be NULL) runs once the
 * configuration and all isolates made from it are gone, also after an error.
 * Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_add_function(aard_isolate_config *config, const char *name,
                                                                     aard_host_function function, void *user,
                                                                     aard_finalizer finalizer);
/* The functions' names, in lower case. */
AARD_API size_t aard_isolate_config_function_count(const aard_isolate_config *config);
AARD_API const char *aard_isolate_config_function(const aard_isolate_config *config, size_t index);

#ifdef __cplusplus
}
#endif

#endif
