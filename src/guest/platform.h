/* Installs the guest platform: the web-platform globals that scripts expect, built by src/embedded/platform/. */
#ifndef AARD_GUEST_PLATFORM_H
#define AARD_GUEST_PLATFORM_H

#include "base/error.h"
#include "engine/engine.h"

/* Runs the guest files of aard__platform_rooms, each room's in the order of their names, in `realm`, each with (host, shared).  `tables`
 * (NULL-terminated, static storage) are what `host` is made of; the platform needs aard__engine_host, the tables of
 * guest/bridge/host.h, and
 *   now() -> milliseconds since the time origin, monotonic
 *   write(fd, string)   the guest's stdout (1) or stderr (2)
 * `*shared` becomes the object in which the platform leaves what its host needs:
 *   runTimers(now)      runs at most one due task; gives the ms until the next one (0 = one ran or is due), -1 for none.
 *                       Let microtasks run between two calls (aard__vm_pump).
 *   clearAllTimers()    drops all of them
 *   reportError(value)  writes an uncaught exception to stderr
 *   resetConsole()      forgets console groups
 *   inspect(value, {depth, quoted}) -> string
 * Errors: guest_boot (with the file and the exception), no_memory. */
aard_error *aard__platform_install(aard__realm *realm, const aard__host_entry *const *tables, aard__ref **shared);

#endif
