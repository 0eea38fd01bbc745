/* A guest's view of the host directories that are mounted for it: its open files, and the host functions behind them. */
#ifndef AARD_GUEST_BRIDGE_DIRECTORIES_H
#define AARD_GUEST_BRIDGE_DIRECTORIES_H

#include <stddef.h>

#include "policy/mount.h"

typedef struct aard__mounts {
    aard__mount **list; /* one owner's share of each */
    size_t count;
} aard__mounts;

aard_error *aard__mounts_add(aard__mounts *mounts, aard__mount *mount); /* takes the caller's share, also on an error */
aard_error *aard__mounts_copy(const aard__mounts *from, aard__mounts *out);
void aard__mounts_free(aard__mounts *mounts);

typedef struct aard__open_file aard__open_file;

typedef struct aard__open_files {
    aard__open_file *list;
    size_t count;
    bool lost; /* one that was open at the checkpoint is not any more */
} aard__open_files;

void aard__open_files_free(aard__open_files *files); /* closes all; and empty for reuse */

/* What is open now stays open over resets.  A reset closes all others; false where one of these is closed already. */
void aard__open_files_keep(aard__open_files *files);
bool aard__open_files_reset(aard__open_files *files);

#endif
