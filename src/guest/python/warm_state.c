#include "guest/python/warm_state.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/new_file.h"
#include "distribution/distribution.h"
#include "guest/python/packages.h"
#include "guest/python/python_layout.h"
#include "guest/python/python_shared.h"
#include "warm/catalog.h"

typedef struct text_list {
    char **items;
    size_t count;
} text_list;

struct aard_warm_state {
    atomic_size_t owners;
    aard__image *image;
    aard__overlay *overlay;          /* may be NULL */
    aard_distribution *distribution; /* retained; NULL = for looking only */
    char fingerprint[AARD__HASH_HEX];
    char *distribution_fingerprint, *pyodide_version, *bundle, *overlay_digest, *packages; /* the last are lines */
    text_list package_names, preloads;
};

/* ---- what the key says -------------------------------------------------------------------------------------- */

/* The value of a line, new memory in `*out`; NULL where there is no such line. */
static aard_error *take_value(const char *key, const char *name, char **out)
{
    size_t len;
    const char *value = aard__key_find(key, name, NULL, &len);
    if (!value) return NULL;
    *out = aard__memdup0(value, len);
    return *out ? NULL : aard__error_no_memory();
}

/* All values of a name, each up to its `words`th space (0 = whole). */
static aard_error *take_list(const char *key, const char *name, size_t words, text_list *out)
{
    size_t count = 0, len;
    for (const char *at = NULL; (at = aard__key_find(key, name, at, &len));) count++;
    out->items = aard__calloc(count + 1, sizeof *out->items);
    if (!out->items) return aard__error_no_memory();
    for (const char *at = NULL; (at = aard__key_find(key, name, at, &len));) {
        size_t end = 0, spaces = 0;
        while (end < len && !(words && at[end] == ' ' && ++spaces == words)) end++;
        out->items[out->count] = aard__memdup0(at, end);
        if (!out->items[out->count++]) return aard__error_no_memory();
    }
    return NULL;
}

static aard_error *take_package_lines(const char *key, char **out)
{
    aard__buf lines = AARD__BUF_INIT;
    size_t len;
    for (const char *at = NULL; (at = aard__key_find(key, "package", at, &len));)
        aard__buf_printf(&lines, "package=%.*s\n", (int)len, at);
    if (!lines.len && !lines.failed) return NULL;
    *out = aard__buf_take(&lines, NULL);
    return *out ? NULL : aard__error_no_memory();
}

aard_error *aard__warm_state_new(aard__image *image, aard_distribution *distribution, aard_warm_state **out)
{
    aard_warm_state *state = aard__calloc(1, sizeof *state);
    if (!state) {
        aard__image_free(image);
        return aard__error_no_memory();
    }
    const char *key = aard__image_key(image);
    uint8_t hash[AARD__HASH_BYTES];
    atomic_init(&state->owners, 1);
    state->image = image;
    state->distribution = distribution ? aard_distribution_retain(distribution) : NULL;
    aard__hash(key, strlen(key), hash);
    aard__hash_hex(hash, state->fingerprint);
    aard_error *error = take_value(key, "distribution", &state->distribution_fingerprint);
    if (!error) error = take_value(key, "pyodide", &state->pyodide_version);
    if (!error) error = take_value(key, "bundle", &state->bundle);
    if (!error) error = take_value(key, "overlay", &state->overlay_digest);
    if (!error) error = take_package_lines(key, &state->packages);
    if (!error) error = take_list(key, "package", 2, &state->package_names);
    if (!error) error = take_list(key, "preload", 0, &state->preloads);
    if (!error &&
        (!state->distribution_fingerprint || !state->pyodide_version || !state->packages != !state->overlay_digest))
        error = aard__error(AARD_ERR_WARM_CORRUPT, "the warm state does not say what it was made for; make it anew");
    if (error) {
        aard_warm_state_free(state);
        return error;
    }
    *out = state;
    return NULL;
}

/* ---- life --------------------------------------------------------------------------------------------------- */

aard_warm_state *aard_warm_state_retain(aard_warm_state *state)
{
    if (state) atomic_fetch_add_explicit(&state->owners, 1, memory_order_relaxed);
    return state;
}

static void free_list(text_list *list)
{
    for (size_t i = 0; i < list->count; i++) aard__free(list->items[i]);
    aard__free(list->items);
}

void aard_warm_state_free(aard_warm_state *state)
{
    if (!state || atomic_fetch_sub_explicit(&state->owners, 1, memory_order_acq_rel) != 1) return;
    aard__image_free(state->image);
    aard__overlay_free(state->overlay);
    aard_distribution_free(state->distribution);
    aard__free(state->distribution_fingerprint);
    aard__free(state->pyodide_version);
    aard__free(state->bundle);
    aard__free(state->overlay_digest);
    aard__free(state->packages);
    free_list(&state->package_names);
    free_list(&state->preloads);
    aard__free(state);
}

const char *aard_warm_state_fingerprint(const aard_warm_state *state) { return state ? state->fingerprint : NULL; }

const char *aard_warm_state_distribution_fingerprint(const aard_warm_state *state)
{
    return state ? state->distribution_fingerprint : NULL;
}

const char *aard_warm_state_pyodide_version(const aard_warm_state *state)
{
    return state ? state->pyodide_version : NULL;
}

const char *aard_warm_state_bundle_digest(const aard_warm_state *state) { return state ? state->bundle : NULL; }

bool aard_warm_state_overlay_preloaded(const aard_warm_state *state) { return state && state->overlay_digest != NULL; }

size_t aard_warm_state_package_count(const aard_warm_state *state) { return state ? state->package_names.count : 0; }

const char *aard_warm_state_package(const aard_warm_state *state, size_t index)
{
    return state && index < state->package_names.count ? state->package_names.items[index] : NULL;
}

size_t aard_warm_state_preload_import_count(const aard_warm_state *state) { return state ? state->preloads.count : 0; }

const char *aard_warm_state_preload_import(const aard_warm_state *state, size_t index)
{
    return state && index < state->preloads.count ? state->preloads.items[index] : NULL;
}

bool aard_warm_state_is_signed(const aard_warm_state *state) { return state && aard__image_is_signed(state->image); }

uint64_t aard_warm_state_memory_bytes(const aard_warm_state *state)
{
    return state ? aard__image_memory_len(state->image) : 0;
}

uint64_t aard_warm_state_file_bytes(const aard_warm_state *state) { return state ? aard__image_len(state->image) : 0; }

/* ---- files -------------------------------------------------------------------------------------------------- */

/* The packages are unpacked from the distribution, which is the same; so must be what comes of it. */
static aard_error *find_overlay(aard_warm_state *state, const char *path)
{
    if (!state->packages) return NULL;
    AARD__TRY(aard__packages_overlay(state->distribution, state->packages, NULL, &state->overlay));
    if (!strcmp(aard__overlay_digest(state->overlay), state->overlay_digest)) return NULL;
    return aard__error(AARD_ERR_WARM_MISMATCH,
                       "the warm state '%s' does not fit: its overlay is %s and not %s; make it anew", path,
                       state->overlay_digest, aard__overlay_digest(state->overlay));
}

static aard_error *open_state(const char *path, const char *wanted, aard_distribution *distribution,
                              aard_warm_state **out)
{
    aard__image *image;
    aard_warm_state *state = NULL;
    AARD__TRY(aard__image_open(path, wanted, distribution ? aard__distribution_key(distribution) : NULL, &image));
    AARD__TRY(aard__warm_state_new(image, distribution, &state));
    aard_error *error = distribution ? find_overlay(state, path) : NULL;
    if (error) {
        aard_warm_state_free(state);
        return error;
    }
    *out = state;
    return NULL;
}

aard_error *aard_warm_state_open(const char *path, aard_distribution *distribution, aard_warm_state **out)
{
    AARD__NEED(path);
    AARD__NEED(out);
    const char *layout = NULL;
    if (distribution) AARD__TRY(aard__python_layout_name(distribution, &layout));
    char *wanted = distribution ? aard__python_image_key(distribution, layout) : aard__strdup("");
    if (!wanted) return aard__error_no_memory();
    aard_error *error = open_state(path, wanted, distribution, out);
    aard__free(wanted);
    return error;
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

bool aard__warm_state_has_javascript(const aard_warm_state *state)
{
    size_t len;
    return aard__key_find(aard__image_key(state->image), "capability", NULL, &len) != NULL;
}

/* ---- isolates ----------------------------------------------------------------------------------------------- */

void aard__warm_state_set_overlay(aard_warm_state *state, aard__overlay *overlay) { state->overlay = overlay; }

aard_distribution *aard__warm_state_distribution(const aard_warm_state *state) { return state->distribution; }

aard_error *aard__warm_state_begin(aard__guest *guest)
{
    const aard_warm_state *state = guest->warm;
    guest->image = state->image;
    if (!state->overlay) return NULL;
    guest->packages = aard__strdup(state->packages);
    if (!guest->packages) return aard__error_no_memory();
    guest->overlay = aard__overlay_retain(state->overlay);
    return NULL;
}

aard_error *aard__warm_state_fits(aard_isolate_config *config)
{
    const aard_warm_state *state = config->warm;
    if (!state) return NULL;
    if (config->language != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "only Python starts from a warm state");
    if (!state->distribution)
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "the warm state was opened without a distribution, for looking only");
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
        aard_error *refused = fd < 0 ? NULL : open_state(path, key, distribution, &state);
        /* Not one whose signature is another key's, nor one that could only not be read now. */
        if (refused && aard_error_get_code(refused) == AARD_ERR_WARM_CORRUPT) aard__catalog_discard(catalog, path, fd);
        if (fd >= 0) close(fd);
        if (refused && aard_error_get_code(refused) == AARD_ERR_NO_MEMORY) { /* which says nothing about the entry */
            error = refused;
        } else {
            aard_error_free(refused);
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
                           "the warm state was opened without a distribution, for looking only");
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
