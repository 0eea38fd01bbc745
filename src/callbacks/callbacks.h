/* The callbacks of a configuration: names, descriptions, schemas, and what the host calls. */
#ifndef AARD_CALLBACKS_CALLBACKS_H
#define AARD_CALLBACKS_CALLBACKS_H

#include <aardvark/callbacks.h>

#include "base/pack.h"
#include "base/user.h"
#include "callbacks/schema.h"

enum { AARD__CALLBACK_NAME = 64 };

typedef struct aard__callback { /* immutable but for its owners */
    aard__user user;
    char name[AARD__CALLBACK_NAME + 1];
    char *description;
    char *schema_text;    /* NULL = any object */
    aard__schema *schema; /* NULL = the same, or it is checked elsewhere */
    aard_callback call;
} aard__callback;

typedef struct aard__callbacks {
    aard__callback **list; /* one owner's share of each */
    size_t count;
} aard__callbacks;

typedef struct aard__callback_limits {
#define AARD__CALLBACK_LIMIT(constant, member) uint64_t member;
    AARD_CALLBACK_LIMIT_MAP(AARD__CALLBACK_LIMIT)
#undef AARD__CALLBACK_LIMIT
} aard__callback_limits;

extern const aard__callback_limits aard__callback_defaults;

typedef struct aard__callback_options { /* everything is copied */
    const char *name, *description, *schema;
    aard_callback call;
    bool unchecked; /* the schema is shown only: somebody else checks */
} aard__callback_options;

/* Adds one, or replaces the one of that name; finalizes `user` also after an error.  Errors: invalid_argument, no_memory. */
aard_error *aard__callbacks_add(aard__callbacks *callbacks, const aard__callback_options *options, void *user,
                                aard_finalizer finalizer);
/* `out`, empty before, shares what `from` has. */
aard_error *aard__callbacks_copy(const aard__callbacks *from, aard__callbacks *out);
void aard__callbacks_free(aard__callbacks *callbacks);

void aard__callback_retain(aard__callback *callback);
void aard__callback_release(aard__callback *callback);

/* NULL where there is none. */
aard__callback *aard__callbacks_find(const aard__callbacks *callbacks, const char *name, size_t len);

/* The binary form, for a process that shows them to its guest: what they do is not in it, and schemas are not checked there.
 * `out` must be empty. */
void aard__callbacks_pack(const aard__callbacks *callbacks, aard__buf *out);
void aard__callbacks_unpack(aard__unpacker *in, aard__callbacks *out);

/* JSON text: an array of {"name", "description", "schema"}, as guests see them. */
void aard__callbacks_json(const aard__callbacks *callbacks, aard__buf *out);

bool aard__callback_is_python_word(const char *name); /* such as "class" */

/* Whether an error may have that type: letters, digits and underscores. */
bool aard__callback_type_valid(const char *type, size_t len);

#endif
