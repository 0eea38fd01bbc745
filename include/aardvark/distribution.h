/* Distributions: a staged Pyodide, with the hash of every file and a fingerprint over all of it.
 *
 * A distribution is a directory made by aard_distribution_stage (or `aardvark assets stage`).  An open distribution is
 * immutable and reference-counted; it may be used by any number of isolates on any threads. */
#ifndef AARDVARK_DISTRIBUTION_H
#define AARDVARK_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_distribution aard_distribution;

typedef enum aard_variant { AARD_VARIANT_CORE = 0, AARD_VARIANT_FULL = 1 } aard_variant;

/* Opens the distribution in `dir`.  With dir NULL: the directory named by the environment variable
 * AARDVARK_PYODIDE_DIST_DIR, else the default staged one: of those in aard_distribution_home that this version of the
 * library staged, the core variant without additions, else the first in name order.  Reads the distribution manifest
 * and checks that each file it names is there with its size; contents are checked by aard_distribution_verify.  The
 * content of a distribution is executed: it, its `cache/` and all directories above must be owned by the user or
 * root, and must not be writable by group or others.  A derived file in `cache/` that violates this is ignored.
 * Errors: untrusted (naming the path and the remedy), distribution_not_found, distribution_invalid,
 * distribution_corrupt (altered, or a file missing or of another size), distribution_mismatch (another Pyodide's, or
 * staged by another version of the library), io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_open(const char *dir, aard_distribution **out);

/* Reads every file and compares its hash.  The message of distribution_corrupt names the first file that differs, is
 * missing, or is there without being listed (`cache/` aside, where derived files live).  Any thread.
 * Errors: distribution_corrupt, io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_verify(const aard_distribution *distribution);

/* Adds a reference; returns its argument.  Any thread. */
AARD_API aard_distribution *aard_distribution_retain(aard_distribution *distribution);
/* Drops a reference; the last one frees it.  NULL is fine.  Any thread. */
AARD_API void aard_distribution_free(aard_distribution *distribution);

/* Sets the host's key, `len` bytes (16 or more; copied): every warm state and image written for this distribution is
 * then signed with it, and unsigned ones are refused (warm_signature), in files and in catalogs.  The distribution's
 * own base image is ignored until aard_distribution_prepare has rebuilt it.  NULL removes the key: signatures are not
 * checked.  A key proves who wrote a file; other executed files are protected by owner and mode alone
 * (docs/warm-state.md).  Call it right after opening, before the distribution is used.  Errors: invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_set_key(aard_distribution *distribution, const void *key,
                                                              size_t len);

/* All of these live as long as the distribution. */
AARD_API const char *aard_distribution_dir(const aard_distribution *distribution);
AARD_API const char *aard_distribution_pyodide_version(const aard_distribution *distribution);
AARD_API aard_variant aard_distribution_variant(const aard_distribution *distribution);
/* BLAKE2b-256 over the file hashes, the Pyodide version and the layout: 64 lowercase hex digits. */
AARD_API const char *aard_distribution_fingerprint(const aard_distribution *distribution);

/* The packages whose files are in the distribution: their number, and the name of each (`version` may be NULL),
 * sorted by name.  Any thread. 0 if the lock file can't be read, which verify reports. */
AARD_API size_t aard_distribution_package_count(const aard_distribution *distribution);
AARD_API const char *aard_distribution_package(const aard_distribution *distribution, size_t index,
                                               const char **version);

/* Opens a distribution that has the packages: aard_distribution_open(NULL) if it has all of them and their
 * dependencies, else the first in aard_distribution_home, in name order, that does; else again the former.  Errors:
 * those of aard_distribution_open. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_find(const char *const *packages, size_t count,
                                                           aard_distribution **out);

/* The directory below which distributions are staged: $AARDVARK_HOME/distributions, else
 * $XDG_DATA_HOME/aardvark/distributions, else ~/.local/share/aardvark/distributions.
 * Writes a NUL-terminated path owned by the caller, freed with aard_string_free. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_home(char **out);

/* Calls `each` for every distribution below `home` (NULL = the default), in name order, with its directory and either
 * the open distribution (borrowed for the call) or the error that opening it gave (borrowed).  Returning false from
 * `each` stops.  Called on the caller's thread. */
typedef bool (*aard_distribution_visit)(void *user, const char *dir, const aard_distribution *distribution,
                                        const aard_error *error);
AARD_API AARD_NODISCARD aard_error *aard_distribution_list(const char *home, aard_distribution_visit each, void *user);

/* Options of staging. Strings are copied by the setters; NULL restores a default.  One thread at a time. */
typedef struct aard_stage_options aard_stage_options;
AARD_API AARD_NODISCARD aard_error *aard_stage_options_new(aard_stage_options **out);
AARD_API void aard_stage_options_free(aard_stage_options *options);
AARD_API AARD_NODISCARD aard_error *aard_stage_options_set_version(aard_stage_options *options, const char *version);
AARD_API const char *aard_stage_options_version(const aard_stage_options *options);
AARD_API void aard_stage_options_set_variant(aard_stage_options *options, aard_variant variant);
AARD_API aard_variant aard_stage_options_variant(const aard_stage_options *options);
/* Source: an upstream release archive (.tar.bz2, .tar.gz), the npm package's .tgz, or a directory that holds an
 * unpacked one.  Without a source the npm package is fetched with the machine's npm (core variant only), a child
 * process that has ended when staging returns. */
AARD_API AARD_NODISCARD aard_error *aard_stage_options_set_archive(aard_stage_options *options, const char *path);
AARD_API const char *aard_stage_options_archive(const aard_stage_options *options);
/* One more wheel to add; may be called repeatedly.  It replaces a package of that name. */
AARD_API AARD_NODISCARD aard_error *aard_stage_options_add_wheel(aard_stage_options *options, const char *path);
AARD_API size_t aard_stage_options_wheel_count(const aard_stage_options *options);
AARD_API const char *aard_stage_options_wheel(const aard_stage_options *options, size_t index);
/* Stage again even if the distribution exists, and replace whatever else has its name. */
AARD_API void aard_stage_options_set_force(aard_stage_options *options, bool force);
AARD_API bool aard_stage_options_force(const aard_stage_options *options);
/* Milliseconds to wait for another staging in the same home; 0 = ten minutes (the default). */
AARD_API void aard_stage_options_set_lock_timeout_ms(aard_stage_options *options, uint64_t ms);
AARD_API uint64_t aard_stage_options_lock_timeout_ms(const aard_stage_options *options);
/* Where distributions live; NULL = aard_distribution_home. */
AARD_API AARD_NODISCARD aard_error *aard_stage_options_set_home(aard_stage_options *options, const char *dir);
AARD_API const char *aard_stage_options_home(const aard_stage_options *options);
/* Progress: `step` is a short phrase; done and total are bytes of it, or wheels (total 0 = unknown).  Called on the
 * caller's thread. */
typedef void (*aard_stage_progress)(void *user, const char *step, uint64_t done, uint64_t total);
AARD_API void aard_stage_options_set_progress(aard_stage_options *options, aard_stage_progress progress, void *user);
/* NULL if none is set; `*user` (may be NULL) receives its user pointer. */
AARD_API aard_stage_progress aard_stage_options_progress(const aard_stage_options *options, void **user);

/* Stages a distribution: everything is checked and written below a temporary directory beside the target, which is
 * then renamed; a failure or a kill at any time leaves no partial distribution.  If an identical one is already
 * staged (and `force` is off) it is opened instead and `*already_there` (may be NULL) is set to true, otherwise to
 * false.  Waits while another process stages in the same home; the progress names it after a second.  Anything at the
 * target that is not a distribution is an error, unless `force` is on.  Errors: stage_source (a file missing, unknown
 * or with the wrong hash), stage_tool (npm), wheel_invalid, not_found (the source or a wheel), untrusted (others can
 * write where distributions live), invalid_argument, io, no_memory. */
AARD_API AARD_NODISCARD aard_error *aard_distribution_stage(const aard_stage_options *options, aard_distribution **out,
                                                            bool *already_there);

/* Frees a string returned by a function of this library; NULL is fine. */
AARD_API void aard_string_free(char *string);

#ifdef __cplusplus
}
#endif

#endif
