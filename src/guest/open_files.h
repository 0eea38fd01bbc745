/* Files of host directories that a guest has open. */
#ifndef AARD_GUEST_OPEN_FILES_H
#define AARD_GUEST_OPEN_FILES_H

#include "policy/mount.h"

typedef struct aard__open_file {
    int fd; /* its number in the mount; -1: the place is free */
    aard__mount *mount;
    bool write, kept;
    char *path;
} aard__open_file;

typedef struct aard__open_files {
    aard__open_file *list;
    size_t count;
    bool lost; /* one that was open at the checkpoint is not any more */
} aard__open_files;

void aard__open_files_free(aard__open_files *files); /* closes all; and empty for reuse */

/* What is open now stays open over resets.  A reset closes all others; false where one of these is closed already. */
void aard__open_files_keep(aard__open_files *files);
bool aard__open_files_reset(aard__open_files *files);

/* A place for one more, free; NULL where there are `limit`, and when memory is out. */
aard__open_file *aard__open_files_place(aard__open_files *files, uint64_t limit);
void aard__open_file_close(aard__open_file *file);

#endif
