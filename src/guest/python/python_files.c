#include "guest/python/python_files.h"

#include <stdio.h>

aard_error *aard__python_file(const aard_distribution *distribution, const char *name, const aard__guest_file **out)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", aard__distribution_line(distribution)->embedded, name);
    const aard__guest_file *file = aard__guest_find(path);
    if (!file) return aard__error(AARD_ERR_GUEST_BOOT, "the library was built without its guest file '%s'", path);
    *out = file;
    return NULL;
}
