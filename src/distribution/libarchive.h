/* libarchive, loaded when the first archive is read (base/library.h). */
#ifndef AARD_DISTRIBUTION_LIBARCHIVE_H
#define AARD_DISTRIBUTION_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include <aardvark/error.h>

#define AARD__ARCHIVE_FUNCTIONS(X)                                                                                     \
    X(entry_filetype)                                                                                                  \
    X(entry_hardlink)                                                                                                  \
    X(entry_pathname)                                                                                                  \
    X(entry_pathname_utf8)                                                                                             \
    X(error_string)                                                                                                    \
    X(filter_bytes)                                                                                                    \
    X(read_data)                                                                                                       \
    X(read_free)                                                                                                       \
    X(read_new)                                                                                                        \
    X(read_next_header)                                                                                                \
    X(read_open_fd)                                                                                                    \
    X(read_support_filter_bzip2)                                                                                       \
    X(read_support_filter_gzip)                                                                                        \
    X(read_support_format_tar)

typedef struct aard__libarchive {
#define AARD__ARCHIVE_MEMBER(name) __typeof__(&archive_##name) name;
    AARD__ARCHIVE_FUNCTIONS(AARD__ARCHIVE_MEMBER)
#undef AARD__ARCHIVE_MEMBER
} aard__libarchive;

/* Static storage.  Error: unsupported, where the library is not there or too old. */
aard_error *aard__libarchive_load(const aard__libarchive **out);

#endif
