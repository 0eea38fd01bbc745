/* A guest's realm: what is installed in it, and the refs that C has into it. */
#include "base/alloc.h"
#include "embedded/files.h"
#include "guest/guest.h"
#include "guest/platform.h"

aard_error *aard__guest_boot_error(const aard__result *result, const char *what)
{
    if (result->status == AARD__TERMINATED)
        return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: %s was stopped", what);
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: %s: %.*s: %.*s", what,
                       (int)result->thrown_type.len, result->thrown_type.data ? result->thrown_type.data : "",
                       (int)result->thrown_text.len, result->thrown_text.data ? result->thrown_text.data : "");
}

aard_error *aard__guest_load_file(aard__guest *guest, const char *name, aard__ref **out)
{
    const aard__guest_file *file = aard__guest_find(name);
    if (!file) return aard__error(AARD_ERR_GUEST_BOOT, "the library was built without its guest file '%s'", name);
    aard__source source = {
        .name = file->name, .data = file->data, .len = file->len, .lasting = true, .eager = guest->eager};
    aard__realm_run(guest->realm, &source, true, &guest->entry);
    if (guest->entry.status != AARD__OK) return aard__guest_boot_error(&guest->entry, name);
    if (guest->entry.value.kind != AARD__REF) return aard__error_no_memory();
    *out = guest->entry.value.ref;
    return NULL;
}

aard_error *aard__guest_call_file(aard__guest *guest, const char *name, aard__ref *function)
{
    aard__value args[] = {AARD__VALUE_REF(guest->host), AARD__VALUE_REF(guest->shared)};
    aard__ref_call(guest->realm, function, args, 2, false, &guest->entry);
    return guest->entry.status == AARD__OK ? NULL : aard__guest_boot_error(&guest->entry, name);
}

aard_error *aard__guest_run_file(aard__guest *guest, const char *name)
{
    aard__ref *function;
    AARD__TRY(aard__guest_load_file(guest, name, &function));
    aard_error *error = aard__guest_call_file(guest, name, function);
    aard__ref_free(function);
    return error;
}

aard_error *aard__guest_get(aard__guest *guest, aard__ref *object, const char *name, aard__ref **out)
{
    aard__ref_get(guest->realm, object, name, &guest->entry);
    if (guest->entry.status != AARD__OK) return aard__guest_boot_error(&guest->entry, name);
    if (guest->entry.value.kind != AARD__REF)
        return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: it has no '%s'", name);
    *out = guest->entry.value.ref;
    return NULL;
}

aard_error *aard__guest_install(aard__guest *guest)
{
    AARD__TRY(aard__platform_install(guest->realm, guest->ops->tables, &guest->shared));
    guest->host = aard__realm_host_object(guest->realm, guest->ops->tables);
    if (!guest->host) return aard__error_no_memory();
    AARD__TRY(aard__guest_get(guest, guest->shared, "runTimers", &guest->run_timers));
    return guest->ops->boot(guest);
}

aard_error *aard__guest_make_realm(aard__guest *guest)
{
    AARD__TRY(aard__realm_new(guest->vm, &guest->realm));
    AARD__TRY(aard__vm_copies(guest->vm) ? aard__guest_load_parts(guest) : aard__guest_install(guest));
    return guest->ops->finish ? guest->ops->finish(guest) : NULL;
}

void aard__guest_allow_code(aard__guest *guest, bool allow)
{
    aard__realm_allow_codegen(guest->realm, allow || guest->grants.code);
}

/* ---- refs ------------------------------------------------------------------------------------------------------- */

enum { COMMON_PARTS = 3 };

size_t aard__guest_part_count(const aard__guest *guest) { return COMMON_PARTS + guest->ops->part_count; }

aard__ref **aard__guest_part(aard__guest *guest, size_t index)
{
    aard__ref **const common[COMMON_PARTS] = {&guest->host, &guest->shared, &guest->run_timers};
    if (index < COMMON_PARTS) return common[index];
    return (aard__ref **)(void *)((char *)guest->own + guest->ops->parts[index - COMMON_PARTS]);
}

void aard__guest_drop_parts(aard__guest *guest)
{
    for (size_t i = 0; i < aard__guest_part_count(guest); i++) {
        aard__ref_free(*aard__guest_part(guest, i));
        *aard__guest_part(guest, i) = NULL;
    }
}

aard_error *aard__guest_load_parts(aard__guest *guest)
{
    for (size_t i = 0; i < aard__guest_part_count(guest); i++) {
        *aard__guest_part(guest, i) = aard__realm_part(guest->realm, i);
        if (!*aard__guest_part(guest, i)) return aard__error_no_memory();
    }
    if (!guest->ops->own_memory) aard__guest_allow_code(guest, false);
    return NULL;
}

void aard__guest_exchange(aard__guest *guest)
{
    aard__realm *realm = guest->realm;
    guest->realm = guest->standby;
    guest->standby = realm;
    for (size_t i = 0; i < aard__guest_part_count(guest); i++) {
        aard__ref *one = *aard__guest_part(guest, i);
        *aard__guest_part(guest, i) = guest->standby_parts[i];
        guest->standby_parts[i] = one;
    }
}
