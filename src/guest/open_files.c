#include "guest/open_files.h"

#include "base/alloc.h"

void aard__open_file_close(aard__open_file *file)
{
    if (file->fd < 0) return;
    aard__mount_close(file->mount, file->fd);
    aard__free(file->path);
    *file = (aard__open_file){.fd = -1};
}

void aard__open_files_free(aard__open_files *files)
{
    for (size_t i = 0; i < files->count; i++) aard__open_file_close(&files->list[i]);
    aard__free(files->list);
    *files = (aard__open_files){0};
}

void aard__open_files_keep(aard__open_files *files)
{
    for (size_t i = 0; i < files->count; i++) files->list[i].kept = files->list[i].fd >= 0;
    files->lost = false;
}

bool aard__open_files_reset(aard__open_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (!files->list[i].kept) aard__open_file_close(&files->list[i]);
    return !files->lost;
}

aard__open_file *aard__open_files_place(aard__open_files *files, uint64_t limit)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].fd < 0) return &files->list[i];
    if (files->count >= limit) return NULL;
    aard__open_file *list = aard__realloc(files->list, (files->count + 1) * sizeof *list);
    if (!list) return NULL;
    files->list = list;
    list[files->count] = (aard__open_file){.fd = -1};
    return &list[files->count++];
}
