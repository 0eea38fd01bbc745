#include "distribution/line.h"

#include <stdio.h>
#include <string.h>

const aard__line *aard__line_of(const char *pyodide_version)
{
    for (size_t i = 0; i < aard__line_count; i++)
        if (!strcmp(aard__lines[i].pins->version, pyodide_version)) return &aard__lines[i];
    return NULL;
}

const char *aard__line_versions(char out[AARD__LINE_VERSIONS])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < aard__line_count && len < AARD__LINE_VERSIONS; i++)
        len += (size_t)snprintf(out + len, AARD__LINE_VERSIONS - len, "%s%s", i ? " or " : "",
                                aard__lines[i].pins->version);
    return out;
}
