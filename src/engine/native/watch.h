/* Waiting for V8's background work (workers.hh). */
#ifndef AARD_ENGINE_NATIVE_WATCH_H
#define AARD_ENGINE_NATIVE_WATCH_H

#include "base/poller.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From now on the poller is woken whenever another thread of the engine has done something, until it is not watched any
 * more.  Any thread; each poller once at a time. */
void aard__engine_watch(aard__poller *poller);
void aard__engine_unwatch(aard__poller *poller);

#ifdef __cplusplus
}
#endif

#endif
