/* The handlers of an isolate: which there are, and which of them the guest knows. */
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "worker/isolate.h"

static bool entrypoint_valid(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon && colon != text && colon[1] && !strchr(colon + 1, ':') && aard__utf8_valid(text, strlen(text));
}

aard_error *aard__handler_make(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
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
