/* What is done with one isolate of a pool: made, called, looked at, cleaned, freed.  Whoever does it has the isolate alone. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "outcome/outcome.h"
#include "pool/pool.h"

static aard_error *tell(const aard__slot *slot, aard_pool_event event)
{
    const aard__pool_hook *hook = slot->pool->config->hook;
    if (!hook) return NULL;
    event.isolate = slot->isolate;
    event.calls = slot->calls;
    return hook->call(hook->user.pointer, &event);
}

/* ---- a life ---------------------------------------------------------------------------------------------------------- */

static aard_error *furnish(aard__slot *slot)
{
    const aard_pool_config *config = slot->pool->config;
    AARD__TRY(aard_isolate_new(config->isolate, &slot->isolate));
    if (config->bundle) AARD__TRY(aard_isolate_load_bundle(slot->isolate, config->bundle));
    for (size_t i = 0; i < config->entrypoint_count; i++)
        AARD__TRY(aard_handler_new(slot->isolate, config->entrypoints[i], &slot->handlers[i]));
    /* It will be reset: what its modules leave when they are imported is to be undone in place, too. */
    if (slot->pool->cleans) AARD__TRY(aard_isolate_reset(slot->isolate));
    AARD__TRY(tell(slot, (aard_pool_event){.kind = AARD_POOL_CREATED}));
    if (!slot->pool->cleans) return NULL;
    /* The first call finds what all others do: of what the hook did, what it has made a checkpoint of. */
    if (config->hook) AARD__TRY(aard_isolate_reset(slot->isolate));
    return aard_isolate_prepare_reset(slot->isolate);
}

static void take_apart(aard__slot *slot)
{
    for (size_t i = 0; i < slot->pool->config->entrypoint_count; i++) aard_handler_free(slot->handlers[i]);
    aard_isolate_free(slot->isolate);
    aard__free(slot->handlers);
    aard__free(slot);
}

aard_error *aard__slot_new(aard_pool *pool, aard__slot **out)
{
    aard__slot *slot = aard__calloc(1, sizeof *slot);
    if (!slot) return aard__error_no_memory();
    slot->pool = pool;
    slot->recycle = -1;
    slot->born = aard__clock_monotonic();
    slot->handlers = aard__calloc(pool->config->entrypoint_count + 1, sizeof(aard_handler *));
    aard_error *error = slot->handlers ? furnish(slot) : aard__error_no_memory();
    if (!error)
        *out = slot;
    else if (slot->handlers)
        take_apart(slot);
    else
        aard__free(slot);
    return error;
}

void aard__slot_free(aard__slot *slot)
{
    static const char *const recycle_names[] = {
#define RECYCLE_NAME(constant, name) name,
        AARD_RECYCLE_MAP(RECYCLE_NAME)
#undef RECYCLE_NAME
    };
    aard_pool_event event = {.kind = AARD_POOL_QUARANTINED};
    if (slot->quarantine) {
        event.cause = aard_quarantine_name((aard_quarantine)slot->quarantine);
        aard_error_free(tell(slot, event));
    } else if (slot->recycle >= 0) {
        event.kind = AARD_POOL_RECYCLED;
        event.cause = recycle_names[slot->recycle];
        aard_error_free(tell(slot, event));
    }
    aard_error_free(tell(slot, (aard_pool_event){.kind = AARD_POOL_FREED}));
    take_apart(slot);
}

aard_error *aard__slot_clean(aard__slot *slot)
{
    if (slot->pool->cleans) return aard_isolate_reset(slot->isolate);
    return slot->soiled ? aard_isolate_prepare_reset(slot->isolate) : NULL;
}

aard_error *aard__slot_prepare(aard__slot *slot)
{
    return slot->pool->cleans ? aard_isolate_prepare_reset(slot->isolate) : NULL;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

/* NULL where there is no manifest to name it: no isolate can be made then. */
static const char *name_of(const aard_pool_config *config, size_t handler)
{
    const aard_manifest *manifest = config->bundle ? aard_bundle_manifest(config->bundle) : NULL;
    if (config->entrypoints[handler]) return config->entrypoints[handler];
    return manifest ? aard_manifest_entrypoint(manifest) : NULL;
}

aard_error *aard__pool_find_handler(const aard_pool *pool, const char *entrypoint, size_t *out)
{
    const aard_pool_config *config = pool->config;
    if (!config->entrypoint_count)
        return aard__error(AARD_ERR_NOT_FOUND,
                           "the pool '%s' has no handlers; add them to its configuration, or run "
                           "inline code",
                           config->name);
    *out = 0;
    if (!entrypoint) return NULL;
    for (size_t i = 0; i < config->entrypoint_count; i++) {
        const char *name = name_of(config, i);
        if (!name || strcmp(name, entrypoint) != 0) continue;
        *out = i;
        return NULL;
    }
    return aard__error(AARD_ERR_NOT_FOUND, "the pool '%s' has no handler '%s'; add it to its configuration",
                       config->name, entrypoint);
}

/* Why the isolate is not to be used any more, of the causes that hold. */
static unsigned blame(const aard__slot *slot, const aard_outcome *outcome)
{
    unsigned causes = 0;
    switch (outcome->failure) {
    case AARD_FAILURE_ENGINE_CRASHED: causes |= AARD_QUARANTINE_ENGINE_CRASHED; break;
    case AARD_FAILURE_TIMEOUT_EXCEEDED:
    case AARD_FAILURE_CPU_LIMIT_EXCEEDED: causes |= AARD_QUARANTINE_TIMEOUT; break;
    case AARD_FAILURE_HEAP_LIMIT_EXCEEDED: causes |= AARD_QUARANTINE_HEAP_LIMIT; break;
    default: break;
    }
    if (outcome->diagnostics.guest_abandoned) causes |= AARD_QUARANTINE_GUEST_ABANDONED;
    if (aard_outcome_violation_count(outcome)) causes |= AARD_QUARANTINE_VIOLATION;
    causes &= slot->pool->config->quarantine;
    return causes & (0 - causes); /* it is counted once: by the gravest */
}

static int wears_out(const aard__slot *slot, uint64_t now)
{
    const aard_pool_config *config = slot->pool->config;
    if (config->max_calls && slot->calls >= config->max_calls) return AARD_RECYCLE_CALLS;
    if (config->max_age_ms && (now - slot->born) / 1000000 >= config->max_age_ms) return AARD_RECYCLE_AGE;
    if (config->max_heap && slot->heap_kib >= config->max_heap / 1024) return AARD_RECYCLE_HEAP;
    if (config->max_rss && slot->rss_kib >= config->max_rss / 1024) return AARD_RECYCLE_RSS;
    return -1;
}

static bool was_cut_off(aard_failure_kind failure)
{
    return failure == AARD_FAILURE_TIMEOUT_EXCEEDED || failure == AARD_FAILURE_CPU_LIMIT_EXCEEDED ||
           failure == AARD_FAILURE_HEAP_LIMIT_EXCEEDED || failure == AARD_FAILURE_CANCELLED ||
           failure == AARD_FAILURE_ENGINE_CRASHED;
}

static void look_at(aard__slot *slot, const aard_outcome *outcome)
{
    const aard_diagnostics *d = &outcome->diagnostics;
    slot->heap_kib = d->py_heap_kib + d->js_heap_kib;
    slot->rss_kib = d->rss_kib_after;
    slot->soiled = was_cut_off(outcome->failure);
    if (!slot->quarantine) slot->quarantine = blame(slot, outcome);
}

aard_error *aard__slot_call(aard__slot *slot, const aard__target *target, uint64_t queue_wait, aard__record *record,
                            aard_outcome **out)
{
    uint64_t start = aard__clock_monotonic();
    aard_outcome *outcome = NULL;
    aard_error_free(tell(slot, (aard_pool_event){.kind = AARD_POOL_BEFORE_CALL, .call = target->call}));
    aard_error *error = target->source ? aard_isolate_exec(slot->isolate, target->source, target->len, target->name,
                                                           target->call, &outcome)
                                       : aard_handler_invoke(slot->handlers[target->handler], target->call, &outcome);
    uint64_t end = aard__clock_monotonic();
    slot->calls++;
    if (outcome) {
        outcome->diagnostics.queue_wait_ms = (double)queue_wait / 1e6;
        look_at(slot, outcome);
    } else {
        slot->soiled = true;
    }
    if (slot->recycle < 0) slot->recycle = wears_out(slot, end);
    *record = (aard__record){.ran = outcome,
                             .success = outcome && outcome->failure == AARD_FAILURE_NONE,
                             .queue_wait = queue_wait,
                             .run = end - start,
                             .total = end - start + queue_wait};
    aard_error_free(
        tell(slot, (aard_pool_event){.kind = AARD_POOL_AFTER_CALL, .call = target->call, .outcome = outcome}));
    if (outcome) *out = outcome;
    return error;
}

aard_error *aard__pool_cancelled_outcome(const aard_pool *pool, uint64_t waited_ns, aard_outcome **out)
{
    aard_outcome *outcome = NULL;
    AARD__TRY(aard__outcome_new(&outcome));
    aard__outcome_fail(outcome, AARD_FAILURE_CANCELLED, "the call was cancelled while it waited for an isolate");
    outcome->isolation = aard_isolate_config_isolation(pool->config->isolate);
    outcome->diagnostics.started_at_ns = aard__clock_realtime();
    outcome->diagnostics.queue_wait_ms = (double)waited_ns / 1e6;
    *out = outcome;
    return NULL;
}
