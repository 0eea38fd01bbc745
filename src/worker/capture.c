/* The state of an isolate's guest becomes a warm state, for its host or for the guests that follow. */
#include <aardvark/warm.h>
#include <string.h>

#include "base/alloc.h"
#include "guest/python/python.h"
#include "warm/state.h"
#include "worker/worker_impl.h"

/* Imports a module by inline code that leaves no name behind. */
static aard_error *import(aard__guest *guest, const char *module, bool *torn)
{
    aard__buf code = AARD__BUF_INIT;
    aard_outcome *outcome;
    aard__buf_puts(&code, "__import__('importlib').import_module(");
    aard__buf_json_string(&code, module, strlen(module));
    aard__buf_puts(&code, ").__name__");
    if (code.failed) return aard__error_no_memory();
    aard_error *error = aard__outcome_new(&outcome);
    if (error) {
        aard__buf_free(&code);
        return error;
    }
    aard__buf_clear(&guest->call.result);
    aard__buf_clear(&guest->call.report);
    aard__state state = guest->ops->execute(guest, code.data, code.len, "<preload>", NULL, 0, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state == AARD__DONE) state = aard__guest_collect(guest, outcome);
    *torn = state != AARD__DONE;
    if (*torn || !aard_outcome_is_success(outcome)) {
        const char *why = aard_outcome_failure_message(outcome);
        error = aard__error(AARD_ERR_WARM_CAPTURE, "the manifest's preload import '%s' failed: %s", module,
                            why ? why : "it was stopped");
    }
    aard_outcome_free(outcome);
    aard__buf_free(&code);
    return error;
}

typedef struct capture {
    aard__image *image;
    aard__overlay *overlay;
    aard_distribution *distribution;
    aard_error *error;
} capture;

static aard_error *capture_guest(aard__guest *guest, capture *c, bool *torn)
{
    if (!guest->ops->capture)
        return aard__error(AARD_ERR_UNSUPPORTED, "only the state of a Python isolate can be captured");
    const aard_manifest *manifest = guest->bundle ? aard_bundle_manifest(guest->bundle) : NULL;
    for (size_t i = 0; manifest && i < aard_manifest_preload_import_count(manifest); i++)
        AARD__TRY(import(guest, aard_manifest_preload_import(manifest, i), torn));
    aard__vm_pump(guest->vm);
    AARD__TRY(guest->ops->capture(guest, &c->image));
    c->overlay = guest->start.overlay ? aard__overlay_retain(guest->start.overlay) : NULL;
    c->distribution = guest->start.distribution;
    return NULL;
}

static bool do_capture(aard__worker *worker, void *user)
{
    capture *c = user;
    bool torn = false;
    c->error = capture_guest(worker->guest, c, &torn);
    return !torn;
}

static aard_error *capture_worker(aard__worker *worker, capture *c)
{
    AARD__TRY(aard__worker_ensure_guest(worker));
    AARD__TRY(aard__worker_do(worker, do_capture, c));
    if (!c->error && !worker->guest)
        return aard__error(AARD_ERR_WARM_CAPTURE, "the guest was stopped: it took longer than its limit");
    return c->error;
}

/* Whatever a capture does not see shows here, and not where the state is needed. */
static aard_error *try_state(aard_warm_state *state)
{
    aard__guest *guest;
    aard__guest_options options = {.ops = &aard__python,
                                   .distribution = state->distribution,
                                   .warm = state,
                                   .grants_engine_objects = aard__warm_state_has_javascript(state),
                                   .streams = {.limit = 4096}};
    aard_error *error = aard__guest_new(&options, &guest);
    if (error) {
        aard_error *told = aard__error(AARD_ERR_WARM_CAPTURE, "Python's state was captured and does not start: %s",
                                       aard_error_message(error));
        aard_error_free(error);
        return told;
    }
    aard__guest_free(guest);
    return NULL;
}

aard_error *aard__worker_capture(aard__worker *worker, aard_warm_state **out)
{
    capture c = {0};
    aard_warm_state *state;
    aard_error *error = capture_worker(worker, &c);
    if (error) {
        aard__image_free(c.image);
        aard__overlay_free(c.overlay);
        return error;
    }
    error = aard__warm_state_new(c.image, c.distribution, &state);
    if (error) {
        aard__overlay_free(c.overlay);
        return error;
    }
    state->overlay = c.overlay;
    error = try_state(state);
    if (error) {
        aard_warm_state_free(state);
        return error;
    }
    *out = state;
    return NULL;
}

aard_error *aard__worker_has_checkpoints(const aard_isolate_config *config)
{
    if (config->settings.language != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "only a Python isolate has checkpoints; JavaScript is reset to its bundle");
    if (aard__config_grants(config, "js"))
        return aard__error(AARD_ERR_UNSUPPORTED, "an isolate with the capability 'js' has no checkpoints");
    return NULL;
}

aard_error *aard__worker_checkpoint(aard__worker *worker)
{
    aard_warm_state *state;
    AARD__TRY(aard__worker_has_checkpoints(worker->config));
    AARD__TRY(aard__worker_ensure_guest(worker));
    AARD__TRY(aard__worker_capture(worker, &state));
    aard_warm_state_free(worker->kept);
    worker->kept = state;
    worker->resettable = true;
    AARD__TRY(aard__worker_take_checkpoint(worker));
    worker->used = worker->stepped = false;
    return NULL; /* a guest that can't remember its state is replaced by one from `kept` */
}
