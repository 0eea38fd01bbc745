/* One call: begun, measured, limited, ended, and its outcome. */
#include <aardvark/warm.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/resident.h"
#include "base/trace.h"
#include "base/utf8.h"
#include "worker/worker_impl.h"

static double ms(uint64_t ns) { return (double)ns / 1e6; }

/* A call under way. */
typedef struct invocation {
    aard__worker *worker;
    aard__handler *handler; /* NULL = inline code */
    const aard__request *request;
    aard_outcome *outcome;
    aard__limits limits;
    aard__state state;
    aard__cause cause;    /* why it was ended, if it was: */
    bool ended_importing; /* by the limit that the import of the handler's module has */
    uint64_t start, run_start, run_end, cpu_start;
} invocation;

static void begin_diagnostics(invocation *inv)
{
    aard__worker *worker = inv->worker;
    aard_diagnostics *d = &inv->outcome->diagnostics;
    inv->outcome->isolation = worker->config->settings.isolation;
    d->isolate_id = worker->id;
    d->started_at_ns = aard__clock_realtime();
    d->rss_kib_before = aard__resident_kib();
}

static aard_cancel_handle *cancel_of(const invocation *inv)
{
    return inv->request->call ? inv->request->call->cancel : NULL;
}

/* Whether what the call begins with can be gone back to, as far as it has to.  A handler's module is imported first, and the
 * state is remembered then; what an import leaves that fails is of interest only where there are resets. */
static bool remembered(const invocation *inv)
{
    const aard__worker *worker = inv->worker;
    return worker->used || worker->remembered || !worker->guest->ops->checkpoint ||
           !aard__worker_is_resettable(worker) || (inv->handler && !worker->resettable);
}

static bool rolls_back(const invocation *inv) { return inv->request->call && inv->request->call->rollback; }

static void begin_guest(invocation *inv)
{
    aard__worker *worker = inv->worker;
    aard__guest *guest = worker->guest;
    const aard_call *call = inv->request->call;
    const aard__guest_call begun = {
        .context = {.call = call, .config = worker->config, .isolate_id = worker->id},
        .output.capture = !call || call->capture,
        .network = &worker->network,
        .result_limit = aard__config_result_limit(worker->config, call),
        .result_depth_limit = worker->config->settings.result_depth_limit,
        .prepared = -1,
    };
    aard__guest_begin_call(guest, &begun);
    guest->entry.most = begun.result_limit;
    aard__vm_buffer_refused(guest->vm);
}

/* Makes everything ready; the entry is what the call gets from now on. */
static aard_error *begin(invocation *inv, aard__entry *entry)
{
    aard__worker *worker = inv->worker;
    inv->start = aard__clock_monotonic();
    inv->cpu_start = aard__clock_thread_cpu();
    begin_diagnostics(inv);
    if (rolls_back(inv)) AARD__TRY(aard__worker_has_checkpoints(worker->config));
    bool ready = worker->guest && !worker->dirty && remembered(inv) && !rolls_back(inv);
    AARD__TRY(aard__worker_ensure_guest_for(worker, inv->handler));
    worker->last = NULL;
    if (!remembered(inv)) AARD__TRY(aard__worker_remember(worker));
    if (rolls_back(inv)) AARD__TRY(aard__worker_begin_step(worker));
    inv->outcome->diagnostics.reset_mode = worker->reset_mode;
    inv->outcome->diagnostics.reset_ms = worker->reset_ms;
    worker->reset_mode = AARD_RESET_NONE;
    worker->reset_ms = 0;
    begin_guest(inv);
    inv->state = AARD__BROKEN; /* unless the work comes to its end */
    inv->limits = aard__config_limits(worker->config, inv->request->call, worker->bundle);
    *entry = ready
                 ? (aard__entry){inv->limits, cancel_of(inv), inv->start, inv->cpu_start}
                 : aard__worker_entry(&inv->limits, cancel_of(inv)); /* a reset or checkpoint is not the call's doing */
    return NULL;
}

/* ---- what runs on the guest's stack ----------------------------------------------------------------------------- */

/* What no guest needs to see to know that it is no JSON; false, with a failure, for such an input. */
static bool input_fits(invocation *inv)
{
    const aard_call *call = inv->request->call;
    if (!call || !call->input) return true;
    const char *reason = !call->input_len                                  ? "it is empty"
                         : !aard__utf8_valid(call->input, call->input_len) ? "it is not UTF-8"
                                                                           : NULL;
    if (reason) aard__outcome_fail(inv->outcome, AARD_FAILURE_ADAPTER_ERROR, "the input is not JSON: %s", reason);
    return !reason;
}

/* Nothing has to be run where the call was cancelled before it began, or its input is none. */
static bool can_begin(invocation *inv)
{
    aard_cancel_handle *cancel = cancel_of(inv);
    if (!cancel || !aard_cancel_handle_is_cancelled(cancel)) return input_fits(inv);
    aard__outcome_fail(inv->outcome, AARD_FAILURE_CANCELLED, "the call was cancelled");
    return false;
}

static void calm(aard__guest *guest)
{
    if (guest->wake.asked && guest->ops->calm) guest->ops->calm(guest);
    guest->wake.asked = false;
}

/* What the guest holds when the call has ended: read here, where its vm has been entered. */
static void read_heap(invocation *inv)
{
    aard__guest *guest = inv->worker->guest;
    aard_diagnostics *d = &inv->outcome->diagnostics;
    aard__heap heap;
    aard__vm_heap(guest->vm, &heap);
    d->js_heap_kib = heap.used / 1024;
    if (guest->ops->heap_bytes) d->py_heap_kib = guest->ops->heap_bytes(guest) / 1024;
}

static void conclude(invocation *inv, aard__state state)
{
    aard__guest *guest = inv->worker->guest;
    if (state == AARD__DONE) state = aard__guest_collect(guest, inv->outcome);
    if (state == AARD__DONE) { /* both run code of the guest: still under the limits */
        aard__vm_pump(guest->vm);
        aard__guest_report_rejections(guest);
    }
    inv->state = state;
    read_heap(inv);
}

/* Whether the guest has the handler now; what an import did that failed is concluded by the caller. */
static bool prepare(invocation *inv, aard__state *state)
{
    *state = aard__handler_prepare(inv->worker, inv->handler, inv->outcome);
    return *state == AARD__DONE && inv->outcome->failure == AARD_FAILURE_NONE && inv->handler->ready;
}

static void import(void *user)
{
    invocation *inv = user;
    aard__state state;
    calm(inv->worker->guest);
    bool ready = prepare(inv, &state);
    inv->run_start = aard__clock_monotonic();
    inv->state = AARD__DONE;
    if (ready) return;
    inv->worker->used = true;
    conclude(inv, state);
}

static aard__state invoke(invocation *inv)
{
    aard__worker *worker = inv->worker;
    const aard_call *call = inv->request->call;
    aard__state state;
    bool ready = prepare(inv, &state);
    inv->run_start = aard__clock_monotonic();
    worker->used = true;
    if (inv->handler->ready) worker->last = inv->handler;
    if (!ready) return state;
    return worker->guest->ops->invoke(worker->guest, inv->handler->number, call ? call->input : NULL,
                                      call ? call->input_len : 0, inv->outcome);
}

static aard__state execute(invocation *inv)
{
    const aard__request *request = inv->request;
    const aard_call *call = request->call;
    aard__guest *guest = inv->worker->guest;
    inv->worker->used = true;
    return guest->ops->execute(guest, request->source, request->source_len, request->name ? request->name : "<exec>",
                               call ? call->input : NULL, call ? call->input_len : 0, inv->outcome);
}

/* Names of inline code go; of a guest that has just been reset there are none. */
static aard__state clear(const invocation *inv)
{
    aard__guest *guest = inv->worker->guest;
    if (guest->ops->clear) return guest->ops->clear(guest, inv->outcome);
    aard__buf_puts(&guest->call.result, "null");
    return AARD__DONE;
}

static aard__state answer(invocation *inv)
{
    if (inv->request->verb == AARD__CLEAR) return clear(inv);
    return inv->handler ? invoke(inv) : execute(inv);
}

static void serve(void *user)
{
    invocation *inv = user;
    aard__state state = AARD__DONE;
    if (can_begin(inv)) {
        calm(inv->worker->guest);
        state = answer(inv);
        state = aard__guest_wait(inv->worker->guest, state, inv->outcome);
    }
    conclude(inv, state);
}

/* ---- running it ------------------------------------------------------------------------------------------------- */

/* Imports the handler's module within a limit of its own, where it has one.  *go_on: the call can be made. */
static aard_error *import_apart(invocation *inv, bool *go_on)
{
    aard__limits limits = {.wall_ms = inv->worker->config->settings.startup_limit_ms};
    *go_on = true;
    if (!limits.wall_ms || !inv->handler || inv->handler->ready || !can_begin(inv)) return NULL;
    aard__entry entry = aard__worker_entry(&limits, cancel_of(inv));
    AARD__TRY(aard__worker_enter(inv->worker, &entry, import, inv, &inv->cause));
    *go_on = inv->cause == AARD__CAUSE_NONE && inv->state == AARD__DONE && inv->handler->ready;
    inv->ended_importing = inv->cause != AARD__CAUSE_NONE;
    return NULL;
}

static aard_error *run(invocation *inv, aard__entry *entry)
{
    bool go_on, new_entry = inv->handler && !inv->handler->ready;
    inv->run_start = aard__clock_monotonic();
    AARD__TRY(import_apart(inv, &go_on));
    if (!go_on) return NULL;
    inv->state = AARD__BROKEN;
    if (new_entry && inv->handler->ready) *entry = aard__worker_entry(&inv->limits, cancel_of(inv));
    return aard__worker_enter(inv->worker, entry, serve, inv, &inv->cause);
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

static void fail_by_cause(const invocation *inv)
{
    aard_outcome *outcome = inv->outcome;
    if (inv->cause == AARD__CAUSE_CANCELLED)
        aard__outcome_fail(outcome, AARD_FAILURE_CANCELLED, "the call was cancelled");
    else if (inv->cause == AARD__CAUSE_CPU)
        aard__outcome_fail(outcome, AARD_FAILURE_CPU_LIMIT_EXCEEDED,
                           "the call used more processor time than its limit of %llu ms",
                           (unsigned long long)inv->limits.cpu_ms);
    else if (inv->ended_importing)
        aard__outcome_fail(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED,
                           "the import of the handler's module took longer than the start-up limit of %llu ms",
                           (unsigned long long)inv->worker->config->settings.startup_limit_ms);
    else
        aard__outcome_fail(outcome, AARD_FAILURE_TIMEOUT_EXCEEDED, "the call took longer than its limit of %llu ms",
                           (unsigned long long)inv->limits.wall_ms);
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
    if ((outcome->failure == AARD_FAILURE_PYTHON_EXCEPTION && guest->call.memory_refused &&
         thrown_is(outcome, "MemoryError")) ||
        (outcome->failure == AARD_FAILURE_JAVASCRIPT_EXCEPTION && buffer && thrown_is(outcome, "RangeError")))
        outcome->failure = AARD_FAILURE_HEAP_LIMIT_EXCEEDED;
}

/* It has ended because it was asked to: nothing was torn, and what it did until then stays. */
static bool ended_when_asked(const invocation *inv)
{
    aard__vm *vm = inv->worker->guest->vm;
    return inv->cause != AARD__CAUSE_NONE && !inv->ended_importing && inv->limits.grace_ms && !aard__vm_heap_full(vm) &&
           inv->state == AARD__DONE && !aard__vm_terminating(vm);
}

static void fail_when_asked(invocation *inv)
{
    bool told = inv->outcome->has_exception;
    fail_by_cause(inv);
    inv->outcome->has_exception = told; /* where it was */
    inv->worker->guest->wake.asked = true;
    aard__guest_unstop(inv->worker->guest);
}

static void fail_full(const invocation *inv)
{
    aard__outcome_fail(
        inv->outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED,
        aard__vm_stack_ended(inv->worker->guest->vm)
            ? "the guest's stack was used up by the engine's own recursion; nest less deeply, such as in a "
              "regular expression"
            : "the guest's heap was full");
}

/* Why the call ended, where the guest has not said it; whether the guest may go on. */
static bool classify(invocation *inv)
{
    aard__guest *guest = inv->worker->guest;
    aard_outcome *outcome = inv->outcome;
    if (ended_when_asked(inv)) {
        fail_when_asked(inv);
        return true;
    }
    bool stopped = inv->cause != AARD__CAUSE_NONE || aard__vm_terminating(guest->vm);
    if (aard__vm_heap_full(guest->vm))
        fail_full(inv);
    else if (stopped)
        fail_by_cause(inv);
    else if (inv->state == AARD__BROKEN && guest->call.memory_refused) /* not even an exception found room */
        aard__outcome_fail(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "the guest's heap was full");
    else if (inv->state == AARD__BROKEN && outcome->failure == AARD_FAILURE_NONE && !outcome->has_exit_code)
        aard__outcome_fail(outcome, AARD_FAILURE_ENGINE_CRASHED, "the guest ended without an answer");
    else
        blame_limit(guest, outcome);
    if (guest->call.output.threw && outcome->failure == AARD_FAILURE_NONE)
        aard__outcome_fail(outcome, AARD_FAILURE_OTHER, "the host's stream callback threw a C++ exception");
    return outcome->failure != AARD_FAILURE_HEAP_LIMIT_EXCEEDED && !stopped && inv->state != AARD__BROKEN;
}

static void end_diagnostics(invocation *inv)
{
    aard__guest *guest = inv->worker->guest;
    aard_outcome *outcome = inv->outcome;
    aard_diagnostics *d = &outcome->diagnostics;
    d->reset_generation = inv->worker->generation;
    d->filesystem_bytes_written = guest->call.bytes_written;
    d->pending_ended = guest->call.pending_ended;
    d->callback_count = guest->call.callback_count;
    d->callback_ms = ms(guest->call.callback_ns);
    d->guest_abandoned = guest->abandoned;
    if (guest->start.image) {
        d->warm_source = aard__image_is_file(guest->start.image) ? AARD_WARM_DISK : AARD_WARM_MEMORY;
        snprintf(d->warm_fingerprint, sizeof d->warm_fingerprint, "%s",
                 guest->start.warm ? aard_warm_state_fingerprint(guest->start.warm)
                                   : aard_distribution_fingerprint(guest->start.distribution));
    }
    aard__streams_take(&guest->io.streams, AARD_STREAM_STDOUT, &outcome->streams[0], &d->stdout_dropped_bytes);
    aard__streams_take(&guest->io.streams, AARD_STREAM_STDERR, &outcome->streams[1], &d->stderr_dropped_bytes);
    outcome->ledger = guest->call.ledger;
    guest->call.ledger = AARD__LEDGER_INIT;
    d->violations_dropped = outcome->ledger.violations_dropped;
    d->network_attempts_dropped = outcome->ledger.attempts_dropped;
}

/* A guest that broke is not called again before a reset; a call that failed may have to leave nothing. */
static void end_guest(invocation *inv, bool whole)
{
    aard__worker *worker = inv->worker;
    aard_diagnostics *d = &inv->outcome->diagnostics;
    if (rolls_back(inv) && inv->outcome->failure != AARD_FAILURE_NONE) {
        whole = aard__worker_roll_back(worker);
        d->rolled_back = whole;
    }
    d->state_lost = !whole;
    worker->dirty = !whole;
    worker->resettable = worker->resettable || !whole; /* from now on there are checkpoints: it may happen again */
    if (!whole && worker->guest && (worker->guest->abandoned || !worker->guest->ops->reset))
        aard__worker_drop_guest(worker);
    aard__worker_clean_up(worker);
}

/* The call is over: whatever the guest left behind goes into the outcome. */
static void end(invocation *inv)
{
    aard_diagnostics *d = &inv->outcome->diagnostics;
    aard__guest_go_offline(inv->worker->guest);
    aard__guest_end_callbacks(inv->worker->guest);
    inv->run_end = aard__clock_monotonic();
    bool whole = classify(inv);
    end_diagnostics(inv);
    end_guest(inv, whole);
    d->rss_kib_after = aard__resident_kib();
    uint64_t now = aard__clock_monotonic();
    d->cpu_ms_used = ms(aard__clock_thread_cpu() - inv->cpu_start);
    d->prepare_ms = ms(inv->run_start - inv->start);
    d->run_ms = ms(inv->run_end - inv->run_start);
    d->cleanup_ms = ms(now - inv->run_end);
    d->wall_ms = ms(now - inv->start);
}

static aard_error *make_call(invocation *inv)
{
    aard__entry entry;
    aard_error *error = begin(inv, &entry);
    if (!error) error = run(inv, &entry);
    aard__guest *guest = inv->worker->guest;
    if (guest) guest->call.context.call = NULL;
    if (!error)
        end(inv);
    else if (guest)
        aard__guest_go_offline(guest); /* it was never made: the guest is as it is between calls */
    return error;
}

aard_error *aard__worker_call(aard__worker *worker, aard__handler *handler, const aard__request *request,
                              aard_outcome **out)
{
    invocation inv = {.worker = worker, .handler = handler, .request = request};
    AARD__TRY(aard__outcome_new(&inv.outcome));
    aard__span span = aard__trace_begin("call", worker->id, handler ? handler->entrypoint : request->name);
    aard_error *error = make_call(&inv);
    aard__trace_end(&span, error ? aard_error_code_name(aard_error_get_code(error))
                                 : aard_failure_kind_name(inv.outcome->failure));
    if (error)
        aard_outcome_free(inv.outcome);
    else
        *out = inv.outcome;
    return error;
}
