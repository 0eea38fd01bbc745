/* The input is the binary form of settings; what is taken packs to the same settings again. */
#include <stdlib.h>
#include <string.h>

#include "settings/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Without the names of hooks, of which this configuration has none: they stand behind the settings. */
static void must_be_stable(const aard__settings *settings, const uint8_t *data, size_t len)
{
    aard_isolate_config config = {.settings = *settings};
    aard__buf packed = AARD__BUF_INIT;
    aard__settings_pack(&config, &packed);
    size_t own = packed.len - 8; /* two counts of 0 */
    if (packed.failed || own > len || memcmp(packed.data, data, own)) abort();
    aard__buf_free(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    aard__settings settings;
    aard__served served;
    aard__unpacker in = aard__unpacker_of(data, len);
    aard_error *error = aard__settings_unpack(&in, &settings, &served);
    if (error) {
        if (aard_error_get_code(error) != AARD_ERR_ENGINE) abort();
        aard_error_free(error);
        return 0;
    }
    must_be_stable(&settings, data, len);
    aard__settings_free(&settings);
    aard__served_free(&served);
    return 0;
}
