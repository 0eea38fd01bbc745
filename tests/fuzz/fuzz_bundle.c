/* One input, read twice over: a first byte of 'M' makes the rest a manifest, any other input is a ZIP archive. */
#include <aardvark/bundle.h>
#include <stdlib.h>

#include "bundle/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_everything(const aard_bundle *bundle)
{
    for (size_t i = 0; i < aard_bundle_entry_count(bundle); i++) {
        const char *name;
        size_t name_len, data_len, found;
        const uint8_t *data;
        aard_bundle_entry(bundle, i, &name, &name_len, &data, &data_len);
        if (!aard_bundle_find(bundle, name, name_len, &found) || found != i || data[data_len] || name[name_len])
            abort();
    }
}

static void must_be_about_the_input(aard_error *error)
{
    if (aard_error_get_class(error) != AARD_CLASS_INPUT) abort();
    aard_error_free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len && data[0] == 'M') {
        aard_manifest *manifest = NULL;
        aard_error *error = aard__manifest_parse((const char *)data + 1, len - 1, &manifest);
        if (error) must_be_about_the_input(error);
        aard__manifest_free(manifest);
        return 0;
    }
    aard_bundle *bundle = NULL;
    const aard_bundle_limits limits = {sizeof limits, 100, 1 << 20};
    aard_error *error = aard_bundle_from_bytes(data, len, &limits, &bundle);
    if (error)
        must_be_about_the_input(error);
    else
        read_everything(bundle);
    aard_bundle_free(bundle);
    return 0;
}
