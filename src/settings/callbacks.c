/* What a host sets about callbacks. */
#include <aardvark/callbacks.h>

#include "callbacks/stubs.h"
#include "settings/config.h"

aard_error *aard_isolate_config_add_callback(aard_isolate_config *config, const char *name, const char *description,
                                             const char *schema, aard_callback callback, void *user,
                                             aard_finalizer finalizer)
{
    if (!config || !name || !callback) {
        if (finalizer) finalizer(user);
        return aard__error_argument(__func__, "none of 'config', 'name' and 'callback' may be NULL");
    }
    const aard__callback_options options = {name, description, schema, callback, false};
    return aard__callbacks_add(&config->hooks.callbacks, &options, user, finalizer);
}

size_t aard_isolate_config_callback_count(const aard_isolate_config *config)
{
    return config ? config->hooks.callbacks.count : 0;
}

const char *aard_isolate_config_callback(const aard_isolate_config *config, size_t index)
{
    return config && index < config->hooks.callbacks.count ? config->hooks.callbacks.list[index]->name : NULL;
}

aard_error *aard_isolate_config_callback_stubs(const aard_isolate_config *config, aard_language language, char **out,
                                               size_t *len)
{
    AARD__NEED(config);
    AARD__NEED(out);
    aard__buf text = AARD__BUF_INIT;
    if (language == AARD_LANGUAGE_PYTHON)
        aard__stubs_python(&config->hooks.callbacks, &text);
    else if (language == AARD_LANGUAGE_JAVASCRIPT)
        aard__stubs_javascript(&config->hooks.callbacks, &text);
    else
        return aard__error_argument(__func__, "'language' is not in its enumeration");
    size_t bytes;
    char *taken = aard__buf_take(&text, &bytes);
    if (!taken) return aard__error_no_memory();
    *out = taken;
    if (len) *len = bytes;
    return NULL;
}

void aard_isolate_config_set_callback_limit(aard_isolate_config *config, aard_callback_limit which, uint64_t value)
{
    if (!config) return;
    switch (which) {
#define SET(constant, member)                                                                                          \
    case constant: config->settings.callback_limits.member = value ? value : aard__callback_defaults.member; break;
        AARD_CALLBACK_LIMIT_MAP(SET)
#undef SET
    default:
        if (!config->invalid) config->invalid = "callback limit";
    }
}

uint64_t aard_isolate_config_callback_limit(const aard_isolate_config *config, aard_callback_limit which)
{
    if (!config) return 0;
    switch (which) {
#define GET(constant, member)                                                                                          \
    case constant: return config->settings.callback_limits.member;
        AARD_CALLBACK_LIMIT_MAP(GET)
#undef GET
    default: return 0;
    }
}
