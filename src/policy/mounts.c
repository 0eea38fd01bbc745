/* Mounts of every kind, and those of a configuration: each in a place of its own. */
#include <string.h>

#include "base/alloc.h"
#include "policy/mount_impl.h"

void aard__mount_init(aard__mount *mount, const aard__mount_ops *ops, const char *place, aard_filesystem_mode mode)
{
    atomic_init(&mount->owners, 1);
    mount->ops = ops;
    mount->place = place;
    mount->mode = mode;
}

aard__mount *aard__mount_retain(aard__mount *mount)
{
    atomic_fetch_add(&mount->owners, 1);
    return mount;
}

void aard__mount_free(aard__mount *mount)
{
    if (!mount || atomic_fetch_sub(&mount->owners, 1) != 1) return;
    if (mount->ops->end)
        mount->ops->end(mount);
    else
        aard__free(mount);
}

typedef struct remote {
    aard__mount base;
    void *user;
    uint32_t number;
    char place[];
} remote;

aard_error *aard__mount_new_remote(const char *place, aard_filesystem_mode mode, const aard__mount_ops *ops, void *user,
                                   uint32_t number, aard__mount **out)
{
    size_t size = strlen(place) + 1;
    remote *mount = aard__calloc(1, sizeof *mount + size);
    if (!mount) return aard__error_no_memory();
    mount->user = user;
    mount->number = number;
    memcpy(mount->place, place, size);
    aard__mount_init(&mount->base, ops, mount->place, mode);
    *out = &mount->base;
    return NULL;
}

void *aard__mount_remote_user(const aard__mount *mount) { return ((const remote *)mount)->user; }

uint32_t aard__mount_remote_number(const aard__mount *mount) { return ((const remote *)mount)->number; }

const char *aard__mount_place(const aard__mount *mount) { return mount->place; }

aard_filesystem_mode aard__mount_mode(const aard__mount *mount) { return mount->mode; }

bool aard__mount_is_remote(const aard__mount *mount) { return mount->ops->may_write != NULL; }

int aard__mount_may_write(aard__mount *mount, const char *path, size_t len)
{
    return mount->ops->may_write(mount, path, len);
}

int aard__mount_stat(aard__mount *mount, const char *path, size_t len, struct stat *out)
{
    return mount->ops->stat(mount, path, len, out);
}

int aard__mount_list(aard__mount *mount, const char *path, size_t len, aard__buf *out)
{
    return mount->ops->list(mount, path, len, out);
}

int aard__mount_open(aard__mount *mount, const char *path, size_t len, bool write, int *file)
{
    return mount->ops->open(mount, path, len, write, file);
}

void aard__mount_close(aard__mount *mount, int file) { mount->ops->close(mount, file); }

int aard__mount_size(aard__mount *mount, int file, uint64_t *out) { return mount->ops->size(mount, file, out); }

int aard__mount_read(aard__mount *mount, int file, void *data, size_t len, uint64_t position, size_t *got)
{
    return mount->ops->read(mount, file, data, len, position, got);
}

int aard__mount_write(aard__mount *mount, const aard__file_rules *rules, int file, const void *data, size_t len,
                      uint64_t position, size_t *written)
{
    return mount->ops->write(mount, rules, file, data, len, position, written);
}

int aard__mount_truncate(aard__mount *mount, const aard__file_rules *rules, int file, uint64_t size)
{
    return mount->ops->truncate(mount, rules, file, size);
}

int aard__mount_make(aard__mount *mount, const aard__file_rules *rules, const char *path, size_t len, bool directory)
{
    return mount->ops->make(mount, rules, path, len, directory);
}

int aard__mount_remove(aard__mount *mount, const char *path, size_t len, bool directory)
{
    return mount->ops->remove(mount, path, len, directory);
}

int aard__mount_rename(aard__mount *mount, const char *from, size_t from_len, const char *to, size_t to_len)
{
    return mount->ops->rename(mount, from, from_len, to, to_len);
}

aard_error *aard__mounts_add(aard__mounts *mounts, aard__mount *mount)
{
    const char *place = aard__mount_place(mount);
    for (size_t i = 0; i < mounts->count; i++) {
        const char *other = aard__mount_place(mounts->list[i]);
        size_t len = strlen(place), other_len = strlen(other), least = len < other_len ? len : other_len;
        if (strncmp(place, other, least) != 0 || (place[least] && place[least] != '/') ||
            (other[least] && other[least] != '/'))
            continue;
        aard_error *error = aard__error(
            AARD_ERR_INVALID_ARGUMENT, "'%s' and '%s' can't both be mounted: one is inside of the other", other, place);
        aard__mount_free(mount);
        return error;
    }
    aard__mount **list = aard__realloc(mounts->list, (mounts->count + 1) * sizeof *list);
    if (!list) {
        aard__mount_free(mount);
        return aard__error_no_memory();
    }
    mounts->list = list;
    list[mounts->count++] = mount;
    return NULL;
}

aard_error *aard__mounts_copy(const aard__mounts *from, aard__mounts *out)
{
    for (size_t i = 0; i < from->count; i++) AARD__TRY(aard__mounts_add(out, aard__mount_retain(from->list[i])));
    return NULL;
}

void aard__mounts_free(aard__mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) aard__mount_free(mounts->list[i]);
    aard__free(mounts->list);
    *mounts = (aard__mounts){0};
}
