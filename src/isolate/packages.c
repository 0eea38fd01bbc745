#include "isolate/packages.h"

#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "distribution/distribution.h"

/* The lock's hash is checked here, where the package is used: staging is long ago. */
static aard_error *check(const aard__package *package, const void *data, size_t len)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, data, len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if (!strcmp(hex, package->sha256)) return NULL;
    return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT,
                       "the package file '%s' is not the one its lock file names; stage the distribution again",
                       package->file_name);
}

static aard_error *install(aard__guest *guest, aard__ref *function, const aard__package *package)
{
    const void *data;
    size_t len;
    AARD__TRY(aard__distribution_file(guest->distribution, package->file_name, &data, &len));
    AARD__TRY(check(package, data, len));
    aard__value args[] = {
        AARD__VALUE_STRING(package->key, strlen(package->key)),
        AARD__VALUE_STRING(package->file_name, strlen(package->file_name)),
        AARD__VALUE_STRING(package->install_dir, strlen(package->install_dir)),
        AARD__VALUE_BYTES(data, len),
    };
    aard_error *error = aard__guest_call_and_wait(guest, function, args, 4);
    return error ? aard__error_prefix(error, "package '%s'", package->name) : NULL;
}

aard_error *aard__packages_load(aard__guest *guest, const aard_bundle *bundle)
{
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    size_t count = manifest ? aard_manifest_package_count(manifest) : 0;
    if (!count) return NULL;
    const char **names = aard__malloc(count * sizeof *names);
    if (!names) return aard__error_no_memory();
    for (size_t i = 0; i < count; i++) names[i] = aard_manifest_package(manifest, i);
    aard__package_list list = {0};
    aard__ref *function = NULL;
    aard_error *error = aard__distribution_resolve(guest->distribution, names, count, &list);
    if (!error) error = aard__guest_get(guest, guest->shared, "installPackage", &function);
    for (size_t i = 0; !error && i < list.count; i++) error = install(guest, function, list.items[i]);
    aard__ref_free(function);
    aard__package_list_free(&list);
    aard__free(names);
    return error;
}
