#include "distribution/wheel_tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls `fits` for each of the '.'-separated parts of a tag. */
static bool any_part(const char *tag, size_t len, const aard__pins *pins,
                     bool (*fits)(const char *part, size_t len, const aard__pins *pins))
{
    for (size_t start = 0, i = 0; i <= len; i++) {
        if (i < len && tag[i] != '.') continue;
        if (fits(tag + start, i - start, pins)) return true;
        start = i + 1;
    }
    return false;
}

static bool equals(const char *part, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(part, text, len) == 0;
}

/* The minor version in "py313" or "cp313", 0 where there is none, -1 for another prefix or another Python than 3. */
static int minor_version(const char *part, size_t len, const char *prefix)
{
    size_t start = strlen(prefix);
    int value = 0;
    if (len <= start || len > start + 3 || memcmp(part, prefix, start) != 0 || part[start] != '3') return -1;
    for (size_t i = start + 1; i < len; i++) {
        if (part[i] < '0' || part[i] > '9') return -1;
        value = 10 * value + (part[i] - '0');
    }
    return value;
}

static int minor_of(const aard__pins *pins) { return atoi(strchr(pins->python, '.') + 1); }

static bool python_exact(const char *part, size_t len, const aard__pins *pins)
{
    return minor_version(part, len, "cp") == minor_of(pins);
}

static bool python_stable(const char *part, size_t len, const aard__pins *pins)
{
    int minor = minor_version(part, len, "cp");
    return minor > 1 && minor <= minor_of(pins);
}

static bool python_generic(const char *part, size_t len, const aard__pins *pins)
{
    int minor = minor_version(part, len, "py");
    return (minor >= 0 && minor <= minor_of(pins)) || python_exact(part, len, pins);
}

static bool abi_none(const char *part, size_t len, const aard__pins *pins)
{
    (void)pins;
    return equals(part, len, "none");
}
static bool abi_stable(const char *part, size_t len, const aard__pins *pins)
{
    (void)pins;
    return equals(part, len, "abi3");
}
static bool platform_any(const char *part, size_t len, const aard__pins *pins)
{
    (void)pins;
    return equals(part, len, "any");
}

static bool platform_own(const char *part, size_t len, const aard__pins *pins)
{
    char text[96];
    snprintf(text, sizeof text, "pyemscripten_%s_wasm32", pins->abi_version);
    if (equals(part, len, text)) return true;
    snprintf(text, sizeof text, "pyodide_%s_wasm32", pins->abi_version);
    if (equals(part, len, text)) return true;
    snprintf(text, sizeof text, "%s_wasm32", pins->platform);
    return equals(part, len, text);
}

bool aard__wheel_tag_fits(const char *tag, const aard__pins *pins)
{
    const char *first = strchr(tag, '-'), *second = first ? strchr(first + 1, '-') : NULL;
    if (!second) return false;
    size_t python = (size_t)(first - tag), abi = (size_t)(second - first) - 1, platform = strlen(second + 1);
    bool any = any_part(second + 1, platform, pins, platform_any),
         own = any_part(second + 1, platform, pins, platform_own);
    if (!any && !own) return false;
    if (any_part(first + 1, abi, pins, abi_none) && any_part(tag, python, pins, python_generic)) return true;
    if (!own) return false;
    if (any_part(first + 1, abi, pins, abi_stable) && any_part(tag, python, pins, python_stable)) return true;
    return any_part(first + 1, abi, pins, python_exact) && any_part(tag, python, pins, python_exact);
}
