#include "guest/python/packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distribution/distribution.h"
#include "settings/config.h"

static int by_key(const void *a, const void *b)
{
    return strcmp((*(aard__package *const *)a)->key, (*(aard__package *const *)b)->key);
}

aard_error *aard__packages_lines(const aard_distribution *distribution, const char *const *names, size_t count,
                                 char **out)
{
    aard__package_list list = {0};
    aard__buf lines = AARD__BUF_INIT;
    if (!count) {
        *out = NULL;
        return NULL;
    }
    AARD__TRY(aard__distribution_resolve(distribution, names, count, &list));
    if (list.count) qsort(list.items, list.count, sizeof *list.items, by_key);
    for (size_t i = 0; i < list.count; i++)
        aard__buf_printf(&lines, "package=%s %s %s\n", list.items[i]->key, list.items[i]->version,
                         list.items[i]->sha256);
    aard__package_list_free(&list);
    char *text = aard__buf_take(&lines, NULL);
    if (!text) return aard__error_no_memory();
    *out = text;
    return NULL;
}

/* The next name on `lines`, new memory; NULL at the end or when memory is out. */
static char *next_name(const char *lines, const char **at)
{
    size_t len;
    *at = aard__key_find(lines, "package", *at, &len);
    return *at ? aard__memdup0(*at, strcspn(*at, " \n")) : NULL;
}

/* What the guest has, and what the host and the manifest (which may be NULL) want, as lines. */
static aard_error *union_lines(const aard__guest *guest, const aard_manifest *manifest, char **out)
{
    static const aard__texts none;
    const aard__texts *wanted = guest->config ? &guest->config->settings.packages : &none;
    size_t of_manifest = manifest ? aard_manifest_package_count(manifest) : 0, have = 0;
    size_t count = of_manifest + wanted->count;
    for (const char *c = guest->start.packages; c && *c; c++) have += *c == '\n';
    char **own = aard__calloc(have + 1, sizeof *own);
    const char **names = aard__calloc(count + have + 1, sizeof *names), *at = NULL;
    aard_error *error = own && names ? NULL : aard__error_no_memory();
    for (size_t i = 0; !error && i < have; i++)
        if (!(names[i] = own[i] = next_name(guest->start.packages, &at))) error = aard__error_no_memory();
    for (size_t i = 0; !error && i < of_manifest; i++) names[have + i] = aard_manifest_package(manifest, i);
    for (size_t i = 0; !error && i < wanted->count; i++) names[have + of_manifest + i] = wanted->items[i];
    if (!error) error = aard__packages_lines(guest->start.distribution, names, have + count, out);
    for (size_t i = 0; own && i < have; i++) aard__free(own[i]);
    aard__free(own);
    aard__free(names);
    return error;
}

static aard_error *mount(aard__guest *guest)
{
    aard__ref *function;
    AARD__TRY(aard__guest_get(guest, guest->shared, "mountOverlay", &function));
    aard__ref_call(guest->realm, function, NULL, 0, false, &guest->entry);
    aard__ref_free(function);
    if (guest->entry.status == AARD__OK) return NULL;
    return aard__error(AARD_ERR_ENGINE, "the packages can't be mounted: %.*s", (int)guest->entry.thrown_text.len,
                       guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "it was stopped");
}

bool aard__packages_wanted(const aard_isolate_config *config)
{
    return config && config->settings.packages.count && config->settings.language == AARD_LANGUAGE_PYTHON;
}

static bool is_stopped(void *user) { return aard__guest_sleep(user, 0) == AARD__STOPPED; }

aard_error *aard__packages_load(aard__guest *guest, const aard_bundle *bundle)
{
    const aard_manifest *manifest = bundle ? aard_bundle_manifest(bundle) : NULL;
    if ((!manifest || !aard_manifest_package_count(manifest)) && !aard__packages_wanted(guest->config)) return NULL;
    char *lines;
    aard__overlay *overlay, *before = guest->start.overlay;
    AARD__TRY(union_lines(guest, manifest, &lines));
    if (guest->start.packages && !strcmp(guest->start.packages, lines)) {
        aard__free(lines);
        return NULL;
    }
    const aard__packages_rules rules = {is_stopped, guest, guest->heap_limit,
                                        aard_isolate_config_catalog(guest->config)};
    aard_error *error = aard__packages_overlay(guest->start.distribution, lines, &rules, &overlay);
    if (error) {
        aard__free(lines);
        return error;
    }
    aard__free(guest->start.packages);
    guest->start.packages = lines;
    guest->start.overlay = overlay;
    error = mount(guest);
    if (error) { /* so that the next attempt mounts anew */
        aard__free(guest->start.packages);
        guest->start.packages = NULL;
    }
    aard__overlay_free(before);
    return error;
}
