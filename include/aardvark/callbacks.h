/* Callbacks: functions of the host that a guest calls by name and awaits, several at a time.  docs/callbacks.md
 *
 * Guests see each as a global name: `await name(key=value)` in Python, `await name({key: value})` in JavaScript.  A
 * callback answers at once, or later and from any thread.  Registering it is what lets guests call it: it needs no
 * capability.  The functions that take a configuration are setters: see aardvark/isolate.h. */
#ifndef AARDVARK_CALLBACKS_H
#define AARDVARK_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/callback.h>
#include <aardvark/error.h>
#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one invocation: a guest waits for its answer ---------------------------------------------------------------- */

/* Owned by the host from the moment that the callback gets it until aard_invocation_free.  It may outlive the callback
 * function, the call and the isolate.  All functions: any thread, any number at a time. */
typedef struct aard_invocation aard_invocation;

/* The callback's name and the invocation's number, unique in its call and counted from 1. */
AARD_API const char *aard_invocation_name(const aard_invocation *invocation);
AARD_API uint64_t aard_invocation_id(const aard_invocation *invocation);
/* The arguments: a JSON object in UTF-8, nested to 200 levels at most, that the callback's schema accepts. */
AARD_API const char *aard_invocation_arguments(const aard_invocation *invocation, size_t *len);
/* Answers with a JSON value, copied.  Text that is not JSON, is nested to more than 200 levels or is larger than the
 * limit is an exception in the guest (InvalidResult, CallbackLimit).  False if nobody gets it: it was answered
 * already, or nobody waits any more. */
AARD_API bool aard_invocation_reply(aard_invocation *invocation, const char *json, size_t len);
/* Answers with an exception of this type (a name of up to 64 letters, digits and underscores, else CallbackError) and
 * message; both are copied, NULL is CallbackError and "".  Returns as aard_invocation_reply. */
AARD_API bool aard_invocation_fail(aard_invocation *invocation, const char *type, const char *message);
/* True once an answer would reach nobody: it was answered, the guest gave it up, its time is over, or the call has
 * ended.  A callback that works for long can check it now and then. */
AARD_API bool aard_invocation_is_over(const aard_invocation *invocation);
/* Gives the handle back.  If it was not answered, the guest gets an exception (NoAnswer).  NULL is fine; once only. */
AARD_API void aard_invocation_free(aard_invocation *invocation);

/* Called on the thread that makes the call, while the guest waits: it must not call back into the isolate.  To let the
 * guest go on meanwhile, keep `invocation` and return.  `context` (aardvark/callback.h) is valid until it returns;
 * `user` is the callback's own.  A C++ exception that it throws is caught in thread isolation, and fails the
 * invocation. */
typedef void (*aard_callback)(const aard_call_context *context, void *user, aard_invocation *invocation);

/* ---- registering -------------------------------------------------------------------------------------------------- */

/* `name`: up to 64 letters, digits and underscores, not beginning with a digit or two underscores, and not a keyword of
 * Python or JavaScript, nor `invoke`, `invoke_sync`, `invokeSync`, `list_callbacks`, `listCallbacks`.  A second
 * callback of the name replaces the first.  `description` is for the model that writes the guest's code; NULL is "".
 * `schema` is a JSON Schema (draft 2020-12, the subset in docs/callbacks.md) of the object of arguments; NULL accepts
 * any object.  What it does not accept never reaches `callback`.  All texts are copied.  `finalizer` (may be NULL) runs
 * once the configuration and all isolates made from it are gone, also after an error.
 * Errors: invalid_argument (a keyword outside the subset is named), no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_add_callback(aard_isolate_config *config, const char *name,
                                                                     const char *description, const char *schema,
                                                                     aard_callback callback, void *user,
                                                                     aard_finalizer finalizer);
/* The callbacks' names, in the order of registration. */
AARD_API size_t aard_isolate_config_callback_count(const aard_isolate_config *config);
AARD_API const char *aard_isolate_config_callback(const aard_isolate_config *config, size_t index);

/* The callbacks' types for a model to read: a stub file (.pyi) for Python, declarations (.d.ts) for JavaScript.
 * Errors: invalid_argument, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_config_callback_stubs(const aard_isolate_config *config,
                                                                       aard_language language, char **out, size_t *len);

/* ---- limits ------------------------------------------------------------------------------------------------------- */

/* X(constant, member): what is limited.  Beyond each the guest gets an exception, and the outcome a violation. */
#define AARD_CALLBACK_LIMIT_MAP(X)                                                                                     \
    X(AARD_CALLBACK_COUNT, count)                   /* invocations of a call; default 10 000 */                        \
    X(AARD_CALLBACK_IN_FLIGHT, in_flight)           /* of those, that the host has not answered; default 256 */        \
    X(AARD_CALLBACK_TIMEOUT_MS, timeout_ms)         /* that a guest waits for an answer; default UINT64_MAX, none */   \
    X(AARD_CALLBACK_ARGUMENT_BYTES, argument_bytes) /* of one invocation; default 1 MiB */                             \
    X(AARD_CALLBACK_RESULT_BYTES, result_bytes)     /* of one answer; default 16 MiB */

typedef enum aard_callback_limit {
#define AARD_CALLBACK_LIMIT_ENUM(constant, member) constant,
    AARD_CALLBACK_LIMIT_MAP(AARD_CALLBACK_LIMIT_ENUM)
#undef AARD_CALLBACK_LIMIT_ENUM
} aard_callback_limit;

/* 0 = the default. */
AARD_API void aard_isolate_config_set_callback_limit(aard_isolate_config *config, aard_callback_limit which,
                                                     uint64_t value);
/* The value in force: the default if it is 0 or not set. */
AARD_API uint64_t aard_isolate_config_callback_limit(const aard_isolate_config *config, aard_callback_limit which);

#ifdef __cplusplus
}
#endif

#endif
