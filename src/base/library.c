#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>

bool aard__library_load(const aard__library *library, char *why, size_t why_size)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(why, why_size, "%s can't be loaded (%s); install %s", library->name, dlerror(), library->package);
        return false;
    }
    for (size_t i = 0; i < library->count; i++) {
        const aard__library_function *function = &library->functions[i];
        void *found = dlsym(handle, function->name);
        if (!found) {
            snprintf(why, why_size, "%s has no %s; install %s %s or later", library->name, function->name,
                     library->package, library->least);
            return false;
        }
        *(void **)function->at = found;
    }
    return true;
}
