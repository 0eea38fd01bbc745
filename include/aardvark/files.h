/* The files of a session: what a host writes for a Python guest and reads from it, between its calls.
 *
 * A path is absolute, below /session or /tmp, UTF-8, at most 4096 bytes long, with no empty part, no "." and no "..".  Links
 * are not followed.  What the host writes counts towards the guest's quota; the filesystem mode binds the guest alone.
 * docs/sessions.md
 *
 * Errors of all: invalid_argument (the path; it leads through a link or a file; it is a directory, or none), not_found,
 * unsupported (JavaScript guests have no files), busy, guest_boot, engine, no_memory. */
#ifndef AARDVARK_FILES_H
#define AARDVARK_FILES_H

#include <stddef.h>
#include <stdint.h>

#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a file, in place of one that is there; directories on the way are made.  More errors: quota (there is no room
 * for its bytes, or for one more file): nothing has changed then. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_write_file(aard_isolate *isolate, const char *path, const void *data,
                                                            size_t len);

/* Reads a file whole into `*data`, which the caller owns (aard_string_free); a NUL that `*len` does not count follows.  A
 * file of more than `max_bytes` is invalid_argument; 0 = no limit. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_read_file(aard_isolate *isolate, const char *path, uint64_t max_bytes,
                                                           char **data, size_t *len);

/* Removes a file or a link, or a directory with everything in it. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_remove_file(aard_isolate *isolate, const char *path);

typedef enum aard_file_kind {
    AARD_FILE_REGULAR = 0,
    AARD_FILE_DIRECTORY = 1,
    AARD_FILE_LINK = 2 /* symbolic */
} aard_file_kind;

/* What stands below a directory.  Independent of the isolate; immutable. */
typedef struct aard_file_list aard_file_list;

/* Lists everything below a directory, which may be /session or /tmp itself, sorted by path.  What has a path of more than
 * 4096 characters below it is left out. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_list_files(aard_isolate *isolate, const char *path,
                                                            aard_file_list **out);
AARD_API void aard_file_list_free(aard_file_list *list); /* NULL is fine */
AARD_API size_t aard_file_list_count(const aard_file_list *list);
/* The path of one, whole, as the other functions take it. */
AARD_API const char *aard_file_list_path(const aard_file_list *list, size_t index);
AARD_API aard_file_kind aard_file_list_kind(const aard_file_list *list, size_t index);
/* Bytes of a file; 0 of anything else. */
AARD_API uint64_t aard_file_list_size(const aard_file_list *list, size_t index);
/* When it was changed, by the guest's word: nanoseconds since the Unix epoch. */
AARD_API int64_t aard_file_list_changed_ns(const aard_file_list *list, size_t index);

#ifdef __cplusplus
}
#endif

#endif
