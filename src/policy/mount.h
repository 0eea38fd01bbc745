/* Directories of the host that guests see: every path is looked up below a descriptor of the directory, without following
 * any link, so that no name leads out of it, whoever changes the directory meanwhile.  Only regular files and directories
 * are there; links, devices, pipes and sockets are as if they were not.
 *
 * Paths are relative ("a/b"; "" is the directory itself) and may be anything.  What follows gives 0 or an errno.
 * Any thread. */
#ifndef AARD_POLICY_MOUNT_H
#define AARD_POLICY_MOUNT_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "policy/filesystem.h"

typedef struct aard__mount aard__mount;

/* Errors: invalid_argument (the guest's path), not_found, io, no_memory. */
aard_error *aard__mount_new(const char *host_dir, const char *guest_path, aard_filesystem_mode mode, aard__mount **out);
aard__mount *aard__mount_retain(aard__mount *mount);
void aard__mount_free(aard__mount *mount); /* NULL is fine */

const char *aard__mount_place(const aard__mount *mount); /* the guest's path */
aard_filesystem_mode aard__mount_mode(const aard__mount *mount);

/* For tests: looks paths up by their components, as on a kernel without openat2. */
void aard__mount_walk(bool walk);

/* ---- looking */

int aard__mount_stat(const aard__mount *mount, const char *path, size_t len, struct stat *out);

/* JSON text: [name, is directory] of each entry whose name is UTF-8. */
int aard__mount_list(const aard__mount *mount, const char *path, size_t len, aard__buf *out);

/* A descriptor of a regular file, for aard__mount_close: what is removed meanwhile takes room until then. */
int aard__mount_open(aard__mount *mount, const char *path, size_t len, bool write, int *fd);
void aard__mount_close(aard__mount *mount, int fd);

/* ---- changing: the limits are of `rules`, for all that has been added to the mount while it lives */

/* A new file, or directory; an error where the name is taken. */
int aard__mount_make(aard__mount *mount, const aard__file_rules *rules, const char *path, size_t len, bool directory);

int aard__mount_remove(aard__mount *mount, const char *path, size_t len, bool directory);
int aard__mount_rename(aard__mount *mount, const char *from, size_t from_len, const char *to, size_t to_len);
int aard__mount_truncate(aard__mount *mount, const aard__file_rules *rules, int fd, uint64_t size);

/* Writes as much as there is room for. */
int aard__mount_write(aard__mount *mount, const aard__file_rules *rules, int fd, const void *data, size_t len,
                      uint64_t position, size_t *written);

/* ---- mounts.c: those of a configuration */

typedef struct aard__mounts {
    aard__mount **list; /* one owner's share of each */
    size_t count;
} aard__mounts;

aard_error *aard__mounts_add(aard__mounts *mounts, aard__mount *mount); /* takes the caller's share, also on an error */
aard_error *aard__mounts_copy(const aard__mounts *from, aard__mounts *out);
void aard__mounts_free(aard__mounts *mounts);

#endif
