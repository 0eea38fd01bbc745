/* The spellings a manifest allows, each brought to its one canonical form.
 *
 * Each function writes new memory (aard__free) to `*out` and gives NULL; or the rule that was broken, as the second
 * half of a message, with nothing written.  When memory is out both are NULL. */
#ifndef AARD_BUNDLE_MANIFEST_TEXT_H
#define AARD_BUNDLE_MANIFEST_TEXT_H

#include <stddef.h>

typedef const char *aard__text_rule(const char *text, size_t len, char **out);

/* `module:export`, both parts trimmed. */
const char *aard__text_entrypoint(const char *text, size_t len, char **out);

/* The name of a package as PEP 503 compares it, into `out`, of len + 1 bytes, whatever the characters are. */
void aard__text_package_key(const char *name, size_t len, char *out);

/* The same for what may be one's name: a package's name as PEP 503 compares it: lower case, runs of '-', '_', '.' as one '-'. */
const char *aard__text_package(const char *text, size_t len, char **out);

/* A dotted module name. */
const char *aard__text_module(const char *text, size_t len, char **out);

/* A distribution profile: lower-case letters, digits, '_', '-'. */
const char *aard__text_profile(const char *text, size_t len, char **out);

/* A host capability, lower case. */
const char *aard__text_capability(const char *text, size_t len, char **out);

/* Only trimmed. */
const char *aard__text_plain(const char *text, size_t len, char **out);

#endif
