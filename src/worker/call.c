/* One call: begun, measured, limited, ended, and its outcome. */
#include <aardvark/warm.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/utf8.h"
#include "worker/isolate.h"

static double ms(uint64_t ns) { return (double)ns / 1e6; }

static uint64_t read_rss_kib(void)
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

/* Resident memory of the process in KiB; 0 where the kernel does not say.  As of a millisecond ago at most: two
 * readings would be a tenth of a small call. */
static uint64_t rss_kib(void)
{
    static atomic_uint_fast64_t read_at, kib;
    uint64_t now = aard__clock_monotonic(), last = atomic_load(&read_at);
    if (last && now - last < 1000000) return atomic_load(&kib);
    atomic_store(&kib, read_rss_kib());
    atomic_store(&read_at, now);
    return atomic_load(&kib);
}

/* A call under way. */
typedef struct errand {
    aard_isolate *isolate;
    const aard_call *call;
    aard_handler *handler; /* or inline code: */
    const char *source, *name;
    size_t len;
    aard_outcome *outcome;
    aard__limits limits;
    aard__state state;
    aard__cause cause; /* why the import was ended, by a limit of its own; none otherwise */
    uint64_t start, run_start, run_end, cpu_start;
} errand;

static void begin_diagnostics(errand *e)
{
    aard_isolate *isolate = e->isolate;
    aard_diagnostics *d = &e->outcome->diagnostics;
    e->outcome->isolation = isolate->config->settings.isolation;
    d->isolate_id = isolate->id;
    d->started_at_ns = aard__clock_realtime();
    d->rss_kib_before = rss_kib();
}

static uint64_t manifest_cpu_ms(const aard_isolate *isolate)
{
    const aard_manifest *manifest = isolate->bundle ? aard_bundle_manifest(isolate->bundle) : NULL;
    return manifest ? aard_manifest_cpu_limit_ms(manifest) : 0;
}

/* The import of a handler's module may have a limit of its own. */
static bool imports_apart(const errand *e)
{
    return e->handler && !e->handler->ready && e->isolate->config->settings.startup_limit_ms;
}

/* Whether what the call begins with can be gone back to, as far as it has to.  A handler's module is imported first, and the
 * state is remembered then; what an import leaves that fails is of interest only where there are resets. */
static bool remembered(const errand *e)
{
    const aard_isolate *isolate = e->isolate;
    return isolate->used || isolate->remembered || !isolate->guest->ops->checkpoint ||
           !aard__isolate_is_resettable(isolate) || (e->handler && !isolate->resettable);
}

static aard_error *begin(errand *e)
{
    aard_isolate *isolate = e->isolate;
    const aard_call *call = e->call;
    e->start = aard__clock_monotonic();
    e->cpu_start = aard__clock_thread_cpu();
    begin_diagnostics(e);
    bool ready = isolate->guest && !isolate->soiled && remembered(e);
    AARD__TRY(aard__isolate_ensure_guest_for(isolate, e->handler));
    isolate->last = NULL;
    if (!remembered(e)) AARD__TRY(aard__isolate_remember(isolate));
    e->outcome->diagnostics.reset_mode = isolate->reset_mode;
    e->outcome->diagnostics.reset_ms = isolate->reset_ms;
    isolate->reset_mode = AARD_RESET_NONE;
    isolate->reset_ms = 0;
    aard__guest *guest = isolate->guest;
    guest->streams.capture = !call || call->capture;
    aard__buf_clear(&guest->result);
    aard__buf_clear(&guest->report);
    guest->bytes_written = guest->result_bytes = 0;
    guest->memory_refused = guest->streams.threw = false;
    guest->pending_ended = 0;
    guest->result_limit = guest->entry.most = aard__config_result_limit(isolate->config, call);
    guest->result_depth_limit = isolate->config->settings.result_depth_limit;
    aard__vm_buffer_refused(guest->vm);
    aard__ledger_free(&guest->ledger);
    aard__guest_go_online(guest, &isolate->network);
    e->limits = aard__config_limits(isolate->config, call, manifest_cpu_ms(isolate));
    aard__limits apart = {.wall_ms = isolate->config->settings.startup_limit_ms};
    const aard__limits *limits = imports_apart(e) ? &apart : &e->limits;
    aard_cancel_handle *cancel = call ? call->cancel : NULL;
    return ready ? aard__isolate_arm_at(isolate, limits, cancel, e->start, e->cpu_start)
                 : aard__isolate_arm(isolate, limits, cancel); /* a reset or checkpoint is not the call's doing */
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

/* ---- what runs on the guest's stack ----------------------------------------------------------------------------- */

static aard__state prepare(errand *e)
{
    bool apart = imports_apart(e);
    aard__state state = aard__handler_prepare(e->handler, e->outcome);
    if (!apart) return state;
    e->cause = aard__budget_disarm(&e->isolate->budget);
    if (e->cause != AARD__CAUSE_NONE) return AARD__BROKEN;
    aard_error *error = aard__isolate_arm(e->isolate, &e->limits, e->call ? e->call->cancel : NULL);
    if (!error) return state;
    aard__outcome_fail(e->outcome, AARD_FAILURE_OTHER, "%s", aard_error_message(error));
    aard_error_free(error);
    return AARD__BROKEN;
}

static aard__state invoke(errand *e)
{
    aard__guest *guest = e->isolate->guest;
    const aard_call *call = e->call;
    const char *input = call ? call->input : NULL;
    size_t input_len = call ? call->input_len : 0;
    aard__state state = AARD__DONE;
    if (e->handler) {
        state = prepare(e);
        e->run_start = aard__clock_monotonic();
        e->isolate->used = true;
        if (e->handler->ready) e->isolate->last = e->handler;
        if (state != AARD__DONE || e->outcome->failure != AARD_FAILURE_NONE || !e->handler->ready) return state;
        state = guest->ops->invoke(guest, e->handler->number, input, input_len, e->outcome);
    } else {
        e->isolate->used = true;
        state = guest->ops->execute(guest, e->source, e->len, e->name ? e->name : "<exec>", input, input_len,
                                    e->outcome);
    }
    return aard__guest_wait(guest, state, e->outcome);
}

static bool is_cancelled(const aard_call *call)
{
    return call && call->cancel && aard_cancel_handle_is_cancelled(call->cancel);
}

static void serve(errand *e)
{
    aard__guest *guest = e->isolate->guest;
    if (is_cancelled(e->call)) { /* before it began */
        aard__outcome_fail(e->outcome, AARD_FAILURE_CANCELLED, "the call was cancelled");
        e->state = AARD__DONE;
        return;
    }
    if (guest->asked && guest->ops->calm) guest->ops->calm(guest);
    guest->asked = false;
    aard__state state = input_fits(e->call, e->outcome) ? invoke(e) : AARD__DONE;
    if (state == AARD__DONE) state = aard__guest_collect(guest, e->outcome);
    if (state == AARD__DONE) { /* both run code of the guest: still under the limits */
        aard__vm_pump(guest->vm);
        aard__guest_report_rejections(guest);
    }
    e->state = state;
}

/* What the guest holds when the call has ended: read here, where its vm has been entered. */
static void read_heap(errand *e)
{
    aard__guest *guest = e->isolate->guest;
    aard_diagnostics *d = &e->outcome->diagnostics;
    aard__heap heap;
    aard__vm_heap(guest->vm, &heap);
    d->js_heap_kib = heap.used / 1024;
    if (guest->ops->heap_bytes) d->py_heap_kib = guest->ops->heap_bytes(guest) / 1024;
}

static void work(void *user)
{
    serve(user);
    read_heap(user);
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

static void fail_by_cause(const errand *e, aard__cause cause)
{
    if (cause == AARD__CAUSE_CANCELLED)
        aard__outcome_fail(e->outcome, AARD_FAILURE_CANCELLED, "the call was cancelled");
    else if (cause == AARD__CAUSE_CPU)
        aard__outcome_fail(e->outcome, AARD_FAILURE_CPU_LIMIT_EXCEEDED,
                           "the call used more processor time than its limit of %llu ms",
                           (unsigned long long)e->limits.cpu_ms);
    else if (e->cause != AARD__CAUSE_NONE)
        aard__outcome_fail(e->outcome, AARD_FAILURE_TIMEOUT_EXCEEDED,
                           "the import of the handler's module took longer than the start-up limit of %llu ms",
                           (unsigned long long)e->isolate->config->settings.startup_limit_ms);
    else
        aard__outcome_fail(e->outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "the call took longer than its limit of %llu ms",
                           (unsigned long long)e->limits.wall_ms);
}

static bool thrown_is(const aard_outcome *outcome, const char *type)
{
    const aard__buf *have = &outcome->exception_type;
    return outcome->has_exception && have->len == strlen(type) && !memcmp(have->data, type, have->len);
}

/* An exception that nobody caught, because there was no memory where a limit stands, is the limit's doing. */
static void blame_limit(aard__guest *guest, aard_outcome *outcome)
{
    bool buffer = aard__vm_buffer_refused(guest->vm);
    if ((outcome->failure == AARD_FAILURE_PYTHON_EXCEPTION && guest->memory_refused &&
         thrown_is(outcome, "MemoryError")) ||
        (outcome->failure == AARD_FAILURE_JAVASCRIPT_EXCEPTION && buffer && thrown_is(outcome, "RangeError")))
        outcome->failure = AARD_FAILURE_HEAP_LIMIT_EXCEEDED;
}

/* Why the call ended, where the guest has not said it; whether the guest may go on. */
static bool judge(errand *e, aard__cause cause)
{
    aard__guest *guest = e->isolate->guest;
    aard_outcome *outcome = e->outcome;
    bool full = aard__vm_heap_full(guest->vm);
    /* It has ended because it was asked to: nothing was torn, and what it did until then stays. */
    bool graceful = cause != AARD__CAUSE_NONE && e->cause == AARD__CAUSE_NONE && e->limits.grace_ms && !full &&
                    e->state == AARD__DONE && !aard__vm_terminating(guest->vm);
    if (graceful) {
        bool told = outcome->has_exception;
        fail_by_cause(e, cause);
        outcome->has_exception = told; /* where it was */
        guest->asked = true;
        aard__guest_unstop(guest);
        return true;
    }
    if (full)
        aard__outcome_fail(
            outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED,
            aard__vm_stack_ended(guest->vm)
                ? "the guest's stack was used up by the engine's own recursion; nest less deeply, such as in a "
                  "regular expression"
                : "the guest's heap was full");
    else if (cause != AARD__CAUSE_NONE || aard__vm_terminating(guest->vm))
        fail_by_cause(e, cause);
    else if (e->state == AARD__BROKEN && guest->memory_refused) /* not even an exception found room */
        aard__outcome_fail(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "the guest's heap was full");
    else if (e->state == AARD__BROKEN && outcome->failure == AARD_FAILURE_NONE && !outcome->has_exit_code)
        aard__outcome_fail(outcome, AARD_FAILURE_ENGINE_CRASHED, "the guest ended without an answer");
    else
        blame_limit(guest, outcome);
    if (guest->streams.threw && outcome->failure == AARD_FAILURE_NONE)
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "the host's stream callback threw a C++ exception");
    return outcome->failure != AARD_FAILURE_HEAP_LIMIT_EXCEEDED && cause == AARD__CAUSE_NONE &&
           !aard__vm_terminating(guest->vm) && e->state != AARD__BROKEN;
}

static void end_diagnostics(errand *e)
{
    aard__guest *guest = e->isolate->guest;
    aard_outcome *outcome = e->outcome;
    aard_diagnostics *d = &outcome->diagnostics;
    d->filesystem_bytes_written = guest->bytes_written;
    d->pending_ended = guest->pending_ended;
    if (guest->image) {
        d->warm_source = aard__image_is_file(guest->image) ? AARD_WARM_DISK : AARD_WARM_MEMORY;
        snprintf(d->warm_fingerprint, sizeof d->warm_fingerprint, "%s",
                 guest->warm ? aard_warm_state_fingerprint(guest->warm)
                             : aard_distribution_fingerprint(guest->distribution));
    }
    aard__streams_take(&guest->streams, AARD_STREAM_STDOUT, &outcome->streams[0], &d->stdout_dropped_bytes);
    aard__streams_take(&guest->streams, AARD_STREAM_STDERR, &outcome->streams[1], &d->stderr_dropped_bytes);
    outcome->ledger = guest->ledger;
    guest->ledger = AARD__LEDGER_INIT;
    d->violations_dropped = outcome->ledger.violations_dropped;
    d->network_attempts_dropped = outcome->ledger.attempts_dropped;
}

/* The call is over: whatever the guest left behind goes into the outcome, and a guest that broke is not called again before
 * a reset. */
static void end(errand *e)
{
    aard_isolate *isolate = e->isolate;
    aard_diagnostics *d = &e->outcome->diagnostics;
    aard__guest_go_offline(isolate->guest);
    e->run_end = aard__clock_monotonic();
    aard__cause cause = aard__budget_disarm(&isolate->budget);
    bool whole = judge(e, e->cause != AARD__CAUSE_NONE ? e->cause : cause);
    end_diagnostics(e);
    d->reset_generation = isolate->generation;
    isolate->soiled = !whole;
    isolate->resettable = isolate->resettable || !whole; /* from now on there are checkpoints: it may happen again */
    if (!whole && (isolate->guest->lost || !isolate->guest->ops->reset)) aard__isolate_drop_guest(isolate);
    aard__isolate_clean_up(isolate);
    d->rss_kib_after = rss_kib();
    uint64_t now = aard__clock_monotonic();
    d->cpu_ms_used = ms(aard__clock_thread_cpu() - e->cpu_start);
    d->prepare_ms = ms(e->run_start - e->start);
    d->run_ms = ms(e->run_end - e->run_start);
    d->cleanup_ms = ms(now - e->run_end);
    d->wall_ms = ms(now - e->start);
}

/* A call that was never made: the guest is as it is between calls. */
static aard_error *give_up(errand *e, aard_error *error)
{
    aard__guest *guest = e->isolate->guest;
    if (guest) aard__guest_go_offline(guest);
    return error;
}

static aard_error *make_call(errand *e)
{
    aard_error *unable = begin(e);
    if (unable) return give_up(e, unable);
    e->state = AARD__BROKEN; /* unless the work comes to its end */
    e->run_start = aard__clock_monotonic();
    aard__guest *guest = e->isolate->guest;
    guest->context.call = e->call;
    guest->stdin_at = 0;
    aard_error *error = aard__guest_run(guest, work, e);
    guest->context.call = NULL;
    if (!error) {
        end(e);
        return NULL;
    }
    aard__budget_disarm(&e->isolate->budget);
    return give_up(e, error);
}

static aard_error *call_isolate(errand *e, aard_outcome **out)
{
    if (e->call && !e->call->input && e->call->input_len)
        return aard__error_argument("aard_call_set_input_json", "NULL has no bytes; give the input, or a length of 0");
    AARD__TRY(aard__isolate_claim(e->isolate));
    aard_error *error = aard__outcome_new(&e->outcome);
    if (!error && (error = make_call(e))) aard_outcome_free(e->outcome);
    aard__isolate_release(e->isolate);
    if (!error) *out = aard__outcome_hand_out(e->outcome);
    return error;
}

aard_error *aard_handler_invoke(aard_handler *handler, const aard_call *call, aard_outcome **out)
{
    AARD__NEED(handler);
    AARD__NEED(out);
    AARD__NEED_THAT(handler->isolate, "the handler's isolate has been freed; make another of one that is there");
    errand e = {.isolate = handler->isolate, .handler = handler, .call = call};
    return call_isolate(&e, out);
}

aard_error *aard_isolate_exec(aard_isolate *isolate, const char *source, size_t len, const char *name,
                              const aard_call *call, aard_outcome **out)
{
    AARD__NEED(isolate);
    AARD__NEED(out);
    AARD__NEED_THAT(source || !len, "NULL has no bytes; give the data, or a length of 0");
    errand e = {.isolate = isolate, .source = source, .len = len, .name = name, .call = call};
    return call_isolate(&e, out);
}
