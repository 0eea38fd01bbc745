/* Sessions that are spoken to in JSON-RPC 2.0: an isolate with a queue of requests, and a thread that answers them.
 * docs/sessions.md has the methods. */
#ifndef AARDVARK_SESSION_H
#define AARDVARK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/bundle.h>
#include <aardvark/callback.h>
#include <aardvark/error.h>
#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Any thread, any function but aard_session_free, which comes last. */
typedef struct aard_session aard_session;

#define AARD_SESSION_MESSAGE_MAX ((size_t)64 << 20) /* bytes of one message of the client's */

/* Takes one message for the client: a line, with its newline, borrowed for the call.  False: nobody reads any more; what is
 * under way is cancelled then, and nothing more is sent.  Called on a thread of the session's, or on one that is in
 * aard_session_feed, by one at a time; a guest that writes waits for it.  Must not call functions of the session. */
typedef bool (*aard_session_send)(void *user, const char *line, size_t len);

/* Makes a session.  `config` is copied (NULL = the defaults), but for its stream callback: output goes to the client.
 * `bundle` (retained; may be NULL) is for `call`.  The isolate is made by the first request that needs it, and what is wrong
 * with it is that request's error.  `finalizer` (may be NULL) frees `user` when the session is freed, or at once on an
 * error.  Errors: invalid_argument, thread, no_memory, forked. */
AARD_API AARD_NODISCARD aard_error *aard_session_new(const aard_isolate_config *config, aard_bundle *bundle,
                                                     aard_session_send send, void *user, aard_finalizer finalizer,
                                                     aard_session **out);

/* Takes bytes of the client, in pieces of any size, one thread at a time.  Never waits for the guest.  What is wrong with a
 * message is answered to the client. */
AARD_API void aard_session_feed(aard_session *session, const char *data, size_t len);

/* Nothing more is fed: callbacks that wait for the client's answer fail, and so do those that come.  Any thread. */
AARD_API void aard_session_end_input(aard_session *session);

/* Waits until every message that was taken is answered; for `ms` milliseconds at most (UINT64_MAX = as long as it takes).
 * True if that is so. */
AARD_API bool aard_session_wait(aard_session *session, uint64_t ms);

/* Cancels what is under way, drops what waits, and frees the session with its isolate.  NULL is fine. */
AARD_API void aard_session_free(aard_session *session);

#ifdef __cplusplus
}
#endif

#endif
