#include "settings/settings.h"

void aard__settings_init(aard__settings *settings)
{
    *settings = (aard__settings){.resets_expected = true,
                                 .output_limit = AARD__OUTPUT_LIMIT_DEFAULT,
                                 .result_limit = AARD__RESULT_LIMIT_DEFAULT,
                                 .file_rules = aard__file_rules_of(AARD_FILESYSTEM_READ_WRITE, 0, 0, 0),
                                 .network.limits = aard__network_defaults,
                                 .callback_limits = aard__callback_defaults};
}

void aard__settings_free(aard__settings *settings)
{
    aard__texts_free(&settings->capabilities);
    aard__texts_free(&settings->packages);
    aard__texts_free(&settings->environment);
    aard__config_network_free(&settings->network);
}

aard_error *aard__settings_copy(const aard__settings *settings, aard__settings *out)
{
    aard__settings copy = *settings;
    copy.capabilities = copy.packages = copy.environment = (aard__texts){NULL, 0};
    copy.network = (aard__config_network){0};
    aard_error *error = aard__texts_copy(&settings->capabilities, &copy.capabilities);
    if (!error) error = aard__texts_copy(&settings->packages, &copy.packages);
    if (!error) error = aard__texts_copy(&settings->environment, &copy.environment);
    if (!error) error = aard__config_network_copy(&settings->network, &copy.network);
    if (error)
        aard__settings_free(&copy);
    else
        *out = copy;
    return error;
}
