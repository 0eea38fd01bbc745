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

/* A directory of this process's.  Errors: invalid_argument (the guest's path), not_found, io, no_memory. */
aard_error *aard__mount_new(const char *host_dir, const char *guest_path, aard_filesystem_mode mode, aard__mount **out);
aard__mount *aard__mount_retain(aard__mount *mount);
void aard__mount_free(aard__mount *mount); /* NULL is fine */

const char *aard__mount_place(const aard__mount *mount); /* the guest's path */
aard_filesystem_mode aard__mount_mode(const aard__mount *mount);

/* For tests: looks paths up by their components, as on a kernel without openat2. */
void aard__mount_walk(bool walk);

/* ---- looking */

int aard__mount_stat(aard__mount *mount, const char *path, size_t len, struct stat *out);

/* JSON text: [name, is directory] of each entry whose name is UTF-8. */
int aard__mount_list(aard__mount *mount, const char *path, size_t len, aard__buf *out);

/* A number for a regular file, 0 or more, for aard__mount_close: what is removed meanwhile takes room until then. */
int aard__mount_open(aard__mount *mount, const char *path, size_t len, bool write, int *file);
void aard__mount_close(aard__mount *mount, int file);
int aard__mount_size(aard__mount *mount, int file, uint64_t *out);
int aard__mount_read(aard__mount *mount, int file, void *data, size_t len, uint64_t position, size_t *got);

/* ---- changing: the limits are of `rules`, for all that has been added to the mount while it lives */

/* A new file, or directory; an error where the name is taken. */
int aard__mount_make(aard__mount *mount, const aard__file_rules *rules, const char *path, size_t len, bool directory);

int aard__mount_remove(aard__mount *mount, const char *path, size_t len, bool directory);
int aard__mount_rename(aard__mount *mount, const char *from, size_t from_len, const char *to, size_t to_len);
int aard__mount_truncate(aard__mount *mount, const aard__file_rules *rules, int file, uint64_t size);

/* Writes as much as there is room for. */
int aard__mount_write(aard__mount *mount, const aard__file_rules *rules, int file, const void *data, size_t len,
                      uint64_t position, size_t *written);

/* ---- directories of another process */

/* Each does what the function of its name does.  Who does it has rules and a ledger of its own: `rules` are not looked at,
 * and what is refused has been written down. */
typedef struct aard__mount_ops {
    void (*end)(aard__mount *mount);                                    /* frees it */
    int (*may_write)(aard__mount *mount, const char *path, size_t len); /* NULL: whoever asks has to know */
    int (*stat)(aard__mount *mount, const char *path, size_t len, struct stat *out);
    int (*list)(aard__mount *mount, const char *path, size_t len, aard__buf *out);
    int (*open)(aard__mount *mount, const char *path, size_t len, bool write, int *file);
    void (*close)(aard__mount *mount, int file);
    int (*size)(aard__mount *mount, int file, uint64_t *out);
    int (*read)(aard__mount *mount, int file, void *data, size_t len, uint64_t position, size_t *got);
    int (*write)(aard__mount *mount, const aard__file_rules *rules, int file, const void *data, size_t len,
                 uint64_t position, size_t *written);
    int (*truncate)(aard__mount *mount, const aard__file_rules *rules, int file, uint64_t size);
    int (*make)(aard__mount *mount, const aard__file_rules *rules, const char *path, size_t len, bool directory);
    int (*remove)(aard__mount *mount, const char *path, size_t len, bool directory);
    int (*rename)(aard__mount *mount, const char *from, size_t from_len, const char *to, size_t to_len);
} aard__mount_ops;

/* Numbers and pointers are the caller's own.  Errors: no_memory. */
aard_error *aard__mount_new_remote(const char *place, aard_filesystem_mode mode, const aard__mount_ops *ops, void *user,
                                   uint32_t number, aard__mount **out);
void *aard__mount_remote_user(const aard__mount *mount); /* of remote ones only, as the next one */
uint32_t aard__mount_remote_number(const aard__mount *mount);

/* Whether somebody else checks and writes down what is asked; then aard__mount_may_write asks. */
bool aard__mount_is_remote(const aard__mount *mount);
int aard__mount_may_write(aard__mount *mount, const char *path, size_t len);

/* ---- mounts.c: those of a configuration */

typedef struct aard__mounts {
    aard__mount **list; /* one owner's share of each */
    size_t count;
} aard__mounts;

aard_error *aard__mounts_add(aard__mounts *mounts, aard__mount *mount); /* takes the caller's share, also on an error */
aard_error *aard__mounts_copy(const aard__mounts *from, aard__mounts *out);
void aard__mounts_free(aard__mounts *mounts);

#endif
