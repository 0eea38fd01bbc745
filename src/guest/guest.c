#include "guest/guest.h"

#include <aardvark/warm.h>

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/process.h"
#include "guest/snapshot.h"
#include "settings/config.h"

/* What the engine's side of a language with its own memory can do with, packages included. */
#define ENGINE_LEAST ((size_t)128 << 20)

static void code_refused(void *user, bool wasm)
{
    aard__guest *guest = user;
    const char *subject = wasm ? "WebAssembly" : "eval";
    aard__ledger_violation(&guest->call.ledger, AARD_VIOLATION_CAPABILITY_DENIED, "codegen", subject, strlen(subject));
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

typedef struct starting {
    aard__guest *guest;
    aard_error *(*work)(aard__guest *guest, void *user);
    void *user;
    aard_error *error;
} starting;

static void run_starting(void *user)
{
    starting *s = user;
    s->error = s->work(s->guest, s->user);
}

aard_error *aard__guest_run_start(aard__guest *guest, uint64_t deadline,
                                  aard_error *(*work)(aard__guest *guest, void *user), void *user)
{
    starting s = {.guest = guest, .work = work, .user = user};
    aard__budget budget = {.stop = aard__guest_stop, .user = guest};
    uint64_t now = aard__clock_monotonic();
    aard__limits limits = {.wall_ms = !deadline ? 0 : deadline > now ? (deadline - now) / 1000000 + 1 : 1};
    AARD__TRY(aard__budget_arm(&budget, &limits, now, 0, NULL));
    aard_error *error = aard__guest_run(guest, run_starting, &s);
    bool late = aard__budget_disarm(&budget) != AARD__CAUSE_NONE;
    if (error) return error;
    if (!late && !guest->abandoned) return s.error;
    aard_error_free(s.error);
    return aard__error(AARD_ERR_GUEST_BOOT, late ? "the guest did not start within its start-up limit; raise it"
                                                 : "the guest did not start: its heap limit is too low");
}

static aard_error *make_realm(aard__guest *guest, void *user)
{
    (void)user;
    return aard__guest_make_realm(guest);
}

/* A host that limits a language's own memory does not want the engine below to take what that may not: it gets as much
 * again, and what its own code needs at least.  Buffers are the guest's files too, which may be twice as large while they grow. */
aard__memory_limits aard__guest_memory_limits(bool own_memory, const aard__memory_limits *asked, uint64_t file_bytes)
{
    size_t heap = asked->heap, below = heap && heap < ENGINE_LEAST ? ENGINE_LEAST : heap, files;
    if (!own_memory) return (aard__memory_limits){heap, 0, asked->buffers ? asked->buffers : heap};
    if (__builtin_mul_overflow(file_bytes, 2, &files)) files = SIZE_MAX;
    size_t buffers = files > SIZE_MAX - below ? SIZE_MAX : below + files;
    return (aard__memory_limits){heap, asked->engine ? asked->engine : below,
                                 asked->buffers ? asked->buffers
                                 : heap         ? buffers
                                                : 0};
}

static void limit_memory(const aard__guest *guest, const aard__guest_options *options, aard__vm_options *vm)
{
    bool own_memory = guest->ops->own_memory;
    const aard__memory_limits asked = {options->heap_limit, options->engine_heap_limit, options->buffer_limit};
    aard__memory_limits limits = aard__guest_memory_limits(own_memory, &asked, guest->io.file_rules.bytes);
    vm->memories_apart = own_memory;
    vm->memories_max = limits.heap;
    vm->js_heap_max = own_memory ? limits.engine : limits.heap;
    vm->buffers_max = limits.buffers;
}

/* What the guest is from its beginning. */
static void begin_guest(aard__guest *guest, const aard__guest_options *options)
{
    const aard_isolate_config *config = options->config;
    guest->eager = false;
    guest->config = config;
    guest->start.distribution = options->distribution;
    guest->start.image = options->image;
    guest->start.warm = options->warm ? aard_warm_state_retain(options->warm) : NULL;
    guest->grants.engine_objects = options->grants_engine_objects;
    guest->grants.code = options->grants_code;
    guest->heap_limit = options->heap_limit;
    guest->entry.keep_thrown = !guest->ops->own_memory;
    guest->generation = aard__process_generation();
    guest->io.streams = options->streams;
    guest->io.streams.context = &guest->call.context;
    guest->io.streams.call = &guest->call.output;
    guest->io.file_rules = config ? config->settings.file_rules
                                  : aard__file_rules_of(AARD_FILESYSTEM_READ_WRITE, 0, 0, 0);
    guest->call.context = (aard_call_context){
        .config = config, .isolate_id = options->isolate_id, .deadline = options->deadline};
    if (guest->ops->begin) guest->ops->begin(guest, options->own);
}

aard_error *aard__guest_new(const aard__guest_options *options, aard__guest **out)
{
    aard__guest *guest = aard__guest_new_bare(options->ops);
    if (!guest) return aard__error_no_memory();
    begin_guest(guest, options);
    pthread_mutex_init(&guest->wake.lock, NULL);
    const aard__snapshot *own = guest->ops->expect ? guest->ops->expect(guest) : NULL;
    aard__vm_options vm_options = {.user = guest,
                                   .code_refused = code_refused,
                                   .snapshot = aard__snapshot_choose(guest->ops, own),
                                   .realm = guest->ops->snapshot_realm,
                                   .renewed = !guest->ops->own_memory,
                                   .deep_stack = guest->ops->own_memory};
    limit_memory(guest, options, &vm_options);
    aard_error *error = aard__vm_new(&vm_options, &guest->vm);
    guest->io.streams.vm = guest->vm;
    if (!error) error = aard__guest_run_start(guest, options->deadline, make_realm, NULL);
    if (error) {
        aard__guest_free(guest);
        return error;
    }
    *out = guest;
    return NULL;
}

void aard__guest_free(aard__guest *guest)
{
    if (!guest) return;
    aard__guest_go_offline(guest);
    aard__guest_end_callbacks(guest);
    aard__guest_rest(guest);
    aard__open_files_free(&guest->io.open_files);
    aard__lookup_share_drop(guest->io.lookups);
    guest->io.lookups = NULL;
    if (!aard__vm_free(guest->vm)) return; /* and every ref; what can't be freed stays as a whole */
    for (aard__parked *one = guest->parked, *next; one; one = next) {
        next = one->next;
        aard__free(one);
    }
    if (guest->ops->end) guest->ops->end(guest);
    aard_bundle_free(guest->bundle);
    aard_warm_state_free(guest->start.warm);
    aard__overlay_free(guest->start.overlay);
    aard__free(guest->start.packages);
    aard__streams_free(&guest->io.streams);
    aard__ledger_free(&guest->call.ledger);
    aard__buf_free(&guest->call.result);
    aard__buf_free(&guest->call.report);
    pthread_mutex_destroy(&guest->wake.lock);
    aard__guest_free_bare(guest);
}

void aard__guest_begin_call(aard__guest *guest, const aard__guest_call *call)
{
    aard__guest_go_offline(guest);
    aard__guest_end_callbacks(guest);
    aard__ledger_free(&guest->call.ledger);
    aard__buf_free(&guest->call.result);
    aard__buf_free(&guest->call.report);
    guest->call = *call;
}

aard_error *aard__guest_mount(aard__guest *guest, aard_bundle *bundle)
{
    aard_bundle *before = guest->bundle;
    guest->bundle = aard_bundle_retain(bundle);
    aard_error *error = guest->ops->mount(guest);
    aard_bundle_free(before);
    return error;
}

aard_error *aard__guest_make_standby(aard__guest *guest)
{
    return guest->ops->make_standby ? guest->ops->make_standby(guest) : NULL;
}

void aard__guest_drop_standby(aard__guest *guest)
{
    if (!guest->standby) return;
    aard__guest_exchange(guest);
    aard__guest_drop_parts(guest);
    aard__realm_free(guest->realm);
    guest->realm = NULL;
    aard__guest_exchange(guest);
}

void aard__guest_drop_buffers(aard__guest *guest)
{
    if (guest->ops->drop_buffers) guest->ops->drop_buffers(guest);
}

/* ---- running and stopping -------------------------------------------------------------------------------------- */

typedef struct renewing {
    aard__guest *guest;
    void (*work)(void *user);
    void *user;
    aard_error *error;
} renewing;

static void renew_and_run(void *user)
{
    renewing *r = user;
    r->error = r->guest->ops->renew(r->guest);
    if (!r->error) r->work(r->user);
}

/* In a child that has not been in the guest yet.  Whether the language has something to do about it, too. */
static bool renew(aard__guest *guest)
{
    unsigned generation = aard__process_generation();
    if (guest->generation == generation) return false;
    guest->generation = generation;
    guest->clock.processor_last = 0; /* the thread's clock begins anew */
    return guest->ops->renew;
}

aard_error *aard__guest_run(aard__guest *guest, void (*work)(void *user), void *user)
{
    bool finished = true, renews = renew(guest);
    renewing r = {.guest = guest, .work = work, .user = user};
    aard_error *error = aard__vm_run(guest->vm, renews ? renew_and_run : work, renews ? &r : user, &finished);
    guest->abandoned = guest->abandoned || !finished || r.error;
    if (!guest->wake.net) aard__guest_rest(guest);
    return error ? error : r.error;
}

void aard__guest_call_host(aard__guest *guest, void (*host)(void *user), void *user)
{
    aard__vm_call_host(guest->vm, host, user);
}

void aard__guest_stop(void *user, aard__stop how)
{
    aard__guest *guest = user;
    if (how == AARD__STOP_FORCE) {
        aard__vm_force(guest->vm);
        return;
    }
    pthread_mutex_lock(&guest->wake.lock);
    guest->wake.roused = true;
    if (how == AARD__STOP_HARD) {
        guest->wake.stopped = true;
        aard__vm_terminate(guest->vm);
    } else if (guest->ops->interrupt) {
        aard__vm_interrupt(guest->vm, guest->ops->interrupt);
    }
    if (guest->wake.net) aard__net_stop(guest->wake.net);
    aard__poller_wake(&guest->wake.poller);
    pthread_mutex_unlock(&guest->wake.lock);
}

void aard__guest_unstop(aard__guest *guest)
{
    aard__vm_interrupt_cancel(guest->vm);
    aard__vm_terminate_cancel(guest->vm);
    guest->wake.stopped = guest->wake.roused = false;
    if (!guest->grants.making_code) return;
    guest->grants.making_code = 0; /* what was stopped did not take it back */
    aard__guest_allow_code(guest, false);
}

void aard__guest_fail_exception(aard__guest *guest, aard_failure_kind kind, aard_outcome *outcome)
{
    const aard__result *entry = &guest->entry;
    const aard__buf *stack = entry->thrown_stack.len ? &entry->thrown_stack : &entry->thrown_text;
    size_t bytes = entry->thrown_type.len + entry->thrown_text.len + stack->len;
    if (guest->call.result_limit && bytes > guest->call.result_limit) {
        aard__guest_fail_too_large(guest, outcome);
        return;
    }
    aard__outcome_fail_exception(outcome, kind, entry->thrown_type.data ? entry->thrown_type.data : "",
                                 entry->thrown_type.len, entry->thrown_text.data ? entry->thrown_text.data : "",
                                 entry->thrown_text.len, stack->data ? stack->data : "", stack->len);
}

aard__state aard__guest_state(aard__guest *guest, aard_outcome *outcome)
{
    const aard__result *entry = &guest->entry;
    if (entry->status == AARD__OK && entry->value.kind == AARD__NUMBER && entry->value.number != AARD__BROKEN)
        return (aard__state)entry->value.number;
    if (entry->status == AARD__THREW)
        aard__guest_fail_exception(guest, AARD_FAILURE_ENGINE_CRASHED, outcome);
    else if (entry->status == AARD__OK)
        aard__outcome_fail(outcome, AARD_FAILURE_ENGINE_CRASHED, "the guest's interpreter failed");
    return AARD__BROKEN;
}

void aard__guest_report_rejections(aard__guest *guest)
{
    static const char lead[] = "Uncaught (in promise) ";
    while (aard__realm_next_rejection(guest->realm, &guest->entry)) {
        const aard__buf *text = guest->entry.thrown_stack.len ? &guest->entry.thrown_stack : &guest->entry.thrown_text;
        aard__streams_write(&guest->io.streams, AARD_STREAM_STDERR, lead, sizeof lead - 1);
        aard__streams_write(&guest->io.streams, AARD_STREAM_STDERR, text->data, text->len);
        aard__streams_write(&guest->io.streams, AARD_STREAM_STDERR, "\n", 1);
    }
}
