/* The binary form of settings, for a process that serves a guest.
 *
 * Not in it: the distribution and the warm state of a configuration, which that process opens by a path or descriptor that it
 * is given beside them, and checks by their fingerprint; and the hooks, of which only the names go along. */
#ifndef AARD_SETTINGS_PACK_H
#define AARD_SETTINGS_PACK_H

#include "base/pack.h"
#include "settings/config.h"

typedef struct aard__served_mount {
    char *place; /* the guest's path */
    aard_filesystem_mode mode;
} aard__served_mount;

/* What the host's process serves to the guest, in the order of the configuration: requests name them by their number. */
typedef struct aard__served {
    aard__texts functions;     /* names */
    aard__callbacks callbacks; /* names, descriptions and schemas */
    aard__served_mount *mounts;
    size_t mount_count;
} aard__served;

void aard__served_free(aard__served *served);

void aard__settings_pack(const aard_isolate_config *config, aard__buf *out);

/* `*settings` and `*served` must hold nothing to be freed; untouched on an error, and `in` is not ok then.
 * Errors: engine, no_memory. */
aard_error *aard__settings_unpack(aard__unpacker *in, aard__settings *settings, aard__served *served);

#endif
