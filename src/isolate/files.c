/* The public functions for a guest's files: paths and lists are checked here, whoever answers. */
#include <aardvark/files.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "isolate/isolate_impl.h"

#define MS INT64_C(1000000)
#define FILE_MOST ((size_t)1 << 30)

static aard_error *ask(aard_isolate *isolate, aard__file_request file, bool place, aard__buf *out)
{
    aard__response response = {.bytes = AARD__BUF_INIT};
    AARD__TRY(aard__file_path_check(file.path, place));
    AARD__TRY(aard__isolate_request(isolate, &(aard__request){.verb = AARD__FILES, .file = &file}, &response));
    if (out)
        *out = response.bytes;
    else
        aard__buf_free(&response.bytes);
    return NULL;
}

aard_error *aard_isolate_write_file(aard_isolate *isolate, const char *path, const void *data, size_t len)
{
    AARD__NEED(isolate);
    AARD__NEED(path);
    AARD__NEED_THAT(data || !len, "NULL has no bytes; give the data, or a length of 0");
    uint64_t quota;
    aard_isolate_config_filesystem(isolate->config, NULL, &quota, NULL, NULL);
    if (len > FILE_MOST || len > quota)
        return aard__error(AARD_ERR_QUOTA, "a guest's file of %zu bytes is larger than its quota, or 1 GiB", len);
    return ask(isolate, (aard__file_request){.verb = AARD__FILE_VERB_WRITE, .path = path, .data = data, .len = len},
               false, NULL);
}

aard_error *aard_isolate_read_file(aard_isolate *isolate, const char *path, uint64_t max_bytes, char **data,
                                   size_t *len)
{
    aard__buf bytes;
    AARD__NEED(isolate);
    AARD__NEED(path);
    AARD__NEED(data);
    AARD__NEED(len);
    AARD__TRY(ask(
        isolate,
        (aard__file_request){.verb = AARD__FILE_VERB_READ, .path = path, .most = max_bytes ? max_bytes : UINT64_MAX},
        false, &bytes));
    char *text = aard__buf_take(&bytes, len);
    if (!text) return aard__error_no_memory();
    *data = text;
    return NULL;
}

aard_error *aard_isolate_remove_file(aard_isolate *isolate, const char *path)
{
    AARD__NEED(isolate);
    AARD__NEED(path);
    return ask(isolate, (aard__file_request){.verb = AARD__FILE_VERB_REMOVE, .path = path}, false, NULL);
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

typedef struct listed {
    char *path;
    uint64_t size;
    int64_t changed_ns;
    aard_file_kind kind;
} listed;

struct aard_file_list {
    listed *items;
    size_t count;
};

void aard_file_list_free(aard_file_list *list)
{
    if (!list) return;
    for (size_t i = 0; i < list->count; i++) aard__free(list->items[i].path);
    aard__free(list->items);
    aard__free(list);
}

static aard_error *add(aard_file_list *list, const char *directory, const aard__file_entry *entry)
{
    aard__buf path = AARD__BUF_INIT;
    aard__buf_printf(&path, "%s/%s", directory, entry->path);
    char *text = aard__buf_take(&path, NULL);
    if (!text) return aard__error_no_memory();
    int64_t ms = entry->changed_ms;
    list->items[list->count++] = (listed){
        .path = text,
        .size = entry->size,
        .changed_ns = ms > INT64_MAX / MS   ? INT64_MAX
                      : ms < INT64_MIN / MS ? INT64_MIN
                                            : ms * MS,
        .kind = entry->kind == 'd'   ? AARD_FILE_DIRECTORY
                : entry->kind == 'l' ? AARD_FILE_LINK
                                     : AARD_FILE_REGULAR,
    };
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const listed *)a)->path, ((const listed *)b)->path);
}

static aard_error *read_list(const aard__buf *bytes, const char *directory, aard_file_list *list)
{
    const char *at = bytes->data, *end = at + bytes->len;
    aard__file_entry entry;
    size_t count = 0;
    for (size_t i = 0; i < bytes->len; i++) count += !bytes->data[i];
    list->items = aard__calloc(count + 1, sizeof *list->items);
    if (!list->items) return aard__error_no_memory();
    while (at < end && aard__file_entry_next(&at, end, &entry)) AARD__TRY(add(list, directory, &entry));
    qsort(list->items, list->count, sizeof *list->items, by_path);
    return at == end ? NULL : aard__error(AARD_ERR_ENGINE, "the guest's list of files is malformed");
}

aard_error *aard_isolate_list_files(aard_isolate *isolate, const char *path, aard_file_list **out)
{
    aard__buf bytes;
    AARD__NEED(isolate);
    AARD__NEED(path);
    AARD__NEED(out);
    AARD__TRY(ask(isolate, (aard__file_request){.verb = AARD__FILE_VERB_LIST, .path = path}, true, &bytes));
    aard_file_list *list = aard__calloc(1, sizeof *list);
    aard_error *error = list ? read_list(&bytes, path, list) : aard__error_no_memory();
    aard__buf_free(&bytes);
    if (error)
        aard_file_list_free(list);
    else
        *out = list;
    return error;
}

size_t aard_file_list_count(const aard_file_list *list) { return list ? list->count : 0; }

static const listed *item(const aard_file_list *list, size_t index)
{
    static const listed none;
    return list && index < list->count ? &list->items[index] : &none;
}

const char *aard_file_list_path(const aard_file_list *list, size_t index) { return item(list, index)->path; }
aard_file_kind aard_file_list_kind(const aard_file_list *list, size_t index) { return item(list, index)->kind; }
uint64_t aard_file_list_size(const aard_file_list *list, size_t index) { return item(list, index)->size; }
int64_t aard_file_list_changed_ns(const aard_file_list *list, size_t index) { return item(list, index)->changed_ns; }
