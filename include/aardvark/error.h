/* Errors: what a function of this library returns when it fails.
 *
 * A function that can fail returns `aard_error *`: NULL means it succeeded.  An error is owned by the caller and freed
 * with aard_error_free.  On an error the function's outputs are left untouched.  include/aardvark.h has the rules for
 * arguments.
 *
 * A failure of the guest (an exception, a limit) is not an error of this kind: it is in the outcome. */
#ifndef AARDVARK_ERROR_H
#define AARDVARK_ERROR_H

#include <aardvark/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who is to act on an error.  The `aardvark` command's exit status is 2, 3 or 4 accordingly. */
typedef enum aard_error_class {
    AARD_CLASS_USAGE = 2, /* the call itself was wrong: a bad argument, a wrong order */
    AARD_CLASS_INPUT = 3, /* an input was refused: bundle, manifest, distribution, image */
    AARD_CLASS_HOST = 4   /* the host failed: memory, disk, threads, the engine */
} aard_error_class;

/* X(constant, name, class).  Numbers are stable: new codes go to the end of their block. */
#define AARD_ERROR_MAP(X)                                                                                              \
    X(AARD_ERR_NO_MEMORY, 1, "no_memory", AARD_CLASS_HOST)                                                             \
    X(AARD_ERR_INVALID_ARGUMENT, 2, "invalid_argument", AARD_CLASS_USAGE)                                              \
    X(AARD_ERR_IO, 3, "io", AARD_CLASS_HOST)                                                                           \
    X(AARD_ERR_ENGINE, 4, "engine", AARD_CLASS_HOST)                                                                   \
    X(AARD_ERR_THREAD, 5, "thread", AARD_CLASS_HOST)                                                                   \
    X(AARD_ERR_BUSY, 6, "busy", AARD_CLASS_USAGE)                                                                      \
    X(AARD_ERR_NOT_FOUND, 7, "not_found", AARD_CLASS_INPUT)                                                            \
    X(AARD_ERR_UNSUPPORTED, 8, "unsupported", AARD_CLASS_USAGE)                                                        \
    X(AARD_ERR_ENTRYPOINT_MISSING, 9, "entrypoint_missing", AARD_CLASS_INPUT)                                          \
    X(AARD_ERR_ENTRYPOINT_INVALID, 10, "entrypoint_invalid", AARD_CLASS_INPUT)                                         \
    X(AARD_ERR_UNTRUSTED, 11, "untrusted", AARD_CLASS_INPUT)                                                           \
    X(AARD_ERR_FORKED, 12, "forked", AARD_CLASS_USAGE)                                                                 \
    X(AARD_ERR_QUOTA, 13, "quota", AARD_CLASS_INPUT)                                                                   \
    X(AARD_ERR_HARDENING, 14, "hardening", AARD_CLASS_HOST)                                                            \
    X(AARD_ERR_BUNDLE_NOT_ZIP, 100, "bundle_not_zip", AARD_CLASS_INPUT)                                                \
    X(AARD_ERR_BUNDLE_CORRUPT, 101, "bundle_corrupt", AARD_CLASS_INPUT)                                                \
    X(AARD_ERR_BUNDLE_ENCRYPTED, 102, "bundle_encrypted", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_BUNDLE_ABSOLUTE_PATH, 103, "bundle_absolute_path", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_BUNDLE_PARENT_PATH, 104, "bundle_parent_path", AARD_CLASS_INPUT)                                        \
    X(AARD_ERR_BUNDLE_BACKSLASH, 105, "bundle_backslash", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_BUNDLE_NUL, 106, "bundle_nul", AARD_CLASS_INPUT)                                                        \
    X(AARD_ERR_BUNDLE_NAME_NOT_UTF8, 107, "bundle_name_not_utf8", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_BUNDLE_NAME_INVALID, 108, "bundle_name_invalid", AARD_CLASS_INPUT)                                      \
    X(AARD_ERR_BUNDLE_SYMLINK, 109, "bundle_symlink", AARD_CLASS_INPUT)                                                \
    X(AARD_ERR_BUNDLE_FILE_TYPE, 110, "bundle_file_type", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_BUNDLE_DUPLICATE, 111, "bundle_duplicate", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_BUNDLE_TOO_MANY_ENTRIES, 112, "bundle_too_many_entries", AARD_CLASS_INPUT)                              \
    X(AARD_ERR_BUNDLE_TOO_LARGE, 113, "bundle_too_large", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_BUNDLE_SIZE_MISMATCH, 114, "bundle_size_mismatch", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_BUNDLE_CHECKSUM, 115, "bundle_checksum", AARD_CLASS_INPUT)                                              \
    X(AARD_ERR_BUNDLE_COMPRESSION, 116, "bundle_compression", AARD_CLASS_INPUT)                                        \
    X(AARD_ERR_BUNDLE_CONFLICT, 117, "bundle_conflict", AARD_CLASS_INPUT)                                              \
    X(AARD_ERR_MANIFEST_SYNTAX, 150, "manifest_syntax", AARD_CLASS_INPUT)                                              \
    X(AARD_ERR_MANIFEST_TYPE, 151, "manifest_type", AARD_CLASS_INPUT)                                                  \
    X(AARD_ERR_MANIFEST_UNKNOWN_KEY, 152, "manifest_unknown_key", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_MANIFEST_MISSING_KEY, 153, "manifest_missing_key", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_MANIFEST_DUPLICATE_KEY, 154, "manifest_duplicate_key", AARD_CLASS_INPUT)                                \
    X(AARD_ERR_MANIFEST_TOO_LARGE, 155, "manifest_too_large", AARD_CLASS_INPUT)                                        \
    X(AARD_ERR_MANIFEST_SCHEMA_VERSION, 156, "manifest_schema_version", AARD_CLASS_INPUT)                              \
    X(AARD_ERR_MANIFEST_ENTRYPOINT, 157, "manifest_entrypoint", AARD_CLASS_INPUT)                                      \
    X(AARD_ERR_MANIFEST_PACKAGES, 158, "manifest_packages", AARD_CLASS_INPUT)                                          \
    X(AARD_ERR_MANIFEST_LANGUAGE, 159, "manifest_language", AARD_CLASS_INPUT)                                          \
    X(AARD_ERR_MANIFEST_PYODIDE_VERSION, 160, "manifest_pyodide_version", AARD_CLASS_INPUT)                            \
    X(AARD_ERR_MANIFEST_PROFILE, 161, "manifest_profile", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_MANIFEST_PRELOAD_IMPORTS, 162, "manifest_preload_imports", AARD_CLASS_INPUT)                            \
    X(AARD_ERR_MANIFEST_CPU, 163, "manifest_cpu", AARD_CLASS_INPUT)                                                    \
    X(AARD_ERR_MANIFEST_NETWORK, 164, "manifest_network", AARD_CLASS_INPUT)                                            \
    X(AARD_ERR_MANIFEST_FILESYSTEM, 165, "manifest_filesystem", AARD_CLASS_INPUT)                                      \
    X(AARD_ERR_MANIFEST_CAPABILITIES, 166, "manifest_capabilities", AARD_CLASS_INPUT)                                  \
    X(AARD_ERR_MANIFEST_ENCODING, 167, "manifest_encoding", AARD_CLASS_INPUT)                                          \
    X(AARD_ERR_DISTRIBUTION_NOT_FOUND, 200, "distribution_not_found", AARD_CLASS_INPUT)                                \
    X(AARD_ERR_DISTRIBUTION_INVALID, 201, "distribution_invalid", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_DISTRIBUTION_CORRUPT, 202, "distribution_corrupt", AARD_CLASS_INPUT)                                    \
    X(AARD_ERR_DISTRIBUTION_MISMATCH, 203, "distribution_mismatch", AARD_CLASS_INPUT)                                  \
    X(AARD_ERR_STAGE_SOURCE, 204, "stage_source", AARD_CLASS_INPUT)                                                    \
    X(AARD_ERR_STAGE_TOOL, 205, "stage_tool", AARD_CLASS_HOST)                                                         \
    X(AARD_ERR_PACKAGE_NOT_FOUND, 206, "package_not_found", AARD_CLASS_INPUT)                                          \
    X(AARD_ERR_WHEEL_INVALID, 207, "wheel_invalid", AARD_CLASS_INPUT)                                                  \
    X(AARD_ERR_WARM_CORRUPT, 220, "warm_corrupt", AARD_CLASS_INPUT)                                                    \
    X(AARD_ERR_WARM_MISMATCH, 221, "warm_mismatch", AARD_CLASS_INPUT)                                                  \
    X(AARD_ERR_WARM_CAPTURE, 222, "warm_capture", AARD_CLASS_INPUT)                                                    \
    X(AARD_ERR_WARM_SIGNATURE, 223, "warm_signature", AARD_CLASS_INPUT)                                                \
    X(AARD_ERR_GUEST_BOOT, 250, "guest_boot", AARD_CLASS_HOST)                                                         \
    X(AARD_ERR_POOL_FULL, 280, "pool_full", AARD_CLASS_HOST)                                                           \
    X(AARD_ERR_POOL_TIMEOUT, 281, "pool_timeout", AARD_CLASS_HOST)                                                     \
    X(AARD_ERR_POOL_CLOSED, 282, "pool_closed", AARD_CLASS_USAGE)                                                      \
    X(AARD_ERR_POOL_CANCELLED, 283, "pool_cancelled", AARD_CLASS_USAGE)

typedef enum aard_error_code {
#define AARD_ERROR_ENUM(constant, number, name, error_class) constant = number,
    AARD_ERROR_MAP(AARD_ERROR_ENUM)
#undef AARD_ERROR_ENUM
} aard_error_code;

/* One error.  Immutable; may be read from any thread. */
typedef struct aard_error aard_error;

/* The error's code; 0, which is no code, for NULL. */
AARD_API aard_error_code aard_error_get_code(const aard_error *error);

/* The class of the error's code. */
AARD_API aard_error_class aard_error_get_class(const aard_error *error);

/* What was wrong, where, and what to do: UTF-8, NUL-terminated, one line.  Lives as long as the error.
 * NULL for NULL. */
AARD_API const char *aard_error_message(const aard_error *error);

/* The name of a code, as in AARD_ERROR_MAP; "unknown" for any other number. Static storage. */
AARD_API const char *aard_error_code_name(aard_error_code code);

/* Frees an error; NULL is fine.  Never fails. */
AARD_API void aard_error_free(aard_error *error);

#ifdef __cplusplus
}
#endif

#endif
