#include "warm/state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

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
static aard_error *take_list(const char *key, const char *name, size_t words, aard__text_list *out)
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
        error = aard__error(AARD_ERR_WARM_CORRUPT, "the warm state does not say what it was made for; rebuild it");
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

static void free_list(aard__text_list *list)
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

bool aard__warm_state_has_javascript(const aard_warm_state *state)
{
    size_t len;
    return aard__key_find(aard__image_key(state->image), "capability", NULL, &len) != NULL;
}
