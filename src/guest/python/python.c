/* Python guests: Pyodide on a realm of ours. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "base/utf8.h"
#include "distribution/distribution.h"
#include "embedded/files.h"
#include "guest/bridge/host.h"
#include "guest/guest.h"
#include "guest/python/python.h"
#include "guest/python/python_checkpoint.h"
#include "guest/python/python_end.h"
#include "guest/python/python_files.h"
#include "guest/python/python_guest.h"
#include "guest/python/python_shared.h"
#include "guest/python/python_signals.h"
#include "guest/python/warm_state.h"
#include "guest/snapshot.h"
#include "settings/config.h"

/* ---- boot --------------------------------------------------------------------------------------------------- */

/* Runs Pyodide's glue, which defines the one global that is looked for. */
static aard_error *load_glue(aard__guest *guest, const aard__python_shared *shared, aard__ref **create_module)
{
    aard__source source = {.name = "pyodide.asm.js",
                           .data = (const char *)shared->glue.data,
                           .len = shared->glue.len,
                           .lasting = true,
                           .cache = shared->glue_code.data,
                           .cache_len = shared->glue_code.len,
                           .keep = aard__python_of(guest)->options.keep_glue ? &aard__python_of(guest)->glue : NULL};
    aard__realm_run(guest->realm, &source, false, &guest->entry);
    if (guest->entry.status != AARD__OK)
        return aard__error(AARD_ERR_GUEST_BOOT, "the distribution's pyodide.asm.js does not run: %.*s",
                           (int)guest->entry.thrown_text.len, guest->entry.thrown_text.data);
    aard__ref *global = aard__realm_global(guest->realm);
    if (!global) return aard__error_no_memory();
    aard_error *error = aard__guest_get(guest, global, "_createPyodideModule", create_module);
    aard__ref_free(global);
    return error;
}

/* Calls shared[name] and lets go of what it gives. */
static aard_error *call_shared(aard__guest *guest, const char *name, const aard__value *args, size_t count)
{
    aard__ref *function;
    AARD__TRY(aard__guest_get(guest, guest->shared, name, &function));
    aard__ref_call(guest->realm, function, args, count, false, &guest->entry);
    aard__ref_free(function);
    if (guest->entry.status == AARD__OK) return NULL;
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: %s: %.*s", name,
                       (int)guest->entry.thrown_text.len,
                       guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "");
}

static aard_error *use_image(aard__guest *guest)
{
    size_t len;
    if (!guest->start.image) return NULL;
    const char *text = aard__image_text(guest->start.image, &len);
    aard__value arg = AARD__VALUE_STRING(text, len);
    aard_error *error = call_shared(guest, "useImage", &arg, 1);
    if (!error || aard_error_get_code(error) != AARD_ERR_GUEST_BOOT) return error;
    aard_error *told = aard__error(AARD_ERR_WARM_CORRUPT, "%s", aard_error_message(error));
    aard_error_free(error);
    return told;
}

/* From nothing the boot needs the lock file and the adapter's source, with an image only that. */
static aard_error *begin(aard__guest *guest, aard__ref *create_module)
{
    const void *lock;
    size_t lock_len;
    aard__value args[7] = {AARD__VALUE_REF(create_module)};
    if (!guest->start.image && !guest->eager) {
        AARD__TRY(aard__distribution_file(guest->start.distribution, AARD__FILE_LOCK, &lock, &lock_len));
        static const char *const names[] = {"loop.py", "adapter.py", "network.py", "system.py", "callbacks.py"};
        args[1] = AARD__VALUE_STRING(lock, lock_len);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const aard__guest_file *file = NULL;
            AARD__TRY(aard__python_file(guest->start.distribution, names[i], &file));
            args[2 + i] = AARD__VALUE_STRING(file->data, file->len);
        }
    }
    AARD__TRY(call_shared(guest, "beginPython", args, 7));
    if (!aard__realm_next_rejection(guest->realm, &guest->entry)) return NULL;
    return aard__error(AARD_ERR_GUEST_BOOT, "the guest did not start: %.*s: %.*s", (int)guest->entry.thrown_type.len,
                       guest->entry.thrown_type.data ? guest->entry.thrown_type.data : "",
                       (int)guest->entry.thrown_text.len,
                       guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "");
}

/* Function pointers are in an image: with another layout of the code they mean other functions. */
static bool fits(const aard__guest *guest)
{
    size_t len;
    const char *layout = aard__key_find(aard__image_key(guest->start.image), "layout", NULL, &len);
    return layout && len == strlen(aard__python_of(guest)->layout) &&
           !memcmp(layout, aard__python_of(guest)->layout, len);
}

/* What the guest starts from. */
static aard_error *choose(aard__guest *guest, const aard__python_shared *shared)
{
    if (!aard__python_of(guest)->layout) aard__python_of(guest)->layout = shared->layout;
    guest->start.symbols = shared->symbols;
    if (guest->start.warm) AARD__TRY(aard__warm_state_begin(guest));
    if (!aard__python_of(guest)->options.capturing && !guest->start.image) guest->start.image = shared->image;
    if (guest->start.image && !fits(guest))
        return aard__error(AARD_ERR_WARM_MISMATCH, "the warm state was made with Pyodide's code in another layout "
                                                   "(prelinked, or not): rebuild it");
    if (guest->start.image && guest->heap_limit && guest->heap_limit < aard__image_memory_len(guest->start.image))
        return aard__error(AARD_ERR_INVALID_ARGUMENT,
                           "a heap limit of %zu bytes is too small: Python needs at least %zu", guest->heap_limit,
                           (size_t)aard__image_memory_len(guest->start.image));
    return NULL;
}

#define ADAPTER "adapter.js"

static aard_error *load_file(aard__guest *guest, const char *name, aard__ref **out)
{
    const aard__guest_file *file = NULL;
    AARD__TRY(aard__python_file(guest->start.distribution, name, &file));
    return aard__guest_load_file(guest, file->name, out);
}

static aard_error *run_file(aard__guest *guest, const char *name)
{
    const aard__guest_file *file = NULL;
    AARD__TRY(aard__python_file(guest->start.distribution, name, &file));
    return aard__guest_run_file(guest, file->name);
}

static aard_error *python_boot(aard__guest *guest)
{
    static const char *const files[] = {"emscripten.js",  "errors.js",   "hostfs.js",        "files.js",
                                        "directories.js", "overlay.js",  "libraries.js",     "references.js",
                                        "rest.js",        "image.js",    "guard.js",         "devices.js",
                                        "network.js",     "baseline.js", "session_files.js", "boot.js"};
    const aard__python_shared *shared;
    aard__ref *create_module;
    AARD__TRY(guest->eager ? aard__python_share_files(guest, &shared) : aard__python_share(guest, &shared));
    if (!guest->eager) AARD__TRY(choose(guest, shared));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) AARD__TRY(run_file(guest, files[i]));
    AARD__TRY(load_file(guest, ADAPTER, &aard__python_of(guest)->adapter_file));
    if (!guest->eager) AARD__TRY(use_image(guest));
    AARD__TRY(load_glue(guest, shared, &create_module));
    aard_error *error = begin(guest, create_module);
    aard__ref_free(create_module);
    return error;
}

static aard_error *finish_pyodide(aard__guest *guest)
{
    const void *stdlib;
    aard__ref *function;
    AARD__TRY(
        aard__distribution_file(guest->start.distribution, AARD__FILE_STDLIB, &stdlib, &guest->start.own_file.len));
    guest->start.own_file.data = stdlib;
    AARD__TRY(aard__guest_get(guest, guest->shared, "finishPython", &function));
    aard_error *error = aard__guest_call_and_wait(guest, function, NULL, 0);
    aard__ref_free(function);
    return error;
}

static aard_error *find_functions(aard__guest *guest)
{
    aard__ref *python;
    AARD__TRY(aard__guest_get(guest, guest->shared, "python", &python));
    const struct {
        const char *name;
        aard__ref **out;
    } functions[] = {
        {"reserve", &aard__python_of(guest)->adapter.reserve},
        {"prepare", &aard__python_of(guest)->adapter.prepare},
        {"forget", &aard__python_of(guest)->adapter.forget},
        {"invoke", &aard__python_of(guest)->adapter.invoke},
        {"execute", &aard__python_of(guest)->adapter.execute},
        {"buffer", &aard__python_of(guest)->adapter.buffer},
        {"mount", &aard__python_of(guest)->adapter.mount},
        {"memory", &aard__python_of(guest)->adapter.memory},
        {"capture", &aard__python_of(guest)->adapter.capture},
        {"checkpoint", &aard__python_of(guest)->adapter.checkpoint},
        {"reset", &aard__python_of(guest)->adapter.reset},
        {"calm", &aard__python_of(guest)->adapter.calm},
        {"signals", &aard__python_of(guest)->adapter.signals},
        {"renewStdin", &aard__python_of(guest)->adapter.renew_stdin},
        {"renew", &aard__python_of(guest)->adapter.renew},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        AARD__TRY(aard__guest_get(guest, python, functions[i].name, functions[i].out));
    aard__ref_free(python);
    return aard__python_find_signals(guest);
}

/* A copy of a snapshot that does not go with the rest after all: Python is booted in a realm of its own. */
static aard_error *start_over(aard__guest *guest)
{
    aard__guest_drop_parts(guest);
    aard__realm_free(guest->realm);
    guest->realm = NULL;
    aard__vm_copy_no_more(guest->vm);
    AARD__TRY(aard__realm_new(guest->vm, &guest->realm));
    return aard__guest_install(guest);
}

static aard_error *python_finish(aard__guest *guest)
{
    const aard__python_shared *shared;
    AARD__TRY(aard__python_share(guest, &shared));
    if (aard__vm_copies(guest->vm)) {
        bool good = shared->snapshot != NULL;
        if (good) AARD__TRY(choose(guest, shared));
        AARD__TRY(good ? use_image(guest) : start_over(guest));
    }
    guest->start.wasm_module = aard__wasm_module(guest->realm, shared->wasm);
    if (!guest->start.wasm_module) return aard__error(AARD_ERR_GUEST_BOOT, "the engine could not share Pyodide's code");
    AARD__TRY(finish_pyodide(guest));
    aard__ref_free(guest->start.wasm_module);
    guest->start.wasm_module = NULL;
    AARD__TRY(aard__guest_call_file(guest, ADAPTER, aard__python_of(guest)->adapter_file));
    aard__ref_free(aard__python_of(guest)->adapter_file);
    aard__python_of(guest)->adapter_file = NULL;
    return find_functions(guest);
}

/* ---- calls -------------------------------------------------------------------------------------------------- */

/* Copies an input into the guest's memory, where the adapter looks for it. */
static aard__state put_input(aard__guest *guest, const char *input, size_t len, aard_outcome *outcome)
{
    aard__value size = AARD__VALUE_NUMBER((double)len);
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.reserve, &size, 1, false, &guest->entry);
    if (guest->entry.status != AARD__OK) return aard__guest_state(guest, outcome);
    uint8_t *memory;
    size_t room;
    double at = guest->entry.value.number;
    if (guest->entry.value.kind != AARD__NUMBER || !(at > 0) ||
        !aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &room) || at > (double)room ||
        len > room - (size_t)at) {
        aard__outcome_fail(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED,
                           "the guest's memory has no room for an input of %zu bytes", len);
        return AARD__DONE;
    }
    if (len) memcpy(memory + (size_t)at, input, len);
    return AARD__PENDING;
}

static aard__state call_with_input(aard__guest *guest, aard__ref *function, int handler, const char *input, size_t len,
                                   aard_outcome *outcome)
{
    aard__state state = put_input(guest, input, len, outcome);
    if (state != AARD__PENDING) return state;
    aard__value args[] = {AARD__VALUE_NUMBER(handler), AARD__VALUE_NUMBER((double)len)};
    bool numbered = handler >= 0;
    aard__ref_call(guest->realm, function, numbered ? args : args + 1, numbered ? 2 : 1, false, &guest->entry);
    return aard__python_state(guest, function == aard__python_of(guest)->adapter.execute, outcome);
}

static aard__state python_prepare(aard__guest *guest, const char *entrypoint, aard_outcome *outcome)
{
    size_t len = strlen(entrypoint);
    aard__state state = put_input(guest, entrypoint, len, outcome);
    if (state != AARD__PENDING) return state;
    aard__value size = AARD__VALUE_NUMBER((double)len);
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.prepare, &size, 1, false, &guest->entry);
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__NUMBER || guest->entry.value.number == -2) {
        guest->entry.value.number = AARD__BROKEN;
        return aard__python_state(guest, false, outcome);
    }
    guest->call.prepared = (int)guest->entry.value.number;
    return AARD__DONE;
}

static void python_forget(aard__guest *guest, int handler)
{
    aard__value number = AARD__VALUE_NUMBER(handler);
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.forget, &number, 1, false, &guest->entry);
}

/* Nothing of another call's standard input may be read by this one. */
static aard__state renew_stdin(aard__guest *guest, aard_outcome *outcome)
{
    if (!guest->io.stdin_used && !(guest->call.context.call && guest->call.context.call->stdin_data)) return AARD__DONE;
    guest->io.stdin_used = false;
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.renew_stdin, NULL, 0, false, &guest->entry);
    aard__state state = aard__guest_state(guest, outcome);
    aard__buf_clear(&guest->call.result);
    return state;
}

static aard__state python_invoke(aard__guest *guest, int handler, const char *input, size_t len, aard_outcome *outcome)
{
    aard__state state = renew_stdin(guest, outcome);
    if (state != AARD__DONE) return state;
    return call_with_input(guest, aard__python_of(guest)->adapter.invoke, handler, input, len, outcome);
}

/* The first lines of a file may say how it is encoded: then they are Python's to read. */
static bool names_encoding(const char *source, size_t len)
{
    const char *end = source + len, *line = source;
    for (int i = 0; i < 2 && line < end; i++) {
        size_t line_len = 0;
        while (line + line_len < end && line[line_len] != '\n' && line[line_len] != '\r') line_len++;
        if (memmem(line, line_len, "coding", 6)) return true;
        line += line_len + 1;
    }
    return false;
}

/* The source as a member of the request: text where it is UTF-8 and says nothing else, or its bytes, each as a character. */
static void put_source(aard__buf *out, const char *source, size_t len, aard_source_kind kind)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool file = kind == AARD_SOURCE_FILE || kind == AARD_SOURCE_STDIN;
    bool marked = len >= sizeof mark - 1 && !memcmp(source, mark, sizeof mark - 1);
    if (aard__utf8_valid(source, len) && !(file && names_encoding(source, len))) {
        aard__buf_puts(out, ",\"source\":");
        aard__buf_json_string(out, source + (marked ? sizeof mark - 1 : 0), len - (marked ? sizeof mark - 1 : 0));
        return;
    }
    aard__buf_puts(out, ",\"bytes\":true,\"source\":\"");
    for (size_t i = 0; i < len; i++) aard__buf_printf(out, "\\u%04x", (unsigned)(unsigned char)source[i]);
    aard__buf_putc(out, '"');
}

static aard__state python_execute(aard__guest *guest, const char *source, size_t len, const char *name,
                                  const char *input, size_t input_len, aard_outcome *outcome)
{
    aard_source_kind kind = guest->call.context.call ? guest->call.context.call->kind : AARD_SOURCE_CELL;
    aard__buf request = AARD__BUF_INIT;
    aard__state state = renew_stdin(guest, outcome);
    if (state != AARD__DONE) return state;
    aard__buf_puts(&request, "{\"name\":");
    aard__buf_json_string(&request, name, strlen(name));
    put_source(&request, source, len, kind);
    if (kind != AARD_SOURCE_CELL) aard__buf_printf(&request, ",\"kind\":%d", (int)kind);
    if (guest->call.context.call && guest->call.context.call->arguments.count) {
        aard__buf_puts(&request, ",\"arguments\":");
        aard__texts_json(&guest->call.context.call->arguments, &request);
    }
    aard__buf_puts(&request, ",\"input\":");
    aard__buf_json_string(&request, input ? input : "", input_len);
    aard__buf_putc(&request, '}');
    if (request.failed)
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "out of memory");
    else
        state = call_with_input(guest, aard__python_of(guest)->adapter.execute, -1, request.data, request.len, outcome);
    aard__buf_free(&request);
    return state;
}

static aard__state python_clear(aard__guest *guest, aard_outcome *outcome)
{
    aard__ref *python, *function;
    aard_error *error = aard__guest_get(guest, guest->shared, "python", &python);
    if (!error) {
        error = aard__guest_get(guest, python, "clear", &function);
        aard__ref_free(python);
    }
    if (error) {
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "%s", aard_error_message(error));
        aard_error_free(error);
        return AARD__DONE;
    }
    aard__ref_call(guest->realm, function, NULL, 0, false, &guest->entry);
    aard__ref_free(function);
    return aard__python_state(guest, false, outcome);
}

static aard__state python_buffer(aard__guest *guest, size_t index, aard_outcome *outcome)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%zu", index);
    return call_with_input(guest, aard__python_of(guest)->adapter.buffer, -1, text, (size_t)len, outcome);
}

static aard_error *python_mount(aard__guest *guest)
{
    aard__buf entries = AARD__BUF_INIT;
    guest->can_reset = false; /* its checkpoint has another bundle */
    size_t count = aard_bundle_entry_count(guest->bundle);
    aard__buf_putc(&entries, '[');
    for (size_t i = 0; i < count; i++) {
        const char *name;
        size_t name_len, len;
        aard_bundle_entry(guest->bundle, i, &name, &name_len, NULL, &len);
        aard__buf_puts(&entries, i ? ",[" : "[");
        aard__buf_json_string(&entries, name, name_len);
        aard__buf_printf(&entries, ",%zu,%zu]", i + 1, len);
    }
    aard__buf_putc(&entries, ']');
    if (entries.failed) {
        aard__buf_free(&entries);
        return aard__error_no_memory();
    }
    const char *in_state = guest->start.warm ? aard_warm_state_bundle_digest(guest->start.warm) : NULL;
    bool kept = in_state && !strcmp(in_state, aard_bundle_digest(guest->bundle));
    aard__value args[] = {AARD__VALUE_STRING(entries.data, entries.len), AARD__VALUE_BOOL(kept)};
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.mount, args, 2, false, &guest->entry);
    aard__buf_free(&entries);
    if (guest->entry.status == AARD__OK && guest->entry.value.number == AARD__DONE) return NULL;
    return aard__error(AARD_ERR_ENGINE, "the bundle could not be mounted: %.*s", (int)guest->entry.thrown_text.len,
                       guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "");
}

static uint64_t python_heap_bytes(aard__guest *guest)
{
    uint8_t *memory;
    size_t len;
    return aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &len) ? len : 0;
}

/* ---- the language --------------------------------------------------------------------------------------------- */

static void python_begin(aard__guest *guest, const void *options)
{
    aard__python_guest *own = guest->own;
    if (options) own->options = *(const aard__python_options *)options;
    own->layout = own->options.layout;
    guest->grants.code = guest->grants.code || guest->grants.engine_objects; /* the way to those is code in strings */
}

static void python_end(aard__guest *guest) { aard__pages_free(aard__python_of(guest)->pages); }

/* What C keeps refs to besides what all guests have, in the order in which they are in snapshots. */
#define PART(member) offsetof(aard__python_guest, member)
static const size_t parts[] = {PART(adapter_file)};
#undef PART

const aard__language_ops aard__python = {
    .language = AARD_LANGUAGE_PYTHON,
    .tables = aard__guest_tables,
    .size = sizeof(aard__python_guest),
    .begin = python_begin,
    .end = python_end,
    .parts = parts,
    .part_count = sizeof parts / sizeof *parts,
    .own_memory = true,
    .snapshot_realm = AARD__SNAPSHOT_PYTHON,
    .expect = aard__python_expect,
    .boot = python_boot,
    .finish = python_finish,
    .mount = python_mount,
    .prepare = python_prepare,
    .forget = python_forget,
    .invoke = python_invoke,
    .execute = python_execute,
    .clear = python_clear,
    .files = aard__python_files,
    .buffer = python_buffer,
    .heap_bytes = python_heap_bytes,
    .interrupt = aard__python_interrupt,
    .calm = aard__python_calm,
    .renew = aard__python_renew,
    .checkpoint = aard__python_checkpoint,
    .capture = aard__python_capture,
    .remedy = aard__python_remedy,
    .reset = aard__python_reset,
    .restore = aard__python_restore,
    .reset_mode = AARD_RESET_IN_PLACE,
    .exception = AARD_FAILURE_PYTHON_EXCEPTION,
};
