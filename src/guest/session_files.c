/* Paths and lists of files that go between a host and its guest. */
#include "guest/session_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { PATH_MOST = 4096, NAME_MOST = 255 };

/* The length of the place that the path begins with; 0 where that is none. */
static size_t place_of(const char *path)
{
    static const char *const places[] = {"/session", "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t len = strlen(places[i]);
        if (!strncmp(path, places[i], len) && (path[len] == '/' || !path[len])) return len;
    }
    return 0;
}

static const char *wrong_name(const char *name, size_t len)
{
    if (!len) return "it has an empty name in it";
    if (len > NAME_MOST) return "a name in it is longer than 255 bytes";
    if ((len == 1 && *name == '.') || (len == 2 && name[0] == '.' && name[1] == '.')) return "it has '.' or '..' in it";
    return NULL;
}

static const char *wrong_path(const char *path, bool place)
{
    size_t len = strnlen(path, PATH_MOST + 1), at = place_of(path);
    if (len > PATH_MOST) return "it is longer than 4096 bytes";
    if (!aard__utf8_valid(path, len)) return "it is not UTF-8";
    if (!at) return "it is not below /session or /tmp";
    if (!path[at]) return place ? NULL : "it is the directory itself; name something in it";
    while (path[at]) { /* at a slash */
        size_t name_len = strcspn(path + at + 1, "/");
        const char *wrong = wrong_name(path + at + 1, name_len);
        if (wrong) return wrong;
        at += 1 + name_len;
    }
    return NULL;
}

aard_error *aard__file_path_check(const char *path, bool place)
{
    const char *wrong = wrong_path(path, place);
    if (!wrong) return NULL;
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "the guest's file '%.200s' can't be reached: %s", path, wrong);
}

/* A number and the space behind it. */
static bool read_number(const char **at, long long *out)
{
    char *end;
    if (**at == ' ') return false; /* strtoll would skip it */
    *out = strtoll(*at, &end, 10);
    if (end == *at || *end != ' ') return false;
    *at = end + 1;
    return true;
}

bool aard__file_entry_next(const char **at, const char *end, aard__file_entry *out)
{
    const char *text = *at, *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    long long size, changed;
    if (!nul || !*text || !strchr("fdl", *text) || text[1] != ' ') return false;
    const char *rest = text + 2;
    if (!read_number(&rest, &size) || size < 0 || !read_number(&rest, &changed)) return false;
    if (!aard__utf8_valid(rest, (size_t)(nul - rest))) return false;
    for (const char *name = rest; name <= nul; name += strcspn(name, "/") + 1)
        if (wrong_name(name, strcspn(name, "/"))) return false;
    *out = (aard__file_entry){*text, (uint64_t)size, changed, rest};
    *at = nul + 1;
    return true;
}
