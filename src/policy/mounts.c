/* The host directories of a configuration: each in a place of its own. */
#include <string.h>

#include "base/alloc.h"
#include "policy/mount.h"

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
