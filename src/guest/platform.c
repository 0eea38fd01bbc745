#include "guest/platform.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/process.h"
#include "embedded/files.h"

/* What the platform files are called with beside the host object; C has no way to make a null-prototype object. */
static const char shared_source[] = "({ __proto__: null })";

/* ---- compiled code --------------------------------------------------------------------------------------- */

/* Kept for the life of the process.  The second install makes it: a process that needs one guest only is not to pay. */
enum { MOST_FILES = 128 };
typedef enum code_use { CODE_NONE, CODE_MAKE, CODE_USE } code_use;

static pthread_mutex_t code_lock = PTHREAD_MUTEX_INITIALIZER;
static aard__buf code[MOST_FILES]; /* by the place of the file among all; not changed once code_next is CODE_USE */
static code_use code_next = CODE_NONE;

static code_use code_begin(void)
{
    pthread_mutex_lock(&code_lock);
    code_use use = code_next;
    if (use == CODE_NONE) code_next = CODE_MAKE;
    if (use == CODE_MAKE) code_next = CODE_NONE; /* nobody else is to make it meanwhile */
    pthread_mutex_unlock(&code_lock);
    return use;
}

/* Takes what was made, or, where that failed, throws it away. */
static void code_end(aard__buf made[MOST_FILES], bool good)
{
    pthread_mutex_lock(&code_lock);
    if (good && code_next != CODE_USE) {
        memcpy(code, made, sizeof code);
        memset(made, 0, sizeof code);
        code_next = CODE_USE;
    }
    pthread_mutex_unlock(&code_lock);
    for (size_t i = 0; i < MOST_FILES; i++) aard__buf_free(&made[i]);
}

/* ---- running the files ----------------------------------------------------------------------------------- */

static aard_error *boot_error(const char *name, const aard__result *result)
{
    if (result->status == AARD__TERMINATED)
        return aard__error(AARD_ERR_GUEST_BOOT, "the guest platform was ended while %s ran", name);
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest platform's %s failed: %.*s: %.*s", name,
                       (int)result->thrown_type.len, result->thrown_type.data ? result->thrown_type.data : "",
                       (int)result->thrown_text.len, result->thrown_text.data ? result->thrown_text.data : "");
}

static aard_error *run_script(aard__realm *realm, const aard__source *source, aard__result *result)
{
    aard__realm_run(realm, source, true, result);
    if (result->status != AARD__OK) return boot_error(source->name, result);
    if (result->value.kind != AARD__REF) return aard__error_no_memory();
    return NULL;
}

static aard_error *run_file(aard__realm *realm, const aard__source *source, aard__ref *host, aard__ref *shared)
{
    aard__result result = {0};
    aard__ref *install = NULL;
    aard_error *error = run_script(realm, source, &result);
    if (error) goto end;
    install = result.value.ref;
    aard__value args[] = {AARD__VALUE_REF(host), AARD__VALUE_REF(shared)};
    aard__ref_call(realm, install, args, 2, false, &result);
    if (result.status != AARD__OK) error = boot_error(source->name, &result);
end:
    aard__ref_free(install);
    aard__result_free(&result);
    return error;
}

/* The build lists the files in the order of their names.  `made`: where their compiled code goes, or NULL. */
static aard_error *run_room(aard__realm *realm, const char *room, aard__ref *host, aard__ref *shared, code_use use,
                            aard__buf *made)
{
    aard_error *error = NULL;
    size_t index = 0;
    for (const aard__guest_file *file = aard__guest_files; file->name && !error; file++, index++) {
        if (strncmp(file->name, room, strlen(room))) continue;
        aard__source source = {.name = file->name, .data = file->data, .len = file->len, .lasting = true};
        if (index < MOST_FILES && use == CODE_USE) {
            source.cache = code[index].data;
            source.cache_len = code[index].len;
        }
        if (index < MOST_FILES && use == CODE_MAKE) source.make_cache = &made[index];
        error = run_file(realm, &source, host, shared);
    }
    return error;
}

static aard_error *run_files(aard__realm *realm, aard__ref *host, aard__ref *shared)
{
    aard__buf made[MOST_FILES] = {0};
    code_use use = code_begin();
    aard_error *error = NULL;
    for (const char *const *room = aard__platform_rooms; *room && !error; room++)
        error = run_room(realm, *room, host, shared, use, made);
    if (use == CODE_MAKE) code_end(made, !error);
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
    aard__source source = {.name = "platform", .data = shared_source, .len = sizeof shared_source - 1, .lasting = true};
    error = run_script(realm, &source, &result);
    if (error) goto end;
    object = result.value.ref;
    error = run_files(realm, host, object);
    if (error) goto end;
    *shared = object;
    object = NULL;
end:
    aard__ref_free(object);
    aard__ref_free(host);
    aard__result_free(&result);
    return error;
}

AARD__PROCESS_KEEPS(platform, "compiled code of the guest platform", "code code_lock code_next");
