/* A host directory as one guest may use it: by the policy, and with a ledger of what is refused.  A mount that is served by another
 * process is checked, and written down, there: this is what serves it, too.  All give 0 or an errno. */
#ifndef AARD_GUEST_DIRECTORY_H
#define AARD_GUEST_DIRECTORY_H

#include "guest/open_files.h"
#include "outcome/ledger.h"

typedef struct aard__directory {
    aard__mount *mount;
    aard__file_rules rules;
    aard__ledger *ledger;
} aard__directory;

int aard__directory_may_write(const aard__directory *directory, const char *path, size_t len);

/* Into `*out`, a free place, with a copy of the path. */
int aard__directory_open(const aard__directory *directory, const char *path, size_t len, bool write,
                         aard__open_file *out);
int aard__directory_make(const aard__directory *directory, const char *path, size_t len, bool is_directory);
int aard__directory_remove(const aard__directory *directory, const char *path, size_t len, bool is_directory);
int aard__directory_rename(const aard__directory *directory, const char *from, size_t from_len, const char *to,
                           size_t to_len);
int aard__directory_truncate(const aard__directory *directory, const aard__open_file *file, uint64_t size);
/* Writes as much as there is room for. */
int aard__directory_write(const aard__directory *directory, const aard__open_file *file, const void *data, size_t len,
                          uint64_t position, size_t *written);

#endif
