#include "bundle/entry_rules.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "bundle/entry_name.h"

/* A deflate stream's best: 258 bytes from two bits. */
#define DEFLATE_MAX_RATIO 1032

bool aard__entry_is_directory(const aard__zip_entry *entry)
{
    return entry->name_len && entry->name[entry->name_len - 1] == '/';
}

static aard_error *refuse(aard_error_code code, const aard__zip_entry *entry, const char *rule)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, entry->name, entry->name_len);
    return aard__error(code, "entry '%s': %s", name, rule);
}

/* The Unix mode counts whatever system the archive claims to come from: some tools write one under another's name. */
static aard_error *check_type(const aard__zip_entry *entry)
{
    bool directory = aard__entry_is_directory(entry);
    mode_t type = (mode_t)(entry->external >> 16) & S_IFMT;
    if (S_ISLNK(type))
        return refuse(AARD_ERR_BUNDLE_SYMLINK, entry, "it is a symbolic link; pack the file that it points to");
    if (type && !S_ISREG(type) && !S_ISDIR(type))
        return refuse(AARD_ERR_BUNDLE_FILE_TYPE, entry,
                      "it is a device, a pipe or a socket; a bundle holds regular files and directories");
    if (type && S_ISDIR(type) != directory)
        return refuse(AARD_ERR_BUNDLE_FILE_TYPE, entry,
                      "its mode and its name disagree about whether it is a directory; pack the bundle again");
    if (directory && entry->unpacked)
        return refuse(AARD_ERR_BUNDLE_FILE_TYPE, entry, "it is a directory with contents; pack the bundle again");
    return NULL;
}

static aard_error *check_packing(const aard__zip_entry *entry)
{
    if (entry->flags & AARD__ZIP_FLAGS_ENCRYPTION || entry->method == AARD__ZIP_AES)
        return refuse(AARD_ERR_BUNDLE_ENCRYPTED, entry, "it is encrypted; pack the bundle without a password");
    if (entry->method != AARD__ZIP_STORED && entry->method != AARD__ZIP_DEFLATED) {
        char name[AARD__NAME_SHOWN];
        aard__name_show(name, sizeof name, entry->name, entry->name_len);
        return aard__error(AARD_ERR_BUNDLE_COMPRESSION,
                           "entry '%s': it is compressed with method %u; use deflate (8) or store it (0)", name,
                           entry->method);
    }
    if (entry->flags & AARD__ZIP_FLAG_PATCH)
        return refuse(AARD_ERR_BUNDLE_COMPRESSION, entry, "it holds compressed patch data; use deflate or store it");
    return NULL;
}

/* Sizes that can't be true are refused before memory is taken for them. */
static aard_error *check_size(const aard__zip_entry *entry)
{
    bool possible = entry->method == AARD__ZIP_STORED ? entry->unpacked == entry->packed
                                                      : entry->unpacked / DEFLATE_MAX_RATIO <= entry->packed;
    if (possible) return NULL;
    return refuse(AARD_ERR_BUNDLE_SIZE_MISMATCH, entry,
                  "its data can't unpack to the size in its header; pack the bundle again");
}

aard_error *aard__entry_rules_each(const aard__zip_directory *directory, uint64_t max_unpacked)
{
    uint64_t left = max_unpacked;
    for (size_t i = 0; i < directory->count; i++) {
        const aard__zip_entry *entry = &directory->entries[i];
        AARD__TRY(aard__name_check(entry->name, entry->name_len));
        AARD__TRY(aard__name_check_encoding(entry->name, entry->name_len, entry->flags & AARD__ZIP_FLAG_UTF8,
                                            entry->extra, entry->extra_len));
        AARD__TRY(check_packing(entry));
        AARD__TRY(check_type(entry));
        if (entry->unpacked > left) {
            char name[AARD__NAME_SHOWN];
            aard__name_show(name, sizeof name, entry->name, entry->name_len);
            return aard__error(AARD_ERR_BUNDLE_TOO_LARGE,
                               "entry '%s': with it the bundle unpacks to more than %llu "
                               "bytes; leave out what the code does not need",
                               name, (unsigned long long)max_unpacked);
        }
        left -= entry->unpacked;
        AARD__TRY(check_size(entry));
    }
    return NULL;
}

/* A name without a directory's trailing slash. */
typedef struct path {
    const char *name;
    size_t len;
    bool directory;
} path;

static int by_name(const void *a, const void *b)
{
    const path *left = a, *right = b;
    return aard__name_compare(left->name, left->len, right->name, right->len);
}

static aard_error *check_twice(const path *a, const path *b)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, a->name, a->len);
    if (a->directory == b->directory)
        return aard__error(AARD_ERR_BUNDLE_DUPLICATE, "entry '%s%s': it is a duplicate; keep one of the two", name,
                           a->directory ? "/" : "");
    return aard__error(AARD_ERR_BUNDLE_CONFLICT, "entry '%s': it is both a file and a directory; keep one of the two",
                       name);
}

static size_t common(const path *a, const path *b)
{
    size_t len = 0;
    while (len < a->len && len < b->len && a->name[len] == b->name[len]) len++;
    return len;
}

/* `paths` are sorted, and the parents that a path shares with the one before it have been looked at by then. */
static aard_error *check_parents(const path *paths, size_t count, size_t index)
{
    const path *child = &paths[index];
    for (size_t len = index ? common(child - 1, child) : 0; len < child->len; len++) {
        if (child->name[len] != '/') continue;
        path parent = {child->name, len, true};
        const path *found = bsearch(&parent, paths, count, sizeof *paths, by_name);
        if (!found || found->directory) continue;
        char name[AARD__NAME_SHOWN], file[AARD__NAME_SHOWN];
        aard__name_show(name, sizeof name, child->name, child->len);
        aard__name_show(file, sizeof file, found->name, found->len);
        return aard__error(AARD_ERR_BUNDLE_CONFLICT,
                           "entry '%s': it lies below '%s', which is a file; rename one of the two", name, file);
    }
    return NULL;
}

aard_error *aard__entry_rules_together(const aard__zip_directory *directory)
{
    size_t count = directory->count;
    path *paths = aard__calloc(count, sizeof *paths);
    if (!paths) return aard__error_no_memory();
    for (size_t i = 0; i < count; i++) {
        const aard__zip_entry *entry = &directory->entries[i];
        bool is_directory = aard__entry_is_directory(entry);
        paths[i] = (path){entry->name, entry->name_len - is_directory, is_directory};
    }
    qsort(paths, count, sizeof *paths, by_name);
    aard_error *error = NULL;
    for (size_t i = 1; i < count && !error; i++)
        if (by_name(&paths[i - 1], &paths[i]) == 0) error = check_twice(&paths[i - 1], &paths[i]);
    for (size_t i = 0; i < count && !error; i++) error = check_parents(paths, count, i);
    aard__free(paths);
    return error;
}
