/* Trying what public functions do with arguments that are none, and that no exported function is left out. */
#ifndef AARD_TESTS_ARMOR_H
#define AARD_TESTS_ARMOR_H

#include "isolate_support.h"

#include "base/file.h"

static char *tried[512];
static size_t tried_count;

static void try(const char *name)
{
    assert_true(tried_count < COUNT(tried));
    tried[tried_count++] = (char *)name;
}

/* The call is refused by the function's name. */
#define REFUSED(function, ...)                                                                                         \
    do {                                                                                                               \
        try(#function);                                                                                                \
        assert_refused(function(__VA_ARGS__), AARD_ERR_INVALID_ARGUMENT, #function, NULL);                             \
    } while (0)

/* The call gives nothing: NULL, 0, false. */
#define NOTHING(function, ...)                                                                                         \
    do {                                                                                                               \
        try(#function);                                                                                                \
        assert_true(!function(__VA_ARGS__));                                                                           \
    } while (0)

/* The call gives something whatever it is given. */
#define SOMETHING(function, ...)                                                                                       \
    do {                                                                                                               \
        try(#function);                                                                                                \
        assert_true(!!function(__VA_ARGS__));                                                                          \
    } while (0)

/* The call returns. */
#define RETURNS(function, ...)                                                                                         \
    do {                                                                                                               \
        try(#function);                                                                                                \
        function(__VA_ARGS__);                                                                                         \
    } while (0)

static bool was_tried(const char *name, size_t name_len)
{
    for (size_t i = 0; i < tried_count; i++)
        if (strlen(tried[i]) == name_len && !memcmp(tried[i], name, name_len)) return true;
    return false;
}

static bool is_of_pools(const char *name)
{
    static const char *const prefixes[] = {"aard_pool", "aard_lease", "aard_completion", "aard_quarantine",
                                           "aard_registry"};
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) return true;
    return false;
}

/* The tests before have tried all that the library exports, of pools or the others: on each line the name is before the first bracket. */
static void none_is_forgotten(bool of_pools, size_t least)
{
    char *lines;
    size_t lines_len, functions = 0;
    assert_ok(aard__file_read("tests/exported_symbols.txt", 0, &lines, &lines_len));
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *end = strchr(line, '('), *name = end;
        if (!end || !strncmp(line, "typedef ", 8)) continue;
        while (name > line && name[-1] != ' ' && name[-1] != '*') name--;
        if (is_of_pools(name) != of_pools) continue;
        if (!was_tried(name, (size_t)(end - name))) fail_msg("%.*s has not been tried", (int)(end - name), name);
        functions++;
    }
    assert_true(functions > least);
    free(lines);
}

#endif
