/* RECORD of a wheel: the list of its files with their hashes, as an installer would check it. */
#ifndef AARD_DISTRIBUTION_RECORD_H
#define AARD_DISTRIBUTION_RECORD_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file as the archive has it.  Everything is borrowed. */
typedef struct aard__record_file {
    const char *name;
    size_t name_len;
    uint64_t size;
    uint8_t sha256[crypto_hash_sha256_BYTES];
    bool listed; /* set by the check */
} aard__record_file;

/* Sorts the files and compares them with the text; NULL, or what is wrong with `*which`.  What is listed and not there is
 * nobody's harm. */
const char *aard__record_check(const char *text, size_t len, aard__record_file *files, size_t count,
                               const aard__record_file **which);

#endif
