/* The lock file of a Pyodide, `pyodide-lock.json`: which packages there are, what they need, and their hashes. */
#ifndef AARD_DISTRIBUTION_LOCK_H
#define AARD_DISTRIBUTION_LOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define AARD__LOCK_MAX (32u << 20)

/* One package.  Strings live as long as the lock. */
typedef struct aard__package {
    const char *key; /* its name as PEP 503 normalises it */
    const char *name, *version, *file_name;
    const char *sha256; /* of the file, 64 lowercase hex digits */
    const char *install_dir, *package_type;
    json_t *depends; /* array of strings */
} aard__package;

typedef struct aard__lock {
    json_t *root;
    const char *python, *abi_version, *platform;
    aard__package *packages; /* in the order of their keys */
    size_t count;
} aard__lock;

/* Reads a lock file; every package in it has all of the above in good form, and a file of its own.  `where` is for
 * messages.  Errors: `code`, no_memory. */
aard_error *aard__lock_parse(const char *text, size_t len, const char *where, aard_error_code code, aard__lock **out);
void aard__lock_free(aard__lock *lock);

/* Finds a package by any spelling of its name; NULL where there is none. */
const aard__package *aard__lock_find(const aard__lock *lock, const char *name);

/* Whether a full distribution may do without the package: upstream keeps some packages' own tests apart, and not every
 * archive has them. */
bool aard__lock_optional(const aard__package *package);

#define AARD__PACKAGE_NAME_MAX 200

/* The name as PEP 503 has it (lower case, runs of '-', '_' and '.' as one '-') into `out`; false where it is empty or
 * longer than AARD__PACKAGE_NAME_MAX. */
bool aard__package_key(const char *name, size_t len, char out[AARD__PACKAGE_NAME_MAX + 1]);

/* A list of packages, each after the ones it needs.  The packages belong to the lock. */
typedef struct aard__package_list {
    const aard__package **items;
    size_t count;
} aard__package_list;

void aard__package_list_free(aard__package_list *list);

/* Why a name is asked for: `needed_by` is NULL where the caller named it. */
typedef aard_error *(*aard__lock_check)(void *user, const aard__package *package, const char *needed_by);

/* All that `names` need, themselves included, each once.  `check` may refuse a package.
 * Errors: package_not_found, what `check` gives, no_memory. */
aard_error *aard__lock_resolve(const aard__lock *lock, const char *const *names, size_t count, aard__lock_check check,
                               void *user, aard__package_list *out);

#endif
