/* The public isolate: owns a guest, replaces it when it is broken, and gives every call an outcome. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "budget/watchdog.h"
#include "distribution/distribution.h"
#include "isolate/config.h"
#include "isolate/guest.h"
#include "isolate/packages.h"
#include "isolate/warm_state.h"

struct aard_isolate {
    aard_isolate_config *config;
    aard__guest *guest;  /* NULL while there is none that can be used */
    aard_bundle *bundle; /* retained; may be NULL */
    aard__watch watch;
    uint64_t id, generation; /* the generation counts guests */
    atomic_flag busy;
};

struct aard_handler {
    aard_isolate *isolate;
    char *entrypoint;
    int number;          /* in the guest of `generation` */
    uint64_t generation; /* 0 = not looked up yet */
};

/* What is measured while a call runs. */
typedef struct measures {
    uint64_t start, run_start, run_end, cpu_start;
} measures;

static atomic_uint_fast64_t last_id;

static double ms(uint64_t ns) { return (double)ns / 1e6; }

/* Resident memory of the process in KiB; 0 where the kernel does not say. */
static uint64_t rss_kib(void)
{
    static atomic_int shared_fd = -1;
    int fd = atomic_load(&shared_fd);
    if (fd < 0) {
        int opened = open("/proc/self/statm", O_RDONLY | O_CLOEXEC), none = -1;
        if (opened < 0) return 0;
        if (!atomic_compare_exchange_strong(&shared_fd, &none, opened)) {
            close(opened);
            opened = none;
        }
        fd = opened;
    }
    char text[128];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoull(second, NULL, 10) * (uint64_t)(sysconf(_SC_PAGESIZE) / 1024) : 0;
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

/* A guest with `bundle` (may be NULL), in place of the one that is there. */
static aard_error *boot_guest(aard_isolate *isolate, aard_bundle *bundle)
{
    const aard_isolate_config *config = isolate->config;
    aard__guest_options options = {
        .language = config->language,
        .distribution = config->distribution,
        .warm = config->warm,
        .streams = {.limit = config->output_limit,
                    .callback = config->listener ? config->listener->callback : NULL,
                    .user = config->listener ? config->listener->user : NULL},
    };
    aard__guest *guest;
    AARD__TRY(aard__guest_new(&options, &guest));
    aard__vm_enter(guest->vm);
    aard_error *error = bundle ? aard__packages_load(guest, bundle) : NULL;
    if (!error && bundle) error = aard__guest_mount(guest, bundle);
    aard__vm_leave(guest->vm);
    if (error) {
        aard__guest_free(guest);
        return error;
    }
    aard__guest_free(isolate->guest);
    isolate->guest = guest;
    isolate->generation++;
    isolate->watch = (aard__watch){.fire = aard__guest_stop, .user = guest};
    return NULL;
}

aard_error *aard_isolate_new(const aard_isolate_config *config, aard_isolate **out)
{
    if (config && config->isolation == AARD_ISOLATION_PROCESS)
        return aard__error(AARD_ERR_UNSUPPORTED,
                           "isolation 'process' is not part of this version; use isolation 'thread'");
    aard_isolate *isolate = aard__calloc(1, sizeof *isolate);
    if (!isolate) return aard__error_no_memory();
    atomic_flag_clear(&isolate->busy);
    isolate->id = atomic_fetch_add(&last_id, 1) + 1;
    aard_error *error = aard__config_copy(config, &isolate->config);
    if (!error) error = aard__warm_state_fits(isolate->config);
    if (!error && isolate->config->language == AARD_LANGUAGE_PYTHON && !isolate->config->distribution)
        error = aard_distribution_open(NULL, &isolate->config->distribution);
    if (!error) error = boot_guest(isolate, NULL);
    if (error) {
        aard_isolate_free(isolate);
        return error;
    }
    *out = isolate;
    return NULL;
}

void aard_isolate_free(aard_isolate *isolate)
{
    if (!isolate) return;
    aard__guest_free(isolate->guest);
    aard_bundle_free(isolate->bundle);
    aard_isolate_config_free(isolate->config);
    aard__free(isolate);
}

static aard_error *claim(aard_isolate *isolate)
{
    if (!atomic_flag_test_and_set_explicit(&isolate->busy, memory_order_acquire)) return NULL;
    return aard__error(AARD_ERR_BUSY, "isolate %llu is in use by another call; make calls one at a time",
                       (unsigned long long)isolate->id);
}

static void release(aard_isolate *isolate) { atomic_flag_clear_explicit(&isolate->busy, memory_order_release); }

/* ---- the guest outside of calls -------------------------------------------------------------------------------- */

static aard_error *arm(aard_isolate *isolate, uint64_t limit_ms)
{
    uint64_t span = limit_ms > UINT64_MAX / 4000000 ? UINT64_MAX / 4 : limit_ms * 1000000;
    return limit_ms ? aard__watch_arm(&isolate->watch, aard__clock_monotonic() + span) : NULL;
}

/* What a guest has defined may run where no call is made: at the end of an object, when a path changes.  It has a call's
 * time for that. */
static aard_error *enter(aard_isolate *isolate)
{
    AARD__TRY(arm(isolate, isolate->config->wall_limit_ms));
    aard__vm_enter(isolate->guest->vm);
    return NULL;
}

/* A guest that is `torn`, or that took too long, goes away. */
static void leave(aard_isolate *isolate, bool torn)
{
    aard__guest *guest = isolate->guest;
    torn = aard__watch_disarm(&isolate->watch) || torn;
    aard__vm_leave(guest->vm);
    if (!torn) return;
    isolate->guest = NULL;
    aard__guest_free(guest);
}

/* ---- bundles -------------------------------------------------------------------------------------------------- */

static aard_error *fits(const aard_isolate *isolate, const aard_bundle *bundle)
{
    AARD__TRY(aard__warm_state_takes(isolate->config->warm, bundle));
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    if (!manifest) return NULL;
    bool python = isolate->config->language == AARD_LANGUAGE_PYTHON;
    if ((aard_manifest_language(manifest) == AARD_LANGUAGE_PYTHON) != python)
        return aard__error(AARD_ERR_MANIFEST_LANGUAGE, "the bundle is %s and the isolate runs %s",
                           python ? "JavaScript" : "Python", python ? "Python" : "JavaScript");
    const char *wanted = aard_manifest_pyodide_version(manifest);
    const char *have = python ? aard_distribution_pyodide_version(isolate->config->distribution) : NULL;
    if (wanted && have && strcmp(wanted, have))
        return aard__error(AARD_ERR_MANIFEST_PYODIDE_VERSION,
                           "the bundle wants Pyodide %s and the distribution in '%s' is %s; stage the other version",
                           wanted, aard_distribution_dir(isolate->config->distribution), have);
    return NULL;
}

/* Gives the guest that is there another bundle.  One that can't take it is gone afterwards, without an error. */
static aard_error *exchange_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(enter(isolate));
    bool torn = false;
    aard_error *error = aard__packages_load(isolate->guest, bundle);
    if (!error) {
        error = aard__guest_mount(isolate->guest, bundle);
        torn = error != NULL;
    }
    leave(isolate, torn);
    if (isolate->guest) return error;
    aard_error_free(error);
    return NULL;
}

static aard_error *load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(fits(isolate, bundle));
    /* Neither modules nor what scripts declare can be taken out of a realm of JavaScript; a new one costs little. */
    bool fresh = isolate->bundle && isolate->config->language == AARD_LANGUAGE_JAVASCRIPT;
    if (isolate->guest && !fresh) AARD__TRY(exchange_bundle(isolate, bundle));
    if (!isolate->guest || fresh) AARD__TRY(boot_guest(isolate, bundle));
    aard_bundle_free(isolate->bundle);
    isolate->bundle = aard_bundle_retain(bundle);
    isolate->generation++; /* handlers of the bundle before must be looked up anew */
    return NULL;
}

aard_error *aard_isolate_load_bundle(aard_isolate *isolate, aard_bundle *bundle)
{
    AARD__TRY(claim(isolate));
    aard_error *error = load_bundle(isolate, bundle);
    release(isolate);
    return error;
}

/* ---- one call ------------------------------------------------------------------------------------------------- */

aard_error *aard__isolate_work(aard_isolate *isolate, aard__guest_work work, void *user)
{
    AARD__TRY(claim(isolate));
    aard_error *error = isolate->guest ? NULL : boot_guest(isolate, isolate->bundle);
    if (!error) error = enter(isolate);
    if (!error) {
        bool torn = false;
        error = work(isolate->guest, user, &torn);
        leave(isolate, torn);
        if (!error && !isolate->guest)
            error = aard__error(AARD_ERR_WARM_CAPTURE, "the guest was stopped: it took longer than its limit");
    }
    release(isolate);
    return error;
}

/* Makes sure there is a guest; a replacement is told in the diagnostics. */
static aard_error *ensure_guest(aard_isolate *isolate, aard_outcome *outcome)
{
    if (isolate->guest) return NULL;
    uint64_t start = aard__clock_monotonic();
    AARD__TRY(boot_guest(isolate, isolate->bundle));
    outcome->diagnostics.reset_mode = AARD_RESET_NEW_ISOLATE;
    outcome->diagnostics.reset_ms = ms(aard__clock_monotonic() - start);
    return NULL;
}

static uint64_t wall_limit(const aard_isolate *isolate, const aard_call *call)
{
    uint64_t limit = isolate->config->wall_limit_ms;
    if (call && call->wall_limit_ms && (!limit || call->wall_limit_ms < limit)) limit = call->wall_limit_ms;
    return limit;
}

static aard_error *begin(aard_isolate *isolate, const aard_call *call, aard_outcome *outcome, measures *m)
{
    m->start = aard__clock_monotonic();
    m->cpu_start = aard__clock_thread_cpu();
    outcome->isolation = isolate->config->isolation;
    outcome->diagnostics.isolate_id = isolate->id;
    outcome->diagnostics.started_at_ns = aard__clock_realtime();
    outcome->diagnostics.rss_kib_before = rss_kib();
    AARD__TRY(ensure_guest(isolate, outcome));
    aard__guest *guest = isolate->guest;
    guest->streams.capture = !call || call->capture;
    aard__buf_clear(&guest->result);
    aard__buf_clear(&guest->report);
    guest->bytes_written = 0;
    AARD__TRY(arm(isolate, wall_limit(isolate, call)));
    aard__vm_enter(guest->vm);
    return NULL;
}

/* What no guest needs to see to know that it is no JSON; false, with a failure, for such an input. */
static bool input_fits(const aard_call *call, aard_outcome *outcome)
{
    if (!call || !call->input) return true;
    const char *reason = !call->input_len                                  ? "it is empty"
                         : !aard__utf8_valid(call->input, call->input_len) ? "it is not UTF-8"
                                                                           : NULL;
    if (reason) aard__outcome_fail(outcome, AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON: %s", reason);
    return !reason;
}

/* The call is over: whatever the guest left behind goes into the outcome, and a guest that broke goes away. */
static void end(aard_isolate *isolate, const aard_call *call, aard__state state, aard_outcome *outcome, measures *m)
{
    aard__guest *guest = isolate->guest;
    aard_diagnostics *d = &outcome->diagnostics;
    if (state == AARD__DONE) state = aard__guest_collect(guest, outcome);
    if (state == AARD__DONE) { /* both run code of the guest: still under the limit */
        aard__vm_pump(guest->vm);
        aard__guest_report_rejections(guest);
    }
    m->run_end = aard__clock_monotonic();
    bool stopped = aard__watch_disarm(&isolate->watch) || aard__vm_terminating(guest->vm);
    if (stopped)
        aard__outcome_fail(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "the call took longer than its limit of %llu ms",
                           (unsigned long long)wall_limit(isolate, call));
    else if (state == AARD__BROKEN && outcome->failure == AARD_FAILURE_NONE)
        aard__outcome_fail(outcome, AARD_FAILURE_ENGINE_CRASHED, "the guest ended without an answer");
    bool condemned = stopped || state == AARD__BROKEN;
    if (!condemned) {
        aard__heap heap;
        aard__vm_heap(guest->vm, &heap);
        d->js_heap_kib = heap.used / 1024;
        if (guest->ops->heap_bytes) d->py_heap_kib = guest->ops->heap_bytes(guest) / 1024;
    }
    d->filesystem_bytes_written = guest->bytes_written;
    if (guest->image) {
        d->warm_source = aard__image_is_file(guest->image) ? AARD_WARM_DISK : AARD_WARM_MEMORY;
        snprintf(d->warm_fingerprint, sizeof d->warm_fingerprint, "%s",
                 guest->warm ? aard_warm_state_fingerprint(guest->warm)
                             : aard_distribution_fingerprint(guest->distribution));
    }
    aard__streams_take(&guest->streams, AARD_STREAM_STDOUT, &outcome->streams[0], &d->stdout_dropped_bytes);
    aard__streams_take(&guest->streams, AARD_STREAM_STDERR, &outcome->streams[1], &d->stderr_dropped_bytes);
    aard__vm_leave(guest->vm);
    if (condemned) {
        isolate->guest = NULL;
        aard__guest_free(guest);
    }
    d->reset_generation = isolate->generation;
    d->rss_kib_after = rss_kib();
    uint64_t now = aard__clock_monotonic();
    d->cpu_ms_used = ms(aard__clock_thread_cpu() - m->cpu_start);
    d->prepare_ms = ms(m->run_start - m->start);
    d->run_ms = ms(m->run_end - m->run_start);
    d->cleanup_ms = ms(now - m->run_end);
    d->wall_ms = ms(now - m->start);
}

/* ---- handlers ------------------------------------------------------------------------------------------------- */

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
    *out = handler;
    return NULL;
}

aard_error *aard_handler_new(aard_isolate *isolate, const char *entrypoint, aard_handler **out)
{
    AARD__TRY(claim(isolate));
    aard_error *error = make_handler(isolate, entrypoint, out);
    release(isolate);
    return error;
}

void aard_handler_free(aard_handler *handler)
{
    if (!handler) return;
    aard_isolate *isolate = handler->isolate;
    if (isolate->guest && handler->generation == isolate->generation) {
        aard_error *error = enter(isolate);
        if (!error) {
            isolate->guest->ops->forget(isolate->guest, handler->number);
            leave(isolate, false);
        }
        aard_error_free(error); /* what it holds then goes with the guest */
    }
    aard__free(handler->entrypoint);
    aard__free(handler);
}

/* Looks the handler up where that has not been done in this guest. */
static aard__state prepare(aard_handler *handler, aard_outcome *outcome)
{
    aard_isolate *isolate = handler->isolate;
    aard__guest *guest = isolate->guest;
    if (handler->generation == isolate->generation) return AARD__DONE;
    guest->prepared = -1;
    aard__state state = guest->ops->prepare(guest, handler->entrypoint, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state != AARD__DONE || outcome->failure != AARD_FAILURE_NONE || guest->prepared < 0) return state;
    handler->number = guest->prepared;
    handler->generation = isolate->generation;
    return AARD__DONE;
}

static aard_error *invoke(aard_handler *handler, const aard_call *call, aard_outcome *outcome)
{
    aard_isolate *isolate = handler->isolate;
    measures m;
    AARD__TRY(begin(isolate, call, outcome, &m));
    aard__guest *guest = isolate->guest;
    aard__state state = input_fits(call, outcome) ? prepare(handler, outcome) : AARD__DONE;
    m.run_start = aard__clock_monotonic();
    if (state == AARD__DONE && outcome->failure == AARD_FAILURE_NONE && handler->generation == isolate->generation) {
        state = guest->ops->invoke(guest, handler->number, call ? call->input : NULL, call ? call->input_len : 0,
                                   outcome);
        state = aard__guest_wait(guest, state, outcome);
    }
    end(isolate, call, state, outcome, &m);
    return NULL;
}

static aard_error *execute(aard_isolate *isolate, const char *source, size_t len, const char *name,
                           const aard_call *call, aard_outcome *outcome)
{
    measures m;
    AARD__TRY(begin(isolate, call, outcome, &m));
    aard__guest *guest = isolate->guest;
    m.run_start = aard__clock_monotonic();
    aard__state state = AARD__DONE;
    if (input_fits(call, outcome)) {
        state = guest->ops->execute(guest, source, len, name ? name : "<exec>", call ? call->input : NULL,
                                    call ? call->input_len : 0, outcome);
        state = aard__guest_wait(guest, state, outcome);
    }
    end(isolate, call, state, outcome, &m);
    return NULL;
}

aard_error *aard_handler_invoke(aard_handler *handler, const aard_call *call, aard_outcome **out)
{
    aard_outcome *outcome;
    AARD__TRY(claim(handler->isolate));
    aard_error *error = aard__outcome_new(&outcome);
    if (!error && (error = invoke(handler, call, outcome))) aard_outcome_free(outcome);
    release(handler->isolate);
    if (!error) *out = outcome;
    return error;
}

aard_error *aard_isolate_exec(aard_isolate *isolate, const char *source, size_t len, const char *name,
                              const aard_call *call, aard_outcome **out)
{
    aard_outcome *outcome;
    AARD__TRY(claim(isolate));
    aard_error *error = aard__outcome_new(&outcome);
    if (!error && (error = execute(isolate, source, len, name, call, outcome))) aard_outcome_free(outcome);
    release(isolate);
    if (!error) *out = outcome;
    return error;
}
