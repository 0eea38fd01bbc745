#include "isolate/platform.h"

#include <string.h>

#include "guest/guest.h"

/* What the platform files are called with; made in the guest, which has no null-prototype object to give from C. */
static const char shared_source[] = "({ __proto__: null })";

static aard_error *boot_error(const char *name, const aard__result *result)
{
    if (result->status == AARD__TERMINATED)
        return aard__error(AARD_ERR_GUEST_BOOT, "the guest platform was ended while %s ran", name);
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest platform's %s failed: %.*s: %.*s", name,
                       (int)result->thrown_type.len, result->thrown_type.data ? result->thrown_type.data : "",
                       (int)result->thrown_text.len, result->thrown_text.data ? result->thrown_text.data : "");
}

static aard_error *run_script(aard__realm *realm, const char *name, const char *data, size_t len, aard__result *result)
{
    aard__source source = {.name = name, .data = data, .len = len, .lasting = true};
    aard__realm_run(realm, &source, true, result);
    if (result->status != AARD__OK) return boot_error(name, result);
    if (result->value.kind != AARD__REF) return aard__error_no_memory();
    return NULL;
}

static aard_error *run_file(aard__realm *realm, const aard__guest_file *file, aard__ref *host, aard__ref *shared)
{
    aard__result result = {0};
    aard__ref *install = NULL;
    aard_error *error = run_script(realm, file->name, file->data, file->len, &result);
    if (error) goto end;
    install = result.value.ref;
    aard__value args[] = {AARD__VALUE_REF(host), AARD__VALUE_REF(shared)};
    aard__ref_call(realm, install, args, 2, false, &result);
    if (result.status != AARD__OK) error = boot_error(file->name, &result);
end:
    aard__ref_free(install);
    aard__result_free(&result);
    return error;
}

aard_error *aard__platform_install(aard__realm *realm, const aard__host_entry *const *tables, aard__ref **shared)
{
    aard__result result = {0};
    aard__ref *object = NULL;
    aard_error *error = NULL;
    aard__ref *host = aard__realm_host_object(realm, tables);
    if (!host) {
        error = aard__error_no_memory();
        goto end;
    }
    error = run_script(realm, "platform", shared_source, sizeof shared_source - 1, &result);
    if (error) goto end;
    object = result.value.ref;
    /* The build lists the files in the order of their names. */
    for (const aard__guest_file *file = aard__guest_files; file->name; file++) {
        if (strncmp(file->name, "platform/", 9)) continue;
        error = run_file(realm, file, host, object);
        if (error) goto end;
    }
    *shared = object;
    object = NULL;
end:
    aard__ref_free(object);
    aard__ref_free(host);
    aard__result_free(&result);
    return error;
}
