/* Warm states as files, in the catalog, and as what guests start from. */
#include "guest/python/warm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/new_file.h"
#include "distribution/distribution.h"
#include "guest/python/packages.h"
#include "guest/python/python_layout.h"
#include "guest/python/python_shared.h"
#include "warm/catalog.h"

/* ---- files -------------------------------------------------------------------------------------------------- */

/* The packages are unpacked from the distribution, which is the same; so must be what comes of it. */
static aard_error *find_overlay(aard_warm_state *state, const char *path, aard_catalog *catalog)
{
    if (!state->packages) return NULL;
    const aard__packages_rules rules = {.catalog = catalog};
    AARD__TRY(aard__packages_overlay(state->distribution, state->packages, &rules, &state->overlay));
    if (!strcmp(aard__overlay_digest(state->overlay), state->overlay_digest)) return NULL;
    return aard__error(AARD_ERR_WARM_MISMATCH,
                       "the warm state '%s' does not fit: its overlay is %s and not %s; rebuild it", path,
                       state->overlay_digest, aard__overlay_digest(state->overlay));
}

/* Takes the image. */
static aard_error *make_state(aard__image *image, const char *path, aard_distribution *distribution,
                              aard_catalog *catalog, aard_warm_state **out)
{
    aard_warm_state *state = NULL;
    AARD__TRY(aard__warm_state_new(image, distribution, &state));
    aard_error *error = distribution ? find_overlay(state, path, catalog) : NULL;
    if (error) {
        aard_warm_state_free(state);
        return error;
    }
    *out = state;
    return NULL;
}

/* `catalog`, for its packages, may be NULL. */
static aard_error *open_state(const char *path, const char *wanted, aard_distribution *distribution,
                              aard_catalog *catalog, aard_warm_state **out)
{
    aard__image *image;
    AARD__TRY(aard__image_open(path, wanted, distribution ? aard__distribution_key(distribution) : NULL, &image));
    return make_state(image, path, distribution, catalog, out);
}

/* The lines that the key of an image for `distribution` (may be NULL) has. */
static aard_error *wanted_key(aard_distribution *distribution, char **out)
{
    const char *layout = NULL;
    if (distribution) AARD__TRY(aard__python_layout_name(distribution, &layout));
    *out = distribution ? aard__python_image_key(distribution, layout) : aard__strdup("");
    return *out ? NULL : aard__error_no_memory();
}

aard_error *aard__warm_state_open_with(const char *path, aard_distribution *distribution, aard_catalog *catalog,
                                       aard_warm_state **out)
{
    char *wanted;
    AARD__TRY(wanted_key(distribution, &wanted));
    aard_error *error = open_state(path, wanted, distribution, catalog, out);
    aard__free(wanted);
    return error;
}

aard_error *aard__warm_state_open_sealed(int fd, aard_distribution *distribution, aard_catalog *catalog,
                                         aard_warm_state **out)
{
    static const char name[] = "a state from another process";
    char *wanted;
    aard__image *image;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return aard__error_errno(AARD_ERR_BUSY, errno, "%s can't be opened", name);
    aard_error *error = wanted_key(distribution, &wanted);
    if (error) {
        close(copy);
        return error;
    }
    error = aard__image_open_file(copy, name, wanted, NULL, &image);
    aard__free(wanted);
    return error ? error : make_state(image, name, distribution, catalog, out);
}

aard_error *aard_warm_state_open(const char *path, aard_distribution *distribution, aard_warm_state **out)
{
    AARD__NEED(path);
    AARD__NEED(out);
    return aard__warm_state_open_with(path, distribution, NULL, out);
}

/* Whoever looks at a state only has no key, and a file that nobody signed stays so. */
static const aard__signing_key *key_of(const aard_warm_state *state)
{
    return state->distribution ? aard__distribution_key(state->distribution) : NULL;
}

aard_error *aard_warm_state_write(const aard_warm_state *state, const char *path)
{
    AARD__NEED(state);
    AARD__NEED(path);
    return aard__image_save(state->image, path, AARD__MODE_PRIVATE, key_of(state));
}

/* ---- isolates ----------------------------------------------------------------------------------------------- */

aard_error *aard__warm_state_begin(aard__guest *guest)
{
    const aard_warm_state *state = guest->start.warm;
    guest->start.image = state->image;
    if (!state->overlay) return NULL;
    guest->start.packages = aard__strdup(state->packages);
    if (!guest->start.packages) return aard__error_no_memory();
    guest->start.overlay = aard__overlay_retain(state->overlay);
    return NULL;
}

aard_error *aard__warm_state_fits(aard_isolate_config *config)
{
    const aard_warm_state *state = config->warm;
    if (!state) return NULL;
    if (config->settings.language != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "only Python starts from a warm state");
    if (!state->distribution)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "the warm state was opened without a distribution, and can only be inspected");
    if (aard__warm_state_has_javascript(state) && !aard__config_grants(config, "js"))
        return aard__error(AARD_ERR_WARM_MISMATCH, "the warm state does not fit: it was made with the capability 'js', "
                                                   "which this isolate is not granted");
    if (!config->distribution) aard_isolate_config_set_distribution(config, state->distribution);
    const char *have = aard_distribution_fingerprint(config->distribution);
    if (!strcmp(have, state->distribution_fingerprint)) return NULL;
    return aard__error(AARD_ERR_WARM_MISMATCH, "the warm state does not fit: its distribution is %s and not %s",
                       state->distribution_fingerprint, have);
}

aard_error *aard__warm_state_takes(const aard_warm_state *state, const aard_bundle *bundle)
{
    if (!state || !state->bundle || !strcmp(state->bundle, aard_bundle_digest(bundle))) return NULL;
    return aard__error(AARD_ERR_WARM_MISMATCH,
                       "the warm state does not fit: its bundle is %s and not %s; start the isolate without it",
                       state->bundle, aard_bundle_digest(bundle));
}

/* ---- the catalog -------------------------------------------------------------------------------------------- */

/* What an entry is found by: distribution, packages and bundle. */
static aard_error *entry_key(aard_distribution *distribution, const char *packages, const char *bundle, char **out)
{
    aard__buf key = AARD__BUF_INIT;
    const char *layout;
    AARD__TRY(aard__python_layout_name(distribution, &layout));
    char *base = aard__python_image_key(distribution, layout);
    if (!base) return aard__error_no_memory();
    aard__buf_printf(&key, "%s%s", base, packages ? packages : "");
    if (bundle) aard__buf_printf(&key, "bundle=%s\n", bundle);
    aard__free(base);
    *out = aard__buf_take(&key, NULL);
    return *out ? NULL : aard__error_no_memory();
}

static aard_error *entry_of(aard_distribution *distribution, const aard_bundle *bundle, char **out)
{
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    size_t count = manifest ? aard_manifest_package_count(manifest) : 0;
    const char **names = aard__calloc(count + 1, sizeof *names);
    char *packages = NULL;
    if (!names) return aard__error_no_memory();
    for (size_t i = 0; i < count; i++) names[i] = aard_manifest_package(manifest, i);
    aard_error *error = aard__packages_lines(distribution, names, count, &packages);
    if (!error) error = entry_key(distribution, packages, bundle ? aard_bundle_digest(bundle) : NULL, out);
    aard__free(packages);
    aard__free(names);
    return error;
}

aard_error *aard_catalog_find(aard_catalog *catalog, aard_distribution *distribution, const aard_bundle *bundle,
                              aard_warm_state **out)
{
    AARD__NEED(catalog);
    AARD__NEED(distribution);
    AARD__NEED(out);
    char *key = NULL, *path = NULL;
    aard_warm_state *state = NULL;
    aard_error *error = entry_of(distribution, bundle, &key);
    if (!error) error = aard__catalog_path(catalog, AARD__CATALOG_STATE, key, &path);
    if (!error) {
        int fd = aard__catalog_open_entry(catalog, path); /* before: a damaged file is removed only if it is this one */
        aard_error *refused = fd < 0 ? NULL : open_state(path, key, distribution, catalog, &state);
        /* Not one whose signature is another key's, nor one that could only not be read now. */
        if (refused && aard_error_get_code(refused) == AARD_ERR_WARM_CORRUPT) aard__catalog_discard(catalog, path, fd);
        if (fd >= 0) close(fd);
        if (refused && aard_error_get_code(refused) == AARD_ERR_NO_MEMORY) { /* which says nothing about the entry */
            error = refused;
        } else {
            aard__log_error(AARD_LOG_WARNING, refused, "a warm state of the catalog is not used");
            *out = state;
        }
    }
    aard__free(path);
    aard__free(key);
    return error;
}

static aard_error *write_state(void *user, int fd)
{
    const aard_warm_state *state = user;
    return aard__image_write(state->image, fd, key_of(state));
}

aard_error *aard_catalog_store(aard_catalog *catalog, const aard_warm_state *state)
{
    AARD__NEED(catalog);
    AARD__NEED(state);
    char *key = NULL, *path = NULL;
    if (!state->distribution)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "the warm state was opened without a distribution, and can only be inspected");
    if (aard__warm_state_has_javascript(state))
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "a warm state made with the capability 'js' is not kept in the catalog; "
                           "write it to a file");
    aard_error *error = entry_key(state->distribution, state->packages, state->bundle, &key);
    if (!error) error = aard__catalog_path(catalog, AARD__CATALOG_STATE, key, &path);
    if (!error) error = aard__catalog_add(catalog, path, write_state, (void *)state);
    aard__free(path);
    aard__free(key);
    return error;
}
