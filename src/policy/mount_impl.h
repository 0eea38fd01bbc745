/* The inside of mounts: what each has, and how it does what is asked of it. */
#ifndef AARD_POLICY_MOUNT_IMPL_H
#define AARD_POLICY_MOUNT_IMPL_H

#include <stdatomic.h>

#include "policy/mount.h"

struct aard__mount { /* the beginning of a struct of its kind */
    atomic_size_t owners;
    const aard__mount_ops *ops;
    aard_filesystem_mode mode;
    const char *place;
};

/* With one owner; `place` lives as long as the mount. */
void aard__mount_init(aard__mount *mount, const aard__mount_ops *ops, const char *place, aard_filesystem_mode mode);

#endif
