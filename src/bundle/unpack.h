/* Inflating the entries of an archive whose directory has passed the rules. */
#ifndef AARD_BUNDLE_UNPACK_H
#define AARD_BUNDLE_UNPACK_H

#include "bundle/zip_directory.h"

/* A file of a bundle; both pointers are its own (aard__free), each with a NUL behind it. */
typedef struct aard__bundle_file {
    char *name;
    uint8_t *data;
    size_t name_len, data_len;
} aard__bundle_file;

/* Unpacks all files (not the directories) into `*out`, in bytewise name order. */
aard_error *aard__unpack(const uint8_t *data, size_t len, const aard__zip_directory *directory, aard__bundle_file **out,
                         size_t *count);

void aard__bundle_files_free(aard__bundle_file *files, size_t count);

#endif
