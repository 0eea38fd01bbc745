/* JavaScript guests: a bundle's modules and scripts on a realm with the guest platform. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "bundle/code.h"
#include "guest/bridge/host.h"
#include "guest/guest.h"
#include "guest/javascript/inline_javascript.h"
#include "guest/javascript/javascript.h"
#include "guest/javascript/javascript_guest.h"
#include "guest/snapshot.h"
#include "settings/config.h"

#define APP "/app/"

static aard_error *javascript_boot(aard__guest *guest)
{
    AARD__TRY(aard__guest_run_file(guest, "javascript/adapter.js"));
    aard__ref *adapter;
    AARD__TRY(aard__guest_get(guest, guest->shared, "javascript", &adapter));
    const struct {
        const char *name;
        aard__ref **out;
    } functions[] = {
        {"bind", &aard__javascript_of(guest)->adapter.prepare},
        {"forget", &aard__javascript_of(guest)->adapter.forget},
        {"invoke", &aard__javascript_of(guest)->adapter.invoke},
        {"finishInline", &aard__javascript_of(guest)->adapter.execute},
        {"buffer", &aard__javascript_of(guest)->adapter.buffer},
        {"setInput", &aard__javascript_of(guest)->adapter.set_input},
        {"fail", &aard__javascript_of(guest)->adapter.fail},
        {"bindScript", &aard__javascript_of(guest)->adapter.bind_script},
        {"beforeScript", &aard__javascript_of(guest)->adapter.before_script},
        {"dropBuffers", &aard__javascript_of(guest)->adapter.drop_buffers},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        AARD__TRY(aard__guest_get(guest, adapter, functions[i].name, functions[i].out));
    aard__ref_free(adapter);
    aard__guest_allow_code(guest, false);
    return NULL;
}

/* What the realm's guest is to see of its host: it is in no snapshot. */
static aard_error *javascript_finish(aard__guest *guest)
{
    aard__ref *install;
    if (!guest->config || !guest->config->hooks.callbacks.count) return NULL;
    AARD__TRY(aard__guest_get(guest, guest->shared, "installCallbacks", &install));
    aard__ref_call(guest->realm, install, NULL, 0, false, &guest->entry);
    aard__ref_free(install);
    return guest->entry.status == AARD__OK ? NULL : aard__guest_boot_error(&guest->entry, "its callbacks");
}

static aard_error *javascript_mount(aard__guest *guest)
{
    (void)guest; /* modules are looked up in the bundle when they are imported */
    return NULL;
}

/* ---- resets --------------------------------------------------------------------------------------------------- */

/* What V8 keeps for all realms of a vm (symbols of Symbol.for, internalized strings) only grows.  A vm beyond this after a
 * collection is given up. */
#define MOST_KEPT ((size_t)16 << 20)

static aard_error *javascript_make_standby(aard__guest *guest)
{
    if (guest->standby || !aard__vm_copies(guest->vm)) return NULL;
    aard__realm *made;
    AARD__TRY(aard__realm_new(guest->vm, &made));
    guest->standby = made;
    aard__guest_exchange(guest);
    aard_error *error = aard__guest_load_parts(guest);
    if (!error) error = javascript_finish(guest);
    aard__guest_exchange(guest);
    if (error) aard__guest_drop_standby(guest);
    aard__vm_tidy(guest->vm);
    return error;
}

static aard_error *javascript_reset(aard__guest *guest)
{
    aard__heap heap;
    aard__guest_unstop(guest);
    aard__ref_free(aard__javascript_of(guest)->awaited);
    aard__javascript_of(guest)->awaited = NULL;
    aard__guest_drop_parts(guest);
    aard__realm_free(guest->realm);
    guest->realm = NULL;
    aard__guest_exchange(guest);
    guest->clock.origin = aard__clock_monotonic();
    if (!guest->realm) AARD__TRY(aard__guest_make_realm(guest));
    aard__vm_tidy(guest->vm);
    aard__vm_heap(guest->vm, &heap);
    if (heap.used + heap.external < MOST_KEPT) return NULL;
    aard__vm_collect(guest->vm);
    aard__vm_heap(guest->vm, &heap);
    if (heap.used + heap.external < MOST_KEPT) return NULL;
    return aard__error(AARD_ERR_ENGINE, "%zu bytes are still in use in the guest's heap", heap.used + heap.external);
}

static void javascript_drop_buffers(aard__guest *guest)
{
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.drop_buffers, NULL, 0, false, &guest->entry);
}

/* ---- calls that may give a promise -------------------------------------------------------------------------- */

/* The adapter has given an answer: the value's JSON text, or word that another has been handed over. */
static aard__state answered(aard__guest *guest, aard_outcome *outcome)
{
    if (guest->entry.too_long) {
        guest->call.result_bytes = SIZE_MAX;
        return AARD__DONE;
    }
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__STRING)
        return aard__guest_state(guest, outcome);
    aard__buf before = guest->call.result;
    guest->call.result = guest->entry.text;
    guest->entry.text = before;
    return AARD__DONE;
}

/* An entry that should have gone well: what the guest threw is the outcome's, as the adapter describes it. */
static aard__state failed(aard__guest *guest, aard_outcome *outcome)
{
    if (guest->entry.status == AARD__TERMINATED) return AARD__BROKEN;
    aard__ref *thrown = guest->entry.thrown;
    aard__javascript_of(guest)->threw = true;
    if (!thrown) {
        aard__guest_fail_exception(guest, aard__javascript.exception, outcome);
        return AARD__DONE;
    }
    aard__buf stack = guest->entry.thrown_stack; /* says where a syntax error is */
    guest->entry.thrown_stack = AARD__BUF_INIT;
    guest->entry.thrown = NULL;
    aard__value args[] = {AARD__VALUE_REF(thrown), AARD__VALUE_STRING(stack.data, stack.len)};
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.fail, args, stack.len ? 2 : 1, false,
                   &guest->entry);
    aard__ref_free(thrown);
    aard__buf_free(&stack);
    return guest->entry.status == AARD__TERMINATED ? AARD__BROKEN : aard__guest_state(guest, outcome);
}

/* The adapter has returned: a promise is waited for, anything else is the end. */
static aard__state returned(aard__guest *guest, aard_outcome *outcome)
{
    if (guest->entry.status == AARD__OK && guest->entry.value.kind == AARD__REF) {
        aard__javascript_of(guest)->awaited = guest->entry.value.ref;
        return AARD__PENDING;
    }
    return answered(guest, outcome);
}

static aard__state javascript_poll(aard__guest *guest, aard_outcome *outcome)
{
    if (!aard__promise_settled(guest->realm, aard__javascript_of(guest)->awaited, false, &guest->entry))
        return AARD__PENDING;
    aard__ref_free(aard__javascript_of(guest)->awaited);
    aard__javascript_of(guest)->awaited = NULL;
    if (guest->entry.status == AARD__TERMINATED) return AARD__BROKEN;
    if (guest->entry.status == AARD__THREW) return failed(guest, outcome);
    /* The evaluation of a module, which is awaited too, gives nothing. */
    bool nothing = guest->entry.value.kind == AARD__UNDEFINED && !guest->entry.too_long;
    return nothing ? AARD__DONE : answered(guest, outcome);
}

/* ---- modules --------------------------------------------------------------------------------------------------- */

/* Resolves `specifier` against the directory of `referrer` ("/app/..."); false where it leaves /app or is bare. */
static bool resolve_path(const char *specifier, const char *referrer, aard__buf *out)
{
    bool relative = !strncmp(specifier, "./", 2) || !strncmp(specifier, "../", 3);
    if (!relative && strncmp(specifier, APP, sizeof APP - 1)) return false;
    if (strncmp(referrer, APP, sizeof APP - 1)) referrer = APP; /* inline code */
    if (relative) aard__buf_append(out, referrer, (size_t)(strrchr(referrer, '/') - referrer));
    for (const char *part = specifier; *part;) {
        size_t len = strcspn(part, "/");
        if (len == 2 && part[0] == '.' && part[1] == '.') {
            while (out->len && out->data[out->len - 1] != '/') out->len--;
            if (out->len) out->len--;
        } else if (len && !(len == 1 && part[0] == '.')) {
            aard__buf_putc(out, '/');
            aard__buf_append(out, part, len);
        }
        part += len;
        while (*part == '/') part++;
    }
    return out->len > sizeof APP - 1 && !out->failed && !memcmp(out->data, APP, sizeof APP - 1);
}

static bool find_source(const aard__guest *guest, const char *path, size_t len, size_t *index, const char **source,
                        size_t *source_len)
{
    const uint8_t *data;
    if (!guest->bundle || !aard_bundle_find(guest->bundle, path + sizeof APP - 1, len - (sizeof APP - 1), index))
        return false;
    aard_bundle_entry(guest->bundle, *index, NULL, NULL, &data, source_len);
    *source = (const char *)data;
    return true;
}

/* Below this, compiling a file takes no longer than taking its code from somewhere. */
#define LEAST_FOR_CODE 2048

static const void *find_code(void *user, const char *name, size_t *len, bool *wanted)
{
    const aard__guest *guest = user;
    const char *source;
    size_t index, size;
    if (!find_source(guest, name, strlen(name), &index, &source, &size)) return NULL;
    const void *code = aard__bundle_code(guest->bundle, index, len);
    *wanted = !code && size >= LEAST_FOR_CODE;
    return code;
}

static void keep_code(void *user, const char *name, const char *source, const void *code, size_t len)
{
    const aard__guest *guest = user;
    const char *now;
    size_t index, size;
    if (find_source(guest, name, strlen(name), &index, &now, &size) && now == source)
        aard__bundle_keep_code(guest->bundle, index, code, len);
}

static const aard__module_code module_code = {find_code, keep_code};

/* A module of a URL is not fetched; that it was asked for is written down. */
static void refuse_remote(aard__guest *guest, const char *specifier)
{
    const char *colon = strstr(specifier, "://");
    if (!colon || !isalpha((unsigned char)specifier[0])) return;
    aard__buf shown = AARD__BUF_INIT;
    aard__url_put_redacted(specifier, strlen(specifier), &shown);
    aard__ledger_violation(&guest->call.ledger, AARD_VIOLATION_NETWORK_DENIED, "import_not_allowed", shown.data,
                           shown.len);
    aard__buf_free(&shown);
}

static bool find_module(void *user, const char *specifier, const char *referrer, aard__buf *name, const char **source,
                        size_t *len)
{
    size_t index;
    if (resolve_path(specifier, referrer, name) && find_source(user, name->data, name->len, &index, source, len))
        return true;
    aard__buf_clear(name);
    refuse_remote(user, specifier);
    if (!*referrer) referrer = "inline code";
    if (specifier[0] == '.' || specifier[0] == '/')
        aard__buf_printf(name, "there is no module '%s' in the bundle (imported from '%s')", specifier, referrer);
    else
        aard__buf_printf(
            name,
            "'%s' (imported from '%s') is a bare specifier; bundles are self-contained: bundle the package "
            "into your own files and import them by './' paths",
            specifier, referrer);
    return false;
}

/* "a.b" is the file a/b.js or a/b.mjs; a name that ends so already is taken as it is. */
static bool find_entry_file(const aard__guest *guest, const char *module, size_t module_len, aard__buf *path,
                            const char **source, size_t *len)
{
    static const char *const endings[] = {"", ".js", ".mjs"};
    size_t index;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        aard__buf_clear(path);
        aard__buf_puts(path, APP);
        for (size_t k = 0; k < module_len; k++) aard__buf_putc(path, i && module[k] == '.' ? '/' : module[k]);
        aard__buf_puts(path, endings[i]);
        if (!path->failed && find_source(guest, path->data, path->len, &index, source, len)) return true;
    }
    return false;
}

/* ---- handlers -------------------------------------------------------------------------------------------------- */

static bool is_identifier(const char *text)
{
    if (isdigit((unsigned char)*text)) return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_' && *text != '$') return false;
    return true;
}

static aard__state take_handler(aard__guest *guest, aard_outcome *outcome)
{
    if (guest->entry.status != AARD__OK) return aard__guest_state(guest, outcome);
    guest->call.prepared = (int)guest->entry.value.number;
    return AARD__DONE;
}

/* A classic script's handler is what it exports by `module.exports`, or a name of its global scope. */
static aard__state prepare_script(aard__guest *guest, const char *path, const char *text, size_t len,
                                  const char *export_name, aard_outcome *outcome)
{
    aard__value where = AARD__VALUE_STRING(path, strlen(path));
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.before_script, &where, 1, false, &guest->entry);
    if (guest->entry.status == AARD__OK && guest->entry.value.kind == AARD__UNDEFINED) return AARD__DONE; /* told why */
    if (guest->entry.status == AARD__OK && guest->entry.value.boolean) {
        aard__source script = {.name = path, .data = text, .len = len};
        aard__realm_run(guest->realm, &script, false, &guest->entry);
    }
    if (guest->entry.status != AARD__OK) return failed(guest, outcome);
    aard__value found = {.kind = AARD__UNDEFINED};
    if (is_identifier(export_name) && strcmp(export_name, "default")) {
        char probe[600];
        int probe_len = snprintf(probe, sizeof probe, "typeof %.250s === 'function' ? %.250s : undefined", export_name,
                                 export_name);
        aard__source look = {.name = "<aardvark>", .data = probe, .len = (size_t)probe_len};
        aard__realm_run(guest->realm, &look, true, &guest->entry);
        if (guest->entry.status == AARD__OK && guest->entry.value.kind == AARD__REF) found = guest->entry.value;
    }
    aard__value args[] = {AARD__VALUE_STRING(export_name, strlen(export_name)), where, found};
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.bind_script, args, 3, false, &guest->entry);
    aard__ref_free(found.ref);
    return take_handler(guest, outcome);
}

static aard__state prepare_module(aard__guest *guest, const char *path, const char *text, size_t len,
                                  const char *export_name, aard_outcome *outcome)
{
    aard__ref *evaluation = NULL;
    bool is_script;
    aard__realm_keep_code(guest->realm, &module_code);
    aard__realm_import(guest->realm, path, text, len, find_module, &evaluation, &is_script, &guest->entry);
    if (guest->entry.status != AARD__OK) return failed(guest, outcome);
    if (is_script) return prepare_script(guest, path, text, len, export_name, outcome);
    aard__ref *exports = guest->entry.value.ref;
    aard__javascript_of(guest)->awaited = evaluation;
    aard__javascript_of(guest)->threw = false;
    aard__state state = aard__guest_wait(guest, AARD__PENDING, outcome);
    if (state == AARD__DONE && outcome->failure == AARD_FAILURE_NONE && !aard__javascript_of(guest)->threw) {
        aard__value args[] = {AARD__VALUE_REF(exports), AARD__VALUE_STRING(export_name, strlen(export_name)),
                              AARD__VALUE_STRING(path, strlen(path))};
        aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.prepare, args, 3, false, &guest->entry);
        state = take_handler(guest, outcome);
    }
    aard__ref_free(exports);
    return state;
}

static aard__state javascript_prepare(aard__guest *guest, const char *entrypoint, aard_outcome *outcome)
{
    const char *colon = strchr(entrypoint, ':');
    const char *text;
    size_t len;
    aard__buf path = AARD__BUF_INIT;
    aard__state state = AARD__DONE;
    if (find_entry_file(guest, entrypoint, (size_t)(colon - entrypoint), &path, &text, &len)) {
        aard__buf_putc(&path, '\0');
        state = prepare_module(guest, path.data, text, len, colon + 1, outcome);
    } else {
        aard__outcome_fail(
            outcome, AARD_FAILURE_ADAPTER_ERROR,
            "there is no module '%.*s' in the bundle: neither that name itself, nor with .js or .mjs behind it",
            (int)(colon - entrypoint), entrypoint);
    }
    aard__buf_free(&path);
    return state;
}

/* What only computes, or draws what nobody else will get; but a template's children would all get it. */
static bool is_harmless(const aard__host_entry *entry)
{
    static const aard__host_entry *const tables[] = {aard__engine_host, aard__host_text,   aard__host_url,
                                                     aard__host_zlib,   aard__host_cipher, aard__host_keys,
                                                     aard__host_crypto};
    const size_t drawing = 2; /* the last ones */
    size_t count = sizeof tables / sizeof tables[0] - (aard__process_is_template() ? drawing : 0);
    for (size_t i = 0; i < count; i++)
        for (const aard__host_entry *row = tables[i]; row->name; row++)
            if (row == entry) return true;
    return false;
}

static aard__state prepare_alone(aard__guest *guest, const char *entrypoint, aard_outcome *outcome, bool *alone)
{
    bool copied = aard__process_is_template();
    if (copied) aard__realm_watch_random(guest->realm);
    aard__vm_begin_ahead(guest->vm, guest->realm, is_harmless);
    aard__state state = javascript_prepare(guest, entrypoint, outcome);
    *alone = aard__vm_end_ahead(guest->vm);
    if (copied && aard__realm_has_drawn(guest->realm)) *alone = false;
    return state;
}

/* A module that prints, sets a timer, asks for the time that has passed or for a file, or is refused anything, does it in
 * the call that needs it; and so does one that draws random numbers where its realm is copied. */
static int javascript_prepare_standby(aard__guest *guest, const char *entrypoint)
{
    aard_outcome *outcome;
    aard_error *error = guest->standby ? aard__outcome_new(&outcome) : NULL;
    aard_error_free(error);
    if (!guest->standby || error) return -1;
    guest->call.prepared = -1;
    aard__guest_exchange(guest);
    bool alone;
    aard__state state = prepare_alone(guest, entrypoint, outcome, &alone);
    aard__guest_exchange(guest);
    bool done = state == AARD__DONE && alone && guest->call.prepared >= 0 && aard_outcome_is_success(outcome) &&
                !guest->call.ledger.violation_count && !guest->call.ledger.attempt_count &&
                !aard__vm_buffer_refused(guest->vm);
    aard__ref_free(aard__javascript_of(guest)->awaited);
    aard__javascript_of(guest)->awaited = NULL;
    aard__ledger_free(&guest->call.ledger);
    aard_outcome_free(outcome);
    if (!done) aard__guest_drop_standby(guest);
    return done ? guest->call.prepared : -1;
}

static void javascript_forget(aard__guest *guest, int handler)
{
    aard__value number = AARD__VALUE_NUMBER(handler);
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.forget, &number, 1, false, &guest->entry);
}

static aard__state javascript_invoke(aard__guest *guest, int handler, const char *input, size_t len,
                                     aard_outcome *outcome)
{
    aard__value args[] = {AARD__VALUE_NUMBER(handler), {.kind = AARD__UNDEFINED}};
    if (input) args[1] = AARD__VALUE_STRING(input, len);
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.invoke, args, 2, true, &guest->entry);
    return returned(guest, outcome);
}

static aard__state javascript_execute(aard__guest *guest, const char *source, size_t len, const char *name,
                                      const char *input, size_t input_len, aard_outcome *outcome)
{
    aard__value text = {.kind = AARD__UNDEFINED};
    if (input) text = AARD__VALUE_STRING(input, input_len);
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.set_input, &text, 1, false, &guest->entry);
    if (guest->entry.status != AARD__OK) return aard__guest_state(guest, outcome);
    if (!guest->entry.value.boolean) return AARD__DONE;
    aard__realm_find_modules(guest->realm, find_module);
    aard__ref *awaited;
    if (!aard__inline_run(guest, source, len, name, &awaited, outcome)) return AARD__DONE;
    if (guest->entry.status != AARD__OK) return failed(guest, outcome);
    if (guest->entry.too_long) return answered(guest, outcome);
    aard__value args[] = {guest->entry.value, AARD__VALUE_BOOL(awaited != NULL)};
    if (awaited) args[0] = AARD__VALUE_REF(awaited);
    aard__buf kept = guest->entry.text; /* a string's bytes must outlive the next entry */
    guest->entry.text = AARD__BUF_INIT;
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.execute, args, awaited ? 2 : 1, true,
                   &guest->entry);
    aard__buf_free(&kept);
    if (args[0].kind == AARD__REF) aard__ref_free(args[0].ref);
    return returned(guest, outcome);
}

static aard__state javascript_buffer(aard__guest *guest, size_t index, aard_outcome *outcome)
{
    aard__value number = AARD__VALUE_NUMBER((double)index);
    aard__ref_call(guest->realm, aard__javascript_of(guest)->adapter.buffer, &number, 1, false, &guest->entry);
    return aard__guest_state(guest, outcome);
}

/* What C keeps refs to besides what all guests have, in the order in which they are in snapshots. */
#define PART(member) offsetof(aard__javascript_guest, member)
static const size_t parts[] = {
    PART(adapter.prepare),       PART(adapter.forget),       PART(adapter.invoke),    PART(adapter.execute),
    PART(adapter.buffer),        PART(adapter.fail),         PART(adapter.set_input), PART(adapter.bind_script),
    PART(adapter.before_script), PART(adapter.drop_buffers),
};
#undef PART

const aard__language_ops aard__javascript = {
    .language = AARD_LANGUAGE_JAVASCRIPT,
    .tables = aard__guest_tables,
    .size = sizeof(aard__javascript_guest),
    .parts = parts,
    .part_count = sizeof parts / sizeof *parts,
    .snapshot_realm = AARD__SNAPSHOT_JAVASCRIPT,
    .boot = javascript_boot,
    .finish = javascript_finish,
    .reset = javascript_reset,
    .reset_mode = AARD_RESET_NEW_REALM,
    .make_standby = javascript_make_standby,
    .prepare_standby = javascript_prepare_standby,
    .drop_buffers = javascript_drop_buffers,
    .mount = javascript_mount,
    .prepare = javascript_prepare,
    .forget = javascript_forget,
    .invoke = javascript_invoke,
    .execute = javascript_execute,
    .poll = javascript_poll,
    .buffer = javascript_buffer,
    .exception = AARD_FAILURE_JAVASCRIPT_EXCEPTION,
};
