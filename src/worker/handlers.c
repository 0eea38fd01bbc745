/* The handlers of a worker: which there are. */
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "worker/worker_impl.h"

static bool entrypoint_valid(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon && colon != text && colon[1] && !strchr(colon + 1, ':') && aard__utf8_valid(text, strlen(text));
}

static void free_handler(aard__handler *handler)
{
    if (!handler) return;
    aard__free(handler->entrypoint);
    aard__free(handler);
}

static aard__handler *new_handler(const char *entrypoint)
{
    aard__handler *handler = aard__calloc(1, sizeof *handler);
    if (!handler) return NULL;
    handler->entrypoint = aard__strdup(entrypoint);
    if (handler->entrypoint) return handler;
    aard__free(handler);
    return NULL;
}

/* A place that nobody has; the list grows where there is none.  False without memory. */
static bool find_place(aard__worker *worker, uint32_t *out)
{
    size_t at = 0;
    while (at < worker->handler_count && worker->handlers[at]) at++;
    if (at == UINT32_MAX) return false;
    if (at == worker->handler_count) {
        aard__handler **list = aard__realloc(worker->handlers, (at + 1) * sizeof *list);
        if (!list) return false;
        list[at] = NULL;
        worker->handlers = list;
        worker->handler_count++;
    }
    *out = (uint32_t)at;
    return true;
}

static aard_error *find_entrypoint(const aard__worker *worker, const char **entrypoint)
{
    if (!worker->bundle)
        return aard__error(AARD_ERR_ENTRYPOINT_MISSING, "the isolate has no bundle; load one before making a handler");
    const aard_manifest *manifest = aard_bundle_manifest(worker->bundle);
    if (!*entrypoint && manifest) *entrypoint = aard_manifest_entrypoint(manifest);
    if (!*entrypoint)
        return aard__error(AARD_ERR_ENTRYPOINT_MISSING,
                           "the bundle has no manifest that names an entrypoint; name one as module:export");
    if (entrypoint_valid(*entrypoint)) return NULL;
    return aard__error(AARD_ERR_ENTRYPOINT_INVALID, "the entrypoint '%s' is not of the form module:export",
                       *entrypoint);
}

aard_error *aard__worker_resolve(aard__worker *worker, const char *entrypoint, uint32_t *out)
{
    uint32_t at;
    AARD__TRY(find_entrypoint(worker, &entrypoint));
    if (!find_place(worker, &at)) return aard__error_no_memory();
    worker->handlers[at] = new_handler(entrypoint);
    if (!worker->handlers[at]) return aard__error_no_memory();
    *out = at;
    return NULL;
}

aard__handler *aard__worker_handler(const aard__worker *worker, uint32_t number)
{
    return number < worker->handler_count ? worker->handlers[number] : NULL;
}

void aard__handlers_remove(aard__worker *worker, uint32_t number)
{
    if (number >= worker->handler_count) return;
    free_handler(worker->handlers[number]);
    worker->handlers[number] = NULL;
}

void aard__handlers_free(aard__worker *worker)
{
    for (size_t i = 0; i < worker->handler_count; i++) free_handler(worker->handlers[i]);
    aard__free(worker->handlers);
}

void aard__handlers_keep(aard__worker *worker)
{
    for (size_t i = 0; i < worker->handler_count; i++)
        if (worker->handlers[i]) worker->handlers[i]->kept = worker->handlers[i]->ready;
}

void aard__handlers_restore(aard__worker *worker)
{
    for (size_t i = 0; i < worker->handler_count; i++)
        if (worker->handlers[i]) worker->handlers[i]->ready = worker->handlers[i]->kept;
}

void aard__handlers_forget(aard__worker *worker)
{
    for (size_t i = 0; i < worker->handler_count; i++)
        if (worker->handlers[i]) worker->handlers[i]->ready = worker->handlers[i]->kept = false;
}

void aard__handlers_unpark(aard__worker *worker)
{
    for (size_t i = 0; i < worker->handler_count; i++)
        if (worker->handlers[i]) worker->handlers[i]->parked = NULL;
}
