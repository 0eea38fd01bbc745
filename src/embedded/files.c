#include "embedded/files.h"

#include <string.h>

const aard__guest_file *aard__guest_find(const char *name)
{
    for (const aard__guest_file *file = aard__guest_files; file->name; file++)
        if (!strcmp(file->name, name)) return file;
    return NULL;
}
