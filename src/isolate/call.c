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
#include "isolate/isolate.h"

/* What is measured while a call runs. */
typedef struct measures {
    uint64_t start, run_start, run_end, cpu_start;
} measures;

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
    AARD__TRY(aard__isolate_ensure_guest(isolate));
    outcome->diagnostics.reset_mode = isolate->reset_mode;
    outcome->diagnostics.reset_ms = isolate->reset_ms;
    isolate->reset_mode = AARD_RESET_NONE;
    isolate->reset_ms = 0;
    aard__guest *guest = isolate->guest;
    guest->streams.capture = !call || call->capture;
    aard__buf_clear(&guest->result);
    aard__buf_clear(&guest->report);
    guest->bytes_written = 0;
    aard__ledger_free(&guest->ledger);
    AARD__TRY(aard__isolate_arm(isolate, wall_limit(isolate, call)));
    aard__vm_enter(guest->vm);
    aard__guest_go_online(guest, &isolate->network);
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

/* The call is over: whatever the guest left behind goes into the outcome, and a guest that broke is not called
 * again before a reset. */
static void end(aard_isolate *isolate, const aard_call *call, aard__state state, aard_outcome *outcome, measures *m)
{
    aard__guest *guest = isolate->guest;
    aard_diagnostics *d = &outcome->diagnostics;
    if (state == AARD__DONE) state = aard__guest_collect(guest, outcome);
    if (state == AARD__DONE) { /* both run code of the guest: still under the limit */
        aard__vm_pump(guest->vm);
        aard__guest_report_rejections(guest);
    }
    aard__guest_go_offline(guest);
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
    outcome->ledger = guest->ledger;
    guest->ledger = AARD__LEDGER_INIT;
    d->violations_dropped = outcome->ledger.violations_dropped;
    d->network_attempts_dropped = outcome->ledger.attempts_dropped;
    aard__vm_leave(guest->vm);
    d->reset_generation = isolate->generation;
    isolate->soiled = condemned;
    if (condemned && !guest->ops->reset) {
        isolate->guest = NULL;
        aard__guest_free(guest);
    }
    aard__isolate_clean_up(isolate);
    d->rss_kib_after = rss_kib();
    uint64_t now = aard__clock_monotonic();
    d->cpu_ms_used = ms(aard__clock_thread_cpu() - m->cpu_start);
    d->prepare_ms = ms(m->run_start - m->start);
    d->run_ms = ms(m->run_end - m->run_start);
    d->cleanup_ms = ms(now - m->run_end);
    d->wall_ms = ms(now - m->start);
}

static aard_error *invoke(aard_handler *handler, const aard_call *call, aard_outcome *outcome)
{
    aard_isolate *isolate = handler->isolate;
    measures m;
    AARD__TRY(begin(isolate, call, outcome, &m));
    aard__guest *guest = isolate->guest;
    aard__state state = input_fits(call, outcome) ? aard__handler_prepare(handler, outcome) : AARD__DONE;
    m.run_start = aard__clock_monotonic();
    isolate->used = true;
    if (state == AARD__DONE && outcome->failure == AARD_FAILURE_NONE && handler->ready) {
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
    isolate->used = true;
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
    AARD__TRY(aard__isolate_claim(handler->isolate));
    aard_error *error = aard__outcome_new(&outcome);
    if (!error && (error = invoke(handler, call, outcome))) aard_outcome_free(outcome);
    aard__isolate_release(handler->isolate);
    if (!error) *out = outcome;
    return error;
}

aard_error *aard_isolate_exec(aard_isolate *isolate, const char *source, size_t len, const char *name,
                              const aard_call *call, aard_outcome **out)
{
    aard_outcome *outcome;
    AARD__TRY(aard__isolate_claim(isolate));
    aard_error *error = aard__outcome_new(&outcome);
    if (!error && (error = execute(isolate, source, len, name, call, outcome))) aard_outcome_free(outcome);
    aard__isolate_release(isolate);
    if (!error) *out = outcome;
    return error;
}
