/* Handlers: what a bundle exports, looked up once and called many times. */
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "worker/isolate.h"

static bool entrypoint_valid(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon && colon != text && colon[1] && !strchr(colon + 1, ':') && aard__utf8_valid(text, strlen(text));
}

static aard_error *make_handler(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
{
    if (!isolate->bundle)
        return aard__error(AARD_ERR_ENTRYPOINT_MISSING, "the isolate has no bundle; load one before making a handler");
    const aard_manifest *manifest = aard_bundle_manifest(isolate->bundle);
    if (!entrypoint && manifest) entrypoint = aard_manifest_entrypoint(manifest);
    if (!entrypoint)
        return aard__error(AARD_ERR_ENTRYPOINT_MISSING,
                           "the bundle has no manifest that names an entrypoint; name one as module:export");
    if (!entrypoint_valid(entrypoint))
        return aard__error(AARD_ERR_ENTRYPOINT_INVALID, "the entrypoint '%s' is not of the form module:export",
                           entrypoint);
    aard_handler *handler = aard__calloc(1, sizeof *handler);
    if (!handler) return aard__error_no_memory();
    handler->isolate = isolate;
    handler->entrypoint = aard__strdup(entrypoint);
    if (!handler->entrypoint) {
        aard__free(handler);
        return aard__error_no_memory();
    }
    handler->next = isolate->handlers;
    isolate->handlers = handler;
    *out = handler;
    return NULL;
}

aard_error *aard_handler_new(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = make_handler(isolate, entrypoint, out);
    aard__isolate_release(isolate);
    return error;
}

static bool forget(aard_isolate *isolate, void *user)
{
    isolate->guest->ops->forget(isolate->guest, ((const aard_handler *)user)->number);
    return true;
}

void aard__handlers_sweep(aard_isolate *isolate, bool guest)
{
    atomic_store(&isolate->has_gone, false);
    for (aard_handler **at = &isolate->handlers; *at;) {
        aard_handler *handler = *at;
        if (!atomic_load(&handler->gone)) {
            at = &handler->next;
            continue;
        }
        *at = handler->next;
        if (isolate->last == handler) isolate->last = NULL;
        if (isolate->ahead.handler == handler) isolate->ahead.handler = NULL;
        if (guest && isolate->guest && handler->ready)
            aard_error_free(aard__isolate_do(isolate, forget, handler)); /* what it holds then goes with the guest */
        aard__free(handler->entrypoint);
        aard__free(handler);
    }
}

/* It is not looked at again once it is gone: whoever has the isolate may free it at once. */
void aard_handler_free(aard_handler *handler)
{
    if (!handler) return;
    aard_isolate *isolate = handler->isolate;
    atomic_store(&handler->gone, true);
    atomic_store(&isolate->has_gone, true);
    aard_error *error = aard__isolate_claim(isolate);
    if (!error) aard__isolate_release(isolate);
    aard_error_free(error);
}

aard__state aard__handler_prepare(aard_handler *handler, aard_outcome *outcome)
{
    aard_isolate *isolate = handler->isolate;
    aard__guest *guest = isolate->guest;
    if (handler->ready) return AARD__DONE;
    guest->prepared = -1;
    aard__state state = guest->ops->prepare(guest, handler->entrypoint, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state != AARD__DONE || outcome->failure != AARD_FAILURE_NONE || guest->prepared < 0) return state;
    handler->number = guest->prepared;
    handler->ready = true;
    /* What a module does when it is imported is not a call's doing: it stays. */
    if (!isolate->used && aard__isolate_is_resettable(isolate)) aard__isolate_renew_checkpoint(isolate);
    return AARD__DONE;
}

void aard__handlers_keep(aard_isolate *isolate)
{
    for (aard_handler *one = isolate->handlers; one; one = one->next) one->kept = one->ready;
}

void aard__handlers_restore(aard_isolate *isolate)
{
    for (aard_handler *one = isolate->handlers; one; one = one->next) one->ready = one->kept;
}

void aard__handlers_forget(aard_isolate *isolate)
{
    for (aard_handler *one = isolate->handlers; one; one = one->next) one->ready = one->kept = false;
}
