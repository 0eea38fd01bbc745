/* A file set: files on their way into a distribution, hashed while they are written. */
#ifndef AARD_DISTRIBUTION_FILE_SET_H
#define AARD_DISTRIBUTION_FILE_SET_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define AARD__SHA256_HEX (2 * crypto_hash_sha256_BYTES + 1)

typedef struct aard__set_file {
    char *name;
    uint64_t size;
    char sha256[AARD__SHA256_HEX], blake2b[AARD__HASH_HEX];
} aard__set_file;

typedef struct aard__file_set {
    int dir; /* descriptor of the directory it all goes to, borrowed */
    aard__set_file *files;
    size_t count, cap;
    uint64_t total; /* bytes of all files */
    int fd;         /* of the file that is being written, else -1 */
    crypto_hash_sha256_state sha256;
    aard__hasher blake2b;
} aard__file_set;

void aard__file_set_init(aard__file_set *set, int dir);
void aard__file_set_free(aard__file_set *set); /* leaves the files */

/* Starts a file; the name must be a plain one, without a path, and not be taken yet.
 * Errors: stage_source (a repeated name, too many files), io, no_memory. */
aard_error *aard__file_set_begin(aard__file_set *set, const char *name);
/* Errors: stage_source (more bytes than any file of a Pyodide has), io. */
aard_error *aard__file_set_write(aard__file_set *set, const void *data, size_t len);
/* Finishes the file: it is on disk and in the list. */
aard_error *aard__file_set_end(aard__file_set *set);
/* The three above for a whole file. */
aard_error *aard__file_set_put(aard__file_set *set, const char *name, const void *data, size_t len);
/* The same from an open file, up to its end; `tick` (may be NULL) hears of every chunk. */
aard_error *aard__file_set_copy(aard__file_set *set, const char *name, int fd, const char *from,
                                void (*tick)(void *user, size_t len), void *user);

/* The finished file of that name, or NULL; good until the next change. */
const aard__set_file *aard__file_set_find(const aard__file_set *set, const char *name);
/* Removes a finished file. */
aard_error *aard__file_set_drop(aard__file_set *set, const char *name);

#endif
