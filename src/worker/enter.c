/* The way into a worker's guest: whatever runs there has a limit. */
#include "base/clock.h"
#include "worker/worker_impl.h"

aard__entry aard__worker_entry(const aard__limits *limits, aard_cancel_handle *cancel)
{
    return (aard__entry){.limits = *limits,
                         .cancel = cancel,
                         .wall_start = aard__clock_monotonic(),
                         .cpu_start = limits->cpu_ms ? aard__clock_thread_cpu() : 0};
}

aard_error *aard__worker_enter(aard__worker *worker, const aard__entry *entry, void (*work)(void *user), void *user,
                               aard__cause *cause)
{
    aard__limits limits = entry->limits;
    if (!worker->guest->ops->interrupt) limits.grace_ms = 0; /* it can't be asked */
    AARD__TRY(aard__budget_arm(&worker->budget, &limits, entry->wall_start, entry->cpu_start, entry->cancel));
    worker->guest->call.context.deadline = worker->budget.wall_deadline;
    aard_error *error = aard__guest_run(worker->guest, work, user);
    *cause = aard__budget_disarm(&worker->budget);
    return error;
}

typedef struct step {
    aard__worker *worker;
    bool (*work)(aard__worker *worker, void *user);
    void *user;
    bool whole;
} step;

static void run_step(void *user)
{
    step *s = user;
    s->whole = s->work(s->worker, s->user);
}

aard_error *aard__worker_do(aard__worker *worker, bool (*work)(aard__worker *worker, void *user), void *user)
{
    aard__limits limits = aard__config_limits(worker->config, NULL, NULL);
    if (!limits.wall_ms) limits.wall_ms = worker->config->settings.startup_limit_ms;
    return aard__worker_do_within(worker, &limits, work, user);
}

aard_error *aard__worker_do_within(aard__worker *worker, const aard__limits *limits,
                                   bool (*work)(aard__worker *worker, void *user), void *user)
{
    step s = {.worker = worker, .work = work, .user = user};
    aard__entry entry = aard__worker_entry(limits, NULL);
    aard__cause cause;
    AARD__TRY(aard__worker_enter(worker, &entry, run_step, &s, &cause));
    if (cause != AARD__CAUSE_NONE || !s.whole || worker->guest->abandoned) aard__worker_drop_guest(worker);
    return NULL;
}
