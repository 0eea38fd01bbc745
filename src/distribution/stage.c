#include "distribution/stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "distribution/distribution.h"
#include "distribution/source.h"
#include "distribution/staging_dir.h"

typedef struct staging {
    const aard_stage_options *options;
    const char *home;
    const aard__line *line;
    const char *origin; /* of the files, for messages */
    aard__staging_dir staging;
    aard__file_set set;
    aard__lock *lock;
    aard__lock_origin lock_origin;
    aard__dist_manifest *manifest;
} staging;

static void report(const staging *s, const char *step)
{
    if (s->options->progress) s->options->progress(s->options->user, step, 0, 0);
}

static void report_waiting(void *user, const char *holder)
{
    char step[128];
    snprintf(step, sizeof step, "waiting for %s, which stages here", holder);
    report(user, step);
}

/* ---- where it is already ---------------------------------------------------------------------------------- */

/* Opens HOME/`name` where it is whole and has that fingerprint; anything else is no error, there is just none. */
static aard_error *open_existing(const char *home, const char *name, const char *fingerprint, aard_distribution **out)
{
    char *dir = aard__path_join(home, name);
    if (!dir) return aard__error_no_memory();
    aard_distribution *distribution = NULL;
    aard_error_free(aard__distribution_open_dir(dir, &distribution));
    aard__free(dir);
    if (!distribution) return NULL;
    if (strcmp(aard_distribution_fingerprint(distribution), fingerprint) == 0)
        *out = distribution;
    else
        aard_distribution_free(distribution);
    return NULL;
}

/* A core distribution without additions is known by its pins alone, before any source is asked. */
static aard_error *find_plain_core(const staging *s, aard_distribution **out)
{
    const aard_stage_options *options = s->options;
    if (options->force || options->archive || options->wheel_count) return NULL;
    char *name = NULL;
    aard__dist_manifest *manifest = NULL;
    AARD__TRY(aard__dist_manifest_new(s->line->pins->version, &manifest));
    aard_error *error = NULL;
    for (size_t i = 0; i < AARD__PINNED_FILES && !error; i++)
        error = aard__dist_manifest_add(manifest, s->line->pins->files[i].name, s->line->pins->files[i].size,
                                        s->line->pins->files[i].blake2b);
    if (!error) {
        aard__dist_manifest_seal(manifest);
        name = aard__distribution_dir_name(s->line, AARD_VARIANT_CORE, NULL);
        error = name ? open_existing(s->home, name, manifest->fingerprint, out) : aard__error_no_memory();
    }
    aard__free(name);
    aard__dist_manifest_free(manifest);
    return error;
}

/* ---- the files -------------------------------------------------------------------------------------------- */

static aard_error *take_files(staging *s)
{
    const aard_stage_options *options = s->options;
    aard__source source = {.line = s->line,
                           .set = &s->set,
                           .packages = options->variant == AARD_VARIANT_FULL,
                           .progress = options->progress,
                           .user = options->user};
    struct stat st;
    if (!options->archive) return aard__source_npm(&source, s->staging.scratch);
    if (stat(options->archive, &st) == 0 && S_ISDIR(st.st_mode))
        return aard__source_directory(&source, options->archive);
    return aard__source_archive(&source, options->archive);
}

static aard_error *check_pin(staging *s, const aard__pinned_file *pin)
{
    const aard__set_file *file = aard__file_set_find(&s->set, pin->name);
    if (!file) return aard__error(AARD_ERR_STAGE_SOURCE, "'%s' is missing in %s", pin->name, s->origin);
    if (file->size == pin->size && strcmp(file->sha256, pin->sha256) == 0 && strcmp(file->blake2b, pin->blake2b) == 0)
        return NULL;
    if (strcmp(pin->name, AARD__FILE_LOCK) == 0 && s->options->variant == AARD_VARIANT_FULL) {
        s->lock_origin = AARD__LOCK_CUSTOM;
        return NULL;
    }
    return aard__error(AARD_ERR_STAGE_SOURCE,
                       "'%s' in %s is not Pyodide %s's: it has %llu bytes and the SHA-256 %s, and should have %llu and "
                       "%s; get that version again",
                       pin->name, s->origin, s->line->pins->version, (unsigned long long)file->size, file->sha256,
                       (unsigned long long)pin->size, pin->sha256);
}

static aard_error *read_lock(staging *s)
{
    char *path = aard__path_join(s->staging.product, AARD__FILE_LOCK), *text = NULL;
    size_t len = 0;
    aard_error *error = path ? aard__file_read(path, AARD__LOCK_MAX, &text, &len) : aard__error_no_memory();
    if (!error) error = aard__lock_parse(text, len, AARD__FILE_LOCK, AARD_ERR_STAGE_SOURCE, &s->lock);
    if (error && aard_error_get_code(error) == AARD_ERR_STAGE_SOURCE)
        error = aard__error_prefix(error, "in %s", s->origin);
    aard__free(text);
    aard__free(path);
    AARD__TRY(error);
    if (strcmp(s->lock->python, s->line->pins->python) != 0 ||
        strcmp(s->lock->abi_version, s->line->pins->abi_version) != 0 ||
        strcmp(s->lock->platform, s->line->pins->platform) != 0)
        return aard__error(AARD_ERR_STAGE_SOURCE,
                           "the lock file in %s is for packages of Python %s, ABI %s, %s; Pyodide %s has %s, %s, %s",
                           s->origin, s->lock->python, s->lock->abi_version, s->lock->platform, s->line->pins->version,
                           s->line->pins->python, s->line->pins->abi_version, s->line->pins->platform);
    return NULL;
}

/* Every package's file is there with the lock's hash (in the full variant), and nothing but such files. */
static aard_error *check_packages(staging *s)
{
    bool full = s->options->variant == AARD_VARIANT_FULL;
    for (size_t i = 0; i < s->lock->count; i++) {
        const aard__package *package = &s->lock->packages[i];
        const aard__set_file *file = aard__file_set_find(&s->set, package->file_name);
        if (!file && full && !aard__lock_optional(package))
            return aard__error(
                AARD_ERR_STAGE_SOURCE,
                "'%s' (the package '%s') is missing in %s: the full variant needs every file that the lock "
                "names",
                package->file_name, package->name, s->origin);
        if (file && strcmp(file->sha256, package->sha256) != 0)
            return aard__error(
                AARD_ERR_STAGE_SOURCE,
                "'%s' (the package '%s') in %s has the SHA-256 %s, and its lock file says %s: get it again",
                package->file_name, package->name, s->origin, file->sha256, package->sha256);
    }
    return NULL;
}

static bool belongs(const staging *s, const char *name)
{
    if (aard__pins_find(s->line->pins, name)) return true;
    for (size_t i = 0; i < s->lock->count; i++)
        if (strcmp(s->lock->packages[i].file_name, name) == 0) return true;
    return false;
}

static aard_error *drop_others(staging *s)
{
    for (size_t i = s->set.count; i-- > 0;)
        if (!belongs(s, s->set.files[i].name)) AARD__TRY(aard__file_set_drop(&s->set, s->set.files[i].name));
    return NULL;
}

static aard_error *gather(staging *s)
{
    AARD__TRY(take_files(s));
    report(s, "checking");
    for (size_t i = 0; i < AARD__PINNED_FILES; i++) AARD__TRY(check_pin(s, &s->line->pins->files[i]));
    AARD__TRY(read_lock(s));
    if (s->options->wheel_count) {
        AARD__TRY(aard__stage_wheels(s->options, s->line, &s->set, &s->lock));
        s->lock_origin = AARD__LOCK_EDITED;
    }
    AARD__TRY(check_packages(s));
    return drop_others(s);
}

/* ---- the distribution ------------------------------------------------------------------------------------- */

static aard_error *make_manifest(staging *s)
{
    AARD__TRY(aard__dist_manifest_new(s->line->pins->version, &s->manifest));
    s->manifest->variant = s->options->variant;
    s->manifest->lock = s->lock_origin;
    for (size_t i = 0; i < s->set.count; i++) {
        const aard__set_file *file = &s->set.files[i];
        AARD__TRY(aard__dist_manifest_add(s->manifest, file->name, file->size, file->blake2b));
    }
    aard__dist_manifest_seal(s->manifest);
    return NULL;
}

static aard_error *publish(staging *s, const char *name, aard_distribution **out)
{
    aard__buf text = AARD__BUF_INIT;
    char *dir = aard__path_join(s->home, name);
    aard__dist_manifest_write(s->manifest, &text);
    aard_error *error = dir && !text.failed ? aard__file_set_put(&s->set, AARD__DIST_MANIFEST, text.data, text.len)
                                            : aard__error_no_memory();
    if (!error) error = aard__staging_dir_publish(&s->staging, name, s->options->force);
    if (!error) error = aard__distribution_open_dir(dir, out);
    aard__buf_free(&text);
    aard__free(dir);
    return error;
}

static aard_error *build(staging *s, aard_distribution **out, bool *already)
{
    AARD__TRY(gather(s));
    AARD__TRY(make_manifest(s));
    bool plain = s->lock_origin == AARD__LOCK_PINNED;
    char *name = aard__distribution_dir_name(s->line, s->options->variant, plain ? NULL : s->manifest->fingerprint);
    if (!name) return aard__error_no_memory();
    aard_error *error = NULL;
    if (!s->options->force) error = open_existing(s->home, name, s->manifest->fingerprint, out);
    *already = *out != NULL;
    report(s, "writing");
    if (!error && !*out) error = publish(s, name, out);
    aard__free(name);
    return error;
}

static aard_error *check_options(const aard_stage_options *options, const aard__line **out)
{
    char versions[AARD__LINE_VERSIONS];
    const aard__line *line = options->version ? aard__line_of(options->version) : &aard__lines[0];
    if (!line)
        return aard__error(AARD_ERR_STAGE_SOURCE, "Pyodide '%s' is not supported: this library runs %s",
                           options->version, aard__line_versions(versions));
    if (options->variant != AARD_VARIANT_CORE && options->variant != AARD_VARIANT_FULL)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown variant %d", (int)options->variant);
    if (options->variant == AARD_VARIANT_FULL && !options->archive)
        return aard__error(AARD_ERR_STAGE_SOURCE,
                           "the npm package has no packages in it: the full variant needs the release archive "
                           "(pyodide-%s.tar.bz2) with --archive",
                           line->pins->version);
    *out = line;
    return NULL;
}

static aard_error *stage(staging *s, aard_distribution **out, bool *already)
{
    AARD__TRY(find_plain_core(s, out));
    *already = *out != NULL;
    if (*out) return NULL;
    const aard__staging_dir_wait wait = {s->options->lock_timeout_ms, report_waiting, s};
    AARD__TRY(aard__staging_dir_open(s->home, &wait, &s->staging));
    aard__file_set_init(&s->set, s->staging.dir);
    aard_error *error = find_plain_core(s, out); /* another staging may have done it while this one waited */
    *already = *out != NULL;
    if (!error && !*out) error = build(s, out, already);
    aard__dist_manifest_free(s->manifest);
    aard__lock_free(s->lock);
    aard__file_set_free(&s->set);
    aard__staging_dir_close(&s->staging);
    return error;
}

aard_error *aard_distribution_stage(const aard_stage_options *options, aard_distribution **out, bool *already_there)
{
    AARD__NEED(options);
    AARD__NEED(out);
    const aard__line *line = NULL;
    AARD__TRY(check_options(options, &line));
    AARD__TRY(aard__hash_start_library());
    char *home = NULL, *origin = NULL;
    aard__buf text = AARD__BUF_INIT;
    if (options->archive)
        aard__buf_printf(&text, "'%s'", options->archive);
    else
        aard__buf_printf(&text, "the npm package pyodide@%s", line->pins->version);
    origin = aard__buf_take(&text, NULL);
    aard_error *error = NULL;
    if (!options->home) error = aard_distribution_home(&home);
    aard_distribution *distribution = NULL;
    bool already = false;
    staging s = {.options = options, .home = options->home ? options->home : home, .line = line, .origin = origin};
    if (!error) error = origin ? stage(&s, &distribution, &already) : aard__error_no_memory();
    aard__free(origin);
    aard__free(home);
    if (error) return error;
    *out = distribution;
    if (already_there) *already_there = already;
    return NULL;
}
