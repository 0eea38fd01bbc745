/* Intake: files on their way into a distribution, hashed while they are written. */
#ifndef AARD_DISTRIBUTION_INTAKE_H
#define AARD_DISTRIBUTION_INTAKE_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define AARD__SHA256_HEX (2 * crypto_hash_sha256_BYTES + 1)

typedef struct aard__taken {
    char *name;
    uint64_t size;
    char sha256[AARD__SHA256_HEX], blake2b[AARD__HASH_HEX];
} aard__taken;

typedef struct aard__intake {
    int dir; /* descriptor of the directory it all goes to, borrowed */
    aard__taken *files;
    size_t count, cap;
    uint64_t total; /* bytes of all files */
    int fd;         /* of the file that is being written, else -1 */
    crypto_hash_sha256_state sha256;
    aard__hasher blake2b;
} aard__intake;

void aard__intake_init(aard__intake *intake, int dir);
void aard__intake_free(aard__intake *intake); /* leaves the files */

/* Starts a file; the name must be a plain one, without a path, and not be taken yet.
 * Errors: stage_source (a repeated name, too many files), io, no_memory. */
aard_error *aard__intake_begin(aard__intake *intake, const char *name);
/* Errors: stage_source (more bytes than any file of a Pyodide has), io. */
aard_error *aard__intake_write(aard__intake *intake, const void *data, size_t len);
/* Finishes the file: it is on disk and in the list. */
aard_error *aard__intake_end(aard__intake *intake);
/* The three above for a whole file. */
aard_error *aard__intake_put(aard__intake *intake, const char *name, const void *data, size_t len);
/* The same from an open file, up to its end; `tick` (may be NULL) hears of every chunk. */
aard_error *aard__intake_copy(aard__intake *intake, const char *name, int fd, const char *from,
                              void (*tick)(void *user, size_t len), void *user);

/* The finished file of that name, or NULL; good until the next change. */
const aard__taken *aard__intake_find(const aard__intake *intake, const char *name);
/* Removes a finished file. */
aard_error *aard__intake_drop(aard__intake *intake, const char *name);

#endif
