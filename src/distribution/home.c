/* Where distributions live, and finding them there. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/home.h"
#include "base/trust.h"
#include "distribution/distribution.h"

#define DIR_VARIABLE "AARDVARK_PYODIDE_DIST_DIR"
#define NAME_PREFIX "aardvark-layout%d-pyodide-v"

aard_error *aard_distribution_home(char **out)
{
    AARD__NEED(out);
    return aard__home("distributions", out);
}

void aard_string_free(char *string) { aard__free(string); }

char *aard__distribution_dir_name(const aard__line *line, aard_variant variant, const char *fingerprint)
{
    aard__buf name = AARD__BUF_INIT;
    aard__buf_printf(&name, NAME_PREFIX "%s-%s", AARD__DIST_LAYOUT, line->pins->version, aard__variant_name(variant));
    if (fingerprint) aard__buf_printf(&name, "-%.8s", fingerprint);
    return aard__buf_take(&name, NULL);
}

/* ---- the directories in a home --------------------------------------------------------------------------- */

typedef struct names {
    char **items;
    size_t count, cap;
} names;

static void free_names(names *list)
{
    for (size_t i = 0; i < list->count; i++) aard__free(list->items[i]);
    aard__free(list->items);
}

static aard_error *add_name(names *list, const char *name)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        char **items = aard__realloc(list->items, cap * sizeof *items);
        if (!items) return aard__error_no_memory();
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count] = aard__strdup(name);
    if (!list->items[list->count]) return aard__error_no_memory();
    list->count++;
    return NULL;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The directories in `home` whose names start with `prefix`, in name order; hidden ones are a staging's own business.
 * A home that isn't there has none. */
static aard_error *read_names(const char *home, const char *prefix, names *out)
{
    aard_error *error = NULL;
    DIR *dir = opendir(home);
    if (!dir && (errno == ENOENT || errno == ENOTDIR)) return NULL;
    if (!dir) return aard__error_errno(AARD_ERR_IO, errno, "cannot list '%s'", home);
    for (struct dirent *entry; !error && (entry = readdir(dir));) {
        struct stat st;
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode))
            error = add_name(out, entry->d_name);
    }
    closedir(dir);
    if (!error && out->count) qsort(out->items, out->count, sizeof *out->items, by_text);
    return error;
}

/* The core variant of the default line, without additions, where it is staged, else the first that this library could have staged. */
static aard_error *default_name(const char *home, char **out)
{
    names list = {0};
    char prefix[sizeof NAME_PREFIX + 10];
    char *preferred = aard__distribution_dir_name(&aard__lines[0], AARD_VARIANT_CORE, NULL);
    if (!preferred) return aard__error_no_memory();
    snprintf(prefix, sizeof prefix, NAME_PREFIX, AARD__DIST_LAYOUT);
    aard_error *error = read_names(home, prefix, &list);
    const char *found = list.count ? list.items[0] : NULL;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], preferred) == 0) found = preferred;
    if (!error && !found)
        error = aard__error(
            AARD_ERR_DISTRIBUTION_NOT_FOUND,
            "no Pyodide is staged for aardvark %s (layout %d) in '%s': run `aardvark assets stage`, or set %s",
            aard_version(), AARD__DIST_LAYOUT, home, DIR_VARIABLE);
    if (!error) {
        *out = aard__path_join(home, found);
        if (!*out) error = aard__error_no_memory();
    }
    free_names(&list);
    aard__free(preferred);
    return error;
}

/* The directory that aard_distribution_open(NULL) means, new memory (aard__free). */
static aard_error *default_dir(char **out)
{
    char *home = NULL;
    AARD__TRY(aard_distribution_home(&home));
    aard_error *error = default_name(home, out);
    aard__free(home);
    return error;
}

aard_error *aard_distribution_open(const char *dir, aard_distribution **out)
{
    AARD__NEED(out);
    if (dir) return aard__distribution_open_dir(dir, out);
    const char *named = aard__trusted_variable(DIR_VARIABLE);
    if (named) {
        aard_error *error = aard__distribution_open_dir(named, out);
        return error ? aard__error_prefix(error, DIR_VARIABLE) : NULL;
    }
    char *found = NULL;
    AARD__TRY(default_dir(&found));
    aard_error *error = aard__distribution_open_dir(found, out);
    aard__free(found);
    return error;
}

static aard_error *visit(const char *home, const char *name, aard_distribution_visit each, void *user, bool *go_on)
{
    char *dir = aard__path_join(home, name);
    if (!dir) return aard__error_no_memory();
    aard_distribution *distribution = NULL;
    aard_error *error = aard__distribution_open_dir(dir, &distribution);
    *go_on = each(user, dir, distribution, error);
    aard_error_free(error);
    aard_distribution_free(distribution);
    aard__free(dir);
    return NULL;
}

aard_error *aard_distribution_list(const char *home, aard_distribution_visit each, void *user)
{
    AARD__NEED(each);
    char *standard = NULL;
    names list = {0};
    if (!home) AARD__TRY(aard_distribution_home(&standard));
    aard_error *error = read_names(home ? home : standard, "", &list);
    bool go_on = true;
    for (size_t i = 0; i < list.count && !error && go_on; i++)
        error = visit(home ? home : standard, list.items[i], each, user, &go_on);
    free_names(&list);
    aard__free(standard);
    return error;
}

/* ---- by what is in them ------------------------------------------------------------------------------------------- */

static bool has_all(const aard_distribution *distribution, const char *const *packages, size_t count)
{
    aard__package_list list = {0};
    aard_error *error = aard__distribution_resolve(distribution, packages, count, &list);
    if (!error) aard__package_list_free(&list);
    aard_error_free(error);
    return !error;
}

typedef struct search {
    const char *const *packages;
    size_t count;
    char *dir;
    bool failed;
} search;

static bool look_at(void *user, const char *dir, const aard_distribution *distribution, const aard_error *error)
{
    search *s = user;
    if (error || !has_all(distribution, s->packages, s->count)) return true;
    s->dir = aard__strdup(dir);
    s->failed = !s->dir;
    return false;
}

aard_error *aard_distribution_find(const char *const *packages, size_t count, aard_distribution **out)
{
    aard_distribution *usual;
    AARD__NEED(out);
    if (count) AARD__NEED(packages);
    search s = {.packages = packages, .count = count};
    AARD__TRY(aard_distribution_open(NULL, &usual));
    if (!has_all(usual, packages, count)) aard_error_free(aard_distribution_list(NULL, look_at, &s));
    aard_error *error = s.failed ? aard__error_no_memory() : NULL;
    if (s.dir) error = aard__distribution_open_dir(s.dir, out);
    if (!s.dir && !error) *out = usual;
    if (s.dir || error) aard_distribution_free(usual);
    aard__free(s.dir);
    return error;
}
