/* What a host asks of the files of a guest, between its calls. */
#ifndef AARD_GUEST_SESSION_FILES_H
#define AARD_GUEST_SESSION_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* The numbers are those of src/embedded/python/session_files.js. */
typedef enum aard__file_verb {
    AARD__FILE_VERB_WRITE = 0,
    AARD__FILE_VERB_READ = 1,
    AARD__FILE_VERB_LIST = 2,
    AARD__FILE_VERB_REMOVE = 3,
    AARD__FILE_VERBS
} aard__file_verb;

typedef struct aard__file_request {
    aard__file_verb verb;
    const char *path; /* as aard__file_path_check wants it */
    const char *data; /* to be written; else NULL */
    size_t len;
    uint64_t most; /* bytes that may be read */
} aard__file_request;

/* Whether the host may mean the path: below /session or /tmp, or, `place`, one of these.  Errors: invalid_argument. */
aard_error *aard__file_path_check(const char *path, bool place);

/* One file or directory of a list. */
typedef struct aard__file_entry {
    char kind;          /* 'f', 'd' or 'l': a link */
    uint64_t size;      /* of a file */
    int64_t changed_ms; /* since the Unix epoch */
    const char *path;   /* below the directory that was listed; in the list, NUL-terminated */
} aard__file_entry;

/* Reads the next entry at `*at`, which goes behind it; false at the end, and for what is no such list (`*at` is not `end` then). */
bool aard__file_entry_next(const char **at, const char *end, aard__file_entry *out);

#endif
