#include <string.h>

#include "base/alloc.h"
#include "distribution/stage.h"

#define LOCK_TIMEOUT_MS (10 * 60 * 1000) /* a full distribution on a slow disk takes some minutes */

aard_error *aard_stage_options_new(aard_stage_options **out)
{
    AARD__NEED(out);
    aard_stage_options *options = aard__calloc(1, sizeof *options);
    if (!options) return aard__error_no_memory();
    options->lock_timeout_ms = LOCK_TIMEOUT_MS;
    *out = options;
    return NULL;
}

void aard_stage_options_free(aard_stage_options *options)
{
    if (!options) return;
    for (size_t i = 0; i < options->wheel_count; i++) aard__free(options->wheels[i]);
    aard__free(options->wheels);
    aard__free(options->version);
    aard__free(options->archive);
    aard__free(options->home);
    aard__free(options);
}

/* NULL puts the default back. */
static aard_error *set_text(char **slot, const char *text)
{
    char *copy = text ? aard__strdup(text) : NULL;
    if (text && !copy) return aard__error_no_memory();
    aard__free(*slot);
    *slot = copy;
    return NULL;
}

aard_error *aard_stage_options_set_version(aard_stage_options *options, const char *version)
{
    AARD__NEED(options);
    return set_text(&options->version, version);
}

aard_error *aard_stage_options_set_archive(aard_stage_options *options, const char *path)
{
    AARD__NEED(options);
    return set_text(&options->archive, path);
}

aard_error *aard_stage_options_set_home(aard_stage_options *options, const char *dir)
{
    AARD__NEED(options);
    return set_text(&options->home, dir);
}

aard_error *aard_stage_options_add_wheel(aard_stage_options *options, const char *path)
{
    AARD__NEED(options);
    AARD__NEED(path);
    char **wheels = aard__realloc(options->wheels, (options->wheel_count + 1) * sizeof *wheels);
    if (!wheels) return aard__error_no_memory();
    options->wheels = wheels;
    wheels[options->wheel_count] = aard__strdup(path);
    if (!wheels[options->wheel_count]) return aard__error_no_memory();
    options->wheel_count++;
    return NULL;
}

void aard_stage_options_set_variant(aard_stage_options *options, aard_variant variant)
{
    if (options) options->variant = variant;
}

void aard_stage_options_set_force(aard_stage_options *options, bool force)
{
    if (options) options->force = force;
}

void aard_stage_options_set_lock_timeout_ms(aard_stage_options *options, uint64_t ms)
{
    if (options) options->lock_timeout_ms = ms ? ms : LOCK_TIMEOUT_MS;
}

void aard_stage_options_set_progress(aard_stage_options *options, aard_stage_progress progress, void *user)
{
    if (!options) return;
    options->progress = progress;
    options->user = user;
}

/* ---- what was set ---------------------------------------------------------------------------------------------- */

#define GETTER(type, name, member)                                                                                     \
    type aard_stage_options_##name(const aard_stage_options *options) { return options ? options->member : (type)0; }

GETTER(const char *, version, version)
GETTER(const char *, archive, archive)
GETTER(const char *, home, home)
GETTER(aard_variant, variant, variant)
GETTER(bool, force, force)
GETTER(uint64_t, lock_timeout_ms, lock_timeout_ms)
GETTER(size_t, wheel_count, wheel_count)

const char *aard_stage_options_wheel(const aard_stage_options *options, size_t index)
{
    return options && index < options->wheel_count ? options->wheels[index] : NULL;
}

aard_stage_progress aard_stage_options_progress(const aard_stage_options *options, void **user)
{
    if (user) *user = options ? options->user : NULL;
    return options ? options->progress : NULL;
}
