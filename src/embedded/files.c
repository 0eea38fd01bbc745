#include "embedded/files.h"

#include <string.h>

const char *const aard__platform_rooms[] = {"platform/", "streams/", "fetch/", "crypto/", NULL};

const aard__guest_file *aard__guest_find(const char *name)
{
    for (const aard__guest_file *file = aard__guest_files; file->name; file++)
        if (!strcmp(file->name, name)) return file;
    return NULL;
}
