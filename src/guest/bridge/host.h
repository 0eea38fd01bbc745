/* What the guest platform (src/embedded/platform) calls in C: tables of host functions, put together by whoever makes a
 * realm.  Each file's functions are described at their table. */
#ifndef AARD_GUEST_BRIDGE_HOST_H
#define AARD_GUEST_BRIDGE_HOST_H

#include "engine/engine.h"

extern const aard__host_entry aard__host_directories[];
extern const aard__host_entry aard__host_text[];
extern const aard__host_entry aard__host_url[];
extern const aard__host_entry aard__host_crypto[];
extern const aard__host_entry aard__host_zlib[];
extern const aard__host_entry aard__host_cipher[];
extern const aard__host_entry aard__host_keys[];
extern const aard__host_entry aard__host_program[];   /* the same */
extern const aard__host_entry aard__host_network[];   /* of guests only: `user` is one */
extern const aard__host_entry aard__host_callbacks[]; /* the same */
extern const aard__host_entry aard__guest_host[];     /* the same */

/* All of them, and the engine's: what every guest has. */
extern const aard__host_entry *const aard__guest_tables[];

#endif
